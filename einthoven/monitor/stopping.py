"""Ctrl-C, the end of an ssh session and `kill`: what runs comes to its own end, orderly."""

import signal
import threading
from types import FrameType, TracebackType
from typing import Any

_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class Stopping:
    """For the block, the first signal that asks for an end sets `asked`; the second interrupts.

    Whatever writes a file is so never cut in the middle. In another thread than the main one it
    changes nothing.
    """

    def __init__(self) -> None:
        self.asked = False
        """The loop has to end."""
        self._before: dict[int, Any] = {}

    def __enter__(self) -> "Stopping":
        if threading.current_thread() is threading.main_thread():
            self._before = {number: signal.signal(number, self._ask) for number in _SIGNALS}
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)

    def conclude(self) -> None:
        """Ends with KeyboardInterrupt, exit code 130, if it was asked for."""
        if self.asked:
            raise KeyboardInterrupt

    def _ask(self, number: int, frame: FrameType | None) -> None:
        if self.asked:
            raise KeyboardInterrupt
        self.asked = True
