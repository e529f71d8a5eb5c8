"""Patient-wise cross-validation of a recipe: what every choice is made by.

`python -m einthoven.training.model.crossval RECIPE` trains once per fold on the patients of the
others and scores the held-out ones, float, on their main lead; then it looks for the logit bias
that gives the highest sum of S and V F1 there. DS2 is refused: it judges final models only. With
`--out` the folds' networks and what they said of their held-out patients (`held_out.npz`) are kept.
"""

import argparse
import itertools
import json
import shutil
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from einthoven.aami import CLASSES, DS2
from einthoven.codegen.confidence import VOTE_LIMIT
from einthoven.errors import UsageError
from einthoven.native.vote import Vote
from einthoven.training.command_line import at_least, one_line_errors
from einthoven.training.data import dataset, strips
from einthoven.training.data.dataset import Examples
from einthoven.training.data.sampling import to_real
from einthoven.training.data.strips import StripBeats
from einthoven.training.model.train import FLOAT_MODEL, add_bias, fit, provenance
from einthoven.training.recipe import Recipe, load

STEPS = np.arange(-3.0, 0.51, 0.25)
RARE_BIAS = (-2.0, -1.0)
"""For F and Q, which are too few to choose by."""


def folds(examples: Examples, n: int) -> NDArray[np.int64]:
    """[len(examples)] fold of each beat: patients dealt in order of name, databases apart."""
    fold = np.zeros(len(examples), dtype=np.int64)
    for db in np.unique(databases(examples)):
        patients = np.unique(examples.patient[databases(examples) == db])
        for i, patient in enumerate(patients):
            fold[examples.patient == patient] = (i + i // n) % n
    return fold


def databases(examples: Examples) -> NDArray[np.str_]:
    """[len(examples)] database of each beat."""
    return np.char.partition(examples.record, "/")[:, 0]


def check_folds(n: int, only: Sequence[int] | None = None) -> None:
    """Raise UsageError for fewer than two folds, or for one that there is not."""
    at_least(2, n, "--folds")
    for i in only or ():
        if not 0 <= i < n:
            raise UsageError(f"--only {i}: the folds are 0 to {n - 1}")


def cross_validate(
    examples: Examples,
    recipe: Recipe,
    n: int,
    out: Path | None = None,
    only: Sequence[int] | None = None,
    hide: NDArray[np.bool_] | None = None,
    strip_beats: StripBeats | None = None,
) -> NDArray[np.float32]:
    """[len(examples), 5] logits of held-out main-lead beats; NaN elsewhere.

    With `out` each fold's network stays there as `fold<i>`, with `held_out.json`, the patients
    that it has not seen; a cross-validation that was broken off goes on. `only`: these folds.
    `hide`: [len(examples)] beats that are never trained on, but scored. `strip_beats`: as of `fit`.
    Raises UsageError if a record of DS2 is among the examples, or for folds that cannot be.
    """
    check_folds(n, only)
    patients = len(set(examples.patient.tolist()))
    if patients < n:
        raise UsageError(f"--folds {n}: the recipe's records are of {patients} patients only")
    if np.isin(examples.record, [f"mitdb/{name}" for name in DS2]).any():
        raise UsageError("cross-validation must not see DS2: change the recipe's [[data]]")
    plain = replace(recipe, logit_bias=(0.0,) * len(CLASSES))
    fold = folds(examples, n)
    logits = np.full((len(examples), len(CLASSES)), np.nan, dtype=np.float32)
    for i in range(n) if only is None else only:
        seen = examples.where((fold != i) if hide is None else (fold != i) & ~hide)
        folder = None if out is None else out / f"fold{i}"
        if folder is not None:
            folder.mkdir(parents=True, exist_ok=True)
            held_out = sorted(set(examples.patient[fold == i].tolist()))
            for name, facts in (
                ("training.json", provenance(plain, seen, strip_beats)),
                ("held_out.json", held_out),
            ):
                (folder / name).write_text(json.dumps(facts, indent=1) + "\n")
        model = fit(seen, plain, folder, strip_beats=strip_beats)
        rows = (fold == i) & examples.main
        inputs = list(to_real(examples.where(rows)))
        logits[rows] = model.predict(inputs, batch_size=2048, verbose=0)
        if folder is not None:  # what stays there is as it would be shipped
            add_bias(model, recipe.logit_bias)
            model.save_weights(folder / FLOAT_MODEL)
        print(f"fold {i + 1} of {n}: {rows.sum()} held-out detections", flush=True)
    return logits


def write_held_out(
    out: Path, examples: Examples, logits: NDArray[np.float32], recipe: Path, n: int
) -> Path:
    """Keep what all `n` folds in `out` said; returns the file, for `calibrate`."""
    for i in range(n):  # so that a fold can be quantized like any training
        shutil.copyfile(recipe, out / f"fold{i}" / "recipe.toml")
    main = examples.main
    np.savez_compressed(
        out / "held_out.npz",
        logits=logits[main],
        label=examples.label[main],
        record=examples.record[main],
        patient=examples.patient[main],
        slot=examples.slot[main],
        slot_beats=examples.slot_beats[main],
    )
    return out / "held_out.npz"


def f1(label: NDArray[np.int8], found: NDArray[np.int64], name: str) -> float:
    """F1 of a class over detections; those without a reference beat count as false."""
    index = CLASSES.index(name)
    hits = np.sum((label == index) & (found == index))
    wrong = np.sum((label != index) & (found == index))
    missed = np.sum((label == index) & (found != index))
    return float(2 * hits / max(1, 2 * hits + wrong + missed))


Judged = dict[str, tuple[NDArray[np.int8], NDArray[np.float32]]]


def judged(examples: Examples, logits: NDArray[np.float32]) -> Judged:
    """Per database labels and logits of the beats that `cross_validate` has judged."""
    rows = np.flatnonzero(~np.isnan(logits[:, 0]))
    db = databases(examples.where(rows))
    return {str(d): (examples.label[rows[db == d]], logits[rows[db == d]]) for d in np.unique(db)}


def voted(
    examples: Examples, logits: NDArray[np.float32], bias: Sequence[float]
) -> NDArray[np.float32]:
    """The logits with what the beats' kinds say when `bias` decides (firmware/app/ein_vote.h)."""
    rows = np.flatnonzero(~np.isnan(logits[:, 0]))
    offset = np.array(bias, dtype=np.float32)
    changed = logits.copy()
    kinds = examples.where(rows)
    changed[rows] = Vote().of_float(logits[rows] + offset, kinds, VOTE_LIMIT) - offset
    return changed


def score(parts: Judged, bias: Sequence[float]) -> dict[str, dict[str, float]]:
    """V and S F1 per database with `bias` added to the logits."""
    table = {}
    for db, (label, logits) in parts.items():
        found = np.argmax(logits + np.array(bias, dtype=np.float32), axis=1)
        table[db] = {c: f1(label, found, c) for c in ("V", "S")}
    return table


def best_bias(parts: Judged) -> tuple[float, ...]:
    """The bias with the highest sum of V and S F1 over the databases."""
    candidates = [(0.0, s, v, *RARE_BIAS) for s, v in itertools.product(STEPS, STEPS)]

    def total(bias: tuple[float, ...]) -> float:
        return sum(sum(t.values()) for t in score(parts, bias).values())

    return tuple(float(b) for b in max(candidates, key=total))


@one_line_errors()
def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(
        prog="python -m einthoven.training.model.crossval", description=__doc__
    )
    parser.add_argument("recipe", type=Path)
    parser.add_argument("--folds", type=int, default=3)
    parser.add_argument("--seed", type=int)
    parser.add_argument("--data", type=Path)
    parser.add_argument("--out", type=Path, help="folder to keep the networks and predictions in")
    parser.add_argument(
        "--only", type=int, action="append", help="train this fold only, beside other processes"
    )
    args = parser.parse_args()
    check_folds(args.folds, args.only)
    recipe = load(args.recipe)
    if args.seed is not None:
        recipe = replace(recipe, seed=args.seed)
    examples = dataset.load(recipe.data, args.data, recipe.views)
    beats = strips.beats_for(recipe, args.data)
    logits = cross_validate(examples, recipe, args.folds, args.out, args.only, None, beats)
    if args.only is not None:
        return
    if args.out is not None:
        write_held_out(args.out, examples, logits, args.recipe, args.folds)
    parts = judged(examples, logits)
    own, best = recipe.logit_bias, best_bias(parts)
    with_vote = judged(examples, voted(examples, logits, own))
    for name, bias, said in (
        ("best bias", best, parts),
        ("recipe's bias", own, parts),
        ("recipe's bias and the kinds' vote", own, with_vote),
    ):
        cells = "  ".join(
            f"{db}: V {t['V']:.3f} S {t['S']:.3f}" for db, t in score(said, bias).items()
        )
        print(f"{name} {list(bias)}: {cells}")


if __name__ == "__main__":
    main()
