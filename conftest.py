"""Fixtures that the whole suite shares, and the order of its files."""

import os
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

from einthoven.cli import main
from einthoven.paths import ROOT
from einthoven.records.database import locate_database

# What stands at the top is collected there, not again by its links.
collect_ignore = [f"einthoven/{name}" for name in ("codegen", "hil_tests", "training", "tree")]

# How long an example takes says how busy the machine is.
settings.register_profile(
    "untimed", settings(), deadline=None, suppress_health_check=[HealthCheck.too_slow]
)
settings.load_profile("untimed")


def pytest_addoption(parser: pytest.Parser) -> None:
    """The board that the tests of `hil_tests` run on: the same ones for every board."""
    parser.addoption("--board", default="host", help="folder in boards/ (default: host)")
    parser.addoption("--port", help="its serial port or any pyserial URL, if it runs already")


def pytest_configure(config: pytest.Config) -> None:
    """Without a port each worker of `-n` starts a board of its own; on a port there is only one."""
    if config.getoption("--port") and config.getoption("numprocesses", None):
        raise pytest.UsageError("there is one board on --port: leave -n out")


LONGEST = (
    "einthoven/tests/test_readme.py",
    "einthoven/boards/tests/test_board.py",
    "training/model/tests/test_training.py",
    "training/studies/tests/test_patient_studies.py",
    "hil_tests/test_page.py",
    "hil_tests/test_replay_trouble.py",
    "hil_tests/test_replay.py",
    "einthoven/tests/test_wheel.py",
    "codegen/engine/tests/test_cross_check.py",
)
"""A minute or more each: begun first, so that no worker is left with one in the end."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The longest files first, the others as they stand."""
    place = {name: n for n, name in enumerate(LONGEST)}
    items.sort(key=lambda item: place.get(item.nodeid.partition("::")[0], len(place)))


@pytest.fixture(scope="session")
def einthoven() -> Callable[..., int]:
    """`einthoven ARGUMENTS` in this process; returns the exit code."""

    def run(*arguments: object) -> int:
        with pytest.MonkeyPatch.context() as patch, pytest.raises(SystemExit) as stop:
            patch.setattr("sys.argv", ["einthoven", *map(str, arguments)])
            patch.setenv("EINTHOVEN_BOARDS", os.environ.get("EINTHOVEN_BOARDS", ""))
            main()
        return int(stop.value.code or 0)

    return run


def _require(name: str) -> Path:
    """Folder of a database; skips where there is none, but fails in CI, where there must be."""
    folder = locate_database(None, name)
    if folder is None:
        which = "" if name == "mitdb" else f" ({name})"
        if os.environ.get("CI"):
            pytest.fail(f"no MIT-BIH records{which}, and CI must have them")
        pytest.skip(f"no MIT-BIH records{which}")
    return folder


@pytest.fixture(scope="session")
def require_database() -> Callable[[str], Path]:
    """Any other database's folder, by its name."""
    return _require


@pytest.fixture(scope="session")
def mitdb() -> Path:
    """Folder of the MIT-BIH Arrhythmia Database."""
    return _require("mitdb")


@pytest.fixture(scope="session")
def nstdb() -> Path:
    """Folder of the MIT-BIH Noise Stress Test Database."""
    return _require("nstdb")


@pytest.fixture(scope="session")
def reference_scores(mitdb: Path) -> Path:
    """Folder of what PhysioNet's programs printed, with the annotations they scored."""
    beside = (ROOT.parent / "shared", mitdb.parent.parent, mitdb.parent)
    folder = next((p for b in beside if (p := b / "reference-scores").is_dir()), None)
    if folder is None:
        if os.environ.get("CI"):
            pytest.fail("no reference-scores/ beside the MIT-BIH records, and CI must have them")
        pytest.skip("no MIT-BIH records' reference-scores/ beside them")
    return folder
