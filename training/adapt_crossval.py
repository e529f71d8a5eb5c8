"""Patient adaptation on held-out patients: what every choice about it is made by.

`python -m training.adapt_crossval FOLDS` takes the folds that `training.crossval --out FOLDS` kept
and `einthoven quantize` made int8, each a model that has not seen its `held_out.json`. For every
record of these patients a head is fitted on the first five minutes and scored on the rest, by the
int8 engine; beats are detections matched to the reference within 150 ms. A memory is of the fold's
own training patients. `--penalty` and `--memory-weight` take several values: all combinations are
tried. Never on DS2.
"""

import argparse
import itertools
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from codegen.head import Head, pack
from einthoven.aami import CLASSES, DS2
from einthoven.errors import UsageError
from einthoven.rundir import write_json
from training import dataset
from training.adapt import MAX_MINUTES, Memory, Settings, first_minutes, fit, require_minutes
from training.command_line import at_least, one_line_errors
from training.dataset import RATE_HZ, Examples
from training.memory import Engine, engine_of, remember
from training.recipe import load as load_recipe

Confusion = NDArray[np.int64]
"""[6, 5]: reference class (last row: no beat there) by found class."""


@dataclass(frozen=True)
class Patient:
    """A held-out record: what its fold's engine makes of it."""

    engine: Engine
    memory: Memory
    beats: Examples
    early: Examples
    embedding: NDArray[np.int8]
    """[n, E], of `beats`."""
    embedding_early: NDArray[np.int8]

    @property
    def record(self) -> str:
        """database/record"""
        return str(self.beats.record[0])

    def confusion(self, settings: Settings | None) -> Confusion:
        """Of the beats after the first minutes; `settings` None: the model as it is."""
        parameters = None
        model, host, vote = self.engine
        if settings is not None and len(self.early) > 0:
            layers = fit(model, self.embedding_early, self.early.label, self.memory, settings)
            parameters = pack(model, Head(model.sha256, layers))
        logits = vote.of(host.head(self.embedding, parameters), self.beats)
        late = self.beats.t_samples >= 60 * MAX_MINUTES * RATE_HZ
        table = np.zeros((len(CLASSES) + 1, len(CLASSES)), dtype=np.int64)
        # label -1 is the last row
        np.add.at(table, (self.beats.label[late], logits[late].argmax(axis=1)), 1)
        return table


def patients(folds: Path, data: Path | None, minutes: float = MAX_MINUTES) -> Iterator[Patient]:
    """All held-out records of all folds, main leads. Raises UsageError, ModelError."""
    places = sorted(path.parent for path in folds.glob("fold*/held_out.json"))
    if not places:
        raise UsageError(f"no folds in {folds}: python -m training.crossval RECIPE --out {folds}")
    recipe = load_recipe(places[0] / "recipe.toml")
    examples = dataset.load(recipe.data, data)
    if np.isin(examples.record, [f"mitdb/{name}" for name in DS2]).any():
        raise UsageError("held-out patients must not be DS2's: change the recipe's [[data]]")
    for place in places:
        held_out = np.isin(examples.patient, json.loads((place / "held_out.json").read_text()))
        engine = engine_of(place / recipe.quantization.method)
        memory = remember(engine.host, examples.where(~held_out), recipe)
        main = examples.where(held_out & examples.main)
        for record in np.unique(main.record):
            one = main.where(main.record == record)
            early = first_minutes(one, minutes)
            embed = engine.host.embed
            yield Patient(
                engine, memory, one, early,
                embed(one.signal, one.features), embed(early.signal, early.features),
            )  # fmt: skip


def rates(table: Confusion) -> dict[str, float]:
    """Accuracy of matched beats, F1 of N, S, V over detections, and their mean."""
    found = {
        name: float(2 * table[i, i] / max(1, table[i].sum() + table[:, i].sum()))
        for i, name in enumerate(CLASSES[:3])
    }
    matched = table[: len(CLASSES)]
    return {
        "accuracy": float(np.trace(matched) / max(1, matched.sum())),
        **found,
        "macro": float(np.mean(list(found.values()))),
    }


def summary(tables: Mapping[str, Confusion]) -> dict[str, dict[str, float]]:
    """`rates` per database, of confusions by record."""
    databases = sorted({record.partition("/")[0] for record in tables})
    return {
        db: rates(
            np.sum([t for r, t in tables.items() if r.startswith(f"{db}/")], axis=0, dtype=np.int64)
        )
        for db in databases
    }


def _line(name: str, tables: Mapping[str, Confusion]) -> str:
    cells = "  ".join(
        f"{db}: " + " ".join(f"{key} {value:.3f}" for key, value in found.items())
        for db, found in summary(tables).items()
    )
    return f"{name:34} {cells}"


@one_line_errors()
def main() -> None:
    """Command line."""
    usual = Settings()
    parser = argparse.ArgumentParser(prog="python -m training.adapt_crossval", description=__doc__)
    parser.add_argument("folds", type=Path)
    parser.add_argument("--data", type=Path)
    parser.add_argument("--minutes", type=float, default=MAX_MINUTES)
    parser.add_argument("--penalty", type=float, nargs="+", default=[usual.penalty])
    parser.add_argument("--memory-weight", type=float, nargs="+", default=[usual.memory_weight])
    parser.add_argument("--json", type=Path, help="file for the rates of all combinations")
    args = parser.parse_args()
    require_minutes(args.minutes)
    for option, values in (("--penalty", args.penalty), ("--memory-weight", args.memory_weight)):
        at_least(0, min(values), option)
    grid: Sequence[Settings | None] = [
        None,
        *(
            replace(usual, penalty=p, memory_weight=m)
            for p, m in itertools.product(args.penalty, args.memory_weight)
        ),
    ]
    tables: list[dict[str, Confusion]] = [{} for _ in grid]
    for patient in patients(args.folds, args.data, args.minutes):
        for found, settings in zip(tables, grid, strict=True):
            found[patient.record] = patient.confusion(settings)
    results: list[dict[str, Any]] = []
    for found, settings in zip(tables, grid, strict=True):
        name = "unadapted"
        if settings is not None:
            name = f"penalty {settings.penalty:g}, memory {settings.memory_weight:g}"
        print(_line(name, found), flush=True)
        results.append({"settings": name, **summary(found)})
    if args.json is not None:
        write_json(args.json, results)


if __name__ == "__main__":
    main()
