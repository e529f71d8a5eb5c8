"""A fleet file proposed from what is plugged in.

Each device is named by its serial number or its socket; a board that answers on its serial port is
asked who it is. A debug probe comes with the tool that flashes through it. Devices that the fleet
file has already are left as they are.
"""

import itertools
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace

from einthoven.boards.board import Board, list_boards, load_board
from einthoven.errors import BoardError
from einthoven.fleet import inventory, probes, usb
from einthoven.fleet.flashers import openocd, pyocd
from einthoven.fleet.flashers.dfu_util import ROM, rom_serial
from einthoven.fleet.flashers.registry import FLASHERS
from einthoven.fleet.inventory import Entry, Fleet
from einthoven.fleet.probes import Probe
from einthoven.fleet.usb import UsbDevice


@dataclass(frozen=True)
class Who:
    """What answered on a port."""

    board: str
    serial: str


Ask = Callable[[str, int], Who | None]
"""Asks on a port at a speed (bauds); None: nobody answers."""


@dataclass(frozen=True)
class Found:
    """A device, plugged in or in the fleet file."""

    state: str
    """"new", "known", or "absent": the fleet file has it, and it is not plugged in."""
    entry: Entry
    """As the fleet file has it, or might have it."""
    what: str
    """What is plugged in, for people."""
    boards: tuple[str, ...] = ()
    """Of a new one that did not answer: the boards that it may be."""


def scan(
    fleet: Fleet, plugged: Sequence[UsbDevice], ask: Ask, seen: Sequence[Probe] = ()
) -> list[Found]:
    """What is plugged in and might be a board, and what the fleet file misses.

    `seen`: what pyOCD knows of the debug probes among it.
    """
    boards = [load_board(name) for name in list_boards()]
    taken: set[str] = set()
    found: list[Found] = []
    for device in fleet.devices:
        places = _places(device, plugged)
        if places:
            taken |= {d.path for d in places}
            found.append(Found("known", device, places[0].words))
        elif not _is_simulated(device, boards):
            where = device.port or device.probe or "nowhere"
            found.append(Found("absent", device, f"at {where}"))
    names = {device.name for device in fleet.devices}
    for usb_device in plugged:
        if usb_device.path not in taken:
            probe = probes.of(usb_device, seen)
            found += _new(usb_device, probe, plugged, boards, fleet, names, ask)
    return found


def _is_simulated(device: Entry, boards: Iterable[Board]) -> bool:
    return any(b.command is not None and b.name == device.board for b in boards)


def _places(device: Entry, plugged: Sequence[UsbDevice]) -> list[UsbDevice]:
    """Where a device of the fleet is plugged in: its probe, its adapter, itself in its loader."""
    found = []
    for place in filter(None, (device.port, device.probe)):
        try:
            found.append(usb.find(place, plugged, device.name))
        except BoardError:
            continue
    number = rom_serial(device.id)
    return found + [d for d in plugged if d.kind == ROM and number and d.serial == number]


def _new(
    device: UsbDevice,
    probe: Probe | None,
    plugged: Sequence[UsbDevice],
    boards: Sequence[Board],
    fleet: Fleet,
    names: set[str],
    ask: Ask,
) -> list[Found]:
    tools = [f.name for f in FLASHERS.values() if device.kind in f.probes]
    if probe is not None and pyocd.TOOL.name not in tools:
        tools.append(pyocd.TOOL.name)
    behind = _behind(probe, boards)
    if not device.ports:
        if not tools:
            return []
        may_be = [b for b in behind if any(tool in b.flash_tools for tool in tools)]
        entry = Entry("x", probe=usb.address(device, plugged), flasher=_flasher(tools, may_be))
        return [_proposed(device, names, entry, [b.name for b in may_be])]
    fitting = [b for b in behind if device.kind in b.usb or (probe and _chip(b) == probe.target)]
    if not fitting and not tools:
        return []
    found = []
    for interface, node in device.ports:
        place = usb.port_address(device, interface, plugged)
        who = _asked(str(node), fitting, ask)
        if who is None:
            entry = Entry("x", port=place)
        elif (known := fleet.by_id(who.serial)) is None:
            entry = Entry("x", who.serial, who.board, port=place)
        else:
            moved = f"{device.words}, answers as {who.serial}: correct its place to {place}"
            found.append(Found("known", known, moved))
            continue
        if probe is not None:
            may_be = [b for b in behind if b.name == entry.board] if who else fitting
            flasher = _flasher(tools, may_be)
            entry = replace(entry, probe=usb.address(device, plugged), flasher=flasher)
        found.append(_proposed(device, names, entry, [] if who else [b.name for b in fitting]))
    return found


def _chip(board: Board) -> str | None:
    """How pyOCD calls the board's chip; None: its board.toml does not say."""
    return board.flash_tools.get(pyocd.TOOL.name, {}).get("target")


def _behind(probe: Probe | None, boards: Sequence[Board]) -> list[Board]:
    """The boards that may be wired to a probe: of one that is part of a board, those of its chip,
    or, where none is, those that do not say what pyOCD calls theirs."""
    if probe is None or not probe.target:
        return list(boards)
    same = [b for b in boards if _chip(b) == probe.target]
    return same or [b for b in boards if _chip(b) is None]


def _flasher(tools: Sequence[str], boards: Sequence[Board]) -> str:
    """The debug probe's tool that all of the boards have, the usual one of a single board first."""
    mine = [tool for tool in tools if tool in (openocd.TOOL.name, pyocd.TOOL.name)]
    order = [t for t in boards[0].flash_tools if t in mine] if len(boards) == 1 else mine
    return next((t for t in order if boards and all(t in b.flash_tools for b in boards)), "")


def _asked(port: str, boards: Sequence[Board], ask: Ask) -> Who | None:
    for baud in dict.fromkeys(b.baud for b in boards):
        who = ask(port, baud)
        if who is not None:
            return who
    return None


def _proposed(device: UsbDevice, names: set[str], entry: Entry, may_be: Sequence[str]) -> Found:
    board = entry.board or (may_be[0] if len(may_be) == 1 else "")
    stem = board or "device"
    name = next(n for i in itertools.count(1) if (n := f"{stem}-{i:02d}") not in names)
    names.add(name)
    made = replace(entry, name=name, board=board)
    return Found("new", made, device.words, () if board else tuple(may_be))


def toml(found: Iterable[Found]) -> str:
    """The new ones as they would stand in the fleet file, each with a line of what it is."""
    tables = []
    for one in found:
        if one.state == "new":
            note = f"# {usb.printable(one.what)}\n"
            if one.boards:
                note += f'# say which: board = "{" | ".join(one.boards)}"\n'
            tables.append(note + inventory.toml(one.entry))
    return "\n".join(tables)
