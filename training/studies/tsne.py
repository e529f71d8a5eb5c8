"""t-SNE of what the last convolution of a study's network gives: what it has learnt, in a plane.

`python -m einthoven.training.studies.tsne RUN`: of at most 300 beats of each class that RUN was
scored on (under cross-validation: of all), coloured by class, as
`docs/results/studies/tsne_<recipe>.png`. L. van der Maaten, G. Hinton, "Visualizing Data using
t-SNE", JMLR 9, 2008.
"""

import argparse
import sys
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from einthoven.errors import EinthovenError
from einthoven.paths import require_checkout
from einthoven.training.studies import workflow
from einthoven.training.studies.runs import Sources, load_float, open_run
from einthoven.training.studies.shared import results
from einthoven.training.studies.shared.examples import Floats, Labelled
from einthoven.training.studies.shared.fit import model_input
from einthoven.training.studies.shared.recipe import StudyRecipe

PER_CLASS = 300
COLOURS = ("#4c78a8", "#f58518", "#e45756", "#72b7b2", "#9d755d")


def last_convolution(model: Any, x: Floats) -> Floats:
    """[n, positions × channels]: what the network's last convolution or residual sum gives."""
    from einthoven.training.model.network import keras

    flatten = next(layer for layer in model.layers if isinstance(layer, keras.layers.Flatten))
    before_pool = flatten.input.node.layer.input
    trunk = keras.Model(model.input, before_pool)
    found: Floats = trunk.predict(model_input(x), batch_size=1024, verbose=0)
    return found.reshape(len(x), -1)


def embed(features: Floats, seed: int) -> NDArray[np.float32]:
    """[n, 2] by t-SNE; the same for the same features and seed."""
    from sklearn.manifold import TSNE

    perplexity = min(30.0, (len(features) - 1) / 3)
    tsne = TSNE(perplexity=perplexity, init="pca", random_state=seed)
    plane: NDArray[np.float32] = tsne.fit_transform(features)
    return plane


def draw(plane: NDArray[np.float32], examples: Labelled, title: str, path: Path) -> None:
    """A scatter plot of `plane`, [n, 2], coloured by class."""
    import matplotlib as mpl

    mpl.use("Agg")
    from matplotlib import pyplot

    figure, axes = pyplot.subplots(figsize=(6, 5), layout="constrained")
    for i, name in enumerate(examples.classes):
        rows = examples.y == i
        label = f"{name} ({rows.sum()})"
        axes.scatter(
            plane[rows, 0], plane[rows, 1], s=6, color=COLOURS[i], label=label, linewidths=0
        )
    axes.set(title=title, xticks=[], yticks=[])
    axes.legend(markerscale=3, frameon=False)
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path, dpi=100, metadata={"Software": None})
    pyplot.close(figure)


def make(run: Path, sources: Sources, folder: Path = results.FOLDER) -> Path:
    """Draw a run's figure; returns its path. Raises EinthovenError."""
    recipe, examples = open_run(run, sources)
    chosen = _chosen(run, recipe, examples)
    model = load_float(run, recipe, examples)
    plane = embed(last_convolution(model, chosen.x), recipe.seed)
    path = folder / f"tsne_{recipe.name}.png"
    draw(plane, chosen, f"{recipe.name}: last convolution, t-SNE", path)
    return path


def _chosen(run: Path, recipe: StudyRecipe, examples: Labelled) -> Labelled:
    scored = np.any([p.fold.test for p in workflow.parts_of(run, recipe, examples)], axis=0)
    return examples.where(scored).thin(PER_CLASS, recipe.seed)


def main() -> int:
    """Command line."""
    parser = argparse.ArgumentParser(
        prog="python -m einthoven.training.studies.tsne", description=__doc__
    )
    parser.add_argument("run", type=Path, nargs="+")
    parser.add_argument("--data", type=Path)
    parser.add_argument("--kaggle", type=Path)
    args = parser.parse_args()
    try:
        require_checkout("docs/")
        for run in args.run:
            print(f"wrote {make(run, Sources(args.data, args.kaggle)).name}")
    except EinthovenError as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
