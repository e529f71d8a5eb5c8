"""Verdicts on strips by the rule of the PhysioNet/CinC Challenge 2017.

F1 of each class over the strips, and the mean of those of N, A and O, which ranked the entries
(Clifford et al. 2017, doi:10.22489/CinC.2017.065-469; the Challenge's score2017Challenge.m).
"""

from collections.abc import Iterable
from functools import cache
from pathlib import Path
from typing import Any, Literal

from einthoven.errors import RecordError

Symbol = Literal["N", "A", "O", "~"]
SYMBOLS: tuple[Symbol, ...] = ("N", "A", "O", "~")
"""Normal rhythm, atrial fibrillation, other rhythm, too noisy to say."""
RANKED = 3
"""The first classes, whose mean F1 is the score."""
LABELS = "REFERENCE-v3.csv"


@cache
def read_labels(folder: Path) -> dict[str, str]:
    """Label by record of a folder's `REFERENCE-v3.csv`; empty where there is none. Read once.

    Raises RecordError for a line that is no label.
    """
    path = folder / LABELS
    if not path.is_file():
        return {}
    labels: dict[str, str] = {}
    text = path.read_text(encoding="ascii", errors="replace")
    for number, line in enumerate(text.splitlines(), 1):
        name, _, label = line.strip().partition(",")
        if not line.strip():
            continue
        if label not in SYMBOLS:
            raise RecordError(
                f"{path}, line {number}: {line[:40]!r} is no record with N, A, O or ~: "
                "fetch the file again"
            )
        labels[name] = label
    return labels


def confusion(pairs: Iterable[tuple[str, str]]) -> list[list[int]]:
    """Strips by label (rows) and verdict (columns), both in the order of `SYMBOLS`.

    `pairs`: label and verdict of each strip.
    """
    table = [[0] * len(SYMBOLS) for _ in SYMBOLS]
    for label, verdict in pairs:
        table[SYMBOLS.index(label)][SYMBOLS.index(verdict)] += 1
    return table


def score(table: list[list[int]]) -> dict[str, Any]:
    """`f1` by class, their `mean_f1_nao`, `strips` and the `confusion` itself.

    The F1 of a class that neither label nor verdict has is None, and so is then the mean.
    """
    f1: dict[str, float | None] = {}
    for i, symbol in enumerate(SYMBOLS):
        labelled, told = sum(table[i]), sum(row[i] for row in table)
        f1[symbol] = 2 * table[i][i] / (labelled + told) if labelled + told else None
    ranked = [f1[symbol] for symbol in SYMBOLS[:RANKED]]
    known = [value for value in ranked if value is not None]
    return {
        "strips": sum(map(sum, table)),
        "f1": f1,
        "mean_f1_nao": sum(known) / RANKED if len(known) == RANKED else None,
        "confusion": table,
    }
