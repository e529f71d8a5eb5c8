"""What each ingredient is worth: the recipe with one of them left out, by cross-validation.

`python -m einthoven.training.evidence.measured.ablation RECIPE --out RUNS` trains every variant of
`training/ablations.toml` with every seed, patient-wise on three folds as
`einthoven.training.model.crossval` does, and keeps one JSON a training in RUNS: what is there is
not trained again, so it can be broken off and gone on with. `--publish` writes
`docs/results/ablations.json`, from which docs/accuracy.md's table is made
(`python -m einthoven.training.evidence`). DS2 is not looked at.

Each training's JSON says by which pipeline and recipe it was made; what was made by others than
today's is neither gone on with nor published. Trainings from before that was kept do not say it,
and are taken as they are.
"""

import argparse
import copy
import dataclasses
import hashlib
import json
import tempfile
import time
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from einthoven.codegen import pipeline
from einthoven.errors import UsageError
from einthoven.paths import GENERATED, ROOT, TRAINING, require_checkout
from einthoven.report.run import write_json, write_text
from einthoven.training.command_line import known, one_line_errors, seed_numbers
from einthoven.training.data import dataset
from einthoven.training.data.dataset import PIPELINE, Examples
from einthoven.training.detector.score import generated_for
from einthoven.training.model.crossval import (
    best_bias,
    check_folds,
    cross_validate,
    databases,
    judged,
    score,
    voted,
)
from einthoven.training.recipe import Recipe, build_table, load
from einthoven.training.results import dump

VARIANTS = TRAINING / "ablations.toml"
PUBLISHED = ROOT / "docs" / "results" / "ablations.json"
SCHEMA = "einthoven-ablations/1"
SEEDS = (1, 2, 3)
FOLDS = 3

Tables = Mapping[str, Mapping[str, Any]]


@dataclass(frozen=True)
class Variant:
    """`[[variant]]`: what is left out, or put back."""

    name: str
    blank_channels: tuple[int, ...] = ()
    """Channels of the signal that are 0 for the network, in training and in use."""
    blank_features: tuple[str, ...] = ()
    """Features that are 0, by name."""
    train_on: tuple[str, ...] = ()
    """Databases that are trained on; default all. All are scored."""
    vote: bool = True
    """Whether the beats' kinds vote (firmware/app/ein_vote.h)."""
    recipe: Tables = dataclasses.field(default_factory=dict)
    """Keys of the recipe's tables."""
    pipeline: Tables = dataclasses.field(default_factory=dict)
    """Constants of pipeline.toml's sections."""

    @property
    def slug(self) -> str:
        """Its name as part of a file's."""
        return "".join(c if c.isalnum() else "-" for c in self.name)


def read_variants(path: Path = VARIANTS) -> tuple[Tables, list[Variant]]:
    """The common changes (`[base]`: shorter trainings) and the variants. Raises UsageError."""
    try:
        table = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise UsageError(f"{path} cannot be read: {error}") from error
    base = table.get("base", {})
    variants = [build_table(Variant, v, "[[variant]] ", path) for v in table.get("variant", [])]
    for variant in variants:
        unknown = set(variant.blank_features) - set(PIPELINE["features"]["names"])
        if unknown:
            raise UsageError(f"{path}: '{variant.name}': no feature '{sorted(unknown)[0]}'")
        changed_pipeline(variant)
    return base, variants


def changed_recipe(recipe: Recipe, *changes: Tables) -> Recipe:
    """`recipe` with keys of its tables replaced. Raises UsageError for what does not fit."""
    for tables in changes:
        for name, keys in tables.items():
            current = getattr(recipe, name, None)
            if not dataclasses.is_dataclass(current) or isinstance(current, type):
                raise UsageError(f"{VARIANTS.name}: recipes have no table [{name}]")
            values = {**dataclasses.asdict(current), **keys}
            table = build_table(type(current), values, f"[{name}] ", VARIANTS)
            made: dict[str, Any] = {name: table}
            recipe = replace(recipe, **made)
    return recipe


def changed_pipeline(variant: Variant) -> dict[str, Any] | None:
    """pipeline.toml's content with the variant's constants; None if it changes none."""
    if not variant.pipeline:
        return None
    spec = copy.deepcopy(PIPELINE)
    for section, keys in variant.pipeline.items():
        for key, value in keys.items():
            if key not in spec.get(section, {}):
                raise UsageError(f"{VARIANTS.name}: the pipeline has no {section}.{key}")
            spec[section][key] = value
    return spec


def blanked(examples: Examples, variant: Variant) -> Examples:
    """A copy without the variant's channels and features."""
    if not variant.blank_channels and not variant.blank_features:
        return examples
    signal, features = examples.signal.copy(), examples.features.copy()
    signal[:, :, list(variant.blank_channels)] = 0
    names = PIPELINE["features"]["names"]
    features[:, [names.index(name) for name in variant.blank_features]] = 0
    return replace(examples, signal=signal, features=features)


def made_of(recipe: Recipe, variant: Variant) -> dict[str, str]:
    """By which pipeline, and by which recipe with its changes, a variant is trained: SHA-256."""
    facts = [dataclasses.asdict(replace(recipe, seed=0)), dataclasses.asdict(variant)]
    recipe_sha256 = hashlib.sha256(json.dumps(facts, sort_keys=True).encode()).hexdigest()
    return {"pipeline_sha256": pipeline.sha256(PIPELINE), "recipe_sha256": recipe_sha256}


def require_same(run: Mapping[str, Any], expected: Mapping[str, str], path: Path) -> None:
    """Raise UsageError if a training says that it was made by another pipeline or recipe."""
    for key, value in expected.items():
        if run.get(key, value) != value:
            raise UsageError(
                f"{path} was made by another {key.partition('_')[0]}: remove it or name another "
                "folder with --out"
            )


class Bench:
    """Runs variants of a recipe, one after another."""

    def __init__(self, recipe: Recipe, base: Tables, data: Path | None = None) -> None:
        self._recipe = changed_recipe(recipe, base)
        self._data = data
        self._loaded: tuple[object, Examples] | None = None

    def made_of(self, variant: Variant) -> dict[str, str]:
        """As the function of that name, of this bench's recipe."""
        return made_of(changed_recipe(self._recipe, variant.recipe), variant)

    def run(self, variant: Variant, seed: int, folds: int = FOLDS) -> dict[str, Any]:
        """One training per fold; F1 of V and S by database on the held-out patients."""
        begun = time.monotonic()
        recipe = replace(changed_recipe(self._recipe, variant.recipe), seed=seed)
        examples = blanked(self._examples(variant, recipe), variant)
        hide = ~np.isin(databases(examples), variant.train_on) if variant.train_on else None
        logits = cross_validate(examples, recipe, folds, hide=hide)
        bias = best_bias(judged(examples, logits))
        said = voted(examples, logits, bias) if variant.vote else logits
        return {
            "variant": variant.name,
            "seed": seed,
            **made_of(recipe, variant),
            "folds": folds,
            "bias": list(bias),
            "scores": score(judged(examples, said), bias),
            "seconds": round(time.monotonic() - begun),
        }

    def _examples(self, variant: Variant, recipe: Recipe) -> Examples:
        spec = changed_pipeline(variant)
        key = (json.dumps(spec, sort_keys=True), recipe.views)
        if self._loaded is None or self._loaded[0] != key:
            self._loaded = None  # one set at a time fits into memory
            with tempfile.TemporaryDirectory() as scratch:
                generated = GENERATED if spec is None else generated_for(spec, Path(scratch))
                loaded = dataset.load(recipe.data, self._data, recipe.views, generated)
            self._loaded = (key, loaded)
        return self._loaded[1]


def collect(out: Path, recipe: Recipe, base: Tables) -> dict[str, Any]:
    """The content of ablations.json, from the trainings that are finished.

    Raises UsageError if there are none, or some that do not belong together.
    """
    bench, variants = Bench(recipe, base), read_variants()[1]
    order = {v.name: i for i, v in enumerate(variants)}
    kept = []
    for path in sorted(out.glob("*-seed*.json")):
        run = read_run(path)
        if run["variant"] in order:
            require_same(run, bench.made_of(variants[order[run["variant"]]]), path)
            kept.append(run)
    if not kept:
        raise UsageError(f"no finished training in {out}: run it without --publish first")
    if len({run["folds"] for run in kept}) > 1:
        raise UsageError(f"trainings in {out} differ in --folds: they cannot be compared")
    kept.sort(key=lambda run: (order[run["variant"]], run["seed"]))
    return {
        "schema": SCHEMA,
        "recipe": recipe.name,
        "pipeline_sha256": pipeline.sha256(PIPELINE),
        "base": base,
        "runs": kept,
    }


def read_run(path: Path) -> dict[str, Any]:
    """A finished training. Raises UsageError."""
    try:
        run: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
        if not {"variant", "seed", "folds", "scores"} <= run.keys():
            raise ValueError("keys are missing")
    except (OSError, ValueError, AttributeError) as error:
        raise UsageError(f"{path} is no finished training ({error}): remove it") from error
    return run


@one_line_errors()
def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(
        prog="python -m einthoven.training.evidence.measured.ablation", description=__doc__
    )
    parser.add_argument("recipe", type=Path)
    parser.add_argument("--out", type=Path, required=True, help="folder of finished trainings")
    parser.add_argument("--seeds", default=",".join(map(str, SEEDS)))
    parser.add_argument("--folds", type=int, default=FOLDS)
    parser.add_argument("--only", action="append", help="name of a variant; default all")
    parser.add_argument("--data", type=Path)
    parser.add_argument("--publish", action="store_true", help=f"write {PUBLISHED.name} and stop")
    args = parser.parse_args()
    recipe = load(args.recipe)
    base, variants = read_variants()
    if args.publish:
        require_checkout("docs/")
        write_text(PUBLISHED, dump(collect(args.out, recipe, base)))
        return
    seeds = seed_numbers(args.seeds)
    check_folds(args.folds)
    known(args.only or (), [v.name for v in variants], "--only")
    chosen = [v for v in variants if args.only is None or v.name in args.only]
    _run_all(Bench(recipe, base, args.data), chosen, seeds, args.folds, args.out)


def _run_all(
    bench: Bench, variants: Sequence[Variant], seeds: Sequence[int], folds: int, out: Path
) -> None:
    # By seed: what is broken off has compared all variants at least once.
    for seed in seeds:
        for variant in variants:
            path = out / f"{variant.slug}-seed{seed}.json"
            if path.exists():
                require_same(read_run(path), bench.made_of(variant), path)
                continue
            result = bench.run(variant, seed, folds)
            write_json(path, result)
            print(f"{variant.name}, seed {seed}: {result['scores']}", flush=True)


if __name__ == "__main__":
    main()
