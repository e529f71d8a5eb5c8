"""CardiacNet's classifiers of single records in int8: made, scored, and one for the board.

A record has two, each from the weights that its stage has chosen: the individual and the fine-tuned
one. Both are models as any study's, in RUN/int8/STAGE/RECORD, for `einthoven export`.
"""

import hashlib
import json
from pathlib import Path
from typing import Any

import numpy as np
from rich.progress import track

from einthoven.errors import ModelError
from einthoven.records.download import find_database
from einthoven.report.text import console
from einthoven.training.studies.cardiacnet.net import build
from einthoven.training.studies.cardiacnet.patients import confusion, trained_logits
from einthoven.training.studies.cardiacnet.plan import plan_of
from einthoven.training.studies.cardiacnet.runs import (
    SEARCH,
    TUNED_ALL,
    chosen_weights,
    read_weights,
)
from einthoven.training.studies.cardiacnet.windows import (
    CLASSES,
    SAMPLES,
    TEST,
    TRAIN,
    Windows,
    labelled_of,
    load,
    split_random,
)
from einthoven.training.studies.shared import int8
from einthoven.training.studies.shared.examples import Floats, Labelled
from einthoven.training.studies.shared.recipe import StudyRecipe

STAGES = {"individual": SEARCH, "tuned_all": TUNED_ALL}
"""Stage of each column of `cardiacnet_result.COLUMNS` that is quantized: the study's two."""
SHOWN = "203"
"""The record whose curves the study shows, and whose network is run on the board."""

Confusion = list[list[int]]


def model_folder(run: Path, column: str, record: str) -> Path:
    """Where a record's int8 model is."""
    return run / "int8" / STAGES[column] / record


def is_quantized(run: Path, recipe: StudyRecipe) -> bool:
    """Whether every record has its int8 models, whatever weights they are of."""
    cases = [(column, name) for column in STAGES for name in plan_of(recipe).records]
    return all((model_folder(run, *case) / "model.json").exists() for case in cases)


def quantize(run: Path, recipe: StudyRecipe, data: Path | None) -> None:
    """Make the int8 models that are not there for the weights that are; calibrated on the record's
    training windows. Raises UsageError where weights are missing, RecordError.
    """
    plan = plan_of(recipe)
    wanted = {
        (column, name): chosen_weights(run, stage, name)
        for column, stage in STAGES.items()
        for name in plan.records
    }
    windows = _of_role(recipe, data, plan.records, TRAIN)
    model = build(recipe.arch, SAMPLES, 1, 1)
    bar = console(stderr=True)
    for (column, name), path in track(wanted.items(), "quantize", console=bar):
        folder, digest = model_folder(run, column, name), _digest(path)
        if _made_of(folder) == digest:
            continue
        model.set_weights(read_weights(path))
        own = examples_of(windows.where(windows.record == name))
        chosen = np.random.default_rng([recipe.seed, 0xCA1]).permutation(len(own))
        content = int8.convert(model, own[chosen[: recipe.calibration]])
        about = {
            "name": f"{recipe.name}-{column}-{name}-ptq",
            "study": recipe.study,
            "classes": list(CLASSES),
            "recipe": recipe.name,
            "seed": recipe.seed,
            "record": name,
            "weights_sha256": digest,
        }
        int8.save(folder, content, about)


def examples_of(windows: Windows) -> Floats:
    """[n, 128, 1] as studies' networks take them."""
    return windows.signal[:, :, np.newaxis]


def confusions(
    run: Path, recipe: StudyRecipe, windows: Windows
) -> tuple[dict[str, dict[str, Confusion]], dict[str, float]]:
    """Per record and column, the int8 confusion of the test windows; agreement with float.

    `windows`: of all the plan's records. Agreement is the share of windows with float's class, by
    column. Raises ModelError when weights have changed since they were quantized.
    """
    tested = windows.where(split_random(windows, recipe.seed) == TEST)
    found: dict[str, dict[str, Confusion]] = {}
    same = dict.fromkeys(STAGES, 0)
    for name in plan_of(recipe).records:
        own = tested.where(tested.record == name)
        found[name] = {}
        for column, stage in STAGES.items():
            path = chosen_weights(run, stage, name)
            folder = model_folder(run, column, name)
            if _made_of(folder) != _digest(path):
                raise ModelError(
                    f"the int8 model in {folder} is not of the weights that are there now: "
                    f"einthoven quantize {run}"
                )
            content = (folder / "model.tflite").read_bytes()
            logit = int8.HostEngine(content, folder / "engine").logits(examples_of(own))[:, 0]
            found[name][column] = confusion(own.label, logit)
            float_logit = trained_logits(read_weights(path), own)
            same[column] += int(np.sum((logit > 0) == (float_logit > 0)))
    return found, {column: n / len(tested) for column, n in same.items()}


def tflite_bytes(run: Path, recipe: StudyRecipe) -> int:
    """Of the largest individual model."""
    folders = [model_folder(run, "individual", name) for name in plan_of(recipe).records]
    return max((folder / "model.tflite").stat().st_size for folder in folders)


def board_record(recipe: StudyRecipe) -> str:
    """Whose individual network is run on the board."""
    records = plan_of(recipe).records
    return SHOWN if SHOWN in records else records[0]


def tested_windows(recipe: StudyRecipe, data: Path | None, name: str) -> Labelled:
    """A record's test windows. Raises RecordError."""
    return labelled_of(_of_role(recipe, data, (name,), TEST))


def _of_role(
    recipe: StudyRecipe, data: Path | None, records: tuple[str, ...], role: int
) -> Windows:
    windows = load(find_database(data, "mitdb"), records)
    return windows.where(split_random(windows, recipe.seed) == role)


def _digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def _made_of(folder: Path) -> Any:
    """Digest of the weights that a folder's model was made of; None if there is none."""
    try:
        return json.loads((folder / "model.json").read_text()).get("weights_sha256")
    except (OSError, ValueError):
        return None
