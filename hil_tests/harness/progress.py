"""Progress of a replay: bars on a terminal, a line per record elsewhere, honest remaining time."""

import time
from collections.abc import Mapping
from types import TracebackType

from rich.console import Console
from rich.progress import BarColumn, Progress, TaskID, TaskProgressColumn, TextColumn


class Remaining:
    """Estimates the time left from samples that boards have acknowledged.

    Records are not split, so the time left is that of the busiest board, not the sum divided
    by the number of boards: what is pending goes to the board that is free first.
    """

    def __init__(self, samples: Mapping[str, int], boards: int) -> None:
        """`samples`: record to its length; `boards` work at the same time."""
        self._samples = dict(samples)
        self._boards = boards
        self._acked: dict[str, int] = {}
        self._done: set[str] = set()
        self._busy_s = 0.0
        self._last: float | None = None

    def update(self, record: str, acked: int, now_s: float, done: bool = False) -> None:
        """Record `record` is at sample `acked`; a finished one no longer keeps a board busy."""
        active = max(len(self._acked) - len(self._done), 1)
        if self._last is not None:
            self._busy_s += active * max(now_s - self._last, 0.0)
        self._last = now_s
        self._acked[record] = acked
        if done:
            self._done.add(record)

    @property
    def total(self) -> int:
        """Samples of all records."""
        return sum(self._samples.values())

    @property
    def acked(self) -> int:
        """Samples acknowledged so far."""
        return sum(self._acked.values())

    def seconds(self) -> float | None:
        """Time left; None while too little is known to say."""
        if self._busy_s < 1.0 or self.acked < self.total // 200:
            return None
        per_second = self.acked / self._busy_s  # of one board
        free = sorted(self._samples[r] - a for r, a in self._acked.items() if r not in self._done)
        free = [0] * (self._boards - len(free)) + free
        for record, length in self._samples.items():
            if record not in self._acked:
                free[0] += length
                free.sort()
        return max(free) / per_second


def duration(seconds: float | None) -> str:
    """`1 min 20 s`, in steps that do not flicker."""
    if seconds is None:
        return "…"
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min {whole % 60:02d} s"
    return f"{whole // 3600} h {whole % 3600 // 60:02d} min"


class ReplayProgress:
    """What the user sees while records are replayed; a context manager."""

    def __init__(
        self, console: Console, samples: Mapping[str, int], boards: int, rate_hz: float
    ) -> None:
        """`samples`: record to its length at `rate_hz`, of the records still to do."""
        self._console = console
        self._samples = dict(samples)
        self._rate_hz = rate_hz
        self._remaining = Remaining(samples, boards)
        self._finished = 0
        self._begin = time.monotonic()
        self._bars: dict[str, TaskID] = {}
        self._progress = Progress(
            TextColumn("{task.description}"),
            BarColumn(bar_width=32),
            TaskProgressColumn(),
            TextColumn("{task.fields[note]}", style="dim"),
            console=console,
            transient=True,
            disable=not console.is_terminal,
        )
        self._all = self._progress.add_task(
            f"0 of {len(self._samples)} records", total=self._remaining.total, note="booting"
        )

    def __enter__(self) -> "ReplayProgress":
        self._progress.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._progress.stop()

    def at(self, record: str, acked: int) -> None:
        """The board has acknowledged `acked` samples of `record`."""
        self._remaining.update(record, acked, time.monotonic())
        if record not in self._bars:
            self._bars[record] = self._progress.add_task(
                f"  {record}", total=self._samples[record], note=""
            )
        note = "checking on the host" if acked >= self._samples[record] else ""
        self._progress.update(self._bars[record], completed=acked, note=note)
        self._show_all()

    def done(self, record: str, beats: int, differing: int, board_seconds: float) -> None:
        """`record` is finished: one line stays."""
        self._remaining.update(record, self._samples[record], time.monotonic(), done=True)
        self._finished += 1
        if record in self._bars:
            self._progress.remove_task(self._bars.pop(record))
        speed = self._samples[record] / self._rate_hz / max(board_seconds, 1e-9)
        line = f"{record:>6}  {beats:>5} beats  {speed:>5.0f}× real time"
        line += f"  {differing} differ" if differing else "  all bits agree"
        if not self._console.is_terminal:
            line += f"  ({self._finished} of {len(self._samples)}"
            left = self._remaining.seconds()
            more = self._finished < len(self._samples) and left is not None
            line += f", about {duration(left)} left)" if more else ")"
        self._console.print(line)
        self._show_all()

    def _show_all(self) -> None:
        elapsed = time.monotonic() - self._begin
        left = self._remaining.seconds()
        note = f"{duration(left)} left" if left is not None else duration(elapsed)
        self._progress.update(
            self._all,
            completed=self._remaining.acked,
            description=f"{self._finished} of {len(self._samples)} records",
            note=note,
        )
