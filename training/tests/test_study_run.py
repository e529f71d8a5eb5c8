"""Reference studies by the commands that users type, in their quick form, on records."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from einthoven.cli import main
from training.studies import board, results
from training.studies.measure import evaluate, on_board
from training.studies.runs import HERE

RECIPES = Path("training/recipes/studies")


def einthoven(monkeypatch: pytest.MonkeyPatch, *arguments: object) -> int:
    monkeypatch.setattr("sys.argv", ["einthoven", *map(str, arguments)])
    with pytest.raises(SystemExit) as stop:
        main()
    return int(stop.value.code or 0)


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory, mitdb: Path) -> Path:
    """A quick training of study 1, quantized."""
    folder = tmp_path_factory.mktemp("runs") / "transferable_random"
    patch = pytest.MonkeyPatch()
    recipe = RECIPES / "transferable_random.toml"
    assert einthoven(patch, "train", recipe, "--out", folder, "--quick", "--epochs", 2) == 0
    assert len((folder / "training_log.jsonl").read_text().splitlines()) == 2
    assert einthoven(patch, "train", recipe, "--out", folder, "--quick", "--resume") == 0
    assert einthoven(patch, "quantize", folder) == 0
    patch.undo()
    return folder


@pytest.mark.records
def test_a_quick_study_learns_and_is_exact_on_the_board(
    run: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    losses = [json.loads(s)["loss"] for s in (run / "training_log.jsonl").read_text().splitlines()]
    assert len(losses) == 6 and losses[-1] < losses[0] / 2
    result = on_board(evaluate(run, HERE), run, HERE, beats=5)
    n = [r["n"] for r in result.float32["per_class"].values()]
    assert result.float32["accuracy"] > max(n) / sum(n) + 0.1, "more than the most frequent class"
    assert result.int8 is not None and result.int8["agreement"] > 0.95
    assert (result.params, result.macs) == (55_013, 3_627_392)
    assert result.split == "intra-patient" and result.train_seconds > 0
    assert result.board is not None and result.board["differing_values"] == 0
    assert result.board["instructions"] < 2 * result.macs
    assert "STM32F405RG" in result.board["fits"]
    assert results.read(results.write(result, tmp_path)).name == "transferable_random-quick"
    assert einthoven(monkeypatch, "export", run / "ptq", "--out", tmp_path / "c") == 0
    assert "ein_model_infer" in (tmp_path / "c" / "ein_model.c").read_text()
    capsys.readouterr()
    assert einthoven(monkeypatch, "evaluate", run, "--json") == 0
    assert json.loads(capsys.readouterr().out)["protocol"] == "random_beats"


@pytest.mark.records
def test_an_int8_model_of_fewer_epochs_is_refused(
    run: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    older = tmp_path / "older"
    shutil.copytree(run, older)
    (older / "epochs").write_text("7\n")
    assert einthoven(monkeypatch, "evaluate", older) == 2
    assert "is of 6 epochs" in capsys.readouterr().err


@pytest.mark.records
def test_a_transfer_goes_on_from_the_run_beside_it(
    run: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    require_database: Callable[[str], Path],
) -> None:
    for name in ("ptbdb", "ptbdb_10s"):
        require_database(name)
    recipe = RECIPES / "transferable_mi.toml"
    lonely = tmp_path / "transferable_mi"
    assert einthoven(monkeypatch, "train", recipe, "--out", lonely, "--quick") == 2
    assert "train the recipe transferable_random" in capsys.readouterr().err
    out = run.parent / "transferable_mi"
    assert einthoven(monkeypatch, "train", recipe, "--out", out, "--quick") == 0
    capsys.readouterr()
    assert einthoven(monkeypatch, "evaluate", out, "--json") == 0
    result = json.loads(capsys.readouterr().out)
    assert result["split"] == "inter-patient" and result["int8"] is None
    assert result["float32"]["n"] == 120, "every beat was scored once, by a fold's model"
    assert len(list((out / "folds").iterdir())) == 3


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
        (("quantize", "{run}", "--method", "qat"), "ptq only"),
        (("export", "{run}/ptq"), "--out"),
        (("evaluate", "{run}", "--data", "{tmp}"), "no WFDB records"),
    ],
)
def test_mistakes_are_one_line_and_exit_code_2(
    run: Path, tmp_path: Path, arguments: tuple[object, ...], named: str,
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    given = [str(a).format(run=run, tmp=tmp_path) for a in arguments]
    assert einthoven(monkeypatch, *given) == 2
    message = capsys.readouterr().err
    assert named in message and len(message.strip().splitlines()) == 1


def test_what_does_not_fit_says_by_how_much() -> None:
    assert board.fits(100_000, 20_000) == list(board.CHIPS)
    assert "STM32F446RE" not in board.fits(600_000, 20_000)
    assert board.fits(70_000_000, 20_000) == []
