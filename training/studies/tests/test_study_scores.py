"""Scores against figures that study 3 printed beside its confusion matrices; results; recipes."""

import json
from pathlib import Path

import numpy as np
import pytest

from einthoven.errors import UsageError
from einthoven.paths import ROOT
from einthoven.training.studies import registry
from einthoven.training.studies.cardiacnet.plan import plan_of
from einthoven.training.studies.shared import recipe, results
from einthoven.training.studies.shared.fit import decide
from einthoven.training.studies.shared.recipe import Fit
from einthoven.training.studies.shared.results import Result
from einthoven.training.studies.shared.scores import confusion, mean_span, rates, score, wilson_span

RECIPES = sorted((ROOT / "training" / "recipes" / "studies").glob("*.toml"))
MINIMAL = (
    'study = "s"\nname = "x"\nnetwork = "transferable"\ndataset = "beats187"\n'
    'protocol = "random_beats"\n'
)

# Naidu, Devi 2020, "Results and Analysis": matrix, accuracy and macro-F1 as printed there.
PRINTED = (
    (
        [[18033, 52, 24, 3, 6], [101, 444, 10, 0, 1], [48, 2, 1380, 13, 5], [22, 0, 20, 120, 0],
         [18, 0, 3, 0, 1587]],
        0.9850173579389732, 0.9173432846885803,
    ),
    (
        [[18045, 35, 28, 4, 6], [85, 461, 9, 0, 1], [32, 1, 1396, 16, 3], [30, 0, 13, 119, 0],
         [18, 0, 1, 0, 1589]],
        0.9871185821304587, 0.9230236986939288,
    ),
    (
        [[18066, 20, 20, 6, 6], [98, 445, 11, 1, 1], [27, 4, 1397, 17, 3], [23, 1, 15, 122, 1],
         [12, 0, 3, 0, 1593]],
        0.9877124063584871, 0.9222344281630622,
    ),
)  # fmt: skip


@pytest.mark.parametrize(("table", "accuracy", "macro_f1"), PRINTED)
def test_rates_are_those_that_study_3_printed(
    table: list[list[int]], accuracy: float, macro_f1: float
) -> None:
    found = rates(np.array(table))
    assert found["accuracy"] == pytest.approx(accuracy, abs=1e-9)
    assert found["macro_f1"] == pytest.approx(macro_f1, abs=1e-9)


def test_scores_of_a_small_case() -> None:
    y = np.array([0, 0, 0, 1, 1, 0])
    found = np.array([0, 0, 1, 1, 0, 0])
    patient = np.array(["a", "a", "b", "b", "c", "c"])
    table = score(y, found, ("n", "v", "q"), patient)
    assert table["confusion"] == [[3, 1, 0], [1, 1, 0], [0, 0, 0]]
    assert table["accuracy"] == pytest.approx(4 / 6)
    assert table["balanced_accuracy"] == pytest.approx((3 / 4 + 1 / 2) / 2), "q does not occur"
    assert table["per_class"]["v"] == {"n": 2, "se": 0.5, "ppv": 0.5, "f1": 0.5}
    assert table["per_class"]["q"] == {"n": 0, "se": None, "ppv": None, "f1": None}
    low, high = table["intervals_95"]["accuracy"]
    assert low == pytest.approx(0.5) and high == pytest.approx(1.0), "whole patients are drawn"
    by_class = table["intervals_95"]["per_class"]
    assert by_class["n"]["se"] == pytest.approx((0.0, 1.0)) and by_class["q"]["se"] is None
    assert score(y, found, ("n", "v", "q"), np.full(6, ""))["intervals_95"] is None
    assert confusion(y, found, 3).sum() == 6


def test_intervals_of_shares_and_means() -> None:
    # R. G. Newcombe, 1998, doi:10.1002/(SICI)1097-0258(19980430)17:8<857::AID-SIM777>3.0.CO;2-E.
    assert wilson_span(81, 263) == pytest.approx((0.2553, 0.3662), abs=1e-4)
    assert wilson_span(0, 20) == pytest.approx((0.0, 0.1611), abs=1e-4)
    low, high = mean_span([0.9, 1.0] * 50) or (0, 0)
    assert low == pytest.approx(0.94, abs=0.005) and high == pytest.approx(0.96, abs=0.005)


def test_decisions() -> None:
    assert decide(np.array([[1, 3, 3], [0, -1, -2]])).tolist() == [1, 0]
    assert decide(np.array([[0.1], [0.0], [-3.0]])).tolist() == [1, 0, 0]


@pytest.mark.parametrize("path", RECIPES, ids=lambda p: p.stem)
def test_own_recipes_load_and_are_named_as_their_file(path: Path) -> None:
    loaded = recipe.load(path)
    assert recipe.is_study(path)
    assert loaded.name == path.stem
    assert loaded.quickly().name == f"{path.stem}-quick"
    assert loaded.quick, "every recipe has a quick form"
    for form in (loaded, loaded.quickly()):
        registry.check_names(form)
        if form.protocol == recipe.PATIENT_SPECIFIC:
            assert plan_of(form).records


def test_quick_changes_what_it_names_only(tmp_path: Path) -> None:
    path = tmp_path / "r.toml"
    path.write_text(
        MINIMAL + '[data]\nrecords = "all"\nr_peaks = "maxima"\n[fit]\nbatch = 7\n'
        '[quick]\ncalibration = 3\n[quick.data]\nrecords = "100"\n[quick.fit]\nepochs = 2\n'
    )
    quick = recipe.load(path).quickly()
    assert quick.data == {"records": "100", "r_peaks": "maxima"}
    assert quick.fit == Fit(epochs=2, batch=7) and quick.calibration == 3


@pytest.mark.parametrize(
    ("text", "named"),
    [
        (MINIMAL + "[fit]\nepoch = 3\n", "epoch"),
        (MINIMAL + "[quick.fit]\nbatch = 'x'\n", "batch"),
        (MINIMAL + "[quick]\nseed = 2\n", "seed"),
        (MINIMAL + "colour = 1\n", "colour"),
        (MINIMAL + "data = 3\n", "data"),
        (MINIMAL + '[fit]\nbalance = "half"\n', "balance"),
        (MINIMAL.replace("random_beats", "random"), "protocol"),
        ('study = "s"\n', "name"),
    ],
)
def test_mistakes_are_named(tmp_path: Path, text: str, named: str) -> None:
    path = tmp_path / "recipe.toml"
    path.write_text(text)
    with pytest.raises(UsageError, match=named):
        recipe.load(path)
    assert not recipe.is_study(tmp_path / "none.toml")


def a_result() -> Result:
    table = score(np.array([0, 1]), np.array([0, 1]), ("a", "b"), np.array(["p", "q"]))
    return Result(
        study="s", name="x", network="n", dataset="d", protocol="random_beats",
        split="intra-patient", seed=1, classes=("a", "b"), train_examples={"a": 1, "b": 2},
        epochs=1, epochs_full=2, train_seconds=1.23456789, params=3, macs=4, float32=table,
    )  # fmt: skip


def test_a_kept_result_comes_back_as_it_was(tmp_path: Path) -> None:
    path = results.write(a_result(), tmp_path)
    assert results.read(path).to_dict() == a_result().to_dict()
    assert results.read_all(tmp_path).keys() == {"x"}
    assert "1 of 2 epochs" in results.read(path).text()
    table = json.loads(path.read_text())
    assert table["train_seconds"] == 1.234568
    for broken in ("{", "[]", json.dumps({**table, "schema": 0}), json.dumps({"schema": 1})):
        path.write_text(broken)
        with pytest.raises(UsageError, match="measure it again"):
            results.read(path)
