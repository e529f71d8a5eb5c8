"""Drawing and changing examples."""

from dataclasses import replace

import numpy as np
import pytest

from einthoven.errors import UsageError
from einthoven.training.data.dataset import CHANNELS, FEATURES, WINDOW, Examples
from einthoven.training.data.sampling import augment, draw_weights, epoch_arrays, to_real
from einthoven.training.model.crossval import cross_validate, f1, folds
from einthoven.training.recipe import Augmentation, Recipe, Sampling


def examples(n: int = 400) -> Examples:
    rng = np.random.default_rng(5)
    label = np.arange(n) % 3 - 1
    return Examples(
        signal=rng.integers(-128, 128, (n, WINDOW, CHANNELS), dtype=np.int8),
        features=rng.integers(-128, 128, (n, FEATURES), dtype=np.int8),
        label=label.astype(np.int8),
        t_samples=np.arange(n, dtype=np.int64) * 100,
        record=np.where(np.arange(n) < n // 10, "a", "b"),
        patient=np.where(np.arange(n) < n // 10, "a", "b"),
        view=(np.arange(n) % 2).astype(np.int8),
        slot=np.zeros(n, np.uint8),
        slot_beats=np.ones(n, np.uint16),
    )


def test_weights_share_classes_leads_and_patients_as_asked() -> None:
    some = examples()
    sampling = Sampling(
        class_share=(0.6, 0.4, 0.0, 0.0, 0.0), patient_power=0.0, view_share=(0.6, 0.2, 0.2, 0.0)
    )
    weights = draw_weights(some, sampling)
    assert np.isclose(weights.sum(), 1)
    assert weights[some.label < 0].sum() == 0
    assert np.isclose(weights[some.label == 0].sum(), 0.6)
    assert np.isclose(weights[~some.main].sum(), 0.25)
    assert np.isclose(weights[some.patient == "a"].sum(), 0.5)


def test_no_change_is_the_identity_and_changes_stay_in_int8() -> None:
    signal, features = to_real(examples(50))
    still = Augmentation(
        gain=0, shift_samples=0, signal_noise=0, feature_noise=0, feature_drop=0, invert=0
    )
    same = augment(signal, features, still, np.random.default_rng(1))
    assert np.array_equal(same[0], signal)
    assert np.array_equal(same[1], features)
    changed, drifted = augment(signal, features, Augmentation(), np.random.default_rng(1))
    assert not np.array_equal(changed, signal)
    for real in (changed, drifted):
        lsb = real * 32
        assert np.array_equal(lsb, np.rint(lsb))
        assert lsb.min() >= -128
        assert lsb.max() <= 127


def test_an_epoch_depends_on_seed_and_number_only() -> None:
    some = examples()
    weights = draw_weights(some, Sampling())

    def draw(seed: int, epoch: int) -> np.ndarray:
        arrays = epoch_arrays(some, weights, Sampling(examples=64), Augmentation(), seed, epoch)
        return np.concatenate([a.ravel() for a in arrays])

    assert np.array_equal(draw(1, 0), draw(1, 0))
    assert not np.array_equal(draw(1, 0), draw(1, 1))
    assert not np.array_equal(draw(1, 0), draw(2, 0))


def test_cross_validation_keeps_patients_together_and_refuses_ds2() -> None:
    some = examples()
    some = replace(some, record=np.where(some.main, "mitdb/101", "mitdb/201"))
    fold = folds(some, 2)
    for patient in np.unique(some.patient):
        assert len(np.unique(fold[some.patient == patient])) == 1
    assert set(fold) == {0, 1}
    seen = replace(some, record=np.full(len(some), "mitdb/200"))
    with pytest.raises(UsageError, match="DS2"):
        cross_validate(seen, Recipe(name="x", data=()), 2)


def test_f1_counts_false_detections() -> None:
    label = np.array([2, 2, 2, 0, -1], dtype=np.int8)
    found = np.array([2, 2, 0, 2, 2])
    assert f1(label, found, "V") == 2 * 2 / (2 * 2 + 2 + 1)
    assert f1(label, found, "S") == 0
