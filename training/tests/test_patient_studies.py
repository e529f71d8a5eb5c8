"""Studies 2 and 4 by the commands that users type, in their quick form, on records."""

import json
from pathlib import Path

import pytest

from einthoven.cli import main
from training.studies import results
from training.studies.measure import evaluate, on_board
from training.studies.runs import HERE

RECIPES = Path("training/recipes/studies")


def einthoven(monkeypatch: pytest.MonkeyPatch, *arguments: object) -> int:
    monkeypatch.setattr("sys.argv", ["einthoven", *map(str, arguments)])
    with pytest.raises(SystemExit) as stop:
        main()
    return int(stop.value.code or 0)


@pytest.mark.records
def test_cardiacnet_learns_and_is_exact_on_the_board(
    mitdb: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = tmp_path / "cardiacnet_random"
    recipe = RECIPES / "cardiacnet_random.toml"
    assert einthoven(monkeypatch, "train", recipe, "--out", run, "--quick") == 0
    assert einthoven(monkeypatch, "quantize", run) == 0
    result = on_board(evaluate(run, HERE), run, HERE, beats=3)
    assert result.classes == ("normal", "abnormal")
    assert result.float32["balanced_accuracy"] > 0.8
    assert result.int8 is not None and result.int8["agreement"] > 0.97
    assert result.params == 67_169 + 32, "int8 gives the stem a bias"
    assert result.board is not None and result.board["differing_values"] == 0
    assert "STM32F405RG" in result.board["fits"]


@pytest.mark.records
def test_patient_specific_classifiers(
    mitdb: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    run = tmp_path / "cardiacnet_patients"
    recipe = RECIPES / "cardiacnet_patients.toml"
    assert einthoven(monkeypatch, "train", recipe, "--out", run, "--quick") == 0
    assert "next: einthoven evaluate" in capsys.readouterr().out
    assert einthoven(monkeypatch, "train", recipe, "--out", run, "--quick", "--resume") == 0
    assert "search" not in capsys.readouterr().out, "nothing is trained again"
    assert einthoven(monkeypatch, "quantize", run) == 2
    assert "quantize cardiacnet_random" in capsys.readouterr().err
    result = on_board(evaluate(run, HERE), run, HERE)
    assert result.board is None and result.int8 is None
    assert set(result.extra["records"]) == {"119", "201", "208"}
    assert result.extra["mean"]["tuned_all"] > 0.8
    assert results.read(results.write(result, tmp_path)).extra == result.to_dict()["extra"]


@pytest.mark.records
def test_vgg16_trains_on_drawn_beats(
    mitdb: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    run = tmp_path / "vgg16_random"
    recipe = RECIPES / "vgg16_random.toml"
    assert einthoven(monkeypatch, "train", recipe, "--out", run, "--quick") == 0
    losses = [json.loads(s)["loss"] for s in (run / "training_log.jsonl").read_text().splitlines()]
    assert losses[-1] < 0.7 * losses[0]
    capsys.readouterr()
    assert einthoven(monkeypatch, "quantize", run) == 2
    assert "65 million weights" in capsys.readouterr().err
    result = on_board(evaluate(run, HERE), run, HERE)
    n = [r["n"] for r in result.float32["per_class"].values()]
    assert result.float32["accuracy"] > max(n) / sum(n) + 0.1
    assert result.board is not None and result.board["fits"] == []
    assert einthoven(monkeypatch, "train", recipe, "--out", run, "--cluster", "local:2") == 2
    assert "leave --cluster out" in capsys.readouterr().err
