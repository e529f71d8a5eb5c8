"""The board under test: `--board NAME [--port URL]` of the root conftest.py; host by default."""

import fcntl
import os
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from einthoven.boards.board import build, load_board, running
from einthoven.hil_tests.harness.device import Device
from einthoven.hil_tests.replay_runs import NAMES, run
from einthoven.records.synth import Episode, make_record


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """`-m chosen_board`: what runs on the board that `--board` names, and nothing else."""
    for item in items:
        if {"board_url", "board_options"} & set(getattr(item, "fixturenames", ())):
            item.add_marker("chosen_board")


@pytest.fixture(scope="session")
def board_url(request: pytest.FixtureRequest) -> Iterator[str]:
    """Where the board under test is. One board for all tests: each must leave it answering."""
    port = request.config.getoption("--port")
    board = load_board(request.config.getoption("--board"))
    if not port:
        build(board)
    with running(board, port) as url:
        yield url


@pytest.fixture
def device(board_url: str) -> Iterator[Device]:
    with Device(board_url) as opened:
        yield opened


@pytest.fixture(scope="session")
def patient() -> tuple[float, ...]:
    """Time-outs for a good link: be the machine as busy as it may, what is asked twice was lost."""
    return (60.0, 60.0)


@pytest.fixture(scope="session")
def signal() -> NDArray[np.int16]:
    """A minute at 180 Hz and 200 LSB/mV: sinus rhythm with ectopic beats, lead off, saturation."""
    episodes = (Episode("saturated", 25, 25.5), Episode("lead_off", 40, 43))
    return make_record(7, 60.0, 180.0, episodes=episodes).samples


@pytest.fixture(scope="session")
def made_once(tmp_path_factory: pytest.TempPathFactory) -> Callable[..., Path]:
    """`made_once(NAME, MAKE)`: a folder that MAKE fills, and that all workers of `-n` share."""
    own = tmp_path_factory.getbasetemp()
    shared = own.parent if "PYTEST_XDIST_WORKER" in os.environ else own

    def made_once(name: str, make: Callable[[Path], None]) -> Path:
        folder, done = shared / name, shared / f"{name}.done"
        with (shared / f"{name}.lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            if not done.exists():
                make(folder)
                done.touch()
        return folder

    return made_once


@pytest.fixture(scope="session")
def database(made_once: Callable[..., Path]) -> Path:
    """Six records at rates that boards do not have; EC57 scores the last one from 5 min on."""

    def make(folder: Path) -> None:
        for i, name in enumerate(NAMES):
            rate_hz = (360.0, 250.0, 128.0, 257.0)[i % 4]
            episodes = (Episode("lead_off", 20, 22),) if i == 1 else ()
            seconds = 600.0 if name == NAMES[-1] else 45.0
            make_record(i, seconds, rate_hz, episodes=episodes).write(folder, name)

    return made_once("database", make)


@pytest.fixture(scope="session")
def board_options(request: pytest.FixtureRequest) -> list[str]:
    """`--board` and `--port` of the test run, for the command line."""
    name, port = request.config.getoption("--board"), request.config.getoption("--port")
    if not port:
        build(load_board(name))
    return ["--board", name, *(["--port", port] if port else [])]


@pytest.fixture(scope="session")
def whole_run(database: Path, board_options: list[str], made_once: Callable[..., Path]) -> Path:
    """An undisturbed run of all records, on two boards where there can be; not to be changed."""

    def make(out: Path) -> None:
        words = ("--records", "all", "--data", database, "--out", out)
        done = run("replay", *board_options, *words, "--jobs", "2", "--tflm", "all")
        assert done.returncode == 0, done.stderr + done.stdout
        assert f"Report: {out}/report.html" in done.stdout.replace("\n", "")

    return made_once("whole", make)
