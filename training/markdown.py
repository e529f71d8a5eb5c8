"""Cells and tables of the generated regions, one way for all pages.

A region of a page stands between `<!-- begin NAME -->` and `<!-- end NAME -->`; what lies between
them is replaced. Pure: same JSON, same text.
"""

import re
from collections.abc import Mapping, Sequence
from typing import Any

from einthoven.errors import EinthovenError

NONE = "–"
"""What is not defined, or was not measured."""


def replace_regions(text: str, texts: Mapping[str, str]) -> str:
    """`text` with the content of its regions replaced. EinthovenError for one that is unknown."""

    def one(match: re.Match[str]) -> str:
        name = match[1]
        if name not in texts:
            known = ", ".join(sorted(texts))
            raise EinthovenError(f"no generated region '{name}'; there are: {known}")
        return f"<!-- begin {name} -->\n{texts[name]}\n<!-- end {name} -->"

    return re.sub(r"<!-- begin ([\w-]+) -->.*?<!-- end \1 -->", one, text, flags=re.DOTALL)


def table(header: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """A table in Markdown."""
    lines = [header, ["---"] * len(header), *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


def code(*parts: str) -> str:
    """A block that is printed as it is."""
    return "```\n" + "\n".join(part.rstrip("\n") + "\n" for part in parts) + "```"


def f1_cell(value: float | None, digits: int = 3) -> str:
    """0 to 1 without the zero in front: `.954`."""
    if value is None:
        return NONE
    text = f"{value:.{digits}f}"
    return text.removeprefix("0")


def signed(value: float) -> str:
    """A difference: `+.006`, `−.012`."""
    return ("−" if value < 0 else "+") + f1_cell(abs(value))


def spread(values: Sequence[float]) -> str:
    """Mean, and lowest to highest if there are several: `.954 (.946–.959)`."""
    mean = f1_cell(sum(values) / len(values))
    return mean if len(values) == 1 else f"{mean} ({f1_cell(min(values))}–{f1_cell(max(values))})"


def percent(value: float | None, digits: int = 1) -> str:
    """A share in percent, without the sign."""
    return NONE if value is None else f"{100 * value:.{digits}f}"


def rate_cell(rate: Mapping[str, Any] | None) -> str:
    """`Se/+P/F1` of a rate: percent, percent, 0 to 1."""
    if rate is None:
        return NONE
    return "/".join([percent(rate["se"]), percent(rate["ppv"]), f1_cell(rate["f1"])])
