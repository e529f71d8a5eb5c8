"""A slow board is waited for and a lost one is not: processes are stopped and ended on purpose."""

import os
import signal as signals
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext, suppress
from types import SimpleNamespace

import numpy as np
import pytest
from numpy.typing import NDArray

from einthoven.boards import patience
from einthoven.boards.board import Board, build, load_board, running
from einthoven.boards.patience import BoardProcess, watched
from einthoven.errors import LinkError
from einthoven.hil_tests.faults import TO_BOARD, TO_HOST, Direction, Fault, FaultyLink
from einthoven.hil_tests.harness.channel import Channel
from einthoven.hil_tests.harness.device import Device
from einthoven.wire import codec
from einthoven.wire.codec import FrameDecoder
from einthoven.wire.schema import schema

pytestmark = pytest.mark.board


# ---- the fault that was there: a burst that outlasted any number of tries ----


@pytest.mark.parametrize("kind", ["drop", "flip"])
@pytest.mark.parametrize("way", [TO_BOARD, TO_HOST])
def test_a_burst_is_over_when_the_host_asks_again(
    kind: str, way: Direction, board_url: str
) -> None:
    """Its bytes are more than all tries have, as when a busy board left nothing under way."""
    fault = Fault("drop" if kind == "drop" else "flip", way, 400, 3000)
    # The first try is hit, the next one's reply may be appended to what was left of a frame.
    with (
        FaultyLink(board_url, [fault]) as link,
        Device(link.url, timeouts_s=(0.2, 0.2, 60.0)) as device,
    ):
        while link.faults_left:
            device.info()
        assert device.link.retries > 0


# ---- slow ----


@pytest.fixture(scope="module")
def built() -> Board:
    board = load_board("host")
    build(board)
    return board


@pytest.fixture
def host(built: Board) -> Iterator[str]:
    """A host board of the test's own, to be stopped and ended."""
    with running(built) as url:
        yield url


def stop(process: BoardProcess) -> None:
    os.kill(process.pid, signals.SIGSTOP)
    os.waitpid(process.pid, os.WUNTRACED)


@pytest.fixture
def stopped(monkeypatch: pytest.MonkeyPatch) -> Callable[[str], None]:
    """Stops the board on a URL until it was looked at 60 times: 3 s on an idle machine."""
    looks = 0
    look = BoardProcess.chance

    def count(process: BoardProcess, elapsed_s: float, cpu_s: float | None) -> tuple[float, float]:
        nonlocal looks
        looks += 1
        if looks == 60:
            os.kill(process.pid, signals.SIGCONT)
        return look(process, elapsed_s, cpu_s)

    def begin(url: str) -> None:
        process = watched(url)
        assert process is not None
        stop(process)
        monkeypatch.setattr(BoardProcess, "chance", count)

    return begin


def test_a_stopped_board_is_waited_for(host: str, stopped: Callable[[str], None]) -> None:
    with Device(host, timeouts_s=(0.2, 0.2)) as device:
        stopped(host)
        assert device.info()["samples"] == 0
        assert device.link.retries == 0, "it never had a chance to answer"


def test_stopped_where_a_reset_and_a_cut_meet(
    host: str,
    stopped: Callable[[str], None],
    signal: NDArray[np.int16],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with Device(host) as device:
        good = device.replay(signal).events
    reopen = Channel.reopen

    def reopen_stopped(channel: Channel) -> None:
        stopped(host)
        reopen(channel)

    monkeypatch.setattr(Channel, "reopen", reopen_stopped)
    faults = [Fault("reset", TO_BOARD, 3000), Fault("cut", TO_BOARD, 3004)]
    with FaultyLink(host, faults) as link, Device(link.url, timeouts_s=(0.2,) * 6) as device:
        again = device.replay(signal).events
        assert link.faults_left == 0
    assert [event["t_samples"] for event in again] == [event["t_samples"] for event in good]


def test_a_board_that_stays_stopped_is_said(host: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(patience, "HELD_S", 0.1)
    with Device(host, timeouts_s=(0.2,)) as device:
        process = watched(host)
        assert process is not None
        stop(process)
        with pytest.raises(LinkError, match=f"is stopped; .*kill -CONT {process.pid}"):
            device.info()
        os.kill(process.pid, signals.SIGCONT)


class Scripted:
    """A link on which `arrivals` come, each at its time, and time goes only while one waits."""

    def __init__(self, clock: SimpleNamespace, arrivals: list[tuple[float, bytes]]) -> None:
        self._clock = clock
        self._arrivals = arrivals

    def read(self, timeout_s: float) -> bytes:
        self._clock.now += timeout_s
        if self._arrivals and self._arrivals[0][0] <= self._clock.now:
            return self._arrivals.pop(0)[1]
        return b""

    def write(self, data: bytes) -> None:
        pass

    def close(self) -> None:
        pass


def reply(sequence: int) -> bytes:
    case = next(c for c in schema().cases if c["name"] == "message info_reply")
    [frame] = FrameDecoder().feed(bytes.fromhex(case["bytes"]))
    return codec.encode_frame(codec.Frame(frame.code, sequence, frame.payload))


def test_a_late_reply_gives_the_next_one_time(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = SimpleNamespace(now=0.0)
    monkeypatch.setattr(patience, "time", SimpleNamespace(monotonic=lambda: clock.now))
    link = Scripted(clock, [(1.8, reply(1)), (2.6, reply(2))])
    monkeypatch.setattr("einthoven.hil_tests.harness.channel.open_link", lambda url, baud: link)
    channel = Channel("/dev/ttyX", 115200, (1.0, 1.0))
    assert channel.request("info", "info_reply", lambda message: None).sequence == 2
    with pytest.raises(LinkError, match="does not answer: nothing came: check its power"):
        channel.request("info", "info_reply", lambda message: None)
    assert clock.now == pytest.approx(2.6 + 2.0, abs=0.3), "and no port is waited for for ever"


# ---- lost: said at once, by a host that would wait for minutes ----


@pytest.mark.parametrize("by_cable", [False, True])
def test_a_killed_board(
    by_cable: bool, host: str, patient: tuple[float, ...], signal: NDArray[np.int16]
) -> None:
    def kill(acked: int) -> None:
        process = watched(host)
        if acked > 1000 and process is not None and process.ending() is None:
            os.kill(process.pid, signals.SIGKILL)

    with (
        FaultyLink(host, []) if by_cable else nullcontext(SimpleNamespace(url=host)) as link,
        Device(link.url, timeouts_s=patient) as device,
        pytest.raises(LinkError, match=r"is gone: its program was ended by signal 9 .SIGKILL"),
    ):
        device.replay(signal, kill)


@contextmanager
def peer(serve: Callable[[socket.socket], None]) -> Iterator[str]:
    """Accepts one connection after the other, and has each served."""
    with socket.create_server(("127.0.0.1", 0)) as server:

        def accept() -> None:
            with suppress(OSError):
                while True:
                    with server.accept()[0] as client, suppress(OSError):
                        serve(client)

        thread = threading.Thread(target=accept, daemon=True)
        thread.start()
        yield f"socket://127.0.0.1:{server.getsockname()[1]}"
        server.shutdown(socket.SHUT_RDWR)
        thread.join()


def answering(text: bytes) -> Callable[[socket.socket], None]:
    def serve(client: socket.socket) -> None:
        while client.recv(4096):
            client.sendall(text)

    return serve


def test_a_peer_that_closes(patient: tuple[float, ...], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("einthoven.hil_tests.harness.channel._REOPEN_WAIT_S", 0.01)
    what = r"is lost again whenever it is opened \(the peer closed the connection\): is it a board"
    with peer(lambda client: None) as url, pytest.raises(LinkError, match=what):
        Device(url, timeouts_s=patient)


@pytest.mark.parametrize("end", [b"\r\n", b"\r\n\0"])
def test_another_firmwares_text_is_enough(end: bytes, patient: tuple[float, ...]) -> None:
    what = "it printed: Temperature 21.5: another program is on it .einthoven flash"
    with (
        peer(answering(b"Temperature 21.5" + end)) as url,
        pytest.raises(LinkError, match=what),
    ):
        Device(url, timeouts_s=(0.1, 0.1, 0.1, *patient))


@pytest.mark.parametrize(
    ("answer", "what"),
    [
        (b"\0fault: mcause=5\r\n\0", "does not answer: check.*; it printed: fault: mcause=5"),
        (bytes(range(1, 200)) + b"\0", r"does not answer: \d+ bytes came, and no message: check"),
    ],
)
def test_a_fault_report_or_noise_gets_all_tries(answer: bytes, what: str) -> None:
    with peer(answering(answer)) as url:
        channel = Channel(url, 115200, (0.1,) * 5)
        with pytest.raises(LinkError, match=what):
            channel.request("hello", "hello_reply", print, protocol=schema().version)
        assert channel.statistics.retries == 4
        channel.close()
