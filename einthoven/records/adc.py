"""A record as a board's ADC would have sampled it, and the way back of times."""

from fractions import Fraction

import numpy as np
from numpy.typing import ArrayLike, NDArray

from einthoven.errors import RecordError
from einthoven.records.annotations import rescale_times
from einthoven.records.record import Record


def rational_ratio(to_hz: float, from_hz: float) -> Fraction:
    """to_hz / from_hz as a fraction small enough to resample by; exact for every sane rate."""
    if to_hz <= 0 or from_hz <= 0:
        raise RecordError(f"cannot resample from {from_hz:g} Hz to {to_hz:g} Hz: rates must be > 0")
    return (Fraction(to_hz) / Fraction(from_hz)).limit_denominator(10_000)


def to_board(
    record: Record, rate_hz: float, gain_lsb_per_mv: float, bits: int
) -> NDArray[np.int16]:
    """The record as a board's bipolar ADC of `bits` bits would have sampled it, 0 mV at count 0.

    Anti-aliased and without delay: sample k belongs to time k / rate_hz exactly, however long
    the record. Clips to the ADC's range; samples without a value become its low rail, as a
    lead that came off does. Returns counts [ceil(n_samples × rate_hz / record.rate_hz)].
    """
    low, high = -(1 << (bits - 1)), (1 << (bits - 1)) - 1
    ratio = rational_ratio(rate_hz, record.rate_hz)
    invalid = (
        record.samples == record.invalid_lsb
        if record.invalid_lsb is not None
        else np.zeros(record.n_samples, dtype=np.bool_)
    )
    if record.n_samples == 0:
        return np.zeros(0, dtype=np.int16)
    counts = record.samples.astype(np.float64)
    if invalid.any():
        # Hold the last value, so that the marker does not ring through the filter.
        valid = np.where(invalid, 0, np.arange(record.n_samples))
        counts = counts[np.maximum.accumulate(valid)]
        if invalid[0]:
            counts[: int(np.argmin(invalid))] = record.baseline_lsb
    scaled = (counts - record.baseline_lsb) * (gain_lsb_per_mv / record.gain_lsb_per_mv)
    if ratio != 1:
        from scipy.signal import resample_poly  # takes a second, which not every command has

        # padtype "edge" goes on with the first and last value: no step at the record's ends.
        scaled = resample_poly(scaled, ratio.numerator, ratio.denominator, padtype="edge")
    board = np.clip(np.rint(scaled), low, high)
    if invalid.any():
        nearest = (
            np.arange(len(board)) * ratio.denominator + ratio.numerator // 2
        ) // ratio.numerator
        board[invalid[np.minimum(nearest, record.n_samples - 1)]] = low
    return board.astype(np.int16)


def board_to_record_time(t_samples: ArrayLike, record: Record, rate_hz: float) -> NDArray[np.int64]:
    """Sample numbers at the board's `rate_hz` as the nearest ones at the record's own rate."""
    ratio = rational_ratio(rate_hz, record.rate_hz)
    return rescale_times(np.asarray(t_samples, dtype=np.int64), 1 / ratio)
