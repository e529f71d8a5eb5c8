"""CardiacNet's own protocol as a whole: what `einthoven train` does with its recipe.

The run's folder has a file per pre-training (`pretrained/`) and, per stage, one per record with its
trials. What is there is not trained again. The search is run batch size by batch size, and every
other stage after each, so that a run that is broken off has the figures of a smaller grid.
"""

import json
from collections.abc import Callable, Iterable
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from einthoven.errors import UsageError
from einthoven.records import find_database
from training.recipe import build_table
from training.studies.cardiacnet_fit import Setting, Weights
from training.studies.cardiacnet_patients import (
    Job,
    Plan,
    Trial,
    best_trial,
    groups,
    setting_of,
    train,
)
from training.studies.cardiacnet_windows import (
    RECORDS,
    Windows,
    load,
    split_chronological,
    split_random,
)
from training.studies.jobs import run_jobs
from training.studies.recipe import StudyRecipe

ALL, OTHERS = "all", "others"
"""Pre-trained on every patient's training windows; on those of other patients only."""

PRETRAINED = "pretrained"
SEARCH, TUNED_ALL, TUNED_OTHERS = "search", "tuned_all", "tuned_others"
LATE, LATE_TUNED = "chronological", "chronological_tuned_others"
"""Folders of a run."""

Report = Callable[[str], None]


def plan_of(recipe: StudyRecipe) -> Plan:
    """The recipe's `[own]`. Raises UsageError that names the key that does not fit."""
    own = {k: tuple(v) if isinstance(v, list) else v for k, v in recipe.own.items()}
    plan = build_table(Plan, own, "[own] ", Path(f"{recipe.name}.toml"))
    unknown = sorted(set(plan.records) - set(RECORDS))
    if unknown:
        raise UsageError(f"[own] records: {unknown[0]} is none of the study's {len(RECORDS)}")
    return plan


def run(
    plan: Plan,
    out: Path,
    seed: int,
    data: Path | None = None,
    cluster: str | None = None,
    report: Report = print,
) -> None:
    """All stages into `out`; `report` gets a line per job. Raises RecordError, UsageError."""
    windows = load(find_database(data, "mitdb"), plan.records)
    role, late = split_random(windows, seed), split_chronological(windows, seed)
    dealt = groups(windows, plan.folds, seed)
    group_of = {name: f"{OTHERS}{i}" for i, some in enumerate(dealt) for name in some}
    run_stage = partial(_stage, plan, out, windows, seed, cluster, report)

    def pretrain(without: dict[str, tuple[str, ...]]) -> None:
        _pretrain(plan, out / PRETRAINED, windows, role, without, seed, cluster, report)

    def weights(name: str) -> Weights:
        return read_weights(out / PRETRAINED / f"{name}.npz")

    def chosen(folder: str, record: str) -> list[Setting]:
        return [setting_of(best_trial(read_trials(out / folder, record)))]

    for batch in plan.batch:
        grid = plan.grid(batch)
        run_stage(SEARCH, role, partial(_same, grid))
        pretrain({ALL: ()})
        run_stage(TUNED_ALL, role, partial(chosen, SEARCH), lambda n: weights(ALL))
        run_stage(LATE, late, partial(_same, plan.deployed()))
        pretrain({f"{OTHERS}{i}": some for i, some in enumerate(dealt)})
        others = {name: weights(group_of[name]) for name in plan.records}
        run_stage(TUNED_OTHERS, role, partial(chosen, SEARCH), others.__getitem__)
        run_stage(LATE_TUNED, late, partial(chosen, LATE), others.__getitem__)


def _same(settings: list[Setting], record: str) -> list[Setting]:
    """For every record the same ones."""
    return settings


def _stage(
    plan: Plan,
    out: Path,
    windows: Windows,
    seed: int,
    cluster: str | None,
    report: Report,
    stage: str,
    role: NDArray[np.int8],
    settings: Callable[[str], Iterable[Setting]],
    start: Callable[[str], Weights] | None = None,
) -> None:
    """Train, for every record, the settings that it has no trial of yet."""
    folder = out / stage
    jobs: dict[str, Job] = {}
    for name in plan.records:
        have = {setting_of(trial) for trial in read_trials(folder, name)}
        missing = tuple(s for s in settings(name) if s not in have)
        rows = windows.record == name
        if missing:
            begin = start(name) if start is not None else None
            jobs[name] = Job(windows.where(rows), role[rows], missing, plan.limits(), seed, begin)
    for count, (name, done) in enumerate(run_jobs(train, jobs, cluster), 1):
        trials = read_trials(folder, name) + [trial for trial, _ in done]
        _keep(folder / f"{name}.json", trials)
        report(f"{stage} {name}, {len(done)} of {len(trials)} trainings ({count}/{len(jobs)})")


def _pretrain(
    plan: Plan,
    folder: Path,
    windows: Windows,
    role: NDArray[np.int8],
    without: dict[str, tuple[str, ...]],
    seed: int,
    cluster: str | None,
    report: Report,
) -> None:
    """The study's setting: learning rate 0.001, batch 32, no weighted sampling."""
    jobs = {}
    for name, names in without.items():
        if not (folder / f"{name}.json").exists():
            kept = ~np.isin(windows.record, names)
            jobs[name] = Job(
                windows.where(kept), role[kept], (Setting(),), plan.pretrain_limits(), seed
            )
    for name, [(trial, weights)] in run_jobs(train, jobs, cluster):
        folder.mkdir(parents=True, exist_ok=True)
        np.savez(folder / f"{name}.npz", *weights)
        _keep(folder / f"{name}.json", {"without": list(without[name]), **trial})
        report(f"pre-training {name}, {trial['epochs']} epochs")


def read_weights(path: Path) -> Weights:
    """As `numpy.savez` has kept them, in order."""
    with np.load(path) as arrays:
        return [arrays[f"arr_{i}"] for i in range(len(arrays.files))]


def read_trials(folder: Path, record: str) -> list[Trial]:
    """The trials of a record and stage so far."""
    path = folder / f"{record}.json"
    trials: list[Trial] = json.loads(path.read_text()) if path.exists() else []
    return trials


def read_pretraining(run: Path, name: str) -> Trial | None:
    """The trial of a pre-training, if it is done."""
    path = run / PRETRAINED / f"{name}.json"
    return json.loads(path.read_text()) if path.exists() else None


def _keep(path: Path, table: Any) -> None:
    """Whole or not at all: a run may be broken off while it writes."""
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_suffix(".part")
    part.write_text(json.dumps(table) + "\n")
    part.replace(path)
