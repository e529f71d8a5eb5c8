"""Score the R-peak detector and show how much each of its constants matters.

`python -m einthoven.training.evidence.detector score` measures it over MIT-BIH (EC57's rules and
whole records, by halves of the sorted list), svdb_train, noise (nstdb, and other clean records with
its noises added), and disturbances, and prints the generated tables of docs/detector.md; with
`--json` it writes `docs/results/detector.json` and the page. `sensitivity` changes one constant of
`[qrs]` at a time by a quarter and prints what the page's table of that name shows.

The mechanisms and most constants were found while looking at all records; of the first version the
last choice among neighbouring values was made on the first half alone (every other record from the
first on), so the other half is a check and not an independent test.
"""

import argparse
import sys
import tempfile
from pathlib import Path

from einthoven.codegen import pipeline
from einthoven.errors import EinthovenError
from einthoven.paths import require_checkout
from einthoven.report.run import write_text
from einthoven.training.detector.score import generated_for
from einthoven.training.detector.tune import measure, print_sensitivity
from einthoven.training.evidence.pages import detector
from einthoven.training.results import dump


def main(argv: list[str] | None = None) -> int:
    """Command line: see the module's text."""
    parser = argparse.ArgumentParser(
        prog="python -m einthoven.training.evidence.detector", description=__doc__
    )
    parser.add_argument("what", choices=("score", "sensitivity"))
    parser.add_argument("--data", type=Path, help="folder of databases (mitdb, nstdb, svdb_train)")
    parser.add_argument("--json", action="store_true", help="score: write detector.json, the page")
    args = parser.parse_args(argv)
    try:
        if args.json:
            require_checkout("docs/")
        with tempfile.TemporaryDirectory() as scratch:
            if args.what == "sensitivity":
                print_sensitivity(args.data, Path(scratch))
                return 0
            found = measure(args.data, generated_for(pipeline.load(), Path(scratch)))
        for name, text in detector.regions(found).items():
            print(f"{name}:\n{text}\n")
        if args.json:
            write_text(detector.RESULTS, dump(found))
            detector.write()
    except EinthovenError as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
