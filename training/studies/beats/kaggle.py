"""The published form of the 187-sample beats: Kaggle's "ECG Heartbeat Categorization Dataset".

Four CSV files without a header line, 187 values and a class per line:
`mitbih_train.csv` and `mitbih_test.csv` (classes 0 to 4 = N, S, V, F, Q; a split of beats),
`ptbdb_normal.csv` and `ptbdb_abnormal.csv` (0 and 1). They do not say which patient a beat is of.
https://www.kaggle.com/datasets/shayanfazeli/heartbeat
"""

import warnings
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from einthoven.aami import CLASSES
from einthoven.errors import UsageError
from einthoven.training.studies.beats.beats187 import DIAGNOSES, LENGTH
from einthoven.training.studies.shared.examples import Labelled

ARRHYTHMIA = ("mitbih_train.csv", "mitbih_test.csv")
INFARCTION = ("ptbdb_normal.csv", "ptbdb_abnormal.csv")


def arrhythmia(folder: Path) -> Labelled:
    """MIT-BIH's beats with the files' own split. Raises UsageError."""
    parts = [_read(folder, name, len(CLASSES)) for name in ARRHYTHMIA]
    return _labelled(parts, CLASSES, [False, True])


def infarction(folder: Path) -> Labelled:
    """PTB's beats, healthy and MI. Raises UsageError."""
    parts = [_read(folder, name, len(DIAGNOSES)) for name in INFARCTION]
    for i, name in enumerate(INFARCTION):
        if (parts[i][:, LENGTH] != i).any():
            raise UsageError(f"{folder / name}: the last column must be {i} everywhere")
    return _labelled(parts, DIAGNOSES, None)


def _labelled(
    parts: list[NDArray[np.float32]], classes: tuple[str, ...], test: list[bool] | None
) -> Labelled:
    rows = np.concatenate(parts)
    unknown = np.full(len(rows), "")
    half = None if test is None else np.repeat(test, [len(p) for p in parts])
    y = rows[:, LENGTH].astype(np.int64)
    return Labelled(rows[:, :LENGTH, np.newaxis], y, unknown, unknown, classes, half)


def _read(folder: Path, name: str, n_classes: int) -> NDArray[np.float32]:
    """[n, 188] of one file, checked."""
    path = folder / name
    if not path.is_file():
        raise UsageError(
            f"{path} is missing: --kaggle names the folder with {', '.join(ARRHYTHMIA)} (or "
            f"{', '.join(INFARCTION)}) of Kaggle's ECG Heartbeat Categorization Dataset"
        )
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # that it is empty: said below
            rows = np.loadtxt(path, dtype=np.float32, delimiter=",", ndmin=2)
    except (ValueError, OSError) as error:
        raise UsageError(f"{path} cannot be read: {error}: download it again") from error
    if rows.shape[1:] != (LENGTH + 1,) or not len(rows):
        raise UsageError(
            f"{path} has {rows.shape[-1] if rows.size else 0} columns, not {LENGTH + 1}: is it the "
            "right file?"
        )
    label = rows[:, LENGTH]
    if not np.isfinite(rows).all() or not np.isin(label, np.arange(n_classes)).all():
        raise UsageError(f"{path}: the last column must be a class from 0 to {n_classes - 1}")
    return rows
