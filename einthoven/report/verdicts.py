"""Verdicts on strips in a run: verdicts.csv, `verdicts` of summary.json, lines for the terminal."""

import csv
import io
from collections import Counter
from collections.abc import Iterable

from msgspec import UNSET, UnsetType

from einthoven.report.description import Result
from einthoven.report.overview import VerdictsSummary
from einthoven.report.schema import of_builtins
from einthoven.scoring.strips import SYMBOLS, confusion, score

COLUMNS = ("record", "verdict", "probability", "reasons")
_NAMES = ("regular", "atrial fibrillation", "other", "too noisy")


def verdicts_csv(results: Iterable[Result]) -> str:
    """A row for each record that is a strip: N, A, O or ~, probability, reasons with ; between."""
    text = io.StringIO()
    rows = csv.writer(text, lineterminator="\n")
    rows.writerow(COLUMNS)
    for result in results:
        told = result.verdict
        if told is not UNSET:
            reasons = "; ".join(told.reasons)
            rows.writerow([result.record, told.verdict, told.probability, reasons])
    return text.getvalue()


def verdicts_summary(results: Iterable[Result]) -> VerdictsSummary | UnsetType:
    """`verdicts` of summary.json; UNSET where no record is a strip."""
    verdicts = [result.verdict for result in results if result.verdict is not UNSET]
    if not verdicts:
        return UNSET
    told = Counter(v.verdict for v in verdicts)
    pairs = [(v.label, v.verdict) for v in verdicts if v.label is not None]
    return of_builtins(
        {
            "strips": len(verdicts),
            "differ": sum(v.differs for v in verdicts),
            "told": {symbol: told[symbol] for symbol in SYMBOLS},
            "score": score(confusion(pairs)) if pairs else None,
        },
        VerdictsSummary,
    )


def verdicts_lines(verdicts: VerdictsSummary | UnsetType) -> list[str]:
    """What the terminal shows of it."""
    if verdicts is UNSET:
        return []
    counted = ", ".join(
        f"{verdicts.told[symbol]} {name}" for symbol, name in zip(SYMBOLS, _NAMES, strict=True)
    )
    lines = [f"  {verdicts.strips} strips: {counted}"]
    if verdicts.differ:
        lines.append(f"  {verdicts.differ} are not the host's")
    scored = verdicts.score
    if scored is not None:
        by_class = ", ".join(f"{symbol} {_f1(value)}" for symbol, value in scored.f1.items())
        lines += [
            f"  F1 as CinC 2017 scores, {scored.strips} labelled: {by_class};",
            f"  mean of N, A, O {_f1(scored.mean_f1_nao)}",
        ]
    return lines


def _f1(value: float | None) -> str:
    return "-" if value is None else f"{value:.3f}"
