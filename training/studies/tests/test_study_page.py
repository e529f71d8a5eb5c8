"""The page of the studies: made of the results that are kept, and of nothing else."""

from dataclasses import replace

import numpy as np

from einthoven.paths import ROOT
from einthoven.training.studies.page import side, whole
from einthoven.training.studies.page.published import INFARCTION
from einthoven.training.studies.page.tables import duration, span, three
from einthoven.training.studies.shared import results
from einthoven.training.studies.shared.results import Result
from einthoven.training.studies.shared.scores import patients_right, score

BOARD = {
    "flash_bytes": 300_000, "arena_bytes": 1, "ram_bytes": 2, "beats": 7, "differing": 0,
    "instructions": 123_456,
}  # fmt: skip


def result(name: str, protocol: str, right: int, **more: object) -> Result:
    """A result of which `right` of ten beats are right."""
    y = np.arange(10) % 5
    found = np.where(np.arange(10) < right, y, (y + 1) % 5)
    table = score(y, found, tuple("NSVFQ"), np.array([f"p{i % 3}" for i in range(10)]))
    made = Result(
        study="residual", name=name, network="residual", dataset="beats187", protocol=protocol,
        split="intra-patient" if protocol == "random_beats" else "inter-patient", seed=1,
        classes=tuple("NSVFQ"), train_examples={}, epochs=3, epochs_full=15, train_seconds=60.0,
        params=1000, macs=2000, float32=table, int8={**table, "agreement": 1.0},
        board={"speed": BOARD}, tflite_bytes=5,
    )  # fmt: skip
    return replace(made, **more)  # type: ignore[arg-type]


def test_the_page_is_what_the_kept_results_make() -> None:
    """After a new result: python -m einthoven.training.studies.page."""
    assert whole.PAGE.read_text(encoding="utf-8") == whole.make(results.read_all())


def test_one_network_both_ways_and_every_look_is_counted() -> None:
    found = {
        r.name: r
        for r in (
            result("residual_random", "random_beats", 9),
            result("residual_inter", "inter_patient", 5, looks=3),
        )
    }
    text = whole.make(found)
    assert "What random splits of beats hide" in text
    flat = text.replace("\n", " ")
    assert "accuracy 90.00 %" in flat and "50.00 %" in flat
    assert "3 in all" in flat and "`residual_inter` 3" in flat
    assert "98.71 % / .923" in text, "what the study states stands beside it"
    [row] = [line for line in text.splitlines() if line.startswith("| 3 Residual CNN, MIT-BIH")]
    assert row.index("90.00 %") < row.index("50.00 %"), "own protocol, then other patients"
    assert "3 of 15" in text and "123,456" in text and "7 of 7" in text
    assert text == whole.make(found)


def chips(costs: dict[str, dict[str, int]]) -> list[str]:
    """The last columns of a network's row."""
    text = whole.make({"x": result("x", "random_beats", 9, board=costs)})
    [row] = [line for line in text.splitlines() if line.startswith("| `x` | 1,000")]
    return [cell.strip() for cell in row.split("|")[-4:-1]]


def test_each_chip_is_judged_by_the_goal_that_it_holds() -> None:
    small = {**BOARD, "flash_bytes": 200_000}
    assert chips({"speed": small, "size": small}) == ["speed"] * 3
    big = {**BOARD, "flash_bytes": 500_000}
    assert chips({"speed": big, "size": small}) == ["speed", "size", "speed"]
    over = {**big, "flash_bytes": 384 * 1024 + 1000}
    assert chips({"speed": big, "size": over}) == ["speed", "no: flash by 1,000 B", "speed"]
    huge = {**over, "ram_bytes": 1_000_000}
    assert all("RAM by" in chip for chip in chips({"size": huge}))


def test_a_difference_on_the_board_is_said() -> None:
    costs = {"speed": BOARD, "size": {**BOARD, "differing": 4}}
    text = whole.make({"x": result("x", "random_beats", 9, board=costs)})
    assert "no: 4 beats differ" in text and "7 of 7" not in text


def test_what_is_left_to_train_counts_grids_and_names_recipes_without_a_result() -> None:
    grid = {"grid": {"tried": 3, "of": 18}}
    text = whole.make({"x": result("x", "random_beats", 9, extra=grid, epochs=15)})
    assert "| `x` | 3 of 18 settings | 1 min | 6 min |" in text
    assert "`deep_random`" in text and "The longest is `x` with 6 min" in text.replace("\n", " ")
    assert [duration(s) for s in (0.4, 42, 61, 7200)] == ["0 s", "42 s", "1 min", "2.0 h"]


def test_an_empty_page_and_numbers() -> None:
    assert "None so far" in whole.make({})
    assert three(0.0713) == ".071" and three(1.0) == "1.000" and three(None) == "–"
    assert span({"intervals_95": None}, "accuracy") == "–"
    y, found = np.array([0, 0, 1, 1, 1]), np.array([0, 1, 1, 1, 0])
    assert patients_right(y, found, np.array(["a", "a", "b", "b", "b"])) == 1, "half is not most"


def test_the_first_table_names_recipes_that_exist() -> None:
    recipes = {path.stem for path in (ROOT / "training" / "recipes" / "studies").glob("*.toml")}
    for row in side.networks():
        assert {*row.own, *row.inter} <= recipes


def test_what_study_3_printed_of_ptb_is_not_the_same_f1_each_time() -> None:
    kinds = []
    for printed in INFARCTION.values():
        (a, b), (c, d) = printed.confusion
        assert abs((a + d) / (a + b + c + d) - printed.accuracy) < 1e-6
        kinds += [k for k, f1 in printed.rates().items() if abs(f1 - printed.f1) < 1e-6]
    assert kinds == ["mi_f1", "macro_f1", "macro_f1"]


def test_classifiers_of_patients_stand_beside_the_study_with_int8_and_intervals() -> None:
    values = {"100": 0.8, "102": 0.9, "104": 1.0}
    setting = {"learning_rate": 0.01, "batch": 4, "weighted_sampling": True}
    extra = {
        "grid": {"tried": 18, "of": 18}, "pretrain_epochs": 30, "folds": 4,
        "mean": {"individual": 0.9}, "above_095": {"individual": 1}, "counted": {"individual": 3},
        "records": {name: {"individual": value} for name, value in values.items()},
        "settings": dict.fromkeys(values, setting),
        "int8": {"mean": {"individual": 0.89}, "agreement": {"individual": 0.999}},
        "board_record": "104",
    }  # fmt: skip
    patients = result("cardiacnet_patients", "patient_specific", 9, study="cardiacnet", extra=extra)
    text = whole.make({patients.name: patients})
    [row] = [line for line in text.splitlines() if line.startswith("| 2 CardiacNet, individual")]
    assert "| 94.60 % | 90.00 % | 89.00 % | .800–1.000 | ≤ 3 |" in row
    flat = text.replace("\n", " ")
    assert "All 18 settings" in flat and "windows only: 99.90 %" in flat
    assert "Of record 104, the individual classifier was run" in flat
