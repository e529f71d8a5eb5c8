"""The tables of docs/rhythm.md. Pure: same JSON, same text."""

from collections.abc import Mapping
from typing import Any

from einthoven.training.markdown import NONE, percent, table

_COLUMNS = {
    "ec57": "EC57 (first 5 minutes apart)",
    "whole": "whole records",
    "ec57_flutter_apart": "EC57, the reference's atrial flutter left out (EC38:1998)",
    "with_tachycardia": "the same, VT counted as flutter",
}
_QUOTIENTS = ("duration_se", "duration_ppv", "episode_se", "episode_ppv")


def region(name: str, found: Mapping[str, Any]) -> str:
    """The table of what `python -m einthoven.training.rhythm NAME` found."""
    return _alarms(found) if name == "alarms" else _episodes(found)


def _episodes(found: Mapping[str, Any]) -> str:
    header = ("", "duration Se %", "duration +P %", "episodes Se %", "episodes +P %")
    rows = []
    for column, title in _COLUMNS.items():
        if column in found:
            entry = found[column]
            cells = [_cell(entry["gross"][q], entry["intervals"][q]) for q in _QUOTIENTS]
            rows.append([title, *cells])
    lines = [table(header, rows), "", "By record, EC57: duration Se/+P, episodes Se/+P, in %."]
    records = found["ec57"]["records"]
    names = [
        [
            r["record"],
            *(percent(r[q]) for q in _QUOTIENTS),
            *(f"{r[t]:.0f}" for t in ("reference_s", "test_s")),
        ]
        for r in records
    ]
    titles = ("record", *header[1:], "reference s", "told s")
    lines += ["", table(titles, names)]
    if delays := sorted(found.get("delays_s", [])):
        late = sum(d > 10.0 for d in delays)
        middle = delays[len(delays) // 2]
        lines += ["", f"Alarms of {len(delays)} found episodes: median {middle:.1f} s after their "]
        lines[-1] += f"begin, {late} later than 10 s."
    return "\n".join(lines)


def _alarms(found: Mapping[str, Any]) -> str:
    header = ("alarm", "true ones raised", "false ones not raised")
    rows = []
    for alarm, entry in found["kinds"].items():
        cells = []
        for part in ("true_raised", "false_not_raised"):
            share = entry[part]
            quotient = share["hits"] / share["n"] if share["n"] else None
            text = _cell(quotient, share["interval"])
            cells.append(f"{share['hits']} of {share['n']}: {text} %")
        rows.append([alarm.replace("_", " "), *cells])
    return table(header, rows)


def _cell(value: float | None, interval: list[float] | None) -> str:
    if value is None or interval is None:
        return NONE
    return f"{percent(value)} ({percent(interval[0])}–{percent(interval[1])})"
