"""Records without a board: what a line says, what is written, and what befalls bad ones."""

import json
import tracemalloc
from collections.abc import Callable
from pathlib import Path

import edfio
import numpy as np
import pytest
from msgspec import UNSET

from einthoven.analysis.record import Task, analyze
from einthoven.analysis.run import LINES, analyze_all, tasks
from einthoven.errors import RecordError, UsageError
from einthoven.records.annotations import read_annotations
from einthoven.records.record import NOTHING_KNOWN, Known
from einthoven.records.synth import Episode, make_record
from einthoven.report.schema import to_builtins
from einthoven.scoring.score import score_files


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two half-minute strips, a longer record in fibrillation, and a file that is no record."""
    path = tmp_path_factory.mktemp("records")
    make_record(1, 30.0, 300.0).write(path, "s1")
    make_record(2, 30.0, 300.0, episodes=(Episode("noisy", 1, 30),)).write(path, "s2")
    make_record(3, 300.0, 360.0, episodes=(Episode("af", 20, 290),)).write(path, "long")
    (path / "torn.hea").write_text("torn 1 360 1000\ntorn.dat 16 200 12 0 0 0 0 II\n")
    (path / "torn.dat").write_bytes(b"\0" * 100)
    return path


def test_a_line_says_what_the_device_says(folder: Path, tmp_path: Path) -> None:
    line = analyze(Task(folder, "long", out=tmp_path))
    assert line.seconds == 300.0
    assert line.af_burden > 0.7
    assert line.rhythm["atrial fibrillation"].seconds == pytest.approx(
        300 * line.af_burden, abs=0.1
    )
    assert line.rate_bpm is not None
    assert 40 < line.rate_bpm < 150
    written = read_annotations(tmp_path, "long", "ein")
    assert sum(s in "NSVFQ" for s in written.symbols.tolist()) == sum(line.beats.values())
    (scored,) = score_files(folder / "long.atr", tmp_path / "long.ein")
    assert scored.protocols["whole"].to_dict()["qrs"]["f1"] > 0.99


def test_scores_are_those_of_the_written_annotations(folder: Path, tmp_path: Path) -> None:
    line = analyze(Task(folder, "long", out=tmp_path, score=True))
    assert line.protocols is not UNSET
    (scored,) = score_files(folder / "long.atr", tmp_path / "long.ein")
    for name in ("ec57", "whole"):
        expected = scored.protocols[name].to_dict()["qrs"]
        assert to_builtins(getattr(line.protocols, name).qrs) == expected
    (tmp_path / "bare").mkdir()
    make_record(1, 10.0, 300.0).write(tmp_path / "bare", "s")
    (tmp_path / "bare" / "s.atr").unlink()
    assert analyze(Task(tmp_path / "bare", "s", score=True)).protocols is UNSET


def test_a_strip_has_a_verdict_and_a_long_record_has_none(folder: Path) -> None:
    strip = analyze(Task(folder, "s1"))
    assert strip.verdict is not UNSET
    assert strip.verdict.verdict in "NAO~"
    assert strip.verdict.differs is False
    assert sum(strip.beats.values()) > 20
    assert analyze(Task(folder, "long")).verdict is UNSET


def test_memory_does_not_grow_with_the_record(folder: Path, tmp_path: Path) -> None:
    """But by what is found: of four hours no more than of one, though they have 16 MB more."""
    plain = (folder / "long.dat").read_bytes()
    peaks = []
    for name, times in (("hour", 12), ("hours", 48)):
        (tmp_path / f"{name}.dat").write_bytes(plain * times)
        rows = (folder / "long.hea").read_text().splitlines()
        fields = rows[1].split()
        fields[0], fields[6] = f"{name}.dat", "0"
        header = f"{name} 1 360 {108_000 * times}\n{' '.join(fields)}\n"
        (tmp_path / f"{name}.hea").write_text(header)
        analyze(Task(tmp_path, name, out=tmp_path))  # what is loaded once, is
        tracemalloc.start()
        line = analyze(Task(tmp_path, name, out=tmp_path))
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
        assert line.seconds == 300.0 * times
    assert peaks[1] - peaks[0] < 8e6 < 4 * 108_000 * (48 - 12)


@pytest.mark.parametrize("processes", [1, 2])
def test_lines_come_in_order_and_a_bad_record_costs_no_other(
    folder: Path, tmp_path: Path, processes: int, capsys: pytest.CaptureFixture[str]
) -> None:
    said: list[str] = []
    todo = tasks(folder, "all", None, NOTHING_KNOWN, tmp_path / "out")
    bad = analyze_all(todo, processes, None, tmp_path / "out", said.append)
    assert [json.loads(line)["record"] for line in said] == ["long", "s1", "s2"]
    assert list(bad) == ["torn"]
    assert "not analyzed: " in capsys.readouterr().err
    assert (tmp_path / "out" / LINES).read_text() == "".join(f"{line}\n" for line in said)
    assert sorted(p.suffix for p in (tmp_path / "out").iterdir()) == [".ein"] * 3 + [".jsonl"]
    with pytest.raises(UsageError, match="is there already"):
        analyze_all(todo, 1, None, tmp_path / "out", said.append)


def test_a_bad_record_is_told_once(
    folder: Path, einthoven: Callable[..., int], capfd: pytest.CaptureFixture[str]
) -> None:
    assert einthoven("analyze", folder / "torn") == 2
    out, err = capfd.readouterr()
    assert (out, err.count("\n"), err.count("record torn")) == ("", 1, 1)
    assert einthoven("analyze", folder) == 2
    out, err = capfd.readouterr()
    assert (out.count("\n"), err.count("record torn")) == (3, 1)
    assert err.endswith("error: 1 of 4 records was not analyzed: see above\n")


@pytest.mark.parametrize("suffix", [".edf", ".EDF", ".Edf", ".bdf", ".csv", ""])
def test_a_file_of_another_kind_is_analyzed(suffix: str, tmp_path: Path) -> None:
    """As its own name says, with a dot in it or not; and never another file of that name."""
    millivolts = make_record(3, 20.0, 250.0).samples / 200.0
    path = tmp_path / f"holter.2{suffix or '.csv'}"
    if path.suffix == ".csv":
        np.savetxt(path, millivolts, header="ecg_mV", comments="", fmt="%.4f")
    else:
        kind = "Bdf" if suffix == ".bdf" else "Edf"
        about = {"label": "II", "physical_dimension": "mV", "physical_range": (-10.0, 10.0)}
        signal = getattr(edfio, f"{kind}Signal")(millivolts, 250.0, **about)
        getattr(edfio, kind)([signal]).write(path)
    known = Known(csv_rate_hz=250.0)
    (task,) = tasks(tmp_path / f"holter.2{suffix}", "all", None, known, tmp_path / "out")
    assert sum(analyze(task).beats.values()) > 15
    assert (tmp_path / "out" / "holter.2.ein").is_file()
    (tmp_path / "holter.2.hea").touch()
    if suffix:
        with pytest.raises(RecordError, match="rename one"):
            tasks(tmp_path / f"holter.2{suffix}", "all", None, known, None)


def test_a_record_of_a_database_by_its_name(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("EINTHOVEN_DATA", str(folder.parent))
    monkeypatch.chdir(tmp_path)
    for what in (f"{folder.name}/s1", f"{folder.name}/s1.hea"):
        (task,) = tasks(Path(what), "all", None, NOTHING_KNOWN, None)
        assert (task.folder, task.name) == (folder.resolve(), "s1")
    for what in (f"{folder.name}/s9", "other/s1"):
        with pytest.raises(UsageError, match="no record, folder or database"):
            tasks(Path(what), "all", None, NOTHING_KNOWN, None)


def test_what_may_be_named(folder: Path, tmp_path: Path) -> None:
    def names(what: Path) -> list[str]:
        return [t.name for t in tasks(what, "all", None, NOTHING_KNOWN, None)]

    assert names(folder / "s1") == names(folder / "s1.hea") == names(folder / "s1.dat") == ["s1"]
    assert names(folder) == ["long", "s1", "s2", "torn"]
    with pytest.raises(UsageError, match="no record, folder or database"):
        names(tmp_path / "nowhere")
    for other in ("s1.atr", "S1.HEA", "notes.txt"):
        (tmp_path / other).touch()
        with pytest.raises(UsageError, match=f"{other} is no recording: name a header"):
            names(tmp_path / other)
    with pytest.raises(RecordError):
        analyze(Task(folder, "torn"))
    assert np.isfinite(analyze(Task(folder, "s2")).af_burden)
