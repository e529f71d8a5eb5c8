"""What an epoch consists of: beats drawn by class and patient, randomly changed.

Drawn with a generator that is seeded by (seed, epoch), so that an epoch is the same whether
training came to it without a break or was resumed.
"""

import numpy as np
from numpy.typing import NDArray

from einthoven.aami import CLASSES
from einthoven.training.data.dataset import FEATURE_SCALE, SIGNAL_SCALE, VIEWS, Examples
from einthoven.training.recipe import Augmentation, Sampling

Floats = NDArray[np.float32]


def training_labels(examples: Examples, sampling: Sampling) -> NDArray[np.int8]:
    """[n] class to be learnt, -1 for none.

    With `sampling.false_as_q` what the detector invented is taught as Q: of all classes it is the
    one that says nothing about the heart.
    """
    if not sampling.false_as_q:
        return examples.label
    return np.where(examples.label < 0, np.int8(CLASSES.index("Q")), examples.label)


def draw_weights(examples: Examples, sampling: Sampling) -> NDArray[np.float64]:
    """Probability of each example to be drawn; 0 for those without a label."""
    labels = training_labels(examples, sampling)
    weights = np.zeros(len(examples))
    present = [int(np.any(examples.view == i)) for i in range(len(VIEWS))]
    shares = np.array(sampling.view_share) * present
    for view, view_share in enumerate(shares / shares.sum()):
        for index in range(len(CLASSES)):
            rows = np.flatnonzero((labels == index) & (examples.view == view))
            if len(rows) == 0:
                continue
            _, patient, beats = np.unique(
                examples.patient[rows], return_inverse=True, return_counts=True
            )
            each = beats ** (sampling.patient_power - 1.0)  # a patient's weight over its beats
            weights[rows] = each[patient] / np.sum(each * beats)
            weights[rows] *= view_share * sampling.class_share[index]
    total: NDArray[np.float64] = weights / weights.sum()
    return total


def real_inputs(signal: NDArray[np.int8], features: NDArray[np.int8]) -> tuple[Floats, Floats]:
    """The core's tensors [n,216,3], [n,F] as the float model takes them: [n,1,216,3], [n,F]."""
    return (
        signal[:, np.newaxis].astype(np.float32) * np.float32(SIGNAL_SCALE),
        features.astype(np.float32) * np.float32(FEATURE_SCALE),
    )


def to_real(examples: Examples) -> tuple[Floats, Floats]:
    """The model's inputs in real units: signal [n,1,216,3], features [n,F]."""
    return real_inputs(examples.signal, examples.features)


def augment(
    signal: Floats, features: Floats, how: Augmentation, rng: np.random.Generator
) -> tuple[Floats, Floats]:
    """Randomly changed copies, cut and rounded as int8 would be."""
    n, _, window, _ = signal.shape
    factor = rng.uniform(1 - how.gain, 1 + how.gain, (n, 1, 1, 1)).astype(np.float32)
    factor *= np.where(rng.random((n, 1, 1, 1)) < how.invert, -1, 1).astype(np.float32)
    shift = rng.integers(-how.shift_samples, how.shift_samples + 1, (n, 1))
    position = np.clip(np.arange(window)[np.newaxis] + shift, 0, window - 1)
    signal = np.take_along_axis(signal, position[:, np.newaxis, :, np.newaxis], axis=2) * factor
    signal += np.float32(how.signal_noise) * rng.standard_normal(signal.shape, dtype=np.float32)
    keep = rng.random(features.shape) >= how.feature_drop
    features = features + rng.normal(0, how.feature_noise, features.shape).astype(np.float32)
    return _as_int8(signal, SIGNAL_SCALE), _as_int8(features * keep, FEATURE_SCALE)


def _as_int8(real: Floats, scale: float) -> Floats:
    rounded: Floats = np.clip(np.rint(real / scale), -128, 127).astype(np.float32)
    return rounded * np.float32(scale)


def epoch_arrays(
    examples: Examples,
    weights: NDArray[np.float64],
    sampling: Sampling,
    how: Augmentation,
    seed: int,
    epoch: int,
) -> tuple[Floats, Floats, NDArray[np.int64]]:
    """One epoch's inputs (real units) and labels, in the order they are to be used."""
    rng = np.random.default_rng([seed, epoch])
    rows = rng.choice(len(examples), sampling.examples, p=weights)
    chosen = examples.where(rows)
    signal, features = augment(*to_real(chosen), how, rng)
    return signal, features, training_labels(chosen, sampling).astype(np.int64)
