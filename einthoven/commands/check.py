"""`einthoven check`: is this board good?"""

import sys
from enum import StrEnum
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from einthoven.commands.fleet import FleetFile
from einthoven.commands.options import Boards, Json, Port

if TYPE_CHECKING:
    from einthoven.fleet.checked import BoardCheck
    from einthoven.hil_tests.check.run import Subject


class Electrodes(StrEnum):
    """Whether somebody or a simulator is there."""

    ON = "on"
    OFF = "off"


def check(
    names: Annotated[
        list[str] | None,
        typer.Argument(metavar="[NAME]...", help="Devices of the fleet file.", show_default=False),
    ] = None,
    every: Annotated[bool, typer.Option("--all", help="All devices of the fleet file.")] = False,
    board: Annotated[
        str | None,
        typer.Option(
            help="A board of that kind, instead (see: einthoven boards).", show_default=False
        ),
    ] = None,
    fleet: FleetFile = Path("fleet.toml"),
    port: Port = None,
    boards: Boards = None,
    seconds: Annotated[
        float | None,
        typer.Option(min=1, max=3600, help="Signal to look at (default: 20).", show_default=False),
    ] = None,
    electrodes: Annotated[
        Electrodes | None,
        typer.Option(help="Judge contact, too: are they touched?", show_default=False),
    ] = None,
    jobs: Annotated[int, typer.Option(min=1, help="Boards at the same time.")] = 16,
    page: Annotated[
        Path | None,
        typer.Option(help="Write a page of labels to print, as HTML.", show_default=False),
    ] = None,
    as_json: Json = False,
) -> None:
    """Is this board good? Exit code: how many are not, at most 125.

    Bad usage also ends with 2, but prints nothing on standard output: a check always does.
    """
    from einthoven.errors import UsageError
    from einthoven.fleet.checked import CheckReport
    from einthoven.hil_tests.check.run import check as check_boards
    from einthoven.report.schema import dump

    if page is not None and (page.is_dir() or not page.absolute().parent.is_dir()):
        raise UsageError(f"{page} cannot be written: it is a folder, or in none")
    subjects = _subjects(names or [], every, board, port, fleet)
    told = partial(_tell, brief=len(subjects) > _FEW, quiet=as_json)
    found = check_boards(subjects, jobs, seconds, electrodes and electrodes.value, told)
    report = CheckReport.of(found)
    if as_json:
        print(dump(report))
    else:
        good = len(found) - len(report.failed)
        judged = "1 board" if len(found) == 1 else f"{len(found)} boards"
        print(f"{judged}: {good} passed, {len(report.failed)} failed")
    if page is not None:
        from einthoven.report.labels import write_labels

        sys.stdout.flush()  # what the boards came to is told, whatever comes of the page
        write_labels(page, report, title=fleet.stem)
        if not as_json:
            print(f"wrote {page}: print it on A4")
    if report.exit_code:
        raise typer.Exit(report.exit_code)


def _subjects(
    names: list[str], every: bool, board: str | None, port: str | None, path: Path
) -> "list[Subject]":
    from einthoven.errors import UsageError
    from einthoven.fleet import inventory
    from einthoven.hil_tests.check import run

    if sum((bool(names), every, board is not None)) != 1:
        raise UsageError("say what to check: NAME..., --all or --board KIND")
    if board is not None:
        return [run.one(board, port)]
    if port is not None:
        raise UsageError("--port is for --board: the fleet file says where its devices are")
    fleet = inventory.read(path)
    return [run.of_fleet(fleet, entry) for entry in fleet.choose(names)]


_FEW = 3
"""Of so many boards all items are shown; of more, those that failed."""
_MARKS = {True: ("✓", "green"), False: ("✗", "red"), None: ("–", "dim")}


def _tell(done: "BoardCheck", brief: bool = False, quiet: bool = False) -> None:
    """A board's items, in one piece: several boards are checked at once.

    `brief`: of a good one its name alone, of another what failed.
    """
    from rich.console import Group
    from rich.table import Table
    from rich.text import Text

    from einthoven.report.text import console

    if quiet:
        return
    table = Table.grid(padding=(0, 2))
    for item in done.failures if brief else done.items:
        mark, style = _MARKS[item.passed]
        limit = f" (limit: {item.limit})" if item.passed is False and item.limit else ""
        table.add_row(Text(mark, style), item.name, Text(item.measured + limit, style))
    verdict = Text(f"{done.name}: {'good' if done.passed else 'NOT GOOD'}", "bold")
    console().print(Group(verdict, table))
