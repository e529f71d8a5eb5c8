"""What summary, terminal and page say of confidence and rhythm."""

from typing import Any

from einthoven.report.findings import (
    confidence_summary,
    findings_lines,
    record_rows,
    rhythm_summary,
    shown_kinds,
)


def result(name: str, scored: bool = True) -> dict[str, Any]:
    return {
        "record": name,
        "beats": 100,
        "confidence": {
            "unsure": 4,
            "rows": [[255, 0, 0, 90], [255, 0, 1, 1], [90, 1, 1, 3], [90, 1, 0, 1]]
            if scored
            else None,
        },
        "rhythm": {
            "events": {"couplet": 3, "bradycardia": 1},
            "scored": {"couplet": {"tp": 2, "fn": 4, "fp": 1}, "pause": {"tp": 0, "fn": 2, "fp": 0}}
            if scored
            else None,
        },
    }


def summary(*results: dict[str, Any]) -> dict[str, Any]:
    return {"confidence": confidence_summary(results), "rhythm": rhythm_summary(results)}


def test_records_add_up() -> None:
    found = summary(result("100"), result("119"), result("x", scored=False))
    assert found["confidence"]["beats"] == 300 and found["confidence"]["unsure"] == 12
    assert found["confidence"]["scored"]["sure"] == {"beats": 182, "wrong": 2}
    assert found["confidence"]["scored"]["unsure"] == {"beats": 8, "wrong": 6}
    couplets = found["rhythm"]["scored"]["couplet"]
    assert (couplets["tp"], couplets["fn"], couplets["fp"]) == (4, 8, 2)
    assert couplets["se"] == 4 / 12
    lines = findings_lines(found)
    assert lines[0].endswith("4.00 % of all beats")
    assert "1.10 % of the sure ones, 75.00 % of the unsure" in lines[1]


def test_a_row_a_record_with_what_is_missing_and_invented() -> None:
    found = summary(result("100"), result("x", scored=False))
    assert shown_kinds(found) == ["couplet", "pause", "bradycardia"]
    assert record_rows(found) == [
        {"record": "100", "cells": ["3 −4 +1", "0 −2", "1"]},
        {"record": "x", "cells": ["3", "", "1"]},
    ]


def test_nothing_scored_and_nothing_at_all() -> None:
    found = summary(result("x", scored=False))
    assert found["confidence"]["scored"] is None and found["rhythm"]["scored"] is None
    assert len(findings_lines(found)) == 1
    assert findings_lines(summary()) == []
