"""Agreement: every field of every beat counts, and a beat that only one side has."""

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from msgspec.structs import replace
from numpy.typing import NDArray

from einthoven.errors import UsageError
from einthoven.hil_tests.harness.agreement import FIELDS, compare_runs, differing_beats, listed
from einthoven.native.events import BEAT, SIGNAL_STATE, Events
from einthoven.report.files import write_report
from einthoven.report.run import RunDir
from einthoven.report.testing import PLAN, empty_result
from einthoven.report.text import agreement_text


def beats(n: int = 6) -> NDArray[np.void]:
    rows = np.zeros(n, dtype=BEAT)
    rows["t_samples"] = 100 + 150 * np.arange(n)
    rows["t_emitted"] = rows["t_samples"] + 190
    rows["tensor_crc"] = np.arange(n) + 0xABC0
    rows["logits"] = np.arange(n * 5).reshape(n, 5)
    return rows


def test_equal_beats_do_not_differ() -> None:
    assert differing_beats(beats(), beats()) == []


@pytest.mark.parametrize("field", FIELDS)
def test_a_difference_in_any_field_is_found_and_named(field: str) -> None:
    changed = beats()
    changed[field][3] += 1
    (found,) = differing_beats(beats(), changed)
    assert (found.t_samples, found.what) == (550, field)
    assert found.left != found.right


def test_one_logit_of_five_is_enough() -> None:
    changed = beats()
    changed["logits"][2, 4] -= 1
    (found,) = differing_beats(beats(), changed)
    assert found.left == "[10, 11, 12, 13, 14]" and found.right == "[10, 11, 12, 13, 13]"


def test_the_cost_of_an_inference_may_differ() -> None:
    changed = beats()
    changed["count"] += 17
    assert differing_beats(beats(), changed) == []


def test_a_beat_that_one_side_lacks_or_has_elsewhere_differs() -> None:
    moved = beats()
    moved["t_samples"][1] += 1
    found = differing_beats(beats(), moved)
    assert [(d.t_samples, d.left, d.right) for d in found] == [
        (250, "beat", "none"),
        (251, "none", "beat"),
    ]
    assert len(differing_beats(beats(6), beats(4))) == 2
    assert len(differing_beats(beats(0), beats(4))) == 4


def test_the_list_is_cut_and_says_where() -> None:
    changed = beats(30)
    changed["flags"] = 1
    found = listed(differing_beats(beats(30), changed), "119", "device | host int8", 180.0, 20)
    assert len(found) == 20
    assert found[0].record == "119" and found[0].time_s == pytest.approx(100 / 180)


def make_run(path: Path, records: dict[str, NDArray[np.void]]) -> RunDir:
    data = replace(PLAN.data, records=list(records))
    run = RunDir.create(path, replace(PLAN, data=data))
    for name, rows in records.items():
        run.write_events(
            name, Events(rows, np.zeros(0, SIGNAL_STATE)), rows["t_samples"].astype(np.int64)
        )
        result = empty_result(name)
        agreement = replace(result.agreement, beats=len(rows))
        run.write_result(name, replace(result, beats=len(rows), agreement=agreement))
    return run


def test_two_runs_are_compared_over_the_records_that_both_have(tmp_path: Path) -> None:
    changed = beats()
    changed["label"][5] = 2
    left = make_run(tmp_path / "a", {"100": beats(), "101": beats(4), "102": beats()})
    right = make_run(tmp_path / "b", {"100": beats(), "101": beats(4)})
    third = make_run(tmp_path / "c", {"102": changed, "100": beats()})
    same = compare_runs(left, right)
    assert same.records == ["100", "101"] and same.beats == 10 and not same.differing
    found = compare_runs(left, third)
    assert found.differing == {"102": 1}
    assert found.differences[0].what == "label"
    assert (same.only, found.only) == ((["102"], []), (["101"], []))


def test_two_runs_that_differ_in_the_signals_state_differ(tmp_path: Path) -> None:
    left, right = (make_run(tmp_path / name, {"100": beats()}) for name in "ab")
    states = np.array([(0, 4)], dtype=SIGNAL_STATE)
    right.write_events("100", Events(beats(), states), beats()["t_samples"].astype(np.int64))
    assert compare_runs(left, right).states_differ == 1


def test_runs_without_a_common_record_are_not_equal(tmp_path: Path) -> None:
    left = make_run(tmp_path / "a", {"100": beats()})
    right = make_run(tmp_path / "b", {"200": beats(), "201": beats()})
    with pytest.raises(UsageError, match=r"finished 100, .* 200, 201, and no record is in both"):
        compare_runs(left, right)


def lead_off(path: Path) -> RunDir:
    """A run of one record of 20 s, whose lead is off from 1 s on: no beat."""
    run = make_run(path, {"100": beats(0)})
    states = np.array([(0, 32), (180, 5)], dtype=SIGNAL_STATE)
    run.write_events("100", Events(beats(0), states), np.zeros(0, np.int64))
    run.write_result("100", replace(empty_result("100"), samples=3600, seconds=20.0))
    return run


def test_a_check_that_compared_nothing_is_not_passed(
    tmp_path: Path, einthoven: Callable[..., int], capsys: pytest.CaptureFixture[str]
) -> None:
    run, other = lead_off(tmp_path / "a").path, lead_off(tmp_path / "b").path
    for words in ((run,), (run, other), (run, "--layers")):
        assert einthoven("compare", *words) == 2
        error = capsys.readouterr().err
        assert "nothing" in error and "no beat in 100 (lead off for 19 s)" in error
    empty = RunDir.create(tmp_path / "c", PLAN)
    assert einthoven("compare", empty.path) == 2
    assert "no record" in capsys.readouterr().err
    full = make_run(tmp_path / "d", {"100": beats()})
    assert einthoven("compare", full.path) == 0


def test_what_was_not_compared_is_not_shown_as_equal(tmp_path: Path) -> None:
    run = lead_off(tmp_path / "a")
    summary = write_report(run)
    text = agreement_text(summary.agreement).plain
    assert "differ" not in text and "not compared" in text
    assert "record 100: no beat in 20 s, nothing to compare: lead off for 19 s" in text
    page = (run.path / "report.html").read_text()
    assert "Nothing was compared" in page and "lead off for 19 s" in page
    assert ">0 differ<" not in page and 'class="good"' not in page
    assert json.loads((run.path / "summary.json").read_text())["agreement"]["without_beats"] == [
        {"record": "100", "seconds": 20.0, "reason": "lead off for 19 s"}
    ]
