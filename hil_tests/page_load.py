"""What the page costs a browser: memory over hours of stream, and the main thread's time.

    python -m einthoven.hil_tests.page_load memory [--hours 8] [--speed 100]
    python -m einthoven.hil_tests.page_load drawing [--seconds 30] [--slower 4]

Both in headless Chromium, through the stand-in for Web Serial, from a board that is a process.
Figures come from the browser itself, by the DevTools protocol.
"""

import argparse
import dataclasses
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from playwright.sync_api import Browser, CDPSession, Page, expect

from einthoven.boards.board import build, load_board, running
from einthoven.hil_tests.browser import Cable, chromium, connect, opened
from einthoven.records.synth import make_record
from einthoven.wire.codec import FrameDecoder, decode

HISTORY_S = 600
"""Of signal, which the page keeps."""
RATE_HZ = 180
_LOOK_MS = 500
_LOOKS = 5


@contextmanager
def playing(folder: Path, speed: int) -> Iterator[str]:
    """The board, whose ADC gives two minutes of a synthetic ECG, over and over, so much faster."""
    board = load_board("host")
    build(board)
    path = folder / "ecg.bin"
    make_record(11, 120.0, float(RATE_HZ)).samples.astype("<i2").tofile(path)
    assert board.command is not None
    command = (*board.command, "--adc", str(path), "--adc-speed", str(speed))
    with running(dataclasses.replace(board, command=command)) as url:
        yield url


class Received:
    """How much of a board's signal has come over a cable; its `tap`."""

    def __init__(self) -> None:
        self._decoder = FrameDecoder()
        self._session = self._end = 0
        self.samples = self.lost = 0

    def __call__(self, data: bytes) -> None:
        """Count what is new in it: some of a stream is sent twice."""
        for frame in self._decoder.feed(data):
            message = decode(frame)
            if message.name == "trace":
                self._count(message["session"], message["start"], message["count"])

    def _count(self, session: int, start: int, count: int) -> None:
        if session != self._session:
            self._session, self._end = session, start
        new = start + count - max(self._end, start)
        if new > 0:
            self.lost += max(start - self._end, 0)
            self.samples += new
            self._end = start + count

    @property
    def seconds(self) -> float:
        """Of signal, with what was lost of it."""
        return (self.samples + self.lost) / RATE_HZ


@dataclass(frozen=True)
class Memory:
    """Of the page after the collector ran, where it was least of some looks: what is being drawn at
    one of them holds a tenth, and is gone at the next."""

    signal_s: float
    """Since it was connected, with what was lost on the way."""
    came_s: float
    """Of which came."""
    heap_bytes: int
    nodes: int
    """Of its document, and what no longer is in it."""
    listeners: int


class Meter:
    """The browser's own figures of a page."""

    def __init__(self, page: Page) -> None:
        self.page = page
        self.cdp: CDPSession = page.context.new_cdp_session(page)
        # The thread's time, not the clock's: what else this machine does is not in it.
        self.cdp.send("Performance.enable", {"timeDomain": "threadTicks"})
        self.cdp.send("HeapProfiler.enable")

    def metrics(self) -> dict[str, float]:
        """Chromium's `Performance.getMetrics`."""
        found = self.cdp.send("Performance.getMetrics")["metrics"]
        return {m["name"]: m["value"] for m in found}

    def memory(self, received: Received) -> Memory:
        """The least of some looks, each after two collections: what one frees may hold more."""
        return min((self._look(received) for _ in range(_LOOKS)), key=lambda one: one.heap_bytes)

    def _look(self, received: Received) -> Memory:
        self.page.wait_for_timeout(_LOOK_MS / _LOOKS)
        for _ in range(2):
            self.cdp.send("HeapProfiler.collectGarbage")
        used = self.cdp.send("Runtime.getHeapUsage")["usedSize"]
        found = self.metrics()
        nodes, listeners = int(found["Nodes"]), int(found["JSEventListeners"])
        came_s = received.samples / RATE_HZ
        return Memory(received.seconds, came_s, int(used), nodes, listeners)


def memory(browser: Browser, folder: Path, speed: int, marks_s: Sequence[int]) -> Iterator[Memory]:
    """A page that watches a board, looked at when so much signal has come."""
    received = Received()
    with (
        playing(folder, speed) as url,
        Cable(url, tap=received) as cable,
        opened(browser, cable) as watch,
    ):
        page = connect(watch)
        meter = Meter(page)
        for mark in marks_s:
            while received.seconds < mark:
                page.wait_for_timeout(_LOOK_MS)
            yield meter.memory(received)


@dataclass(frozen=True)
class Drawing:
    """The main thread's seconds in a second of live signal."""

    tasks: float
    script: float
    """Of which JavaScript."""
    frames: float
    """Drawn."""
    signal_s: float
    """That the page had by then, of at most `HISTORY_S`."""


_FRAMES = """(ms) => new Promise((done) => {
  let n = 0;
  const end = performance.now() + ms;
  const step = (now) => (n++, now < end ? requestAnimationFrame(step) : done(n));
  requestAnimationFrame(step);
})"""


def drawing(browser: Browser, folder: Path, seconds: int, slower: float, fast: int) -> Drawing:
    """Ten minutes of signal at `fast` times their speed, then `seconds` at their own.

    `slower`: than this machine the browser's thread is made.
    """
    received = Received()
    size = {"width": 1920, "height": 1080}
    with (
        Cable("", tap=received) as cable,
        opened(browser, cable, viewport=size) as watch,
    ):
        with playing(folder, fast) as cable.url:
            page = connect(watch)
            while received.seconds < HISTORY_S:
                page.wait_for_timeout(_LOOK_MS)
            page.evaluate("cable.pull()")
            expect(page.locator(".state")).to_contain_text("The cable is out")
        with playing(folder, 1) as cable.url:
            page.evaluate("cable.plug()")
            expect(page.locator(".state")).to_be_hidden()
            meter = Meter(page)
            meter.cdp.send("Emulation.setCPUThrottlingRate", {"rate": slower})
            page.wait_for_timeout(5000)  # what was late is drawn
            before, since = meter.metrics(), received.seconds
            frames = page.evaluate(_FRAMES, 1000 * seconds)
            after, passed = meter.metrics(), received.seconds - since
            spent = {n: after[n] - before[n] for n in ("TaskDuration", "ScriptDuration")}
            return Drawing(
                spent["TaskDuration"] / passed,
                spent["ScriptDuration"] / passed,
                frames / passed,
                received.seconds,
            )


def main() -> None:
    """Print the figures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("what", choices=["memory", "drawing"])
    parser.add_argument("--hours", type=float, default=8.0)
    parser.add_argument("--speed", type=int, default=100, help="of the stream, times real time")
    parser.add_argument("--seconds", type=int, default=30)
    parser.add_argument("--slower", type=float, default=4.0)
    args = parser.parse_args()
    with TemporaryDirectory() as name, chromium() as browser:
        if args.what == "memory":
            steps = round(4 * args.hours)
            for seen in memory(
                browser, Path(name), args.speed, [900 * i for i in range(1, steps + 1)]
            ):
                print(
                    f"{seen.signal_s / 3600:5.2f} h, {seen.came_s / 3600:.2f} h of it came  "
                    f"heap {seen.heap_bytes / 1e6:.2f} MB  "
                    f"{seen.nodes} nodes  {seen.listeners} listeners",
                    flush=True,
                )
        else:
            found = drawing(browser, Path(name), args.seconds, args.slower, args.speed)
            print(
                f"{found.signal_s:.0f} s of signal, {args.slower:g} times slower: a second takes "
                f"{found.tasks:.2f} s of the main thread, {found.script:.2f} s of it script, with "
                f"{found.frames:.0f} frames; with 60, {60 * found.tasks / found.frames:.2f} s"
            )


if __name__ == "__main__":
    main()
