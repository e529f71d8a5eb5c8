"""Noisy records of known signal-to-noise ratio, made as PhysioNet's `nst` makes them.

`nst` and the program that it measures amplitudes with, `sigamp` (WFDB software 10.7, `app/nst.c`,
`app/sigamp.c`; https://physionet.org/physiotools/wag/nst-1.htm), define the ratio as

    SNR = 10 log10(S / N),  S = (peak-to-peak amplitude of the QRS complexes)² / 8,  N = rms²

where both amplitudes are means without the largest and smallest twentieth: of the first 300 beats
that are not ventricular, 50 ms to either side of the annotation, and of the first 300 windows of
1 s of the noise, each about its own mean. MIT-BIH's Noise Stress Test Database
(doi:10.13026/C2HS3T) was made so from records 118 and 119 and the noise `em`; its noises `bw`
(baseline wander), `em` (electrode motion) and `ma` (muscle) go with any other record. Its gains
are up to 0.07 dB above ours, because `sigamp` drops the fraction of each deviation.
"""

import dataclasses

import numpy as np
from numpy.typing import NDArray

from einthoven.aami import BEAT_SYMBOLS, ec57_class
from einthoven.errors import RecordError, UsageError
from einthoven.records.annotations import Annotations
from einthoven.records.rates import rational_ratio
from einthoven.records.record import Record
from einthoven.records.resampling import resampled

FIRST_NOISE_S, SEGMENT_S = 300.0, 120.0
"""nstdb's protocol: noise from the sixth minute on, every other two minutes."""

SNR_DB = (-40.0, 80.0)
"""Below, hardly a sample fits 16 bits; above, the noise is less than a count."""

_MEASUREMENTS = 300
_AROUND_QRS_S, _WINDOW_S = 0.05, 1.0
_NORMAL = sorted(s for s in BEAT_SYMBOLS if ec57_class(s) not in ("V", "F"))
_INVALID = int(np.iinfo(np.int16).min)


def qrs_amplitude(
    signal: NDArray[np.float64], qrs_samples: NDArray[np.int64], rate_hz: float
) -> float:
    """Peak-to-peak amplitude of the QRS complexes of `signal` [n], in its unit.

    `qrs_samples`: [k] their times, ascending. Raises RecordError if none lies within the signal.
    """
    reach = round(_AROUND_QRS_S * rate_hz)
    inside = qrs_samples[(qrs_samples >= reach) & (qrs_samples < len(signal) - reach)]
    if len(inside) == 0:
        raise RecordError("no beat is annotated, so the record's signal amplitude is unknown")
    around = inside[:_MEASUREMENTS, None] + np.arange(-reach, reach)
    return _trimmed_mean(np.ptp(signal[around], axis=1))


def noise_rms(noise: NDArray[np.float64], rate_hz: float) -> float:
    """Root mean square of `noise` [n] over 1 s, in its unit. Raises RecordError if shorter."""
    length = round(_WINDOW_S * rate_hz)
    count = min(len(noise) // length, _MEASUREMENTS)
    if count == 0:
        raise RecordError(f"a noise record must last {_WINDOW_S:g} s at least")
    windows = noise[: count * length].reshape(count, length)
    return _trimmed_mean(np.std(windows, axis=1))


def _trimmed_mean(values: NDArray[np.float64]) -> float:
    trim = len(values) // 20
    return float(np.sort(values)[trim : len(values) - trim].mean())


def noise_gain(
    signal: NDArray[np.float64],
    qrs_samples: NDArray[np.int64],
    noise: NDArray[np.float64],
    snr_db: float,
    rate_hz: float,
) -> float:
    """What to multiply `noise` by, so that it lies `snr_db` below the QRS complexes of `signal`.

    Signal and noise are both sampled at `rate_hz`. Raises RecordError for noise that is none.
    """
    rms = noise_rms(noise, rate_hz)
    if rms == 0:
        raise RecordError("the noise record is constant: there is nothing to add")
    amplitude = qrs_amplitude(signal, qrs_samples, rate_hz)
    return float(amplitude / np.sqrt(8) / rms * 10 ** (-snr_db / 20))


def is_noisy(times_s: NDArray[np.float64]) -> NDArray[np.bool_]:
    """Whether nstdb's protocol adds noise at `times_s` [n]."""
    noisy: NDArray[np.bool_] = (times_s >= FIRST_NOISE_S) & (
        (times_s - FIRST_NOISE_S) // SEGMENT_S % 2 == 0
    )
    return noisy


def add_noise(
    signal: NDArray[np.float64],
    noise: NDArray[np.float64],
    gain: float,
    rate_hz: float,
    *,
    all_along: bool = False,
    offset_samples: int = 0,
) -> NDArray[np.float64]:
    """`signal` [n] with `gain` times `noise` [m] added: by nstdb's protocol, or `all_along`.

    The noise starts at `offset_samples` and begins anew at its end. Nothing jumps where noise
    begins or ends, nor at its seam: as with `nst`, the signal goes on from where the noise left it.
    """
    n = len(signal)
    at = (offset_samples + np.arange(n)) % len(noise)
    taken = noise[at]
    steps = np.diff(taken, prepend=taken[:1])
    steps[at == 0] = 0
    if all_along:
        steps[0] = taken[0] - noise.mean()
    else:
        steps[~is_noisy(np.arange(n) / rate_hz)] = 0
    noisy: NDArray[np.float64] = signal + gain * np.cumsum(steps)
    return noisy


def clipped(record: Record) -> int:
    """How many samples of what `mix` made stand at the ends of 16 bits."""
    limit = -_INVALID - 1
    return int(np.count_nonzero((record.samples == limit) | (record.samples == -limit)))


def mix(
    record: Record,
    reference: Annotations,
    noise: Record,
    snr_db: float,
    *,
    all_along: bool = False,
    seed: int | None = None,
) -> Record:
    """`record` with `noise` added at `snr_db`, at the record's own rate, gain and baseline.

    `reference`: the record's beats. `noise`: at any rate and gain, such as one of nstdb's. With a
    `seed` the noise starts at a place that it draws, else at its beginning, as nstdb's records do.
    Times without a value stay without. Counts beyond 16 bits are clipped: `clipped` counts them.
    Raises UsageError for a ratio out of SNR_DB, RecordError.
    """
    if not SNR_DB[0] <= snr_db <= SNR_DB[1]:  # no comparison holds for a NaN
        raise UsageError(
            f"a signal-to-noise ratio of {snr_db:g} dB is out of range: give {SNR_DB[0]:g} to "
            f"{SNR_DB[1]:g} dB (nstdb has 24 to -6)"
        )
    ratio = rational_ratio(record.rate_hz, noise.rate_hz)
    added = noise.samples.astype(np.float64)
    if ratio != 1:
        added = np.concatenate(list(resampled([added], ratio)))
    clean = record.samples.astype(np.float64)
    beats = reference.samples[np.isin(reference.symbols, _NORMAL)]
    gain = noise_gain(clean, beats, added, snr_db, record.rate_hz)
    offset = 0 if seed is None else int(np.random.default_rng(seed).integers(len(added)))
    noisy = add_noise(
        clean, added, gain, record.rate_hz, all_along=all_along, offset_samples=offset
    )
    samples = np.clip(np.rint(noisy), _INVALID + 1, -_INVALID - 1).astype(np.int32)
    if record.invalid_lsb is not None:
        # Its mark may now be the value of a sample like any other: another one, out of reach.
        samples[record.samples == record.invalid_lsb] = _INVALID
    return dataclasses.replace(
        record,
        samples=samples,
        invalid_lsb=_INVALID,
        comments=(*record.comments, f"Made of {record.name} and {noise.name}, {snr_db:g} dB"),
    )
