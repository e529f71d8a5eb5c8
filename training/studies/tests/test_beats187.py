"""The 187-sample beats: cut from made-up records as the study says, of MIT-BIH, of CSV files."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import wfdb

from einthoven.errors import UsageError
from einthoven.paths import ROOT
from einthoven.records.record import Record
from einthoven.training.studies.beats import beats187, kaggle
from einthoven.training.studies.beats.beats187 import (
    LENGTH,
    RATE_HZ,
    WINDOW,
    maxima,
    record_beats,
    window_starts,
)
from einthoven.training.studies.registry import SETTINGS, load_examples
from einthoven.training.studies.shared.examples import Labelled, folds_of
from einthoven.training.studies.shared.recipe import load

RECIPES = ROOT / "training" / "recipes" / "studies"

SPIKE_UV = 1000


def spikes(at: list[int], n: int, height_uv: int = SPIKE_UV) -> Record:
    """A record at 125 Hz, 1 µV a count, with a triangle of five samples at each R."""
    samples = np.zeros(n, dtype=np.int32)
    for r in at:
        samples[r - 2 : r + 3] = np.array([1, 2, 3, 2, 1]) * height_uv // 3
    return Record("made-up", "MLII", RATE_HZ, 1000, 0, samples, None)


def test_a_beat_is_1_2_median_periods_from_r_then_zeros() -> None:
    at = list(range(50, 1100, 100))
    x, found = record_beats(spikes([*at, 1150], WINDOW))
    assert found.tolist() == at, "of the last one, the record holds no 120 samples"
    assert x.shape == (len(at), LENGTH)
    assert (x[:, 0] == 1).all() and (x[:, 100] == 1).all(), "R, and the next R a period later"
    assert (x[:, 120:] == 0).all(), "1.2 × 100 samples, then padding"
    assert x.min() == 0 and x.max() == 1
    given, _ = record_beats(spikes([*at, 1150], WINDOW), np.array([*at, 1150]))
    assert np.array_equal(given, x)


def test_long_periods_are_cut_to_the_length() -> None:
    x, found = record_beats(spikes([100, 400, 700, 1000], WINDOW + 200))
    assert len(found) == 4
    assert (x[:, 100:] == 0).all() and (x[:, 0] == 1).all()


def test_every_beat_comes_once_and_a_cut_off_one_not() -> None:
    """The last window reaches back over its neighbour; its beats there are done already."""
    at = list(range(60, 3000, 100))
    x, found = record_beats(spikes(at, 3000))
    assert found.tolist() == at[:-1], "the last beat's 120 samples end after the record"
    assert window_starts(3000).tolist() == [0, 1250, 1750]
    assert window_starts(WINDOW).tolist() == [0] and window_starts(10).tolist() == [0]
    assert len(x) == len(found)


def test_scaling_is_by_window() -> None:
    """A tall beat hides the others of its own window only: what the study's threshold costs."""
    record = spikes(list(range(50, 2500, 100)), 2500)
    record.samples[150:155] *= 3
    _, found = record_beats(record)
    assert not ((found < WINDOW) & (found != 152)).any()
    assert (found >= WINDOW).sum() > 10


def test_maxima_of_a_notched_r_are_one() -> None:
    window = np.zeros(WINDOW, dtype=np.float32)
    window[[100, 102, 104]] = 0.95, 1.0, 0.92
    window[500] = 0.89
    assert maxima(window).tolist() == [102]
    assert maxima(np.zeros(WINDOW, dtype=np.float32)).tolist() == []


@pytest.mark.records
@pytest.mark.parametrize(
    "path",
    sorted(RECIPES.glob("*_random.toml")) + sorted(RECIPES.glob("*_mi.toml")),
    ids=lambda p: p.stem,
)
def test_quick_data_train_every_class_and_test_several(
    path: Path, mitdb: Path, require_database: Callable[[str], Path]
) -> None:
    form = load(path).quickly()
    assert {require_database(name) for name in ("ptbdb", "ptbdb_10s")}
    plain = SETTINGS[form.dataset] | {"per_class"}  # beats, not what a view makes of them
    settings = {k: v for k, v in form.data.items() if k in plain}
    some = load_examples(replace(form, data=settings), None, None)
    folds = folds_of(some, form.protocol, form.seed, form.data.get("folds", 0))
    tested = np.any([fold.test for fold in folds], axis=0)
    assert all(set(some.y[fold.train]) == set(some.y) for fold in folds)
    assert len(set(some.y[tested])) > 1, "a class of two beats has none to test"


@pytest.mark.records
def test_mitdb_gives_the_published_number_of_beats(mitdb: Path) -> None:
    """109,446 are published; six more than lie inside their record by this reading."""
    some = beats187.arrhythmia({}, mitdb)
    assert some.counts() == {"N": 90582, "S": 2780, "V": 7236, "F": 803, "Q": 8039}
    assert some.x.shape == (109_440, LENGTH, 1) and some.x.dtype == np.float32
    assert len(np.unique(some.record)) == 48
    assert len(np.unique(some.patient)) == 47, "201 and 202 are one patient"
    (fold,) = folds_of(some, "inter_patient", 1)
    assert fold.train.sum() == 50_996 and fold.test.sum() == 49_687
    with pytest.raises(UsageError, match="r_peaks"):
        beats187.arrhythmia({"r_peaks": "guess", "records": "100"}, mitdb)


def test_ptb_gives_both_diagnoses_of_lead_ii(require_database: Callable[[str], Path]) -> None:
    settings = {"db": ["ptbdb_10s"]}
    some = beats187.infarction(settings, require_database("ptbdb_10s").parent)
    assert some.classes == ("healthy", "MI")
    assert some.counts()["healthy"] == 125
    assert all(name.startswith("ptbdb/patient") for name in np.unique(some.patient))
    assert len(np.unique(some.patient)) < len(np.unique(some.record)), "some have several records"


def csv(path: Path, rows: np.ndarray) -> None:
    np.savetxt(path, rows, delimiter=",", fmt="%.6f")


def kaggle_rows(n: int, label: int) -> np.ndarray:
    rng = np.random.default_rng(label)
    return np.column_stack([rng.random((n, LENGTH)), np.full(n, label)])


def test_kaggle_files_are_read_with_their_own_split(tmp_path: Path) -> None:
    csv(tmp_path / "mitbih_train.csv", np.concatenate([kaggle_rows(4, i) for i in range(5)]))
    csv(tmp_path / "mitbih_test.csv", kaggle_rows(3, 2))
    some = kaggle.arrhythmia(tmp_path)
    assert some.counts() == {"N": 4, "S": 4, "V": 7, "F": 4, "Q": 4}
    (fold,) = folds_of(some, "random_beats", 1)
    assert fold.test.tolist() == [False] * 20 + [True] * 3
    with pytest.raises(UsageError, match="whose"):
        folds_of(some, "inter_patient", 1)
    csv(tmp_path / "ptbdb_normal.csv", kaggle_rows(2, 0))
    csv(tmp_path / "ptbdb_abnormal.csv", kaggle_rows(3, 1))
    assert kaggle.infarction(tmp_path).counts() == {"healthy": 2, "MI": 3}


@pytest.mark.parametrize(
    ("content", "named"),
    [
        (None, "missing"),
        ("", "columns"),
        ("1,2,3\n", "columns"),
        ("a" + ",0" * LENGTH + "\n", "read"),
        ("0," * LENGTH + "7\n", "class from 0 to 4"),
        ("nan," * LENGTH + "1\n", "class"),
    ],
)
def test_wrong_kaggle_files_are_named(tmp_path: Path, content: str | None, named: str) -> None:
    if content is not None:
        (tmp_path / "mitbih_train.csv").write_text(content)
    with pytest.raises(UsageError, match=named):
        kaggle.arrhythmia(tmp_path)


def test_swapped_ptb_files_are_noticed(tmp_path: Path) -> None:
    csv(tmp_path / "ptbdb_normal.csv", kaggle_rows(2, 1))
    csv(tmp_path / "ptbdb_abnormal.csv", kaggle_rows(2, 0))
    with pytest.raises(UsageError, match="last column must be 0"):
        kaggle.infarction(tmp_path)


def made_up(n: int = 60) -> Labelled:
    """Two classes of twelve patients, five beats each."""
    patient = np.array([f"p{i // 5:02}" for i in range(n)])
    y = (np.arange(n) // 5 % 3 == 0).astype(np.int64)
    return Labelled(np.zeros((n, LENGTH, 1), dtype=np.float32), y, patient, patient, ("a", "b"))


@pytest.mark.parametrize("n_folds", [0, 3])
def test_folds_keep_patients_together_and_score_everyone_once(n_folds: int) -> None:
    some = made_up()
    folds = folds_of(some, "patient_folds", 1, n_folds)
    assert len(folds) == (n_folds or 12)
    assert (np.sum([f.test for f in folds], axis=0) == 1).all()
    for fold in folds:
        assert not set(some.patient[fold.train]) & set(some.patient[fold.test])
        if n_folds:
            assert set(some.y[fold.test]) == {0, 1}, "classes are spread alike"
    with pytest.raises(UsageError, match="dealt"):
        folds_of(some, "patient_folds", 1, 13)


def test_random_beats_is_stratified_and_seeded() -> None:
    some = made_up()
    (fold,) = folds_of(some, "random_beats", 1)
    assert fold.test.sum() == 12 and some.y[fold.test].sum() == 4
    assert (fold.train ^ fold.test).all()
    assert np.array_equal(fold.test, folds_of(some, "random_beats", 1)[0].test)
    assert not np.array_equal(fold.test, folds_of(some, "random_beats", 2)[0].test)
    with pytest.raises(UsageError, match="DS1 and DS2"):
        folds_of(some, "inter_patient", 1)


def test_thinning_keeps_at_most_so_many_of_a_class() -> None:
    assert made_up().thin(7, 1).counts() == {"a": 7, "b": 7}
    assert made_up().thin(1000, 1).counts() == made_up().counts()


def ptb(folder: Path, name: str, diagnosis: str) -> None:
    """A record of lead II with spikes, filed as PTB's are."""
    folder.mkdir(parents=True, exist_ok=True)
    signal = spikes(list(range(60, 1240, 100)), WINDOW).samples[:, np.newaxis] / 1000
    wfdb.wrsamp(
        name, fs=RATE_HZ, units=["mV"], sig_name=["ii"], p_signal=signal, fmt=["16"],
        write_dir=str(folder), comments=[f"Reason for admission: {diagnosis}"],
    )  # fmt: skip


def test_ptb_is_read_from_what_is_there_and_a_part_is_refused_as_the_whole(tmp_path: Path) -> None:
    ptb(tmp_path / "ptbdb_10s", "patient001_s0010_re", "Myocardial infarction")
    ptb(tmp_path / "ptbdb_10s", "patient104_s0306lre", "Healthy control")
    both = {"db": ["ptbdb", "ptbdb_10s"]}
    some = beats187.infarction(both, tmp_path)
    assert some.counts() == {"healthy": 11, "MI": 11}
    assert np.unique(some.patient).tolist() == ["ptbdb/patient001", "ptbdb/patient104"]
    with pytest.raises(UsageError, match=r"2 of PTB's 549 records.*einthoven data fetch ptbdb"):
        beats187.infarction({**both, "whole": True}, tmp_path)
    # A folder of records that has no database's name stands for either, and is read once.
    assert len(beats187.infarction(both, tmp_path / "ptbdb_10s")) == len(some)
