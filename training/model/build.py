"""From records to a model that a board can run, in one go: what `einthoven train --deploy` does.

The training, the quantization by the recipe's method, a cross-validation over the patients of the
training data and, from what it says of held-out patients, the calibration of the confidence. The
training and each fold are processes of their own, as many at a time as the machine has cores: a
training computes in one thread. Every stage goes on where it was broken off. DS2 is not looked at:
`python -m einthoven.training.evidence.ship` does that.
"""

import multiprocessing
import os
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from einthoven.training.data import dataset
from einthoven.training.data.strips import beats_for
from einthoven.training.model.calibrate import calibrate
from einthoven.training.model.crossval import cross_validate, write_held_out
from einthoven.training.model.quantize import quantize
from einthoven.training.model.train import begin, train
from einthoven.training.recipe import load

FOLDS = 3


def build(
    recipe: Path,
    out: Path,
    resume: bool = False,
    data: Path | None = None,
    seed: int | None = None,
) -> Path:
    """Train `recipe` into `out`; returns the model folder there, ready to export.

    Raises UsageError, RecordError, ModelError.
    """
    settings = begin(recipe, out, resume, seed)
    own = out / "recipe.toml"  # with the seed
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    # Fresh processes: TensorFlow does not survive a fork.
    fresh = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(min(FOLDS + 1, cores or 1), fresh) as processes:
        made = processes.submit(_train, out, data)
        folds = [processes.submit(_fold, out, data, i) for i in range(FOLDS)]
        try:
            model = made.result()
            parts = [fold.result() for fold in folds]
        except BaseException:
            processes.shutdown(cancel_futures=True)  # what has not begun would be in vain
            raise
    examples = dataset.load(settings.data, data, settings.views)
    logits = parts[0]
    for part in parts[1:]:
        logits = np.where(np.isnan(logits), part, logits)
    calibrate(model, write_held_out(out / "folds", examples, logits, own, FOLDS))
    return model


def _train(out: Path, data: Path | None) -> Path:
    return quantize(train(out / "recipe.toml", out, resume=True, data=data), data=data)


def _fold(out: Path, data: Path | None, number: int) -> NDArray[np.float32]:
    """Logits of the fold's held-out beats, NaN elsewhere."""
    settings = load(out / "recipe.toml")
    examples = dataset.load(settings.data, data, settings.views)
    beats = beats_for(settings, data)
    return cross_validate(examples, settings, FOLDS, out / "folds", [number], strip_beats=beats)
