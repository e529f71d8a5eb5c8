"""No board at the other end of the link, or not a good one."""

import itertools
import os
import pty
import select
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from types import SimpleNamespace

import pytest

from einthoven.errors import BoardError, LinkError
from einthoven.hil_tests.harness.channel import Channel
from einthoven.hil_tests.harness.device import Device
from einthoven.hil_tests.harness.links import SerialLink, SocketLink
from einthoven.wire import codec
from einthoven.wire.codec import FrameDecoder
from einthoven.wire.schema import schema

pytestmark = pytest.mark.board
QUICK = (0.2, 0.2)
"""For a board that never answers."""


@contextmanager
def listener(answer: bytes = b"", endless: bool = False) -> Iterator[str]:
    """A TCP port where someone accepts and sends `answer` for whatever arrives, or without end."""
    with socket.create_server(("127.0.0.1", 0)) as server:

        def serve() -> None:
            while True:
                try:
                    client, _ = server.accept()
                except OSError:
                    return
                # The peer may hang up while it is answered.
                with client, suppress(ConnectionError):
                    while endless or client.recv(4096):
                        client.sendall(answer)

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        yield f"socket://127.0.0.1:{server.getsockname()[1]}"
        server.shutdown(socket.SHUT_RDWR)
        thread.join()


def refused(
    url: str, kind: type[Exception], what: str, timeouts_s: tuple[float, ...] = QUICK
) -> None:
    with pytest.raises(kind, match=what) as caught:
        Device(url, timeouts_s=timeouts_s)
    assert "\n" not in str(caught.value)


def test_silent_board() -> None:
    with listener() as url:
        refused(url, LinkError, "does not answer: nothing came: check its power")


def test_board_that_only_prints() -> None:
    with listener(b"\0hard fault: pc=0x08001234\r\n\0") as url:
        channel = Channel(url, 115200, QUICK)
        channel.send(codec.DELIMITER)
        while not channel.decoder.text:
            channel.receive(1.0)
        with pytest.raises(LinkError, match="it printed: hard fault: pc=0x08001234"):
            channel.request("hello", "hello_reply", print, protocol=schema().version)
        channel.close()


def test_something_else_that_talks() -> None:
    with listener(bytes(range(256)) * 3) as url:
        refused(url, LinkError, "does not answer")


def test_something_that_never_stops_talking() -> None:
    with listener(b"\0hard fault\r\n" * 5000, endless=True) as url:
        refused(url, LinkError, "it printed: hard fault")


def golden(name: str) -> codec.Frame:
    case = next(c for c in schema().cases if c["name"] == f"message {name}")
    [frame] = FrameDecoder().feed(bytes.fromhex(case["bytes"]))
    return frame


def test_what_comes_in_one_piece_with_a_reply_is_kept(patient: tuple[float, ...]) -> None:
    """As on a host that was busy: "start"'s reply and the first events are read together."""
    reply, event = golden("info_reply"), golden("beat")
    answer = codec.encode_frame(codec.Frame(reply.code, 1, reply.payload)) + codec.encode_frame(
        event
    )
    with listener(answer) as url:
        channel = Channel(url, 115200, patient)
        heard: list[codec.Message] = []
        channel.request("info", "info_reply", heard.append)
        assert not heard, "it came later"
        assert [message.name for message in channel.receive(patient[0])] == ["beat"]
        channel.close()


def test_what_came_over_a_link_that_is_gone_is_dropped(patient: tuple[float, ...]) -> None:
    reply, event = golden("info_reply"), golden("beat")
    answer = codec.encode_frame(codec.Frame(reply.code, 1, reply.payload)) + codec.encode_frame(
        event
    )
    with listener(answer) as url:
        channel = Channel(url, 115200, patient)
        channel.request("info", "info_reply", lambda message: None)
        channel.reopen()
        assert channel.receive(0.0) == []
        channel.close()


def test_what_has_arrived_counts_however_late_it_is_looked_at(
    patient: tuple[float, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A machine that sleeps between request and reply: the time is over before it looks."""
    reply = golden("info_reply")
    with listener(codec.encode_frame(codec.Frame(reply.code, 1, reply.payload))) as url:
        channel = Channel(url, 115200, patient)
        send = channel.send

        def sleep_until_it_is_there(data: bytes) -> None:
            send(data)
            assert isinstance(channel._link, SocketLink)
            assert select.select([channel._link._socket], [], [], patient[0])[0]
            hours = itertools.count(time.monotonic(), 3600.0)
            monkeypatch.setattr(
                "einthoven.boards.patience.time",
                SimpleNamespace(monotonic=hours.__next__),
            )

        monkeypatch.setattr(channel, "send", sleep_until_it_is_there)
        assert channel.request("info", "info_reply", print).name == "info_reply"
        assert channel.statistics.retries == 0
        channel.close()


def test_another_protocol_version(patient: tuple[float, ...]) -> None:
    frame = golden("hello_reply")
    answer = b"".join(
        codec.encode_frame(codec.Frame(frame.code, n, b"\x63" + frame.payload[1:]))
        for n in range(1, 4)
    )
    with listener(answer) as url:
        what = f"speaks protocol 99, this program {schema().version}: flash"
        refused(url, BoardError, what, patient)


def test_nobody_listens() -> None:
    with socket.socket() as taken:  # so that nobody else gets the port meanwhile
        taken.bind(("127.0.0.1", 0))
        url = f"socket://127.0.0.1:{taken.getsockname()[1]}"
        refused(url, BoardError, "cannot open .* nobody listens there")


def test_no_such_port() -> None:
    refused("/dev/ttyNOSUCH9", BoardError, "there is no such port; is the board plugged in")


def test_no_such_scheme() -> None:
    refused("nosuch://port", BoardError, "cannot open nosuch://port")


def test_busy_port() -> None:
    master, slave = pty.openpty()
    try:
        first = SerialLink(os.ttyname(slave), 115200)
        refused(os.ttyname(slave), BoardError, "the port is busy")
        first.close()
    finally:
        os.close(master)
        os.close(slave)


def test_port_that_goes_for_good(
    patient: tuple[float, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("einthoven.hil_tests.harness.channel._REOPEN_S", 0.1)
    monkeypatch.setattr("einthoven.hil_tests.harness.channel._REOPEN_WAIT_S", 0.01)
    with socket.create_server(("127.0.0.1", 0)) as server:
        url = f"socket://127.0.0.1:{server.getsockname()[1]}"

        def accept_once() -> None:
            client, _ = server.accept()
            server.close()
            client.close()

        thread = threading.Thread(target=accept_once)
        thread.start()
        what = (
            r"is gone \(the peer closed the connection; then: nobody listens there\): the board was"
        )
        refused(url, LinkError, what, patient)
        thread.join()
