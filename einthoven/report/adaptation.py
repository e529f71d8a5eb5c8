"""What a run's summary says of patient adaptation: the same beats without and with a head.

Scored where the head has not learnt from: after the first five minutes, as EC57 does anyway. (A
record that is not longer is scored whole, `score.start_times`, with the beats that were learnt.)
"""

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import numpy as np
from rich.table import Table

from einthoven.report.description import PatientHead, Rates
from einthoven.report.overview import AdaptationSummary, AdaptedRecord, ClassRates, Sides
from einthoven.report.schema import of_builtins
from einthoven.scoring.comparison import Scores, gross, macro_f1

NOTICE = (
    "Adapted: all scores but the table of patient heads are with a head, fitted to labelled "
    "beats of the record's own beginning; those of whole records count these beats too."
)
_SHOWN = ("S", "V")
SIDES = ("unadapted", "adapted")


def rates(scores: Scores) -> ClassRates:
    """Literature's classes: `accuracy` of matched beats, rates of N, S, V, and their `macro_f1`.

    The last leaves out a class that the reference does not have; None if it has none.
    """
    found = {name: scores.literature_rate(name) for name in ("N", *_SHOWN)}
    matched = scores.confusion
    total = int(matched.sum())
    return of_builtins(
        {
            "beats": total,
            "accuracy": float(np.trace(matched) / total) if total else None,
            **{name: rate.to_dict() for name, rate in found.items()},
            "macro_f1": macro_f1(found.values()),
        },
        ClassRates,
    )


def adaptation_summary(
    results: Sequence[tuple[PatientHead, tuple[Scores, Scores]]],
) -> AdaptationSummary | None:
    """`adaptation` of summary.json; None for a run without.

    `results`: of each adapted record its head, and its scores without and with it.
    """
    if not results:
        return None
    without, adapted = (gross([pair[i] for _, pair in results]) for i in range(2))
    return AdaptationSummary(
        protocol="ec57",
        minutes=results[0][0].minutes,
        records=[
            AdaptedRecord(
                record=head.record.partition("/")[2],
                head=head,
                unadapted=rates(pair[0]),
                adapted=rates(pair[1]),
            )
            for head, pair in results
        ],
        gross=Sides(unadapted=rates(without), adapted=rates(adapted)),
    )


def adaptation_section(summary: AdaptationSummary | None) -> dict[str, Any] | None:
    """`title`, `headings`, `rows` (lists of cells, the last one over all) and `caption`.

    What stands before a > is without the head. None for a run without heads.
    """
    if summary is None:
        return None
    rows = []
    listed: list[tuple[str, AdaptedRecord | Sides]] = [(e.record, e) for e in summary.records]
    for name, entry in [*listed, ("Gross", summary.gross)]:
        cells = [name, _both(entry, lambda side: side.accuracy)]
        for label in _SHOWN:
            part = getattr(entry.adapted, label)
            cells.append(str(part.tp + part.fn))
            cells.append(_both(entry, partial(_f1, label)))
        rows.append(cells)
    macro = _both(summary.gross, lambda side: side.macro_f1)
    gross_rates = {name: getattr(summary.gross.adapted, name) for name in ("N", *_SHOWN)}
    present = [name for name, rate in gross_rates.items() if rate.tp + rate.fn]
    return {
        "title": f"Patient heads from the first {summary.minutes:g} minutes: without > with, "
        "as EC57 scores, %",
        "headings": ["Record", "Accuracy", *(f"{c} {w}" for c in _SHOWN for w in ("beats", "F1"))],
        "rows": rows,
        "caption": f"macro-F1 of {', '.join(present) or 'no class'} over all: {macro}; "
        "classes as the literature maps them",
    }


def adaptation_table(summary: AdaptationSummary) -> Table:
    """The same for the terminal."""
    section = adaptation_section(summary)
    assert section is not None
    table = Table(
        title=section["title"], title_justify="left", box=None, pad_edge=False,
        header_style="bold", caption=section["caption"], caption_justify="left",
    )  # fmt: skip
    for heading in section["headings"]:
        table.add_column(heading, justify="left" if heading == "Record" else "right")
    for cells in section["rows"]:
        table.add_row(*cells, style="bold" if cells[0] == "Gross" else "")
    return table


def _f1(label: str, side: ClassRates) -> float | None:
    part: Rates = getattr(side, label)
    return part.f1


def _both(entry: AdaptedRecord | Sides, value: Callable[[ClassRates], float | None]) -> str:
    shown = [
        "–" if v is None else f"{100 * v:.1f}"
        for v in (value(entry.unadapted), value(entry.adapted))
    ]
    return " > ".join(shown)
