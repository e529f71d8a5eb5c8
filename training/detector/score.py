"""What the R-peak detector makes of records: EC57's scores, R's errors, delays, the noisy flag.

What is measured is the C core, compiled anew for each set of constants (`generated_for`), on the
samples that a board's ADC delivers: 12 bits for clean records, 16 bits for noisy ones. That is
because `nst` leaves the offset at which each noisy stretch ends, so that at -6 dB the signal drifts
beyond ±10 mV, where a 12-bit ADC of 200 LSB/mV is at its rail (nstdb: for 19 to 23 % of the time),
and the rivals were measured on the records' own 16 bits.
"""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from einthoven.codegen import pipeline
from einthoven.native.core import FLAG_LEARNING, FLAG_NOISY, FLAG_SEARCH_BACK, Beats, analyze
from einthoven.records.adc import to_board
from einthoven.records.annotations import Annotations, at_rate, read_annotations
from einthoven.records.download import find_database
from einthoven.records.noise import mix
from einthoven.records.record import Record, read_record
from einthoven.scoring import comparison
from einthoven.training.data.dataset import ADC_BITS, GAIN_LSB_PER_MV

NOISE_BITS = 16
MIX_SEED = 1
"""Where a noise starts in a record that `read_mixed` makes."""

Counts = NDArray[np.int16]


@dataclass(frozen=True)
class Signal:
    """A record as the board sees it, and its reference."""

    record: Record
    samples: Counts
    bits: int
    reference: Annotations


@dataclass(frozen=True)
class Result:
    """Detections of one record, compared with its reference beats from `start_s` on."""

    scores: comparison.Comparison
    error_ms: NDArray[np.float64]
    """[m] detected minus annotated R of the matched beats."""
    delay_ms: NDArray[np.float64]
    """[k] R to confirmation, of beats found neither by search-back nor while learning."""
    unflagged: comparison.Rate
    """The same beats, without those detections that carry the noisy flag."""
    noisy_share: float
    """How much of the scored time the noisy flag stands."""


def rate_hz() -> int:
    """The core's sample rate by pipeline.toml."""
    return int(pipeline.load()["pipeline"]["rate_hz"])


def generated_for(spec: dict[str, Any], scratch: Path) -> Path:
    """Folder with the `ein_pipeline.h` of `spec`, under `scratch`."""
    text = pipeline.generate(spec)["ein_pipeline.h"]
    folder = scratch / hashlib.sha256(text.encode()).hexdigest()[:16]
    folder.mkdir(exist_ok=True)
    (folder / "ein_pipeline.h").write_text(text)
    return folder


@cache
def read_signal(data: Path | None, db: str, name: str) -> Signal:
    """A record of a database. Raises RecordError."""
    folder = find_database(data, db)
    record = read_record(folder, name)
    bits = NOISE_BITS if db == "nstdb" else ADC_BITS
    samples = to_board(record, rate_hz(), GAIN_LSB_PER_MV, bits)
    return Signal(record, samples, bits, at_rate(read_annotations(folder, name), record.rate_hz))


def read_mixed(data: Path | None, name: str, noise: str, snr_db: float) -> Signal:
    """A record of MIT-BIH with a noise of nstdb by nstdb's protocol. Raises RecordError."""
    clean = read_signal(data, "mitdb", name)
    source = read_record(find_database(data, "nstdb"), noise, uncalibrated_gain=1.0)
    record = mix(clean.record, clean.reference, source, snr_db, seed=MIX_SEED)
    samples = to_board(record, rate_hz(), GAIN_LSB_PER_MV, NOISE_BITS)
    return Signal(record, samples, NOISE_BITS, clean.reference)


def evaluate(
    signal: Signal,
    generated: Path,
    *,
    disturb: Callable[[Counts], Counts] = lambda samples: samples,
    start_s: float = comparison.LEARNING_S,
    end_s: float | None = None,
) -> Result:
    """Run the core made for `generated` over a signal and score it from `start_s` to `end_s`.

    `disturb` may change the samples. Raises RecordError.
    """
    record, hz = signal.record, float(rate_hz())
    end = record.n_samples if end_s is None else round(end_s * record.rate_hz)
    rails = (-(1 << (signal.bits - 1)), (1 << (signal.bits - 1)) - 1)
    samples = disturb(signal.samples.copy())
    beats = analyze(samples, GAIN_LSB_PER_MV, rails, generated)
    test = Annotations.of(beats.t_samples, ["N"] * len(beats), hz)
    scores = comparison.compare(signal.reference, test, record.rate_hz, end, start_s)
    i, j = scores.matched.T
    error_s = beats.t_samples[j] / hz - signal.reference.samples[i] / record.rate_hz
    return Result(
        scores,
        error_s * 1000,
        _delays(beats) / hz * 1000,
        _unflagged(scores, beats),
        _noisy_share(beats, round(start_s * hz), len(samples)),
    )


def _delays(beats: Beats) -> NDArray[np.int64]:
    """[k] samples from R to its confirmation: that is when the beat before it leaves the core.

    Only where nothing else held that beat back (its window) and R was found at first sight.
    """
    after = pipeline.load()["window"]["after_samples"]
    free = beats.t_emitted[:-1] - beats.t_samples[:-1] > after + 8
    prompt = (beats.flags[1:] & (FLAG_SEARCH_BACK | FLAG_LEARNING)) == 0
    known = beats.rr_next_samples[:-1] > 0
    delays: NDArray[np.int64] = beats.t_emitted[:-1] - beats.t_samples[1:]
    chosen: NDArray[np.int64] = delays[free & prompt & known]
    return chosen


def _unflagged(scores: comparison.Comparison, beats: Beats) -> comparison.Rate:
    """A detection that is flagged as noisy counts as none: missed if it was a beat."""
    said = np.append((beats.flags & FLAG_NOISY) == 0, False)  # the last is for index -1: no beat
    is_beat, found = scores.pairs[:, 0] >= 0, said[scores.pairs[:, 1]]
    tp = int((is_beat & found).sum())
    return comparison.Rate(tp, int(is_beat.sum()) - tp, int((~is_beat & found).sum()))


def _noisy_share(beats: Beats, start: int, end: int) -> float:
    changes = beats.signal_events
    times = np.clip(np.append(changes[:, 0], end), start, end)
    noisy = (changes[:, 1] & FLAG_NOISY) != 0
    return float(np.diff(times)[noisy].sum() / (end - start))
