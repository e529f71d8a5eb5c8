"""What a gate changes on held-out patients, and the limit that loses nothing there.

Beats are those of the main leads that a cross-validation of the model's recipe has judged
(`held_out.npz`); a gate's scores of them are by networks that have not seen the patient either.
What passes gets the gate's logits in place of the network's, and then the vote of its kind.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from einthoven.aami import CLASSES
from einthoven.errors import UsageError
from einthoven.native import core
from einthoven.native.gate import Gate
from einthoven.native.vote import Kinds, Vote
from einthoven.records.adc import to_board
from einthoven.records.download import find_database
from einthoven.records.record import read_record
from einthoven.training.data.dataset import ADC_BITS, GAIN_LSB_PER_MV, RATE_HZ, Examples
from einthoven.training.gate.network import Network, Recipe, fit
from einthoven.training.model.crossval import f1, folds
from einthoven.training.recipe import Augmentation, Sampling

LIMITS = tuple(float(x) for x in np.arange(-6.0, -0.24, 0.25))
"""Logits that are tried as the largest score that passes."""
RARE = ("S", "V")
N = CLASSES.index("N")

Scores = NDArray[np.float32]


@dataclass(frozen=True)
class Judged:
    """n held-out beats, record by record, and what the network alone says of them."""

    logits: NDArray[np.int8]
    """[n, 5] in the model's steps, before the vote"""
    label: NDArray[np.int8]
    record: NDArray[np.str_]
    kinds: Kinds
    opened: NDArray[np.bool_]
    """[n] whether the gate is open for the beat"""

    @property
    def database(self) -> NDArray[np.str_]:
        """[n]."""
        found: NDArray[np.str_] = np.char.partition(self.record, "/")[:, 0]
        return found


def opened(records: Sequence[str], data: Path | None, gate: Gate) -> NDArray[np.bool_]:
    """For the main lead's beats of `records` (database/record), one after the other, whether the
    gate is open. Raises RecordError.
    """
    parts = []
    for full in records:
        db, name = full.split("/")
        record = read_record(find_database(data, db), name)
        beats = core.analyze(to_board(record, RATE_HZ, GAIN_LSB_PER_MV, ADC_BITS), GAIN_LSB_PER_MV)
        parts.append(gate.open(beats))
    return np.concatenate(parts)


def held_out_scores(
    examples: Examples, recipe: Recipe, like: Sampling, how: Augmentation, n_folds: int, seed: int
) -> Scores:
    """[main-lead beats] by gates that were fitted without the beat's patient."""
    fold = folds(examples, n_folds)
    scores = np.full(len(examples), np.nan, dtype=np.float32)
    for i in range(n_folds):
        network: Network = fit(examples.where(fold != i), recipe, like, how, seed)
        rows = (fold == i) & examples.main
        scores[rows] = network.scores(examples.features[rows])
    return scores[examples.main]


def told(judged: Judged, vote: Vote, passed: NDArray[np.bool_]) -> NDArray[np.int64]:
    """[n] classes with those beats passed, at the logits of `typical`."""
    logits = judged.logits.copy()
    if passed.any():
        logits[passed] = typical(judged, passed)
    found: NDArray[np.int64] = vote.of(logits, judged.kinds).argmax(axis=1)
    return found


def typical(judged: Judged, passed: NDArray[np.bool_]) -> NDArray[np.int8]:
    """int8 [5]: the median of what the network says of the beats that pass."""
    found: NDArray[np.int8] = np.rint(np.median(judged.logits[passed], axis=0)).astype(np.int8)
    return found


def compare(
    judged: Judged, alone: NDArray[np.int64], gated: NDArray[np.int64], passed: NDArray[np.bool_]
) -> dict[str, dict[str, Any]]:
    """By database: share that passes, decisions that change, S and V F1 without and with."""
    table = {}
    for db in np.unique(judged.database):
        rows = judged.database == db
        label, before, after = judged.label[rows], alone[rows], gated[rows]
        entry: dict[str, Any] = {
            "beats": int(rows.sum()),
            "passed": round(float(passed[rows].mean()), 4),
            "changed": int(np.sum(before != after)),
        }
        for name in RARE:
            k = CLASSES.index(name)
            entry[name] = {
                "without": round(f1(label, before, name), 4),
                "with": round(f1(label, after, name), 4),
                "lost": int(np.sum((label == k) & (before == k) & (after != k))),
                "false_removed": int(np.sum((label != k) & (before == k) & (after != k))),
            }
        table[str(db)] = entry
    return table


def lost(table: Mapping[str, Mapping[str, Any]]) -> int:
    """S and V beats that the network alone tells right and the gate has it miss."""
    return sum(int(entry[name]["lost"]) for entry in table.values() for name in RARE)


def choose(
    judged: Judged, vote: Vote, by_seed: Mapping[int, Scores]
) -> tuple[float, dict[int, list[dict[str, Any]]]]:
    """The highest of `LIMITS` that loses no S and no V with any of the seeds' gates, and what
    every limit does by seed. Raises UsageError if there is none.
    """
    alone = told(judged, vote, np.zeros(len(judged.label), dtype=np.bool_))
    rows: dict[int, list[dict[str, Any]]] = {}
    for seed, scores in by_seed.items():
        rows[seed] = []
        for limit in LIMITS:
            passed = judged.opened & (scores <= limit)
            gated = told(judged, vote, passed)
            rows[seed].append({"limit": limit, **compare(judged, alone, gated, passed)})
    good = 0
    for i in range(len(LIMITS)):
        tables = [{k: v for k, v in rows[seed][i].items() if k != "limit"} for seed in rows]
        if any(lost(table) for table in tables):
            break
        good = i + 1
    if not good:
        raise UsageError("the gate loses ectopic beats at every limit: fit it otherwise")
    return LIMITS[good - 1], rows
