"""A board that is watched: built, started and played to if it is a process, and spoken with."""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass

from einthoven.boards.board import build, load_board, running
from einthoven.hil_tests.harness.device import Device
from einthoven.hil_tests.harness.watching import Watcher
from einthoven.monitor.recorder import Recorder
from einthoven.monitor.source import SYNTHETIC, playable, playing
from einthoven.monitor.stopping import Stopping

ADC = "own ADC"


@dataclass(frozen=True)
class Started:
    """A board that runs at `url`; `source`: what it samples, in words."""

    url: str
    baud: int
    source: str


@dataclass(frozen=True)
class Live:
    """A board that answers; `source`: what it samples, in words."""

    device: Device
    source: str


@contextmanager
def started(name: str, port: str | None, play: str | None, speed: int) -> Iterator[Started]:
    """The board `name` for the block: on `port` or on its own, else a process that is built first.

    `play`: what a process samples, `synthetic` or a WFDB record; None: `synthetic`, for one that
    can be played to. Raises UsageError, BoardError, BuildError, RecordError.
    """
    board = load_board(name)
    with ExitStack() as stack:
        source = ADC
        if port is None and board.command is not None:
            if play is None and board.play is not None:
                play = SYNTHETIC
            board = board if play is None else playable(board)
            build(board)
        if play is not None:
            board = stack.enter_context(playing(playable(board), play, speed))
            source = f"plays {play}"
        yield Started(stack.enter_context(running(board, port)), board.baud, source)


@contextmanager
def live(name: str, port: str | None, play: str | None, speed: int) -> Iterator[Live]:
    """The same, spoken with."""
    with started(name, port, play, speed) as found, Device(found.url, found.baud) as device:
        yield Live(device, found.source)


def record_until(device: Device, recorder: Recorder, seconds: float | None) -> bool:
    """Record so much signal, or until somebody asks for an end: True then.

    Raises LinkError, BoardError, OSError; what had come until then is in the record.
    """
    with Stopping() as stopping:
        watcher = Watcher(device)
        while not stopping.asked and (
            seconds is None or recorder.samples < seconds * device.hello.rate_hz
        ):
            recorder.take(watcher.take())
        recorder.take(watcher.stop())
    return stopping.asked
