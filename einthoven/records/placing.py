"""Samples put where their time says that they belong; what is between them is a gap."""

import numpy as np
from numpy.typing import NDArray

from einthoven.errors import RecordError


def place(
    samples: NDArray[np.int32], where: NDArray[np.int64], longest: float, name: str
) -> tuple[NDArray[np.int32], tuple[tuple[int, int], ...]]:
    """samples[i] at index where[i] (which increases), and (first, number) of the gaps.

    In a gap the last sample goes on. Raises RecordError for a gap of more than `longest`
    samples: a wrong time, rather than a pause.
    """
    steps = np.diff(where)
    after = np.flatnonzero(steps > 1)
    if not len(after):
        return samples, ()
    lengths = steps[after] - 1
    if lengths.max() > longest:
        at = int(after[np.argmax(lengths)]) + 1
        raise RecordError(
            f"record {name}: the time jumps by {int(lengths.max())} samples after sample {at}: "
            "correct the time, or cut the file there"
        )
    gaps = tuple(zip((where[after] + 1).tolist(), lengths.tolist(), strict=True))
    return np.repeat(samples, np.append(steps, 1)), gaps
