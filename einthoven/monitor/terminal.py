"""The monitor in a terminal: takes what the board says, draws it, and does what keys ask for.

rich, and not textual: it is here anyway, asks the terminal nothing, and sends a screen of 60 x 20
characters, 2 to 3 kB, eight times a second; a key is one byte. So it is the same over ssh.
"""

import sys
import time
from contextlib import ExitStack
from datetime import datetime
from pathlib import Path

from rich.console import Console
from rich.live import Live

from einthoven.errors import RecordError
from einthoven.hil_tests.harness.device import Device
from einthoven.hil_tests.harness.watching import Began, Item, Watcher
from einthoven.monitor.keyboard import Keyboard
from einthoven.monitor.picture import Picture
from einthoven.monitor.recorder import Recorder
from einthoven.monitor.screen import Screen
from einthoven.monitor.stopping import Stopping
from einthoven.monitor.words import clock

FRAME_S = 0.125
STATUS_S = 10.0
"""So often a device is asked for its battery."""
_BEHIND_S = 1.5
"""More signal than this that is not shown yet: the strip jumps."""


class Terminal:
    """Shows a watched board until it is told to end.

    `source`: what it samples, in words; `folder`: where records go.
    """

    def __init__(self, device: Device, source: str, folder: Path) -> None:
        self._device, self._folder = device, folder
        self._watcher = Watcher(device)
        self._picture = Picture(device.hello)
        self._console = Console()
        plain = not (self._console.encoding or "").lower().startswith("utf")
        self._screen = Screen(self._picture, device.link, source, plain)
        self._position = 0.0  # of the strip's right edge; it moves with time, not with blocks
        self._recorder: Recorder | None = None
        self._records = ExitStack()
        self._asked_at = float("-inf")
        self._has_status = True

    def run(self, seconds: float | None) -> None:
        """Until `q`, Ctrl-C or so much signal. Raises LinkError, BoardError, OSError."""
        rate, last = self._device.hello.rate_hz, time.monotonic()
        with (
            self._records,
            Stopping() as stopping,
            Keyboard() as keyboard,
            Live(
                self._screen, console=self._console, screen=True, auto_refresh=False,
                redirect_stdout=False, redirect_stderr=False,
            ) as live,
        ):  # fmt: skip
            while not stopping.asked and (seconds is None or self._picture.end < seconds * rate):
                self._take(self._watcher.take(FRAME_S))
                if any(not self._do(key) for key in keyboard.pressed()):
                    break
                now = time.monotonic()
                if now - last >= FRAME_S:
                    self._ask_status(now)
                    self._move(now - last)
                    live.refresh()
                    last = now
            self._take(self._watcher.stop())
        stopping.conclude()

    def _take(self, items: list[Item]) -> None:
        self._picture.take(items)
        if any(isinstance(item, Began) for item in items):
            self._position = self._picture.end
        if self._recorder is None:
            return
        try:
            self._recorder.take(items)
        except (OSError, RecordError) as error:
            self._end_record(error)
            return
        self._screen.recording = (
            f"{self._recorder.name} {clock(self._recorder.samples / self._picture.hello.rate_hz)}"
        )

    def _do(self, key: str) -> bool:
        """What a key asks for; False: to end."""
        if key == " ":
            self._screen.frozen = not self._screen.frozen
        elif key in "mM":
            self._picture.mark()
            at = clock(self._picture.end / self._picture.hello.rate_hz)
            self._screen.note = f"mark at {at}"
            if self._recorder is not None:
                self._recorder.mark(self._picture.end, "mark")
            else:
                self._screen.note += ", in no record: r begins one"
        elif key in "rR":
            if self._recorder is None:
                self._begin_record()
            else:
                self._end_record(None)
        return key not in "qQ"

    def _begin_record(self) -> None:
        name = f"{self._device.hello.board}-{datetime.now():%Y%m%d-%H%M%S}"
        try:
            recorder = Recorder(self._folder / name, self._device.hello, self._screen.source)
            self._recorder = self._records.enter_context(recorder)
            self._recorder.take([Began(self._picture.session, self._picture.end)])
            self._screen.note = f"recording {self._folder / name}"
        except (OSError, RecordError) as error:
            self._screen.note = f"no record: {error}"

    def _end_record(self, error: Exception | None) -> None:
        recorder, self._recorder = self._recorder, None
        assert recorder is not None
        try:
            recorder.close(error)
            self._screen.note = recorder.summary()
        except RecordError as trouble:
            self._screen.note = str(trouble)
        self._screen.recording = ""

    def _ask_status(self, now: float) -> None:
        if self._has_status and now - self._asked_at >= STATUS_S:
            self._asked_at = now
            reply = self._watcher.ask("device_status", "device_status_reply")
            self._has_status = reply is not None
            self._screen.status = None if reply is None else reply.fields

    def _move(self, elapsed_s: float) -> None:
        rate, end = self._picture.hello.rate_hz, self._picture.end
        self._screen.rejected_bytes = self._device.channel.decoder.rejected_bytes
        self._position = min(float(end), self._position + elapsed_s * rate)
        if end - self._position > _BEHIND_S * rate:
            self._position = float(end)
        if not self._screen.frozen:
            self._screen.shown = int(self._position)


def is_terminal() -> bool:
    """Whether somebody looks at what is printed."""
    return sys.stdout.isatty()
