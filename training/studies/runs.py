"""A study's run folder: recipe, `training.json`, weights, epochs and seconds.

A run that was begun with another recipe, form or data is refused in one line.
"""

import hashlib
import json
import shutil
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from einthoven.errors import UsageError
from einthoven.training.model.train import FLOAT_MODEL
from einthoven.training.studies.registry import build_network, load_examples
from einthoven.training.studies.shared.examples import Labelled
from einthoven.training.studies.shared.recipe import StudyRecipe
from einthoven.training.studies.shared.recipe import load as load_recipe

FACTS = "training.json"
MODEL = Path("ptq") / "model.tflite"


@dataclass(frozen=True)
class Sources:
    """Where examples come from, as given on the command line."""

    data: Path | None = None
    kaggle: Path | None = None


HERE = Sources()
"""Records where `einthoven.records.record` finds them."""


def is_study_run(folder: Path) -> bool:
    """Whether `folder` is a study's run, or its model's folder."""
    try:
        return "study" in json.loads((folder / "model.json").read_text())
    except (OSError, ValueError):
        pass
    try:
        return "study" in json.loads((folder / FACTS).read_text())
    except (OSError, ValueError):
        return False


def recipe_of(run: Path) -> StudyRecipe:
    """The recipe of a run, as it was trained. Raises UsageError if it is none."""
    if not (run / FACTS).exists():
        raise UsageError(f"{run} holds no training: einthoven train RECIPE --out {run}")
    recipe = load_recipe(run / "recipe.toml")
    return recipe.quickly() if json.loads((run / FACTS).read_text())["quick"] else recipe


def open_run(run: Path, sources: Sources) -> tuple[StudyRecipe, Labelled]:
    """Recipe and examples of a training. Raises UsageError if it is none, or of other data."""
    if not (run / FLOAT_MODEL).exists():
        raise UsageError(f"{run} holds no finished training: einthoven train RECIPE --out {run}")
    recipe = recipe_of(run)
    facts = json.loads((run / FACTS).read_text())
    examples = load_examples(recipe, sources.data, sources.kaggle)
    check_same_data(run, facts_of(recipe, examples, sources, facts["quick"]))
    return recipe, examples


def load_float(folder: Path, recipe: StudyRecipe, examples: Labelled) -> Any:
    """The float network of a training or fold."""
    model = build_network(recipe, examples)
    model.load_weights(folder / FLOAT_MODEL)
    return model


def check_begun(recipe: Path, out: Path, resume: bool, quick: bool) -> None:
    """See that `out` is empty, or a run of `recipe` to go on with. Raises UsageError."""
    if out.exists() and any(out.iterdir()) and not resume:
        raise UsageError(f"{out} is not empty: choose another --out, or --resume to go on there")
    kept = out / "recipe.toml"
    if kept.exists() and load_recipe(kept) != load_recipe(recipe):
        raise UsageError(f"{out} was begun with another recipe: choose another --out")
    if (out / FACTS).exists() and json.loads((out / FACTS).read_text())["quick"] != quick:
        raise UsageError(f"{out} was begun {'without' if quick else 'with'} --quick: do so again")


def begin(recipe: Path, out: Path, facts: dict[str, Any]) -> None:
    """Make `out` a run of `recipe`: once all is checked, so that a failed start leaves nothing."""
    out.mkdir(parents=True, exist_ok=True)
    kept = out / "recipe.toml"
    if recipe.resolve() != kept.resolve():
        shutil.copyfile(recipe, kept)
    (out / FACTS).write_text(json.dumps(facts, indent=1) + "\n")


def facts_of(
    recipe: StudyRecipe, examples: Labelled, sources: Sources, quick: bool
) -> dict[str, Any]:
    """What `training.json` keeps of a training: whose data, how much, a digest."""
    digest = hashlib.sha256()
    for column in (examples.x, examples.y, examples.record):
        digest.update(np.ascontiguousarray(column).tobytes())
    return {
        "study": recipe.study,
        "recipe": recipe.name,
        "quick": quick,
        "source": "kaggle" if sources.kaggle else "records",
        "examples": examples.counts(),
        "records": sorted(set(examples.record.tolist())),
        "data_sha256": digest.hexdigest(),
    }


def base_facts(base: Path, quick: bool) -> dict[str, Any]:
    """What `training.json` keeps of the training that a transfer goes on from.

    Raises UsageError when there is none, or only a quick one for a training that is not.
    """
    if not (base / FLOAT_MODEL).exists():
        raise UsageError(
            f"this recipe goes on from {base}, which is no finished training: train the recipe "
            f"{base.name} into that folder first"
        )
    its = json.loads((base / FACTS).read_text())
    if its["quick"] and not quick:
        raise UsageError(f"{base} was trained with --quick: train it in full, or this too --quick")
    return {
        "recipe": its["recipe"],
        "quick": its["quick"],
        "epochs": epochs_of(base),
        "weights_sha256": hashlib.sha256((base / FLOAT_MODEL).read_bytes()).hexdigest(),
    }


def check_same_data(run: Path, facts: dict[str, Any]) -> None:
    """Raise UsageError if `run` was trained on other examples, or from another base, than `facts`.

    One of the two may not say from which.
    """
    path = run / FACTS
    if not path.exists():
        return
    kept = json.loads(path.read_text())
    if kept["data_sha256"] != facts["data_sha256"]:
        raise UsageError(
            f"{run} was trained on other examples than these: name the same --data or --kaggle"
        )
    if "base" in kept and "base" in facts and kept["base"] != facts["base"]:
        raise UsageError(
            f"the training that {run} goes on from has changed since: choose another --out"
        )


def epochs_of(folder: Path) -> int:
    """Epochs that the network in `folder` was trained."""
    return int((folder / "epochs").read_text())


@contextmanager
def clock(run: Path) -> Iterator[Callable[[], None]]:
    """What it yields adds the wall time since then to `run`/seconds: for after every epoch."""
    before, begin = seconds_of(run), time.monotonic()

    def tick() -> None:
        (run / "seconds").write_text(f"{before + time.monotonic() - begin:.1f}\n")

    yield tick
    tick()


def seconds_of(run: Path) -> float:
    """Wall time that a run's training took so far."""
    path = run / "seconds"
    return float(path.read_text()) if path.exists() else 0.0
