"""The memory of a model: some of its training beats as its last dense layers see them.

`python -m einthoven.training.adaptation.memory MODEL` writes `memory.npz` into a model's folder;
shipping does so, too. `einthoven.training.adaptation.fit` holds a patient's head to what the model
says of these beats. They are drawn as training draws them, by class and patient; int8 activations,
no ECG and no label.
"""

import argparse
import tempfile
from pathlib import Path
from typing import NamedTuple

import numpy as np

from einthoven.codegen.model import ModelFolder, export
from einthoven.codegen.model import load as load_model
from einthoven.native.engine import HostModel
from einthoven.native.vote import Vote
from einthoven.training.adaptation.fit import Memory
from einthoven.training.command_line import one_line_errors
from einthoven.training.data import dataset
from einthoven.training.data.dataset import Examples
from einthoven.training.data.sampling import draw_weights
from einthoven.training.recipe import Recipe
from einthoven.training.recipe import load as load_recipe

BEATS = 3000


class Engine(NamedTuple):
    """A model, and the code that is generated from it, compiled for this machine."""

    model: ModelFolder
    host: HostModel
    vote: Vote


def engine_of(folder: Path) -> Engine:
    """The engine of a model's folder. Raises ModelError."""
    with tempfile.TemporaryDirectory() as scratch:
        export(folder, Path(scratch))
        return Engine(load_model(folder), HostModel(Path(scratch)), Vote(Path(scratch)))


def remember(host: HostModel, examples: Examples, recipe: Recipe) -> Memory:
    """`BEATS` of the training's examples through the model; seeded by the recipe."""
    rng = np.random.default_rng([recipe.seed, 0x3E3])
    weights = draw_weights(examples, recipe.sampling)
    n = min(BEATS, int(np.count_nonzero(weights)))
    chosen = examples.where(np.sort(rng.choice(len(examples), n, replace=False, p=weights)))
    return Memory(host.embed(chosen.signal, chosen.features))


def write(folder: Path, data: Path | None = None) -> Path:
    """Make the memory of the model in `folder`, from the records of its recipe; returns the file.

    Raises ModelError, RecordError.
    """
    engine = engine_of(folder)
    recipe = load_recipe(folder / "recipe.toml")
    memory = remember(engine.host, dataset.load(recipe.data, data), recipe)
    return memory.write(folder, engine.model.sha256)


@one_line_errors()
def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(
        prog="python -m einthoven.training.adaptation.memory", description=__doc__
    )
    parser.add_argument("model", type=Path)
    parser.add_argument("--data", type=Path)
    args = parser.parse_args()
    print(f"wrote {write(args.model, args.data)}")


if __name__ == "__main__":
    main()
