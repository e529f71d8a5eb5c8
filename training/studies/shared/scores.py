"""Scores of a classifier over labelled examples, with intervals by resampling patients."""

from collections.abc import Sequence
from math import isnan, sqrt
from typing import Any

import numpy as np
from numpy.typing import NDArray

DRAWS = 2000
Z_95 = 1.959964
"""Of the normal distribution, 95 % lie within so many standard deviations."""

Counts = NDArray[np.int64]


def confusion(y: Counts, found: Counts, n_classes: int) -> Counts:
    """[n_classes, n_classes]: row = reference, column = found."""
    table = np.bincount(y * n_classes + found, minlength=n_classes**2)
    return table.reshape(n_classes, n_classes)


def rates(tables: NDArray[Any]) -> dict[str, NDArray[np.float64]]:
    """Rates of confusion tables [..., k, k]: "accuracy", "macro_f1", "balanced_accuracy" [...].

    Macro-F1 and balanced accuracy (the mean recall) are over the classes that occur in the
    reference, so that a class nobody has does not count as an error.
    """
    hits = np.diagonal(tables, axis1=-2, axis2=-1).astype(np.float64)
    reference, found = tables.sum(axis=-1), tables.sum(axis=-2)
    there = reference > 0
    n_there = np.maximum(there.sum(axis=-1), 1)
    f1 = np.where(there, 2 * hits / np.maximum(reference + found, 1), 0)
    recall = np.where(there, hits / np.maximum(reference, 1), 0)
    return {
        "accuracy": hits.sum(axis=-1) / np.maximum(reference.sum(axis=-1), 1),
        "macro_f1": f1.sum(axis=-1) / n_there,
        "balanced_accuracy": recall.sum(axis=-1) / n_there,
    }


def class_rates(tables: NDArray[Any], i: int) -> dict[str, NDArray[np.float64]]:
    """Recall "se", precision "ppv" and "f1" [...] of class `i` of tables [..., k, k].

    NaN where undefined.
    """
    hits = tables[..., i, i].astype(np.float64)
    n, found = tables.sum(axis=-1)[..., i], tables.sum(axis=-2)[..., i]
    with np.errstate(invalid="ignore"):
        return {"se": hits / n, "ppv": hits / found, "f1": 2 * hits / (n + found)}


def score(
    y: Counts, found: Counts, classes: tuple[str, ...], patient: NDArray[np.str_]
) -> dict[str, Any]:
    """Everything that is kept of a classification, for JSON.

    `per_class` has n, recall `se`, precision `ppv`, `f1` (None where undefined). `intervals_95`
    resamples patients (2,000 draws, seeded), since beats of one are alike; without patients, it is
    None. It has the rates and `per_class`, of the draws in which a class' rate is defined.
    """
    k = len(classes)
    table = confusion(y, found, k)
    result: dict[str, Any] = {"n": len(y), "patients": len(np.unique(patient[patient != ""]))}
    result |= {name: float(value) for name, value in rates(table).items()}
    result["per_class"] = {name: _class_rates(table, i) for i, name in enumerate(classes)}
    result["confusion"] = table.tolist()
    result["intervals_95"] = (
        None if (patient == "").any() else _intervals(y, found, classes, patient)
    )
    return result


def _class_rates(table: Counts, i: int) -> dict[str, Any]:
    found = {k: float(v) for k, v in class_rates(table, i).items()}
    return {"n": int(table[i].sum())} | {k: None if isnan(v) else v for k, v in found.items()}


def patients_right(y: Counts, found: Counts, patient: NDArray[np.str_]) -> int:
    """Patients of whom most beats (more than half) got their class; all of one have the same."""
    _, index = np.unique(patient, return_inverse=True)
    right = np.bincount(index, weights=y == found)
    return int(np.sum(2 * right > np.bincount(index)))


def _intervals(
    y: Counts, found: Counts, classes: tuple[str, ...], patient: NDArray[np.str_]
) -> dict[str, Any]:
    k = len(classes)
    names, index = np.unique(patient, return_inverse=True)
    each = np.zeros((len(names), k * k), dtype=np.int64)
    np.add.at(each, (index, y * k + found), 1)
    drawn = np.random.default_rng(1).integers(0, len(names), (DRAWS, len(names)))
    tables = np.stack([each[rows].sum(axis=0) for rows in drawn]).reshape(DRAWS, k, k)
    spans: dict[str, Any] = {name: _span(values) for name, values in rates(tables).items()}
    spans["per_class"] = {
        name: {rate: _span(values) for rate, values in class_rates(tables, i).items()}
        for i, name in enumerate(classes)
    }
    return spans


def _span(values: NDArray[np.float64]) -> tuple[float, float] | None:
    values = values[~np.isnan(values)]
    if not len(values):
        return None
    return float(np.quantile(values, 0.025)), float(np.quantile(values, 0.975))


def mean_span(values: Sequence[float]) -> tuple[float, float] | None:
    """The interval of a mean over records, by resampling them (2,000 draws, seeded)."""
    drawn = np.random.default_rng(1).integers(0, len(values), (DRAWS, len(values)))
    return _span(np.array(values)[drawn].mean(axis=1))


def wilson_span(right: int, n: int) -> tuple[float, float]:
    """Wilson's interval of a share: `right` of `n`."""
    share, z = right / n, Z_95
    middle = (share + z * z / (2 * n)) / (1 + z * z / n)
    half = z / (1 + z * z / n) * sqrt(share * (1 - share) / n + z * z / (4 * n * n))
    return max(0.0, middle - half), min(1.0, middle + half)
