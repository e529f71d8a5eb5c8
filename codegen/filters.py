"""Design the signal path's filters and round them to what the C core computes with.

The core runs biquads in direct form I on int32 samples in Q8 microvolts, coefficients rounded to
Q30, an int64 accumulator and first-order error feedback (`firmware/core/ein_filter.h`).
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from einthoven.errors import UsageError

COEFFICIENT_BITS = 30
"""Fraction bits: Q30 holds magnitudes below 2, which every stable biquad's a1 and a2 satisfy."""


@dataclass(frozen=True)
class Biquads:
    """A cascade of second-order sections: `sos_q30` int64 [sections, 5], b0 b1 b2 a1 a2 each."""

    sos_q30: NDArray[np.int64]
    rate_hz: float

    def sos(self) -> NDArray[np.float64]:
        """The rounded coefficients in scipy's layout, float64 [sections, 6]."""
        rows = self.sos_q30 / 2.0**COEFFICIENT_BITS
        return np.insert(rows, 3, 1.0, axis=1)

    def split(self) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """What the core multiplies x + x2, x1, y1 and y2 with: int64 [sections, 4], twice.

        Whole ones, and what is left of the coefficient, -1/2 .. 1/2 in Q32. Raises UsageError when
        a section's b2 is not its b0.
        """
        b0, b1, b2, a1, a2 = self.sos_q30.T
        if (b0 != b2).any():
            raise UsageError("a biquad with b2 other than b0: the core's band-passes have none")
        terms = np.stack([b0, b1, -a1, -a2], axis=1)
        whole = (terms + 2 ** (COEFFICIENT_BITS - 1)) >> COEFFICIENT_BITS
        return whole, (terms - (whole << COEFFICIENT_BITS)) << (32 - COEFFICIENT_BITS)


def design_bandpass(order: int, band_hz: tuple[float, float], rate_hz: float) -> Biquads:
    """Butterworth band-pass of `order` on either side, `scipy.signal.butter(..., output="sos")`.

    Each section's own gain peak is brought to 1 so that the cascade keeps its headroom.
    Raises UsageError when the band does not fit between 0 and half the rate.
    """
    from scipy import signal  # takes a second, which programs that only read the spec need not

    low, high = band_hz
    if not 0 < low < high < rate_hz / 2:
        raise UsageError(
            f"filter band {low}–{high} Hz does not fit a rate of {rate_hz} Hz: "
            "correct codegen/spec/pipeline.toml"
        )
    sos = signal.butter(order, [low, high], btype="bandpass", fs=rate_hz, output="sos")
    sos = _balance(sos, rate_hz)
    rounded = np.round(sos[:, [0, 1, 2, 4, 5]] * 2.0**COEFFICIENT_BITS).astype(np.int64)
    if np.abs(rounded).max() >= 2**31:
        raise UsageError(f"a coefficient of the {low}–{high} Hz filter does not fit Q30")
    return Biquads(rounded, rate_hz)


def _balance(sos: NDArray[np.float64], rate_hz: float) -> NDArray[np.float64]:
    """Move gain between sections until each but the last peaks at 1; the product is unchanged."""
    from scipy import signal

    freqs = np.geomspace(0.01, rate_hz / 2 * 0.999, 4096)
    carried = 1.0
    out = sos.copy()
    for i, section in enumerate(sos):
        _, response = signal.sosfreqz(section[None, :], worN=freqs, fs=rate_hz)
        peak = float(np.abs(response).max())
        gain = carried if i == len(sos) - 1 else 1.0 / peak
        out[i, :3] = section[:3] * gain
        carried /= gain
    return out
