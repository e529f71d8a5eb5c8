"""What is known of a watched board, from what it has said so far: the last minute, and counts."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from einthoven.hil_tests.harness.device import Hello
from einthoven.hil_tests.harness.watching import Began, Item, Missing, Samples
from einthoven.native import core
from einthoven.native.rhythm import END, kinds
from einthoven.wire.codec import Message

KEEP_S = 60
"""Of signal and beats."""
TOLD_S = 10
"""So long an episode that is over is still told, and a rate without a new beat."""
_INTERVALS = 8
_HUM_S = 1.0


@dataclass(frozen=True)
class Beat:
    """A beat as the board told it. `at`: sample of its R; `sure`: confidence, 0 to 1."""

    at: int
    label: str
    sure: float
    unsure: bool


@dataclass(frozen=True)
class Over:
    """An episode that has ended at sample `end`."""

    kind: str
    end: int


class Picture:
    """Takes a watched board's items, in order; times are samples of the session."""

    def __init__(self, hello: Hello) -> None:
        self.hello = hello
        self.session = 0
        self.end = 0
        """Index after the last sample, missing ones included."""
        self.missing = 0
        """Samples of all sessions that will not come."""
        self.flags = 0
        """The signal's state, `core.FLAG_*`."""
        self.beats: list[Beat] = []
        self.marks: list[int] = []
        self.lasting: dict[str, int] = {}
        """Episodes that have begun, and their first sample."""
        self.over: list[Over] = []
        self.counts: Counter[str] = Counter()
        self._values = np.full(KEEP_S * hello.rate_hz, np.nan, np.float32)  # the last ones

    def take(self, items: Iterable[Item]) -> None:
        """Add what has come."""
        for item in items:
            if isinstance(item, Began):
                self._begin(item)
            elif isinstance(item, Samples):
                self._append(item.values.astype(np.float32))
            elif isinstance(item, Missing):
                self.missing += item.count
                held = min(item.count, len(self._values))
                self.end += item.count - held
                self._append(np.full(held, np.nan, np.float32))
            elif item.name == "beat":
                label = self.hello.classes[item["label"]]
                at, sure = item["t_samples"], item["confidence"] / 255
                self.beats.append(Beat(at, label, sure, bool(item["unsure"])))
                self.counts[label] += 1
            elif item.name == "signal":
                self.flags = item["flags"]
            else:
                self._rhythm(item)
        self._forget()

    def mark(self) -> None:
        """Remember this moment."""
        self.marks.append(self.end)

    def mv(self, first: int, last: int) -> NDArray[np.float32]:
        """[last - first] samples in millivolts; NaN where there is none, or none is kept."""
        found = np.full(last - first, np.nan, np.float32)
        begin = self.end - len(self._values)
        low, high = max(first, begin), min(last, self.end)
        if low < high:
            found[low - first : high - first] = self._values[low - begin : high - begin]
        return found / np.float32(self.hello.gain_lsb_per_mv)

    @property
    def rate_bpm(self) -> float | None:
        """Of the last eight intervals at most; None where too few beats came of late."""
        times = [b.at for b in self.beats if b.at > self.end - TOLD_S * self.hello.rate_hz]
        gaps = [b - a for a, b in pairwise(times[-_INTERVALS - 1 :]) if b > a]
        return 60 * self.hello.rate_hz * len(gaps) / sum(gaps) if len(gaps) > 1 else None

    @property
    def hum(self) -> tuple[int, float] | None:
        """The mains' frequency, 50 or 60 Hz, and its amplitude in mV over the last whole second.

        None unless the board itself names hum: this only measures it. A second is a whole number
        of periods of both, so that each is its own bin.
        """
        if not self.flags & core.FLAG_HUM:
            return None
        rate = self.hello.rate_hz
        values = self.mv(self.end - round(_HUM_S * rate), self.end)
        if not len(values) or np.isnan(values).any():
            return None
        turns = np.arange(len(values)) / rate
        sizes = {hz: 2 * abs(np.mean(values * np.exp(-2j * np.pi * hz * turns))) for hz in (50, 60)}
        hz = max(sizes, key=sizes.__getitem__)
        return hz, float(sizes[hz])

    def _begin(self, item: Began) -> None:
        self.session, self.end, self.flags = item.session, item.at, 0
        self.beats.clear()
        self.marks.clear()
        self.lasting.clear()
        self.over.clear()
        self._values[:] = np.nan

    def _append(self, values: NDArray[np.float32]) -> None:
        n = len(values)
        self.end += n
        if n:
            self._values = np.concatenate([self._values[n:], values])[-len(self._values) :]

    def _rhythm(self, event: Message) -> None:
        kind = kinds()[event["kind"]]
        if event["phase"] == END:
            self.lasting.pop(kind, None)
            self.over.append(Over(kind, event["end_samples"]))
        else:
            self.lasting[kind] = event["begin_samples"]

    def _forget(self) -> None:
        kept = self.end - KEEP_S * self.hello.rate_hz
        told = self.end - TOLD_S * self.hello.rate_hz
        self.beats = [b for b in self.beats if b.at >= kept]
        self.marks = [m for m in self.marks if m >= kept]
        self.over = [o for o in self.over if o.end >= told]
