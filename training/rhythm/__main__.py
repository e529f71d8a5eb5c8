"""Measure what the device tells of rhythm: a table a database, each by one command.

    python -m einthoven.training.rhythm af        atrial fibrillation, 48 records of mitdb
    python -m einthoven.training.rhythm vf        ventricular flutter or fibrillation, vfdb_half
    python -m einthoven.training.rhythm alarms    alarms, cinc2015_cut

With `--json` the figures are kept in docs/results/rhythm/, and docs/rhythm.md's tables are written.
Each takes a minute or two.
"""

import argparse
import json
import sys
from pathlib import Path

from einthoven.paths import ROOT
from einthoven.records.download import find_database
from einthoven.report.run import write_text
from einthoven.training.command_line import one_line_errors
from einthoven.training.markdown import replace_regions
from einthoven.training.results import dump
from einthoven.training.rhythm import measure
from einthoven.training.rhythm.page import region

RESULTS = ROOT / "docs" / "results" / "rhythm"
PAGE = ROOT / "docs" / "rhythm.md"
DATABASES = {"af": "mitdb", "vf": "vfdb_half", "alarms": "cinc2015_cut"}


@one_line_errors()
def main(argv: list[str] | None = None) -> int:
    """Command line: see the module's text."""
    parser = argparse.ArgumentParser(
        prog="python -m einthoven.training.rhythm",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("what", choices=tuple(DATABASES))
    parser.add_argument("--data", type=Path, help="folder of databases")
    parser.add_argument("--json", action="store_true", help="keep the figures, write the page")
    args = parser.parse_args(argv)
    folder = find_database(args.data, DATABASES[args.what])
    if args.what == "alarms":
        found = measure.alarms(folder)
    else:
        table = measure.fibrillation if args.what == "af" else measure.flutter
        found = table(folder, measure.all_names(folder))
    print(region(args.what, found))
    if args.json:
        RESULTS.mkdir(parents=True, exist_ok=True)
        write_text(RESULTS / f"{args.what}.json", dump(found))
        kept = {
            name: region(name, json.loads((RESULTS / f"{name}.json").read_text()))
            for name in DATABASES
            if (RESULTS / f"{name}.json").exists()
        }
        text = PAGE.read_text()
        write_text(PAGE, replace_regions(text, kept | _missing(text, kept)))
    return 0


def _missing(text: str, kept: dict[str, str]) -> dict[str, str]:
    """Regions whose figures were not measured yet."""
    return {n: "Not measured." for n in DATABASES if n not in kept and f"begin {n} " in text}


if __name__ == "__main__":
    sys.exit(main())
