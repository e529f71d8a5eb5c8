"""What a run's summary says of confidence, rhythm events, and records without beats."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from msgspec import UNSET, structs
from numpy.typing import NDArray

from einthoven.report.description import Difference, Rates, Result
from einthoven.report.overview import (
    AgreementSummary,
    ConfidenceSummary,
    Reliability,
    RhythmRecord,
    RhythmSummary,
    WithoutBeats,
)
from einthoven.report.run import RunDir
from einthoven.report.schema import of_builtins
from einthoven.scoring import quality, reliability, rhythm

_LISTED = 10

_STATES = {
    "lost": "samples lost",
    "lead_off": "lead off",
    "clipped": "clipped",
    "flat": "flat",
    "hum": "mains hum",
    "motion": "motion",
    "noisy": "too noisy",
}
"""Words for `quality.KINDS`."""


@dataclass(frozen=True)
class RunComparison:
    """Two runs over the records that both have finished."""

    records: list[str]
    beats: int
    """Of both runs together, each R counted once."""
    differing: dict[str, int]
    """Record to beats that differ, of those that have any."""
    states_differ: int
    """Changes of the signal's state that only one run has."""
    differences: list[Difference]
    """The first ones."""
    only: tuple[list[str], list[str]]
    """Records that only the left, only the right run has finished."""


def without_beats(run: RunDir, results: Sequence[Result]) -> list[WithoutBeats]:
    """The records in which the board found no beat, and what it said of their signal."""
    found = []
    for result in results:
        if result.beats == 0:
            states = run.read_events(result.record).states
            reason = signal_reason(states, result.samples, run.plan.rate_hz)
            found.append(WithoutBeats(record=result.record, seconds=result.seconds, reason=reason))
    return found


def signal_reason(states: NDArray[np.void], samples: int, rate_hz: int) -> str:
    """How long the signal was in which state, such as `lead off for 12 s, flat for 3 s`.

    `states`: dtype SIGNAL_STATE, of a record of that many samples.
    """
    found = quality.shares(states, samples)
    said = [
        f"{words} for {_seconds(found[name] * samples / rate_hz)}"
        for name, words in _STATES.items()
        if found[name]
    ]
    return ", ".join(said) or "the signal was not called bad"


def _seconds(value: float) -> str:
    return f"{value:.0f} s" if value >= 1 else f"{value:.1f} s"


def without_beats_lines(agreement: AgreementSummary) -> list[str]:
    """A line a record of which nothing was compared; the first ten."""
    listed = [] if agreement.without_beats is UNSET else agreement.without_beats
    lines = [
        f"record {e.record}: no beat in {_seconds(e.seconds)}, nothing to compare: {e.reason}"
        for e in listed[:_LISTED]
    ]
    if len(listed) > _LISTED:
        lines.append(f"and {len(listed) - _LISTED} more records without a beat")
    return lines


def confidence_summary(results: Sequence[Result]) -> ConfidenceSummary:
    """`confidence` of summary.json, over the finished records.

    `beats`, `unsure`: all beats; `scored`: `reliability.summary` of the records that have a
    reference (whole records), None if there are none.
    """
    listed = [r.confidence.rows for r in results if r.confidence.rows is not None]
    counts = reliability.from_rows(row for rows in listed for row in rows)
    return ConfidenceSummary(
        beats=sum(r.beats for r in results),
        unsure=sum(r.confidence.unsure for r in results),
        scored=of_builtins(reliability.summary(counts), Reliability) if listed else None,
    )


def rhythm_summary(results: Sequence[Result]) -> RhythmSummary:
    """`rhythm` of summary.json: a table of `Rate.to_dict` by kind, and the counts by record.

    `scored` is None if no record has a reference; `records` hold the board's `events` by kind.
    """
    scored = [
        {kind: structs.asdict(counts) for kind, counts in r.rhythm.scored.items()}
        for r in results
        if r.rhythm.scored is not None
    ]
    rates = {kind: rate.to_dict() for kind, rate in rhythm.total(scored).items()}
    return RhythmSummary(
        scored=of_builtins(rates, dict[str, Rates]) if scored else None,
        records=[
            RhythmRecord(record=r.record, events=r.rhythm.events, scored=r.rhythm.scored)
            for r in results
        ],
    )


NOT_CALIBRATED = (
    "this model's confidence was never calibrated, so every beat is unsure "
    "(einthoven train RECIPE --deploy)"
)


def findings_lines(confidence: ConfidenceSummary, calibrated: bool = True) -> list[str]:
    """The same for the terminal: a line or two on each."""
    if not confidence.beats:
        return []
    if not calibrated:
        return [f"  unsure             {NOT_CALIBRATED}"]
    lines = [f"  unsure             {_share(confidence.unsure, confidence.beats)} of all beats"]
    scored = confidence.scored
    if scored and scored.error_all is not None:
        sure, unsure = scored.sure, scored.unsure
        lines.append(
            f"  wrong class        {_share(sure.wrong, sure.beats)} of the sure ones, "
            f"{_share(unsure.wrong, unsure.beats)} of the unsure"
        )
    return lines


def record_rows(found: RhythmSummary) -> list[dict[str, Any]]:
    """Rows of the report's table: record, and a cell for each kind that occurs in the run.

    A cell is the number of events, with what is missing and what is invented where that is known.
    """
    kinds = shown_kinds(found)
    rows = []
    for entry in found.records:
        cells = []
        for kind in kinds:
            events = entry.events.get(kind, 0)
            rate = (entry.scored or {}).get(kind)
            parts = [str(events)] if events or rate else []
            if rate and rate.fn:
                parts.append(f"−{rate.fn}")
            if rate and rate.fp:
                parts.append(f"+{rate.fp}")
            cells.append(" ".join(parts))
        rows.append({"record": entry.record, "cells": cells})
    return rows


def shown_kinds(found: RhythmSummary) -> list[str]:
    """The kinds of rhythm events that a board or a reference has in this run."""
    return [
        kind
        for kind in rhythm.KINDS
        if any(entry.events.get(kind) or kind in (entry.scored or {}) for entry in found.records)
    ]


def _share(part: int, whole: int) -> str:
    return f"{100 * part / whole:.2f} %" if whole else "none"
