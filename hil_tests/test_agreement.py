"""Agreement: every field of every beat counts, and a beat that only one side has."""

from pathlib import Path

import numpy as np
import pytest
from msgspec.structs import replace
from numpy.typing import NDArray

from einthoven.hil_tests.harness.agreement import FIELDS, compare_runs, differing_beats, listed
from einthoven.report.run import BEAT, SIGNAL_STATE, Events, RunDir
from einthoven.report.testing import PLAN, empty_result


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
        run.write_result(name, replace(empty_result(name), beats=len(rows)))
    return run


def test_two_runs_are_compared_over_the_records_that_both_have(tmp_path: Path) -> None:
    changed = beats()
    changed["label"][5] = 2
    left = make_run(tmp_path / "a", {"100": beats(), "101": beats(4), "102": beats()})
    right = make_run(tmp_path / "b", {"100": beats(), "101": beats(4)})
    third = make_run(tmp_path / "c", {"102": changed, "100": beats()})
    same = compare_runs(left, right)
    assert same["records"] == ["100", "101"] and same["beats"] == 10 and not same["differing"]
    found = compare_runs(left, third)
    assert found["differing"] == {"102": 1}
    assert found["differences"][0].what == "label"
