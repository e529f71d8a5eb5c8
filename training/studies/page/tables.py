"""How the page of the studies writes its figures and tables."""

import textwrap
from collections.abc import Iterable, Sequence
from typing import Any

from einthoven.training.studies.shared.results import Result

DASH = "–"


def table(head: Sequence[str], rows: Iterable[Sequence[str]], left: int = 1) -> str:
    """A Markdown table; the first `left` columns are text, the others numbers."""
    line = "|".join(["---"] * left + ["---:"] * (len(head) - left))
    body = "\n".join("| " + " | ".join(row) + " |" for row in rows)
    return "| " + " | ".join(head) + f" |\n|{line}|\n{body}"


def prose(text: str) -> str:
    """A paragraph in lines of 100 characters."""
    return textwrap.fill(text, 100, break_long_words=False, break_on_hyphens=False)


def percent(value: float | None) -> str:
    """98.71 %"""
    return DASH if value is None else f"{100 * value:.2f} %"


def three(value: float | None) -> str:
    """.923"""
    return DASH if value is None else f"{value:.3f}".replace("0.", ".", 1)


def span(scores: dict[str, Any], key: str) -> str:
    """An interval, or a dash where the source does not name patients."""
    return between((scores["intervals_95"] or {}).get(key))


def class_span(scores: dict[str, Any], name: str, rate: str) -> str:
    """An interval of a class' rate, or a dash."""
    by_class = (scores["intervals_95"] or {}).get("per_class", {})
    return between(by_class.get(name, {}).get(rate))


def between(interval: Sequence[float] | None) -> str:
    """.541–.923"""
    return DASH if interval is None else f"{three(interval[0])}–{three(interval[1])}"


def duration(seconds: float) -> str:
    """42 s, 17 min, 2.4 h"""
    if seconds < 60:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 90 * 60 else f"{seconds / 3600:.1f} h"


def epochs(result: Result) -> str:
    """How far a training went: 15, or 5 of 15."""
    full = result.epochs == result.epochs_full
    return str(result.epochs) if full else f"{result.epochs} of {result.epochs_full}"


def of_beats(found: dict[str, Result]) -> list[Result]:
    """Results that have accuracy and the like over examples, sorted by study and recipe."""
    return sorted(
        (r for r in found.values() if "macro_f1" in r.float32), key=lambda r: (r.study, r.name)
    )
