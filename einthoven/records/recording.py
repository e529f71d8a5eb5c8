"""What a recording is once it is found or read, and what a user may know better than its file."""

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from einthoven.errors import UsageError
from einthoven.records.header import RATES_HZ
from einthoven.records.leads import units_per_mv

INVALID = -(1 << 31)
"""Stands for "no value" where a file's own marker does not fit any more."""
PIECE = 1 << 16
"""Samples that are computed with at a time, which a processor's cache still holds."""

Read = Callable[[int, int], NDArray[np.int32]]
"""Samples begin, …, end − 1 of a signal."""


def pieces(read: Read, n_samples: int, most: int = PIECE) -> Iterator[NDArray[np.int32]]:
    """All samples of a signal in order, at most `most` at a time."""
    for begin in range(0, n_samples, most):
        yield read(begin, min(begin + most, n_samples))


class Recording(Protocol):
    """One lead of a recording, in memory (`Record`) or in its file (`Filed`)."""

    @property
    def name(self) -> str:
        """The record's."""

    @property
    def lead(self) -> str:
        """As its file says."""

    @property
    def rate_hz(self) -> float:
        """Of its samples."""

    @property
    def gain_lsb_per_mv(self) -> float:
        """Above 0: a signal with a negative gain has been turned over."""

    @property
    def baseline_lsb(self) -> int:
        """Count at 0 mV."""

    @property
    def n_samples(self) -> int:
        """Length in samples of `rate_hz`, gaps included."""

    @property
    def invalid_lsb(self) -> int | None:
        """The count of a sample for which the recorder had no value."""

    @property
    def gaps(self) -> tuple[tuple[int, int], ...]:
        """(first, number) of the samples that were never recorded, in order; they repeat the
        last."""

    @property
    def unchecked(self) -> bool:
        """A header's checksum is 0, that is, was not computed."""

    def read(self, begin: int, end: int) -> NDArray[np.int32]:
        """Counts of samples begin, …, end − 1."""


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

    @property
    def n_samples(self) -> int:
        """Length in samples of `rate_hz`, gaps included."""
        return len(self.samples)

    def read(self, begin: int, end: int) -> NDArray[np.int32]:
        """Counts of samples begin, …, end − 1."""
        return self.samples[begin:end]


@dataclass(frozen=True)
class Filed:
    """One lead of a recording whose samples are read when they are needed: a day's are 125 MB.

    Fields as of `Record`.
    """

    name: str
    lead: str
    rate_hz: float
    gain_lsb_per_mv: float
    baseline_lsb: int
    n_samples: int
    read: Read
    invalid_lsb: int | None
    comments: tuple[str, ...] = ()
    gain_assumed: bool = False
    gaps: tuple[tuple[int, int], ...] = ()
    unchecked: bool = False

    def whole(self) -> Record:
        """The same with its samples in memory."""
        return Record(
            name=self.name,
            lead=self.lead,
            rate_hz=self.rate_hz,
            gain_lsb_per_mv=self.gain_lsb_per_mv,
            baseline_lsb=self.baseline_lsb,
            samples=self.read(0, self.n_samples),
            invalid_lsb=self.invalid_lsb,
            comments=self.comments,
            gain_assumed=self.gain_assumed,
            gaps=self.gaps,
            unchecked=self.unchecked,
        )


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

    def __post_init__(self) -> None:
        """Raise UsageError for what no recording can have."""
        for option, number in (("--gain", self.gain), ("--csv-gain", self.csv_gain)):
            if number is not None and (number == 0 or not math.isfinite(number)):
                raise UsageError(f"{option} {number:g} is no gain: a number other than 0")
        rate_hz, (low, high) = self.csv_rate_hz, RATES_HZ
        if rate_hz is not None and not low <= rate_hz <= high:
            raise UsageError(f"--csv-rate {rate_hz:g} is no ECG's rate: {low:g} to {high:g} Hz")
        if self.units is not None and units_per_mv(self.units) is None:
            raise UsageError(f"--units {self.units} is no voltage that is known: nV, uV, mV or V")


NOTHING_KNOWN = Known()


def upright(
    gain: float, baseline: int, samples: NDArray[np.int32], invalid: int | None
) -> tuple[float, int, NDArray[np.int32], int | None]:
    """The same signal with a gain above 0; `invalid` as of Record."""
    if gain >= 0:
        return gain, baseline, samples, invalid
    missing = samples == invalid if invalid is not None else None
    turned = turned_over(samples, invalid)
    if missing is None or not missing.any():
        return -gain, -baseline, turned, None
    return -gain, -baseline, turned, INVALID


def turned_over(samples: NDArray[np.int32], invalid: int | None) -> NDArray[np.int32]:
    """Counts of the signal upside down; `INVALID` where they were `invalid`."""
    turned: NDArray[np.int32] = np.negative(np.maximum(samples, -(2**31) + 1))
    if invalid is not None:
        turned[samples == invalid] = INVALID
    return turned
