"""The board under test: `--board NAME [--port URL]` of the root conftest.py; host by default."""

from collections.abc import Iterator

import numpy as np
import pytest
from numpy.typing import NDArray

from einthoven.boards import build, load_board, running
from einthoven.synth import Episode, make_record
from hil_tests.device import Device


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
