"""From a line of the fleet file to a link: the board of a device, its port now, its process."""

from collections.abc import Iterator
from contextlib import contextmanager

from einthoven.boards.board import Board, load_board, one_of_many, running
from einthoven.errors import BoardError, KeysError
from einthoven.fleet import lock, usb
from einthoven.fleet.inventory import Entry, Fleet


def board_of(fleet: Fleet, device: Entry) -> Board:
    """The device's board; of one that is a process with the program that was flashed into it.

    Raises KeysError if the fleet file does not say which, BoardError if there is no such board.
    """
    if not device.board:
        raise KeysError(
            f'{fleet.path}: say which board {device.name} is (board = "…"; see: einthoven boards)'
        )
    board = load_board(device.board)
    if board.command is None:
        if device.words:
            raise KeysError(f"{fleet.path}: {device.name} is no process, which 'words' are for")
        return board
    if not identity(device).isascii():
        raise KeysError(
            f"{fleet.path}: give {device.name} an 'id': a process says what it is called by, and "
            "boards say their numbers in ASCII"
        )
    return one_of_many(board, identity(device), fleet.folder(device), device.words)


def identity(device: Entry) -> str:
    """By what a device is known: the chip's unique id, else the name that it has here."""
    return device.id or device.name


def port_of(device: Entry) -> str | None:
    """What pyserial opens for the device now; None: whichever there is of its board.

    Raises BoardError if nothing is plugged in there, or if it is not clear what is meant.
    """
    place = device.port or device.probe
    if place.startswith(("usb:", "serial:")):
        return str(usb.serial_port(place, usb.plugged_in(), device.name))
    return place or None


@contextmanager
def link(fleet: Fleet, device: Entry) -> Iterator[str]:
    """The URL of the device for pyserial, as `boards.board.running` gives it. Takes no lock."""
    board = board_of(fleet, device)
    if board.command is not None and not device.port:
        fleet.folder(device).mkdir(parents=True, exist_ok=True)
    with running(board, port_of(device)) as url:
        yield url


@contextmanager
def reached(fleet: Fleet, device: Entry, doing: str = "") -> Iterator[str]:
    """The same, with the device's lock held. Raises BoardError, KeysError."""
    with lock.held(fleet, device, doing), link(fleet, device) as url:
        yield url


def require_identity(device: Entry, serial: str, url: str) -> None:
    """Raise BoardError unless what answers on `url` as `serial` is the device.

    A device whose id the fleet file does not have may be any.
    """
    if device.id and device.id != serial:
        raise BoardError(
            f"what answers on {url} is {serial or 'without an id'}, and {device.name} is "
            f"{device.id}: plug in that one, or correct the fleet file"
        )


def own_serial(board: Board, serial: str) -> str:
    """The number that a device says, if it is its own: an emulated chip has one of a kind."""
    emulated = board.command is not None and not board.device_words
    blank = set(serial.lower()) in ({"0"}, {"f"})
    return "" if emulated or blank else serial
