"""The gate before the network: TFLite Micro's scores, and when it is open."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from einthoven.codegen import gate as generator
from einthoven.errors import ModelError
from einthoven.native import core, session
from einthoven.native.core import FLAG_PASSED, Beats
from einthoven.native.engine import HostModel
from einthoven.native.gate import Gate, tflm_scores
from einthoven.paths import SHIPPED_MODEL
from einthoven.records.synth import Episode, make_record

STRIP_BEATS, STRIP_SAMPLES = 128, 120 * 180
"""`beats` and `max_seconds` of codegen/spec/strip.toml."""


@pytest.fixture(scope="module")
def gate() -> Gate:
    return Gate()


@pytest.fixture(scope="module")
def beats() -> Beats:
    made = make_record(5, 300.0, 180.0, episodes=(Episode("bigeminy", 150, 200),))
    return core.analyze(made.samples)


def test_scores_are_tflite_micros(gate: Gate, beats: Beats) -> None:
    """Random features, both ends of int8, and a record's."""
    rng = np.random.default_rng(1)
    random = rng.integers(-128, 128, (500, beats.features.shape[1]), dtype=np.int8)
    ends = np.full((2, random.shape[1]), [[-128], [127]], dtype=np.int8)
    features = np.concatenate([ends, random, beats.features])
    expected = tflm_scores((SHIPPED_MODEL / generator.TFLITE).read_bytes(), features)
    assert (gate.score(features) == expected).all()
    assert len(np.unique(expected)) > 30


def test_the_network_sees_every_beat_of_a_strip(gate: Gate, beats: Beats) -> None:
    opened = gate.open(beats)
    young = np.arange(len(beats)) < STRIP_BEATS
    assert (opened == (~(young & (beats.t_emitted <= STRIP_SAMPLES)) & (beats.flags == 0))).all()
    slow = replace(beats, t_emitted=np.arange(len(beats)) * 1080, flags=0 * beats.flags)
    assert gate.open(slow).argmax() == STRIP_SAMPLES // 1080 + 1
    quick = replace(beats, t_emitted=np.arange(len(beats)), flags=0 * beats.flags)
    assert gate.open(quick).argmax() == STRIP_BEATS


@pytest.mark.parametrize("flag", [1 << bit for bit in range(8)])
def test_it_is_shut_when_the_core_says_anything_of_the_signal(
    gate: Gate, beats: Beats, flag: int
) -> None:
    late = replace(beats, t_emitted=beats.t_emitted + STRIP_SAMPLES, flags=0 * beats.flags)
    assert gate.open(late).all()
    assert not gate.open(replace(late, flags=late.flags + np.uint16(flag))).any()


def test_normal_beats_pass_and_ectopic_ones_do_not(gate: Gate) -> None:
    made = make_record(5, 400.0, 180.0, episodes=(Episode("bigeminy", 250, 300),))
    events, _ = session.run(made.samples)
    passed = events.beats["flags"] & FLAG_PASSED != 0
    calm = (events.beats["t_samples"] > 130 * 180) & (events.beats["t_samples"] < 245 * 180)
    assert passed[calm].mean() > 0.8
    assert np.sum(events.beats["label"] == 2) > 20  # the network saw every other one in bigeminy
    assert (events.beats["label"][passed] == 0).all()
    assert not passed[:STRIP_BEATS].any()
    alone = HostModel().infer(
        *(getattr(core.analyze(made.samples), n) for n in ("signal", "features"))
    )
    assert (alone[passed].argmax(axis=1) == 0).all()


def test_a_model_without_a_gate_passes_nothing(tmp_path: Path, beats: Beats) -> None:
    for name, text in generator.files(None, "test").items():
        (tmp_path / name).write_text(text)
    none = Gate(tmp_path)
    assert not none.exists
    assert not none.open(beats).any() and not none.passes(beats).any()


def test_what_it_refuses(gate: Gate, tmp_path: Path) -> None:
    with pytest.raises(ModelError, match=r"no gate in .*generate the model there again"):
        Gate(tmp_path)
    with pytest.raises(ValueError, match=r"features must be int8\[n, F\]"):
        gate.score(np.zeros((2, 28)))  # type: ignore[arg-type]
