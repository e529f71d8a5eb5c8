"""The page of the studies: made of the results that are kept, and of nothing else."""

from dataclasses import replace

import numpy as np

from einthoven.paths import ROOT
from training.studies import page, results
from training.studies.page_tables import span, three
from training.studies.published import PUBLISHED
from training.studies.results import Result
from training.studies.scores import patients_right, score

BOARD = {
    "optimize": "speed", "arena_bytes": 1, "ram_bytes": 2, "flash_bytes": 3, "over_flash_bytes": 0,
    "over_ram_bytes": 0, "fits": ["STM32F405RG"], "beats": 7, "differing_values": 0,
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
        params=1000, macs=2000, float32=table, int8={**table, "agreement": 1.0}, board=BOARD,
        tflite_bytes=5,
    )  # fmt: skip
    return replace(made, **more)  # type: ignore[arg-type]


def test_the_page_is_what_the_kept_results_make() -> None:
    """After a new result: python -m training.studies.page."""
    assert page.PAGE.read_text(encoding="utf-8") == page.make(results.read_all())


def test_one_network_both_ways_and_every_look_is_counted() -> None:
    found = {
        r.name: r
        for r in (
            result("residual_random", "random_beats", 9),
            result("residual_inter", "inter_patient", 5),
        )
    }
    text = page.make(found)
    assert "What random splits of beats hide" in text
    flat = text.replace("\n", " ")
    assert "accuracy 90.00 %" in flat and "50.00 %" in flat
    assert (
        "1 trainings of studies were scored on DS2" in text.replace("\n", " ")
        and "`residual_inter`" in text
    )
    assert "98.71 % / .923" in text, "what the study states stands beside it"
    assert "3 of 15" in text and "123,456" in text and "7 of 7" in text
    assert text == page.make(found)


def test_what_does_not_fit_or_differs_is_said() -> None:
    over = {k: v for k, v in BOARD.items() if k not in ("beats", "instructions")}
    over |= {"over_flash_bytes": 1000, "fits": []}
    text = page.make({"x": result("x", "random_beats", 9, board=over)})
    assert "none; exceeds the STM32F405's flash by 1,000 bytes" in text
    wrong = page.make({"x": result("x", "random_beats", 9, board={**BOARD, "differing_values": 4})})
    assert "no: 4 values differ" in wrong and "7 of 7" not in wrong


def test_an_empty_page_and_numbers() -> None:
    assert "None so far" in page.make({})
    assert three(0.0713) == ".071" and three(1.0) == "1.000" and three(None) == "–"
    assert span({"intervals_95": None}, "accuracy") == "–"
    y, found = np.array([0, 0, 1, 1, 1]), np.array([0, 1, 1, 1, 0])
    assert patients_right(y, found, np.array(["a", "a", "b", "b", "b"])) == 1, "half is not most"


def test_published_figures_name_recipes_that_exist() -> None:
    recipes = ROOT / "training" / "recipes" / "studies"
    assert PUBLISHED.keys() <= {path.stem for path in recipes.glob("*.toml")}
