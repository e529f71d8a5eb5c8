"""CardiacNet's windows: counts and labels against the annotations, the filter, both splits."""

from pathlib import Path

import numpy as np
import pytest
import wfdb

from einthoven.errors import RecordError
from einthoven.records.annotations import write_annotations
from einthoven.training.studies.cardiacnet import windows as cw


def windows(n: int = 600, records: tuple[str, ...] = ("100", "201", "202")) -> cw.Windows:
    """Made-up windows, a third of them abnormal, three seconds apart."""
    rng = np.random.default_rng(5)
    count = n * len(records)
    return cw.Windows(
        signal=rng.normal(0, 0.1, (count, cw.SAMPLES)).astype(np.float32),
        label=(np.arange(count) % 3 == 0).astype(np.int8),
        second=np.tile(np.arange(n) * 3, len(records)),
        record=np.repeat(records, n),
    )


def write_record(folder: Path, rate_hz: int = 360) -> None:
    """Seven seconds of a 10-Hz tone and a step, with a beat of every kind of label."""
    t = np.arange(7 * rate_hz) / rate_hz
    signal = 0.5 * np.sin(2 * np.pi * 10 * t) + 3.0
    wfdb.wrsamp(
        "1", rate_hz, ["mV"], ["MLII"], signal[:, np.newaxis], fmt=["16"], write_dir=str(folder)
    )
    # Window: 0 normal; 1 both; 2 rhythm change only; 3 unclassified only; 4 no annotation;
    # 5 unclassified and normal; 6 abnormal on its last sample.
    at = [10, 370, 400, 730, 1090, 1810, 1900, 2519]
    write_annotations(folder, "1", "atr", at, list("NNV+QNQJ"), rate_hz)


def test_a_window_is_labelled_by_its_beats(tmp_path: Path) -> None:
    write_record(tmp_path)
    found = cw.load(tmp_path, ("1",))
    assert found.second.tolist() == [0, 1, 5, 6]
    assert found.label.tolist() == [0, 1, 0, 1]
    # A tone inside the band comes through whole: half its range of [0, 1]; the offset does not.
    assert np.abs(found.signal[1:3]).max() == pytest.approx(0.5, abs=0.03)
    assert abs(found.signal[1:3].mean()) < 0.01


def test_a_record_of_another_rate_is_refused(tmp_path: Path) -> None:
    write_record(tmp_path, 250)
    with pytest.raises(RecordError, match="360 Hz"):
        cw.load(tmp_path, ("1",))


def test_the_random_split_is_stratified_and_does_not_depend_on_what_else_is_loaded() -> None:
    some = windows()
    role = cw.split_random(some, seed=1)
    for name in ("100", "201"):
        for label in (0, 1):
            roles = role[(some.record == name) & (some.label == label)]
            n = len(roles)
            test, validation = round(n / 5), round((n - round(n / 5)) / 5)
            assert np.bincount(roles).tolist() == [n - test - validation, validation, test]
    alone = some.where(some.record == "201")
    assert np.array_equal(cw.split_random(alone, 1), role[some.record == "201"])
    assert not np.array_equal(cw.split_random(some, 2), role)


def test_the_chronological_split_tests_on_the_last_six_minutes() -> None:
    some = windows()
    role = cw.split_chronological(some, seed=1)
    assert some.second[role == cw.TEST].min() == 24 * 60
    assert some.second[role != cw.TEST].max() == 24 * 60 - 3
    assert np.mean(role[some.second < 24 * 60] == cw.VALIDATION) == pytest.approx(0.2, abs=0.01)


def test_201_and_202_are_one_patient() -> None:
    assert np.unique(windows().patient).tolist() == ["100", "201"]


@pytest.mark.records
def test_counts_of_the_study(mitdb: Path) -> None:
    """The study's 49,245 windows are ours without record 222, and two that have a J only."""
    found = cw.load(mitdb)
    assert len(found) == 51_021
    assert int(found.label.sum()) == 15_131
    assert len(found) - int(np.sum(found.record == "222")) == 49_245 + 2
    for name in cw.RECORDS:  # by which the study chose its records
        assert 0.009 <= found.label[found.record == name].mean() <= 0.991
