"""Commands about many devices: fleet scan, flash, doctor."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from einthoven.commands.boards import OwnModel, use_own
from einthoven.commands.options import Boards, Json, Port

if TYPE_CHECKING:
    from einthoven.fleet.flashing import Plan, Progress
    from einthoven.fleet.inventory import Entry, Fleet
    from einthoven.fleet.ledger import Flashed

FleetFile = Annotated[Path, typer.Option("--fleet", help="File of the devices.")]
_FLEET = Path("fleet.toml")


def scan(
    fleet: FleetFile = _FLEET,
    write: Annotated[
        bool, typer.Option("--write", help="Add what is new to the fleet file.")
    ] = False,
    ask: Annotated[
        bool,
        typer.Option(
            "--ask/--no-ask", help="Ask who is there; opening a port restarts some boards."
        ),
    ] = True,
    boards: Boards = None,
    as_json: Json = False,
) -> None:
    """Propose a fleet file from what is plugged in: each by its number or its socket."""
    from einthoven.errors import BoardError
    from einthoven.fleet import inventory, probes, usb
    from einthoven.fleet.inventory import Fleet
    from einthoven.fleet.scan import Found, toml
    from einthoven.fleet.scan import scan as scan_machine
    from einthoven.hil_tests.harness.introduce import who_is
    from einthoven.report.answers import Scan, ScanFinding
    from einthoven.report.schema import dump
    from einthoven.report.text import console

    there = inventory.read(fleet) if fleet.exists() else Fleet(fleet, ())
    try:
        seen = probes.plugged_in()
    except BoardError as error:
        print(f"warning: {error}", file=sys.stderr)
        seen = []
    found: list[Found] = scan_machine(
        there, usb.plugged_in(), who_is if ask else lambda port, baud: None, seen
    )
    new = [one for one in found if one.state == "new"]
    if write and new:
        inventory.append_text(fleet, toml(new))
    if as_json:
        facts = [
            ScanFinding(
                state=one.state,
                name=one.entry.name,
                id=one.entry.id,
                board=one.entry.board,
                port=one.entry.port,
                probe=one.entry.probe,
                flasher=one.entry.flasher,
                what=one.what,
                boards=list(one.boards),
            )
            for one in found
        ]
        print(dump(Scan(devices=facts, written=str(fleet) if write and new else None)))
        return
    screen = console()
    for one in found:
        if one.state != "new":
            screen.print(f"# {one.entry.name}: {one.state}, {one.what}", soft_wrap=True)
    if write and new:
        for one in new:
            screen.print(f"# {one.entry.name}: added to {fleet}, {one.what}", soft_wrap=True)
    elif new:
        print(toml(new), end="")
    if not found:
        screen.print("# nothing that looks like a board is plugged in (see: einthoven doctor)")


def doctor(fleet: FleetFile = _FLEET, boards: Boards = None, as_json: Json = False) -> None:
    """What is installed, plugged in, accessible and in the way, with the line that mends it."""
    from einthoven.fleet.doctor import NOTE, PROBLEM, examine
    from einthoven.report.answers import Doctor, DoctorFinding
    from einthoven.report.schema import dump
    from einthoven.report.text import console

    found = examine(fleet)
    problems = sum(one.state == PROBLEM for one in found)
    if as_json:
        facts = [
            DoctorFinding(about=f.about, state=f.state, found=f.found, mend=f.mend) for f in found
        ]
        print(dump(Doctor(findings=facts, problems=problems)))
    else:
        screen = console()
        styles = {PROBLEM: "red", NOTE: "dim"}
        for one in found:
            words = f"{one.state:<8}{one.about}: {one.found}"
            screen.print(words, style=styles.get(one.state), soft_wrap=True)
            if one.mend:
                screen.print(f"        {one.mend}", style=styles.get(one.state), soft_wrap=True)
        count = f"{problems} problem{'s' if problems != 1 else ''}" if problems else "no problems"
        screen.print(count, soft_wrap=True)
    if problems:
        raise typer.Exit(1)


def flash(
    names: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="[NAME]...",
            help="Devices of the fleet file, or a board (see: einthoven boards).",
            show_default=False,
        ),
    ] = None,
    every: Annotated[bool, typer.Option("--all", help="All devices of the fleet file.")] = False,
    fleet: FleetFile = _FLEET,
    port: Port = None,
    probe: Annotated[
        str, typer.Option(help="Of a board: serial:NUMBER or usb:PATH of what flashes it.")
    ] = "",
    flasher: Annotated[str, typer.Option(help="Tool, instead of the board's usual one.")] = "",
    boards: Boards = None,
    model: OwnModel = None,
    release: Annotated[
        Path | None,
        typer.Option(help="Folder of a signed release (einthoven sign-image).", show_default=False),
    ] = None,
    unsigned: Annotated[
        bool, typer.Option("--unsigned", help="Even if the fleet's operator has not signed it.")
    ] = False,
    allow_downgrade: Annotated[
        bool, typer.Option("--allow-downgrade", help="Even if it is older than what they have.")
    ] = False,
    jobs: Annotated[int, typer.Option(min=1, help="Devices at the same time.")] = 16,
    as_json: Json = False,
) -> None:
    """Build firmware and write it to boards, all at once: verified, retried once, noted."""
    from einthoven.errors import UsageError
    from einthoven.fleet.flashing import Flashing
    from einthoven.fleet.ledger import FLASHED, FlashReport, Ledger
    from einthoven.hil_tests.harness.introduce import introduce
    from einthoven.monitor.stopping import Stopping
    from einthoven.report.schema import dump

    if bool(names) == every:
        raise UsageError("name devices or a board, or say --all (see: einthoven flash --help)")
    use_own(model)
    found, devices, in_file = _chosen(names or [], fleet, port, probe, flasher)
    plans, unbuilt = _plans(found, devices, release, unsigned)
    ledger = Ledger(found.path) if in_file else None
    # Ctrl-C, `kill` and the end of an ssh session: no tool is left at work, and all is told.
    with Stopping() as stopping, _shown(plans, as_json) as progress:
        flashing = Flashing(found, ledger, introduce, progress, allow_downgrade)
        made = [*flashing.run(plans, jobs, lambda: stopping.asked), *unbuilt]
    order = [device.name for device in devices]
    done = sorted(made, key=lambda one: order.index(one.name))
    failed = sum(outcome.outcome != FLASHED for outcome in done)
    if as_json:
        where = str(ledger.lines) if ledger else None
        print(dump(FlashReport(devices=done, failed=failed, ledger=where)))
    else:
        _tell(done, failed, ledger)
    sys.stdout.flush()
    if in_file:
        _note_ids(found, done)
    stopping.conclude()
    if failed:
        raise typer.Exit(1)


def _chosen(
    names: list[str], path: Path, port: str | None, probe: str, flasher: str
) -> tuple["Fleet", tuple["Entry", ...], bool]:
    """The fleet, the devices of it that are meant, and whether a file has them."""
    from einthoven.boards.board import list_boards, load_board
    from einthoven.errors import BoardError, KeysError, UsageError
    from einthoven.fleet import inventory
    from einthoven.fleet.inventory import Entry, Fleet

    fleet = inventory.read(path) if path.exists() or path != _FLEET else Fleet(path, ())
    texts = (text for d in fleet.devices for text in (d.name, d.id, d.id.upper()) if text)
    known = set(texts)
    if set(names) <= known:
        if port or probe or flasher:
            raise UsageError(f"--port, --probe and --flasher are for a board: {path} names them")
        found = inventory.read(path)
        return found, found.choose(names), True
    if len(names) > 1 or names[0] not in list_boards():
        strange = next(name for name in names if name not in known)
        where = f"no device of {path}" if path.exists() else f"no board, and there is no {path}"
        raise KeysError(f"'{strange}' is {where} (see: einthoven boards, einthoven fleet scan)")
    board = load_board(names[0])
    if board.command is not None:
        raise BoardError(f"{board.name} is a process on this machine: there is nothing to flash")
    entry = Entry(board.name, board=board.name, port=port or "", probe=probe, flasher=flasher)
    return Fleet(path, (entry,), signed_by=fleet.signed_by), (entry,), False


def _plans(
    fleet: "Fleet", devices: tuple["Entry", ...], release: Path | None, unsigned: bool
) -> tuple[list["Plan"], list["Flashed"]]:
    """What is going to be done; firmware of each kind is built once, before any is written.

    And what came of devices whose firmware cannot be built, unless that is so for all of them.
    """
    from einthoven.boards.board import Board, load_board
    from einthoven.errors import BoardError, BuildError, KeysError
    from einthoven.fleet import firmware
    from einthoven.fleet.firmware import Firmware
    from einthoven.fleet.flashers import registry as flashers
    from einthoven.fleet.flashing import not_begun, plan

    for device in devices:
        if not device.board:
            raise KeysError(f"{fleet.path}: say which board {device.name} is (board = …)")
        try:
            flashers.choose(load_board(device.board), device.flasher)
        except BoardError as error:
            raise BoardError(f"{device.name}: {error}") from None
    kinds: dict[str, tuple[Board, Firmware]] = {}
    failed: dict[str, BuildError] = {}
    trusted = firmware.trusted_key(fleet, unsigned)
    for name in dict.fromkeys(device.board for device in devices):
        board = load_board(name)
        firmware.require_signed(fleet, board, release, unsigned)
        if release is not None:
            kinds[name] = board, firmware.released(release, board, trusted)
            continue
        try:
            kinds[name] = board, firmware.built(board)
        except BuildError as error:
            failed[name] = error
    if failed and not kinds:
        raise next(iter(failed.values()))
    return (
        [plan(fleet, d, *kinds[d.board]) for d in devices if d.board in kinds],
        [not_begun(fleet, d, failed[d.board]) for d in devices if d.board in failed],
    )


@contextmanager
def _shown(plans: list["Plan"], quiet: bool) -> Iterator["Progress"]:
    """A line a device while they are flashed, on a terminal."""
    from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

    from einthoven.report.text import console

    screen = console()
    if quiet or not screen.is_terminal:
        yield lambda name, done, what: None
        return
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        TextColumn("{task.percentage:>3.0f} %"),
        TextColumn("{task.fields[what]}"),
        TimeElapsedColumn(),
    )
    with Progress(*columns, console=screen) as bars:
        rows = {p.device.name: bars.add_task(p.device.name, total=1.0, what="") for p in plans}

        def told(name: str, done: float, what: str) -> None:
            bars.update(rows[name], completed=done, what=what)

        yield told


def _note_ids(fleet: "Fleet", done: list["Flashed"]) -> None:
    """Ids that the file lacks; one that cannot be written is the user's to write."""
    from einthoven.errors import KeysError
    from einthoven.fleet import inventory

    for outcome in done:
        own = outcome.id not in ("", outcome.name)  # a simulated one may go by its name
        if own and not fleet.device(outcome.name).id:
            try:
                inventory.note_id(fleet.path, outcome.name, outcome.id)
            except KeysError as error:
                print(f"warning: {error}", file=sys.stderr)
            except OSError as error:
                words = f'{fleet.path} cannot be written ({error.strerror}): write id = "'
                print(f'warning: {words}{outcome.id}" for {outcome.name}', file=sys.stderr)


def _tell(done: list["Flashed"], failed: int, ledger: object) -> None:
    from einthoven.fleet.ledger import FLASHED
    from einthoven.report.text import console

    screen = console()
    for one in done:
        if one.outcome == FLASHED:
            extra = "".join(
                f", {words}"
                for words in (
                    f"key {one.key}" if one.key else "",
                    "at the second try" if one.tries > 1 else "",
                    one.message,
                )
                if words
            )
            screen.print(
                f"{one.name}: flashed by {one.flasher} in {one.seconds:.0f} s, {one.verified}"
                f"{f', is {one.id}' if one.id else ''}{extra}",
                soft_wrap=True,
            )
        else:
            words = one.message.removeprefix(f"{one.name}: ")
            screen.print(f"{one.name}: {one.outcome}: {words}", style="red", soft_wrap=True)
    total = len(done)
    if total > 1:
        screen.print(f"{total} devices: {total - failed} flashed, {failed} not", soft_wrap=True)
