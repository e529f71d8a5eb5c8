"""A program in a pseudo-terminal, and what its screen shows (pyte: a terminal in memory)."""

import fcntl
import os
import pty
import select
import signal
import struct
import subprocess
import termios
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from types import TracebackType

import pyte

from einthoven.hil_tests.harness.device import Hello

WAIT_S = 120.0
"""Longer than any machine takes; what is waited for comes in a second or two."""


class TerminalProgram:
    """Runs `command` in a terminal of `columns` x `rows`. Use as a context manager."""

    def __init__(
        self, command: Sequence[str], columns: int, rows: int, folder: Path, encoding: str = "UTF-8"
    ) -> None:
        self.screen = pyte.Screen(columns, rows)
        self._stream = pyte.ByteStream(self.screen)
        self._fd, slave = pty.openpty()
        fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))
        self.before = termios.tcgetattr(slave)
        self._slave = slave
        variables = os.environ | {"TERM": "xterm-256color", "PYTHONIOENCODING": encoding}
        variables.pop("COLUMNS", None)
        variables.pop("LINES", None)
        self.process = subprocess.Popen(
            command, stdin=slave, stdout=slave, stderr=slave, cwd=folder, env=variables,
            start_new_session=True,
        )  # fmt: skip

    def __enter__(self) -> "TerminalProgram":
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
            self.process.wait(WAIT_S)
        os.close(self._fd)
        os.close(self._slave)

    @property
    def text(self) -> str:
        """What the screen shows, line by line."""
        return "\n".join(line.rstrip() for line in self.screen.display)

    def mode(self) -> list[object]:
        """The terminal's settings (termios)."""
        return list(termios.tcgetattr(self._slave))

    def press(self, keys: str) -> None:
        """Type."""
        os.write(self._fd, keys.encode())

    def until(self, holds: Callable[[str], bool]) -> str:
        """Wait until the screen's text fulfils a condition; AssertionError if it never does."""
        end = time.monotonic() + WAIT_S
        while not holds(self.text):
            assert time.monotonic() < end, f"not within {WAIT_S:.0f} s:\n{self.text}"
            self._read()
        return self.text

    def ended(self) -> int:
        """Wait for the end; the exit code."""
        end = time.monotonic() + WAIT_S
        while self.process.poll() is None:
            assert time.monotonic() < end, f"did not end:\n{self.text}"
            self._read()
        self._read()
        return self.process.returncode

    def _read(self) -> None:
        if select.select([self._fd], [], [], 0.05)[0]:
            self._stream.feed(os.read(self._fd, 65536))


def hello() -> Hello:
    """A board's greeting, for what needs no board."""
    return Hello(
        board="testboard", model="model", build="build", serial="1234",
        classes=("N", "S", "V", "F", "Q"), model_sha256="00" * 32, pipeline_sha256="00" * 32,
        rate_hz=180, adc_bits=12, gain_lsb_per_mv=200, rail_lo=-2048, rail_hi=2047,
        window_samples=1, channels=1, features=1, arena_bytes=0, head="none", head_bytes=0,
        head_crc=0, count_unit="none", reset_reason="power",
    )  # fmt: skip
