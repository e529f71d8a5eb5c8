"""The confidence that the firmware computes: scipy's softmax, in integers."""

from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.special import softmax

from einthoven.codegen.confidence import Calibration, table, weights_q15
from einthoven.errors import ModelError
from einthoven.native import core
from einthoven.native.confidence import ONE, Confidence
from einthoven.paths import GENERATED

SCALE = 0.0571


def made(folder: Path, temperature: float = 1.4, unsure_below: int = 200) -> Confidence:
    """The C code with a table for other constants than the shipped model's."""
    folder.mkdir(exist_ok=True)
    text = table("test", SCALE, Calibration(temperature, unsure_below))
    (folder / "ein_confidence_table.h").write_text(text)
    return Confidence(folder)


def logits() -> NDArray[np.int8]:
    """Random ones of every spread, all ties, both ends of the range."""
    rng = np.random.default_rng(1)
    spread = rng.choice([1, 4, 16, 64, 127], (3000, 1))
    random = np.clip(np.rint(rng.normal(0, 1, (3000, 5)) * spread), -128, 127)
    corners = np.array(np.meshgrid(*[[-128, 0, 127]] * 5)).reshape(5, -1).T
    return np.concatenate([random, corners]).astype(np.int8)


@pytest.mark.parametrize("temperature", [0.3, 1.0, 1.4, 4.0])
def test_it_is_a_softmax(temperature: float, tmp_path: Path) -> None:
    found, _ = made(tmp_path, temperature).of(logits(), np.zeros(len(logits()), np.uint16))
    expected = ONE * softmax(logits() * (SCALE / temperature), axis=1).max(axis=1)
    assert np.abs(found - expected).max() <= 0.52  # rounding, and the table's own 1/2^16
    assert found.min() == ONE // 5


def test_unsure_below_the_limit_or_on_a_bad_signal(tmp_path: Path) -> None:
    confidence = made(tmp_path, unsure_below=200)
    some = logits()
    found, unsure = confidence.of(some, np.zeros(len(some), np.uint16))
    assert unsure.tolist() == (found < 200).tolist() and 0 < unsure.sum() < len(unsure)
    sure = np.repeat(some[found == ONE][:1], 8, axis=0)
    flags = np.array([1 << bit for bit in range(8)], np.uint16)
    _, unsure = confidence.of(sure, flags)
    bad = core.FLAG_SATURATED | core.FLAG_FLAT | core.FLAG_LEAD_OFF | core.FLAG_GAP
    assert unsure.tolist() == [bool(f & (bad | core.FLAG_NOISY)) for f in flags.tolist()]


def test_table_begins_at_one_and_ends_before_zero() -> None:
    values = weights_q15(SCALE, 1.0)
    assert values[0] == 1 << 15 and values == sorted(values, reverse=True) and values[-1] == 1
    assert len(weights_q15(0.001, 1.0)) == 256  # no distance lies beyond
    assert weights_q15(100.0, 1.0) == [1 << 15]


def test_a_model_without_calibration_has_no_confidence(tmp_path: Path) -> None:
    """A quarter of the beats of such a model that a softmax calls sure were wrong."""
    assert Calibration.of({}) == Calibration(1.0, 0)
    found, unsure = made(tmp_path, 1.0, 0).of(logits(), np.zeros(len(logits()), np.uint16))
    assert unsure.all() and not found.any()


@pytest.mark.parametrize(
    "entry", [3, {}, {"temperature": 0, "unsure_below": 1}, {"temperature": 1, "unsure_below": 256}]
)
def test_damaged_calibrations_are_refused(entry: object) -> None:
    with pytest.raises(ModelError, match="ship again"):
        Calibration.of({"confidence": entry})


def test_what_it_needs_and_takes(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="no confidence table"):
        Confidence(tmp_path)
    with pytest.raises(ValueError, match="int8"):
        Confidence(GENERATED).of(np.zeros((2, 4), np.int8), np.zeros(2, np.uint16))
