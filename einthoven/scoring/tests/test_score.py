"""Scoring of files and folders, and intervals over records."""

import json
from pathlib import Path

import numpy as np
import pytest

from einthoven.errors import RecordError, UsageError
from einthoven.records.annotations import write_annotations
from einthoven.records.synth import make_record
from einthoven.scoring.comparison import Rate
from einthoven.scoring.score import (
    bootstrap_f1,
    learning_note,
    score_files,
    score_folders,
    start_times,
    text_report,
    to_dict,
)
from einthoven.scoring.text import beat_table, run_table


@pytest.fixture(scope="module")
def folders(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """Two records with reference annotations, and a test that calls every beat N, at 180 Hz."""
    reference, test = tmp_path_factory.mktemp("ref"), tmp_path_factory.mktemp("out")
    for seed, (name, seconds) in enumerate({"long": 400.0, "short": 60.0}.items()):
        record = make_record(seed, seconds)
        record.write(reference, name)
        beats = [s.isalpha() for s in record.annotations.symbols.tolist()]
        times = record.annotations.samples[beats] // 2
        write_annotations(test, name, "ein", times, ["N"] * len(times), 180.0)
    return reference, test


def test_folders_and_files_agree(folders: tuple[Path, Path]) -> None:
    reference, test = folders
    scores = score_folders(reference, test)
    assert [s.record for s in scores] == ["long", "short"]
    alone = score_files(reference / "long.atr", test / "long.ein")
    assert to_dict(alone)["whole"]["records"] == to_dict(scores)["whole"]["records"][:1]
    assert [s.record for s in score_folders(reference, test, selection="short")] == ["short"]


def test_both_protocols_with_what_was_scored(folders: tuple[Path, Path]) -> None:
    scores = score_folders(*folders)
    result = json.loads(json.dumps(to_dict(scores)))
    assert set(result) == {"ec57", "whole"}
    for protocol in result.values():
        assert protocol["gross"]["qrs"]["se"] == 1.0
        assert [r["record"] for r in protocol["records"]] == ["long", "short"]
    # A record that ends before the learning period does is scored whole.
    assert [r["start_s"] for r in result["ec57"]["records"]] == [300.0, 0.0]
    found = [result[p]["records"][0]["qrs"]["tp"] for p in ("ec57", "whole")]
    assert found[0] < found[1]
    text = text_report(scores)
    assert "shorter and scored whole: short" in text
    assert text.count("Summary of results from 2 records") == 4


def test_what_is_not_scored_is_said_once_and_right() -> None:
    assert learning_note({"a": 300.0}) == learning_note({}) == "first 5 minutes not scored"
    mixed = learning_note({"a": 300.0, "b": 0.0})
    assert mixed == "first 5 minutes not scored; shorter and scored whole: b"
    short = learning_note({"a": 0.0, "b": 0.0})
    assert short == "scored whole: no record is longer than the 5 minutes that it leaves out"
    many = learning_note({"long": 300.0} | {f"r{i}": 0.0 for i in range(10_000)})
    assert many.endswith("r18, r19 and 9980 more")


@pytest.mark.parametrize(
    ("seconds", "start_s"), [(299.0, 0.0), (300.0, 0.0), (300.1, 300.0), (None, 300.0)]
)
def test_a_record_that_is_not_longer_is_scored_whole(seconds: float | None, start_s: float) -> None:
    end = None if seconds is None else round(seconds * 360)
    assert start_times(360.0, end) == {"ec57": start_s, "whole": 0.0}


def test_columns_stand_below_each_other_whatever_a_record_is_called(
    folders: tuple[Path, Path],
) -> None:
    """A longer name makes its own column wider, in all lines, and moves the others together."""
    (one, two) = score_folders(*folders)
    long = "a_record_with_a_long_name"
    more = len(long) - 4
    made = []
    for name in ("y", long):
        beats = [("x", one.protocols["whole"]), (name, two.protocols["whole"])]
        runs = [("x", one.ventricular_runs), (name, two.ventricular_runs)]
        made.append([beat_table(beats).splitlines()[:7], run_table(runs).splitlines()[:7]])
    for usual, wide in zip(*made, strict=True):
        assert wide[0] == usual[0].replace("Record", "Record" + " " * more)
        assert [line[len(long) :] for line in wide[1:3]] == [line[4:] for line in usual[1:3]]
        assert wide[3] == usual[3] + "_" * more
        for line, other in zip(wide[4:], usual[4:], strict=True):
            assert line[12 + more :] == other[12:] and len(line) == len(other) + more


def test_headers_are_not_needed_where_the_file_has_its_rate(
    folders: tuple[Path, Path], tmp_path: Path
) -> None:
    _, test = folders
    (tmp_path / "long.ein").write_bytes((test / "long.ein").read_bytes())
    (score,) = score_files(tmp_path / "long.ein", test / "long.ein")
    assert score.protocols["whole"].qrs.f1 == 1.0
    assert score.protocols["whole"].rate_hz == 180.0


def test_what_is_missing_is_named(folders: tuple[Path, Path], tmp_path: Path) -> None:
    reference, test = folders
    with pytest.raises(RecordError, match="--annotator"):
        score_folders(reference, test, "xyz")
    with pytest.raises(RecordError, match=r"no annotations long\.xyz"):
        score_folders(reference, test, "ein", "xyz")
    with pytest.raises(UsageError, match="annotator"):
        score_files(reference / "long", test / "long.ein")
    write_annotations(tmp_path, "long", "ein", [], [], 360.0)  # an empty file has no rate
    with pytest.raises(RecordError, match="rate of long is unknown"):
        score_files(tmp_path / "long.ein", tmp_path / "long.ein")


def test_a_broken_header_is_one_line(folders: tuple[Path, Path], tmp_path: Path) -> None:
    reference, _ = folders
    (tmp_path / "long.atr").write_bytes((reference / "long.atr").read_bytes())
    (tmp_path / "long.hea").write_text("what is this\n")
    with pytest.raises(RecordError, match="not a WFDB header"):
        score_files(tmp_path / "long.atr", reference / "long.atr")


def test_interval_is_seeded_and_holds_the_gross_value() -> None:
    rates = [Rate(90, 10, 5), Rate(40, 20, 10), Rate(5, 5, 0), Rate(700, 10, 30)]
    low, high = bootstrap_f1(rates, n=2000, seed=1)
    assert (low, high) == bootstrap_f1(rates, n=2000, seed=1)
    assert low < 2 * 835 / (2 * 835 + 45 + 45) < high
    # One record says nothing about others: its interval has no width.
    assert bootstrap_f1(rates[:1]) == (rates[0].f1, rates[0].f1)


def test_interval_needs_something_to_find() -> None:
    for rates in ([], [Rate(0, 0, 0)]):
        with pytest.raises(UsageError):
            bootstrap_f1(rates)


# Annotations with a time resolution of their own


def at_resolution(folder: Path, annotator: str, rate_hz: float, times_s: list[float]) -> Path:
    times = np.rint(np.array(times_s) * rate_hz).astype(np.int64)
    return write_annotations(folder, "r", annotator, times, ["N"] * len(times), rate_hz)


@pytest.mark.parametrize("reference_hz", [1000.0, 360.0, 90.0])
@pytest.mark.parametrize("test_hz", [1000.0, 250.0])
def test_the_test_is_rescaled_to_the_reference(
    tmp_path: Path, reference_hz: float, test_hz: float
) -> None:
    (tmp_path / "r.hea").write_text("r 0 360 216000\n")
    beats = [0.5 + 0.8 * i for i in range(700)]
    reference = at_resolution(tmp_path, "atr", reference_hz, beats)
    late = at_resolution(tmp_path, "tst", test_hz, [t + 0.1 for t in beats])
    far = at_resolution(tmp_path, "far", test_hz, [t + 0.2 for t in beats])
    (found,) = score_files(reference, late)
    assert found.protocols["whole"].rate_hz == reference_hz
    assert (found.protocols["whole"].qrs.tp, found.protocols["whole"].qrs.fn) == (700, 0)
    assert found.protocols["ec57"].qrs.tp == sum(t >= 300 for t in beats)
    assert score_files(reference, far)[0].protocols["whole"].qrs.tp == 0


def test_an_aha_file_is_refused_by_name(tmp_path: Path) -> None:
    (tmp_path / "r.hea").write_text("r 0 250 25000\n")
    rows = [(b"N", 1000, 1), (b"V", 1800, 2), (b"N", 2600, 3)]
    data = b"".join(
        b"\0" + code + (ms >> 16).to_bytes(2, "little") + (ms & 0xFFFF).to_bytes(2, "little")
        + serial.to_bytes(2, "little") + bytes(8)
        for code, ms, serial in rows
    )  # fmt: skip
    (tmp_path / "r.atr").write_bytes(data + b"\0\0")
    at_resolution(tmp_path, "tst", 250.0, [1.0])
    with pytest.raises(RecordError, match="AHA"):
        score_files(tmp_path / "r.atr", tmp_path / "r.tst")
