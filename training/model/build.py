"""From records to a model that a board can run, in one go: what `einthoven train --deploy` does.

The training, the quantization by the recipe's method, a cross-validation over the patients of the
training data and, from what it says of held-out patients, the calibration of the confidence. Every
stage goes on where it was broken off. DS2 is not looked at:
`python -m einthoven.training.evidence.ship` does that.
"""

from pathlib import Path

from einthoven.training.data import dataset
from einthoven.training.model.calibrate import calibrate
from einthoven.training.model.crossval import cross_validate, write_held_out
from einthoven.training.model.quantize import quantize
from einthoven.training.model.train import train
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
    run = train(recipe, out, resume, data, seed)
    own = run / "recipe.toml"  # with the seed
    settings = load(own)
    model = quantize(run, data=data)
    examples = dataset.load(settings.data, data, settings.views)
    folds = run / "folds"
    logits = cross_validate(examples, settings, FOLDS, folds)
    calibrate(model, write_held_out(folds, examples, logits, own, FOLDS))
    return model
