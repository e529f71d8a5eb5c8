"""CardiacNet's figures, of `docs/results/studies/cardiacnet_patients.json`.

`python -m einthoven.training.studies.cardiacnet.figures`: bars per record, histograms, curves by
epoch, as the study shows them, beside the result.
"""

import argparse
import sys
from pathlib import Path
from typing import Any

import numpy as np

from einthoven.errors import EinthovenError
from einthoven.training.studies.cardiacnet.result import GOOD
from einthoven.training.studies.shared import results
from einthoven.training.studies.shared.results import Result

SHOWN = {
    "individual": ("individual", "#4c78a8"),
    "tuned_all": ("pre-trained on all, fine-tuned", "#f58518"),
    "tuned_others": ("pre-trained on others, fine-tuned", "#54a24b"),
    "late": ("last 6 minutes, individual", "#b279a2"),
}
"""Columns of the result that are drawn."""
LOWEST = 0.4
"""Where the axes begin; what is lower is drawn there."""


def bars(result: Result) -> Any:
    """Balanced accuracy of each record, a bar per way of training."""
    from matplotlib.figure import Figure

    records = result.extra["records"]
    names = sorted(records, reverse=True)
    columns = [c for c in SHOWN if c in result.extra["mean"]]
    figure = Figure(figsize=(7, 0.36 * len(names) + 1.5), layout="constrained")
    axes = figure.subplots()
    height = 0.8 / len(columns)
    for i, column in enumerate(columns):
        label, colour = SHOWN[column]
        values = [records[name].get(column) or np.nan for name in names]
        at = np.arange(len(names)) + 0.4 - (i + 0.5) * height
        axes.barh(at, values, height, label=label, color=colour)
    axes.axvline(GOOD, color="0.4", linewidth=0.8, linestyle=":")
    axes.set(xlim=(LOWEST, 1.0), xlabel="balanced accuracy (0.5: by chance)", ylabel="record")
    axes.set_yticks(range(len(names)), names)
    axes.margins(y=0.01)
    figure.legend(loc="outside upper center", ncols=2, frameon=False)
    return figure


def histograms(result: Result) -> Any:
    """How many records have which balanced accuracy, in the study's steps of 0.05."""
    from matplotlib.figure import Figure

    columns = [c for c in SHOWN if c in result.extra["mean"]]
    figure = Figure(figsize=(2.6 * len(columns), 2.8), layout="constrained")
    edges = np.linspace(LOWEST, 1.0, 13)  # the last one is exactly 1.0, which many reach
    for axes, column in zip(
        figure.subplots(1, len(columns), sharey=True, squeeze=False)[0], columns, strict=True
    ):
        label, colour = SHOWN[column]
        values = [r.get(column) for r in result.extra["records"].values()]
        shown = np.clip([v for v in values if v is not None], LOWEST, 1.0)
        axes.hist(shown, edges, color=colour, edgecolor="white")
        axes.set_title(f"{label}\nmean {result.extra['mean'][column]:.3f}", fontsize=8)
        axes.set_xlabel("balanced accuracy")
        axes.yaxis.get_major_locator().set_params(integer=True)
    figure.axes[0].set_ylabel("records")
    return figure


def curves(result: Result) -> Any:
    """Loss and balanced accuracy by epoch, training and validation; a line at the best epoch."""
    from matplotlib.figure import Figure

    shown = result.extra["curves"]
    figure = Figure(figsize=(7.5, 2.5 * len(shown)), layout="constrained")
    grid = figure.subplots(len(shown), 2, squeeze=False)
    for row, (name, curve) in zip(grid, shown.items(), strict=True):
        epochs = np.arange(1, len(curve["loss"]) + 1)
        for axes, key, words in zip(
            row, ("loss", "balanced_accuracy"), ("loss", "balanced accuracy"), strict=True
        ):
            axes.plot(epochs, curve[key], color="#4c78a8", label="training")
            axes.plot(epochs, curve[f"val_{key}"], color="#f58518", label="validation")
            axes.axvline(curve["best_epoch"] + 1, color="0.5", linewidth=0.8, linestyle=":")
            axes.set(title=name, xlabel="epoch", ylabel=words)
            axes.xaxis.get_major_locator().set_params(integer=True)
        row[0].legend(frameon=False)
    return figure


def main() -> int:
    """Command line."""
    parser = argparse.ArgumentParser(
        prog="python -m einthoven.training.studies.cardiacnet.figures", description=__doc__
    )
    parser.add_argument("folder", type=Path, nargs="?", default=results.FOLDER)
    folder = parser.parse_args().folder
    try:
        result = results.read(folder / "cardiacnet_patients.json")
    except EinthovenError as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    for draw in (bars, histograms, curves):
        path = folder / f"{result.name}_{draw.__name__}.png"
        draw(result).savefig(path, dpi=110, metadata={"Software": None})
        print(f"wrote {path.name}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
