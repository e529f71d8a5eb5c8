"""The training loop for CardiacNet's many small trainings.

A grid search is 18 trainings a patient of a second or ten each. So the network is compiled once and
its variables are set back for every training, and an epoch is one call into TensorFlow: building a
network each time, or calling it batch by batch, takes longer than the training.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from einthoven.training.studies.cardiacnet.net import build
from einthoven.training.studies.cardiacnet.windows import SAMPLES, Windows

Weights = list[NDArray[np.float32]]


@dataclass(frozen=True)
class Setting:
    """What the grid search chooses."""

    learning_rate: float = 1e-3
    batch: int = 32
    weighted_sampling: bool = False
    """Both labels drawn alike often, else every window once an epoch."""


@dataclass(frozen=True)
class Limits:
    """When a training ends: the weights of the lowest validation loss are what it gives."""

    epochs: int = 30
    patience: int = 5
    """Epochs without a lower validation loss after which it stops."""
    plateau: int = 5
    """Epochs without one after which the learning rate is halved."""
    weight_decay: float = 1e-4
    """As in torch's Adam: added to the gradient."""


@dataclass(frozen=True)
class Fitted:
    """A finished training."""

    weights: Weights
    log: list[dict[str, float]]
    """Per epoch: loss and balanced accuracy, training and validation."""
    best: int
    """Index of the epoch that the weights are from."""


def balanced_accuracy(label: NDArray[np.int8], logit: NDArray[np.float32]) -> float:
    """Mean of the shares of normal and of abnormal windows that were found; NaN without either."""
    shares = [np.mean((logit[label == value] > 0) == value) for value in (0, 1)]
    return float(np.mean(shares)) if 0 < label.sum() < len(label) else float("nan")


def cross_entropy(label: NDArray[np.int8], logit: NDArray[np.float32]) -> float:
    """Mean over the windows, in nats; infinite or NaN where the logits are."""
    signed = np.where(label > 0, -logit, logit).astype(np.float64)
    with np.errstate(invalid="ignore"):  # a training that has diverged
        return float(np.mean(np.logaddexp(0, signed)))


class Trainer:
    """One compiled network for any number of trainings, each from the weights that it is given."""

    def __init__(self) -> None:
        from einthoven.training.model.network import keras, tf

        self._model = build({}, SAMPLES, 1, 1)
        self._optimizer = keras.optimizers.Adam()
        self._optimizer.build(self._model.trainable_variables)
        self._loss = keras.losses.BinaryCrossentropy(
            from_logits=True, reduction=keras.losses.Reduction.NONE
        )
        self._decay = tf.Variable(0.0)

        @tf.function(reduce_retracing=True)  # type: ignore[untyped-decorator]
        def epoch(signal: Any, label: Any, rows: Any, weight: Any) -> Any:
            steps = tf.shape(rows)[0]
            loss, tally = tf.constant(0.0), tf.zeros((2, 2))
            for i in tf.range(steps):
                x, y = tf.gather(signal, rows[i]), tf.gather(label, rows[i])
                batch_loss, logit = self._step(x, y, weight[i])
                loss += batch_loss
                tally += _tally(y[:, 0], logit[:, 0], weight[i])
            return loss / tf.cast(steps, tf.float32), tally

        @tf.function(reduce_retracing=True)  # type: ignore[untyped-decorator]
        def infer(signal: Any) -> Any:
            return self._model(signal, training=False)

        self._epoch, self._infer = epoch, infer

    def _step(self, x: Any, y: Any, weight: Any) -> tuple[Any, Any]:
        from einthoven.training.model.network import tf

        variables = self._model.trainable_variables
        with tf.GradientTape() as tape:
            logit = self._model(x, training=True)
            loss = tf.reduce_sum(self._loss(y, logit) * weight) / tf.reduce_sum(weight)
        gradients = tape.gradient(loss, variables)
        decayed = [g + self._decay * v for g, v in zip(gradients, variables, strict=True)]
        self._optimizer.apply_gradients(zip(decayed, variables, strict=True))
        return loss, logit

    def fresh(self, seed: int) -> Weights:
        """Weights to start from that depend on the seed only."""
        from einthoven.training.model.network import keras

        keras.utils.set_random_seed(seed)
        weights: Weights = build({}, SAMPLES, 1, 1).get_weights()
        return weights

    def logits(self, weights: Weights, windows: Windows) -> NDArray[np.float32]:
        """[n] of the network with `weights`; above 0 is abnormal."""
        self._model.set_weights(weights)
        return self._logits(windows)

    def _logits(self, windows: Windows) -> NDArray[np.float32]:
        x = windows.signal[:, np.newaxis, :, np.newaxis]
        parts = [self._infer(x[i : i + 512]).numpy()[:, 0] for i in range(0, len(x), 512)]
        return np.concatenate(parts) if parts else np.zeros(0, dtype=np.float32)

    def fit(
        self,
        train: Windows,
        validation: Windows,
        setting: Setting,
        limits: Limits,
        start: Weights,
        seed: int,
    ) -> Fitted:
        """Train from `start`; the same arguments give the same weights on the same machine."""
        from einthoven.training.model.network import tf

        self._model.set_weights(start)
        for variable in self._optimizer.variables:
            variable.assign(tf.zeros_like(variable))
        self._optimizer.learning_rate.assign(setting.learning_rate)
        self._decay.assign(limits.weight_decay)
        signal = tf.constant(train.signal[:, np.newaxis, :, np.newaxis])
        label = tf.constant(train.label[:, np.newaxis].astype(np.float32))
        best, kept, chosen, log, since = np.inf, start, -1, [], 0
        for number in range(limits.epochs):
            rng = np.random.default_rng([seed, number])
            rows, weight = batches(train.label, setting, rng)
            loss, tally = self._epoch(signal, label, tf.constant(rows), tf.constant(weight))
            found, total = tally.numpy()
            validated = self._logits(validation)
            log.append(
                {
                    "loss": round(float(loss), 5),
                    "balanced_accuracy": round(float(np.mean(found / np.maximum(total, 1))), 5),
                    "val_loss": round(cross_entropy(validation.label, validated), 5),
                    "val_balanced_accuracy": round(
                        balanced_accuracy(validation.label, validated), 5
                    ),
                }
            )
            if log[-1]["val_loss"] < best:
                best, kept, chosen, since = (
                    log[-1]["val_loss"], self._model.get_weights(), number, 0,
                )  # fmt: skip
                continue
            since += 1
            if since >= limits.patience:
                break
            if since % limits.plateau == 0:
                rate = self._optimizer.learning_rate
                rate.assign(rate / 2)
        return Fitted(kept, log, chosen)


def batches(
    label: NDArray[np.int8], setting: Setting, rng: np.random.Generator
) -> tuple[NDArray[np.int32], NDArray[np.float32]]:
    """Rows [batches, batch] of one epoch and their weights: 0 for what fills the last batch up."""
    n, batch = len(label), setting.batch
    if setting.weighted_sampling:
        share = 0.5 / np.maximum(np.bincount(label, minlength=2), 1)[label]
        order = rng.choice(n, n, p=share / share.sum())
    else:
        order = rng.permutation(n)
    shape = (-(-n // batch), batch)
    rows, weight = np.zeros(shape, dtype=np.int32), np.zeros(shape, dtype=np.float32)
    rows.ravel()[:n], weight.ravel()[:n] = order, 1
    return rows, weight


def _tally(label: Any, logit: Any, weight: Any) -> Any:
    """[2, 2]: windows found and windows in all, normal and abnormal."""
    from einthoven.training.model.network import tf

    of = tf.stack([1 - label, label]) * weight
    right = tf.cast((logit > 0) == (label > 0), tf.float32)
    return tf.stack([tf.reduce_sum(of * right, axis=1), tf.reduce_sum(of, axis=1)])
