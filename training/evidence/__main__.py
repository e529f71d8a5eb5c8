"""Results of trainings as small JSON files, and the pages and figures made from them.

`python -m einthoven.training.evidence RUN …` scores finished, quantized trainings on DS2 (each is a
look at DS2: docs/accuracy.md counts them), writes `docs/results/ds2/<recipe>-seed<n>.json`, and,
for the shipped model's training, the figures. `python -m einthoven.training.evidence` alone makes
the tables of docs/accuracy.md and the model card anew from the committed JSON, and nothing else.
"""

import argparse
from pathlib import Path

from einthoven.training.command_line import one_line_errors
from einthoven.training.evidence.measured import collect
from einthoven.training.evidence.pages import accuracy, figures


@one_line_errors("docs/")
def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(
        prog="python -m einthoven.training.evidence", description=__doc__
    )
    parser.add_argument("runs", type=Path, nargs="*", help="folders of quantized trainings")
    parser.add_argument("--data", type=Path)
    args = parser.parse_args()
    for run in args.runs:
        result, evaluation = collect.score(run, args.data)
        print(f"wrote {collect.write(result)}")
        if collect.shipped_sha256() in result["sha256"].values():
            for path in figures.draw_records(result, evaluation, args.data):
                print(f"wrote {path}")
    for path in accuracy.write_pages():
        print(f"wrote {path}")


if __name__ == "__main__":
    main()
