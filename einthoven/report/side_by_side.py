"""Two runs on one page, side by side: what was run, scores, rhythm, signal, cost, and the trends.

Figures of the left run, of the right run, and what the right one has more. Scores are over each
run's own records; the table record by record holds those that both have finished.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from msgspec import UNSET, structs

from einthoven.components.documents import document
from einthoven.components.words import clock, count, percent
from einthoven.report.description import Rates, Result
from einthoven.report.findings import RunComparison
from einthoven.report.overview import Summary
from einthoven.report.run import RunDir, write_text
from einthoven.report.schema import to_builtins
from einthoven.report.sections import trend
from einthoven.report.signal import NAMES
from einthoven.report.summary import summarize
from einthoven.report.words import names_of, resource_rows
from einthoven.scoring.episodes import KINDS

MAX_TRENDS = 6
MAX_ROWS = 1000
_SHARE = 0.00005
"""Less of the time prints as 0.00 %."""
_PROTOCOLS = {"ec57": "EC57", "whole": "whole records"}
_BEATS = {"qrs": "QRS", "veb": "V", "sveb": "S"}
_RATES = {"se": "Se", "ppv": "+P", "f1": "F1"}


@dataclass(frozen=True)
class _Row:
    """A figure of both runs in words, and by how much the right one is higher."""

    name: str
    left: str
    right: str
    more: str = ""

    @property
    def unequal(self) -> bool:
        """Whether there is something to see."""
        return self.left != self.right


def write_comparison(path: Path, left: RunDir, right: RunDir, found: RunComparison) -> None:
    """Write the page. `found`: what `compare_runs` says of the two. Raises RecordError, OSError."""
    sides = summarize(left), summarize(right)
    results = [
        {name: structs.replace(run.read_result(name), strips=[]) for name in found.records}
        for run in (left, right)
    ]
    text = document(
        "einthoven.report",
        "compare.html.j2",
        filters={"names": names_of},
        names=(left.path.name, right.path.name),
        left=sides[0],
        right=sides[1],
        found=found,
        differing=sum(found.differing.values()),
        differences=[{**to_builtins(d), "clock": clock(d.time_s)} for d in found.differences],
        what=_what(*sides),
        scores=_scores(*sides),
        rhythm=_rhythm(*sides),
        signal=_signal(*sides),
        cost=_cost(*sides),
        records=_records(found, *results)[:MAX_ROWS],
        left_out=max(len(found.records) - MAX_ROWS, 0),
        trends=_trends(found, (left, right), results),
    )
    write_text(path, text)


def _points(left: float | None, right: float | None) -> str:
    """Percentage points with sign, empty where there is nothing to compare."""
    if left is None or right is None or f"{100 * left:.2f}" == f"{100 * right:.2f}":
        return ""
    return f"{100 * (right - left):+.2f}".replace("-", "−")


def _shares(name: str, left: float | None, right: float | None) -> _Row:
    return _Row(name, percent(left), percent(right), _points(left, right))


def _what(left: Summary, right: Summary) -> list[_Row]:
    def of(s: Summary) -> dict[str, str]:
        firmware = to_builtins(s.firmware) if s.firmware else {}
        return {
            "Board": f"{s.board} ({s.board_title})",
            "Firmware": ", ".join(f"{k} {v}" for k, v in firmware.items() if v),
            "Model": s.model.name,
            "Model SHA-256": s.model.sha256,
            "Pipeline SHA-256": s.pipeline_sha256,
            "Database": f"{s.data.db}, {count(len(s.data.records))} records",
            "Command": s.command,
            "Made": s.created,
            "Versions": ", ".join(f"{k} {v}" for k, v in s.versions.items()),
        }

    one, other = of(left), of(right)
    return [_Row(name, one[name], other[name]) for name in one]


def _scores(left: Summary, right: Summary) -> list[tuple[str, list[_Row]]]:
    tables = []
    for protocol, title in _PROTOCOLS.items():
        one, other = (getattr(s.protocols, protocol) for s in (left, right))
        if not one.records and not other.records:
            continue
        rows = []
        for kind, beats in _BEATS.items():
            for rate, name in _RATES.items():
                if kind == "qrs" and rate == "f1":
                    continue
                pair = [getattr(getattr(p.gross, kind), rate) for p in (one, other)]
                rows.append(_shares(f"{beats} {name}, %", *pair))
        tables.append((title, rows))
    return tables


def _rhythm(left: Summary, right: Summary) -> list[_Row]:
    told = [None if s.episodes is UNSET else s.episodes for s in (left, right)]
    if not any(told):
        return []
    burden = [None if t is None else t.af_burden for t in told]
    rows = [_shares("AF burden, % of the signal", *burden)]
    for kind, name in KINDS.items():
        gross = [
            getattr(t.protocols.ec57, kind).gross if t is not None and t.protocols else None
            for t in told
        ]
        if not any(g is not None and (g.reference_s or g.test_s) for g in gross):
            continue
        for key, what in (("duration_se", "duration Se"), ("duration_ppv", "duration +P")):
            pair = [None if g is None else getattr(g, key) for g in gross]
            rows.append(_shares(f"{name}: {what}, %", *pair))
    return rows


def _signal(left: Summary, right: Summary) -> list[_Row]:
    told = [None if s.signal is UNSET else structs.asdict(s.signal.share) for s in (left, right)]
    rows = []
    for key, name in NAMES.items():
        pair = [None if t is None else t[key] for t in told]
        if any(v is not None and v >= _SHARE for v in pair):
            rows.append(_shares(f"{name}, % of the time", *pair))
    return rows


def _cost(left: Summary, right: Summary) -> list[_Row]:
    one, other = dict(resource_rows(left)), dict(resource_rows(right))
    return [_Row(name, one.get(name, "–"), other.get(name, "–")) for name in {**one, **other}]


def _records(
    found: RunComparison, left: Mapping[str, Result], right: Mapping[str, Result]
) -> list[dict[str, Any]]:
    """A row for each record, those first in which most beats differ."""
    rows = []
    for name in sorted(found.records, key=lambda n: -found.differing.get(n, 0)):
        one, other = left[name], right[name]
        cells = []
        for kind in ("veb", "sveb"):
            pair = [_f1(r, kind) for r in (one, other)]
            cells += [percent(pair[0]), percent(pair[1]), _points(*pair)]
        burden = [None if r.episodes is UNSET else r.episodes.af_burden for r in (one, other)]
        cells += [percent(burden[0]), percent(burden[1]), _points(*burden)]
        differ = found.differing.get(name, 0)
        rows.append({"name": name, "differ": differ, "beats": one.beats, "cells": cells})
    return rows


def _f1(result: Result, kind: str) -> float | None:
    if result.protocols is None:
        return None
    rates: Rates = getattr(result.protocols.whole, kind)
    return rates.f1


def _trends(
    found: RunComparison, runs: Sequence[RunDir], results: Sequence[Mapping[str, Result]]
) -> list[tuple[str, list[str | None]]]:
    """Both runs' trend of the records in which most beats differ."""
    drawn = []
    for name in sorted(found.records, key=lambda n: -found.differing.get(n, 0)):
        pair = [
            trend(one[name], run.read_events(name), run.plan.rate_hz)
            for run, one in zip(runs, results, strict=True)
        ]
        if any(pair):
            drawn.append((name, pair))
        if len(drawn) == MAX_TRENDS:
            break
    return drawn
