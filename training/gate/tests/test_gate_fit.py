"""Fitting a gate on made-up beats, and the limit that loses nothing."""

import numpy as np
import pytest

from einthoven.codegen.confidence import VOTE_LIMIT
from einthoven.errors import UsageError
from einthoven.native.core import NO_SLOT
from einthoven.native.vote import Kinds, Vote
from einthoven.training.data.dataset import Examples
from einthoven.training.gate import measure
from einthoven.training.gate.network import Recipe, fit
from einthoven.training.gate.page import region
from einthoven.training.recipe import Augmentation, Sampling

SMALL = Recipe(beats=4000, epochs=40)
PLAIN = Augmentation(feature_noise=0.0, feature_drop=0.0)


def examples(n: int = 3000, seed: int = 0) -> Examples:
    """Beats that are S or V where one feature is high, of six patients."""
    rng = np.random.default_rng(seed)
    label = rng.choice(np.array([0, 0, 0, 1, 2], dtype=np.int8), n)
    features = rng.integers(-40, 40, (n, 28)).astype(np.int8)
    features[label > 0, 3] += np.int8(85)
    patient = np.array([f"mitdb/{100 + i % 6}" for i in range(n)])
    return Examples(
        signal=np.zeros((n, 1, 1), np.int8),
        features=features,
        label=label,
        t_samples=np.arange(n) * 150,
        record=patient,
        patient=patient,
        view=np.zeros(n, np.int8),
        slot=np.full(n, NO_SLOT, np.uint8),
        slot_beats=np.zeros(n, np.uint16),
    )


def test_it_learns_and_is_repeatable() -> None:
    network = fit(examples(), SMALL, Sampling(), PLAIN, seed=1)
    other = examples(seed=1)
    scores = network.scores(other.features)
    assert ((scores > 0) == (other.label > 0)).mean() > 0.97
    again = fit(examples(), SMALL, Sampling(), PLAIN, seed=1)
    assert (again.scores(other.features) == scores).all()


def test_features_are_dropped_so_that_a_gate_leans_on_all_that_tell() -> None:
    """Two features tell the class alike; with one of them blank the other still does."""
    some = examples()
    some.features[:, 7] = some.features[:, 3]
    blank = some.features.copy()
    blank[:, 3] = 0
    ectopic = some.label > 0
    missed = {
        drop: float((fit(some, SMALL, Sampling(), how, seed=1).scores(blank)[ectopic] < 0).mean())
        for drop in (0.0, 0.3)
        for how in [Augmentation(feature_noise=0.0, feature_drop=drop)]
    }
    assert missed[0.3] < missed[0.0] / 4


def test_held_out_patients_are_scored_once() -> None:
    some = examples(600)
    scores = measure.held_out_scores(some, SMALL, Sampling(), PLAIN, 3, seed=2)
    assert scores.shape == (600,) and not np.isnan(scores).any()


def judged(label: list[int], says: list[int]) -> measure.Judged:
    """Beats of no kind whose network says those classes."""
    n = len(label)
    logits = np.full((n, 5), -20, dtype=np.int8)
    logits[np.arange(n), says] = 40
    return measure.Judged(
        logits,
        np.array(label, dtype=np.int8),
        np.full(n, "mitdb/100"),
        Kinds(np.full(n, NO_SLOT, np.uint8), np.zeros(n, np.uint16)),
        np.array([False] + [True] * (n - 1)),
    )


def test_the_limit_is_the_highest_that_loses_nothing() -> None:
    beats = judged(label=[0, 0, 0, 2, 1, 0], says=[0, 0, 0, 2, 0, 2])
    scores = np.array([-9, -5, -4, -3.1, -5, -3.6], dtype=np.float32)
    limit, rows = measure.choose(beats, Vote(), {1: scores, 2: scores - np.float32(0.3)})
    # The network alone misses the S, so no gate loses it; the V of seed 2 passes at -3.25.
    assert limit == -3.5
    row = next(r for r in rows[1] if r["limit"] == limit)["mitdb"]
    assert row["passed"] == pytest.approx(4 / 6, abs=1e-3)  # for the first one it is shut
    assert row["changed"] == 1 and row["V"] == {
        **{"without": 0.6667, "with": 1.0},
        **{"lost": 0, "false_removed": 1},
    }
    found = {
        **{"limit": limit, "macs": 464, "params": 481, "beats": 6, "int8_decides_otherwise": 0},
        "by_seed": {str(seed): table for seed, table in rows.items()},
    }
    text = region(found)
    assert "| mitdb | 1 | 6 | 66.7 | 1 | .6667 → 1.0000 | .0000 → .0000 |" in text
    assert "| **-3.5** |" in text


def test_a_gate_that_loses_at_once_is_refused() -> None:
    beats = judged(label=[0, 0, 2], says=[0, 0, 2])
    with pytest.raises(UsageError, match="at every limit"):
        measure.choose(beats, Vote(), {1: np.array([-9, -9, -9], dtype=np.float32)})


def test_what_passes_is_told_as_the_network_tells_it_in_the_median() -> None:
    beats = judged(label=[0] * 5, says=[0] * 5)
    beats.logits[:, 0] = [10, 20, 30, 40, 50]
    passed = np.array([False, True, True, True, True])
    assert measure.typical(beats, passed).tolist() == [35, -20, -20, -20, -20]
    assert VOTE_LIMIT == 2.0  # what passes votes for N with all of it: 55 steps are more than 2
