"""Figures of merit over records: rates by class, macro-F1, intervals, the three ways to count S."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from einthoven import ec57

AF_RECORDS = ("202", "210", "219", "221", "222")
"""DS2's records with atrial fibrillation or flutter, which cost S its precision."""

MAJORITY_S = "232"
"""Holds three quarters of DS2's S beats, which are the majority of its beats."""

INTERVAL_CLASSES = ("N", "S", "V")


def literature(scores: Sequence[ec57.Scores]) -> dict[str, Any]:
    """Se, +P and F1 of N, S, V, F by the literature's mapping, and macro-F1 over N, S, V.

    A beat that was missed counts against its class, a false detection against the class that
    it was given.
    """
    total = ec57.gross(scores)
    rates = {name: total.literature_rate(name).to_dict() for name in ("N", "S", "V", "F")}
    macro = float(np.mean([rates[name]["f1"] or 0.0 for name in INTERVAL_CLASSES]))
    return {**rates, "macro_f1": macro}


def ways(
    whole: Mapping[str, ec57.Scores], scored: Mapping[str, ec57.Scores]
) -> dict[str, dict[str, Any]]:
    """`literature` over all records, by both protocols, and over those without 232 and AF."""
    return {
        "whole": literature(list(whole.values())),
        "ec57": literature(list(scored.values())),
        "whole_without_232": literature([s for r, s in whole.items() if r != MAJORITY_S]),
        "whole_without_232_and_af": literature(
            [s for r, s in whole.items() if r not in (MAJORITY_S, *AF_RECORDS)]
        ),
    }


def intervals(scores: Sequence[ec57.Scores], draws: int = 2000) -> dict[str, tuple[float, float]]:
    """95 % intervals of the F1 of N, S, V and of their mean, by resampling records (seeded).

    Records and not beats, since the beats of a patient are alike.
    """
    tables = np.stack([s.literature for s in scores])
    rng = np.random.default_rng(1)
    drawn = tables[rng.integers(0, len(tables), (draws, len(tables)))].sum(axis=1)
    hits = np.diagonal(drawn, axis1=1, axis2=2)
    total = drawn.sum(axis=1) + drawn.sum(axis=2)
    f1 = np.divide(2.0 * hits, total, out=np.zeros(hits.shape), where=total > 0)[:, :3]
    columns = dict(zip(INTERVAL_CLASSES, f1.T, strict=True)) | {"macro-F1": f1.mean(axis=1)}
    return {
        name: (float(np.quantile(values, 0.025)), float(np.quantile(values, 0.975)))
        for name, values in columns.items()
    }


def rate_cell(rate: Mapping[str, Any]) -> str:
    """`Se/+P/F1` in percent, `–` where one is not defined."""
    values = (rate["se"], rate["ppv"], rate["f1"])
    return "/".join("   –" if v is None else f"{100 * v:5.1f}" for v in values)
