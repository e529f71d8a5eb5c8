"""Temperature and limit from held-out beats whose true confidence is known."""

import json
from pathlib import Path

import numpy as np
import pytest

from einthoven.errors import UsageError
from einthoven.paths import SHIPPED_MODEL
from training import calibrate
from training.calibrate import HeldOut, best_temperature, counts, loss, unsure_limit
from training.dataset import CHANNELS, FEATURES, WINDOW, Examples


def part(temperature: float, scale: float, n: int = 20_000, seed: int = 1) -> HeldOut:
    """Beats whose labels are drawn from the softmax of their logits at that temperature."""
    rng = np.random.default_rng(seed)
    logits = np.clip(rng.normal(0, 2.0, (n, 5)) / scale, -128, 127).astype(np.int8)
    real = logits * scale / temperature
    drawn = (real + rng.gumbel(size=real.shape)).argmax(axis=1)  # samples a softmax
    return HeldOut(logits, scale, drawn.astype(np.int8))


@pytest.mark.parametrize("temperature", [0.5, 1.0, 2.0])
def test_the_temperature_that_made_the_labels_is_found(temperature: float) -> None:
    parts = [part(temperature, 0.05, seed=1), part(temperature, 0.08, seed=2)]
    found = best_temperature(parts)
    assert found == pytest.approx(temperature, rel=0.05)
    assert loss(parts, found) <= loss(parts, 1.0)


def test_the_firmwares_confidence_is_then_the_share_of_right_beats() -> None:
    from einthoven.reliability import summary

    parts = [part(1.5, 0.05)]
    table = counts(parts, 1.5)
    assert table.sum() == 20_000
    assert summary(table)["calibration_error"] < 0.01
    assert summary(counts(parts, 0.5))["calibration_error"] > 0.05


def test_a_detection_without_a_beat_is_wrong_and_teaches_no_temperature() -> None:
    some = part(1.0, 0.05, 2000)
    label = some.label.copy()
    label[:500] = -1
    fewer = HeldOut(some.logits, some.scale, label)
    assert loss([fewer], 1.0) == pytest.approx(
        loss([HeldOut(some.logits[500:], some.scale, label[500:])], 1.0)
    )
    assert counts([fewer], 1.0)[:, :, 1].sum() >= 500


def test_the_limit_leaves_at_most_the_share_below() -> None:
    table = np.zeros((256, 2, 2), np.int64)
    table[100, 0, 1], table[150, 0, 0], table[255, 0, 0] = 30, 30, 940
    assert unsure_limit(table, 0.05) == 150
    assert unsure_limit(table, 0.061) == 255
    assert unsure_limit(table, 0.02) == 100


def examples() -> Examples:
    n = 40
    rng = np.random.default_rng(3)
    patient = np.array([f"mitdb/{('101', '106', '108', '109')[i % 4]}" for i in range(n)])
    return Examples(
        signal=rng.integers(-90, 90, (n, WINDOW, CHANNELS)).astype(np.int8),
        features=rng.integers(-60, 60, (n, FEATURES)).astype(np.int8),
        label=(np.arange(n) % 5).astype(np.int8),
        t_samples=np.arange(n, dtype=np.int64) * 100,
        record=patient,
        patient=patient,
        main=np.arange(n) % 8 < 6,
    )


def test_only_held_out_main_lead_beats_are_used(tmp_path: Path) -> None:
    (tmp_path / "ptq").symlink_to(SHIPPED_MODEL)
    (tmp_path / "held_out.json").write_text(json.dumps(["mitdb/101", "mitdb/108"]))
    some = examples()
    found = calibrate.held_out(tmp_path, some)
    wanted = some.main & np.isin(some.record, ["mitdb/101", "mitdb/108"])
    assert found.label.tolist() == some.label[wanted].tolist()
    assert found.logits.shape == (wanted.sum(), 5) and found.scale > 0


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (None, "no fold"),
        ("{", "no fold"),
        ('["mitdb/100"]', "DS2"),
        ('["mitdb/119"]', "none of the patients"),
    ],
)
def test_what_is_no_fold_is_refused(text: str | None, message: str, tmp_path: Path) -> None:
    if text is not None:
        (tmp_path / "held_out.json").write_text(text)
    with pytest.raises(UsageError, match=message):
        calibrate.held_out(tmp_path, examples())
