"""Commands about devices that work without a computer: card."""

from pathlib import Path
from typing import Annotated

import typer


def card(
    out: Annotated[
        Path | None,
        typer.Option(
            help="Write it as a page to print, instead of showing it.", show_default=False
        ),
    ] = None,
) -> None:
    """The card of a device: what its light and tones say, what its button does, its alarms."""
    from rich.table import Table

    from einthoven.device import card as cards
    from einthoven.device.spec import load
    from einthoven.report.text import console

    spec = load()
    screen = console()
    if out is not None:
        out.write_text(cards.html(spec), encoding="utf-8")
        screen.print(f"wrote {out}: print it on A5", soft_wrap=True)
        return
    for line in (cards.NOTICE, *cards.button_lines(spec)):
        screen.print(line, soft_wrap=True)
    table = Table(box=None, pad_edge=False, header_style="bold")
    for heading in ("Light", "Tone", "Says"):
        table.add_column(heading, overflow="fold", no_wrap=heading != "Says")
    for row in cards.text_rows(spec):
        table.add_row(*row)
    screen.print(table)
    alarms = Table(*cards.ALARM_HEADINGS, box=None, pad_edge=False, header_style="bold")
    for alarm in spec.alarms:
        alarms.add_row(*cards.alarm_cells(alarm))
    screen.print(alarms)
