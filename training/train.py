"""Train a recipe's network on the core's tensors.

Same recipe, records and machine: same weights. A checkpoint is written after every epoch and a
training that was broken off goes on there with `resume`, to the same weights as without a break.
"""

import json
import shutil
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np

from einthoven.aami import CLASSES
from einthoven.errors import UsageError
from training import dataset
from training.dataset import Examples
from training.loop import LOG, OnEpoch, progress_bar, run_epochs
from training.recipe import Recipe
from training.recipe import load as load_recipe
from training.sampling import draw_weights, epoch_arrays

__all__ = ["FLOAT_MODEL", "LOG", "fit", "train"]

FLOAT_MODEL = "float.weights.h5"


def train(recipe: Path, out: Path, resume: bool = False, data: Path | None = None) -> Path:
    """Train `recipe` into folder `out`, float; returns `out`. `einthoven quantize` comes next.

    `out` gets the recipe, the weights, a log (one JSON object per epoch) and `training.json`
    (data's digest and counts, pipeline hash). Raises UsageError if `out` holds another training.
    """
    settings = load_recipe(recipe)
    if out.exists() and any(out.iterdir()) and not resume:
        raise UsageError(f"{out} is not empty: choose another --out, or --resume to go on there")
    kept = out / "recipe.toml"
    if resume and kept.exists() and load_recipe(kept) != settings:
        raise UsageError(f"{out} was begun with another recipe: choose another --out")
    out.mkdir(parents=True, exist_ok=True)
    if recipe.resolve() != kept.resolve():
        shutil.copyfile(recipe, kept)
    examples = dataset.load(settings.data, data)
    (out / "training.json").write_text(json.dumps(_provenance(settings, examples), indent=1) + "\n")
    with progress_bar(settings.name, settings.fit.epochs) as show:
        fit(examples, settings, out, show)
    return out


def fit(
    examples: Examples,
    recipe: Recipe,
    out: Path | None = None,
    on_epoch: OnEpoch = lambda entry: None,
    stop_after: int | None = None,
) -> Any:
    """Fit a fresh network, or go on from `out`'s checkpoint; returns the float Keras model.

    `stop_after`: leave after that many epochs in all, as a training that is broken off.
    """
    from training.model import build, keras, tf

    tf.config.experimental.enable_op_determinism()
    keras.utils.set_random_seed(recipe.seed)
    model = build(
        recipe.model, dataset.WINDOW, dataset.CHANNELS, examples.features.shape[1], len(CLASSES)
    )
    steps = -(-recipe.sampling.examples // recipe.fit.batch)
    optimizer = keras.optimizers.AdamW(
        keras.optimizers.schedules.CosineDecay(recipe.fit.learning_rate, steps * recipe.fit.epochs),
        weight_decay=recipe.fit.weight_decay,
    )
    optimizer.exclude_from_weight_decay(var_names=["bias", "beta", "gamma"])
    optimizer.build(model.trainable_variables)
    step = _training_step(model, optimizer, recipe)

    weights = draw_weights(examples, recipe.sampling)

    def train_epoch(epoch: int) -> list[float]:
        signal, features, label = epoch_arrays(
            examples, weights, recipe.sampling, recipe.augmentation, recipe.seed, epoch
        )
        return [
            float(step(signal[rows], features[rows], label[rows]))
            for i in range(0, len(label), recipe.fit.batch)
            for rows in [slice(i, i + recipe.fit.batch)]
        ]

    epochs = min(recipe.fit.epochs, stop_after or recipe.fit.epochs)
    done = run_epochs(model, optimizer, train_epoch, epochs, out, on_epoch)
    if done == recipe.fit.epochs:
        _add_bias(model, recipe.logit_bias)
        if out is not None:
            model.save_weights(out / FLOAT_MODEL)
    return model


def _training_step(model: Any, optimizer: Any, recipe: Recipe) -> Any:
    from training.model import keras, tf

    loss_of = keras.losses.CategoricalCrossentropy(
        from_logits=True, label_smoothing=recipe.fit.label_smoothing
    )

    @tf.function(reduce_retracing=True)  # type: ignore[untyped-decorator]
    def step(signal: Any, features: Any, label: Any) -> Any:
        with tf.GradientTape() as tape:
            logits = model([signal, features], training=True)
            loss = loss_of(tf.one_hot(label, len(CLASSES)), logits)
        gradients = tape.gradient(loss, model.trainable_variables)
        optimizer.apply_gradients(zip(gradients, model.trainable_variables, strict=True))
        return loss

    return step


def _add_bias(model: Any, bias: tuple[float, ...]) -> None:
    layer = model.get_layer("logits")
    layer.bias.assign(layer.bias.numpy() + np.array(bias, dtype=np.float32))


def _provenance(recipe: Recipe, examples: Examples) -> dict[str, Any]:
    return {
        "recipe": recipe.name,
        "settings": asdict(recipe),
        "pipeline_sha256": dataset.PIPELINE_SHA256,
        "data_sha256": examples.digest(),
        "beats": examples.counts(),
        "detections_without_label": int(np.sum(examples.label < 0)),
        "patients": len(np.unique(examples.patient)),
        "records": sorted(set(examples.record.tolist())),
    }
