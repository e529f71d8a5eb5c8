"""Synthetic ECG with labels, for tests and for a demonstration without records or network.

Waves are sums of Gaussians around each beat, in the manner of ECGSYN (McSharry et al. 2003,
doi:10.1109/TBME.2003.808805), put on a rhythm with ectopic beats and under noise. It exercises
every part of the chain, and says nothing about performance on patients.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from einthoven.errors import UsageError
from einthoven.records.annotations import Annotations
from einthoven.records.record import Record
from einthoven.records.writing import write_record

LEAD = "MLII"
GAIN_LSB_PER_MV = 200
_LOW, _HIGH = -2048, 2047
"""12 bits; the low rail is also WFDB's mark for "no value" in format 212, as lead off is."""

EpisodeKind = Literal["bigeminy", "af", "paced", "lead_off", "saturated", "noisy"]


@dataclass(frozen=True)
class Episode:
    """A stretch of the record, in seconds, in which something else goes on."""

    kind: EpisodeKind
    start_s: float
    end_s: float


@dataclass(frozen=True)
class Ectopy:
    """Chance that a beat of the sinus rhythm is replaced, per beat."""

    premature_atrial: float = 0.03
    premature_ventricular: float = 0.04
    ventricular_couplet: float = 0.005
    ventricular_run: float = 0.002
    fusion: float = 0.008


@dataclass(frozen=True)
class Noise:
    """Root mean square amplitudes in mV."""

    wander_mv: float = 0.10
    muscle_mv: float = 0.015
    mains_mv: float = 0.01
    mains_hz: float = 50.0
    electrode_pops_per_minute: float = 0.2


@dataclass(frozen=True)
class SynthRecord:
    """Counts of a 12-bit ADC, 0 mV at 0, with reference annotations."""

    seed: int
    rate_hz: float
    samples: NDArray[np.int16]
    annotations: Annotations
    """Beats at their R peak; rhythm changes (`+`) and unreadable stretches (`~`)."""

    def write(self, folder: Path, name: str) -> None:
        """Write `<name>.hea`, `.dat` and `.atr`. Raises RecordError."""
        record = Record(
            name=name,
            lead=LEAD,
            rate_hz=self.rate_hz,
            gain_lsb_per_mv=float(GAIN_LSB_PER_MV),
            baseline_lsb=0,
            samples=self.samples.astype(np.int32),
            invalid_lsb=_LOW,
            comments=(f"Synthetic, seed {self.seed}: not a recording of a person.",),
        )
        write_record(record, self.annotations, folder, name, fmt="212")


class _Wave(NamedTuple):
    mv: float
    centre_s: float
    width_s: float


@dataclass(frozen=True)
class _Shapes:
    """Waves of one synthetic patient, by what they belong to; R at 0 s."""

    atrial: tuple[_Wave, ...]
    ectopic_atrial: tuple[_Wave, ...]
    normal: tuple[_Wave, ...]
    ventricular: tuple[_Wave, ...]
    fusion: tuple[_Wave, ...]
    paced: tuple[_Wave, ...]
    repolarization: tuple[_Wave, ...]


class _Beat(NamedTuple):
    time_s: float
    symbol: str
    waves: tuple[_Wave, ...]
    rr_s: float
    """Interval before it: a premature beat repolarizes sooner."""


@dataclass
class _Rhythm:
    """The beats made so far, and what the next one depends on."""

    rng: np.random.Generator
    shapes: _Shapes
    mean_rr_s: float
    beats: list[_Beat] = field(default_factory=list)
    time_s: float = 0.5
    last_ventricular: bool = False

    def add(self, symbol: str, waves: tuple[_Wave, ...], rr_s: float) -> None:
        self.time_s += rr_s
        self.beats.append(_Beat(self.time_s, symbol, waves, rr_s))
        self.last_ventricular = symbol == "V"

    def sinus_rr(self) -> float:
        """Mean interval with respiratory (0.25 Hz) and slower variation, and 1 % of jitter."""
        t = self.time_s
        wave = 0.03 * np.sin(2 * np.pi * 0.25 * t) + 0.05 * np.sin(2 * np.pi * t / 47.0)
        return float(self.mean_rr_s * (1 + wave + 0.01 * self.rng.standard_normal()))


def make_record(
    seed: int,
    seconds: float = 1800.0,
    rate_hz: float = 360.0,
    *,
    heart_rate_bpm: float = 72.0,
    ectopy: Ectopy | None = None,
    noise: Noise | None = None,
    episodes: Sequence[Episode] = (),
) -> SynthRecord:
    """Make a record. The same arguments give the same record.

    Raises UsageError for a rate below 100 Hz, a heart rate outside 30 to 200 per minute, or
    a record of less than 10 s.
    """
    if rate_hz < 100 or not 30 <= heart_rate_bpm <= 200 or seconds < 10:
        raise UsageError("a synthetic record needs ≥ 100 Hz, 30 to 200 beats/min and ≥ 10 s")
    rng = np.random.default_rng(seed)
    rhythm = _Rhythm(rng, _patient(rng), 60.0 / heart_rate_bpm)
    while rhythm.time_s < seconds:
        _next_beats(rhythm, ectopy or Ectopy(), _kinds_at(episodes, rhythm.time_s))
    n = round(seconds * rate_hz)
    beats = [b for b in rhythm.beats if b.time_s < seconds - 0.5]
    signal_mv = _render(beats, n, rate_hz, rhythm.shapes)
    signal_mv += _noise(rng, noise or Noise(), n, rate_hz)
    for episode in episodes:
        part = slice(round(episode.start_s * rate_hz), round(episode.end_s * rate_hz))
        length = len(signal_mv[part])
        if episode.kind == "noisy":
            loud = Noise(wander_mv=0.4, muscle_mv=0.15, electrode_pops_per_minute=10.0)
            signal_mv[part] += _noise(rng, loud, length, rate_hz)
        elif episode.kind == "af":
            signal_mv[part] += _fibrillation(rng, length, rate_hz)
        elif episode.kind == "saturated":
            signal_mv[part] += 20.0
        elif episode.kind == "lead_off":
            signal_mv[part] = -20.0
    counts = np.clip(np.rint(signal_mv * GAIN_LSB_PER_MV), _LOW, _HIGH).astype(np.int16)
    return SynthRecord(seed, rate_hz, counts, _annotate(beats, episodes, n, rate_hz))


def demo_record(seed: int = 1) -> SynthRecord:
    """The half hour that the demonstration replays when there are no records."""
    return make_record(
        seed,
        episodes=(
            Episode("bigeminy", 400, 460),
            Episode("af", 600, 720),
            Episode("paced", 900, 1020),
            Episode("noisy", 1150, 1180),
            Episode("lead_off", 1300, 1310),
            Episode("saturated", 1450, 1452),
        ),
    )


def demo_strips() -> dict[str, SynthRecord]:
    """Three hand-held recordings of 30 s, as the demonstration shows verdicts on: by their name."""
    calm = Ectopy(0.0, 0.0, 0.0, 0.0, 0.0)
    loud = Noise(wander_mv=1.0, muscle_mv=0.8, mains_mv=0.3, electrode_pops_per_minute=40.0)
    fibrillation = (Episode("af", 0, 30),)
    return {
        "normal": make_record(1, 30.0, 300.0, ectopy=calm),
        "fibrillation": make_record(1, 30.0, 300.0, episodes=fibrillation),
        "noisy": make_record(2, 30.0, 300.0, ectopy=calm, noise=loud),
    }


def _kinds_at(episodes: Sequence[Episode], time_s: float) -> set[EpisodeKind]:
    return {e.kind for e in episodes if e.start_s <= time_s < e.end_s}


def _patient(rng: np.random.Generator) -> _Shapes:
    """Draw one patient's shapes around typical values of a modified lead II."""

    def wave(mv: float, centre_s: float, width_s: float) -> _Wave:
        size = rng.uniform(0.8, 1.25) * mv
        return _Wave(size, centre_s * rng.uniform(0.95, 1.05), width_s * rng.uniform(0.9, 1.1))

    normal = (wave(-0.12, -0.028, 0.009), wave(1.2, 0.0, 0.011), wave(-0.28, 0.030, 0.011))
    polarity = rng.choice((-1.0, 1.0), p=(0.35, 0.65))
    ventricular = (
        wave(1.5 * polarity, 0.0, 0.032),
        wave(-0.55 * polarity, 0.085, 0.040),
        wave(-0.45 * polarity, 0.270, 0.070),
    )
    half = tuple(w._replace(mv=0.5 * w.mv) for w in (*normal, *ventricular))
    spike = _Wave(1.0, -0.055, 0.0015)
    paced = (spike, wave(1.0, 0.0, 0.030), wave(-0.5, 0.080, 0.040), wave(-0.35, 0.300, 0.060))
    return _Shapes(
        atrial=(wave(0.13, -0.165, 0.022),),
        ectopic_atrial=(wave(-0.08, -0.120, 0.018),),
        normal=normal,
        ventricular=ventricular,
        fusion=half,
        paced=paced,
        repolarization=(wave(0.28, 0.270, 0.050),),
    )


def _next_beats(rhythm: _Rhythm, ectopy: Ectopy, kinds: set[EpisodeKind]) -> None:
    """Add the next beat, or the beats that belong together."""
    s, rng = rhythm.shapes, rhythm.rng
    normal = (*s.atrial, *s.normal, *s.repolarization)
    rr = rhythm.sinus_rr()
    if "paced" in kinds:
        rhythm.add("/", s.paced, 60.0 / 70.0)
        return
    if "af" in kinds:
        irregular = float(np.clip(0.65 * rng.lognormal(0.0, 0.22), 0.35, 1.5))
        rhythm.add("N", (*s.normal, *s.repolarization), irregular)
        return
    if "bigeminy" in kinds:
        if rhythm.last_ventricular:
            rhythm.add("N", normal, 1.45 * rr)
        else:
            rhythm.add("V", s.ventricular, rng.uniform(0.58, 0.64) * rr)
        return
    chances = (
        ectopy.premature_atrial,
        ectopy.premature_ventricular,
        ectopy.ventricular_couplet,
        ectopy.ventricular_run,
        ectopy.fusion,
    )
    # At least one beat of sinus rhythm between two events keeps what is what clear.
    quiet = bool(rhythm.beats) and rhythm.beats[-1].symbol == "N"
    event = int(np.searchsorted(np.cumsum(chances), rng.random())) if quiet else len(chances)
    if event == 0:
        atrial = (*s.ectopic_atrial, *s.normal, *s.repolarization)
        rhythm.add("A", atrial, rng.uniform(0.60, 0.75) * rr)
        rhythm.add("N", normal, 1.08 * rr)
    elif event in (1, 2, 3):
        coupling = rng.uniform(0.55, 0.70)
        length = (1, 2, int(rng.integers(3, 8)))[event - 1]
        rhythm.add("V", s.ventricular, coupling * rr)
        for _ in range(length - 1):
            rhythm.add("V", s.ventricular, rng.uniform(0.40, 0.46))
        # The sinus node goes on undisturbed: the pause is compensatory.
        rhythm.add("N", normal, (2.0 - coupling) * rr)
    elif event == 4:
        rhythm.add("F", (*s.atrial, *s.fusion, *s.repolarization), 0.94 * rr)
        rhythm.add("N", normal, 1.02 * rr)
    else:
        rhythm.add("N", normal, rr)


def _render(beats: Sequence[_Beat], n: int, rate_hz: float, shapes: _Shapes) -> NDArray[np.float64]:
    """Sum of all waves in mV, [n]; amplitudes breathe by 5 %."""
    signal = np.zeros(n)
    for beat in beats:
        breath = 1.0 + 0.05 * np.sin(2 * np.pi * 0.25 * beat.time_s)
        first = max(round((beat.time_s - 0.35) * rate_hz), 0)
        t = np.arange(first, min(first + round(0.95 * rate_hz), n)) / rate_hz - beat.time_s
        for wave in beat.waves:
            # Bazett: what comes late in the beat moves with the square root of the interval.
            late = wave in shapes.repolarization or wave.centre_s > 0.2
            stretch = min(np.sqrt(beat.rr_s / 0.83), 1.15) if late else 1.0
            offset = (t - wave.centre_s * stretch) / wave.width_s
            signal[first : first + len(t)] += breath * wave.mv * np.exp(-0.5 * offset**2)
    return signal


def _noise(rng: np.random.Generator, noise: Noise, n: int, rate_hz: float) -> NDArray[np.float64]:
    """Baseline wander, muscle, mains and electrode pops in mV, [n]."""
    t = np.arange(n) / rate_hz
    total = np.zeros(n)
    for hz in (0.05, 0.13, 0.25, 0.31):
        phase = rng.uniform(0, 2 * np.pi)
        total += noise.wander_mv / np.sqrt(2) * np.sin(2 * np.pi * hz * t + phase)
    # Muscle noise lies high: the difference of white noise has little below 20 Hz.
    total += noise.muscle_mv / np.sqrt(2) * np.diff(rng.standard_normal(n + 1))
    mains_phase = 2 * np.pi * noise.mains_hz * t + rng.uniform(0, 2 * np.pi)
    total += noise.mains_mv * np.sqrt(2) * np.sin(mains_phase)
    for _ in range(rng.poisson(noise.electrode_pops_per_minute * n / rate_hz / 60.0)):
        at = int(rng.integers(0, max(n, 1)))
        decay = np.exp(-(t[at:] - t[at]) / 0.4)
        total[at:] += rng.choice((-1.0, 1.0)) * rng.uniform(0.5, 1.5) * decay
    return total


def _fibrillation(rng: np.random.Generator, n: int, rate_hz: float) -> NDArray[np.float64]:
    """Fibrillatory waves: 6 Hz, wandering in frequency, 0.05 mV."""
    hz = 6.0 + np.cumsum(rng.standard_normal(n)) * 0.3 / np.sqrt(max(n, 1))
    return np.asarray(0.05 * np.sin(2 * np.pi * np.cumsum(hz) / rate_hz))


def _annotate(
    beats: Sequence[_Beat], episodes: Sequence[Episode], n: int, rate_hz: float
) -> Annotations:
    """Reference annotations: beats that can be seen, rhythm changes, unreadable stretches."""
    unreadable = [
        (round(e.start_s * rate_hz), min(round(e.end_s * rate_hz), n - 1))
        for e in episodes
        if e.kind in ("lead_off", "saturated") and round(e.start_s * rate_hz) < n
    ]
    rows: list[tuple[int, str, int, str]] = [(0, "+", 0, "(N")]
    for beat in beats:
        sample = round(beat.time_s * rate_hz)
        if not any(begin <= sample <= end for begin, end in unreadable):
            rows.append((sample, beat.symbol, 0, ""))
    for begin, end in unreadable:
        rows += [(begin, "~", 0x30, ""), (end, "~", 0, "")]
    names = {"af": "(AFIB", "bigeminy": "(B", "paced": "(P"}
    for e in episodes:
        if e.kind in names:
            rows += [
                (round(e.start_s * rate_hz), "+", 0, names[e.kind]),
                (round(e.end_s * rate_hz), "+", 0, "(N"),
            ]
    rows = sorted((r for r in rows if r[0] < n), key=lambda r: (r[0], r[1] != "+"))
    samples, symbols, subtypes, aux = zip(*rows, strict=True)
    zero = np.zeros(len(rows), dtype=np.int16)
    return Annotations(
        samples=np.array(samples, dtype=np.int64),
        symbols=np.array(symbols, dtype=np.str_),
        subtype=np.array(subtypes, dtype=np.int16),
        chan=zero,
        num=zero,
        aux=aux,
        rate_hz=rate_hz,
    )
