"""Commands about a board's own signal: monitor, record, serve."""

from pathlib import Path
from typing import Annotated

import typer

from einthoven.commands.options import Boards, Port

BoardName = Annotated[str, typer.Argument(help="Board (see: einthoven boards).")]
Play = Annotated[
    str | None,
    typer.Option(
        help="What a board that is a process samples: `synthetic` (unless told otherwise) or a "
        "recording (folder/100, mitdb/100, x.edf), over and over.",
        show_default=False,
    ),
]
Speed = Annotated[int, typer.Option(min=1, max=100, help="Of --play: times real time.")]
Seconds = Annotated[
    float | None, typer.Option(min=0.1, help="End after so much signal.", show_default=False)
]


def monitor(
    board: BoardName,
    port: Port = None,
    play: Play = None,
    speed: Speed = 1,
    seconds: Seconds = None,
    json: Annotated[
        bool, typer.Option("--json", help="JSON lines, as without a terminal to draw in.")
    ] = False,
    samples: Annotated[
        bool, typer.Option("--samples", help="JSON lines: the samples, too.")
    ] = False,
    out: Annotated[Path, typer.Option(help="Folder of what the key r records.")] = Path(),
    boards: Boards = None,
) -> None:
    """Watch a board's own signal: a moving strip, beats, rhythm, what is wrong with the signal."""
    from einthoven.monitor.lines import print_lines
    from einthoven.monitor.session import live
    from einthoven.monitor.terminal import Terminal, is_terminal

    with live(board, port, play, speed) as found:
        if json or samples or not is_terminal():
            print_lines(found.device, seconds, samples)
        else:
            Terminal(found.device, found.source, out).run(seconds)


def record(
    board: BoardName,
    out: Annotated[Path, typer.Option(help="The record to write, without suffix.")],
    port: Port = None,
    seconds: Seconds = None,
    edf: Annotated[bool, typer.Option("--edf", help="As EDF+, too.")] = False,
    play: Play = None,
    speed: Speed = 1,
    boards: Boards = None,
) -> None:
    """Record a board's own signal as a WFDB record, with beats and rhythm; Ctrl-C ends it."""
    from einthoven.monitor.recorder import Recorder, check_name
    from einthoven.monitor.session import live, record_until

    check_name(out)
    with live(board, port, play, speed) as found:
        recorder = Recorder(out, found.device.hello, found.source, edf)
        with recorder:
            stopped = record_until(found.device, recorder, seconds)
    print(recorder.summary())
    if stopped and seconds is not None:  # else it is how a recording ends
        raise KeyboardInterrupt


def serve(
    board: BoardName,
    port: Port = None,
    host: Annotated[
        str, typer.Option(help="Address to listen on; other than this machine's own: for all.")
    ] = "127.0.0.1",
    http_port: Annotated[
        int, typer.Option(min=0, max=65535, help="Port of the page; 0: any that is free.")
    ] = 8808,
    play: Play = None,
    speed: Speed = 1,
    boards: Boards = None,
) -> None:
    """Show a board's own signal in a browser that has no Web Serial, or on a process."""
    import sys
    import time

    from einthoven.boards.board import load_board
    from einthoven.monitor.bridge import Bridge, run
    from einthoven.monitor.session import started
    from einthoven.monitor.stopping import Stopping
    from einthoven.page import html

    page = html(served=True)
    if port is None and load_board(board).command is not None:
        print(f"{board}: building what is not built yet, and starting it", file=sys.stderr)
    with (
        started(board, port, play, speed) as found,
        Stopping() as stopping,
    ):
        bridge = Bridge(found.url, found.baud, page, host)
        with bridge.serving(http_port) as address:
            print(f"{board}, {found.source}. Not a medical device. Ctrl-C ends it. Open:")
            print(address, flush=True)
            run(bridge, lambda: stopping.asked, time.sleep)
