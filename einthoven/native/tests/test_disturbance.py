"""What disturbs a signal is told apart; and the two lists of changes make one."""

import numpy as np
import pytest

from einthoven.errors import UsageError
from einthoven.native import disturbance
from einthoven.native.disturbance import HUM, MOTION
from einthoven.native.events import SIGNAL_STATE
from einthoven.records.synth import Noise, make_record
from einthoven.scoring.quality import shares

RATE = 180
QUIET = Noise(0.05, 0.01, 0.0, 50.0, 0.0)


def _heart(seconds: float, noise: Noise = QUIET) -> np.ndarray:
    return make_record(5, seconds, float(RATE), noise=noise).samples


def _flags(samples: np.ndarray, **how: object) -> set[int]:
    return {int(f) for f in disturbance.states(samples, **how)["flags"]}  # type: ignore[arg-type]


def _tone(seconds: int, hz: float, mv: float) -> np.ndarray:
    t = np.arange(seconds * RATE) / RATE
    return 200 * mv * np.sin(2 * np.pi * hz * t + 1.0)


@pytest.mark.parametrize("hz", [49.8, 50.0, 50.2, 59.9, 60.0])
def test_hum_is_told_and_ends(hz: float) -> None:
    samples = _heart(60).astype(float)
    samples[20 * RATE : 40 * RATE] += _tone(20, hz, 0.1)
    told = disturbance.states(np.round(samples).astype(np.int16))
    assert told["flags"].tolist() == [HUM, 0]
    begin, end = (told["t_samples"] / RATE).tolist()
    assert 21.4 < begin < 23.1 and 40.0 <= end < 42.1


@pytest.mark.parametrize(
    ("hz", "mv"), [(50.0, 0.05), (35.0, 0.3), (25.0, 0.3), (70.0, 0.3), (10.0, 0.5)]
)
def test_little_hum_and_other_tones_are_none(hz: float, mv: float) -> None:
    samples = _heart(30) + _tone(30, hz, mv)
    assert HUM not in _flags(np.round(samples).astype(np.int16))


@pytest.mark.parametrize(("muscle_mv", "most"), [(0.1, 0.0), (0.25, 0.01)])
def test_muscles_are_no_hum(muscle_mv: float, most: float) -> None:
    samples = _heart(600, Noise(0.05, muscle_mv, 0.0, 50.0, 0.0))
    assert shares(disturbance.states(samples), len(samples))["hum"] <= most


@pytest.mark.parametrize("gain", [50, 200, 2000])
def test_motion_is_a_jump_of_the_baseline_in_microvolts(gain: int) -> None:
    calm = _heart(30).astype(float) / 200
    for jump, expected in ((0.6, set()), (1.2, {MOTION, 0})):
        moved = calm + jump * (np.arange(len(calm)) >= 15 * RATE)
        samples = np.round(moved * gain).astype(np.int16)
        assert _flags(samples, gain_lsb_per_mv=gain, rails=(-32768, 32767)) == expected


def test_a_rail_and_a_gap_are_not_judged() -> None:
    samples = _heart(40)
    samples[10 * RATE : 14 * RATE] = 2047
    assert _flags(samples) == set()
    samples = np.concatenate([_heart(20), _heart(20) + np.int16(400)])
    assert MOTION in _flags(samples)
    assert _flags(samples, gaps=[(19 * RATE, 2 * RATE)]) == set()


def test_a_healthy_record_has_neither() -> None:
    assert _flags(make_record(3, 120.0, float(RATE)).samples) == set()


def test_changes_of_both_in_one_list() -> None:
    left = np.array([(10, 1), (30, 0)], dtype=SIGNAL_STATE)
    right = np.array([(20, HUM), (30, 0)], dtype=SIGNAL_STATE)
    rows = disturbance.joined(left, right).tolist()
    assert rows == [(10, 1), (20, 1 | HUM), (30, 0)]
    assert disturbance.joined(left, right[:0]).tolist() == left.tolist()


def test_only_counts_are_taken() -> None:
    with pytest.raises(UsageError, match="int16"):
        disturbance.states(np.zeros(10, dtype=np.int32))
