"""A signal at another rate, piece by piece: a day of ECG needs no more memory than an hour."""

from collections.abc import Iterable, Iterator
from fractions import Fraction

import numpy as np
from numpy.typing import NDArray

Signal = NDArray[np.float64]
REACH = 10
"""scipy's filter of `resample_poly` reaches as many samples of the slower rate to each side."""


def resampled(pieces: Iterable[Signal], ratio: Fraction) -> Iterator[Signal]:
    """`scipy.signal.resample_poly` of all `pieces` as one signal, to the bit, piece by piece.

    The signal goes on with its first and last value beyond its ends (padtype "edge"): there is
    no step.
    """
    up, down = ratio.numerator, ratio.denominator
    if ratio == 1:
        yield from pieces
        return
    from scipy.signal import resample_poly  # takes a second, which not every command has

    # What a piece's ends see of its neighbours, on the grid where both rates meet.
    halo = down * (REACH * max(up, down) // (up * down) + 1)
    held: Signal = np.zeros(0)
    skip = 0
    for piece in pieces:
        held = np.concatenate([held, piece])
        settled = (len(held) - halo) // down * down
        if settled < halo:
            continue
        yield resample_poly(held, up, down, padtype="edge")[skip : settled // down * up]
        held, skip = held[settled - halo :], halo // down * up
    if len(held):
        yield resample_poly(held, up, down, padtype="edge")[skip:]
