"""What the verdict is worth on strips it was not fitted on: stratified folds, several seeds."""

from collections.abc import Callable
from dataclasses import asdict
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from einthoven.scoring.strips import SYMBOLS
from einthoven.training.verdict.data import Strips
from einthoven.training.verdict.trees import (
    Recipe,
    f1,
    favour_of,
    fit,
    mean_f1,
    probabilities,
    temperature_of,
)

FOLDS = 5
RESAMPLED = 1000
_BINS = (0.0, 0.5, 0.6, 0.7, 0.8, 0.9, 1.0)


def folds_of(label: NDArray[np.int64], seed: int) -> NDArray[np.int64]:
    """[n] fold of each strip, as many of each class in each, drawn by `seed`."""
    rng = np.random.default_rng(seed)
    fold = np.empty(len(label), dtype=np.int64)
    for k in range(len(SYMBOLS)):
        rows = rng.permutation(np.flatnonzero(label == k))
        fold[rows] = (np.arange(len(rows)) + rng.integers(FOLDS)) % FOLDS
    return fold


def held_out(
    strips: Strips, recipe: Recipe, seed: int, progress: Callable[[str], None]
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Scores [n, 4] of each strip by trees that were fitted without its fold, and its fold [n]."""
    fold = folds_of(strips.label, seed)
    scores = np.zeros((len(fold), len(SYMBOLS)), dtype=np.int64)
    for k in range(FOLDS):
        inside = fold != k
        trees = fit(strips.features[inside], strips.label[inside], recipe, seed)
        scores[~inside] = trees.scores(strips.features[~inside])
        progress(f"seed {seed}, fold {k + 1} of {FOLDS}")
    return scores, fold


def settle(
    scores: NDArray[np.int64], label: NDArray[np.int64], fold: NDArray[np.int64]
) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """Verdicts [n] and their probabilities [n] of held-out scores.

    What is added to the scores, and the temperature, come for each fold from the other folds.
    """
    verdict = np.zeros(len(label), dtype=np.int64)
    probability = np.zeros(len(label))
    for k in range(FOLDS):
        own = fold == k
        favour = favour_of(scores[~own], label[~own])
        temperature = temperature_of(scores[~own], label[~own])
        verdict[own] = (scores[own] + favour).argmax(axis=1)
        chances = probabilities(scores[own], temperature)
        probability[own] = chances[np.arange(int(own.sum())), verdict[own]]
    return verdict, probability


def crossval(
    strips: Strips, recipe: Recipe, seeds: list[int], progress: Callable[[str], None]
) -> dict[str, Any]:
    """F1 by class and their mean for each seed, an interval, confusion, reliability."""
    rows, plain, confusions = [], [], []
    kept = []
    for seed in seeds:
        scores, fold = held_out(strips, recipe, seed, progress)
        verdict, probability = settle(scores, strips.label, fold)
        rows.append(_scores(strips.label, verdict))
        plain.append(_scores(strips.label, scores.argmax(axis=1)))
        confusions.append(_confusion(strips.label, verdict))
        kept.append((verdict, probability))
    return {
        "strips": {s: int(np.sum(strips.label == k)) for k, s in enumerate(SYMBOLS)},
        "folds": FOLDS,
        "seeds": seeds,
        "recipe": asdict(recipe),
        "by_seed": rows,
        "mean": _mean(rows),
        "largest_score": _mean(plain),
        "interval_95": _interval(strips.label, [verdict for verdict, _ in kept]),
        "confusion": np.mean(confusions, axis=0).round(1).tolist(),
        "reliability": _reliability(strips.label, kept),
    }


def _scores(label: NDArray[np.int64], verdict: NDArray[np.int64]) -> dict[str, float]:
    by_class = {str(s): round(f1(label, verdict, k), 4) for k, s in enumerate(SYMBOLS)}
    return {**by_class, "mean_f1_nao": round(mean_f1(label, verdict), 4)}


def _mean(rows: list[dict[str, float]]) -> dict[str, float]:
    return {key: round(float(np.mean([row[key] for row in rows])), 4) for key in rows[0]}


def _confusion(label: NDArray[np.int64], verdict: NDArray[np.int64]) -> NDArray[np.int64]:
    table = np.zeros((len(SYMBOLS), len(SYMBOLS)), dtype=np.int64)
    np.add.at(table, (label, verdict), 1)
    return table


def _interval(
    label: NDArray[np.int64], verdicts: list[NDArray[np.int64]]
) -> dict[str, list[float]]:
    """95 % of resamplings of the strips, of the seeds' mean: F1 of A, and the mean."""
    rng = np.random.default_rng(0)
    means, fibrillation = [], []
    for _ in range(RESAMPLED):
        rows = rng.integers(len(label), size=len(label))
        means.append(np.mean([mean_f1(label[rows], v[rows]) for v in verdicts]))
        fibrillation.append(np.mean([f1(label[rows], v[rows], 1) for v in verdicts]))
    return {
        name: [round(float(q), 4) for q in np.quantile(values, [0.025, 0.975])]
        for name, values in (("A", fibrillation), ("mean_f1_nao", means))
    }


def _reliability(
    label: NDArray[np.int64], kept: list[tuple[NDArray[np.int64], NDArray[np.float64]]]
) -> list[dict[str, float]]:
    """Probability against the share that was right, by bins of probability."""
    told = np.concatenate([probability for _, probability in kept])
    right = np.concatenate([verdict == label for verdict, _ in kept])
    rows = []
    for low, high in pairwise(_BINS):
        inside = (told >= low) & ((told < high) | (high == _BINS[-1]))
        if inside.any():
            rows.append(
                {
                    "from": low,
                    "strips": round(int(inside.sum()) / len(kept), 1),
                    "told": round(float(told[inside].mean()), 3),
                    "right": round(float(right[inside].mean()), 3),
                }
            )
    return rows
