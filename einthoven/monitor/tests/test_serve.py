"""The bridge, spoken with by a real WebSocket client and by plain HTTP."""

import http.client
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from urllib.parse import urlsplit

import pytest
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.sync.client import ClientConnection, connect
from websockets.typing import Origin

from einthoven.boards.board import build, load_board, running
from einthoven.boards.patience import watched
from einthoven.errors import LinkError, UsageError
from einthoven.monitor.bridge import BUSY, GONE, NOT_BYTES, Bridge
from einthoven.monitor.source import playable, playing
from einthoven.monitor.testing import WAIT_S
from einthoven.wire import codec
from einthoven.wire.codec import FrameDecoder, Message
from einthoven.wire.schema import schema

PAGE = "<!doctype html><title>Einthoven</title>"


@pytest.fixture(scope="module", autouse=True)
def built() -> None:
    build(load_board("host"))


@pytest.fixture
def url() -> Iterator[str]:
    with playing(load_board("host"), "synthetic", 20) as board, running(board) as url:
        yield url


@pytest.fixture
def bridge(url: str) -> Bridge:
    return Bridge(url, 115200, PAGE, "127.0.0.1")


@pytest.fixture
def address(bridge: Bridge) -> Iterator[str]:
    with bridge.serving(0) as address:
        yield address


def at(address: str) -> tuple[str, str]:
    """`host:port` and token."""
    parts = urlsplit(address)
    return parts.netloc, parts.fragment.removeprefix("token=")


@contextmanager
def client(address: str, origin: str | None = None) -> Iterator[ClientConnection]:
    place, token = at(address)
    # Without a limit to its queue: a client that does not read could not close either.
    where = f"ws://{place}/link?token={token}"
    said = None if origin is None else Origin(origin)
    with connect(where, origin=said, max_queue=None, proxy=None) as found:
        yield found


def talk(socket: ClientConnection, name: str, reply: str, **fields: int) -> Message:
    """A request as one frame, its bytes cut in two; the reply, however it is cut."""
    data = codec.encode(name, 1, **fields)
    socket.send(data[:3])
    socket.send(data[3:])
    return until(socket, reply)


def until(socket: ClientConnection, name: str) -> Message:
    decoder = FrameDecoder()
    while True:
        data = socket.recv(WAIT_S)
        assert isinstance(data, bytes)
        for frame in decoder.feed(data):
            message = codec.decode(frame)
            if message.name == name:
                return message


def closed(socket: ClientConnection) -> tuple[int, str]:
    with pytest.raises(ConnectionClosed) as told:
        while True:
            socket.recv(WAIT_S)
    assert told.value.rcvd is not None
    return told.value.rcvd.code, told.value.rcvd.reason


def get(address: str, path: str = "/", **headers: str) -> tuple[int, str, http.client.HTTPResponse]:
    place, _ = at(address)
    connection = http.client.HTTPConnection(place, timeout=WAIT_S)
    connection.request("GET", path, headers=headers)
    response = connection.getresponse()
    text = response.read().decode()
    connection.close()
    return response.status, text, response


def watch(socket: ClientConnection) -> Message:
    """The signal as a page asks for it; the first samples."""
    version = schema().version
    who = talk(socket, "hello", "hello_reply", protocol=version)
    assert who["board"] == "host"
    talk(
        socket, "start", "status", session=7, mode=schema().enums["mode"]["stream"],
        gain_lsb_per_mv=who["gain_lsb_per_mv"], rail_lo=who["rail_lo"], rail_hi=who["rail_hi"],
    )  # fmt: skip
    socket.send(codec.encode("watch", 2, on=1, session=7, samples_acked=0, events_acked=0))
    return until(socket, "trace")


def test_the_page_and_its_headers(address: str) -> None:
    status, text, response = get(address)
    assert (status, text) == (200, PAGE)
    assert response.getheader("Content-Type") == "text/html; charset=utf-8"
    assert response.getheader("Referrer-Policy") == "no-referrer"
    assert response.getheader("Content-Security-Policy") == "frame-ancestors 'none'"
    assert at(address)[1] not in text
    assert get(address, "/other")[0] == 404


def test_a_board_s_signal_comes_through_and_clients_follow_each_other(address: str) -> None:
    for _ in range(3):
        with client(address) as socket:
            assert watch(socket)["count"] > 0


@pytest.mark.parametrize("origin", [None, "http://{place}", "https://{place}"])
def test_the_page_s_own_origin_may_come_in(address: str, origin: str | None) -> None:
    own = None if origin is None else origin.format(place=at(address)[0])
    with client(address, origin=own) as socket:
        talk(socket, "info", "info_reply")


@pytest.mark.parametrize(
    "origin", ["http://evil.example", "http://127.0.0.1:1", "null", "http://localhost"]
)
def test_a_foreign_origin_is_refused(address: str, origin: str) -> None:
    with pytest.raises(InvalidStatus) as told, client(address, origin=origin):
        pass
    assert told.value.response.status_code == 403
    assert "is not this page" in told.value.response.body.decode()


@pytest.mark.parametrize("token", ["", "wrong", "%F0%9F%92%94"])
def test_a_wrong_token_is_refused(address: str, token: str) -> None:
    place, _ = at(address)
    for query in (f"?token={token}", ""):
        with pytest.raises(InvalidStatus) as told, connect(f"ws://{place}/link{query}", proxy=None):
            pass
        assert told.value.response.status_code == 403


@pytest.mark.parametrize("host", ["evil.example", "evil.example:80", "", "127.0.0.1.evil.example"])
def test_a_foreign_name_for_this_machine_is_refused(address: str, host: str) -> None:
    token = at(address)[1]
    for path in ("/", f"/link?token={token}"):
        assert get(address, path, Host=host)[0] == 421


@pytest.mark.parametrize("host", ["localhost:9000", "127.0.0.1", "[::1]:8", "192.168.0.7:80"])
def test_an_address_is_no_foreign_name(address: str, host: str) -> None:
    """A tunnel's other end has another port."""
    assert get(address, Host=host)[0] == 200


def test_a_second_client_is_told_and_disturbs_nobody(address: str) -> None:
    with client(address) as first:
        watch(first)
        with client(address) as second:
            code, reason = closed(second)
        assert (code, reason) == (BUSY, "another page has the board: close that one first")
        assert until(first, "trace")["count"] > 0
    with client(address) as third:
        talk(third, "info", "info_reply")


def test_text_is_no_wire(address: str) -> None:
    with client(address) as socket:
        socket.send("hello")
        assert closed(socket)[0] == NOT_BYTES
    with client(address) as socket:
        talk(socket, "info", "info_reply")


def test_a_board_that_dies(address: str, bridge: Bridge, url: str) -> None:
    process = watched(url)
    assert process is not None
    with client(address) as socket:
        watch(socket)
        bridge.look()
        os.kill(process.pid, signal.SIGKILL)
        code, reason = closed(socket)
        assert code == GONE and reason.startswith("the board is gone")
    end = time.monotonic() + WAIT_S
    with pytest.raises(LinkError, match="was ended by signal 9"):
        while time.monotonic() < end:
            bridge.look()
    with client(address) as socket:  # it cannot be opened any more
        assert closed(socket)[0] == GONE


def test_the_end_is_told_to_the_client(bridge: Bridge) -> None:
    with bridge.serving(0) as address, client(address) as socket:
        watch(socket)
        place, _ = at(address)
        bridge._over.set()
        assert closed(socket)[0] == 1001
    with pytest.raises(OSError):
        http.client.HTTPConnection(place).connect()


def test_a_port_that_is_taken(bridge: Bridge, address: str) -> None:
    taken = urlsplit(address).port
    assert taken is not None
    with pytest.raises(UsageError, match="choose another --http-port"), bridge.serving(taken):
        pass


def test_the_emulated_chip_s_ecg() -> None:
    board = playable(load_board("qemu_stm32f405"))
    build(board)
    with playing(board, "synthetic", 1) as played, running(played) as url:
        bridge = Bridge(url, board.baud, PAGE, "127.0.0.1")
        with bridge.serving(0) as address, client(address) as socket:
            who = talk(socket, "hello", "hello_reply", protocol=schema().version)
            assert who["rate_hz"] == 180
            talk(socket, "start", "status", session=7, mode=schema().enums["mode"]["stream"],
                 gain_lsb_per_mv=200, rail_lo=-2048, rail_hi=2047)  # fmt: skip
            socket.send(codec.encode("watch", 2, on=1, session=7, samples_acked=0, events_acked=0))
            assert until(socket, "trace")["count"] > 0


MAIN = """
import einthoven.cli, einthoven.page
einthoven.page.html = lambda served: "<title>Einthoven</title>" * served
einthoven.cli.main()
"""
"""The command line with a page that nobody has to build."""


def test_the_command_serves_and_ends_on_ctrl_c(url: str) -> None:
    words = ["serve", "host", "--port", url, "--http-port", "0"]
    process = subprocess.Popen(
        [sys.executable, "-c", MAIN, *words],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    lines = [process.stdout.readline() for _ in range(2)]
    found = re.search(r"http://\S+", "".join(lines))
    assert found is not None, process.communicate()
    assert "Einthoven" in get(found[0])[1]
    with client(found[0]) as socket:
        watch(socket)
    process.send_signal(signal.SIGINT)
    _, wrong = process.communicate(timeout=WAIT_S)
    assert (process.returncode, wrong) == (0, "")
