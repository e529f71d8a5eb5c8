"""Training, resuming and quantizing with TensorFlow (the `train` extra), on made-up beats."""

import json
import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from einthoven.codegen.model import export
from einthoven.errors import ModelError, UsageError
from einthoven.training.data.dataset import CHANNELS, FEATURES, WINDOW, Examples
from einthoven.training.data.sampling import real_inputs
from einthoven.training.data.strips import StripBeats
from einthoven.training.model import network, quantize
from einthoven.training.model.build import build
from einthoven.training.model.loop import CHECKPOINTS, OnEpoch
from einthoven.training.model.network import multiply_adds, parameters
from einthoven.training.model.train import FLOAT_MODEL, LOG, _targets, fit
from einthoven.training.recipe import (
    Architecture,
    Distillation,
    Fit,
    Quantization,
    Recipe,
    Sampling,
    Strips,
    load,
)
from einthoven.training.seeds import train_seeds
from einthoven.training.studies.runs import Sources

RECIPE = Recipe(
    name="tiny",
    data=(),
    seed=3,
    logit_bias=(0.5, 0.0, 0.0, 0.0, -0.5),
    model=Architecture(stem_channels=4, blocks=(4, 8), dense=8, feature_dense=8),
    sampling=Sampling(examples=256),
    fit=Fit(epochs=3, batch=64),
    quantization=Quantization(qat_epochs=1, calibration_beats=64),
)

LEAN = replace(RECIPE.model, blocks=(4, 4, 8), skip="identity", pool_first=True)


def examples(n: int = 300) -> Examples:
    """Made-up beats whose level around R tells the class."""
    rng = np.random.default_rng(7)
    label = (np.arange(n) % 5).astype(np.int8)
    signal = rng.integers(-20, 20, (n, WINDOW, CHANNELS))
    signal[:, 80:100, 0] += 15 * label[:, np.newaxis]
    return Examples(
        signal=signal.astype(np.int8),
        features=rng.integers(-60, 60, (n, FEATURES)).astype(np.int8),
        label=label,
        t_samples=np.arange(n, dtype=np.int64) * 100,
        record=np.array([f"r{i % 4}" for i in range(n)]),
        patient=np.array([f"r{i % 4}" for i in range(n)]),
        view=np.zeros(n, dtype=np.int8),
        slot=np.zeros(n, np.uint8),
        slot_beats=np.ones(n, np.uint16),
    )


class KilledError(Exception):
    """A training that is broken off."""


def killed_after(epochs: int) -> OnEpoch:
    """For `on_epoch`: ends the training after so many epochs in all."""

    def count(entry: dict[str, Any]) -> None:
        if entry["epoch"] == epochs:
            raise KilledError

    return count


def weights(model: object) -> np.ndarray:
    """All of a model's variables, flat."""
    return np.concatenate([w.numpy().ravel() for w in model.weights])  # type: ignore[attr-defined]


def test_resumed_equals_uninterrupted(tmp_path: Path) -> None:
    """A training that was killed goes on to the very same weights."""
    some = examples()
    straight = fit(some, RECIPE, tmp_path / "a")
    with pytest.raises(KilledError):
        fit(some, RECIPE, tmp_path / "b", killed_after(1))
    with (tmp_path / "b" / LOG).open("a") as log:
        log.write('{"epoch": 2, "loss": 0}\n')  # killed between the log and the checkpoint
    resumed = fit(some, RECIPE, tmp_path / "b")
    assert np.array_equal(weights(straight), weights(resumed))
    assert (tmp_path / "a" / LOG).read_text() == (tmp_path / "b" / LOG).read_text()
    other = fit(some, replace(RECIPE, seed=4))
    assert not np.array_equal(weights(straight), weights(other))


@pytest.mark.parametrize(
    ("method", "arch"), [("ptq", RECIPE.model), ("ptq", LEAN), ("qat", RECIPE.model)]
)
def test_quantized_models_keep_their_promises(
    tmp_path: Path, method: str, arch: Architecture
) -> None:
    """Both methods give full int8 in the core's scales, and the same bytes again."""
    some, recipe = examples(), replace(RECIPE, model=arch)
    fit(some, recipe, tmp_path)
    model = quantize.load_float(tmp_path, recipe)
    assert 0 < parameters(model) < 10_000
    assert 0 < multiply_adds(model) < 100_000
    if method == "qat":
        model = quantize.fine_tune(model, some, recipe)
    content = quantize.convert(model, some, recipe, quantized=method == "qat")
    quantize.check(content)
    again = quantize.convert(model, some, recipe, quantized=method == "qat")
    assert content == again


def test_a_model_in_other_scales_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An input that is not quantized as the core does is an error, not a silent loss."""
    some = examples()
    fit(some, RECIPE, tmp_path)
    model = quantize.load_float(tmp_path, RECIPE)
    monkeypatch.setattr(quantize, "SIGNAL_SCALE", quantize.SIGNAL_SCALE / 2)
    content = quantize.convert(model, some, RECIPE, quantized=False)
    monkeypatch.undo()
    with pytest.raises(ModelError, match="scale"):
        quantize.check(content)


def test_a_distilled_network_depends_on_its_teachers_and_can_be_resumed(tmp_path: Path) -> None:
    some = examples()
    recipe = replace(RECIPE, fit=Fit(epochs=2, batch=64), distillation=Distillation(teachers=2))
    student = fit(some, recipe, tmp_path / "a")
    for epochs in (3, 5):  # in the second teacher, then in the student
        with pytest.raises(KilledError):
            fit(some, recipe, tmp_path / "b", killed_after(epochs))
    assert np.array_equal(weights(student), weights(fit(some, recipe, tmp_path / "b")))
    logs = [tmp_path / "a" / name / LOG for name in ("teacher0", "teacher1")]
    assert logs[0].read_text() != logs[1].read_text()
    alone = fit(some, replace(recipe, distillation=Distillation()))
    assert not np.array_equal(weights(student), weights(alone))


def test_teachers_may_have_another_shape_and_the_network_that_learns_more_epochs(
    tmp_path: Path,
) -> None:
    some = examples()
    recipe = replace(
        RECIPE, fit=Fit(epochs=1, batch=64), model=LEAN, teacher=RECIPE.model,
        distillation=Distillation(teachers=1, epochs=2),
    )  # fmt: skip
    student = fit(some, recipe, tmp_path)
    teacher = quantize.load_float(tmp_path / "teacher0", RECIPE)
    assert parameters(teacher) != parameters(student)
    assert [len((f / LOG).read_text().splitlines()) for f in (tmp_path / "teacher0", tmp_path)] == [
        1,
        2,
    ]


@pytest.mark.parametrize(
    ("convolutions", "skip", "pool_first", "sums", "widened"),
    [(2, "projected", False, 3, 1), (2, "identity", True, 2, 0), (1, "none", False, 0, 0)],
)
def test_blocks_have_the_form_that_the_recipe_says(
    convolutions: int, skip: str, pool_first: bool, sums: int, widened: int
) -> None:
    """Convolutions, sums and pooling as asked."""
    arch = replace(
        RECIPE.model, dropout=0.0, blocks=(4, 4, 8), convolutions=convolutions, skip=skip,
        pool_first=pool_first,
    )  # fmt: skip
    model = network.build(arch, WINDOW, CHANNELS, FEATURES, 5)
    layers = [layer.name for layer in model.layers]
    assert sum(name.endswith("_add") for name in layers) == sums
    assert sum(name.endswith("_skip") for name in layers) == widened
    in_first = [n for n in layers if n.startswith("block0") and n.endswith(("_a", "_b", "_c"))]
    assert len(in_first) == convolutions
    assert model.get_layer("flatten").output_shape == (None, 9 * 8)
    first = model.get_layer("block0_a").output_shape[2]
    assert first == (36 if pool_first else 72)
    assert tuple(model.outputs[0].shape) == (None, 5)


def strip_beats(n: int = 120) -> StripBeats:
    """Made-up beats of 12 strips; the level around R tells the rhythm."""
    rng = np.random.default_rng(8)
    strip = np.arange(n, dtype=np.int32) % 12
    rhythm = (strip % 4).astype(np.int8)
    signal = rng.integers(-20, 20, (n, WINDOW, CHANNELS))
    signal[:, 20:60, 0] += 20 * rhythm[:, np.newaxis]
    features = rng.integers(-60, 60, (n, FEATURES)).astype(np.int8)
    return StripBeats(signal.astype(np.int8), features, rhythm, strip)


def test_strips_teach_rhythm_and_can_be_resumed(tmp_path: Path) -> None:
    """What the last layer knows of a beat tells rhythms apart; the network itself has no more
    outputs than without."""
    some, strips_ = examples(), strip_beats()
    recipe = replace(
        RECIPE, fit=Fit(epochs=4, batch=64, learning_rate=1e-2),
        strips=Strips(share=0.5, rhythm_weight=1.0),
    )  # fmt: skip
    taught = fit(some, recipe, tmp_path / "a", strip_beats=strips_)
    assert [tuple(output.shape) for output in taught.outputs] == [(None, 5)]
    with pytest.raises(KilledError):
        fit(some, recipe, tmp_path / "b", killed_after(2), strips_)
    assert np.array_equal(
        weights(taught), weights(fit(some, recipe, tmp_path / "b", strip_beats=strips_))
    )
    blind = fit(
        some, replace(recipe, strips=Strips(share=0.5, rhythm_weight=0.0)), strip_beats=strips_
    )
    assert not np.array_equal(weights(taught), weights(blind))
    assert _separation(taught, strips_) > 1.5 * _separation(blind, strips_)


def _separation(model: Any, beats: StripBeats) -> float:
    """Spread of the rhythms' mean embeddings over the spread within a rhythm."""
    embed = network.keras.Model(model.inputs, model.get_layer("logits").input)
    known = embed.predict(list(real_inputs(beats.signal, beats.features)), verbose=0)
    groups = [known[beats.rhythm == k] for k in range(4)]
    between = np.var([g.mean(axis=0) for g in groups], axis=0).sum()
    return float(between / np.mean([g.var(axis=0).sum() for g in groups]))


def test_a_label_that_is_not_known_teaches_nothing() -> None:
    label = np.array([0, -1, 2])
    target = _targets(np.zeros(0), np.zeros(0), label, RECIPE, ())  # type: ignore[arg-type]
    assert np.allclose(target.sum(axis=1), [1, 0, 1])
    assert target[2].argmax() == 2


@pytest.mark.records
def test_records_become_a_model_to_export_in_one_go(mitdb: Path, tmp_path: Path) -> None:
    """Also when it was broken off between two folds."""
    recipe = tmp_path / "tiny.toml"
    recipe.write_text(
        'name = "tiny"\n[[data]]\ndb = "mitdb"\nrecords = "114,119,208"\n'
        "[sampling]\nexamples = 256\n[fit]\nepochs = 1\n[quantization]\ncalibration_beats = 64\n"
    )
    out = tmp_path / "run"
    model = build(recipe, out, data=mitdb.parent, seed=5)
    assert model == out / "ptq"
    about = json.loads((model / "model.json").read_text())
    assert about["seed"] == 5 and 0 < about["confidence"]["unsure_below"] < 255
    held_out = {p.parent.name: p.read_text() for p in sorted(out.glob("folds/*/held_out.json"))}
    assert len(held_out) == len(set(held_out.values())) == 3
    (out / "folds" / "fold2" / FLOAT_MODEL).unlink()
    shutil.rmtree(out / "folds" / "fold2" / CHECKPOINTS)
    before = (model / "model.json").read_bytes()
    assert (build(recipe, out, True, mitdb.parent, 5) / "model.json").read_bytes() == before
    assert {p.name for p in export(model, tmp_path / "engine")} > {"ein_model.c", "ein_model.h"}


@pytest.mark.records
def test_seeds_become_runs_of_their_own(mitdb: Path, tmp_path: Path) -> None:
    recipe = tmp_path / "tiny.toml"
    recipe.write_text(
        'name = "tiny"\nseed = 9\n[[data]]\ndb = "mitdb"\nrecords = "114"\n'
        "[sampling]\nexamples = 256\n[fit]\nepochs = 1\n"
    )
    runs = train_seeds(recipe, tmp_path / "out", [4, 5], sources=Sources(mitdb.parent))
    assert [run.name for run in runs] == ["seed4", "seed5"]
    assert [load(run / "recipe.toml").seed for run in runs] == [4, 5]
    kept = [(run / FLOAT_MODEL).read_bytes() for run in runs]
    assert kept[0] != kept[1]
    with pytest.raises(UsageError, match="not empty"):
        train_seeds(recipe, tmp_path / "out", [4], sources=Sources(mitdb.parent))
