"""Labelled examples as arrays, and how a protocol divides them."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from einthoven.aami import DS1, DS2
from einthoven.errors import UsageError

Floats = NDArray[np.float32]
Rows = NDArray[np.bool_]


@dataclass(frozen=True)
class Labelled:
    """Examples of many records; row i of every array is one of them."""

    x: Floats
    """[n, length, channels] or, of images, [n, height, width, channels]"""
    y: NDArray[np.int64]
    """[n] index into `classes`"""
    record: NDArray[np.str_]
    """[n] database/record; "" where the source does not say"""
    patient: NDArray[np.str_]
    """[n] the patient, named by one of their records; "" where the source does not say"""
    classes: tuple[str, ...]
    test: Rows | None = None
    """[n] the test half, where the source brings its own split."""

    def __len__(self) -> int:
        return len(self.y)

    def where(self, rows: NDArray[np.bool_] | NDArray[np.int64]) -> "Labelled":
        """The chosen rows (mask or indices)."""
        test = None if self.test is None else self.test[rows]
        columns = (self.x[rows], self.y[rows], self.record[rows], self.patient[rows])
        return Labelled(*columns, self.classes, test)

    @classmethod
    def join(cls, parts: Sequence["Labelled"]) -> "Labelled":
        """Several sets of the same classes behind one another."""
        return cls(
            np.concatenate([p.x for p in parts]),
            np.concatenate([p.y for p in parts]),
            np.concatenate([p.record for p in parts]),
            np.concatenate([p.patient for p in parts]),
            parts[0].classes,
        )

    def counts(self) -> dict[str, int]:
        """Examples per class."""
        return {name: int(np.sum(self.y == i)) for i, name in enumerate(self.classes)}

    def thin(self, limit: int | dict[str, int], seed: int) -> "Labelled":
        """At most `limit` of each class, or as many as it says of each, drawn with `seed`.

        In the old order.
        """
        rng = np.random.default_rng([seed, limit if isinstance(limit, int) else 0])
        kept: list[NDArray[np.int64]] = []
        for i, name in enumerate(self.classes):
            rows = np.flatnonzero(self.y == i)
            most = limit if isinstance(limit, int) else limit.get(name, 0)
            kept.append(rng.permutation(rows)[:most])
        return self.where(np.sort(np.concatenate(kept)))


@dataclass(frozen=True)
class Fold:
    """What a model is trained on and what it is scored on; rows of one Labelled."""

    train: Rows
    test: Rows


def folds_of(examples: Labelled, protocol: str, seed: int, n_folds: int = 0) -> list[Fold]:
    """The folds of a protocol of `recipe.PROTOCOLS`; one for those with a fixed split.

    `n_folds` is for "patient_folds": 0 leaves out one patient at a time. Raises UsageError where
    the examples do not say what the protocol asks for.
    """
    if protocol == "random_beats":
        return [_random_beats(examples, seed)]
    if (examples.patient == "").any():
        raise UsageError(
            "these examples do not say whose they are (the Kaggle files do not): protocol "
            f"{protocol} needs records; leave --kaggle out, or take a random_beats recipe"
        )
    if protocol == "inter_patient":
        name = np.char.rpartition(examples.record, "/")[:, 2]
        fold = Fold(np.isin(name, DS1), np.isin(name, DS2))
        if not fold.train.any() or not fold.test.any():
            raise UsageError("protocol inter_patient needs records of DS1 and DS2 of MIT-BIH")
        return [fold]
    if protocol == "patient_folds":
        return list(_patient_folds(examples, seed, n_folds))
    raise UsageError(f"protocol {protocol} has no folds")


def _random_beats(examples: Labelled, seed: int, test_share: float = 0.2) -> Fold:
    """Stratified: the same share of every class; the source's own split where there is one."""
    if examples.test is not None:
        return Fold(~examples.test, examples.test)
    rng = np.random.default_rng([seed, 0xBEA7])
    test = np.zeros(len(examples), dtype=bool)
    for i in range(len(examples.classes)):
        rows = rng.permutation(np.flatnonzero(examples.y == i))
        test[rows[: round(test_share * len(rows))]] = True
    return Fold(~test, test)


def _patient_folds(examples: Labelled, seed: int, n_folds: int) -> Iterator[Fold]:
    """Patients dealt to folds, the classes spread alike; 0: every patient a fold."""
    patients, first = np.unique(examples.patient, return_index=True)
    n = n_folds or len(patients)
    if not 2 <= n <= len(patients):
        raise UsageError(f"{len(patients)} patients cannot be dealt to {n} folds")
    order = np.random.default_rng([seed, 0xF01D]).permutation(len(patients))
    order = order[np.argsort(examples.y[first][order], kind="stable")]
    fold_of = np.empty(len(patients), dtype=np.int64)
    fold_of[order] = np.arange(len(patients)) % n
    for i in range(n):
        test = np.isin(examples.patient, patients[fold_of == i])
        yield Fold(~test, test)
