"""`python -m einthoven.training.evidence.peers`: measures, and writes the page.

About 40 minutes of processor time, one thread. It can be stopped at any time: what was answered
is kept below `--work`, and so are the environments. `--ours` measures ours anew and leaves the
others as they are; `--page` makes the page anew from the committed figures and runs nothing.
"""

import argparse
from pathlib import Path

from einthoven.errors import UsageError
from einthoven.paths import ROOT, cache_dir
from einthoven.report.run import write_text
from einthoven.training.command_line import known, one_line_errors
from einthoven.training.evidence.peers import adapters, environments, page
from einthoven.training.evidence.peers.measure import (
    DATABASES,
    cases,
    measure,
    package_of,
    with_ours,
)
from einthoven.training.results import dump


@one_line_errors("docs/")
def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(
        prog="python -m einthoven.training.evidence.peers", description=__doc__
    )
    parser.add_argument("--page", action="store_true", help="only write the page anew")
    parser.add_argument("--ours", action="store_true", help="measure ours only")
    parser.add_argument("--kept", action="store_true", help="take what was measured, and no more")
    parser.add_argument("--work", type=Path, default=cache_dir() / "peers")
    parser.add_argument("--data", type=Path, help="folder that holds the databases by name")
    parser.add_argument("--databases", default=",".join(DATABASES))
    parser.add_argument("--detectors", help="names with ; between, for a try")
    parser.add_argument("--out", type=Path, default=page.RESULTS, help="default: %(default)s")
    args = parser.parse_args()
    if not args.page:
        databases = args.databases.split(",")
        known(databases, DATABASES, "--databases")
        detectors = args.detectors.split(";") if args.detectors else list(adapters.DETECTORS)
        known(detectors, list(adapters.DETECTORS), "--detectors")
        partial = args.detectors is not None or databases != list(DATABASES)
        if partial and args.out == page.RESULTS:
            raise UsageError("a part of the comparison needs --out: the page shows all of it")
        packages = environments.load()
        if unknown := {package_of(d) for d in detectors} - packages.keys():
            raise UsageError(f"packages.toml has no {', '.join(sorted(unknown))}")
        listed = cases(args.data, databases)
        if args.ours:
            found = with_ours(page.read(), listed)
        else:
            work = args.work.absolute()
            found = measure(packages, listed, work, detectors, only_kept=args.kept)
        write_text(args.out, dump(found))
        print(f"wrote {args.out}")
        if partial:
            return
    write_text(page.PAGE, page.page(page.read()))
    print(f"wrote {page.PAGE.relative_to(ROOT)}")


if __name__ == "__main__":
    main()
