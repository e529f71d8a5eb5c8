"""What a recording is once it is read, and what a user may know better than its file."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

INVALID = -(1 << 31)
"""Stands for "no value" where a file's own marker does not fit any more."""


@dataclass(frozen=True)
class Record:
    """One lead of a recording."""

    name: str
    lead: str
    rate_hz: float
    gain_lsb_per_mv: float
    """Above 0: a signal with a negative gain has been turned over."""
    baseline_lsb: int
    """Count at 0 mV."""
    samples: NDArray[np.int32]
    """[n_samples] counts; `invalid_lsb` where the recorder had no value."""
    invalid_lsb: int | None
    comments: tuple[str, ...] = ()
    gain_assumed: bool = False
    """The file says "not calibrated", and the gain is the one its database is known to have, or
    header(5)'s 200 per mV."""
    gaps: tuple[tuple[int, int], ...] = ()
    """(first, number) of the samples that were never recorded, in order; they repeat the last."""
    unchecked: bool = False
    """A header's checksum is 0, that is, was not computed."""
    by_default: bool = True
    """The lead was chosen, not named."""

    @property
    def n_samples(self) -> int:
        """Length in samples of `rate_hz`, gaps included."""
        return len(self.samples)


@dataclass(frozen=True)
class Known:
    """What a user knows better than the file. All of it is optional."""

    gain: float | None = None
    """Counts per unit; negative: the signal is upside down."""
    units: str | None = None
    checksum: bool = True
    """False: a header's checksum that does not fit is not held against the record."""
    csv_rate_hz: float | None = None
    csv_gain: float | None = None
    """Numbers of a CSV file per unit."""


NOTHING_KNOWN = Known()


def upright(
    gain: float, baseline: int, samples: NDArray[np.int32], invalid: int | None
) -> tuple[float, int, NDArray[np.int32], int | None]:
    """The same signal with a gain above 0; `invalid` as of Record."""
    if gain >= 0:
        return gain, baseline, samples, invalid
    missing = samples == invalid if invalid is not None else None
    turned = np.negative(np.maximum(samples, -(2**31) + 1))
    if missing is None or not missing.any():
        return -gain, -baseline, turned, None
    turned[missing] = INVALID
    return -gain, -baseline, turned, INVALID
