"""Fit a study's network on arrays: Adam and cross-entropy, by the loop that all trainings share."""

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from einthoven.training.model.loop import OnEpoch, run_epochs
from einthoven.training.studies.shared.examples import Floats, Labelled
from einthoven.training.studies.shared.recipe import Fit

PREDICT_BATCH = 1024


def model_input(x: Floats) -> Floats:
    """[n, length, channels] as the networks take it, [n, 1, length, channels]; images as is."""
    x = x[:, np.newaxis] if x.ndim == 3 else x
    return x.astype(np.float32, copy=False)  # cached features are halves


def fit_network(
    model: Any,
    examples: Labelled,
    fit: Fit,
    seed: int,
    out: Path | None = None,
    on_epoch: OnEpoch = lambda entry: None,
    stop_after: int | None = None,
) -> int:
    """Train `model`, which gives logits, on all `examples`; returns the epochs that are done.

    One logit stands for the second of two classes. With `out`, checkpoints and log are kept there
    and a training that was begun there is gone on with. `stop_after`: at most so many epochs in
    all. An epoch depends on (seed, epoch) only.
    """
    from einthoven.training.model.network import keras, tf

    optimizer = _optimizer(fit)
    optimizer.build(model.trainable_variables)
    one_unit = model.output_shape[-1] == 1
    loss_of = (
        keras.losses.BinaryCrossentropy(from_logits=True)
        if one_unit
        else keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    )

    @tf.function(reduce_retracing=True)  # type: ignore[untyped-decorator]
    def step(x: Any, y: Any) -> Any:
        with tf.GradientTape() as tape:
            logits = model(x, training=True)
            loss = loss_of(y[:, tf.newaxis], logits)
        gradients = tape.gradient(loss, model.trainable_variables)
        optimizer.apply_gradients(zip(gradients, model.trainable_variables, strict=True))
        return loss

    def train_epoch(epoch: int) -> list[float]:
        rng = np.random.default_rng([seed, epoch])
        order = epoch_rows(examples.y, fit, rng)
        losses = []
        for i in range(0, len(order), fit.batch):
            rows = order[i : i + fit.batch]
            x = augment(model_input(examples.x[rows]), fit, rng)
            losses.append(step(x, examples.y[rows]))
        return [float(loss) for loss in losses]

    epochs = fit.epochs if stop_after is None else min(stop_after, fit.epochs)
    return run_epochs(model, optimizer, train_epoch, epochs, out, on_epoch)


def _optimizer(fit: Fit) -> Any:
    from einthoven.training.model.network import keras

    rate = keras.optimizers.schedules.ExponentialDecay(
        fit.learning_rate, fit.decay_steps, fit.decay
    )
    if fit.weight_decay:
        return keras.optimizers.AdamW(rate, weight_decay=fit.weight_decay)
    return keras.optimizers.Adam(rate)


def epoch_rows(y: NDArray[np.int64], fit: Fit, rng: np.random.Generator) -> NDArray[np.int64]:
    """Rows of an epoch: all of them in a random order, or as many drawn with classes alike."""
    if fit.balance == "none":
        return rng.permutation(len(y))
    counts = np.bincount(y)
    weights = 1.0 / counts[y]
    return rng.choice(len(y), len(y), p=weights / weights.sum())


def augment(x: Floats, fit: Fit, rng: np.random.Generator) -> Floats:
    """The examples with a random gain and noise, if the recipe says so."""
    if fit.gain:
        shape = (len(x),) + (1,) * (x.ndim - 1)
        x = x * rng.uniform(1 - fit.gain, 1 + fit.gain, shape).astype(np.float32)
    if fit.noise:
        x = x + rng.normal(0, fit.noise, x.shape).astype(np.float32)
    return x


def predict(model: Any, x: Floats) -> Floats:
    """[n, outputs] logits of the float network."""
    logits: Floats = model.predict(model_input(x), batch_size=PREDICT_BATCH, verbose=0)
    return logits


def decide(logits: NDArray[Any]) -> NDArray[np.int64]:
    """[n] class index: the largest logit, the first on a tie; of one logit, whether it is > 0.

    int8 logits come with their zero point taken off.
    """
    if logits.shape[1] == 1:
        return np.where(logits[:, 0] > 0, 1, 0)
    found: NDArray[np.int64] = logits.argmax(axis=1).astype(np.int64)
    return found
