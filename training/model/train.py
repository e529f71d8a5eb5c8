"""Train a recipe's network on the core's tensors.

Same recipe, records and machine: same weights. A checkpoint is written after every epoch and a
training that was broken off goes on there with `resume`, to the same weights as without a break.
"""

import json
from collections.abc import Callable, Sequence
from dataclasses import asdict, replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.special import softmax

from einthoven.aami import CLASSES
from einthoven.errors import UsageError
from einthoven.scoring.strips import SYMBOLS
from einthoven.training.data import dataset, strips
from einthoven.training.data.dataset import Examples
from einthoven.training.data.sampling import (
    Floats,
    augment,
    draw_weights,
    epoch_arrays,
    real_inputs,
)
from einthoven.training.data.strips import StripBeats
from einthoven.training.model.loop import LOG, OnEpoch, progress_bar, run_epochs
from einthoven.training.recipe import Distillation, Recipe, with_seed
from einthoven.training.recipe import load as load_recipe

__all__ = ["FLOAT_MODEL", "LOG", "fit", "train"]

FLOAT_MODEL = "float.weights.h5"
TEACHER_SEEDS = 1000
"""Teacher i of a recipe with seed s has seed 1000 s + i."""


def train(
    recipe: Path,
    out: Path,
    resume: bool = False,
    data: Path | None = None,
    seed: int | None = None,
) -> Path:
    """Train `recipe` into folder `out`, float; returns `out`. `einthoven quantize` comes next.

    `out` gets the recipe (with `seed`, if one is given), the weights, a log (one JSON object per
    epoch) and `training.json` (data's digest and counts, pipeline hash). Raises UsageError if `out`
    holds another training.
    """
    settings = begin(recipe, out, resume, seed)
    examples = dataset.load(settings.data, data, settings.views)
    beats = strips.beats_for(settings, data)
    facts = json.dumps(provenance(settings, examples, beats), indent=1)
    (out / "training.json").write_text(facts + "\n")
    epochs = settings.distillation.teachers * settings.fit.epochs + taught(settings).fit.epochs
    with progress_bar(settings.name, epochs) as show:
        fit(examples, settings, out, show, beats)
    return out


def begin(recipe: Path, out: Path, resume: bool = False, seed: int | None = None) -> Recipe:
    """Make `out` the folder of a training of `recipe`, as `train` does first; returns its settings.

    Raises UsageError if `out` holds another training, or any without `resume`.
    """
    settings = load_recipe(recipe)
    if seed is not None:
        settings = replace(settings, seed=seed)
    if out.exists() and any(out.iterdir()) and not resume:
        raise UsageError(f"{out} is not empty: choose another --out, or --resume to go on there")
    kept = out / "recipe.toml"
    if resume and kept.exists() and load_recipe(kept) != settings:
        raise UsageError(f"{out} was begun with another recipe: choose another --out")
    out.mkdir(parents=True, exist_ok=True)
    if recipe.resolve() != kept.resolve():
        kept.write_text(with_seed(recipe.read_text(encoding="utf-8"), settings.seed))
    return settings


def fit(
    examples: Examples,
    recipe: Recipe,
    out: Path | None = None,
    on_epoch: OnEpoch = lambda entry: None,
    strip_beats: StripBeats | None = None,
) -> Any:
    """Fit a fresh network, or go on from `out`'s checkpoints; returns the float Keras model.

    With a recipe that distils, its teachers are fitted first, in folders of their own in `out`.
    `strip_beats`: what a recipe with a share of strips takes them from.
    """
    teachers = []
    for i in range(recipe.distillation.teachers):
        own = replace(
            recipe,
            seed=TEACHER_SEEDS * recipe.seed + i,
            model=recipe.teacher or recipe.model,
            logit_bias=(0.0,) * len(CLASSES),
            distillation=Distillation(),
        )
        folder = None if out is None else out / f"teacher{i}"
        show = partial(_shifted, on_epoch, i * recipe.fit.epochs)
        teachers.append(_fit_one(examples, own, folder, show, strip_beats))
    show = partial(_shifted, on_epoch, len(teachers) * recipe.fit.epochs)
    return _fit_one(examples, taught(recipe), out, show, strip_beats, teachers)


def taught(recipe: Recipe) -> Recipe:
    """`recipe` with the epochs of the network that learns from teachers."""
    epochs = recipe.distillation.epochs or recipe.fit.epochs
    return replace(recipe, fit=replace(recipe.fit, epochs=epochs))


def _shifted(on_epoch: OnEpoch, before: int, entry: dict[str, Any]) -> None:
    on_epoch({**entry, "epoch": entry["epoch"] + before})


def _fit_one(
    examples: Examples,
    recipe: Recipe,
    out: Path | None,
    on_epoch: OnEpoch,
    strip_beats: StripBeats | None,
    teachers: Sequence[Any] = (),
) -> Any:
    from einthoven.training.model.network import build, keras, one_thread, tf, with_rhythm

    one_thread()
    tf.config.experimental.enable_op_determinism()
    keras.utils.set_random_seed(recipe.seed)
    model = build(
        recipe.model, dataset.WINDOW, dataset.CHANNELS, examples.features.shape[1], len(CLASSES)
    )
    learning = model if strip_beats is None else with_rhythm(model, len(SYMBOLS))
    steps = -(-recipe.sampling.examples // recipe.fit.batch)
    optimizer = keras.optimizers.AdamW(
        keras.optimizers.schedules.CosineDecay(recipe.fit.learning_rate, steps * recipe.fit.epochs),
        weight_decay=recipe.fit.weight_decay,
    )
    optimizer.exclude_from_weight_decay(var_names=["bias", "beta", "gamma"])
    optimizer.build(learning.trainable_variables)
    step = _training_step(learning, optimizer, recipe.strips.rhythm_weight)
    draw = _epochs(examples, recipe, strip_beats)

    def train_epoch(epoch: int) -> list[float]:
        signal, features, label, rhythm = draw(epoch)
        target = _targets(signal, features, label, recipe, teachers)
        rhythms = _one_hot(rhythm, len(SYMBOLS))
        return [
            float(step(signal[rows], features[rows], target[rows], rhythms[rows]))
            for i in range(0, len(label), recipe.fit.batch)
            for rows in [slice(i, i + recipe.fit.batch)]
        ]

    run_epochs(learning, optimizer, train_epoch, recipe.fit.epochs, out, on_epoch)
    add_bias(model, recipe.logit_bias)
    if out is not None:
        model.save_weights(out / FLOAT_MODEL)
    return model


Epoch = tuple[Floats, Floats, NDArray[np.int64], NDArray[np.int64]]
"""Inputs in real units, classes and rhythms to be learnt; -1: none."""


def _epochs(
    examples: Examples, recipe: Recipe, strip_beats: StripBeats | None
) -> Callable[[int], Epoch]:
    """What makes an epoch by its number: annotated beats, and those of strips among them."""
    weights = draw_weights(examples, recipe.sampling)
    total, seed = recipe.sampling.examples, recipe.seed
    of_strips = 0 if strip_beats is None else round(recipe.strips.share * total)
    sampling = replace(recipe.sampling, examples=total - of_strips)

    def annotated(epoch: int) -> Epoch:
        signal, features, label = epoch_arrays(
            examples, weights, sampling, recipe.augmentation, seed, epoch
        )
        return signal, features, label, np.full(len(label), -1, dtype=np.int64)

    if strip_beats is None:
        return annotated
    beats = strip_beats
    strip_weights = strips.draw_weights(beats, recipe.strips.symbol_share)

    def mixed(epoch: int) -> Epoch:
        rng = np.random.default_rng([seed, epoch, 1])
        drawn = beats.where(rng.choice(len(beats), of_strips, p=strip_weights))
        more = augment(*real_inputs(drawn.signal, drawn.features), recipe.augmentation, rng)
        signal, features, label, rhythm = annotated(epoch)
        order = rng.permutation(total)
        return (
            np.concatenate([signal, more[0]])[order],
            np.concatenate([features, more[1]])[order],
            np.concatenate([label, strips.labels(drawn)])[order],
            np.concatenate([rhythm, drawn.rhythm.astype(np.int64)])[order],
        )

    return mixed


def probabilities(model: Any, signal: Floats, features: Floats) -> Floats:
    """[n, 5] what a network says of inputs in real units."""
    logits = model.predict([signal, features], batch_size=2048, verbose=0)
    said: Floats = softmax(logits, axis=1).astype(np.float32)
    return said


def _one_hot(label: NDArray[np.int64], n: int) -> Floats:
    """[len(label), n]; a row of zeros, which teaches nothing, where the label is -1."""
    rows: Floats = np.eye(n, dtype=np.float32)[label] * (label >= 0)[:, np.newaxis]
    return rows


def _targets(
    signal: Floats, features: Floats, label: NDArray[np.int64], recipe: Recipe, teachers: Any
) -> Floats:
    """[n, 5] probabilities to be learnt: the smoothed label, or mixed with what teachers say.

    Of a beat without a label the teachers' word alone, or nothing.
    """
    smooth = recipe.fit.label_smoothing
    known = (label >= 0)[:, np.newaxis]
    own = _one_hot(label, len(CLASSES)) * (1 - smooth) + smooth / len(CLASSES)
    own = np.where(known, own, np.float32(0))
    if not teachers:
        return own
    weight = np.float32(recipe.distillation.weight)
    said: Floats = np.mean([probabilities(t, signal, features) for t in teachers], axis=0)
    return np.where(known, weight * said + (1 - weight) * own, said)


def _training_step(model: Any, optimizer: Any, rhythm_weight: float) -> Any:
    """A function of a batch's inputs and targets that takes a step and returns the loss.

    A model with a second output learns rhythms beside classes.
    """
    from einthoven.training.model.network import keras, tf

    loss_of = keras.losses.CategoricalCrossentropy(from_logits=True)

    @tf.function(reduce_retracing=True)  # type: ignore[untyped-decorator]
    def step(signal: Any, features: Any, target: Any, rhythm: Any) -> Any:
        with tf.GradientTape() as tape:
            said = model([signal, features], training=True)
            if len(model.outputs) == 1:
                loss = loss_of(target, said)
            else:
                loss = loss_of(target, said[0]) + rhythm_weight * loss_of(rhythm, said[1])
        gradients = tape.gradient(loss, model.trainable_variables)
        optimizer.apply_gradients(zip(gradients, model.trainable_variables, strict=True))
        return loss

    return step


def add_bias(model: Any, bias: tuple[float, ...]) -> None:
    """Add `bias` to the logits of a float network."""
    layer = model.get_layer("logits")
    layer.bias.assign(layer.bias.numpy() + np.array(bias, dtype=np.float32))


def provenance(
    recipe: Recipe, examples: Examples, strip_beats: StripBeats | None = None
) -> dict[str, Any]:
    """What a network was trained with and on, for JSON."""
    facts: dict[str, Any] = {
        "recipe": recipe.name,
        "settings": asdict(recipe),
        "pipeline_sha256": dataset.PIPELINE_SHA256,
        "data_sha256": examples.digest(),
        "beats": examples.counts(),
        "detections_without_label": int(np.sum(examples.label < 0)),
        "patients": len(np.unique(examples.patient)),
        "records": sorted(set(examples.record.tolist())),
    }
    if strip_beats is not None:
        facts["strips"] = {
            "db": strips.DATABASE,
            "records": f"{len(np.unique(strip_beats.strip)):,} strips, labelled by rhythm only",
            "leads": "main",
        }
    return facts
