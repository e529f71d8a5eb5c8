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

from einthoven.records.ranks import ranks
from einthoven.records.rates import rational_ratio, rescale_times
from einthoven.records.recording import PIECE, Recording, pieces
from einthoven.records.resampling import resampled

COUPLING_HZ = 0.05
"""Corner of the front end's high-pass: the lower end of the band that AHA and IEC 60601-2-25 ask
of a diagnostic ECG, a tenth of where the core's own band-pass begins."""
BASELINE_SHARE = 0.75
"""A baseline beyond this share of the ADC's range is a DC-coupled recording's."""
BLOCK_S = 10.0
MOVING_MV = 0.1
"""Less than this from lowest to highest in BLOCK_S is no ECG."""


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
    record: Recording, rate_hz: float, gain_lsb_per_mv: float, bits: int
) -> NDArray[np.int16]:
    """`board_signal`'s samples, for those who know no gaps."""
    return board_signal(record, rate_hz, gain_lsb_per_mv, bits).samples


def board_signal(
    record: Recording, rate_hz: float, gain_lsb_per_mv: float, bits: int
) -> BoardSignal:
    """The record as a board's bipolar ADC of `bits` bits would have sampled it.

    Anti-aliased and without delay: sample k belongs to time k / rate_hz exactly, however long
    the record. Clips to the ADC's range; samples without a value become its low rail, as a
    lead that came off does. ceil(n_samples × rate_hz / record.rate_hz) samples.
    """
    stream = BoardStream(record, rate_hz, gain_lsb_per_mv, bits)
    samples = np.concatenate([np.zeros(0, dtype=np.int16), *stream.pieces()])
    return BoardSignal(samples, stream.gaps, stream.coupled, stream.offset_mv)


class BoardStream:
    """`board_signal` piece by piece: a record in its file (`Filed`) is in memory nowhere whole."""

    def __init__(
        self, record: Recording, rate_hz: float, gain_lsb_per_mv: float, bits: int
    ) -> None:
        """Arguments as of `board_signal`. Goes through the record once, to know its baseline."""
        self._record = record
        self._low, self._high = -(1 << (bits - 1)), (1 << (bits - 1)) - 1
        self._ratio = rational_ratio(rate_hz, record.rate_hz)
        self._scale = gain_lsb_per_mv / record.gain_lsb_per_mv
        self.coupled = False
        """As of `BoardSignal`, as are the two below."""
        self.offset_mv = 0.0
        self.n_samples = math.ceil(record.n_samples * self._ratio)
        self.gaps = _gaps(record, float(self._ratio), self.n_samples)
        if record.n_samples:
            found = ranks(lambda: (counts for counts, _ in _held(record)))
            lowest, highest = self._scaled(np.array([found.low, found.high])).tolist()
            if lowest < self._low or highest >= -self._low:
                self.coupled = self._needs_coupling(MOVING_MV * gain_lsb_per_mv)
            median = (found.median - record.baseline_lsb) * self._scale
            self.offset_mv = median / gain_lsb_per_mv

    def pieces(self) -> Iterator[NDArray[np.int16]]:
        """All samples in order."""
        up, down = self._ratio.numerator, self._ratio.denominator
        without = _Marks()
        analog = self._coupled(without) if self.coupled else self._analog(without)
        done = 0
        for values in resampled(analog, self._ratio):
            board = np.clip(np.rint(values), self._low, self._high).astype(np.int16)
            if without.any_from((done * down + up // 2) // up):
                nearest = (np.arange(done, done + len(board)) * down + up // 2) // up
                board[without.at(np.minimum(nearest, self._record.n_samples - 1))] = self._low
            done += len(board)
            yield board

    def _analog(self, without: "_Marks", samples: int = PIECE) -> Iterator[NDArray[np.float64]]:
        """The record in the board's counts, `samples` at a time."""
        for counts, invalid in _held(self._record, samples):
            without.add(invalid)
            yield self._scaled(counts)

    def _coupled(self, without: "_Marks") -> Iterator[NDArray[np.float64]]:
        """`_analog` behind a high-pass at COUPLING_HZ, settled on the record's first second."""
        from scipy.signal import lfilter  # takes a second, and few records need it

        rate_hz = self._record.rate_hz
        second = next(self._analog(_Marks(), max(1, round(rate_hz))))
        pole = math.exp(-2 * math.pi * COUPLING_HZ / rate_hz)
        state = np.array([pole * float(np.median(second))])
        for piece in self._analog(without):
            baseline, state = lfilter([1 - pole], [1, -pole], piece, zi=state)
            yield piece - baseline

    def _needs_coupling(self, moving: float) -> bool:
        """Whether the ADC cannot hold a record that goes beyond it, because of its baseline.

        Looks at the medians of blocks of BLOCK_S, which spikes do not move, and only at blocks
        that move by more than `moving`: a lead that is off lies at a rail. Most of them must lie
        beyond, or else what is beyond is movement of an electrode, which a board sees, too
        (nstdb).
        """
        blocks = self._analog(_Marks(), max(1, round(BLOCK_S * self._record.rate_hz)))
        medians = [float(np.median(b)) for b in blocks if np.ptp(b) > moving]
        beyond = [abs(median) > BASELINE_SHARE * -self._low for median in medians]
        return 2 * sum(beyond) > len(beyond)

    def _scaled(self, counts: NDArray[np.int32]) -> NDArray[np.float64]:
        return (counts.astype(np.float64) - self._record.baseline_lsb) * self._scale


def _held(
    record: Recording, most: int = PIECE
) -> Iterator[tuple[NDArray[np.int32], NDArray[np.bool_]]]:
    """The record's counts, `most` at a time, with the last value held where there is none, and
    where that is.

    The marker of a missing value would ring through the filter.
    """
    last, at = record.baseline_lsb, 0
    for counts in pieces(record.read, record.n_samples, most):
        invalid = _without_value(record, counts, at)
        at += len(counts)
        if invalid.any():
            valid = np.maximum.accumulate(np.where(invalid, -1, np.arange(len(counts))))
            counts = np.where(valid < 0, np.int32(last), counts[valid])
        last = int(counts[-1])
        yield counts, invalid


def _without_value(record: Recording, counts: NDArray[np.int32], at: int) -> NDArray[np.bool_]:
    """[n] True where the recorder had no value, and in gaps, of counts from sample `at` on."""
    invalid = np.zeros(len(counts), dtype=np.bool_)
    if record.invalid_lsb is not None:
        invalid |= counts == record.invalid_lsb
    for first, number in record.gaps:
        invalid[max(first - at, 0) : max(first + number - at, 0)] = True
    return invalid


class _Marks:
    """Which samples had no value: told as they go into the filter, asked for as they come out."""

    def __init__(self) -> None:
        self._first = 0
        self._marks = np.zeros(0, dtype=np.bool_)

    def add(self, invalid: NDArray[np.bool_]) -> None:
        """The next samples'."""
        self._marks = np.concatenate([self._marks, invalid])

    def any_from(self, first: int) -> bool:
        """Whether any sample from `first` on is marked; those before are never asked for again."""
        self._marks, self._first = self._marks[first - self._first :], first
        return bool(self._marks.any())

    def at(self, where: NDArray[np.int64]) -> NDArray[np.bool_]:
        """The marks of samples at these places."""
        return self._marks[where - self._first]


def _gaps(record: Recording, ratio: float, n: int) -> tuple[tuple[int, int], ...]:
    """The record's gaps in samples of the board: those whose time lies in the gap."""
    gaps = []
    for first, number in record.gaps:
        begin = min(math.ceil(first * ratio), n)
        end = min(math.ceil((first + number) * ratio), n)
        if end > begin:
            gaps.append((begin, end - begin))
    return tuple(gaps)


def board_to_record_time(
    t_samples: ArrayLike, record: Recording, rate_hz: float
) -> NDArray[np.int64]:
    """Sample numbers at the board's `rate_hz` as the nearest ones at the record's own rate."""
    ratio = rational_ratio(rate_hz, record.rate_hz)
    return rescale_times(np.asarray(t_samples, dtype=np.int64), 1 / ratio)
