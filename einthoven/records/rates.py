"""Times at one sampling rate as those at another, in exact arithmetic."""

from fractions import Fraction

import numpy as np
from numpy.typing import NDArray

from einthoven.errors import RecordError


def rational_ratio(to_hz: float, from_hz: float) -> Fraction:
    """to_hz / from_hz as a fraction small enough to resample by; exact for every sane rate."""
    if to_hz <= 0 or from_hz <= 0:
        raise RecordError(f"cannot resample from {from_hz:g} Hz to {to_hz:g} Hz: rates must be > 0")
    return (Fraction(to_hz) / Fraction(from_hz)).limit_denominator(10_000)


def rescale_times(times: NDArray[np.int64], ratio: Fraction) -> NDArray[np.int64]:
    """times × ratio, rounded to the nearest integer (halves up), in exact arithmetic."""
    return (2 * times * ratio.numerator + ratio.denominator) // (2 * ratio.denominator)
