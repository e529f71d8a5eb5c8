"""What keeps boards from being built, flashed and reached on this machine, and what mends it."""

import os
import shutil
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

from einthoven.boards.board import Board, list_boards, load_board
from einthoven.errors import BoardError, EinthovenError
from einthoven.fleet import inventory, lock, reach, usb
from einthoven.fleet.flashers.registry import COMMAND, FLASHERS, TOOLS, choose, names
from einthoven.fleet.flashers.trouble import udev_rule
from einthoven.fleet.inventory import Fleet
from einthoven.fleet.ledger import Ledger
from einthoven.paths import cache_dir

PROC = Path("/proc")
RULES = (Path("/etc/udev/rules.d"), Path("/usr/lib/udev/rules.d"), Path("/lib/udev/rules.d"))
FREE_BYTES = 500_000_000
"""A build of all boards takes some 200 MB."""

OK, NOTE, PROBLEM = "ok", "note", "problem"
_DRIVERS = {"1a86:7523": "ch341", "1a86:55d4": "ch341", "10c4:ea60": "cp210x",
            "0403:6001": "ftdi_sio", "067b:2303": "pl2303"}  # fmt: skip


@dataclass(frozen=True)
class Finding:
    """One thing that was looked at."""

    about: str
    state: str
    """"ok"; "note": only something that is not needed now is missing; "problem"."""
    found: str
    mend: str = ""
    """The line that mends it."""


def examine(fleet_file: Path) -> list[Finding]:
    """All of it. A fleet file need not be there; with one, what its boards need is needed."""
    fleet, told = _fleet(fleet_file)
    plugged = usb.plugged_in()
    needed = {device.board for device in fleet.devices} if fleet else set()
    found = [*_tools(needed, fleet), *_plugged(plugged), *_in_the_way(plugged), *told]
    found += (
        [*_devices(fleet, plugged), *_ledger(fleet), *_locks(), _disk()]
        if fleet
        else [*_locks(), _disk()]
    )
    return found


def _fleet(path: Path) -> tuple[Fleet | None, list[Finding]]:
    if not path.exists():
        return None, [Finding("fleet", NOTE, f"no {path}", "einthoven fleet scan --write")]
    try:
        fleet = inventory.read(path)
    except EinthovenError as error:
        return None, [Finding("fleet", PROBLEM, str(error), f"edit {path}")]
    count = len(fleet.devices)
    return fleet, [Finding("fleet", OK, f"{path}: {count} device{'' if count == 1 else 's'}")]


def _tools(needed: set[str], fleet: Fleet | None) -> Iterator[Finding]:
    """Compilers, emulators, flashers: what each is for, and whether it is missing."""
    uses: dict[tuple[str, str], list[str]] = {}
    for name in list_boards():
        board = load_board(name)
        if board.compiler[0]:
            uses.setdefault((board.compiler[0], board.compiler[1]), []).append(name)
        for command, package in board.packages:
            uses.setdefault((command, package), []).append(name)
    wanted = _flashers(fleet)
    for (tool, package), boards in sorted(uses.items()):
        if "{" in tool:
            continue
        missing = shutil.which(tool) is None
        mend = f"sudo apt-get install {package}"
        yield _tool(tool, missing, bool(needed & set(boards)), boards, mend)
    for flasher, told in sorted(TOOLS.items()):
        boards = [n for n in list_boards() if flasher in names(load_board(n))]
        if told.command[0] == sys.executable:
            missing = find_spec(told.command[2]) is None
            mend = f"{sys.executable} -m {told.install}"
        else:
            missing, mend = shutil.which(told.command[0]) is None, f"sudo {told.install}"
        yield _tool(flasher, missing, flasher in wanted, boards, mend)


def _flashers(fleet: Fleet | None) -> set[str]:
    """Those that the fleet's devices are flashed by."""
    wanted = set()
    for device in fleet.devices if fleet else ():
        try:
            wanted.add(device.flasher or names(load_board(device.board))[0])
        except (BoardError, IndexError):
            continue
    return wanted


def _tool(tool: str, missing: bool, needed: bool, boards: Sequence[str], mend: str) -> Finding:
    use = f"for {', '.join(boards)}" if boards else "for no board here"
    if not missing:
        return Finding("tool", OK, f"{tool}, {use}")
    return Finding("tool", PROBLEM if needed else NOTE, f"{tool} is not installed, {use}", mend)


def _plugged(plugged: Sequence[usb.UsbDevice]) -> Iterator[Finding]:
    """What is plugged in that a board hangs on, and whether this user may open it."""
    kinds = {kind for flasher in FLASHERS.values() for kind in flasher.probes}
    adapters = {kind for name in list_boards() for kind in load_board(name).usb}
    ours = [d for d in plugged if d.kind in kinds | adapters]
    if not ours:
        yield Finding("plugged in", NOTE, "nothing that looks like a board", "plug one in")
    for device in ours:
        place = usb.address(device, plugged)
        denied = [node for _, node in device.ports if not _may_open(node)]
        if device.kind in kinds and not _may_open(device.node):
            yield Finding(
                "access", PROBLEM, f"{device.words}: no permission", udev_rule(device.kind)
            )
        elif denied:
            yield Finding(
                "access",
                PROBLEM,
                f"{denied[0]} ({device.words}): no permission",
                "sudo adduser $USER dialout   # then log in again",
            )
        elif not device.ports and device.kind in adapters - kinds:
            driver = _DRIVERS.get(device.kind, "usbserial")
            yield Finding(
                "driver", PROBLEM, f"{device.words} has no serial port", f"sudo modprobe {driver}"
            )
        else:
            shared = any(d.serial == device.serial for d in plugged if d.path != device.path)
            twin = ", whose number another has, too" if shared and device.serial else ""
            yield Finding("plugged in", OK, f"{device.words}{twin}: {place}")


def _may_open(node: Path) -> bool:
    return os.access(node, os.R_OK | os.W_OK)


def _in_the_way(plugged: Sequence[usb.UsbDevice]) -> Iterator[Finding]:
    """Programs that speak to every serial port that comes up, or take it."""
    running = set()
    for path in PROC.glob("[0-9]*/comm"):
        try:
            running.add(path.read_text().strip())
        except OSError:
            continue
    if "ModemManager" in running:
        yield Finding(
            "in the way",
            PROBLEM,
            "ModemManager writes to serial ports when they come up, and keeps them busy for half "
            "a minute",
            "sudo systemctl disable --now ModemManager",
        )
    brltty = "brltty" in running or any(_has_brltty(folder) for folder in RULES)
    if brltty and any(d.kind in ("1a86:7523", "10c4:ea60") for d in plugged):
        yield Finding(
            "in the way",
            PROBLEM,
            "brltty takes CH340 and CP2102 adapters for Braille displays",
            "sudo apt-get remove brltty",
        )


def _has_brltty(folder: Path) -> bool:
    return next(folder.glob("*brltty*.rules"), None) is not None


def _devices(fleet: Fleet, plugged: Sequence[usb.UsbDevice]) -> Iterator[Finding]:
    """Each device of the fleet: its board, its place, its key."""
    for device in fleet.devices:
        try:
            board = reach.board_of(fleet, device)
            if device.key:
                fleet.key(device)
            choose(board, device.flasher)
            if board.command is None and (device.port or device.probe):
                _require_there(device.port, device.probe, plugged, device.name)
        except EinthovenError as error:
            absent = "is not plugged in" in str(error)
            yield Finding(
                device.name,
                NOTE if absent else PROBLEM,
                str(error),
                "plug it in" if absent else f"edit {fleet.path}",
            )
        else:
            yield Finding(device.name, OK, _words(board))


def _ledger(fleet: Fleet) -> Iterator[Finding]:
    """Whether it can be read, and of which chips nobody knows what is in them."""
    busy = {holder.device for holder in lock.holders()}
    try:
        for entry in Ledger(fleet.path).unfinished():
            if entry.name not in busy:
                words = f"its flashing began at {entry.time}, and nothing says how it ended"
                yield Finding(entry.name, PROBLEM, words, f"einthoven flash {entry.name}")
    except BoardError as error:
        yield Finding("ledger", PROBLEM, str(error), f"edit {Ledger(fleet.path).lines}")


def _words(board: Board) -> str:
    flashers = [n for n in names(board) if n != COMMAND]
    return f"{board.name}{f', flashed by {flashers[0]}' if flashers else ''}"


def _require_there(port: str, probe: str, plugged: Sequence[usb.UsbDevice], name: str) -> None:
    for place in (port, probe):
        if place.startswith(("usb:", "serial:")):
            usb.find(place, plugged, name)


def _locks() -> Iterator[Finding]:
    for holder in lock.holders():
        yield Finding("in use", NOTE, f"{holder.device} by {holder.words}")


def _disk() -> Finding:
    place = cache_dir()
    while not place.exists():
        place = place.parent
    free = shutil.disk_usage(place).free
    words = f"{free / 1e9:.1f} GB free where firmware is built ({place})"
    if free < FREE_BYTES:
        return Finding("disk", PROBLEM, words, f"rm -r {cache_dir() / 'firmware'}")
    return Finding("disk", OK, words)
