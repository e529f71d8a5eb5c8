"""The trees as training evaluates them, against the C."""

import numpy as np
from numpy.typing import NDArray

from einthoven.codegen import strip as strip_spec
from einthoven.native import core
from einthoven.native.confidence import Confidence
from einthoven.native.engine import HostModel
from einthoven.native.strip import Raw, Strip
from einthoven.native.vote import Vote
from einthoven.records.synth import Episode, make_record
from einthoven.training.verdict.crossval import FOLDS, folds_of
from einthoven.training.verdict.trees import Trees, favour_of, mean_f1, temperature_of


def _verdict(seconds: float, *episodes: Episode) -> tuple[Raw, NDArray[np.int8]]:
    samples = make_record(5, seconds, float(core.rate_hz()), episodes=episodes).samples
    running = core.Core()
    beats = core.join([running.push(samples), running.finish()])
    model, stage = HostModel(), Strip()
    embedding = model.embed(beats.signal, beats.features)
    logits = Vote().of(model.head(embedding), beats)
    confidence, unsure = Confidence().of(logits, beats.flags)
    told = stage.gate(beats.t_samples, logits.argmax(axis=1), confidence, unsure, len(samples))
    return stage.verdict(beats, logits, embedding, *told, running.templates(), len(samples))


def test_features_give_the_verdict_that_the_trees_give() -> None:
    fitted = strip_spec.read_trees()
    columns = zip(*fitted["trees"], strict=True)
    feature, above, leaf = (np.array(part) for part in columns)
    trees = Trees(feature, above, leaf, np.array(fitted["start"]))
    seen = set()
    cases = (
        _verdict(30.0),
        _verdict(30.0, Episode("bigeminy", 3, 27)),
        _verdict(30.0, Episode("noisy", 1, 29)),
        _verdict(12.0),
    )
    for raw, features in cases:
        scores = trees.scores(features[np.newaxis])[0]
        assert raw.verdict == int((scores + np.array(fitted["favour"])).argmax())
        below = (scores.max() - scores) // 4
        weights = np.array(strip_spec.weights_q15(fitted["temperature"]))
        chances = np.where(below < len(weights), weights[np.minimum(below, len(weights) - 1)], 0)
        expected = (255 * chances[raw.verdict] + chances.sum() // 2) // chances.sum()
        assert raw.probability == expected
        seen.add(raw.verdict)
    assert len(seen) > 1, "the cases must not all be of one verdict"


def test_folds_hold_as_many_of_each_class() -> None:
    label = np.repeat([0, 1, 2, 3], [100, 23, 57, 11])
    fold = folds_of(label, 1)
    for k in range(4):
        sizes = np.bincount(fold[label == k], minlength=FOLDS)
        assert sizes.max() - sizes.min() <= 1
    assert not np.array_equal(fold, folds_of(label, 2))


def test_favour_helps_a_rare_class_that_is_drowned() -> None:
    label = np.repeat([0, 1, 2], [80, 10, 40])
    scores = np.zeros((130, 4), dtype=np.int64)
    scores[:, 0], scores[:, 3] = 20, -100
    scores[label == 1, 1], scores[label == 2, 2] = 10, 12
    scores[label == 0, 1:3] = -40
    favour = favour_of(scores, label)
    assert favour[1] > 10 and favour[2] > 8
    assert mean_f1(label, (scores + favour).argmax(axis=1)) == 1.0


def test_temperature_flattens_what_is_too_sure() -> None:
    rng = np.random.default_rng(1)
    label = rng.integers(0, 2, 4000)
    right = rng.random(4000) < 0.75
    scores = np.full((4000, 4), -1000, dtype=np.int64)
    told = np.where(right, label, 1 - label)
    scores[np.arange(4000), told], scores[np.arange(4000), 1 - told] = 96, 0
    # 3 logits apart, and right in three of four: log 3 = 1.1 of them would do.
    assert 2.4 < temperature_of(scores, label) < 3.0
