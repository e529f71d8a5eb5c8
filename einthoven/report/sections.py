"""Sections of a run's page about what the device told: episodes, verdicts, signal, trends."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from msgspec import UNSET, UnsetType, structs
from numpy.typing import NDArray

from einthoven.components.words import percent
from einthoven.native.events import Events
from einthoven.native.rhythm import BEGIN, kinds
from einthoven.report import figures
from einthoven.report.description import EpisodeCounts, Result
from einthoven.report.overview import EpisodesSummary, SignalSummary
from einthoven.report.signal import NAMES
from einthoven.scoring.episodes import KINDS

TREND_LEAST_S = 120.0
"""A shorter recording is a strip, which shows all by itself."""
_PROTOCOLS = {"ec57": "EC57", "whole": "whole records"}
_NO_TIME = 0.00005
"""Less of a record's time prints as 0.00 %."""
_TOLD = ("atrial fibrillation", "ventricular flutter or fibrillation")


def episodes_section(
    summary: EpisodesSummary | UnsetType, listed: set[str]
) -> dict[str, Any] | None:
    """AF burden by record, and EC57's comparison of episodes; None where nothing was told."""
    if summary is UNSET or summary.af_burden is None:
        return None
    tables = []
    if summary.protocols is not None:
        for kind, name in KINDS.items():
            for protocol, title in _PROTOCOLS.items():
                table = getattr(getattr(summary.protocols, protocol), kind)
                rows = [r for r in table.records if r.reference_s or r.test_s]
                if rows:
                    shown = [_row(str(r.record), r) for r in rows if r.record in listed]
                    tables.append(
                        {
                            "title": f"{name[0].upper()}{name[1:]}, {title}",
                            "rows": [*shown, _row("Gross", table.gross)],
                        }
                    )
    burdens = [b for b in summary.records if b.record in listed and b.af_burden >= _NO_TIME]
    return {
        "af_burden": summary.af_burden,
        "burdens": sorted(burdens, key=lambda b: -b.af_burden),
        "tables": tables,
    }


def _row(name: str, counts: EpisodeCounts) -> list[str]:
    """Name, seconds in reference and test, duration Se and +P, episodes found and invented."""
    return [
        name,
        f"{counts.reference_s:,.0f}",
        f"{counts.test_s:,.0f}",
        percent(counts.duration_se, 1),
        percent(counts.duration_ppv, 1),
        f"{counts.found} of {counts.found + counts.missed}",
        f"{counts.false} of {counts.true + counts.false}",
    ]


def signal_section(signal: SignalSummary | UnsetType, listed: set[str]) -> dict[str, Any] | None:
    """Each record's time by what the board said of its signal; None where nothing was said."""
    if signal is UNSET or not signal.records:
        return None
    shares = {name: structs.asdict(s) for name, s in signal.records.items() if name in listed}
    amiss = {n: s for n, s in shares.items() if any(v >= _NO_TIME for v in s.values())}
    return {
        "kinds": list(NAMES.values()),
        "rows": [
            (name, [share[k] for k in NAMES], name in signal.unreadable)
            for name, share in amiss.items()
        ],
        "clean": len(shares) - len(amiss),
    }


def verdict_section(results: Sequence[Result], listed: set[str]) -> list[dict[str, Any]]:
    """A row for each record that is a strip."""
    rows = []
    for result in results:
        told = result.verdict
        if told is not UNSET and result.record in listed:
            rows.append(
                {
                    "record": result.record,
                    "verdict": told.verdict,
                    "probability": told.probability,
                    "reasons": "; ".join(told.reasons),
                    "label": told.label,
                    "wrong": told.label is not None and told.label != told.verdict,
                    "differs": told.differs,
                }
            )
    return rows


def trend(result: Result, events: Events, rate_hz: int) -> str | None:
    """Heart rate, ectopic beats and episodes over a record; None of a short or empty one."""
    if result.seconds < TREND_LEAST_S or len(events.beats) < 2:
        return None
    end = round(result.seconds * rate_hz)
    return figures.trend_svg(
        events.beats["t_samples"] / rate_hz,
        events.beats["label"],
        [(a / rate_hz, b / rate_hz) for a, b in _spans(events.rhythm, end)],
        result.seconds,
        f"Record {result.record}",
    )


def _spans(rhythm: NDArray[np.void], end: int) -> list[tuple[int, int]]:
    """(begin, end) of the episodes of fibrillation; one that does not end lasts until `end`."""
    wanted = [kinds().index(name) for name in _TOLD]
    open_at: dict[int, int] = {}
    found: list[tuple[int, int]] = []
    for row in rhythm:
        kind, begin = int(row["kind"]), int(row["begin_samples"])
        if kind not in wanted:
            continue
        if row["phase"] == BEGIN:
            open_at[kind] = begin
        else:
            open_at.pop(kind, None)
            found.append((begin, int(row["end_samples"])))
    return found + [(begin, end) for begin in open_at.values()]
