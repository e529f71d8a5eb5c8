"""Patient heads: the generated C, TFLite Micro on the replaced file, and what is refused."""

import json
import struct
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from einthoven.codegen import model
from einthoven.codegen.engine import reader
from einthoven.codegen.engine.emit import Description, emit
from einthoven.codegen.engine.lower import lower
from einthoven.codegen.engine.planner import plan
from einthoven.codegen.head import Head, Layer, own_head, pack, replaced, units
from einthoven.codegen.testing.random_models import noise, residual_model
from einthoven.errors import ModelError
from einthoven.native.engine import HostModel
from einthoven.native.tflm import run_tflm
from einthoven.paths import SHIPPED_MODEL


@pytest.fixture(scope="module")
def shipped() -> model.ModelFolder:
    return model.load(SHIPPED_MODEL)


def random_head(shipped: model.ModelFolder, seed: int, spread: int = 128) -> Head:
    """Weights anywhere in int8, biases of the same size as the model's and more."""
    rng = np.random.default_rng(seed)
    layers = []
    for own, unit in zip(own_head(shipped).layers, units(shipped), strict=True):
        weights = rng.integers(-spread, spread, own.weights.shape).astype(np.int8)
        bias = rng.integers(-40000, 40000, own.bias.shape).astype(np.int32)
        weights[unit.dead], bias[unit.dead] = own.weights[unit.dead], own.bias[unit.dead]
        layers.append(Layer(weights, bias))
    return Head(shipped.sha256, tuple(layers))


def inputs_of(shipped: model.ModelFolder, n: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    signal, features = sorted(shipped.graph.inputs, key=lambda t: t.length == 1)
    return noise((signal.length, signal.channels), n, seed), noise((features.size,), n, seed + 1)


SMALL = ("-DEIN_NN_PORTABLE", "-DEIN_NN_SMALL")


@pytest.mark.parametrize("flags", [(), SMALL], ids=["usual", "small"])
@pytest.mark.parametrize("seed", range(6))
def test_a_head_is_the_file_with_its_parameters(
    shipped: model.ModelFolder, seed: int, flags: tuple[str, ...]
) -> None:
    """Host engine with a head = TFLite Micro on the `.tflite` that has the head's layers."""
    head = random_head(shipped, seed, spread=128 if seed % 2 else 30)
    signal, features = inputs_of(shipped, 40, seed)
    host = HostModel(flags=flags)
    embedding = host.embed(signal, features)
    ours = host.head(embedding, pack(shipped, head))
    by_name = {"signal": signal, "features": features}
    order = [by_name["signal" if t.length > 1 else "features"] for t in shipped.graph.inputs]
    theirs = run_tflm(replaced(shipped, head), order, 1)[0]
    np.testing.assert_array_equal(ours, theirs)
    assert (ours != host.infer(signal, features)).any()


def test_the_models_own_head_changes_nothing(shipped: model.ModelFolder) -> None:
    own = own_head(shipped)
    signal, features = inputs_of(shipped, 40, 9)
    host = HostModel()
    embedding = host.embed(signal, features)
    expected = host.infer(signal, features)
    np.testing.assert_array_equal(host.head(embedding), expected)
    np.testing.assert_array_equal(host.head(embedding, pack(shipped, own)), expected)
    assert replaced(shipped, own) == shipped.tflite


def test_only_the_heads_parameters_are_replaced(shipped: model.ModelFolder) -> None:
    head = random_head(shipped, 1)
    before = reader.parse(shipped.tflite)
    after = reader.parse(replaced(shipped, head))
    changed = {
        new.name for old, new in zip(before.tensors, after.tensors, strict=True) if old != new
    }
    assert len(changed) == 2 * len(head.layers)
    assert before.ops == after.ops
    again = own_head(replace(shipped, tflite=replaced(shipped, head)))
    for one, other in zip(again.layers, head.layers, strict=True):
        np.testing.assert_array_equal(one.weights, other.weights)
        np.testing.assert_array_equal(one.bias, other.bias)


def scales_at(shipped: model.ModelFolder) -> int:
    """Where in a head the first layer's scales lie: behind its weights."""
    first = shipped.graph.head[0]
    return -(-len(first.bias) // 2) * 2 * (-(-int(first.weights[0].size) // 8) * 8)


@pytest.mark.parametrize("field", ["multiplier", "left", "right", "bias"])
def test_parameters_that_could_overflow_do_not_fit(shipped: model.ModelFolder, field: str) -> None:
    """What `ein_model_head_fits` refuses, a board never runs."""
    packed = bytearray(pack(shipped, own_head(shipped)))
    at = scales_at(shipped)
    at += {"bias": 3, "multiplier": 5, "left": 8, "right": 9}[field]
    packed[at] ^= 0x40
    host = HostModel()
    embedding = np.zeros((1, int(host.macros["EIN_MODEL_EMBEDDING"])), np.int8)
    with pytest.raises(ModelError, match="not one of the model's"):
        host.head(embedding, bytes(packed))
    with pytest.raises(ModelError, match="not one of the model's"):
        host.head(embedding, bytes(packed[:-4]))


def test_a_bias_that_small_kernels_do_not_keep_does_not_fit(shipped: model.ModelFolder) -> None:
    packed, host = bytearray(pack(shipped, own_head(shipped))), HostModel(flags=SMALL)
    embedding = np.zeros((1, int(host.macros["EIN_MODEL_EMBEDDING"])), np.int8)
    at = scales_at(shipped)
    for most in (2**23 - 1, 1 - 2**23):
        struct.pack_into("<i", packed, at, most)
        host.head(embedding, bytes(packed))
        struct.pack_into("<i", packed, at, most + (1 if most > 0 else -1))
        HostModel().head(embedding, bytes(packed))
        with pytest.raises(ModelError, match="not one of the model's"):
            host.head(embedding, bytes(packed))


def test_what_does_not_fit_the_model_is_refused(shipped: model.ModelFolder) -> None:
    own = own_head(shipped)
    last = own.layers[-1]
    for head, message in (
        (replace(own, model_sha256="0" * 64), "made for model 000000000000"),
        (replace(own, layers=own.layers[:-1]), "other shapes"),
        (
            replace(own, layers=(*own.layers[:-1], Layer(last.weights[:, :-1], last.bias))),
            "other shapes",
        ),
        (
            replace(own, layers=(*own.layers[:-1], Layer(last.weights, last.bias + (1 << 30)))),
            "overflow",
        ),
    ):
        with pytest.raises(ModelError, match=message):
            pack(shipped, head)
        with pytest.raises(ModelError, match=message):
            replaced(shipped, head)


def test_a_head_is_read_as_it_was_written(shipped: model.ModelFolder, tmp_path: Path) -> None:
    head = replace(random_head(shipped, 2), about={"record": "100"})
    head.write(tmp_path / "new folder" / "head.json")
    again = Head.read(tmp_path / "new folder" / "head.json")
    assert again.about == {"record": "100"}
    assert pack(shipped, again) == pack(shipped, head)
    with pytest.raises(ModelError, match="cannot write the head"):
        head.write(tmp_path / "new folder" / "head.json" / "head.json")


@pytest.mark.parametrize(
    "change",
    [
        lambda t: t.pop("layers"),
        lambda t: t.update(schema="einthoven-head/9"),
        lambda t: t["layers"][0].update(bias=[2**40]),
        lambda t: t["layers"][0].update(weights=[[0.5]]),
        lambda t: t["layers"][0].update(weights=[[1], [2, 3]]),
        lambda t: t["layers"][0].update(weights=[[200]]),
        lambda t: t.update(about=3),
    ],
)
def test_a_broken_file_is_named(shipped: model.ModelFolder, change: object, tmp_path: Path) -> None:
    path = tmp_path / "head.json"
    own_head(shipped).write(path)
    table = json.loads(path.read_text())
    change(table)  # type: ignore[operator]
    path.write_text(json.dumps(table))
    with pytest.raises(ModelError, match=r"head\.json is no patient head"):
        Head.read(path)
    path.write_text(path.read_text()[:-30])
    with pytest.raises(ModelError, match=r"head\.json is no patient head"):
        Head.read(path)
    with pytest.raises(ModelError, match="cannot be read"):
        Head.read(tmp_path / "nothing.json")


def test_which_layers_a_head_replaces() -> None:
    """The dense layers at the end, whatever the graph; none where it ends otherwise."""
    sizes = set()
    for seed in range(20):
        graph = lower(reader.parse(residual_model(seed)))
        head = graph.head
        sizes.add(len(head))
        text = emit(graph, plan(graph), Description("m", "0" * 64))
        assert ("ein_model_head_fits" in text["ein_model.c"]) == bool(head)
        assert tuple(graph.ops[len(graph.ops) - len(head) :]) == head
        for op in head:
            assert op.output.length == 1
    assert len(sizes) > 1
