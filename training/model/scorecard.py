"""Figures of merit over records: rates by class, macro-F1, intervals, the three ways to count S."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from einthoven.aami import CLASSES
from einthoven.scoring import comparison

AF_RECORDS = ("202", "210", "219", "221", "222")
"""DS2's records with atrial fibrillation or flutter, which cost S its precision."""

MAJORITY_S = "232"
"""Holds three quarters of DS2's S beats, which are the majority of its beats."""

INTERVAL_CLASSES = ("N", "S", "V")
DRAWS = 2000
"""Of records with replacement, for intervals."""


def literature(scores: Sequence[comparison.Scores]) -> dict[str, Any]:
    """Se, +P and F1 of N, S, V, F by the literature's mapping, and macro-F1 over N, S, V.

    A beat that was missed counts against its class, a false detection against the class that
    it was given. `VEB`: V by the standard's count, which forgives F and Q taken for V. macro-F1
    leaves out a class that the reference does not have (`absent`); None if it has none.
    """
    total = comparison.gross(scores)
    rates = {name: total.literature_rate(name).to_dict() for name in ("N", "S", "V", "F")}
    macro = comparison.macro_f1(map(total.literature_rate, INTERVAL_CLASSES))
    return {**rates, "VEB": total.veb.to_dict(), "macro_f1": macro}


def absent(scores: Sequence[comparison.Scores]) -> list[str]:
    """Those of N, S, V that the reference does not have: there is nothing to find."""
    total = comparison.gross(scores)
    rates = {name: total.literature_rate(name) for name in INTERVAL_CLASSES}
    return [name for name, rate in rates.items() if not rate.tp + rate.fn]


def ways(
    whole: Mapping[str, comparison.Scores], scored: Mapping[str, comparison.Scores]
) -> dict[str, dict[str, Any]]:
    """`literature` over all records, by both protocols, and over those without 232 and AF.

    The latter two only where those records are, as in MIT-BIH's DS2.
    """
    table = {
        "whole": literature(list(whole.values())),
        "ec57": literature(list(scored.values())),
    }
    if MAJORITY_S in whole and not whole.keys().isdisjoint(AF_RECORDS):
        rest = {r: s for r, s in whole.items() if r != MAJORITY_S}
        table["whole_without_232"] = literature(list(rest.values()))
        table["whole_without_232_and_af"] = literature(
            [s for r, s in rest.items() if r not in AF_RECORDS]
        )
    return table


def intervals(scores: Sequence[comparison.Scores]) -> dict[str, tuple[float, float]]:
    """95 % intervals of the F1 of N, S, V and of their mean, by resampling records (seeded).

    Of the classes that the reference has; nothing if it has none.
    """
    tables = np.stack([s.literature for s in scores])
    hits = np.diagonal(tables, axis1=1, axis2=2)
    ends = tables.sum(axis=1) + tables.sum(axis=2)
    missing = absent(scores)
    classes = [name for name in INTERVAL_CLASSES if name not in missing]
    columns = [CLASSES.index(name) for name in classes]
    return f1_intervals(hits[:, columns], ends[:, columns], classes)


def f1_intervals(
    hits: NDArray[np.int64],
    ends: NDArray[np.int64],
    classes: Sequence[str] = INTERVAL_CLASSES,
) -> dict[str, tuple[float, float]]:
    """95 % intervals of F1 by class and of their mean, by resampling records (seeded).

    [records, n] each, of the n `classes`: true positives, and the class's beats plus what was
    called so. Records and not beats, since the beats of a patient are alike.
    """
    if not classes:
        return {}
    drawn = _resampled(hits), _resampled(ends)
    f1 = _f1(*drawn)
    columns = dict(zip(classes, f1.T, strict=True)) | {"macro-F1": f1.mean(axis=1)}
    return {name: _middle_95(values) for name, values in columns.items()}


def difference(
    ours: Sequence[comparison.Rate], theirs: Sequence[comparison.Rate]
) -> tuple[float, tuple[float, float]]:
    """F1 of ours minus theirs over the same records, and its 95 % interval.

    The same records are drawn for both (seeded), so what makes a record hard for either cancels.
    """
    totals, draws = [], []
    for side in (ours, theirs):
        counts = np.array([[r.tp, 2 * r.tp + r.fn + r.fp] for r in side])
        totals.append(_f1(*counts.sum(axis=0)))
        draws.append(_f1(*_resampled(counts).T))
    return float(totals[0] - totals[1]), _middle_95(draws[0] - draws[1])


def _resampled(counts: NDArray[np.int64]) -> NDArray[np.int64]:
    """[DRAWS, …] sums over records drawn with replacement from [records, …]."""
    rng = np.random.default_rng(1)
    sums: NDArray[np.int64] = counts[rng.integers(0, len(counts), (DRAWS, len(counts)))].sum(axis=1)
    return sums


def _f1(hits: NDArray[Any], ends: NDArray[Any]) -> NDArray[np.float64]:
    f1: NDArray[np.float64] = np.divide(
        2.0 * hits, ends, out=np.zeros(np.shape(hits)), where=ends > 0
    )
    return f1


def _middle_95(values: NDArray[np.float64]) -> tuple[float, float]:
    return float(np.quantile(values, 0.025)), float(np.quantile(values, 0.975))


def f1_text(value: float | None) -> str:
    """An F1 of 0 to 1, `–` where it is not defined."""
    return "–" if value is None else f"{value:.3f}"


def rate_cell(rate: Mapping[str, Any]) -> str:
    """`Se/+P/F1` in percent, `–` where one is not defined."""
    values = (rate["se"], rate["ppv"], rate["f1"])
    return "/".join("   –" if v is None else f"{100 * v:5.1f}" for v in values)
