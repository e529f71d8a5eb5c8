"""CardiacNet's own protocol as a whole: what `einthoven train` does with its recipe.

What a run's folder has is not trained again. The search goes in rounds, a batch size and learning
rate each, and every other stage follows each round, so that a run that is broken off has all
figures of a smaller grid.
"""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from einthoven.errors import UsageError
from einthoven.jobs import RunJobs, workers
from einthoven.records.download import find_database
from einthoven.training.recipe import build_table
from einthoven.training.studies.cardiacnet.fit import Setting, Weights
from einthoven.training.studies.cardiacnet.patients import (
    Job,
    Plan,
    best_trial,
    groups,
    setting_of,
    train,
)
from einthoven.training.studies.cardiacnet.runs import (
    LATE,
    LATE_TUNED,
    SEARCH,
    TUNED_ALL,
    TUNED_OTHERS,
    keep_pretraining,
    keep_trials,
    pretrained_weights,
    read_pretraining,
    read_trials,
    weights_file,
)
from einthoven.training.studies.cardiacnet.windows import (
    RECORDS,
    Windows,
    load,
    split_chronological,
    split_random,
)
from einthoven.training.studies.shared.recipe import StudyRecipe

ALL, OTHERS = "all", "others"
"""Pre-trained on every patient's training windows; on those of other patients only."""

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
    with workers(cluster) as run_jobs:
        trainings = _Trainings(plan, out, windows, seed, run_jobs, report)
        for settings in plan.rounds():
            trainings.round(settings)


@dataclass(frozen=True)
class _Trainings:
    plan: Plan
    out: Path
    windows: Windows
    seed: int
    run_jobs: RunJobs
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
        start: Callable[[str], Weights] | None = None,
    ) -> None:
        """Train, for every record, the settings that it has no trial of yet.

        From `start`, the setting is what a search has chosen by now, and trials of an earlier
        choice are dropped. The best is trained again if its weights are not there.
        """
        folder = self.out / stage
        jobs, before = {}, {}
        for name in self.plan.records:
            asked = settings(name)
            trials = {setting_of(trial): trial for trial in read_trials(folder, name)}
            if start is not None:
                trials = {setting: t for setting, t in trials.items() if setting in asked}
            missing = [setting for setting in asked if setting not in trials]
            if trials:
                best = setting_of(best_trial(list(trials.values())))
                missing += [] if weights_file(folder, name, best).exists() else [best]
            if missing:
                rows, limits = self.windows.record == name, self.plan.limits()
                own = (self.windows.where(rows), role[rows])
                first = None if start is None else start(name)
                jobs[name] = Job(*own, tuple(missing), limits, self.seed, first)
                before[name] = trials
        for count, (name, done) in enumerate(self.run_jobs(train, jobs), 1):
            trials = before[name] | {setting_of(trial): trial for trial, _ in done}
            weights = {setting_of(trial): found for trial, found in done}
            keep_trials(folder, name, list(trials.values()), weights)
            told = f"{stage} {name}, {len(done)} of {len(trials)} trainings ({count}/{len(jobs)})"
            self.report(told)

    def pretrain(
        self, without: dict[str, tuple[str, ...]], role: NDArray[np.int8]
    ) -> list[Weights]:
        """The weights of each pre-training, which leaves out the records that it says.

        The study's setting: learning rate 0.001, batch 32, no weighted sampling.
        """
        jobs = {}
        for name, records in without.items():
            if read_pretraining(self.out, name) is None:
                kept = ~np.isin(self.windows.record, records)
                own = (self.windows.where(kept), role[kept])
                jobs[name] = Job(*own, (Setting(),), self.plan.pretrain_limits(), self.seed)
        for name, [(trial, weights)] in self.run_jobs(train, jobs):
            told = {"without": list(without[name]), **trial}
            keep_pretraining(self.out, name, told, weights)
            self.report(f"pre-training {name}, {trial['epochs']} epochs")
        return [pretrained_weights(self.out, name) for name in without]
