"""Whole models: bit-exact with TFLite Micro on the host, on Cortex-M4 and on rv32; generation."""

import hashlib
import json
import subprocess
from pathlib import Path

import numpy as np
import pytest

from einthoven.codegen import model, pipeline
from einthoven.codegen.engine import reader
from einthoven.codegen.engine.emit import Description, emit
from einthoven.codegen.engine.graph import Graph
from einthoven.codegen.engine.layout import pack_weights
from einthoven.codegen.engine.lower import lower
from einthoven.codegen.engine.planner import plan
from einthoven.codegen.testing import bare_target, bench
from einthoven.codegen.testing.host_target import run_sanitized
from einthoven.codegen.testing.random_models import noise, residual_model
from einthoven.errors import ModelError
from einthoven.native import core
from einthoven.native.engine import HostModel, TflmModel, first_differing_layer
from einthoven.native.tflm import run_tflm
from einthoven.paths import FIRMWARE, SHIPPED_MODEL
from einthoven.records.adc import to_board
from einthoven.records.record import read_record

ENGINE = FIRMWARE / "engine"

MOST = {
    "shipped model": {
        **{"m4": 1.3, "m4-portable": 3.65, "rv32": 3.25, "m3": 2.7, "m0": 5.5, "m3-small": 4.6}
    },
    "wide model": {
        **{"m4": 1.2, "m4-portable": 3.5, "rv32": 3.0, "m3": 2.5, "m0": 5.0, "m3-small": 4.6}
    },
}
"""Instructions a multiply-add, by bench.py's models and target."""


@pytest.fixture(scope="session")
def objects(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("kernels")


def inputs_of(graph: Graph, n: int, seed: int) -> list[np.ndarray]:
    return [noise((t.length, t.channels), n, seed + i) for i, t in enumerate(graph.inputs)]


@pytest.mark.parametrize("seed", range(20))
def test_random_graph_on_the_host(seed: int, objects: Path, tmp_path: Path) -> None:
    data = residual_model(seed)
    graph = lower(reader.parse(data))
    inputs = inputs_of(graph, 10, seed)
    ours = run_sanitized(graph, inputs, objects, tmp_path)
    theirs = run_tflm(data, inputs, len(graph.outputs))
    np.testing.assert_array_equal(ours[0], theirs[0])


@pytest.mark.parametrize("target", bare_target.TESTED)
@pytest.mark.parametrize("seed", [1, 5, 8])
def test_random_graph_on_a_bare_target(seed: int, target: str, tmp_path: Path) -> None:
    data = residual_model(seed)
    graph = lower(reader.parse(data))
    inputs = inputs_of(graph, 8, seed)
    result = bare_target.run(graph, inputs, target, tmp_path)
    np.testing.assert_array_equal(result.outputs, run_tflm(data, inputs, 1)[0])


@pytest.mark.parametrize("target", [*bare_target.TESTED, "m3", "m3-small", "m0"])
@pytest.mark.parametrize("which", MOST)
def test_our_models_on_a_bare_target(which: str, target: str, tmp_path: Path) -> None:
    """And the number of instructions does not depend on the data, but for clamps that branch."""
    data = bench.MODELS[which]()
    graph = lower(reader.parse(data))
    inputs = inputs_of(graph, 10, 1)
    result = bare_target.run(graph, inputs, target, tmp_path)
    np.testing.assert_array_equal(result.outputs, run_tflm(data, inputs, 1)[0])
    spread = max(result.instructions) - min(result.instructions)
    assert spread <= (0 if target == "m4" else 0.02 * graph.macs)
    assert max(result.instructions) <= MOST[which][target] * graph.macs


def test_shipped_model_sanitized(objects: Path, tmp_path: Path) -> None:
    shipped = model.load(SHIPPED_MODEL)
    inputs = inputs_of(shipped.graph, 60, 2)
    ours = run_sanitized(shipped.graph, inputs, objects, tmp_path)
    np.testing.assert_array_equal(ours[0], run_tflm(shipped.tflite, inputs, 1)[0])


def test_host_model_and_tflm_model_agree_layer_by_layer() -> None:
    host, tflm = HostModel(trace=True), TflmModel(trace=True)
    graph = model.load(SHIPPED_MODEL).graph
    signal, features = (
        next(t for t in graph.inputs if (t.length > 1) == long) for long in (True, False)
    )
    signals = noise((signal.length, signal.channels), 6, 3)
    values = noise((features.size,), 6, 4)
    np.testing.assert_array_equal(host.infer(signals, values), tflm.infer(signals, values))
    for one, other in zip(signals, values, strict=True):
        assert first_differing_layer(host, tflm, one, other) is None
    assert len(host.layers(signals[0], values[0])) == len(graph.ops)


def test_generated_text_is_the_same_every_time() -> None:
    data = residual_model(7)
    texts = []
    for _ in range(2):
        graph = lower(reader.parse(data))
        texts.append(emit(graph, plan(graph), Description("same", "0" * 64)))
    assert texts[0] == texts[1]


def test_packed_weights_are_what_the_kernels_read() -> None:
    weights = np.arange(1, 31, dtype=np.int8).reshape(3, 5, 2)
    packed = pack_weights(weights).reshape(
        2, 4, 2, 4
    )  # pairs of channels, fours of values, both, 4
    for channel in range(3):
        in_order = packed[channel // 2, :, channel % 2, :][:, [0, 2, 1, 3]].ravel()
        np.testing.assert_array_equal(in_order[:10], weights[channel].ravel())
        assert not in_order[10:].any()  # up to a multiple of 8
    assert not packed[1, :, 1, :].any()  # the missing partner of the last channel


def folder_of(data: bytes, path: Path, **changes: str) -> Path:
    about = {
        "name": "random",
        "sha256": hashlib.sha256(data).hexdigest(),
        "pipeline_sha256": pipeline.sha256(pipeline.load()),
        **changes,
    }
    path.mkdir(parents=True)
    (path / "model.tflite").write_bytes(data)
    (path / "model.json").write_text(json.dumps(about))
    return path


def test_export_writes_the_engine(tmp_path: Path) -> None:
    data = residual_model(2)
    written = model.export(folder_of(data, tmp_path / "model"), tmp_path / "out")
    names = {p.name for p in written}
    engine = {"ein_model.h", "ein_model.c", "ein_confidence_table.h", "ein_golden.h"}
    gate = {"ein_gate_net.h", "ein_gate_net.c", "ein_gate_table.h"}
    assert names == engine | gate | {"ein_model_tflite.h", "ein_model_tflite.c"}
    array = (tmp_path / "out" / "ein_model_tflite.c").read_text().split("= {", 1)[1].split("};")[0]
    assert bytes(int(b) for b in array.split(",") if b.strip()) == data


def test_export_refuses_a_model_for_another_pipeline(tmp_path: Path) -> None:
    folder = folder_of(residual_model(2), tmp_path / "model", pipeline_sha256="ab" * 32)
    with pytest.raises(ModelError, match=r"pipeline abababab.*train it anew"):
        model.export(folder, tmp_path / "out")


def test_export_refuses_a_file_that_is_not_the_one_described(tmp_path: Path) -> None:
    folder = folder_of(residual_model(2), tmp_path / "model", sha256="0" * 64)
    with pytest.raises(ModelError, match="not the file that its model"):
        model.export(folder, tmp_path / "out")


@pytest.mark.parametrize("broken", ["", "[]", "{}", '{"name": 3}'])
def test_export_refuses_a_broken_description(broken: str, tmp_path: Path) -> None:
    folder = folder_of(residual_model(2), tmp_path / "model")
    (folder / "model.json").write_text(broken)
    with pytest.raises(ModelError, match=r"model\.json"):
        model.export(folder, tmp_path / "out")


def test_export_of_nothing(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match=r"model\.tflite is missing"):
        model.export(tmp_path, tmp_path / "out")


def test_export_to_where_it_cannot_write(tmp_path: Path) -> None:
    folder = folder_of(residual_model(2), tmp_path / "model")
    (tmp_path / "out").write_text("a file is in the way")
    with pytest.raises(ModelError, match="cannot write the engine"):
        model.export(folder, tmp_path / "out")


def test_firmware_does_not_compile_with_a_model_for_another_pipeline(tmp_path: Path) -> None:
    graph = lower(reader.parse(residual_model(2)))
    signal, features = sorted(graph.inputs, key=lambda t: t.length == 1)
    for name, text in emit(graph, plan(graph), Description("m", "0" * 64, "ab" * 32)).items():
        (tmp_path / name).write_text(text)
    shapes = (
        f"#define EIN_WINDOW_SAMPLES {signal.length}\n#define EIN_CHANNELS {signal.channels}\n"
        f"#define EIN_FEATURES {features.size}\n"
    )

    def compiled(pipeline_header: str) -> str:
        (tmp_path / "ein_pipeline.h").write_text(pipeline_header)
        done = subprocess.run(
            ["gcc", "-std=c99", "-fsyntax-only", f"-I{tmp_path}", f"-I{ENGINE}", "ein_model.c"],
            cwd=tmp_path, capture_output=True, text=True, check=False,
        )  # fmt: skip
        return done.stderr

    assert compiled(f"#define EIN_PIPELINE_HASH32 0xababababu\n{shapes}") == ""
    assert "another pipeline" in compiled(f"#define EIN_PIPELINE_HASH32 0xababacabu\n{shapes}")
    other = shapes.replace("EIN_FEATURES ", "EIN_FEATURES 1")
    assert "other shapes" in compiled(f"#define EIN_PIPELINE_HASH32 0xababababu\n{other}")


@pytest.mark.records
@pytest.mark.parametrize("record", ["200", "213", "232"])
def test_real_beats_agree_with_tflm(record: str, mitdb: Path) -> None:
    """Every third beat of three difficult records of DS2; a replay checks all of them."""
    board = to_board(read_record(mitdb, record), 180, 200, 12)
    beats = core.analyze(board)
    signal, features = beats.signal[::3], beats.features[::3]
    assert len(signal) > 500
    ours, theirs = HostModel().infer(signal, features), TflmModel().infer(signal, features)
    np.testing.assert_array_equal(ours, theirs)
    assert len(np.unique(ours.argmax(axis=1))) >= 2
