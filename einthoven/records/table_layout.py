"""How a CSV table is written: separator, names, units; and whether it is a signal at all."""

from dataclasses import dataclass
from pathlib import Path

from einthoven.records.header import read_text_start
from einthoven.records.leads import is_ecg_name, units_per_mv


@dataclass(frozen=True)
class TableLayout:
    """How a table is written."""

    separator: str
    decimal: str
    names: list[str]
    """Of the columns; made up where the table has none."""
    skip: int
    """Rows before the first one of numbers, comments not counted."""
    units: dict[int, str]
    """By column, where a row of its own states them."""
    named: bool


def table_layout(path: Path) -> TableLayout | None:
    """The layout of a CSV file by its first rows; None if it has no rows of numbers."""
    lines = [
        line
        for line in read_text_start(path).splitlines()
        if line.strip() and not line.lstrip().startswith("#")
    ]
    rows = lines[:3]
    if len(rows) < 2:
        return None
    separator = next((s for s in "\t;" if all(s in row for row in rows)), ",")
    decimal = "," if separator == ";" and "," in rows[-1] and "." not in rows[-1] else "."
    cells = [[c.strip().strip("\"'").strip() for c in row.split(separator)] for row in rows]
    if all(is_number(c) for c in cells[0] if c):
        made_up = [f"column {i + 1}" for i in range(len(cells[0]))]
        return TableLayout(separator, decimal, made_up, 0, {}, named=False)
    names = [c or f"column {i + 1}" for i, c in enumerate(cells[0])]
    if any(is_number(c) for c in cells[1]):
        return TableLayout(separator, decimal, names, 1, {}, named=True)
    if len(cells) > 2 and any(units_per_mv(c) for c in cells[1]) and any(map(is_number, cells[2])):
        return TableLayout(separator, decimal, names, 2, dict(enumerate(cells[1])), named=True)
    return None


def is_signal_table(path: Path) -> bool:
    """Whether a CSV file looks like a signal: rows of numbers, with an ECG among its columns.

    A list of records, a table of patients or of beats is none.
    """
    layout = table_layout(path)
    return layout is not None and (not layout.named or any(map(is_ecg_name, layout.names)))


def is_number(cell: str) -> bool:
    """Whether a table's cell is a number, perhaps with a decimal comma."""
    try:
        float(cell.replace(",", "."))
    except ValueError:
        return False
    return True
