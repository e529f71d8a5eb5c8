"""Reference studies by the commands that users type, in their quick form, on records."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from einthoven.training.studies import board, measure, workflow
from einthoven.training.studies.measure import evaluate, on_board
from einthoven.training.studies.runs import HERE, Sources
from einthoven.training.studies.shared import results
from einthoven.training.studies.shared.recipe import load
from einthoven.training.studies.shared.results import Result
from einthoven.training.studies.shared.scores import score

RECIPES = Path("training/recipes/studies")


@pytest.fixture(scope="module")
def run(
    tmp_path_factory: pytest.TempPathFactory, mitdb: Path, einthoven: Callable[..., int]
) -> Path:
    """A quick training of study 1, quantized."""
    folder = tmp_path_factory.mktemp("runs") / "transferable_random"
    recipe = RECIPES / "transferable_random.toml"
    assert einthoven("train", recipe, "--out", folder, "--quick", "--epochs", 2) == 0
    assert len((folder / "training_log.jsonl").read_text().splitlines()) == 2
    assert einthoven("train", recipe, "--out", folder, "--quick", "--resume") == 0
    assert einthoven("quantize", folder) == 0
    return folder


@pytest.mark.records
def test_a_quick_study_learns_and_is_exact_on_the_board(
    run: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], einthoven: Callable[..., int]
) -> None:
    losses = [json.loads(s)["loss"] for s in (run / "training_log.jsonl").read_text().splitlines()]
    assert len(losses) == 6 and losses[-1] < losses[0] / 2
    result = on_board(evaluate(run, HERE), run, HERE, beats=5)
    n = [r["n"] for r in result.float32["per_class"].values()]
    assert result.float32["accuracy"] > max(n) / sum(n) + 0.1, "more than the most frequent class"
    assert result.int8 is not None and result.int8["agreement"] > 0.95
    assert (result.params, result.macs) == (55_013, 3_627_392)
    assert result.split == "intra-patient" and result.train_seconds > 0
    assert result.board is not None and result.looks == 0, "no look at DS2"
    assert [cost["differing"] for cost in result.board.values()] == [0, 0]
    assert result.board["speed"]["instructions"] < 2 * result.macs
    assert result.board["size"]["flash_bytes"] < result.board["speed"]["flash_bytes"]
    assert board.goal_for(result.board, board.EMULATED) == "speed"
    assert results.read(results.write(result, tmp_path)).name == "transferable_random-quick"
    assert einthoven("export", run, "--out", tmp_path / "c") == 2
    assert f"{run / 'ptq'}: export that" in capsys.readouterr().err
    assert einthoven("export", run / "ptq", "--out", tmp_path / "c") == 0
    assert "ein_network_infer" in (tmp_path / "c" / "ein_network.c").read_text()
    capsys.readouterr()
    assert einthoven("evaluate", run, "--json") == 0
    assert json.loads(capsys.readouterr().out)["protocol"] == "random_beats"


@pytest.mark.records
def test_an_int8_model_of_fewer_epochs_is_refused(
    run: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], einthoven: Callable[..., int]
) -> None:
    older = tmp_path / "older"
    shutil.copytree(run, older)
    (older / "epochs").write_text("7\n")
    assert einthoven("evaluate", older) == 2
    assert "is of 6 epochs" in capsys.readouterr().err


@pytest.mark.records
def test_a_transfer_goes_on_from_the_run_beside_it(
    run: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    einthoven: Callable[..., int],
    require_database: Callable[[str], Path],
) -> None:
    for name in ("ptbdb", "ptbdb_10s"):
        require_database(name)
    recipe = RECIPES / "transferable_mi.toml"
    lonely = tmp_path / "transferable_mi"
    assert einthoven("train", recipe, "--out", lonely, "--quick") == 2
    assert "train the recipe transferable_random" in capsys.readouterr().err
    assert not lonely.exists(), "a failed start leaves nothing"
    out = run.parent / "transferable_mi"
    assert einthoven("train", recipe, "--out", out) == 2
    assert "was trained with --quick" in capsys.readouterr().err
    assert einthoven("train", recipe, "--out", out, "--quick") == 0
    base = json.loads((out / "training.json").read_text())["base"]
    assert (base["recipe"], base["quick"], base["epochs"]) == ("transferable_random-quick", True, 6)
    capsys.readouterr()
    assert einthoven("evaluate", out, "--json") == 0
    result = json.loads(capsys.readouterr().out)
    assert result["split"] == "inter-patient" and result["int8"] is None
    assert result["float32"]["n"] == 120, "every beat was scored once, by a fold's model"
    assert len(list((out / "folds").iterdir())) == 3
    other = tmp_path / "runs"
    shutil.copytree(run.parent, other)
    (other / "transferable_random" / "float.weights.h5").write_bytes(b"another")
    again = ("train", recipe, "--out", other / "transferable_mi", "--quick", "--resume")
    assert einthoven(*again) == 2
    assert "has changed since" in capsys.readouterr().err


@pytest.mark.records
def test_one_diagnosis_alone_is_not_trained_on(
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    einthoven: Callable[..., int],
    require_database: Callable[[str], Path],
) -> None:
    source = require_database("ptbdb_10s")
    ill = [
        path
        for path in source.glob("*.hea")
        if "Reason for admission: Myocardial infarction" in path.read_text()
    ]
    for header in ill:
        for path in source.glob(f"{header.stem}.*"):
            shutil.copy(path, tmp_path)
    out = tmp_path / "run"
    train = ("train", RECIPES / "baseline_mi_random.toml", "--out", out, "--data", tmp_path)
    assert einthoven(*train, "--quick") == 2
    assert "none is healthy" in capsys.readouterr().err
    assert not out.exists()
    whole = ("train", RECIPES / "transferable_ptb_random.toml", "--out", out)
    assert einthoven(*whole, "--data", tmp_path) == 2


def test_looks_at_ds2_are_counted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    recipe = load(RECIPES / "baseline_inter.toml")
    table = score(np.array([0, 1]), np.array([0, 1]), ("a", "b"), np.array(["p", "q"]))
    result = Result(
        study="residual", name=recipe.name, network="baseline", dataset="beats187",
        protocol=recipe.protocol, split="inter-patient", seed=1, classes=("a", "b"),
        train_examples={}, epochs=1, epochs_full=1, train_seconds=1.0, params=1, macs=1,
        float32=table,
    )  # fmt: skip
    monkeypatch.setattr(measure, "recipe_of", lambda run: recipe)
    monkeypatch.setattr(workflow, "evaluate", lambda run, sources: result)
    (tmp_path / "ptq").mkdir()
    (tmp_path / "ptq" / "model.tflite").write_bytes(b"")
    for look in (1, 2):
        scored = evaluate(tmp_path, HERE, tmp_path / "kept")
        assert scored.looks == look
        results.write(scored, tmp_path / "kept")
    assert "look 2 at DS2" in scored.text()
    told = " ".join(workflow.commands(tmp_path, recipe, HERE))
    assert "einthoven evaluate" not in told and "studies.measure" in told
    kaggle = Sources(kaggle=tmp_path)
    assert workflow.result_name(recipe, kaggle) == "baseline_inter_kaggle"
    assert all(
        line.endswith(" --kaggle DIR") for line in workflow.commands(tmp_path, recipe, kaggle)
    )


@pytest.mark.records
@pytest.mark.parametrize(
    ("arguments", "named"),
    [
        (("train", RECIPES / "transferable_random.toml", "--out", "{run}", "--quick"), "not empty"),
        (
            ("train", RECIPES / "baseline_random.toml", "--out", "{run}", "--quick", "--resume"),
            "another recipe",
        ),
        (
            ("train", RECIPES / "transferable_random.toml", "--out", "{run}", "--resume"),
            "with --quick",
        ),
        (("train", "training/recipes/ds1.toml", "--out", "{tmp}/x", "--quick"), "--quick"),
        (
            ("train", RECIPES / "baseline_random.toml", "--out", "{tmp}/x", "--kaggle", "{tmp}"),
            "mitbih_train.csv",
        ),
        (
            ("train", RECIPES / "cardiacnet_patients.toml", "--out", "{tmp}/x", "--epochs", 3),
            "leave --epochs out",
        ),
        (
            ("train", RECIPES / "cardiacnet_patients.toml", "--out", "{tmp}/x", "--kaggle", "."),
            "leave --kaggle out",
        ),
        (("quantize", "{run}", "--method", "qat"), "ptq only"),
        (("export", "{run}/ptq"), "--out"),
        (("evaluate", "{run}", "--data", "{tmp}"), "no WFDB records"),
    ],
)
def test_mistakes_are_one_line_and_exit_code_2(
    run: Path, tmp_path: Path, arguments: tuple[object, ...], named: str,
    capsys: pytest.CaptureFixture[str], einthoven: Callable[..., int],
) -> None:  # fmt: skip
    given = [str(a).format(run=run, tmp=tmp_path) for a in arguments]
    assert einthoven(*given) == 2
    message = capsys.readouterr().err
    assert named in message and len(message.strip().splitlines()) == 1
    assert not (tmp_path / "x").exists(), "the same command, put right, can be given again"
