"""One network three times over the same records: float, int8 on the host, int8 on the board.

What quantization costs stands between the first two, what the board adds between the last two.
"""

from collections.abc import Callable, Sequence
from typing import Any

from msgspec import UNSET, UnsetType
from rich.table import Table

from einthoven.components.words import number, percent
from einthoven.report.adaptation import rates
from einthoven.report.description import Plan, Protocols, Result
from einthoven.report.overview import Arithmetics, ArithmeticScores, ClassRates
from einthoven.scoring.comparison import Scores, gross

HEADINGS = (
    *("Network", "Scored", "N F1", "V Se", "V +P", "V F1", "S Se", "S +P", "S F1"),
    "macro-F1",
)
Restore = Callable[[Any], Scores]


def arithmetics_summary(
    plan: Plan, results: Sequence[Result], restored: Restore
) -> Arithmetics | UnsetType:
    """`arithmetics` of summary.json; UNSET for runs that do not know, with heads, or unscored.

    `restored`: makes scores of what the run folder keeps.
    """
    scored = [(r, r.protocols) for r in results if r.protocols is not None]
    if plan.float_missing is UNSET or not scored or plan.adapt_minutes is not None:
        return UNSET

    def total(kept: Sequence[Protocols]) -> ArithmeticScores:
        return ArithmeticScores(
            ec57=rates(gross(restored(p.ec57) for p in kept)),
            whole=rates(gross(restored(p.whole) for p in kept)),
        )

    floats = [r.float_network for r, _ in scored if r.float_network is not UNSET]
    missing = plan.float_missing
    if missing is None and len(floats) < len(scored):
        missing = f"not scored yet on {number(len(scored) - len(floats), 'record')}"
    return Arithmetics(
        records=len(scored),
        float_network=None if missing is not None else total(floats),
        float_missing=missing,
        host_int8=total([r.host_int8 or p for r, p in scored]),
        device_int8=total([p for _, p in scored]),
    )


def arithmetics_section(found: Arithmetics | UnsetType) -> dict[str, Any] | None:
    """`title`, `headings`, `rows` (lists of cells) and `notes`; None where there is no table."""
    if found is UNSET:
        return None
    named = (
        ("float", found.float_network),
        ("int8, host", found.host_int8),
        ("int8, board", found.device_int8),
    )
    rows = []
    for label, protocol in (("EC57", "ec57"), ("whole", "whole")):
        for name, scores in named:
            if scores is None:
                rows.append([name, label, *["–"] * (len(HEADINGS) - 2)])
            else:
                rows.append([name, label, *_cells(getattr(scores, protocol))])
    notes = [
        "Classes as the literature maps them, missed and false detections included; a class that "
        "the reference does not have is left out of macro-F1."
    ]
    if found.float_missing is not None:
        notes.append(f"No float network: {found.float_missing}.")
    return {
        "title": f"Float and int8 side by side, {number(found.records, 'record')}, %",
        "headings": list(HEADINGS),
        "rows": rows,
        "notes": notes,
    }


def _cells(found: ClassRates) -> list[str]:
    cells = [percent(found.N.f1)]
    for rate in (found.V, found.S):
        cells += [percent(rate.se), percent(rate.ppv), percent(rate.f1)]
    return [c.replace("-", "–") for c in [*cells, percent(found.macro_f1)]]


def arithmetics_table(section: dict[str, Any]) -> Table:
    """The same for the terminal."""
    table = Table(
        title=section["title"], title_justify="left", title_style="bold", box=None,
        pad_edge=False, header_style="bold", caption=" ".join(section["notes"]),
        caption_justify="left",
    )  # fmt: skip
    for i, heading in enumerate(section["headings"]):
        table.add_column(heading, justify="left" if i < 2 else "right", no_wrap=True)
    for cells in section["rows"]:
        table.add_row(*cells)
    return table
