"""What the command lines of `python -m einthoven.training.…` share."""

import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from einthoven.errors import EinthovenError, UsageError
from einthoven.paths import require_checkout


@contextmanager
def one_line_errors(keeps: str = "") -> Iterator[None]:
    """For `main`, as a decorator: an error that a user can mend is one line, and exit code 2.

    `keeps`: what of a checkout the command writes; it is refused where Einthoven is installed.
    """
    try:
        if keeps:
            require_checkout(keeps)
        yield
    except EinthovenError as error:
        print(f"error: {error}", file=sys.stderr)
        sys.exit(2)


def at_least(least: float, value: float, option: str) -> None:
    """Raise UsageError if an option's value is too small."""
    if not value >= least:
        raise UsageError(f"{option} {value:g} is too small: give at least {least:g}")


def known(wanted: Sequence[str], names: Sequence[str], option: str) -> None:
    """Raise UsageError for a name that there is not."""
    for name in wanted:
        if name not in names:
            raise UsageError(f"{option}: there is no '{name}'; there are: {', '.join(names)}")


def seed_numbers(text: str) -> list[int]:
    """The seeds of `--seeds 1,2,3`. Raises UsageError."""
    parts = [part.strip() for part in text.split(",")]
    found = [int(part) for part in parts if part.isdecimal()]
    if len(found) < len(parts) or len(set(found)) < len(found):
        raise UsageError(f"--seeds {text}: give whole numbers, each once, such as 1,2,3")
    return found
