"""Ablations: what the variants change, and that a run can be broken off (TensorFlow)."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from einthoven.errors import UsageError
from einthoven.training.data import dataset
from einthoven.training.data.dataset import CHANNELS, FEATURES, PIPELINE, VIEWS, WINDOW, Examples
from einthoven.training.evidence.measured import ablation
from einthoven.training.evidence.measured.ablation import (
    Variant,
    blanked,
    changed_pipeline,
    changed_recipe,
    read_variants,
)
from einthoven.training.recipe import Architecture, Distillation, Fit, Recipe, Sampling

RECIPE = Recipe(
    name="tiny",
    data=(),
    model=Architecture(stem_channels=4, blocks=(4, 8), dense=8, feature_dense=8),
    sampling=Sampling(examples=128),
    fit=Fit(epochs=1, batch=64),
)


def examples(n: int = 240) -> Examples:
    """Made-up beats of two databases, whose level around R tells the class."""
    rng = np.random.default_rng(7)
    label = (np.arange(n) % 5).astype(np.int8)
    signal = rng.integers(-20, 20, (n, WINDOW, CHANNELS))
    signal[:, 80:100, 0] += 15 * label[:, np.newaxis]
    record = np.array([f"{('mitdb', 'svdb_train')[i % 2]}/{i % 6}" for i in range(n)])
    return Examples(
        signal=signal.astype(np.int8),
        features=rng.integers(-60, 60, (n, FEATURES)).astype(np.int8),
        label=label,
        t_samples=np.arange(n, dtype=np.int64) * 100,
        record=record,
        patient=record,
        view=np.full(n, VIEWS.index("main"), dtype=np.int8),
        slot=np.zeros(n, np.uint8),
        slot_beats=np.ones(n, np.uint16),
    )


def test_the_projects_variants_fit_recipe_and_pipeline() -> None:
    base, variants = read_variants()
    assert len({v.slug for v in variants}) == len(variants) > 8
    for variant in variants:
        recipe = changed_recipe(RECIPE, base, variant.recipe)
        assert recipe.distillation.teachers == 0
        assert recipe.fit.epochs == base["fit"]["epochs"]
        assert set(variant.blank_channels) < set(range(CHANNELS + 1))
        spec = changed_pipeline(variant)
        assert (spec is None) == (not variant.pipeline) and spec != PIPELINE
    assert any(v.pipeline for v in variants) and any(v.train_on for v in variants)


def test_only_what_is_named_is_blank() -> None:
    some, names = examples(), PIPELINE["features"]["names"]
    found = blanked(some, Variant("x", blank_channels=(1,), blank_features=(names[3],)))
    assert not found.signal[:, :, 1].any() and not found.features[:, 3].any()
    kept = [i for i in range(FEATURES) if i != 3]
    assert np.array_equal(found.features[:, kept], some.features[:, kept])
    assert np.array_equal(found.signal[:, :, 0], some.signal[:, :, 0])
    assert some.signal[:, :, 1].any() and blanked(some, Variant("y")) is some


def test_changes_replace_keys_of_tables() -> None:
    found = changed_recipe(RECIPE, {"fit": {"epochs": 7}}, {"distillation": {"teachers": 2}})
    assert found.fit == replace(RECIPE.fit, epochs=7)
    assert found.distillation == Distillation(teachers=2)
    assert changed_recipe(RECIPE, {}) == RECIPE


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[[variant]]\nname = 'x'\nblank_feature = []", "blank_feature"),
        ("[[variant]]\nname = 'x'\nblank_features = ['no']", "no feature 'no'"),
        ("[[variant]]\nname = 'x'\npipeline = {rr = {none = 1}}", "no rr.none"),
        ("[[variant]", "cannot be read"),
    ],
)
def test_variants_that_do_not_fit_are_refused(text: str, message: str, tmp_path: Path) -> None:
    path = tmp_path / "variants.toml"
    path.write_text(text)
    with pytest.raises(UsageError, match=message):
        read_variants(path)
    with pytest.raises(UsageError, match=r"no table \[none\]"):
        changed_recipe(RECIPE, {"none": {}})


def test_a_run_goes_on_where_it_was_broken_off(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(dataset, "load", lambda *arguments: examples())
    bench = ablation.Bench(RECIPE, {"fit": {"epochs": 2}})
    variants = [Variant("all"), Variant("mit only", train_on=("mitdb",))]
    ablation._run_all(bench, variants, [1], 2, tmp_path)
    first = (tmp_path / "all-seed1.json").read_text()
    (tmp_path / "mit-only-seed1.json").unlink()
    (tmp_path / "all-seed1.json").write_text(first.replace('"seconds"', '"kept"'))
    ablation._run_all(bench, variants, [1], 2, tmp_path)
    assert "kept" in (tmp_path / "all-seed1.json").read_text()
    again = json.loads((tmp_path / "mit-only-seed1.json").read_text())
    assert set(again["scores"]) == {"mitdb", "svdb_train"}
    assert again["scores"] != json.loads(first)["scores"]
    assert 0 <= again["scores"]["mitdb"]["V"] <= 1
    assert {"pipeline_sha256", "recipe_sha256"} <= again.keys()
    other = ablation.Bench(replace(RECIPE, logit_bias=(0.5,) * 5), {"fit": {"epochs": 2}})
    with pytest.raises(UsageError, match="made by another recipe: remove it"):
        ablation._run_all(other, variants, [1], 2, tmp_path)


def test_only_trainings_that_belong_together_are_published(tmp_path: Path) -> None:
    base, variants = read_variants()
    bench = ablation.Bench(RECIPE, base)

    def keep(seed: int, **changes: object) -> Path:
        run = {"variant": variants[0].name, "seed": seed, "folds": 3, "scores": {}}
        path = tmp_path / f"{variants[0].slug}-seed{seed}.json"
        path.write_text(json.dumps({**run, **bench.made_of(variants[0]), **changes}))
        return path

    keep(2), keep(1)
    (tmp_path / "gone-seed1.json").write_text(
        '{"variant": "gone", "seed": 1, "folds": 3, "scores": {}}'
    )
    unsaid = keep(3)
    told = json.loads(unsaid.read_text())
    unsaid.write_text(json.dumps({k: v for k, v in told.items() if "sha256" not in k}))
    found = ablation.collect(tmp_path, RECIPE, base)
    assert [run["seed"] for run in found["runs"]] == [1, 2, 3]
    for changes, message in (
        ({"pipeline_sha256": "0"}, "made by another pipeline"),
        ({"recipe_sha256": "0"}, "made by another recipe"),
        ({"folds": 5}, "differ in --folds"),
    ):
        keep(2, **changes)
        with pytest.raises(UsageError, match=message):
            ablation.collect(tmp_path, RECIPE, base)
    unsaid.write_text("{")
    keep(2)
    with pytest.raises(UsageError, match="is no finished training"):
        ablation.collect(tmp_path, RECIPE, base)
