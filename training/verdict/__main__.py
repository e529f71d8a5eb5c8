"""`python -m einthoven.training.verdict crossval | fit | beats`: the tables of docs/verdict.md.

`crossval` cross-validates the verdict, `fit` fits the shipped trees on all strips, `beats` counts
ectopic beats with and without the quality gate. All need CinC 2017's records (`--data`).
"""

import argparse
import sys
from pathlib import Path

from einthoven.codegen import strip as strip_spec
from einthoven.errors import RecordError
from einthoven.paths import ROOT
from einthoven.records.database import locate_database
from einthoven.training.command_line import one_line_errors, seed_numbers
from einthoven.training.results import dump
from einthoven.training.verdict import beats, crossval
from einthoven.training.verdict.data import Chain, load
from einthoven.training.verdict.trees import Recipe, favour_of, fit, temperature_of

RESULTS = ROOT / "docs" / "results"


def _note(text: str) -> None:
    print(f"\r{text}   ", end="", file=sys.stderr, flush=True)


@one_line_errors()
def main(argv: list[str] | None = None) -> None:
    """Run one of the commands."""
    parser = argparse.ArgumentParser(
        prog="python -m einthoven.training.verdict", description=__doc__
    )
    parser.add_argument("command", choices=("crossval", "fit", "beats"))
    parser.add_argument("--data", type=Path, help="folder of CinC 2017, or of databases by name")
    parser.add_argument("--seeds", default="1,2,3", help="of folds and trees (default 1,2,3)")
    args = parser.parse_args(argv)
    seeds = seed_numbers(args.seeds)
    folder = locate_database(args.data, "cinc2017")
    if folder is None:
        raise RecordError("CinC 2017 is not at hand: name its folder with --data")
    chain = Chain()
    strips = load(folder, chain, lambda i, n: _note(f"strip {i} of {n}") if i % 50 == 0 else None)
    recipe = Recipe()
    if args.command == "crossval":
        result = crossval.crossval(strips, recipe, seeds, _note)
        (RESULTS / "verdict.json").write_text(dump(result))
        print(dump(result["mean"]), end="")
    elif args.command == "beats":
        result = beats.table(strips, chain, args.data, _note)
        (RESULTS / "verdict_beats.json").write_text(dump(result))
        print(dump(result), end="")
    else:
        scores, _ = crossval.held_out(strips, recipe, seeds[0], _note)
        trees = fit(strips.features, strips.label, recipe, seeds[0])
        fitted = {
            "spec_sha256": strip_spec.digest(),
            "model_sha256": chain.model.macros["EIN_MODEL_SHA256"].strip('"'),
            "strips": len(strips.names),
            "temperature": temperature_of(scores, strips.label),
            "favour": favour_of(scores, strips.label).tolist(),
            **trees.to_dict(),
        }
        strip_spec.TREES_FILE.write_text(dump(fitted))
        print(f"wrote {strip_spec.TREES_FILE.name}: now `python -m einthoven.codegen`")


if __name__ == "__main__":
    main()
