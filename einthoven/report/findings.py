"""What a run's summary says of the beats' confidence and of the rhythm events built on them."""

from collections.abc import Mapping, Sequence
from typing import Any

from einthoven.scoring import reliability, rhythm


def confidence_summary(results: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """`confidence` of summary.json, over the finished records.

    `beats`, `unsure`: all beats; `scored`: `reliability.summary` of the records that have a
    reference (whole records), None if there are none.
    """
    listed = [r["confidence"]["rows"] for r in results if r["confidence"]["rows"] is not None]
    counts = reliability.from_rows(row for rows in listed for row in rows)
    return {
        "beats": sum(r["beats"] for r in results),
        "unsure": sum(r["confidence"]["unsure"] for r in results),
        "scored": reliability.summary(counts) if listed else None,
    }


def rhythm_summary(results: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """`rhythm` of summary.json: a table of `Rate.to_dict` by kind, and the counts by record.

    `scored` is None if no record has a reference; `records` hold the board's `events` by kind.
    """
    scored = [r["rhythm"]["scored"] for r in results if r["rhythm"]["scored"] is not None]
    return {
        "scored": {k: rate.to_dict() for k, rate in rhythm.total(scored).items()}
        if scored
        else None,
        "records": [{"record": r["record"], **r["rhythm"]} for r in results],
    }


def findings_lines(summary: Mapping[str, Any]) -> list[str]:
    """The same for the terminal: a line or two on each."""
    confidence = summary["confidence"]
    if not confidence["beats"]:
        return []
    lines = [
        f"  unsure             {_share(confidence['unsure'], confidence['beats'])} of all beats"
    ]
    scored = confidence["scored"]
    if scored and scored["error_all"] is not None:
        sure, unsure = scored["sure"], scored["unsure"]
        lines.append(
            f"  wrong class        {_share(sure['wrong'], sure['beats'])} of the sure ones, "
            f"{_share(unsure['wrong'], unsure['beats'])} of the unsure"
        )
    return lines


def record_rows(summary: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Rows of the report's table: record, and a cell for each kind that occurs in the run.

    A cell is the number of events, with what is missing and what is invented where that is known.
    """
    kinds = shown_kinds(summary)
    rows = []
    for entry in summary["rhythm"]["records"]:
        cells = []
        for kind in kinds:
            found = entry["events"].get(kind, 0)
            rate = (entry["scored"] or {}).get(kind)
            parts = [str(found)] if found or rate else []
            if rate and rate["fn"]:
                parts.append(f"−{rate['fn']}")
            if rate and rate["fp"]:
                parts.append(f"+{rate['fp']}")
            cells.append(" ".join(parts))
        rows.append({"record": entry["record"], "cells": cells})
    return rows


def shown_kinds(summary: Mapping[str, Any]) -> list[str]:
    """The kinds of rhythm events that a board or a reference has in this run."""
    return [
        kind
        for kind in rhythm.KINDS
        if any(
            entry["events"].get(kind) or kind in (entry["scored"] or {})
            for entry in summary["rhythm"]["records"]
        )
    ]


def _share(part: int, whole: int) -> str:
    return f"{100 * part / whole:.2f} %" if whole else "none"
