"""How long to wait for a board: measured in what it has had the chance to do, not by the wall.

On a busy machine a second of wall time may give a board that is a process none at all, and a board
that never got to run is not lost. `Patience` therefore counts (docs/wire.md, "Patience"):

- a look at the board (`LOOK_S`) at most once, however long it took: a program, a machine or a
  virtual machine that slept has not been waiting for anybody;
- for a process that was started here (`watching`): the processor time it got if it wants to run,
  nothing while it is stopped or waits for a disk, and all of the time if it sleeps, for it could
  have answered.

A process that has ended is told at once, with what ended it. Anything else ends as well: a serial
port's patience runs like a clock, and `HELD_S` is the longest that a process may be held up.
"""

import os
import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from einthoven.errors import LinkError
from einthoven.tool_output import first_error

LOOK_S = 0.05
"""So often a board is looked at while nothing comes from it."""
HELD_S = 60.0
"""Of one wait: longer than any scheduler keeps a process from running; beyond it, it is stuck."""


Started = subprocess.Popen[bytes] | subprocess.Popen[str]


class BoardProcess:
    """A board that is a process of this program; `log`: the file its output goes to."""

    def __init__(self, process: Started, log: IO[bytes] | None = None) -> None:
        self._process = process
        self._log = log

    @property
    def pid(self) -> int:
        """Its number."""
        return self._process.pid

    def ending(self) -> str | None:
        """What ended it, if it has ended."""
        code = self._process.poll()
        if code is None or code >= 0:
            return None if code is None else f"ended with code {code}"
        return f"was ended by signal {-code} ({signal.Signals(-code).name})"

    def last_words(self) -> str:
        """The cause of its end, from its last 2,000 bytes of output; empty if it said nothing, or
        someone else ended it."""
        if self._log is None or self._process.poll() in (-signal.SIGKILL, -signal.SIGTERM):
            return ""
        size = os.fstat(self._log.fileno()).st_size
        end = os.pread(self._log.fileno(), 2000, max(0, size - 2000)).decode(errors="replace")
        return first_error(end) if end.strip() else ""

    def stopped(self) -> bool:
        """Whether it is held by SIGSTOP or a debugger."""
        return bool(set("Tt") & self._threads()[0])

    def chance(self, elapsed_s: float, cpu_s: float | None) -> tuple[float, float]:
        """How much of the last `elapsed_s` it could have used, and its processor time until now.

        `cpu_s`: the processor time that the call before returned; None: there was none.
        """
        states, now_s = self._threads()
        if "R" in states:
            return min(elapsed_s, max(0.0, now_s - (now_s if cpu_s is None else cpu_s))), now_s
        return (0.0 if set("TtD") & states else elapsed_s), now_s

    def _threads(self) -> tuple[set[str], float]:
        """States of its threads as in proc(5), and the processor time of all; none elsewhere."""
        states, cpu_s = set(), 0.0
        for task in Path(f"/proc/{self._process.pid}/task").glob("*"):
            try:
                states.add((task / "stat").read_text().rpartition(")")[2].split()[0])
                cpu_s += int((task / "schedstat").read_text().split()[0]) / 1e9
            except (OSError, IndexError):  # a thread that has just ended, or not Linux
                continue
        return states, cpu_s


_watched: dict[str, BoardProcess] = {}


@contextmanager
def watching(url: str, process: BoardProcess | Started | None) -> Iterator[None]:
    """For the block, whoever waits for the board on `url` looks at `process`; None: nothing."""
    if process is not None:
        _watched[url] = process if isinstance(process, BoardProcess) else BoardProcess(process)
    try:
        yield
    finally:
        _watched.pop(url, None)


def watched(url: str) -> BoardProcess | None:
    """The process behind `url`, if it was started by this program."""
    return _watched.get(url)


class Patience:
    """Waits for the board on `url` for `seconds` of its chances. Call `look` after every wait."""

    def __init__(self, url: str, seconds: float) -> None:
        self._url = url
        self._seconds = seconds
        self._process = watched(url)
        self._cpu_s: float | None = None  # most waits end before a look, which costs something
        self._last = time.monotonic()
        self._used = self._waited = 0.0

    @property
    def over(self) -> bool:
        """Whether the board has had its chance, or was held up for longer than anything may be."""
        return self._used >= self._seconds or self._waited >= self._seconds + HELD_S

    @property
    def wait_s(self) -> float:
        """How long to wait until the next `look`."""
        return max(0.0, min(LOOK_S, self._seconds - self._used))

    def renew(self) -> None:
        """The board showed that it is at work."""
        self._used = self._waited = 0.0

    def look(self, meant_s: float = LOOK_S) -> None:
        """Count the time since the last look, `meant_s` at most: how long the wait was meant to be.

        Raises LinkError when the board's process has ended.
        """
        now = time.monotonic()
        elapsed = min(now - self._last, meant_s)
        self._last = now
        self._waited += elapsed
        if self._process is not None:
            if how := self._process.ending():
                words = self._process.last_words()
                said = f"; it said: {words}" if words else ""
                raise LinkError(f"the board on {self._url} is gone: its program {how}{said}")
            elapsed, self._cpu_s = self._process.chance(elapsed, self._cpu_s)
        self._used += elapsed
