"""Counting right and wrong beats by their confidence."""

import numpy as np
import pytest

from einthoven.records.annotations import Annotations
from einthoven.scoring.comparison import compare
from einthoven.scoring.reliability import count, coverage, from_rows, judge, rows, summary


def test_judged_are_all_scored_detections() -> None:
    reference = Annotations.of([100, 400, 700, 1000, 1300], list("NVeN+"), 360.0)
    labels = ["N", "N", "N", "S", "V"]
    test = Annotations.of([102, 398, 705, 850, 1100], labels, 360.0)
    found, wrong = judge(compare(reference, test, 360.0, 2000, 0.0), reference, labels)
    assert found.tolist() == [0, 1, 2, 3, 4]
    assert wrong.tolist() == [False, True, False, True, True]  # N; V as N; e is N; no beat there


def test_beats_in_flutter_are_not_judged() -> None:
    reference = Annotations.of([100, 300, 600, 900], list("N[]N"), 360.0)
    test = Annotations.of([100, 450, 900], list("NVN"), 360.0)
    found, wrong = judge(compare(reference, test, 360.0, 2000, 0.0), reference, list("NVN"))
    assert found.tolist() == [0, 2] and not wrong.any()


def test_counts_add_up_over_records() -> None:
    rng = np.random.default_rng(1)
    tables = [
        count(
            rng.integers(51, 256, 200).astype(np.uint8), rng.random(200) < 0.1, rng.random(200) < p
        )
        for p in (0.02, 0.3)
    ]
    both = from_rows([*rows(tables[0]), *rows(tables[1])])
    assert np.array_equal(both, tables[0] + tables[1])
    table = summary(both)
    assert table["sure"]["beats"] + table["unsure"]["beats"] == 400
    assert sum(b["beats"] for b in table["bins"]) == 400
    wrong = table["sure"]["wrong"] + table["unsure"]["wrong"]
    assert table["error_all"] == wrong / 400
    right = sum(b["right"] * b["beats"] for b in table["bins"])
    assert right == pytest.approx(400 - wrong)


def test_a_calibrated_confidence_has_no_calibration_error() -> None:
    rng = np.random.default_rng(2)
    confidence = rng.integers(51, 256, 200_000).astype(np.uint8)
    wrong = rng.random(200_000) >= confidence / 255
    table = summary(count(confidence, np.zeros(200_000), wrong))
    assert table["calibration_error"] < 0.01
    assert table["claimed"] == pytest.approx(1 - table["error_all"], abs=0.005)
    flipped = summary(count(confidence, np.zeros(200_000), ~wrong))
    assert flipped["calibration_error"] > 0.2


def test_coverage_falls_and_so_does_the_error_of_an_honest_confidence() -> None:
    confidence = np.array([100, 100, 200, 250, 250, 250], np.uint8)
    wrong = np.array([True, True, True, False, False, False])
    curve = coverage(count(confidence, np.zeros(6), wrong))
    assert curve == [
        (0.0, 1.0, 0.5),
        (101 / 255, 4 / 6, 0.25),
        (201 / 255, 0.5, 0.0),
    ]
    assert coverage(np.zeros((256, 2, 2), np.int64)) == []


def test_nothing_counted_gives_no_shares() -> None:
    table = summary(np.zeros((256, 2, 2), np.int64))
    assert table["error_all"] is None and table["bins"] == []
