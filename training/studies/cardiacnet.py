"""CardiacNet's own protocol as a whole: what `einthoven train` does with its recipe.

The run's folder has a file per pre-training (`pretrained/`) and, per stage, one per record with its
trials. What is there is not trained again. The search goes in rounds, a batch size and learning
rate each, and every other stage follows each round, so that a run that is broken off has all
figures of a smaller grid.
"""

import json
from collections.abc import Callable
from dataclasses import dataclass
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
    trainings = _Trainings(plan, out, windows, seed, cluster, report)
    for settings in plan.rounds():
        trainings.round(settings)


@dataclass(frozen=True)
class _Trainings:
    plan: Plan
    out: Path
    windows: Windows
    seed: int
    cluster: str | None
    report: Report

    def round(self, settings: list[Setting]) -> None:
        """Search these settings, and do with what the search has found by now all the rest."""
        role = split_random(self.windows, self.seed)
        late = split_chronological(self.windows, self.seed)
        dealt = groups(self.windows, self.plan.folds, self.seed)
        self.stage(SEARCH, role, lambda name: settings)
        [every] = self.pretrain({ALL: ()}, role)
        self.stage(TUNED_ALL, role, self.chosen(SEARCH), lambda name: every)
        self.stage(LATE, late, lambda name: self.plan.deployed())
        weights = self.pretrain({f"{OTHERS}{i}": some for i, some in enumerate(dealt)}, role)
        without = {n: w for some, w in zip(dealt, weights, strict=True) for n in some}
        self.stage(TUNED_OTHERS, role, self.chosen(SEARCH), without.__getitem__)
        self.stage(LATE_TUNED, late, self.chosen(LATE), without.__getitem__)

    def chosen(self, stage: str) -> Callable[[str], list[Setting]]:
        """What a stage's trials of a record say is best, as a function of the record."""
        return lambda name: [setting_of(best_trial(read_trials(self.out / stage, name)))]

    def stage(
        self,
        stage: str,
        role: NDArray[np.int8],
        settings: Callable[[str], list[Setting]],
        start: Callable[[str], Weights | None] = lambda name: None,
    ) -> None:
        """Train, for every record, the settings that it has no trial of yet."""
        folder = self.out / stage
        jobs: dict[str, Job] = {}
        for name in self.plan.records:
            have = {setting_of(trial) for trial in read_trials(folder, name)}
            missing = tuple(s for s in settings(name) if s not in have)
            rows, limits = self.windows.record == name, self.plan.limits()
            if missing:
                own = (self.windows.where(rows), role[rows])
                jobs[name] = Job(*own, missing, limits, self.seed, start(name))
        for count, (name, done) in enumerate(run_jobs(train, jobs, self.cluster), 1):
            trials = read_trials(folder, name) + [trial for trial, _ in done]
            _keep(folder / f"{name}.json", trials)
            told = f"{stage} {name}, {len(done)} of {len(trials)} trainings ({count}/{len(jobs)})"
            self.report(told)

    def pretrain(
        self, without: dict[str, tuple[str, ...]], role: NDArray[np.int8]
    ) -> list[Weights]:
        """The weights of each pre-training, which leaves out the records that it says.

        The study's setting: learning rate 0.001, batch 32, no weighted sampling.
        """
        folder = self.out / PRETRAINED
        jobs = {}
        for name, records in without.items():
            if not (folder / f"{name}.json").exists():
                kept = ~np.isin(self.windows.record, records)
                own = (self.windows.where(kept), role[kept])
                jobs[name] = Job(*own, (Setting(),), self.plan.pretrain_limits(), self.seed)
        for name, [(trial, weights)] in run_jobs(train, jobs, self.cluster):
            folder.mkdir(parents=True, exist_ok=True)
            np.savez(folder / f"{name}.npz", *weights)
            _keep(folder / f"{name}.json", {"without": list(without[name]), **trial})
            self.report(f"pre-training {name}, {trial['epochs']} epochs")
        return [read_weights(folder / f"{name}.npz") for name in without]


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
