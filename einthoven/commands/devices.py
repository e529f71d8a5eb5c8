"""Commands about devices that work without a computer: card, device."""

from pathlib import Path
from typing import Annotated

import typer

from einthoven.commands.boards import DeviceName
from einthoven.commands.options import Boards, Port
from einthoven.commands.reaching import reached


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
        out.parent.mkdir(parents=True, exist_ok=True)
        out.write_text(cards.html(spec), encoding="utf-8")
        screen.print(f"wrote {out}: print it on A5, both sides", soft_wrap=True)
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


def device(
    board: DeviceName,
    mode: Annotated[
        str | None,
        typer.Option(help="Begin a strip or a continuous recording, or end it: ready."),
    ] = None,
    alarms: Annotated[
        str | None,
        typer.Option(help="Alarms that may be raised, by name and comma; none: ''."),
    ] = None,
    set_time: Annotated[bool, typer.Option("--time", help="Tell it this machine's time.")] = False,
    silence: Annotated[bool, typer.Option("--silence", help="Silence its alarms.")] = False,
    port: Port = None,
    boards: Boards = None,
) -> None:
    """What a device does alone: mode, contact, battery, alarms, recordings; and set them."""
    from rich.table import Table

    from einthoven.hil_tests.harness import alone
    from einthoven.hil_tests.harness.device import Device
    from einthoven.report.text import console

    screen = console()
    with reached(board, port) as (kind, url), Device(url, baud=kind.baud) as opened:
        if set_time:
            moved = alone.set_time(opened)
            screen.print("time set" if moved is None else f"clock moved by {moved:+.3f} s")
        if alarms is not None:
            alone.set_alarms(opened, [name for name in alarms.split(",") if name])
        if silence:
            screen.print(f"silenced: {', '.join(alone.silence(opened)) or 'nothing sounded'}")
        if mode is not None:
            alone.set_mode(opened, mode)
        now = alone.status(opened)
    grid = Table.grid(padding=(0, 2))
    for name, value in vars(now).items():
        shown = ", ".join(value) if isinstance(value, tuple) else value
        empty = value is None or value == ()
        grid.add_row(name.replace("_", " "), "–" if empty else str(shown))
    screen.print(grid)
