"""Boosted trees for the verdict, as the device has them: depth 3, bytes, scores in 1/32 logit.

Fitted by LightGBM (Ke et al. 2017), then rounded; every figure is of the rounded ones, evaluated
here as firmware/rhythm/ein_strip.c does (a test compares the two).
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from einthoven.codegen.strip import FLATTEST, SCORE_ONE, SHARPEST
from einthoven.scoring.strips import RANKED, SYMBOLS

DEPTH = 3
NODES = (1 << DEPTH) - 1
CLASSES = len(SYMBOLS)


@dataclass(frozen=True)
class Recipe:
    """How trees are grown. Chosen by cross-validation on the strips at hand."""

    rounds: int = 36
    learning_rate: float = 0.18
    min_data_in_leaf: int = 40
    lambda_l2: float = 5.0
    bagging_fraction: float = 0.7
    feature_fraction: float = 0.35


@dataclass(frozen=True)
class Trees:
    """A fitted set; tree i adds to the score of class i % 4."""

    feature: NDArray[np.int64]
    """[T, 7] what each node asks, level by level."""
    above: NDArray[np.int64]
    """[T, 7] the way is to the right above this."""
    leaf: NDArray[np.int64]
    """[T, 8] in 1/32 logit."""
    start: NDArray[np.int64]
    """[4] the scores before the first tree."""

    def scores(self, features: NDArray[np.int8]) -> NDArray[np.int64]:
        """[n, 4] of features [n, F]."""
        total = np.tile(self.start, (len(features), 1))
        rows = np.arange(len(features))
        for i in range(len(self.feature)):
            node = np.zeros(len(features), dtype=np.int64)
            for _ in range(DEPTH):
                right = features[rows, self.feature[i][node]] > self.above[i][node]
                node = 2 * node + 1 + right
            total[:, i % CLASSES] += self.leaf[i][node - NODES]
        return total

    def to_dict(self) -> dict[str, Any]:
        """For `training/shipped/strip.json`: `trees` and `start`."""
        table = zip(self.feature.tolist(), self.above.tolist(), self.leaf.tolist(), strict=True)
        return {"start": self.start.tolist(), "trees": [list(tree) for tree in table]}


def fit(features: NDArray[np.int8], label: NDArray[np.int64], recipe: Recipe, seed: int) -> Trees:
    """Trees for strips [n, F] with labels [n]."""
    import lightgbm

    booster = lightgbm.train(
        {
            "objective": "multiclass",
            "num_class": CLASSES,
            "learning_rate": recipe.learning_rate,
            "max_depth": DEPTH,
            "num_leaves": NODES + 1,
            "min_data_in_leaf": recipe.min_data_in_leaf,
            "lambda_l2": recipe.lambda_l2,
            "bagging_fraction": recipe.bagging_fraction,
            "bagging_freq": 1,
            "feature_fraction": recipe.feature_fraction,
            "boost_from_average": False,
            "seed": seed,
            "deterministic": True,
            "force_row_wise": True,
            "num_threads": 1,
            "verbose": -1,
        },
        lightgbm.Dataset(
            features.astype(np.float32),
            label,
            init_score=np.tile(_prior(label), (len(label), 1)),
        ),
        recipe.rounds,
    )
    parts = [_perfect(tree["tree_structure"]) for tree in booster.dump_model()["tree_info"]]
    feature, above, leaf = (np.array([part[i] for part in parts], dtype=np.int64) for i in range(3))
    return Trees(feature, above, leaf, np.rint(SCORE_ONE * _prior(label)).astype(np.int64))


def _prior(label: NDArray[np.int64]) -> NDArray[np.float64]:
    prior = np.log(np.bincount(label, minlength=CLASSES) / len(label))
    shifted: NDArray[np.float64] = prior - prior.max()
    return shifted


def _perfect(root: dict[str, Any]) -> tuple[list[int], list[int], list[int]]:
    """A tree with all its nodes; where LightGBM's ends early, all ways lead to its leaf."""
    feature, above = [0] * NODES, [127] * NODES
    leaf = [0] * (NODES + 1)

    def place(at: int, node: dict[str, Any]) -> None:
        if at >= NODES:
            value = round(SCORE_ONE * float(node["leaf_value"]))
            leaf[at - NODES] = max(-128, min(127, value))
        elif "split_feature" in node:
            feature[at], above[at] = int(node["split_feature"]), int(np.floor(node["threshold"]))
            place(2 * at + 1, node["left_child"])
            place(2 * at + 2, node["right_child"])
        else:
            place(2 * at + 1, node)
            place(2 * at + 2, node)

    place(0, root)
    return feature, above, leaf


def probabilities(scores: NDArray[np.int64], temperature: float) -> NDArray[np.float64]:
    """[n, 4] softmax of scores [n, 4]."""
    z = scores / (SCORE_ONE * temperature)
    e = np.exp(z - z.max(axis=1, keepdims=True))
    softmax: NDArray[np.float64] = e / e.sum(axis=1, keepdims=True)
    return softmax


def temperature_of(scores: NDArray[np.int64], label: NDArray[np.int64]) -> float:
    """The one at which held-out labels [n] are likeliest."""
    grid = np.exp(np.linspace(np.log(SHARPEST), np.log(FLATTEST), 129))
    rows = np.arange(len(label))
    loss = [-np.log(probabilities(scores, t)[rows, label] + 1e-9).mean() for t in grid]
    return round(float(grid[int(np.argmin(loss))]), 4)


def mean_f1(label: NDArray[np.int64], verdict: NDArray[np.int64]) -> float:
    """The Challenge's score of verdicts [n]."""
    return float(np.mean([f1(label, verdict, k) for k in range(RANKED)]))


def f1(label: NDArray[np.int64], verdict: NDArray[np.int64], k: int) -> float:
    """F1 of class k."""
    return float(
        2 * np.sum((label == k) & (verdict == k)) / (np.sum(label == k) + np.sum(verdict == k))
    )


def favour_of(scores: NDArray[np.int64], label: NDArray[np.int64]) -> NDArray[np.int64]:
    """[4] what to add to held-out scores before the largest is chosen, for the best mean F1.

    The likeliest class is not the one that F1 of rare classes asks for. Two numbers, for A and O.
    """
    best, found = -1.0, np.zeros(CLASSES, dtype=np.int64)
    for a in range(0, 29, 4):
        for o in range(0, 21, 4):
            favour = np.array([0, a, o, 0])
            reached = mean_f1(label, (scores + favour).argmax(axis=1))
            if reached > best + 1e-9:
                best, found = reached, favour
    return found
