"""Studies 2 and 4 by the commands that users type, in their quick form, on records."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from einthoven.errors import ModelError, UsageError
from einthoven.training.studies import board
from einthoven.training.studies.measure import evaluate, on_board
from einthoven.training.studies.runs import HERE
from einthoven.training.studies.shared import results

RECIPES = Path("training/recipes/studies")


@pytest.mark.records
def test_cardiacnet_learns_and_is_exact_on_the_board(
    mitdb: Path, tmp_path: Path, einthoven: Callable[..., int]
) -> None:
    run = tmp_path / "cardiacnet_random"
    recipe = RECIPES / "cardiacnet_random.toml"
    assert einthoven("train", recipe, "--out", run, "--quick") == 0
    assert einthoven("quantize", run) == 0
    result = on_board(evaluate(run, HERE), run, HERE, beats=3)
    assert result.classes == ("normal", "abnormal")
    assert result.float32["balanced_accuracy"] > 0.8
    assert result.int8 is not None and result.int8["agreement"] > 0.97
    assert result.params == 67_169 + 32, "int8 gives the stem a bias"
    assert result.board is not None
    assert [cost["differing"] for cost in result.board.values()] == [0, 0]
    assert board.goal_for(result.board, board.EMULATED) == "speed"


@pytest.mark.records
def test_patient_specific_classifiers(
    mitdb: Path,
    tmp_path: Path,
    einthoven: Callable[..., int],
    capsys: pytest.CaptureFixture[str],
) -> None:
    run = tmp_path / "cardiacnet_patients"
    recipe = RECIPES / "cardiacnet_patients.toml"
    assert einthoven("train", recipe, "--out", run, "--quick") == 0
    assert "next: einthoven quantize" in capsys.readouterr().out
    assert einthoven("train", recipe, "--out", run, "--quick", "--resume") == 0
    assert "search" not in capsys.readouterr().out, "nothing is trained again"
    with pytest.raises(UsageError, match="is not quantized"):
        evaluate(run, HERE)
    assert einthoven("quantize", run) == 0
    result = on_board(evaluate(run, HERE), run, HERE, beats=3)
    assert result.int8 is not None and result.int8["agreement"] > 0.97
    assert min(result.extra["int8"]["agreement"].values()) > 0.97
    assert result.extra["int8"]["counted"] == {"individual": 3, "tuned_all": 3}
    for column, mean in result.extra["int8"]["mean"].items():
        assert mean == pytest.approx(result.extra["mean"][column], abs=0.03)
    assert result.board is not None and result.extra["board_record"] == "119"
    assert [cost["differing"] for cost in result.board.values()] == [0, 0]
    model = run / "int8" / "tuned_all" / "208"
    assert einthoven("export", model, "--out", tmp_path / "c") == 0
    assert "cardiacnet_patients-quick-tuned_all-208" in (tmp_path / "c/ein_network.h").read_text()
    made = (model / "model.tflite").stat().st_mtime_ns
    assert einthoven("quantize", run) == 0
    assert (model / "model.tflite").stat().st_mtime_ns == made, "it was there"
    first = run / "int8" / "search" / "119" / "model.json"
    first.write_text(json.dumps({**json.loads(first.read_text()), "weights_sha256": "other"}))
    with pytest.raises(ModelError, match=r"not of the weights .* einthoven quantize"):
        evaluate(run, HERE)
    assert set(result.extra["records"]) == {"119", "201", "208"}
    assert result.extra["mean"]["tuned_all"] > 0.8
    assert results.read(results.write(result, tmp_path)).extra == result.to_dict()["extra"]


@pytest.mark.records
def test_vgg16_trains_on_drawn_beats(
    mitdb: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    einthoven: Callable[..., int],
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    run = tmp_path / "vgg16_random"
    recipe = RECIPES / "vgg16_random.toml"
    assert einthoven("train", recipe, "--out", run, "--quick") == 0
    losses = [json.loads(s)["loss"] for s in (run / "training_log.jsonl").read_text().splitlines()]
    assert losses[-1] < 0.7 * losses[0]
    capsys.readouterr()
    assert einthoven("quantize", run) == 2
    assert "65 million weights" in capsys.readouterr().err
    result = on_board(evaluate(run, HERE), run, HERE)
    n = [r["n"] for r in result.float32["per_class"].values()]
    assert result.float32["accuracy"] > result.extra["majority_accuracy"] + 0.1
    assert result.extra["majority_accuracy"] == pytest.approx(max(n) / sum(n))
    assert result.extra["train_accuracy"] > result.extra["majority_accuracy"] + 0.1
    assert result.board is not None
    assert all(board.goal_for(result.board, chip) is None for chip in board.CHIPS)
    assert einthoven("train", recipe, "--out", run, "--cluster", "local:2") == 2
    assert "leave --cluster out" in capsys.readouterr().err
