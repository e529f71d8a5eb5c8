"""The firmware's session run whole on the host, against its parts called one by one."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from einthoven.c_library import simd_flags
from einthoven.codegen import gate, head, model
from einthoven.errors import UsageError
from einthoven.hil_tests.harness.host import SAMPLE_EVERY, Host
from einthoven.native import session, strip
from einthoven.native.core import FLAG_PASSED
from einthoven.native.engine import HostModel
from einthoven.paths import SHIPPED_MODEL
from einthoven.records.synth import Episode, make_record

RAILS = (-2048, 2047)


@pytest.fixture(scope="module")
def parts() -> Host:
    return Host(SHIPPED_MODEL / "model.tflite", every=1)


@pytest.mark.parametrize(
    ("seconds", "episodes", "gaps"),
    [
        (30.0, (), ()),
        (400.0, (Episode("noisy", 60, 90), Episode("af", 150, 300)), ()),
        (200.0, (Episode("lead_off", 50, 60), Episode("bigeminy", 90, 150)), ((3000, 700),)),
        (20.0, (), ((0, 200), (3590, 10))),
    ],
)
def test_one_pass_says_what_the_parts_say(
    parts: Host, seconds: float, episodes: tuple[Episode, ...], gaps: tuple[tuple[int, int], ...]
) -> None:
    samples = make_record(5, seconds, 180.0, episodes=episodes).samples
    expected, verdict, wrong = parts.check(samples, 200, RAILS, gaps=gaps)
    events, told = session.run(samples, 200, RAILS, gaps)
    assert wrong is not None and wrong.differences == []  # nor does TFLite Micro say anything else
    assert wrong.beats == len(events.beats)
    assert len(events.beats) > seconds / 3
    for ours, theirs in zip(
        (events.beats, events.states, events.rhythm),
        (expected.beats, expected.states, expected.rhythm),
        strict=True,
    ):
        assert ours.tobytes() == theirs.tobytes()
    assert told == verdict
    assert (told.verdict == strip.NONE) == (seconds > 120)
    assert (events.beats["flags"] & FLAG_PASSED).any() == (seconds > 120)


@pytest.mark.parametrize("gaps", [(), ((0, 200), (1500, 1), (3000, 700), (5395, 5))])
def test_a_record_may_come_in_pieces(gaps: tuple[tuple[int, int], ...]) -> None:
    """However it is cut: within a gap, at its ends, and into nothing."""
    samples = make_record(5, 30.0, 180.0).samples
    expected, verdict = session.told(samples, 200, RAILS, gaps)
    for cuts in ([], [1500], [100, 200, 200, 3001, 3690, 3700, 5399], range(1, 5400)):
        told, raw = session.told(iter(np.split(samples, cuts)), 200, RAILS, gaps)
        assert told.tobytes() == expected.tobytes() and raw == verdict


@pytest.mark.parametrize("every", [1, SAMPLE_EVERY])
def test_what_tflite_micro_says_otherwise_is_told(every: int, tmp_path: Path) -> None:
    """Of another network than the one in the engine: every beat that was sampled differs."""
    shipped = model.load(SHIPPED_MODEL)
    own = head.own_head(shipped)
    last = replace(own.layers[-1], bias=own.layers[-1].bias + np.int32(5000))
    other = tmp_path / "other.tflite"
    other.write_bytes(head.replaced(shipped, head.Head(shipped.sha256, (*own.layers[:-1], last))))
    (tmp_path / gate.TFLITE).write_bytes((SHIPPED_MODEL / gate.TFLITE).read_bytes())
    samples = make_record(5, 60.0, 180.0).samples
    events, _, check = Host(other, every).check(samples, 200, RAILS)
    sampled = events.beats["t_samples"][::every]
    assert check is not None and check.beats == len(sampled) > 4
    assert [d.t_samples for d in check.differences] == sampled.tolist()
    assert all(d.what == "logits" and d.left != d.right for d in check.differences)


def test_a_session_begins_as_if_there_had_been_none_before() -> None:
    samples = make_record(7, 60.0, 180.0).samples
    first, _ = session.run(samples)
    session.run(make_record(8, 30.0, 180.0).samples)
    again, _ = session.run(samples)
    assert again.beats.tobytes() == first.beats.tobytes()


def test_vectors_give_the_integers_of_plain_c() -> None:
    """Of this machine's instructions, where it has such: the shipped model on 500 random beats."""
    rng = np.random.default_rng(3)
    signal = rng.integers(-128, 128, (500, 216, 3), dtype=np.int8)
    features = rng.integers(-128, 128, (500, 28), dtype=np.int8)
    plain = HostModel(flags=["-DEIN_NN_PORTABLE"]).infer(signal, features)
    assert (HostModel().infer(signal, features) == plain).all()
    assert set(simd_flags()) <= {"-mavx2"}


def test_what_a_session_refuses() -> None:
    with pytest.raises(UsageError, match=r"samples must be int16\[n\], not float64"):
        session.run(np.zeros(100))
    with pytest.raises(UsageError, match="no ECG of 0 counts per mV"):
        session.run(np.zeros(100, dtype=np.int16), gain_lsb_per_mv=0)
