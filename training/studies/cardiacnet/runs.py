"""The folder of a run of CardiacNet's own protocol: its trainings, and the weights that count.

    pretrained/NAME.json, .npz          a pre-training and its weights
    STAGE/RECORD.json                   a record's trials in a stage
    STAGE/RECORD_SETTING.npz            weights of the best of them

Every file is written whole or not at all, and weights before what tells of them: a run may be
broken off at any time.
"""

import io
import json
from pathlib import Path
from typing import Any

import numpy as np

from einthoven.errors import UsageError
from einthoven.training.studies.cardiacnet.fit import Setting, Weights
from einthoven.training.studies.cardiacnet.patients import Trial, best_trial, setting_of

PRETRAINED = "pretrained"
SEARCH, TUNED_ALL, TUNED_OTHERS = "search", "tuned_all", "tuned_others"
LATE, LATE_TUNED = "chronological", "chronological_tuned_others"
"""Folders of a run: the last five are stages."""


def read_trials(stage: Path, record: str) -> list[Trial]:
    """The trials of a record so far in a stage's folder."""
    path = stage / f"{record}.json"
    trials: list[Trial] = json.loads(path.read_text()) if path.exists() else []
    return trials


def keep_trials(
    stage: Path, record: str, trials: list[Trial], weights: dict[Setting, Weights]
) -> None:
    """Keep a record's trials and, of `weights`, those of the best one; earlier ones are deleted."""
    best = setting_of(best_trial(trials))
    kept = weights_file(stage, record, best)
    if best in weights:
        _write_weights(kept, weights[best])
    _write_json(stage / f"{record}.json", trials)
    for path in stage.glob(f"{record}_*.npz"):
        if path != kept:
            path.unlink()


def weights_file(stage: Path, record: str, setting: Setting) -> Path:
    """Where the weights of a record's training are, if it is the best."""
    sampling = "weighted" if setting.weighted_sampling else "plain"
    return stage / f"{record}_{setting.learning_rate:g}_{setting.batch}_{sampling}.npz"


def chosen_weights(run: Path, stage: str, record: str) -> Path:
    """The weights of a record's best training in a stage. Raises UsageError if not there."""
    trials = read_trials(run / stage, record)
    if trials:
        path = weights_file(run / stage, record, setting_of(best_trial(trials)))
        if path.exists():
            return path
    raise UsageError(
        f"{run} has no weights of record {record} ({stage}): einthoven train RECIPE --out {run} "
        "--resume"
    )


def read_weights(path: Path) -> Weights:
    """As `numpy.savez` has kept them, in order."""
    with np.load(path) as arrays:
        return [arrays[f"arr_{i}"] for i in range(len(arrays.files))]


def keep_pretraining(run: Path, name: str, trial: Trial, weights: Weights) -> None:
    """Keep a pre-training."""
    _write_weights(run / PRETRAINED / f"{name}.npz", weights)
    _write_json(run / PRETRAINED / f"{name}.json", trial)


def read_pretraining(run: Path, name: str) -> Trial | None:
    """The trial of a pre-training, if it is done."""
    path = run / PRETRAINED / f"{name}.json"
    return json.loads(path.read_text()) if path.exists() else None


def pretrained_weights(run: Path, name: str) -> Weights:
    """The weights of a pre-training that is done."""
    return read_weights(run / PRETRAINED / f"{name}.npz")


def _write_weights(path: Path, weights: Weights) -> None:
    content = io.BytesIO()
    np.savez(content, *weights)
    _write(path, content.getvalue())


def _write_json(path: Path, table: Any) -> None:
    _write(path, json.dumps(table).encode() + b"\n")


def _write(path: Path, content: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(f"{path.name}.part")
    part.write_bytes(content)
    part.replace(path)
