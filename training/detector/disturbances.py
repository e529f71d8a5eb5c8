"""What happens to electrodes: sudden changes of a record, from a given time on.

Each function takes a board's samples [n] (12 bits, 200 LSB/mV, `rate_hz` per second) and returns
them changed; the detector has to be itself again 3 s after.
"""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

Counts = NDArray[np.int16]
Disturbance = Callable[[Counts], Counts]

_LOW, _HIGH = -2048, 2047


def _inside(counts: NDArray[np.floating]) -> Counts:
    """Rounded, and clipped to what is not at a rail."""
    return np.clip(np.round(counts), _LOW + 1, _HIGH - 1).astype(np.int16)


def scaled(factor: float, at_s: float, rate_hz: int) -> Disturbance:
    """The amplitude changes, as when a patient turns over."""

    def disturb(x: Counts) -> Counts:
        at = round(at_s * rate_hz)
        x[at:] = _inside(x[at:] * factor)
        return x

    return disturb


def lead_off(seconds: float, at_s: float, rate_hz: int) -> Disturbance:
    """The lead comes off, and is put back 1.5 mV higher."""

    def disturb(x: Counts) -> Counts:
        at, back = round(at_s * rate_hz), round((at_s + seconds) * rate_hz)
        x[at:back] = _HIGH
        x[back:] = _inside(x[back:] + 300.0)
        return x

    return disturb


def electrode_pop(mv: float, at_s: float, rate_hz: int) -> Disturbance:
    """A step of `mv` that decays with a time constant of 0.5 s."""

    def disturb(x: Counts) -> Counts:
        at = round(at_s * rate_hz)
        decay = 200 * mv * np.exp(-np.arange(len(x) - at) / (0.5 * rate_hz))
        x[at:] = _inside(x[at:] + decay)
        return x

    return disturb


def all_kinds(at_s: float, rate_hz: int) -> dict[str, tuple[Disturbance, float]]:
    """Every disturbance at `at_s`, and when it is over."""
    return {
        "x 0.25": (scaled(0.25, at_s, rate_hz), at_s),
        "x 4": (scaled(4.0, at_s, rate_hz), at_s),
        "lead off for 5 s": (lead_off(5.0, at_s, rate_hz), at_s + 5),
        "pop of 4 mV": (electrode_pop(4.0, at_s, rate_hz), at_s),
    }
