"""Patience counts chances: of a board that runs, wants to run, is stopped, sleeps or has ended."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import SimpleNamespace

import pytest

from einthoven.boards import patience
from einthoven.boards.patience import HELD_S, LOOK_S, BoardProcess, Patience, watched, watching
from einthoven.errors import LinkError

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
URL = "socket://127.0.0.1:1"


@contextmanager
def started(*command: str) -> Iterator[subprocess.Popen[bytes]]:
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        try:
            yield process
        finally:
            process.kill()


def stop(process: subprocess.Popen[bytes]) -> None:
    process.send_signal(signal.SIGSTOP)
    os.waitpid(process.pid, os.WUNTRACED)


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> SimpleNamespace:
    """Patience's clock, which goes only when it is told to."""
    shown = SimpleNamespace(now=0.0)
    monkeypatch.setattr(patience, "time", SimpleNamespace(monotonic=lambda: shown.now))
    return shown


def looks(waiting: Patience, clock: SimpleNamespace, each_s: float) -> int:
    """How often it looks until it is over."""
    n = 0
    while not waiting.over:
        clock.now += each_s
        waiting.look()
        n += 1
    return n


def test_a_serial_port_has_its_seconds_and_no_more(clock: SimpleNamespace) -> None:
    assert looks(Patience("/dev/ttyX", 1.0), clock, LOOK_S) == pytest.approx(1.0 / LOOK_S, abs=1)


def test_a_machine_that_slept_has_not_waited(clock: SimpleNamespace) -> None:
    assert looks(Patience("/dev/ttyX", 1.0), clock, 3600.0) == pytest.approx(20, abs=1)


def test_a_stopped_process_has_no_chance_and_not_for_ever(clock: SimpleNamespace) -> None:
    with started("cat") as process, watching(URL, process):
        stop(process)
        waiting = Patience(URL, 1.0)
        for _ in range(100):
            clock.now += LOOK_S
            waiting.look()
        assert not waiting.over
        assert looks(waiting, clock, LOOK_S) == pytest.approx((1.0 + HELD_S) / LOOK_S - 100, abs=2)


def test_a_process_that_sleeps_could_have_answered() -> None:
    with started("cat") as process:
        board = BoardProcess(process)
        while board._threads()[0] != {"S"}:  # it starts
            pass
        assert board.chance(1.0, None)[0] == 1.0


def test_a_process_that_wants_to_run_had_what_it_got() -> None:
    with started("sh", "-c", "while :; do :; done") as process:
        board = BoardProcess(process)
        while board._threads() < ({"R"}, 0.01):
            pass
        before = board._threads()[1]
        chance, now = board.chance(1000.0, before)
        assert 0 <= chance == now - before < 1000.0
        assert board.chance(1000.0, None)[0] == 0.0, "not known yet"


@pytest.mark.parametrize(
    ("script", "how"),
    [
        ("echo hello; kill -KILL $$", r"was ended by signal 9 \(SIGKILL\)"),
        ("echo at a loss; exit 3", "ended with code 3; it said: at a loss"),
    ],
)
def test_what_ended_a_process_is_said(script: str, how: str, tmp_path: Path) -> None:
    with (tmp_path / "log").open("w+b") as log:
        process = subprocess.Popen(["sh", "-c", script], stdout=log)
        process.wait()
        with (
            watching(URL, BoardProcess(process, log)),
            pytest.raises(LinkError, match=rf"on {URL} is gone: its program {how}$"),
        ):
            Patience(URL, 60.0).look()
    assert watched(URL) is None
