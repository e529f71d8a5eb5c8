"""Firmware as the page carries it: a manifest with its images (docs/page.md, `web/src/flash`)."""

import base64
import hashlib
import zlib
from typing import Any

from einthoven import __version__
from einthoven.boards import uf2
from einthoven.boards.board import Board
from einthoven.errors import BoardError
from einthoven.fleet.firmware import Firmware
from einthoven.fleet.flashers.registry import choose
from einthoven.page import FIRMWARE_FORMAT

_WAYS = {"stm32loader": "stm32", "esptool": "esp", "uf2": "uf2"}
"""A flasher of a board.toml, and what the page does in its place."""


def way(board: Board) -> tuple[str, dict[str, Any]]:
    """How the page gets firmware into the board, and what its board.toml says to that flasher.

    Raises BoardError if it cannot.
    """
    for tool, name in _WAYS.items():
        if tool in board.flash_tools and board.command is None:
            return name, choose(board, tool)[1]
    raise BoardError(
        f"{board.name} cannot be flashed by the page, which does so through a serial boot loader "
        f"or a UF2 drive ({', '.join(_WAYS)} in board.toml): use `einthoven flash {board.name}`"
    )


def manifest(firmware: list[tuple[Board, Firmware]]) -> dict[str, Any]:
    """What the page is given: format, and of each board who it is, where its image goes, and that.

    Images are compressed (zlib) and in Base64; `bytes` and `sha256` are of the image itself.
    Raises BoardError for a board that the page cannot flash.
    """
    return {"format": FIRMWARE_FORMAT, "images": [_image(b, f) for b, f in firmware]}


def _image(board: Board, firmware: Firmware) -> dict[str, Any]:
    how, settings = way(board)
    content = firmware.image.read_bytes()
    program = {"bytes": len(content), "crc32": zlib.crc32(content)}
    about: dict[str, Any] = {"way": how, "program": program}
    if how == "stm32":
        about |= {"chip": board.mcu, "device_id": settings.get("device_id")}
        if not isinstance(about["device_id"], int):
            raise BoardError(f"boards/{board.name}/board.toml: [flash] needs a number 'device_id'")
    elif how == "esp":
        about["chip"] = settings["chip"]
    else:
        family = uf2.FAMILIES[settings["family"]]
        about["drive"] = family.board_id
        content = uf2.encode(content, family)
    address = settings["address"] if firmware.address is None else firmware.address
    return about | {
        "board": board.name,
        "title": board.title,
        "version": firmware.version or __version__,
        "address": address,
        "bytes": len(content),
        "sha256": hashlib.sha256(content).hexdigest(),
        "data": base64.b64encode(zlib.compress(content, 9)).decode("ascii"),
    }
