"""All flashers by name, and which one a device has."""

import sys
import threading
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from einthoven.boards.board import Board, board_folders, filled, platformio_variables
from einthoven.errors import BoardError
from einthoven.fleet.flashers import copy, dfu_util, esp, openocd, pyocd, run, stm32_serial, uf2
from einthoven.fleet.flashers.job import Job, Step, Tool
from einthoven.fleet.flashers.run import Progress
from einthoven.fleet.flashers.trouble import Trouble

Write = Callable[[Job, Progress, threading.Event], str]
COMMAND = "command"
COPY = "copy"
_COMMAND_LIMIT_S = 600.0
"""Of a command of board.toml, which may fetch packages first."""


@dataclass(frozen=True)
class Flasher:
    """Something that writes firmware into a device."""

    name: str
    write: Write
    probes: frozenset[str] = frozenset()
    """USB devices that it flashes through."""
    needs_port: bool = False
    wake: str = ""
    """How a board is made to wait for it, if that is done by hand."""


TOOLS = {
    tool.name: tool
    for tool in (
        openocd.TOOL,
        pyocd.TOOL,
        dfu_util.TOOL,
        stm32_serial.LOADER,
        stm32_serial.FLASH,
        esp.TOOL,
    )
}
FLASHERS = {
    name: Flasher(name, partial(run.flash, tool), tool.probes, tool.needs_port, tool.wake)
    for name, tool in TOOLS.items()
} | {
    "uf2": Flasher("uf2", uf2.write, uf2.PROBES, wake="hold BOOTSEL while plugging it in"),
    COPY: Flasher(COPY, copy.write),
}


def names(board: Board) -> list[str]:
    """What flashes the board, its usual one first."""
    if board.command is not None:
        return [COPY]
    return [*([COMMAND] if board.flash_command else []), *board.flash_tools]


def choose(board: Board, name: str = "") -> tuple[Flasher, dict[str, Any]]:
    """The flasher called `name`, or the board's own, and what board.toml says to it.

    Raises BoardError if the board has no such one.
    """
    if board.command is not None:
        if name not in ("", COPY):
            raise BoardError(f"{board.name} is a process on this machine: it takes no {name}")
        return FLASHERS[COPY], {}
    name = name or next(iter(names(board)), "")
    if name == COMMAND and board.flash_command is not None:
        return _of_command(board), dict(board.flash_settings)
    if name not in FLASHERS or name not in board.flash_tools:
        has = ", ".join(names(board)) or "none"
        raise BoardError(f"{board.name} is not flashed by '{name}': its board.toml has {has}")
    return FLASHERS[name], {**board.flash_settings, **board.flash_tools[name]}


def _of_command(board: Board) -> Flasher:
    """What `[flash] command` of a board.toml says, as it stands."""
    assert board.flash_command is not None
    words = board.flash_command
    packages = dict(board.packages)
    package = packages.get(words[0])

    def steps(job: Job) -> list[Step]:
        values = {
            "port": job.port or "",
            "probe": job.probe.serial if job.probe else "",
            "program": str(job.program),
            "image": str(job.image),
        }
        return [Step(tuple(filled(board, words, values)[1:]), 1.0, _COMMAND_LIMIT_S)]

    tool = Tool(
        name=Path(words[0].format(python=sys.executable, folder=_folder(board))).name,
        command=(words[0].format(python=sys.executable, folder=_folder(board)),),
        install=f"apt-get install {package}" if package else "see the board's board.toml",
        steps=steps,
        verified="its tool's word",
        needs_port=any("{port}" in word for word in words),
        troubles=(
            ("[Pp]ermission denied|LIBUSB_ERROR_ACCESS", Trouble.NO_PERMISSION),
            ("No DFU capable USB device|hold BOOTSEL", Trouble.NOT_THERE),
        ),
    )
    return Flasher(COMMAND, partial(run.flash, tool), needs_port=tool.needs_port)


def _folder(board: Board) -> str:
    return str(board_folders().get(board.name, ""))


def environment(board: Board, flasher: Flasher) -> dict[str, str] | None:
    """A loader of board.toml may be PlatformIO's, which writes into the cache alone."""
    ours = flasher.name == COMMAND and board.project is not None
    return platformio_variables(board) if ours else None
