"""A fleet file proposed from what is plugged in.

Each device is named by its serial number or its socket; a board that answers on its serial port is
asked who it is. Devices that the fleet file has already are left as they are.
"""

import itertools
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from einthoven.boards.board import Board, list_boards, load_board
from einthoven.errors import BoardError
from einthoven.fleet import inventory, usb
from einthoven.fleet.flashers.dfu_util import ROM, rom_serial
from einthoven.fleet.flashers.registry import FLASHERS
from einthoven.fleet.inventory import Entry, Fleet
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


def scan(fleet: Fleet, plugged: Sequence[UsbDevice], ask: Ask) -> list[Found]:
    """What is plugged in and might be a board, and what the fleet file misses."""
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
            found += _new(usb_device, plugged, boards, fleet, names, ask)
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
    plugged: Sequence[UsbDevice],
    boards: Sequence[Board],
    fleet: Fleet,
    names: set[str],
    ask: Ask,
) -> list[Found]:
    if not device.ports:
        tools = [f.name for f in FLASHERS.values() if device.kind in f.probes]
        if not tools:
            return []
        may_be = [b.name for b in boards if any(tool in b.flash_tools for tool in tools)]
        place = usb.address(device, plugged)
        return [_proposed(device, names, Entry("x", probe=place), may_be)]
    fitting = [b for b in boards if device.kind in b.usb]
    is_probe = any(device.kind in f.probes for f in FLASHERS.values())
    if not fitting and not is_probe:
        return []
    found = []
    for interface, node in device.ports:
        place = usb.port_address(device, interface, plugged)
        who = _asked(str(node), fitting, ask)
        entry = Entry("x", port=place)
        if who is None:
            found.append(_proposed(device, names, entry, [b.name for b in fitting]))
            continue
        known = fleet.by_id(who.serial)
        if known is not None:
            moved = f"{device.words}, answers as {who.serial}: correct its place to {place}"
            found.append(Found("known", known, moved))
            continue
        entry = Entry("x", who.serial, who.board, port=place)
        found.append(_proposed(device, names, entry, []))
    return found


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
    made = Entry(name, entry.id, board, port=entry.port, probe=entry.probe)
    return Found("new", made, device.words, () if board else tuple(may_be))


def toml(found: Iterable[Found]) -> str:
    """The new ones as they would stand in the fleet file, each with a line of what it is."""
    tables = []
    for one in found:
        if one.state == "new":
            note = f"# {one.what}\n"
            if one.boards:
                note += f'# say which: board = "{" | ".join(one.boards)}"\n'
            tables.append(note + inventory.toml(one.entry))
    return "\n".join(tables)
