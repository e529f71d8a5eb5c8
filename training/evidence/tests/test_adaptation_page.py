"""docs/adaptation.md is what the committed results say."""

import json
from pathlib import Path
from typing import Any

import pytest

from einthoven.errors import ModelError, UsageError
from einthoven.scoring.comparison import Rate
from einthoven.training.evidence.measured import adapted
from einthoven.training.evidence.measured.adapted import FOLDER as RESULTS
from einthoven.training.evidence.measured.adapted import total
from einthoven.training.evidence.pages.adaptation import (
    PAGE,
    crossval_table,
    ds2_tables,
    keep,
    page,
    worse_line,
)
from einthoven.training.evidence.pages.goals import GOALS, goal_table


def test_the_page_is_what_the_results_say() -> None:
    assert PAGE.read_text(encoding="utf-8") == page()


def test_the_settings_that_are_used_are_in_the_table() -> None:
    from einthoven.training.adaptation.fit import Settings

    used = f"penalty {Settings.penalty:g}, memory {Settings.memory_weight:g}"
    assert used in crossval_table(json.loads((RESULTS / "crossval.json").read_text()))


def side(tp: int) -> dict[str, Any]:
    rate = Rate(tp, 10 - tp, 2).to_dict()
    return {"beats": 30, "accuracy": 0.9, "N": rate, "S": rate, "V": rate, "macro_f1": 0.5}


def test_both_sides_are_printed() -> None:
    head = {"record": "mitdb/232", "minutes": 5.0, "beats": {"N": 3}, "settings": {}}
    head["sha256"] = "cd" * 32
    record = {"record": "232", "head": head, "unadapted": side(3), "adapted": side(8)}
    kept = {
        "board": "host",
        "model": {"name": "m", "sha256": "ab" * 32},
        "agreement": {"beats": 30, "device_vs_host_int8": 0, "host_int8_vs_tflm": 0},
        "adaptation": {"protocol": "ec57", "minutes": 5.0, "records": [record], "gross": record},
    }
    text = ds2_tables({"shipped": kept, "seed 2": kept})
    assert "| shipped | all | unadapted | 90.00 % | 30.0/60.0/.400 |" in text
    assert "| seed 2 | all | adapted | 90.00 % | 80.0/80.0/.800 |" in text
    assert "| shipped | without 232 | adapted | – % | –/–/– |" in text
    assert "adapted N .800–.800, S .800–.800" in text
    assert "Worse with a head than without: no record." in text
    assert "| 232 | 90.0 > 90.0 | 10 | 40.0 > 80.0 |" in text


def test_a_run_without_heads_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="no finished replay"):
        keep(tmp_path)
    (tmp_path / "summary.json").write_text('{"adaptation": null}')
    with pytest.raises(UsageError, match="without heads"):
        keep(tmp_path)


def test_records_that_lose_by_their_head_are_named() -> None:
    records = [
        {"record": "100", "unadapted": side(3), "adapted": side(8)},
        {"record": "200", "unadapted": side(8), "adapted": {**side(8), "accuracy": 0.85}},
    ]
    assert worse_line(records) == ("Worse with a head than without: 200 (accuracy 90.00 > 85.00).")
    found = total(records, "adapted")
    assert found["accuracy"] == pytest.approx(0.875)
    assert (found["S"]["tp"], found["S"]["fn"], found["S"]["fp"]) == (16, 4, 4)


def test_a_result_is_kept_under_its_models_seed(monkeypatch: pytest.MonkeyPatch) -> None:
    results = [{"seed": 2, "sha256": {"ptq": "b"}}]
    monkeypatch.setattr(adapted, "load_all", lambda: results)
    monkeypatch.setattr(adapted, "shipped_sha256", lambda: "a")
    assert adapted.file_name("a") == "ds2.json"
    assert adapted.file_name("b") == "ds2-seed2.json"
    with pytest.raises(ModelError, match="no result of the model c"):
        adapted.file_name("c")


def test_results_of_models_that_are_shipped_no_longer_are_left_out(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    assert next(iter(adapted.adapted_results())) == "shipped"
    monkeypatch.setattr(adapted, "shipped_sha256", lambda: "another")
    monkeypatch.setattr(adapted, "load_all", list)
    assert adapted.adapted_results() == {}
    with pytest.raises(ModelError, match="replay DS2 with --adapt 5"):
        ds2_tables({})
    assert goal_table([]).count("not measured") == sum(len(goal.least) for goal in GOALS)
