"""The other end of a serial line: a pseudo-terminal on which a chip listens."""

import contextlib
import os
import select
import termios
import threading
import tty
from abc import abstractmethod
from types import TracebackType
from typing import Self


class Unplugged(Exception):  # noqa: N818 - it is no error of this program
    """The cable was pulled."""


class Wire:
    """A chip on a pseudo-terminal (`port`), in a thread, as a context manager.

    A pseudo-terminal has neither parity nor speed nor modem lines: whatever a tool sets of them is
    ignored. A subclass answers in `talk`, by `take` and `give`.
    """

    def __init__(self) -> None:
        self._master, slave = os.openpty()
        tty.setraw(slave, termios.TCSANOW)
        self.port = os.ttyname(slave)
        # Held open, so that tools can come and go.
        self._slave = slave
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)

    @abstractmethod
    def talk(self) -> None:
        """Answer whoever speaks, for ever."""

    def take(self, n: int) -> bytes:
        """The next `n` bytes that come."""
        found = b""
        while len(found) < n:
            ended = self._ended.is_set()
            if select.select([self._master], [], [], 0.1)[0]:
                try:
                    found += os.read(self._master, n - len(found))
                except OSError:
                    raise Unplugged from None
            elif ended:  # and what was sent until then is answered
                raise Unplugged
        return found

    def give(self, data: bytes) -> None:
        """Send."""
        while data:
            try:
                data = data[os.write(self._master, data) :]
            except OSError:
                raise Unplugged from None

    def unplug(self) -> None:
        """Pull the cable: who has the port open sees it go."""
        self._close()
        raise Unplugged

    def _run(self) -> None:
        with contextlib.suppress(Unplugged):
            self.talk()

    def _close(self) -> None:
        for name in ("_master", "_slave"):
            fd = getattr(self, name)
            if fd >= 0:
                setattr(self, name, -1)
                os.close(fd)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._ended.set()
        self._thread.join()
        self._close()
