"""Samples straight from a signal file's bytes, from anywhere in it, of the formats that allow it.

Format: signal(5) of the WFDB Applications Guide, https://physionet.org/physiotools/wag/signal-5.htm.
The `wfdb` package reads all of them, too (a test holds both to each other), but a record as a
whole, all signals of it and through more memory than they have, after an import that takes longer
than an hour of ECG.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

Bytes = NDArray[np.uint8]
Counts = NDArray[np.int32]
Column = Callable[[Bytes, int], NDArray[np.integer]]
"""Of [groups, bytes] the sample at a place in its group."""


def _words(dtype: str, zero: int = 0) -> Column:
    """Samples that numpy has a type for; `zero`: the count that stands for 0."""
    size = np.dtype(dtype).itemsize

    def column(groups: Bytes, place: int) -> NDArray[np.integer]:
        taken = np.ascontiguousarray(groups[:, place * size : (place + 1) * size])
        return taken.view(dtype)[:, 0].astype(np.int32) - zero

    return column


def _twelve_bits(groups: Bytes, place: int) -> NDArray[np.integer]:
    """Two samples in three bytes: the one in between has the high four bits of both."""
    between = groups[:, place // 2 * 3 + 1]
    low = groups[:, place // 2 * 3 + place % 2 * 2]
    high = (between >> 4 if place % 2 else between & 0x0F).astype(np.uint16)
    return (high << 12).view(np.int16) >> 4 | low


def _three_bytes(groups: Bytes, place: int) -> NDArray[np.integer]:
    low, middle, high = (groups[:, place * 3 + i] for i in range(3))
    return high.view(np.int8).astype(np.int32) << 16 | middle.astype(np.int32) << 8 | low


_FORMATS: dict[str, tuple[int, int, Column]] = {
    "16": (1, 2, _words("<i2")),
    "61": (1, 2, _words(">i2")),
    "160": (1, 2, _words("<u2", 1 << 15)),
    "80": (1, 1, _words("u1", 1 << 7)),
    "24": (1, 3, _three_bytes),
    "32": (1, 4, _words("<i4")),
    "212": (2, 3, _twelve_bits),
}
"""Format to samples that are packed together, their bytes, and how one is taken out."""


def can_read(fmt: str) -> bool:
    """Whether a format's samples lie where their number says."""
    return fmt in _FORMATS


@dataclass(frozen=True)
class Stored:
    """One signal in a file that it may share with others, as samples of its own."""

    path: Path
    fmt: str
    byte_offset: int
    per_frame: Sequence[int]
    """Samples a frame of each signal of the file, in order."""
    own: int
    """Which of them it is."""

    def read(self, begin: int, end: int) -> Counts:
        """Samples begin, …, end − 1, which the file must have. Raises OSError."""
        packed, size, column = _FORMATS[self.fmt]
        frame = sum(self.per_frame)
        frames = 1 if frame % packed == 0 else packed  # of which whole packs come
        first = sum(self.per_frame[: self.own])
        places = [
            k * frame + first + i for k in range(frames) for i in range(self.per_frame[self.own])
        ]
        group_bytes = frames * frame // packed * size
        from_group, to_group = begin // len(places), -(-end // len(places))
        wanted = (to_group - from_group) * group_bytes
        data = np.fromfile(
            self.path, np.uint8, wanted, offset=self.byte_offset + from_group * group_bytes
        )
        if len(data) < wanted:  # the last pack is not a whole one
            data = np.concatenate([data, np.zeros(wanted - len(data), np.uint8)])
        groups = data.reshape(-1, group_bytes)
        out = np.empty((len(groups), len(places)), dtype=np.int32)
        for i, place in enumerate(places):
            out[:, i] = column(groups, place)
        skipped = from_group * len(places)
        return out.reshape(-1)[begin - skipped : end - skipped]
