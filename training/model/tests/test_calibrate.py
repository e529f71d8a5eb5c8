"""Temperature and limit from held-out beats whose true confidence is known."""

import json
import shutil
from pathlib import Path

import numpy as np
import pytest

from einthoven.aami import CLASSES
from einthoven.errors import UsageError
from einthoven.native.core import NO_SLOT
from einthoven.paths import SHIPPED_MODEL
from einthoven.scoring.reliability import summary
from einthoven.training.model.calibrate import (
    HeldOut,
    best_temperature,
    calibrate,
    counts,
    held_out,
    loss,
    unsure_limit,
)

NO_BIAS = (0.0,) * 5


def beats(temperature: float, n: int = 20_000, scale: float = 0.05) -> HeldOut:
    """Beats whose labels are drawn from the softmax of their logits at that temperature."""
    rng = np.random.default_rng(1)
    logits = np.clip(rng.normal(0, 2.0, (n, 5)) / scale, -128, 127).astype(np.int8)
    real = logits * scale / temperature
    drawn = (real + rng.gumbel(size=real.shape)).argmax(axis=1)  # samples a softmax
    return HeldOut(logits, scale, drawn.astype(np.int8), 9)


@pytest.mark.parametrize("temperature", [0.5, 1.0, 2.0])
def test_the_temperature_that_made_the_labels_is_found(temperature: float) -> None:
    some = beats(temperature)
    found = best_temperature(some)
    assert found == pytest.approx(temperature, rel=0.05)
    assert loss(some, found) <= loss(some, 1.0)


def test_the_firmwares_confidence_is_then_the_share_of_right_beats() -> None:
    some = beats(1.5)
    assert counts(some, 1.5).sum() == 20_000
    assert summary(counts(some, 1.5))["calibration_error"] < 0.01
    assert summary(counts(some, 0.5))["calibration_error"] > 0.05


def test_a_detection_without_a_beat_is_wrong_and_teaches_no_temperature() -> None:
    some = beats(1.0, 2000)
    label = some.label.copy()
    label[:500] = -1
    fewer = HeldOut(some.logits, some.scale, label, 9)
    rest = HeldOut(some.logits[500:], some.scale, label[500:], 9)
    assert loss(fewer, 1.0) == pytest.approx(loss(rest, 1.0))
    assert counts(fewer, 1.0)[:, :, 1].sum() >= 500


def test_the_limit_leaves_at_most_the_share_below() -> None:
    table = np.zeros((256, 2, 2), np.int64)
    table[100, 0, 1], table[150, 0, 0], table[255, 0, 0] = 30, 30, 940
    assert unsure_limit(table, 0.05) == 150
    assert unsure_limit(table, 0.061) == 255
    assert unsure_limit(table, 0.02) == 100


def stored(path: Path, patient: str = "mitdb/101", **changes: object) -> Path:
    some = beats(1.3, 3000)
    arrays = {
        "logits": some.logits * some.scale,
        "label": some.label,
        "record": np.full(3000, patient),
        "slot": np.full(3000, NO_SLOT, np.uint8),
        "slot_beats": np.zeros(3000, np.uint16),
    } | changes
    np.savez(path, patient=np.full(3000, patient), **arrays)  # type: ignore[arg-type]
    return path


def test_predictions_get_the_models_bias_and_units(tmp_path: Path) -> None:
    path = stored(tmp_path / "held_out.npz")
    some = beats(1.3, 3000)
    assert np.array_equal(held_out(path, NO_BIAS, 0.05, 0).logits, some.logits)
    moved = held_out(path, (0.0, -0.5, 0.0, 0.0, 0.0), 0.05, -20).logits.astype(int)
    expected = np.clip(some.logits.astype(int) - 20 - np.array([0, 10, 0, 0, 0]), -128, 127)
    assert np.array_equal(moved, expected)


def test_predictions_get_the_vote_of_their_kind(tmp_path: Path) -> None:
    path = stored(
        tmp_path / "held_out.npz",
        slot=np.zeros(3000, np.uint8),
        slot_beats=np.arange(1, 3001, dtype=np.uint16),
    )
    voted = held_out(path, NO_BIAS, 0.05, 0).logits
    own = beats(1.3, 3000).logits
    changed = (voted != own).mean(axis=0)
    assert changed[CLASSES.index("V")] > 0.9 and np.count_nonzero(changed) == 1


def test_a_models_facts_get_the_calibration(tmp_path: Path) -> None:
    model = tmp_path / "model"
    shutil.copytree(SHIPPED_MODEL, model)
    found = calibrate(model, stored(tmp_path / "held_out.npz"))
    about = json.loads((model / "model.json").read_text())
    assert about["confidence"] == found and found["held_out"]["bins"]
    assert 0 < found["unsure_below"] < 255
    table = found["held_out"]
    assert table["error_sure"] < table["error_all"]
    assert 0 < table["unsure"]["beats"] <= 0.05 * 3000
    assert about["sha256"] == json.loads((SHIPPED_MODEL / "model.json").read_text())["sha256"]


def test_what_is_no_cross_validation_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="no result of cross-validation"):
        held_out(tmp_path / "none.npz", NO_BIAS, 0.05, 0)
    with pytest.raises(UsageError, match="DS2"):
        held_out(stored(tmp_path / "ds2.npz", "mitdb/100"), NO_BIAS, 0.05, 0)
    unfinished = np.full((3000, 5), np.nan)
    with pytest.raises(UsageError, match="run all folds"):
        held_out(stored(tmp_path / "half.npz", logits=unfinished), NO_BIAS, 0.05, 0)
