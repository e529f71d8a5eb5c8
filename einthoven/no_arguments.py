"""What `python -m MODULE` does with a command line that it has no use for."""

import argparse
import sys


def no_arguments(says: str | None) -> None:
    """Show `says` for `--help`, and refuse all else (exit code 2), before any work begins.

    Called by a module that runs as a program and takes nothing: it would otherwise measure for
    minutes, or write files, for somebody who only asked what it does.
    """
    spec = sys.modules["__main__"].__spec__
    name = spec.name.removesuffix(".__main__") if spec else "MODULE"
    argparse.ArgumentParser(
        prog=f"python -m {name}",
        description=says,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    ).parse_args()
