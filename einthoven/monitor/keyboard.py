"""Single keys from the terminal while it shows something."""

import os
import select
import sys
import termios
import tty
from types import TracebackType
from typing import Any

_DISABLED = b"\x00"


class Keyboard:
    """Keys as they are pressed, without echo, for the block; none where stdin is no terminal.

    Ctrl-C interrupts as ever; Ctrl-Z, which would leave the shell without echo, does nothing.
    """

    def __init__(self) -> None:
        self._fd = sys.stdin.fileno() if sys.stdin.isatty() else None
        self._before: list[Any] | None = None

    def __enter__(self) -> "Keyboard":
        if self._fd is not None:
            self._before = termios.tcgetattr(self._fd)
            tty.setcbreak(self._fd)
            mode = termios.tcgetattr(self._fd)
            mode[6][termios.VSUSP] = _DISABLED
            termios.tcsetattr(self._fd, termios.TCSANOW, mode)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._fd is not None and self._before is not None:
            termios.tcsetattr(self._fd, termios.TCSADRAIN, self._before)

    def pressed(self) -> str:
        """What was pressed since the last call; arrows and other sequences count as nothing."""
        if self._fd is None or not select.select([self._fd], [], [], 0)[0]:
            return ""
        data = os.read(self._fd, 64)
        return "" if data.startswith(b"\x1b") else data.decode("ascii", "ignore")
