"""Firmware over the wire, on the device as a process: its slots are a file."""

import random
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from einthoven.boards.board import build, load_board, running
from einthoven.boards.patience import watching
from einthoven.errors import BoardError, KeysError
from einthoven.fleet.image import sign, version_number
from einthoven.hil_tests.faults import TO_BOARD, Fault, FaultyLink
from einthoven.hil_tests.harness.device import Device

BOARD = "host_device"
FIRST, SECOND = 0x08020000, 0x08040000
PROGRAM = random.Random(1).randbytes(3000)
OLD, NEW = version_number("0.2.0"), version_number("0.3.0")
KEY = bytes(range(32))


@pytest.fixture(scope="module")
def program() -> Path:
    return build(load_board(BOARD))


@contextmanager
def started(program: Path, slots: Path) -> Iterator[str]:
    """A device with an image in its first slot."""
    slots.write_bytes(sign(PROGRAM, BOARD, OLD, FIRST, None).file)
    words = [str(program), "--listen", "0", "--slots", str(slots)]
    with subprocess.Popen(words, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        try:
            url = process.stdout.readline().strip()
            with watching(url, process):
                yield url
        finally:
            process.kill()


def test_an_update_over_the_wire(program: Path, tmp_path: Path) -> None:
    with started(program, tmp_path / "slots") as url, Device(url) as device:
        before = device.update_status(confirm=True)
        assert (before.running, before.version, before.load) == (0, OLD, SECOND)
        assert before.slots[0].state == "confirmed" and before.slots[1].state == "empty"
        seen: list[int] = []
        after = device.update(sign(PROGRAM, BOARD, NEW, SECOND, None), progress=seen.append)
        assert (after.running, after.version, after.load) == (1, NEW, FIRST)
        assert after.slots[1].state == "tried" and seen == sorted(seen) and seen[-1] == 3000
        assert device.update_status(confirm=True).slots[1].state == "confirmed"
        device.reset()
        assert device.update_status().running == 1


def test_it_goes_back_to_what_worked(program: Path, tmp_path: Path) -> None:
    with started(program, tmp_path / "slots") as url, Device(url) as device:
        device.update_status(confirm=True)
        assert device.update(sign(PROGRAM, BOARD, NEW, SECOND, None)).running == 1
        device.reset()  # before it has confirmed itself
        after = device.update_status()
        assert (after.running, after.slots[1].state) == (0, "refused")


def test_what_does_not_fit_is_refused_in_words(program: Path, tmp_path: Path) -> None:
    with started(program, tmp_path / "slots") as url, Device(url) as device:
        older = sign(PROGRAM, BOARD, version_number("0.1.0"), SECOND, None)
        with pytest.raises(KeysError, match=r"is 0\.1\.0, the device runs 0\.2\.0"):
            device.update(older)
        with pytest.raises(BoardError, match="linked for 0x08020000, and the free slot"):
            device.update(sign(PROGRAM, BOARD, NEW, FIRST, None))
        with pytest.raises(BoardError, match="not an image for this board"):
            device.update(sign(PROGRAM, "another", NEW, SECOND, None))
        device.set_key(KEY)
        device.reset()
        with pytest.raises(BoardError, match="needs the device's key"):
            device.update(sign(PROGRAM, BOARD, NEW, SECOND, None))
        assert device.update_status().running == 0  # asking needs none
        device.unlock(KEY)
        assert device.update(older, allow_downgrade=True).running == 1


def test_a_link_that_breaks_in_the_middle(program: Path, tmp_path: Path) -> None:
    faults = [Fault("drop", TO_BOARD, 900), Fault("flip", TO_BOARD, 1800)]
    with started(program, tmp_path / "slots") as url:
        with FaultyLink(url, faults) as link, Device(link.url, timeouts_s=(0.3,) * 9) as device:
            device.update(sign(PROGRAM, BOARD, NEW, SECOND, None))
            assert link.faults_left == 0
        with Device(url) as device:
            assert device.update_status().running == 1


def test_a_device_without_slots_says_so(program: Path) -> None:
    with running(load_board(BOARD)) as url, Device(url) as device:
        assert device.update_status().running is None
        with pytest.raises(BoardError, match="no second slot: flash it by cable"):
            device.update(sign(PROGRAM, BOARD, NEW, SECOND, None))
