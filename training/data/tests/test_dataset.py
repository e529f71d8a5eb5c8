"""The loader: counts per class against the databases' own, labels, determinism."""

from pathlib import Path

import numpy as np
import pytest

from einthoven.aami import DS1, DS2
from einthoven.training.data import dataset
from einthoven.training.data.dataset import match


def test_match_is_mutual_and_within_the_window() -> None:
    reference = np.array([1.0, 2.0, 3.0, 10.0])
    test = np.array([0.9, 1.05, 2.149, 3.151, 9.99, 20.0])
    assert match(reference, test).tolist() == [-1, 0, 1, -1, 3, -1]
    assert match(reference, np.array([])).tolist() == []
    assert match(np.array([]), test).tolist() == [-1] * 6
    assert match(np.array([1.0]), np.array([1.0])).tolist() == [0]


# Counts of the databases themselves, by reference annotations: de Chazal's table II as these
# files have it (shared data's README; DS1 lacks nothing, DS2 neither).
@pytest.mark.records
@pytest.mark.parametrize(
    ("names", "counts"),
    [
        (DS1, {"N": 45866, "S": 944, "V": 3788, "F": 415, "Q": 8}),
        (DS2, {"N": 44259, "S": 1837, "V": 3221, "F": 388, "Q": 7}),
    ],
)
def test_reference_counts(mitdb: Path, names: tuple[str, ...], counts: dict[str, int]) -> None:
    assert dataset.reference_counts(mitdb, names) == counts


@pytest.mark.records
def test_a_record_is_found_labelled_and_the_same_again(mitdb: Path) -> None:
    beats = dataset.load_record(mitdb, "119", "mitdb")
    # 119: 1543 N and 444 V by annotation; detections near all of them
    counts = beats.counts()
    assert counts["N"] >= 1540
    assert counts["V"] >= 442
    assert np.sum(beats.label < 0) <= 10
    assert beats.digest() == dataset.load_record(mitdb, "119", "mitdb").digest()
    # V beats of 119 are unlike the dominant template, N beats are like it.
    corr = beats.features[:, dataset.PIPELINE["features"]["names"].index("qrs_corr")]
    assert np.median(corr[beats.label == 0]) > 120
    assert np.median(corr[beats.label == 2]) < 100


@pytest.mark.records
def test_record_200_begins_in_bigeminy_and_the_template_is_the_normal_beat(mitdb: Path) -> None:
    beats = dataset.load_record(mitdb, "200", "mitdb")
    corr = beats.features[:, dataset.PIPELINE["features"]["names"].index("qrs_corr")]
    begin = beats.t_samples < 60 * dataset.RATE_HZ
    for rows in (begin, ~begin):
        assert np.mean(corr[rows & (beats.label == 0)] > 100) > 0.95
        assert np.mean(corr[rows & (beats.label == 2)] < 64) > 0.7


@pytest.mark.records
def test_both_leads_share_the_patient(mitdb: Path) -> None:
    beats = dataset.load([{"db": "mitdb", "records": "114,201,202", "leads": "both"}], mitdb)
    assert set(beats.patient) == {"mitdb/114", "mitdb/201"}
    for record in ("114", "201", "202"):
        rows = beats.record == f"mitdb/{record}"
        assert {True, False} == set(beats.main[rows])
