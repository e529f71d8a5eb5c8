"""Commands about a board's own signal: monitor, record."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from einthoven.commands.options import Boards, Port

if TYPE_CHECKING:
    from einthoven.hil_tests.harness.device import Device

BoardName = Annotated[str, typer.Argument(help="Board (see: einthoven boards).")]
Play = Annotated[
    str | None,
    typer.Option(
        help="What a board that is a process samples: `synthetic` or a WFDB record, over and over.",
        show_default=False,
    ),
]
Speed = Annotated[int, typer.Option(min=1, max=100, help="Of --play: times real time.")]
Seconds = Annotated[
    float | None, typer.Option(min=0.1, help="End after so much signal.", show_default=False)
]


@contextmanager
def _watched(board: str, port: str | None, play: str | None, speed: int) -> Iterator["Device"]:
    from contextlib import ExitStack

    from einthoven.boards.board import build, load_board, running
    from einthoven.hil_tests.harness.device import Device
    from einthoven.monitor.source import playing

    target = load_board(board)
    with ExitStack() as stack:
        if port is None and target.command is not None:
            build(target)
        if play is not None:
            target = stack.enter_context(playing(target, play, speed))
        url = stack.enter_context(running(target, port))
        yield stack.enter_context(Device(url, baud=target.baud))


def monitor(
    board: BoardName,
    port: Port = None,
    play: Play = None,
    speed: Speed = 1,
    seconds: Seconds = None,
    samples: Annotated[bool, typer.Option("--samples", help="The samples, too.")] = False,
    boards: Boards = None,
) -> None:
    """Watch a board's own signal: beats, rhythm, signal state as JSON lines."""
    import json

    from einthoven.hil_tests.harness.watching import Samples, Watcher
    from einthoven.monitor.lines import line_of

    with _watched(board, port, play, speed) as device:
        watcher, taken = Watcher(device), 0
        while seconds is None or taken < seconds * device.hello.rate_hz:
            for item in watcher.take():
                taken += len(item.values) if isinstance(item, Samples) else 0
                line = line_of(item, device.hello.classes, samples)
                if line is not None:
                    print(json.dumps(line))
            sys.stdout.flush()
        watcher.stop()


def record(
    board: BoardName,
    out: Annotated[Path, typer.Option(help="The record to write, without suffix.")],
    port: Port = None,
    seconds: Seconds = None,
    play: Play = None,
    speed: Speed = 1,
    boards: Boards = None,
) -> None:
    """Record a board's own signal as a WFDB record, with its beats; Ctrl-C ends it."""
    from einthoven.hil_tests.harness.watching import Watcher
    from einthoven.monitor.recorder import Recorder

    with (
        _watched(board, port, play, speed) as device,
        Recorder(out, device.hello) as recorder,
    ):
        watcher = Watcher(device)
        try:
            while seconds is None or recorder.samples < seconds * device.hello.rate_hz:
                recorder.take(watcher.take())
            recorder.take(watcher.stop())
        except KeyboardInterrupt:
            recorder.take(watcher.stop())
    length = recorder.samples / device.hello.rate_hz
    print(f"{out}: {length:.1f} s, {recorder.missing} samples missing")
