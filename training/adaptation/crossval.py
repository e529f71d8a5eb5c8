"""Patient adaptation on held-out patients: what every choice about it is made by.

`python -m einthoven.training.adaptation.crossval FOLDS` takes the folds that
`einthoven.training.model.crossval --out FOLDS` kept and `einthoven quantize` made int8, each a
model that has not seen its `held_out.json`. For every record of these patients a head is fitted on
the first five minutes and scored on the rest, by the int8 engine; beats are detections matched to
the reference within 150 ms. A memory is of the fold's own training patients. Confidence is as the
shipped model's calibration makes it, which was chosen without heads. `--penalty` and
`--memory-weight` take several values: all combinations are tried. Never on DS2.
"""

import argparse
import itertools
import json
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from einthoven.aami import CLASSES, DS2
from einthoven.codegen import confidence as tables
from einthoven.codegen.head import Head, pack
from einthoven.codegen.model import load as load_model
from einthoven.errors import UsageError
from einthoven.native.confidence import Confidence
from einthoven.paths import SHIPPED_MODEL
from einthoven.report.run import write_json
from einthoven.scoring import reliability
from einthoven.training.adaptation.fit import (
    MAX_MINUTES,
    Memory,
    Settings,
    first_minutes,
    fit,
    require_minutes,
)
from einthoven.training.adaptation.memory import Engine, engine_of, remember
from einthoven.training.command_line import at_least, one_line_errors
from einthoven.training.data import dataset
from einthoven.training.data.dataset import RATE_HZ, Examples
from einthoven.training.recipe import load as load_recipe

Confusion = NDArray[np.int64]
"""[6, 5]: reference class (last row: no beat there) by found class."""

CONFIDENCE = "confidence"
"""What is no database in a `summary`."""


class Judged(NamedTuple):
    """What was said of a record."""

    confusion: Confusion
    reliability: reliability.Counts


@dataclass(frozen=True)
class Patient:
    """A held-out record: what its fold's engine makes of it."""

    engine: Engine
    confidence: Confidence
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

    def judged(self, settings: Settings | None) -> Judged:
        """The beats after the first minutes; `settings` None: by the model as it is."""
        parameters = None
        model, host, vote = self.engine
        if settings is not None and len(self.early) > 0:
            layers = fit(model, self.embedding_early, self.early.label, self.memory, settings)
            parameters = pack(model, Head(model.sha256, layers))
        logits = vote.of(host.head(self.embedding, parameters), self.beats)
        late = self.beats.t_samples >= 60 * MAX_MINUTES * RATE_HZ
        label, logits = self.beats.label[late], logits[late]
        found = logits.argmax(axis=1)
        table = np.zeros((len(CLASSES) + 1, len(CLASSES)), dtype=np.int64)
        np.add.at(table, (label, found), 1)  # label -1 is the last row
        told = self.confidence.of(logits, np.zeros(len(logits), np.uint16))
        return Judged(table, reliability.count(*told, found != label))


def patients(folds: Path, data: Path | None, minutes: float = MAX_MINUTES) -> Iterator[Patient]:
    """All held-out records of all folds, main leads. Raises UsageError, ModelError."""
    places = sorted(path.parent for path in folds.glob("fold*/held_out.json"))
    if not places:
        raise UsageError(
            f"no folds in {folds}: python -m einthoven.training.model.crossval RECIPE --out {folds}"
        )
    recipe = load_recipe(places[0] / "recipe.toml")
    examples = dataset.load(recipe.data, data)
    if np.isin(examples.record, [f"mitdb/{name}" for name in DS2]).any():
        raise UsageError("held-out patients must not be DS2's: change the recipe's [[data]]")
    for place in places:
        held_out = np.isin(examples.patient, json.loads((place / "held_out.json").read_text()))
        engine = engine_of(place / recipe.quantization.method)
        confidence = _confidence_of(engine)
        memory = remember(engine.host, examples.where(~held_out), recipe)
        main = examples.where(held_out & examples.main)
        for record in np.unique(main.record):
            one = main.where(main.record == record)
            early = first_minutes(one, minutes)
            embed = engine.host.embed
            yield Patient(
                engine, confidence, memory, one, early,
                embed(one.signal, one.features), embed(early.signal, early.features),
            )  # fmt: skip


def _confidence_of(engine: Engine) -> Confidence:
    """Of its logits, with the shipped model's temperature and limit."""
    calibration = load_model(SHIPPED_MODEL).calibration
    scale = float(engine.model.graph.outputs[0].scale)
    with tempfile.TemporaryDirectory() as scratch:
        text = tables.table(engine.model.name, scale, calibration)
        (Path(scratch) / "ein_confidence_table.h").write_text(text)
        return Confidence(Path(scratch))


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


def summary(found: Mapping[str, Judged]) -> dict[str, dict[str, float]]:
    """`rates` per database and, over all, what the confidence was worth; `found`: by record."""
    databases = sorted({record.partition("/")[0] for record in found})
    by_database = {
        db: rates(np.sum([j.confusion for r, j in found.items() if r.startswith(f"{db}/")], axis=0))
        for db in databases
    }
    counts = np.sum([j.reliability for j in found.values()], axis=0)
    total = reliability.summary(counts)
    sure, unsure = total["sure"], total["unsure"]
    confidence = {
        "unsure": unsure["beats"] / counts.sum(),
        "error_sure": sure["wrong"] / sure["beats"],
        "error_unsure": unsure["wrong"] / max(1, unsure["beats"]),
        "calibration_error": total["calibration_error"],
    }
    return {**by_database, CONFIDENCE: confidence}


def _line(name: str, found: Mapping[str, Mapping[str, float]]) -> str:
    cells = "  ".join(
        f"{part}: " + " ".join(f"{key} {value:.3f}" for key, value in values.items())
        for part, values in found.items()
    )
    return f"{name:34} {cells}"


@one_line_errors()
def main() -> None:
    """Command line."""
    usual = Settings()
    parser = argparse.ArgumentParser(
        prog="python -m einthoven.training.adaptation.crossval", description=__doc__
    )
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
    judged: list[dict[str, Judged]] = [{} for _ in grid]
    for patient in patients(args.folds, args.data, args.minutes):
        for found, settings in zip(judged, grid, strict=True):
            found[patient.record] = patient.judged(settings)
    results: list[dict[str, Any]] = []
    for found, settings in zip(judged, grid, strict=True):
        name = "unadapted"
        if settings is not None:
            name = f"penalty {settings.penalty:g}, memory {settings.memory_weight:g}"
        told = summary(found)
        results.append({"settings": name, **told})
        print(_line(name, told), flush=True)
    if args.json is not None:
        write_json(args.json, results)


if __name__ == "__main__":
    main()
