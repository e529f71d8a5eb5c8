"""A device's key over the wire: on every device that is a process, over good and bad links."""

import re
import time
from collections.abc import Iterator
from typing import Literal

import pytest

from einthoven.boards.board import build, list_boards, load_board, running
from einthoven.errors import BoardError, KeysError
from einthoven.fleet.proof import Challenge
from einthoven.hil_tests.faults import TO_BOARD, TO_HOST, Direction, Fault, FaultyLink
from einthoven.hil_tests.harness.device import Device
from einthoven.wire import codec
from einthoven.wire.schema import schema

DEVICES = [b.name for b in map(load_board, list_boards()) if b.command and b.is_device]
KEY, OTHER = bytes(range(32)), bytes(range(64, 96))


@pytest.fixture(scope="module", params=DEVICES)
def program(request: pytest.FixtureRequest) -> str:
    build(load_board(request.param))
    return str(request.param)


@pytest.fixture
def url(program: str) -> Iterator[str]:
    """A device that has just come from the factory."""
    with running(load_board(program)) as url:
        yield url


def test_a_device_is_open_until_it_has_a_key(url: str) -> None:
    with Device(url) as device:
        assert device.key_state() == "none"
        device.remove_head()
        device.set_key(KEY)
        assert device.key_state() == "set"
        with pytest.raises(BoardError, match="needs the device's key"):
            device.remove_head()
        device.unlock(KEY)
        device.remove_head()
        device.info()  # needs none
        with pytest.raises(KeysError, match="has a key already"):
            device.set_key(OTHER)


def test_a_reset_and_somebody_new_close_it(url: str) -> None:
    with Device(url) as device:
        device.set_key(KEY)
        device.remove_head()
        device.reset()
        with pytest.raises(BoardError, match="needs the device's key"):
            device.remove_head()
        device.unlock(KEY)
    with Device(url) as device, pytest.raises(BoardError, match="needs the device's key"):
        device.remove_head()


def test_wrong_keys_wait_and_a_reset_does_not_forgive_them(url: str) -> None:
    with Device(url) as device:
        device.set_key(KEY)
        for _ in range(2):
            with pytest.raises(KeysError, match="wrong key"):
                device.unlock(OTHER)
        device.unlock(KEY)
        wait = None
        while wait is None:
            # From the third failure on it waits; longer each time, until a reset is shorter.
            since = time.monotonic()
            device.reset()
            with pytest.raises(KeysError) as refused:
                device.unlock(OTHER)
            wait = re.search(r"takes none for another (\d+) s", str(refused.value))
        try:
            device.unlock(KEY)
        except KeysError as error:
            assert "takes none for another" in str(error)
        else:  # this machine stood still for as long
            assert time.monotonic() - since > int(wait[1]) - 1


def test_another_key(url: str) -> None:
    with Device(url) as device:
        device.set_key(KEY)
        device.set_key(OTHER, KEY)
        with pytest.raises(KeysError, match="wrong key"):
            device.unlock(KEY)
        device.unlock(OTHER)


def test_messages_that_are_cut_or_come_at_a_wrong_time(url: str) -> None:
    """Refused with a reason; and none of them opens anything."""
    errors = schema().enums["error"]
    with Device(url) as device:
        device.set_key(KEY)
        device.reset()
        channel = device._channel

        def refused(data: bytes) -> int:
            channel.post(data)
            while True:
                for message in channel.receive(5.0):
                    if message.name == "error":
                        return int(message["error"])

        proof = Challenge(device.hello.serial, bytes(32), bytes(32)).host_proof(KEY)
        assert refused(codec.encode("auth_prove", 9, proof=proof)) == errors["no_challenge"]
        assert refused(codec.encode("set_key", 9, key=KEY, proof=proof)) == errors["locked"]
        code = schema().message("auth_prove").code
        for size in (0, 1, 31, 33):
            cut = codec.encode_frame(codec.Frame(code, 9, (proof * 2)[:size]))
            assert refused(cut) == errors["unknown_message"]
        with pytest.raises(BoardError, match="needs the device's key"):
            device.remove_head()


@pytest.mark.parametrize("direction", [TO_BOARD, TO_HOST])
@pytest.mark.parametrize("kind", ["drop", "double", "flip"])
def test_a_link_that_loses_things(
    kind: Literal["drop", "double", "flip"], direction: Direction
) -> None:
    """What is repeated is no second guess: the right key is never taken for a wrong one."""
    board = load_board("host_device")
    build(board)
    with running(board) as url:
        with Device(url) as device:
            device.set_key(KEY)
        for at in (60, 100, 140):
            fault = Fault(kind, direction, at)
            with (
                FaultyLink(url, [fault]) as link,
                Device(link.url, timeouts_s=(0.3,) * 9) as device,
            ):
                device.unlock(KEY)
                device.remove_head()
