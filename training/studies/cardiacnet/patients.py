"""The trainings that CardiacNet's protocol consists of: what is trained on what, from where.

Per record: a classifier of its own, whose learning rate, batch and sampling are searched; then the
network that was pre-trained on many records, fine-tuned with what the search has found, as the
study does. Every training is a job that needs nothing but itself, so that it can run anywhere.
"""

import math
from dataclasses import asdict, dataclass
from functools import cache
from itertools import product
from typing import Any

import numpy as np
from numpy.typing import NDArray

from einthoven.training.studies.cardiacnet.fit import Limits, Setting, Trainer, Weights
from einthoven.training.studies.cardiacnet.windows import RECORDS, TEST, TRAIN, VALIDATION, Windows

Trial = dict[str, Any]
"""A training, for JSON: its setting; `epochs`; `best_epoch` (from 0, -1: none was finite), which
the weights are from, with its `val_loss` and `val_balanced_accuracy`; `test`, the confusion of the
test windows; `before`, the same of the weights it began with, if it was pre-trained; `log`."""


@dataclass(frozen=True)
class Plan:
    """The protocol's settings, a recipe's `[own]`."""

    records: tuple[str, ...] = RECORDS
    learning_rate: tuple[float, ...] = (1e-3, 1e-2, 1e-1)
    batch: tuple[int, ...] = (32, 16, 4)
    weighted_sampling: tuple[bool, ...] = (True, False)
    epochs: int = 30
    """Of a patient's training, at most."""
    pretrain_epochs: int = 30
    """Of a pre-training, at most."""
    patience: int = 5
    """Epochs without a lower validation loss that end either."""
    folds: int = 4
    """Into how many groups the patients are dealt, each left out of one pre-training."""

    def rounds(self) -> list[list[Setting]]:
        """The grid in the order of search: all records get a round before the next one begins."""
        return [
            [Setting(rate, batch, weighted) for weighted in self.weighted_sampling]
            for batch, rate in product(self.batch, self.learning_rate)
        ]

    def deployed(self) -> list[Setting]:
        """The grid of the chronological split: pre-training's setting, either way of sampling."""
        return [Setting(weighted_sampling=each) for each in self.weighted_sampling]

    def limits(self) -> Limits:
        """Of a patient's training."""
        return Limits(self.epochs, self.patience)

    def pretrain_limits(self) -> Limits:
        """Of pre-training, whose learning rate is halved before it gives up."""
        return Limits(self.pretrain_epochs, self.patience, plateau=2)


@dataclass(frozen=True)
class Job:
    """Trainings on the same windows from the same start, a network for each setting."""

    windows: Windows
    role: NDArray[np.int8]
    """[n] TRAIN, VALIDATION or TEST."""
    settings: tuple[Setting, ...]
    limits: Limits
    seed: int
    start: Weights | None = None
    """None: from scratch."""


@cache
def _trainer() -> Trainer:
    from einthoven.training.model.network import one_thread

    one_thread()
    return Trainer()


def train(job: Job) -> list[tuple[Trial, Weights]]:
    """A trial and the trained weights for each setting."""
    trainer = _trainer()
    own, validation, test = (
        job.windows.where(job.role == part) for part in (TRAIN, VALIDATION, TEST)
    )
    start = trainer.fresh(job.seed) if job.start is None else job.start
    done = []
    for setting in job.settings:
        fitted = trainer.fit(own, validation, setting, job.limits, start, job.seed)
        best = fitted.log[fitted.best] if fitted.best >= 0 else {}
        trial = {
            **asdict(setting),
            "epochs": len(fitted.log),
            "best_epoch": fitted.best,
            "val_loss": best.get("val_loss"),
            "val_balanced_accuracy": _or_none(best.get("val_balanced_accuracy", math.nan)),
            "test": confusion(test.label, trainer.logits(fitted.weights, test)),
            "log": {key: [entry[key] for entry in fitted.log] for key in fitted.log[0]},
        }
        if job.start is not None:
            trial["before"] = confusion(test.label, trainer.logits(start, test))
        done.append((trial, fitted.weights))
    return done


def trained_logits(weights: Weights, windows: Windows) -> NDArray[np.float32]:
    """[n] of the float network with `weights`; above 0 is abnormal."""
    return _trainer().logits(weights, windows)


def _or_none(value: float) -> float | None:
    return None if math.isnan(value) else value


def setting_of(trial: Trial) -> Setting:
    """What a trial was trained with."""
    return Setting(**{key: trial[key] for key in asdict(Setting())})


def best_trial(trials: list[Trial]) -> Trial:
    """By the validation windows: highest balanced accuracy; among equals, the lowest loss."""

    def rank(trial: Trial) -> tuple[float, float]:
        accuracy, loss = trial["val_balanced_accuracy"], trial["val_loss"]
        return (-1.0 if accuracy is None else accuracy, -np.inf if loss is None else -loss)

    return max(trials, key=rank)


def confusion(label: NDArray[np.int8], logit: NDArray[Any]) -> list[list[int]]:
    """[2, 2] windows: row = label, column = found."""
    table = np.zeros((2, 2), dtype=np.int64)
    np.add.at(table, (label.astype(np.int64), (logit > 0).astype(np.int64)), 1)
    rows: list[list[int]] = table.tolist()
    return rows


def balanced(table: list[list[int]]) -> float | None:
    """Balanced accuracy of a confusion; None if a label does not occur."""
    rows = [row[i] / sum(row) for i, row in enumerate(table) if sum(row)]
    return sum(rows) / 2 if len(rows) == 2 else None


def groups(windows: Windows, folds: int, seed: int) -> list[tuple[str, ...]]:
    """The records dealt into `folds` groups, a patient's records in the same one."""
    patients = np.unique(windows.patient)
    order = np.random.default_rng([seed, 0xF01D]).permutation(len(patients))
    dealt = [patients[order[i::folds]] for i in range(min(folds, len(patients)))]
    records = [np.unique(windows.record[np.isin(windows.patient, some)]) for some in dealt]
    return [tuple(str(r) for r in some) for some in records]
