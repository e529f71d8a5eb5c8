"""The table of docs/gate.md. Pure: same JSON, same text."""

from collections.abc import Mapping
from typing import Any

from einthoven.training.markdown import f1_cell, percent, table

_AROUND = 2.0
"""Limits within this of the chosen one are shown."""


def region(found: Mapping[str, Any]) -> str:
    """What `python -m einthoven.training.gate` found: the chosen limit by seed, and others."""
    seeds = found["by_seed"]
    databases = [k for k in next(iter(seeds.values()))[0] if k != "limit"]
    chosen = {s: next(r for r in rows if r["limit"] == found["limit"]) for s, rows in seeds.items()}
    header = ("database", "seed", "beats", "pass, %", "decisions changed", "V F1", "S F1")
    rows = [
        [db, seed, f"{row[db]['beats']:,}", percent(row[db]["passed"]), f"{row[db]['changed']}"]
        + [f"{_f1(row[db][c]['without'])} → {_f1(row[db][c]['with'])}" for c in ("V", "S")]
        for db in databases
        for seed, row in chosen.items()
    ]
    first, below = next(iter(seeds.values())), found["int8_decides_otherwise"]
    titles = ["limit"]
    for db in databases:
        titles += [f"{db}: pass, %", "changed", "V or S lost", "false V or S removed"]
    others = [
        [f"**{r['limit']:g}**" if r["limit"] == found["limit"] else f"{r['limit']:g}"]
        + [cell for db in databases for cell in _cells(r[db])]
        for r in first
        if r["limit"] == found["limit"]
        or (abs(r["limit"] - found["limit"]) <= _AROUND and r["limit"] % 0.5 == 0)
    ]
    return "\n".join(
        [
            f"Scores up to {found['limit']:g} (a logit) pass; {found['macs']} multiply-adds, "
            f"{found['params']} parameters. In int8 the gate decides otherwise than in floating "
            f"point on {below} of {found['beats']:,} beats.",
            "",
            table(header, rows),
            "",
            f"Other limits, seed {next(iter(seeds))}:",
            "",
            table(titles, others),
        ]
    )


def _f1(value: float) -> str:
    return f1_cell(value, 4)


def _cells(entry: Mapping[str, Any]) -> list[str]:
    lost, removed = (sum(entry[c][k] for c in ("V", "S")) for k in ("lost", "false_removed"))
    return [percent(entry["passed"]), f"{entry['changed']}", f"{lost}", f"{removed}"]
