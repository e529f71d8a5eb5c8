"""A record as a board's front end and ADC would have sampled it, and the way back of times.

A board's front end is AC-coupled: a first-order high-pass at COUPLING_HZ stands before its ADC.
What recorders deliver has mostly been through such a filter already, and a second one would
change each record a little for nothing: so the model's filter works only on recordings whose
baseline is out of the ADC's reach (docs/records.md).
"""

import math
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from einthoven.records.rates import rational_ratio, rescale_times
from einthoven.records.recording import Record
from einthoven.records.resampling import resampled

COUPLING_HZ = 0.05
"""Corner of the front end's high-pass: the lower end of the band that AHA and IEC 60601-2-25 ask
of a diagnostic ECG, a tenth of where the core's own band-pass begins."""
BASELINE_SHARE = 0.75
"""A baseline beyond this share of the ADC's range is a DC-coupled recording's."""
BLOCK_S = 10.0
MOVING_MV = 0.1
"""Less than this from lowest to highest in BLOCK_S is no ECG."""
PIECE = 1 << 18
"""Samples that are computed with at a time, which a processor's cache still holds."""


@dataclass(frozen=True)
class BoardSignal:
    """A record as a board takes it."""

    samples: NDArray[np.int16]
    """[n] counts, 0 mV at count 0; the low rail in gaps and where the recorder had no value."""
    gaps: tuple[tuple[int, int], ...]
    """(first, number) of the samples that a board would not get at all."""
    coupled: bool
    """The front end took an offset off that the ADC cannot hold."""
    offset_mv: float
    """Median of the record before that, in mV."""


def to_board(
    record: Record, rate_hz: float, gain_lsb_per_mv: float, bits: int
) -> NDArray[np.int16]:
    """`board_signal`'s samples, for those who know no gaps."""
    return board_signal(record, rate_hz, gain_lsb_per_mv, bits).samples


def board_signal(record: Record, rate_hz: float, gain_lsb_per_mv: float, bits: int) -> BoardSignal:
    """The record as a board's bipolar ADC of `bits` bits would have sampled it.

    Anti-aliased and without delay: sample k belongs to time k / rate_hz exactly, however long
    the record. Clips to the ADC's range; samples without a value become its low rail, as a
    lead that came off does. ceil(n_samples × rate_hz / record.rate_hz) samples.
    """
    low, high = -(1 << (bits - 1)), (1 << (bits - 1)) - 1
    ratio = rational_ratio(rate_hz, record.rate_hz)
    if record.n_samples == 0:
        return BoardSignal(np.zeros(0, dtype=np.int16), (), False, 0.0)
    invalid = _without_value(record)
    adc = _Adc(_held(record, invalid), record, gain_lsb_per_mv / record.gain_lsb_per_mv)
    coupled = adc.needs_coupling(low, MOVING_MV * gain_lsb_per_mv)
    pieces = adc.coupled() if coupled else adc.pieces()
    board = np.concatenate(
        [np.clip(np.rint(y), low, high).astype(np.int16) for y in resampled(pieces, ratio)]
    )
    if invalid.any():
        nearest = (
            np.arange(len(board)) * ratio.denominator + ratio.numerator // 2
        ) // ratio.numerator
        board[invalid[np.minimum(nearest, record.n_samples - 1)]] = low
    gaps = _gaps(record, float(ratio), len(board))
    return BoardSignal(board, gaps, coupled, adc.median() / gain_lsb_per_mv)


@dataclass(frozen=True)
class _Adc:
    """A record's counts in a board's unit, piece by piece: a float64 for each sample of a day of
    two leads would be half a gigabyte."""

    counts: NDArray[np.int32]
    record: Record
    scale: float
    """The board's counts per one of the record's."""

    def pieces(self, samples: int = PIECE) -> Iterator[NDArray[np.float64]]:
        """The record in the board's counts, `samples` at a time."""
        for begin in range(0, len(self.counts), samples):
            yield self._scaled(self.counts[begin : begin + samples])

    def coupled(self) -> Iterator[NDArray[np.float64]]:
        """`pieces` behind a high-pass at COUPLING_HZ, settled on the record's first second."""
        from scipy.signal import lfilter

        rate_hz = self.record.rate_hz
        settled = float(np.median(self._scaled(self.counts[: max(1, round(rate_hz))])))
        pole = math.exp(-2 * math.pi * COUPLING_HZ / rate_hz)
        state = np.array([pole * settled])
        for piece in self.pieces():
            baseline, state = lfilter([1 - pole], [1, -pole], piece, zi=state)
            yield piece - baseline

    def needs_coupling(self, low: int, moving: float) -> bool:
        """Whether an ADC from `low` cannot hold the record, because of where its baseline lies.

        Looks at the medians of blocks of BLOCK_S, which spikes do not move, and only at blocks
        that move by more than `moving`: a lead that is off lies at a rail. Most of them must lie
        beyond, or else what is beyond is movement of an electrode, which a board sees, too
        (nstdb).
        """
        ends = self._scaled(np.array([self.counts.min(), self.counts.max()]))
        if ends.min() >= low and ends.max() < -low:
            return False
        blocks = self.pieces(max(1, round(BLOCK_S * self.record.rate_hz)))
        medians = [float(np.median(b)) for b in blocks if np.ptp(b) > moving]
        beyond = [abs(median) > BASELINE_SHARE * -low for median in medians]
        return 2 * sum(beyond) > len(beyond)

    def median(self) -> float:
        """Of the whole record, in the board's counts."""
        return (float(np.median(self.counts)) - self.record.baseline_lsb) * self.scale

    def _scaled(self, counts: NDArray[np.int32]) -> NDArray[np.float64]:
        return (counts.astype(np.float64) - self.record.baseline_lsb) * self.scale


def _held(record: Record, invalid: NDArray[np.bool_]) -> NDArray[np.int32]:
    """The record's counts with the last value held where there is none.

    The marker of a missing value would ring through the filter.
    """
    if not invalid.any():
        return record.samples
    valid = np.where(invalid, 0, np.arange(record.n_samples))
    counts = record.samples[np.maximum.accumulate(valid)]
    if invalid[0]:
        counts[: int(np.argmin(invalid))] = record.baseline_lsb
    return counts


def _without_value(record: Record) -> NDArray[np.bool_]:
    """[n_samples] True where the recorder had no value, and in gaps."""
    invalid = np.zeros(record.n_samples, dtype=np.bool_)
    if record.invalid_lsb is not None:
        invalid |= record.samples == record.invalid_lsb
    for first, number in record.gaps:
        invalid[first : first + number] = True
    return invalid


def _gaps(record: Record, ratio: float, n: int) -> tuple[tuple[int, int], ...]:
    """The record's gaps in samples of the board: those whose time lies in the gap."""
    gaps = []
    for first, number in record.gaps:
        begin = min(math.ceil(first * ratio), n)
        end = min(math.ceil((first + number) * ratio), n)
        if end > begin:
            gaps.append((begin, end - begin))
    return tuple(gaps)


def board_to_record_time(t_samples: ArrayLike, record: Record, rate_hz: float) -> NDArray[np.int64]:
    """Sample numbers at the board's `rate_hz` as the nearest ones at the record's own rate."""
    ratio = rational_ratio(rate_hz, record.rate_hz)
    return rescale_times(np.asarray(t_samples, dtype=np.int64), 1 / ratio)
