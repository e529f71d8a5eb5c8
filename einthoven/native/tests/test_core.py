"""The C signal path through its Python face: on synthetic records, at its edges, in any split."""

import re
from dataclasses import fields

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from einthoven.errors import UsageError
from einthoven.native import core
from einthoven.native.core import Beats, Core, analyze, join
from einthoven.paths import FIRMWARE
from einthoven.records.annotations import Annotations
from einthoven.records.synth import Episode, Noise, make_record
from einthoven.scoring.comparison import compare

RATE_HZ = 180
RAILS = (-2048, 2047)


def synthetic(seed: int = 7, seconds: float = 120.0, **more: object) -> NDArray[np.int16]:
    return make_record(seed, seconds, float(RATE_HZ), **more).samples  # type: ignore[arg-type]


def assert_same(a: Beats, b: Beats) -> None:
    for field in fields(Beats):
        np.testing.assert_array_equal(getattr(a, field.name), getattr(b, field.name), field.name)


def in_pieces(samples: NDArray[np.int16], cuts: list[int]) -> Beats:
    running = Core()
    pieces = np.split(samples, sorted(cuts))
    return join([*(running.push(piece) for piece in pieces), running.finish()])


EPISODES = (
    Episode("bigeminy", 10, 20),
    Episode("noisy", 30, 40),
    Episode("saturated", 50, 52),
    Episode("lead_off", 60, 65),
    Episode("af", 80, 100),
)
WHOLE = synthetic(episodes=EPISODES)


@settings(max_examples=40)
@given(st.lists(st.integers(0, len(WHOLE)), max_size=60))
def test_any_split_gives_the_same_events(cuts: list[int]) -> None:
    assert_same(in_pieces(WHOLE, cuts), analyze(WHOLE))


@pytest.mark.parametrize("ahead", [1, 200, 700, 20 * RATE_HZ, 40 * RATE_HZ + 77])
def test_the_clock_may_pass_2_to_the_32(ahead: int) -> None:
    """After 276 days times begin again at 0; a gap of any length brings the clock there."""

    def after(lost: int) -> Beats:
        running = Core()
        gap = running.gap(lost)
        assert len(gap) == 0
        return join([running.push(WHOLE), running.finish()])

    usual, wrapped = after(100_000), after(2**32 - ahead)
    for field in fields(Beats):
        ours, theirs = getattr(wrapped, field.name), getattr(usual, field.name)
        if field.name in ("t_samples", "t_emitted"):
            ours = (ours + ahead) % 2**32
            theirs = theirs - 100_000
        if field.name == "signal_events":
            ours = np.stack([(ours[:, 0] + ahead) % 2**32, ours[:, 1]], axis=1)
            theirs = np.stack([theirs[:, 0] - 100_000, theirs[:, 1]], axis=1)
        np.testing.assert_array_equal(ours, theirs, field.name)


def test_sample_by_sample_gives_the_same_events() -> None:
    short = WHOLE[: 20 * RATE_HZ]
    assert_same(in_pieces(short, list(range(len(short)))), analyze(short))


@settings(max_examples=30)
@given(
    st.lists(
        st.one_of(
            st.lists(st.integers(-32768, 32767), max_size=200),
            st.tuples(st.integers(-32768, 32767), st.integers(0, 2000)),
        ),
        max_size=12,
    ),
    st.integers(0, 3),
)
def test_hostile_samples(blocks: list[list[int] | tuple[int, int]], pieces: int) -> None:
    """Whatever comes: events in order, beats a refractory period apart, the same in any split."""
    parts = [np.full(b[1], b[0]) if isinstance(b, tuple) else np.array(b) for b in blocks]
    samples = np.concatenate([np.empty(0), *parts]).astype(np.int16)
    beats = analyze(samples)
    assert (np.diff(beats.t_samples) > 0).all()
    assert ((beats.t_samples >= 0) & (beats.t_samples < len(samples))).all()
    assert (beats.t_emitted >= beats.t_samples).all()
    cuts = [len(samples) * i // (pieces + 1) for i in range(1, pieces + 1)]
    assert_same(in_pieces(samples, cuts), beats)


def test_synthetic_beats_are_found_where_they_are() -> None:
    record = make_record(11, 300.0, float(RATE_HZ))
    beats = analyze(record.samples)
    test = Annotations.of(beats.t_samples, ["N"] * len(beats), RATE_HZ)
    result = compare(record.annotations, test, RATE_HZ, len(record.samples), start_s=3.0)
    assert result.qrs.se is not None and result.qrs.se > 0.995
    assert result.qrs.ppv is not None and result.qrs.ppv > 0.995
    i, j = result.matched.T
    error = np.abs(beats.t_samples[j] - record.annotations.samples[i])
    assert np.median(error) <= 1


def test_rr_intervals_and_shapes() -> None:
    beats = analyze(synthetic(episodes=()))
    n = len(beats)
    assert beats.signal.shape == (n, 216, 3) and beats.signal.dtype == np.int8
    assert beats.features.shape[0] == n and beats.features.dtype == np.int8
    np.testing.assert_array_equal(beats.rr_prev_samples[1:], np.diff(beats.t_samples))
    np.testing.assert_array_equal(beats.rr_next_samples[:-1], np.diff(beats.t_samples))
    assert beats.rr_prev_samples[0] == 0 and beats.rr_next_samples[-1] == 0


@pytest.mark.parametrize("gain", [25, 100, 1000, 4000])
def test_the_gain_is_taken_off(gain: int) -> None:
    """The same signal at another resolution gives the same beats, to the resolution's rounding."""
    # Noise that is rounded differently decides near the thresholds, so there is little of it here.
    counts = synthetic(noise=Noise(0.05, 0.002, 0.0, 50.0, 0.0))
    scaled = np.clip(np.round(counts * (gain / 200.0)), -32767, 32766).astype(np.int16)
    beats = analyze(scaled, gain, (-32768, 32767))
    same = analyze(counts, 200, (-32768, 32767))
    assert len(beats) == len(same)
    assert np.abs(beats.t_samples - same.t_samples).max() <= 2


def changes(beats: Beats) -> list[int]:
    return [int(flags) for flags in beats.signal_events[:, 1]]


def test_lead_off_is_reported_and_recovered_from() -> None:
    samples = synthetic(seed=5, seconds=60.0, noise=Noise(0.05, 0.005, 0.0, 50.0, 0.0))
    off, back = 20 * RATE_HZ, 28 * RATE_HZ
    samples[off:back] = RAILS[1]
    samples[back:] += 200
    beats = analyze(samples)
    started = beats.signal_events[(beats.signal_events[:, 1] & core.FLAG_LEAD_OFF) != 0]
    assert started[0, 0] == pytest.approx(off + 36, abs=2)
    assert beats.signal_events[-1, 1] == 0
    assert beats.signal_events[-1, 0] <= back + 3 * RATE_HZ
    assert not ((beats.t_samples > off + 5) & (beats.t_samples < back)).any()
    after = beats.t_samples >= back
    assert beats.t_samples[after][0] <= back + 2 * RATE_HZ
    assert beats.flags[after][0] & core.FLAG_BREAK
    assert (beats.flags[after][6:] == 0).all()


def test_flat_line_is_reported() -> None:
    samples = synthetic(seed=5, seconds=40.0)
    samples[20 * RATE_HZ : 30 * RATE_HZ] = 3
    beats = analyze(samples)
    flat = beats.signal_events[(beats.signal_events[:, 1] & core.FLAG_FLAT) != 0]
    assert flat[0, 0] == 20 * RATE_HZ + 180
    inside = (beats.t_samples > 20 * RATE_HZ + 40) & (beats.t_samples < 30 * RATE_HZ - 40)
    assert not inside.any()


def test_a_clipped_peak_is_flagged_on_its_beat() -> None:
    samples = synthetic(seed=5, seconds=40.0, noise=Noise(0.02, 0.002, 0.0, 50.0, 0.0))
    clean = analyze(samples)
    r = int(clean.t_samples[20])
    samples[r - 1 : r + 2] = RAILS[1]
    beats = analyze(samples)
    i = int(np.argmin(np.abs(beats.t_samples - r)))
    assert abs(int(beats.t_samples[i]) - r) <= 3
    assert beats.flags[i] & core.FLAG_SATURATED
    assert len(beats) == len(clean)


@pytest.mark.parametrize("lost", [0, 5, 36, 400, 100_000])
def test_gap(lost: int) -> None:
    samples = synthetic(seed=3, seconds=60.0)
    half = len(samples) // 2
    running = Core()
    first = running.push(samples[:half])
    within = running.gap(lost)
    beats = join([first, within, running.push(samples[half:]), running.finish()])
    assert (np.diff(beats.t_samples) > 0).all()
    assert beats.t_samples[-1] == analyze(samples).t_samples[-1] + lost
    behind = int(np.flatnonzero(beats.t_samples >= half + lost)[0])
    assert bool(beats.flags[behind] & core.FLAG_BREAK) == (lost >= 36)
    assert (core.FLAG_GAP in [c & core.FLAG_GAP for c in changes(beats)]) == (lost > 0)


def test_empty_and_tiny_records() -> None:
    assert len(analyze(np.empty(0, np.int16))) == 0
    assert len(analyze(np.zeros(1, np.int16))) == 0
    assert len(analyze(np.zeros(5000, np.int16))) == 0


def test_push_after_finish_is_ignored() -> None:
    running = Core()
    running.finish()
    assert len(running.push(WHOLE)) == 0


@pytest.mark.parametrize(
    ("gain", "rails"), [(0, RAILS), (40_000, RAILS), (-1, RAILS), (200, (5, 5)), (200, (0, 99_999))]
)
def test_a_bad_configuration_is_one_clear_line(gain: int, rails: tuple[int, int]) -> None:
    with pytest.raises(UsageError, match="the gain must be 1 to 32767"):
        Core(gain, rails)


def test_flags_are_those_of_the_header() -> None:
    text = (FIRMWARE / "core" / "ein_types.h").read_text()
    header = {n: int(v, 16) for n, v in re.findall(r"#define EIN_(FLAG_\w+) 0x(\w+)u", text)}
    assert header and header == {n: v for n, v in vars(core).items() if n.startswith("FLAG_")}


def test_samples_of_another_type_are_refused() -> None:
    with pytest.raises(UsageError, match=r"must be int16\[n\], not float64"):
        analyze(np.zeros(100))  # type: ignore[arg-type]


def test_a_fast_tachycardia_is_found_again() -> None:
    """Waves of 206 a minute, weak in the QRS band, after a slow rhythm: none is early."""
    n, begins, period = 40 * 180, 1800, 52.4
    i = np.arange(n)
    slow = sum(1.2 * np.exp(-(((i - 108 - 135 * k) / 2.2) ** 2) / 2) for k in range(12))
    phase = 2 * np.pi * (i - begins) / period
    fast = 0.67 * np.cos(phase + 2.19) + 0.12 * np.cos(2 * phase - 2.86)
    noise = np.random.default_rng(0).normal(0, 0.001, n)
    mv = slow + np.where(i >= begins, fast, 0.0) + noise
    beats = core.analyze(np.rint(mv * 200).astype(np.int16))
    assert len(beats) >= 0.95 * (12 + (n - begins) // period)
