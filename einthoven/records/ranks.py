"""The lowest, the highest and the median count of a signal that comes in pieces."""

from collections.abc import Callable, Iterable
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

Counts = NDArray[np.int32]
_BITS = 16
_HALF = 1 << (_BITS - 1)


class Ranks(NamedTuple):
    """Of all samples of a signal."""

    low: int
    high: int
    median: float


def ranks(pieces: Callable[[], Iterable[Counts]]) -> Ranks:
    """Of the samples in `pieces()`, of which there must be one.

    One pass over counts of 16 bits, as most recorders have them; of wider ones two more for each
    16 bits.
    """
    low, high, n = 1 << 31, -(1 << 31), 0
    table = np.zeros(1 << _BITS, dtype=np.int64)
    for piece in pieces():
        low, high = min(low, int(piece.min())), max(high, int(piece.max()))
        n += len(piece)
        if low >= -_HALF and high < _HALF:
            table += np.bincount(piece + _HALF, minlength=len(table))
    middle = (n - 1) // 2, n // 2
    if low >= -_HALF and high < _HALF:
        upto = np.cumsum(table)
        found = [int(np.searchsorted(upto, rank, side="right")) - _HALF for rank in middle]
    else:
        found = [_of_rank(pieces, rank, low, high) for rank in middle]
    return Ranks(low, high, sum(found) / 2)


def _of_rank(pieces: Callable[[], Iterable[Counts]], rank: int, low: int, high: int) -> int:
    """The sample that has `rank` others before it, of those between `low` and `high`."""
    while low < high:
        shift = max(0, (high - low).bit_length() - _BITS)
        table = np.zeros(((high - low) >> shift) + 1, dtype=np.int64)
        for piece in pieces():
            inside = piece[(piece >= low) & (piece <= high)].astype(np.int64)
            table += np.bincount((inside - low) >> shift, minlength=len(table))
        upto = np.cumsum(table)
        at = int(np.searchsorted(upto, rank, side="right"))
        rank -= int(upto[at - 1]) if at else 0
        low = low + (at << shift)
        high = min(high, low + (1 << shift) - 1)
    return low
