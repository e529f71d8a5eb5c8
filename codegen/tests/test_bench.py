"""The bench: model R is what it says, costs what the docs say at most, and equals TFLite Micro."""

from pathlib import Path

import numpy as np
import pytest

from einthoven.codegen.engine import reader
from einthoven.codegen.engine.lower import lower
from einthoven.codegen.testing import bare_target, bench
from einthoven.codegen.testing.model_r import model_r
from einthoven.codegen.testing.random_models import noise
from einthoven.native.tflm import run_tflm


def test_model_r() -> None:
    data = model_r()
    graph = lower(reader.parse(data))
    assert (graph.params, graph.macs) == (35_861, 2_807_968)
    assert data == model_r(), "not the same file twice"
    outputs = run_tflm(data, [noise((256, 1), bench.VECTORS, 0)], 1)[0]
    assert len(np.unique(outputs, axis=0)) == bench.VECTORS, "equal outputs prove nothing"


def test_bench_prints_every_engine(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bench, "VECTORS", 4)
    for slow in ("einthoven-m3-plain", "einthoven-m0-plain", "einthoven-rv32-plain"):
        monkeypatch.delitem(bench.ENGINES, slow)
    assert bench.bench("model R", model_r(), tmp_path / "r") == 0
    rows = {line.split()[0]: line.split() for line in capsys.readouterr().out.splitlines()[4:]}
    assert set(rows) == set(bench.ENGINES)
    for name, most in (
        ("einthoven", 0.82), ("einthoven-portable", 3.15), ("einthoven-rv32", 2.5),
        ("einthoven-m3", 2.0), ("einthoven-m0", 4.0),
        ("einthoven-helium", 0.26), ("einthoven-m55-dsp", 0.82),
    ):  # fmt: skip
        assert float(rows[name][3]) <= most
        assert rows[name][-1] == "0"
        assert (tmp_path / "r" / name / "bare.elf").exists()
        assert (tmp_path / "r" / name / "bare.map").exists()
    size = bench.size_of(tmp_path / "r" / "einthoven" / "bare.elf")
    assert 2_000 < size.code < 8_192
    assert size.constants > 35_861  # at least the parameters


def test_cycles_of_the_builds(tmp_path: Path) -> None:
    """In a table of their own, more than instructions, and more from flash with wait states."""
    graph = lower(reader.parse(bench.MODELS["dense"]()))
    inputs = [noise((t.length, t.channels), 4, i) for i, t in enumerate(graph.inputs)]
    result = bare_target.run(graph, inputs, "m4", tmp_path / "einthoven")
    title, row = bench.cycles_table(tmp_path, graph.macs).splitlines()
    assert title.startswith("cycles (model), Cortex-M4")
    name, core, per_mac, flash, _, in_ram, _ = row.replace(",", "").split()
    assert name == "einthoven"
    assert result.instructions[0] < int(core) < int(in_ram) < int(flash)
    assert float(per_mac) == pytest.approx(int(core) / graph.macs, abs=0.01)


def test_a_depthwise_layer_is_no_slower_than_the_docs_say(tmp_path: Path) -> None:
    """5 instructions a multiply-add on the Cortex-M4; exactness is the cross-check's."""
    for name in ("depthwise 3", "depthwise 5"):
        graph = lower(reader.parse(bench.MODELS[name]()))
        inputs = [noise((graph.inputs[0].length, graph.inputs[0].channels), 4, 0)]
        result = bare_target.run(graph, inputs, "m4", tmp_path / name)
        assert max(result.instructions) <= 5 * graph.macs


def test_rows_by_name_and_what_others_measured(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A model too large for the small chip's flash runs the M0+'s code on the chip beside it."""
    monkeypatch.setattr(bench, "VECTORS", 4)
    assert bench.main(["ad01", "--engine", "einthoven-m0", "--out", str(tmp_path)]) == 0
    printed = capsys.readouterr().out
    rows = [line.split() for line in printed.splitlines() if line.startswith("einthoven")]
    assert [row[:2] for row in rows] == [["einthoven-m0", "Cortex-M0+"]]
    assert float(rows[0][3]) <= 8.1
    assert rows[0][-1] == "0"
    assert "246.8 a second" in printed


def test_a_model_that_is_not_there(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as stopped:
        bench.main(["nowhere.tflite"])
    assert stopped.value.code == 2
    assert "no file 'nowhere.tflite'" in capsys.readouterr().err.splitlines()[-1]
