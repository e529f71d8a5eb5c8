"""Whether a confidence deserves its name: right and wrong beats by what was claimed for them.

Counts are int64 [256, 2, 2]: confidence in 1/255, whether the beat was called unsure, whether its
class was wrong. They add up over records. A detection without a reference beat is wrong; a
reference beat that was missed has no confidence and is not counted here.
"""

from collections.abc import Iterable, Sequence
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from einthoven.aami import literature_class
from einthoven.native.confidence import ONE
from einthoven.records.annotations import Annotations
from einthoven.scoring.comparison import Comparison

Counts = NDArray[np.int64]

SHAPE = (ONE + 1, 2, 2)
EDGES = (0, 128, 153, 179, 204, 217, 230, 242, 250, 255, 256)
"""Bins of the reliability curve in 1/255: .5 .6 .7 .8 .85 .9 .95 .98 1, finer where beats are."""


def judge(
    comparison: Comparison, reference: Annotations, labels: Sequence[str]
) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
    """(indices of the scored detections, whether each one's class is wrong).

    `labels`: the classes of all detections, `comparison`: with `reference`. Classes are the
    literature's.
    """
    rows = comparison.pairs[comparison.pairs[:, 1] >= 0]
    wrong = [
        ref < 0 or literature_class(str(reference.symbols[ref])) != labels[test]
        for ref, test in rows.tolist()
    ]
    return rows[:, 1], np.array(wrong, dtype=bool)


def count(confidence: NDArray[np.uint8], unsure: NDArray[Any], wrong: NDArray[np.bool_]) -> Counts:
    """Counts of [n] beats each."""
    table = np.zeros(SHAPE, dtype=np.int64)
    np.add.at(table, (confidence, unsure.astype(np.int64), wrong.astype(np.int64)), 1)
    return table


def rows(counts: Counts) -> list[list[int]]:
    """For JSON: [confidence, unsure, wrong, beats] where there are any."""
    return [[*map(int, at), int(counts[tuple(at)])] for at in np.argwhere(counts)]


def from_rows(entries: Iterable[Sequence[int]]) -> Counts:
    """Sum of what `rows` gave, of several records one after another."""
    table = np.zeros(SHAPE, dtype=np.int64)
    for confidence, unsure, wrong, beats in entries:
        table[confidence, unsure, wrong] += beats
    return table


def summary(counts: Counts) -> dict[str, Any]:
    """Beats, errors and what calling beats unsure does, with the reliability curve.

    `unsure`, `sure`: `beats` and `wrong` of either; `error_all`, `error_sure`: shares;
    `claimed`: share of right beats that the confidence promises; `bins`: `low`, `high`
    (confidence), `beats`, `claimed`, `right`; `calibration_error`: mean |claimed - right| over
    the bins, weighted by beats. Shares are None where there are no beats.
    """
    beats, wrong = counts.sum(axis=(0, 2)), counts[:, :, 1].sum(axis=0)
    level = np.arange(ONE + 1) / ONE
    by_level, right_by_level = counts.sum(axis=(1, 2)), counts[:, :, 0].sum(axis=1)
    bins = []
    for low, high in pairwise(EDGES):
        n = int(by_level[low:high].sum())
        if n:
            bins.append(
                {
                    "low": low / ONE,
                    "high": (high - 1) / ONE,
                    "beats": n,
                    "claimed": float((by_level * level)[low:high].sum() / n),
                    "right": float(right_by_level[low:high].sum() / n),
                }
            )
    total = int(beats.sum())
    gap = sum(abs(b["claimed"] - b["right"]) * b["beats"] for b in bins)
    return {
        "sure": {"beats": int(beats[0]), "wrong": int(wrong[0])},
        "unsure": {"beats": int(beats[1]), "wrong": int(wrong[1])},
        "error_all": _share(wrong.sum(), total),
        "error_sure": _share(wrong[0], beats[0]),
        "claimed": _share((by_level * level).sum(), total),
        "calibration_error": _share(gap, total),
        "bins": bins,
    }


def coverage(counts: Counts) -> list[tuple[float, float, float]]:
    """(limit, coverage, error): keeping only beats with at least that confidence (0 to 1).

    Coverage is the share of detections kept, error the share of wrong ones among these.
    Falls from 1 as the limit rises; only limits that change something are listed.
    """
    kept = counts.sum(axis=(1, 2))[::-1].cumsum()[::-1]
    wrong = counts[:, :, 1].sum(axis=1)[::-1].cumsum()[::-1]
    curve: list[tuple[float, float, float]] = []
    for limit in range(ONE + 1):
        if kept[limit] and (limit == 0 or kept[limit] != kept[limit - 1]):
            curve.append(
                (limit / ONE, float(kept[limit] / kept[0]), float(wrong[limit] / kept[limit]))
            )
    return curve


def _share(part: Any, whole: Any) -> float | None:
    return float(part) / float(whole) if whole else None
