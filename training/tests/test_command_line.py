"""Bad input to `python -m einthoven.training.…` gets one line that says what to do, and exit 2."""

import importlib
import sys
from pathlib import Path

import pytest

from einthoven.errors import UsageError
from einthoven.training.command_line import at_least, known, one_line_errors, seed_numbers

QUICK = "training/recipes/quick.toml"


@pytest.mark.parametrize(
    ("module", "arguments", "message"),
    [
        ("model.crossval", "none.toml", "no recipe none.toml"),
        ("model.crossval", f"{QUICK} --data none", "none is not a folder"),
        ("model.crossval", f"{QUICK} --folds 0", "--folds 0 is too small: give at least 2"),
        ("model.crossval", f"{QUICK} --folds 1", "--folds 1 is too small"),
        ("model.crossval", f"{QUICK} --only 7", "--only 7: the folds are 0 to 2"),
        ("adaptation.crossval", "none", "no folds in none"),
        ("adaptation.crossval", "none --minutes 9", "at most 5 minutes"),
        ("adaptation.crossval", "none --penalty -1", "--penalty -1 is too small"),
        ("adaptation.memory", "none", "none"),
        ("evidence.measured.ablation", "none.toml --out none", "no recipe none.toml"),
        (
            "evidence.measured.ablation",
            f"{QUICK} --out none --seeds x",
            "--seeds x: give whole numbers",
        ),
        (
            "evidence.measured.ablation",
            f"{QUICK} --out none --only nonsense",
            "--only: there is no 'nonsense'",
        ),
        ("evidence.measured.ablation", f"{QUICK} --out none --folds 1", "--folds 1 is too small"),
        (
            "evidence.measured.ablation",
            f"{QUICK} --out none --publish",
            "no finished training in none",
        ),
        ("evidence.measured.noise", "training/shipped --json", "--json needs --folds"),
        ("evidence.__main__", "none", "none"),
        ("evidence.measured.rivals", "none", "no *.osea in none"),
        ("evidence.pages.adaptation", "none", "none holds no finished replay"),
        ("evidence.pages.adaptation", "--crossval none", "none is none of `python -m"),
        ("evidence.pages.adaptation", "--crossval pyproject.toml", "pyproject.toml is none of"),
    ],
)
def test_bad_input_is_one_line(
    module: str,
    arguments: str,
    message: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setattr(sys, "argv", [module, *arguments.split()])
    with pytest.raises(SystemExit) as left:
        importlib.import_module(f"einthoven.training.{module}").main()
    printed = capsys.readouterr()
    assert left.value.code == 2
    assert printed.err.startswith("error: ") and printed.err.count("\n") == 1
    assert message in printed.err and not printed.out
    assert not Path("none").exists()


def test_what_is_no_users_error_keeps_its_traceback() -> None:
    @one_line_errors()
    def fails() -> None:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fails()


def test_values_and_names_are_checked() -> None:
    at_least(2, 2, "--folds")
    known(["a"], ["a", "b"], "--only")
    with pytest.raises(UsageError, match="give at least 2"):
        at_least(2, float("nan"), "--folds")
    with pytest.raises(UsageError, match="there is no 'c'; there are: a, b"):
        known(["a", "c"], ["a", "b"], "--only")


@pytest.mark.parametrize("text", ["", "1,x", "1,1", "-1"])
def test_seeds_that_are_none(text: str) -> None:
    assert seed_numbers("3, 1") == [3, 1]
    with pytest.raises(UsageError, match="such as 1,2,3"):
        seed_numbers(text)
