"""Score a study's run, run it on the emulated board, and keep both for the page.

`python -m training.studies.measure RUN`: what `einthoven evaluate` prints, then the network on the
STM32F405 in QEMU over some of the beats that it was scored on; the result goes to
`docs/results/studies/`. `--board-only` renews the second half of a kept result. Under
`inter_patient` the first half is a look at DS2, which the result counts.
"""

import argparse
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np

from einthoven.errors import EinthovenError, UsageError
from training.studies import board, cardiacnet_int8, results, workflow
from training.studies.recipe import INTER_PATIENT, PATIENT_SPECIFIC
from training.studies.registry import ACTIVATIONS, float_only
from training.studies.runs import MODEL, Sources, open_run, recipe_of

BEATS = 100
EMULATED = 500_000_000
"""Multiply-adds that the emulator is given at most: some ten seconds of it. Large networks see
fewer beats."""


def evaluate(run: Path, sources: Sources, out: Path = results.FOLDER) -> results.Result:
    """Score `run`, float and int8: a look at DS2 more than `out` knows of. Raises UsageError."""
    recipe = recipe_of(run)
    if float_only(recipe) is None and not workflow.is_quantized(run, recipe):
        raise UsageError(f"{run} is not quantized: einthoven quantize {run}")
    if recipe.protocol != INTER_PATIENT:
        return workflow.evaluate(run, sources)
    kept = _kept(run, sources, out)
    looks = results.read(kept).looks if kept.exists() else 0
    return replace(workflow.evaluate(run, sources), looks=looks + 1)


def _kept(run: Path, sources: Sources, out: Path) -> Path:
    return out / f"{workflow.result_name(recipe_of(run), sources)}.json"


def on_board(
    result: results.Result, run: Path, sources: Sources, beats: int = BEATS
) -> results.Result:
    """`result` with what the emulated board says to `beats` of its test set.

    A network that is not quantized is not run: of one that no chip holds, by how much is said.
    """
    recipe = recipe_of(run)
    if float_only(recipe) is not None:
        activations = ACTIVATIONS.get(recipe.data.get("view", ""))
        if activations is None:
            return result
        return replace(result, board=board.by_size(result.params, activations))
    if recipe.protocol == PATIENT_SPECIFIC:
        content, x = cardiacnet_int8.board_case(run, recipe, sources.data)
        x = x[: min(beats, EMULATED // result.macs)]
        return replace(result, board=board.measure(content, x, run / "board"))
    recipe, examples = open_run(run, sources)
    scored = np.any([p.fold.test for p in workflow.parts_of(run, recipe, examples)], axis=0)
    rows = np.random.default_rng([recipe.seed, 0xB0A2D]).permutation(np.flatnonzero(scored))
    x = examples.x[rows[: min(beats, EMULATED // result.macs)]]
    return replace(result, board=board.measure((run / MODEL).read_bytes(), x, run / "board"))


def main() -> int:
    """Command line."""
    parser = argparse.ArgumentParser(prog="python -m training.studies.measure", description=__doc__)
    parser.add_argument("run", type=Path, nargs="+")
    parser.add_argument("--data", type=Path)
    parser.add_argument("--kaggle", type=Path)
    parser.add_argument("--beats", type=int, default=BEATS, help="on the board")
    parser.add_argument(
        "--board-only", action="store_true", help="keep the scores: for another engine"
    )
    parser.add_argument("--out", type=Path, default=results.FOLDER)
    args = parser.parse_args()
    try:
        for run in args.run:
            sources = Sources(args.data, args.kaggle)
            if args.board_only:
                result = results.read(_kept(run, sources, args.out))
            else:
                result = evaluate(run, sources, args.out)
                results.write(result, args.out)
            print(result.text(), flush=True)
            result = on_board(result, run, sources, args.beats)
            print(f"board: {result.board}")
            print(f"wrote {results.write(result, args.out).name}", flush=True)
    except EinthovenError as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
