"""Commands about a device's own log: log status, fetch, export, clear."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from einthoven.commands.boards import DeviceName
from einthoven.commands.options import Boards, Json, Port
from einthoven.commands.reaching import reached

if TYPE_CHECKING:
    from einthoven.device_log.copy import LogCopy
    from einthoven.hil_tests.harness.device import Device

FleetFile = Annotated[
    Path, typer.Option("--fleet", help="The operator's file of devices, for the device's key.")
]
KeyFile = Annotated[
    Path | None,
    typer.Option("--key", help="File of the device's key, instead.", show_default=False),
]
CopyPath = Annotated[
    Path | None,
    typer.Option(
        "--copy", help="File of the copy (default: logs/BOARD-SERIAL.log).", show_default=False
    ),
]
_FLEET = Path("fleet.toml")
_LOGS = Path("logs")


class _Opened:
    """A device that runs, and how to open what needs its key."""

    def __init__(self, device: "Device", fleet: Path, key: Path | None) -> None:
        self.device = device
        self._fleet, self._key = fleet, key

    def copy_path(self, given: Path | None) -> Path:
        from einthoven.hil_tests.harness.fetch import identity

        return given or _LOGS / f"{identity(self.device.hello).name}.log"

    def unlock(self) -> None:
        """Open the device, if it has a key. Raises KeysError if it is not to be had."""
        from einthoven.errors import KeysError
        from einthoven.fleet import inventory, keys

        serial = self.device.hello.serial
        if self._key is not None:
            self.device.unlock(keys.read_key(self._key))
            return
        entry = None
        if self._fleet.exists():
            fleet = inventory.read(self._fleet)
            entry = fleet.by_id(serial)
            if entry is not None and entry.key:
                self.device.unlock(fleet.key(entry))
                return
        if self.device.keeps_key() and self.device.key_state() == "set":
            where = f"is not in {self._fleet}" if self._fleet.exists() else f"no {self._fleet} here"
            raise KeysError(
                f"the device {serial or 'on ' + self.device.url} has a key, and {where}: name the "
                "operator's file with --fleet, or the key's with --key"
            )


@contextmanager
def _opened(board: str, port: str | None, fleet: Path, key: Path | None) -> Iterator[_Opened]:
    from einthoven.hil_tests.harness.device import Device

    with reached(board, port, fleet) as (kind, url), Device(url, baud=kind.baud) as device:
        yield _Opened(device, fleet, key)


def status(
    board: DeviceName,
    port: Port = None,
    boards: Boards = None,
    copy: CopyPath = None,
    as_json: Json = False,
) -> None:
    """What a device's log holds, and how much of it is here already. Needs no key."""
    from rich.table import Table

    from einthoven.device_log.copy import read_copy
    from einthoven.hil_tests.harness.fetch import is_complete
    from einthoven.report.answers import LogStatus
    from einthoven.report.schema import dump
    from einthoven.report.text import console

    with _opened(board, port, _FLEET, None) as opened:
        facts: dict[str, Any] = dict(opened.device.log_status())
        path = opened.copy_path(copy)
        here = read_copy(path) if path.exists() else None
        facts |= {
            "board": opened.device.hello.board,
            "serial": opened.device.hello.serial,
            "copy": str(path) if here else None,
            "copy_bytes": here.size if here else 0,
            "copy_complete": here is not None and is_complete(opened.device, here),
        }
    screen = console()
    if as_json:
        print(dump(LogStatus(**facts)))
        return
    grid = Table.grid(padding=(0, 2))
    for name, text in _status_rows(facts):
        grid.add_row(name, text)
    screen.print(grid, soft_wrap=True)


def _status_rows(facts: dict[str, Any]) -> list[tuple[str, str]]:
    from einthoven.device_log.times import hours

    if not facts["sectors"]:
        return [("log", "this board has no room for one")]
    lost = [
        f"{facts['given_up']:,} given up for newer ones" if facts["given_up"] else "",
        f"{facts['lost']:,} not kept" if facts["lost"] else "",
    ]
    here = f"{facts['copy_bytes']:,} bytes in {facts['copy']}" if facts["copy"] else "nothing yet"
    return [
        ("device", " ".join(filter(None, (facts["board"], facts["serial"])))),
        ("start", f"{facts['boot'] + 1}, {hours(facts['seconds'])} ago"),
        ("records", ", ".join([f"{facts['records']:,}", *filter(None, lost)])),
        ("room", f"{facts['bytes']:,} bytes in {facts['sectors']} sectors"),
        ("erased", f"{facts['least_erases']:,} to {facts['most_erases']:,} times a sector"),
        ("copy", here + (", complete" if facts["copy_complete"] else "")),
        ("state", "takes records" if facts["ready"] else "busy: a sector is being erased"),
    ]


def fetch(
    board: DeviceName,
    port: Port = None,
    boards: Boards = None,
    copy: CopyPath = None,
    fleet: FleetFile = _FLEET,
    key: KeyFile = None,
) -> None:
    """Copy a device's log. Interrupted, it goes on where it was; what came is kept."""
    with _opened(board, port, fleet, key) as opened:
        _fetch(opened, copy)


def _fetch(opened: _Opened, given: Path | None) -> "tuple[Path, LogCopy]":
    from rich.progress import (
        BarColumn,
        DownloadColumn,
        Progress,
        TimeRemainingColumn,
        TransferSpeedColumn,
    )

    from einthoven.device_log.copy import CopyFile
    from einthoven.errors import EinthovenError
    from einthoven.hil_tests.harness import fetch as fetching
    from einthoven.hil_tests.harness.alone import set_time
    from einthoven.native.log import LogError
    from einthoven.report.text import console

    path = opened.copy_path(given)
    device = opened.device
    screen = console(stderr=True)
    device.log_status()  # a board without a log says so, and not that it wants a key
    opened.unlock()
    set_time(device)  # the start under way gets its date
    with CopyFile(path, fetching.identity(device.hello)) as file:
        bar = Progress(
            *("[progress.description]{task.description}", BarColumn(), DownloadColumn()),
            *(TransferSpeedColumn(), TimeRemainingColumn()),
            console=screen,
            transient=True,
        )
        try:
            with bar:
                task = bar.add_task("log", total=None)

                def tell(came: int, ahead: int) -> None:
                    bar.update(task, completed=came, total=came + ahead)

                done = fetching.fetch(device, file, opened.unlock, tell)
        except LogError:  # of another log: the same command would end here again
            raise
        except (EinthovenError, KeyboardInterrupt):
            screen.print(
                f"{file.copy.size:,} bytes are in {path}: the same command goes on there",
                soft_wrap=True,
            )
            raise
        if done.given_up:
            screen.print(
                "What followed the earlier copy has been given up or deleted on the device since.",
                soft_wrap=True,
            )
        said = f"{done.bytes_new:,} bytes fetched"
        if done.bytes_before:
            said += f", {done.bytes_before:,} were here"
        retries = device.link.retries
        said += f"; {retries} requests were repeated" if retries else ""
        screen.print(f"{said}: {path} is complete", soft_wrap=True)
        return path, file.copy


def export(
    what: Annotated[
        str, typer.Argument(help="A board, whose log is fetched first, or a file: a copy, a dump.")
    ],
    out: Annotated[
        Path | None,
        typer.Option(help="Folder to write to (default: logs/BOARD-SERIAL).", show_default=False),
    ] = None,
    formats: Annotated[
        str, typer.Option("--format", help="Some of page, wfdb, edf, csv.")
    ] = "page,wfdb,edf,csv",
    patient: Annotated[
        str, typer.Option(help="Code or name of the patient, for page and EDF+.")
    ] = "",
    zone: Annotated[
        str | None,
        typer.Option(
            help="Time zone, as UTC or Asia/Kolkata (default: the computer's).", show_default=False
        ),
    ] = None,
    to: Annotated[
        Path | None,
        typer.Option(
            help="Seal it to the operator's public key (operator-seal.pub): one file, OUT.sealed.",
            show_default=False,
        ),
    ] = None,
    port: Port = None,
    boards: Boards = None,
    copy: CopyPath = None,
    fleet: FleetFile = _FLEET,
    key: KeyFile = None,
) -> None:
    """A log as a patient's page to read and print, and as WFDB, EDF+ and CSV."""
    from einthoven.device_log.copy import read_copy
    from einthoven.device_log.export import Options, export_sealed, parse_formats
    from einthoven.device_log.export import export as export_log
    from einthoven.device_log.reader import read_log
    from einthoven.errors import UsageError
    from einthoven.report.text import console

    options = Options(parse_formats(formats), patient, _zone(zone))
    if Path(what).is_file():
        path, fetched = Path(what), read_copy(Path(what))
    elif Path(what).suffix or len(Path(what).parts) > 1:  # no name of a board, nor of a device
        raise UsageError(f"there is no file {what}: name a copy or a dump, or a board")
    else:
        with _opened(what, port, fleet, key) as opened:
            path, fetched = _fetch(opened, copy)
    log = read_log(fetched)
    folder = out or (path.parent if path.parent != Path() else _LOGS) / path.stem
    screen = console()
    if to is not None:
        sealed = export_sealed(log, folder.with_name(f"{folder.name}.zip.sealed"), options, to)
        screen.print(f"wrote {sealed}: einthoven keys unseal opens it", soft_wrap=True)
    else:
        for made in export_log(log, folder, options):
            screen.print(f"wrote {made}", soft_wrap=True)
    for part in log.skipped:
        screen.print(f"at byte {part.offset}: {part.size} bytes left out, {part.why}")
    for note in log.notes.values():
        screen.print(note, soft_wrap=True)
    screen.print("Not a medical device.", style="dim")


def _zone(name: str | None) -> Any:
    from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

    from einthoven.errors import UsageError

    try:
        return None if name is None else ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise UsageError(f"no time zone '{name}': say UTC, or Asia/Kolkata") from None


def clear(
    board: DeviceName,
    force: Annotated[bool, typer.Option("--force", help="Delete it without a copy.")] = False,
    port: Port = None,
    boards: Boards = None,
    copy: CopyPath = None,
    fleet: FleetFile = _FLEET,
    key: KeyFile = None,
) -> None:
    """Delete a device's log, after the copy here was made complete."""
    from einthoven.errors import BoardError
    from einthoven.report.text import console

    anyway = 0xFFFFFFFF
    with _opened(board, port, fleet, key) as opened:
        if force:
            opened.device.log_status()
            opened.unlock()
            opened.device.log_clear(anyway, anyway)
            console().print("the log is deleted")
            return
        for _ in range(3):  # what is logged between the two is fetched, too
            path, fetched = _fetch(opened, copy)
            end = fetched.end
            if end is None or opened.device.log_clear(end.sequence, end.offset):
                console().print(f"the log is deleted; its copy is {path}", soft_wrap=True)
                return
        raise BoardError(
            f"the device on {opened.device.url} writes to its log faster than it is fetched: end "
            "what it records, then try again"
        )
