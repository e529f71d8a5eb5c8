"""What summary, terminal and page say of confidence and rhythm."""

from msgspec.structs import replace

from einthoven.report.description import Confidence, RateCounts, Result, Rhythm
from einthoven.report.findings import (
    NOT_CALIBRATED,
    confidence_summary,
    findings_lines,
    record_rows,
    rhythm_summary,
    shown_kinds,
)
from einthoven.report.overview import Judged
from einthoven.report.testing import empty_result

ROWS = [(255, 0, 0, 90), (255, 0, 1, 1), (90, 1, 1, 3), (90, 1, 0, 1)]
EVENTS = {"couplet": RateCounts(tp=2, fn=4, fp=1), "pause": RateCounts(tp=0, fn=2, fp=0)}


def result(name: str, scored: bool = True) -> Result:
    return replace(
        empty_result(name),
        beats=100,
        confidence=Confidence(unsure=4, rows=ROWS if scored else None),
        rhythm=Rhythm(events={"couplet": 3, "bradycardia": 1}, scored=EVENTS if scored else None),
    )


def test_records_add_up() -> None:
    results = [result("100"), result("119"), result("x", scored=False)]
    confidence, rhythm = confidence_summary(results), rhythm_summary(results)
    assert confidence.beats == 300 and confidence.unsure == 12 and confidence.scored is not None
    assert confidence.scored.sure == Judged(beats=182, wrong=2)
    assert confidence.scored.unsure == Judged(beats=8, wrong=6)
    assert rhythm.scored is not None
    couplets = rhythm.scored["couplet"]
    assert (couplets.tp, couplets.fn, couplets.fp) == (4, 8, 2)
    assert couplets.se == 4 / 12
    assert NOT_CALIBRATED in findings_lines(confidence, calibrated=False)[0]
    lines = findings_lines(confidence)
    assert lines[0].endswith("4.00 % of all beats")
    assert "1.10 % of the sure ones, 75.00 % of the unsure" in lines[1]


def test_a_row_a_record_with_what_is_missing_and_invented() -> None:
    found = rhythm_summary([result("100"), result("x", scored=False)])
    assert shown_kinds(found) == ["couplet", "pause", "bradycardia"]
    assert record_rows(found) == [
        {"record": "100", "cells": ["3 −4 +1", "0 −2", "1"]},
        {"record": "x", "cells": ["3", "", "1"]},
    ]


def test_nothing_scored_and_nothing_at_all() -> None:
    results = [result("x", scored=False)]
    confidence = confidence_summary(results)
    assert confidence.scored is None and rhythm_summary(results).scored is None
    assert len(findings_lines(confidence)) == 1
    assert findings_lines(confidence_summary([])) == []
