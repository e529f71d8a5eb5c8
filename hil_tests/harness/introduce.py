"""A device that was just flashed: asked who it is, held to what was written, given its key."""

from einthoven.boards.board import Board, list_boards, load_board
from einthoven.errors import BoardError, LinkError
from einthoven.fleet import reach
from einthoven.fleet.flashers.trouble import FlashError, Trouble
from einthoven.fleet.flashing import Introduced
from einthoven.fleet.inventory import Entry, Fleet
from einthoven.fleet.proof import fingerprint
from einthoven.fleet.scan import Who
from einthoven.hil_tests.harness.device import Device

ASK_S = (1.0, 1.0, 2.0)
"""Patience with a port on which nobody may be: a board that opening it restarts has then booted."""


def introduce(fleet: Fleet, entry: Entry, board: Board, image: bytes, url: str) -> Introduced:
    """Ask the device on `url` who it is; `image` is what was written into it.

    A device that takes a key gets the fleet file's, or proves that it has it. Raises BoardError if
    it is another device or runs something else, KeysError if it has another key, LinkError.
    """
    with Device(url, baud=board.baud, expect_board=board) as device:
        who = device.hello
        serial = reach.own_serial(board, who.serial)
        if serial or board.command is None:
            reach.require_identity(entry, serial, url)
        if bytes.fromhex(who.model_sha256) not in image or who.build.encode() not in image:
            raise FlashError(
                Trouble.NOT_VERIFIED,
                f"{entry.name} runs model {who.model} of {who.build or 'another build'}, which is "
                "not what was written: was it restarted?",
            )
        key = _give_key(device, fleet, entry) if board.is_device else ""
    return Introduced(serial, who.build, who.model, who.model_sha256, who.pipeline_sha256, key)


def who_is(port: str, baud: int) -> Who | None:
    """Who answers on a port; None: nobody. Raises BoardError if it cannot be opened."""
    try:
        with Device(port, baud=baud, timeouts_s=ASK_S) as device:
            hello = device.hello
            known = hello.board in list_boards()
            own = reach.own_serial(load_board(hello.board), hello.serial) if known else hello.serial
            return Who(hello.board, own)
    except LinkError:
        return None


def _give_key(device: Device, fleet: Fleet, entry: Entry) -> str:
    """The fingerprint of the key that the device has afterwards; "": it is open to all."""
    state = device.key_state()
    if not entry.key:
        if state != "none":
            raise BoardError(
                f"{entry.name} has a key, and the fleet file does not say where it is kept "
                '(key = "file:…")'
            )
        return ""
    key = fleet.key(entry)
    if state == "none":
        device.set_key(key)
    else:
        device.unlock(key)
    return fingerprint(key)
