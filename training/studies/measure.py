"""Score a study's run, run it on the emulated board, and keep both for the page.

`python -m einthoven.training.studies.measure RUN`: what `einthoven evaluate` prints, then the
network in the firmware of the STM32F405 in QEMU on some of the beats that it was scored on, as
`einthoven replay` does; the result goes to `docs/results/studies/`. `--board-only` renews the
second half of a kept result. Under `inter_patient` the first half is a look at DS2, which the
result counts; the second shows the same network some of the same beats again.
"""

import argparse
import sys
from dataclasses import replace
from pathlib import Path

from einthoven.errors import EinthovenError, UsageError
from einthoven.paths import require_checkout
from einthoven.training.studies import board, workflow
from einthoven.training.studies.cardiacnet import int8
from einthoven.training.studies.registry import ACTIVATIONS, float_only
from einthoven.training.studies.replay import case_of
from einthoven.training.studies.runs import Sources, recipe_of
from einthoven.training.studies.shared import results
from einthoven.training.studies.shared.recipe import INTER_PATIENT, PATIENT_SPECIFIC

BEATS = 500
"""Of the test set, on the board, with the weights stored either way."""


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
    many = recipe.protocol == PATIENT_SPECIFIC
    record = int8.board_record(recipe) if many else None
    case = case_of(run, sources, record)
    return replace(result, board=board.measure(case, beats, run / "firmware"))


def main() -> int:
    """Command line."""
    parser = argparse.ArgumentParser(
        prog="python -m einthoven.training.studies.measure", description=__doc__
    )
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
        if args.out == results.FOLDER:
            require_checkout("docs/")
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
