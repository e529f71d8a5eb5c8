"""The Blue Pill's image, unchanged, on a model of its chip (hil_tests/simulated/stm32f103.py)."""

import socket
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from einthoven.boards import resources
from einthoven.boards.board import BANNER, build, load_board
from einthoven.hil_tests.harness.device import Device
from einthoven.hil_tests.harness.host import Host
from einthoven.hil_tests.harness.record import board_events
from einthoven.hil_tests.simulated import stm32f103 as f1
from einthoven.hil_tests.simulated.stm32f103 import Chip
from einthoven.paths import SHIPPED_MODEL
from einthoven.records.synth import make_record

PATIENT = (60.0, 60.0)


@pytest.fixture(scope="module")
def program() -> Path:
    return build(load_board("blue_pill"))


@pytest.fixture
def chip(program: Path) -> Chip:
    return Chip(program)


@pytest.fixture
def url(chip: Chip) -> Iterator[str]:
    """The chip's line, while a thread runs it."""
    listener = socket.create_server(("127.0.0.1", 0))
    port = listener.getsockname()[1]
    runs = threading.Thread(target=chip.serve, args=(listener,), daemon=True)
    runs.start()
    yield f"socket://127.0.0.1:{port}"
    listener.close()
    runs.join(60.0)


@pytest.mark.parametrize(("crystal", "core_hz"), [(True, 72e6), (False, 64e6)])
def test_it_boots_with_and_without_a_crystal(program: Path, crystal: bool, core_hz: float) -> None:
    chip = Chip(program, crystal)
    chip.sleep()
    assert BANNER in chip.sent
    assert chip.core_hz() == core_hz
    tree, waits = chip.reg[f1.RCC + 4], chip.reg[f1.CONTROLLER]
    assert core_hz / (2 if tree >> 8 & 7 == 4 else 1) <= 36e6, "APB1 [7.3.2]"
    assert core_hz / (2 * (tree >> 14 & 3) + 2) <= 14e6, "the ADC"
    assert waits & 7 == 2 and waits >> 4 & 1, "two wait states above 48 MHz [3.3.3]"
    ticks = (chip.reg[f1.IWDG + 8] + 1) * (4 << chip.reg[f1.IWDG + 4])
    assert ticks / 60e3 >= 2 and ticks / 30e3 <= 10, "the watchdog's time-out [19.3]"
    assert chip.fed > 0


def test_it_says_of_half_a_minute_what_the_host_says(url: str) -> None:
    samples = make_record(3, 20.0, 180.0).samples
    expected, verdict, _ = Host(SHIPPED_MODEL / "model.tflite").check(samples, 200, (-2048, 2047))
    with Device(url, timeouts_s=PATIENT) as device:
        who = device.hello
        assert (who.board, who.reset_reason) == ("blue_pill", "power")
        assert who.serial == "".join(f"{word:08x}" for word in f1.IDENTITY)
        replayed = device.replay(samples)
        device.reset()
        assert device.hello.reset_reason == "software"
    told = board_events(replayed.events)
    rows = told.beats.copy()
    rows["count"] = 0
    assert len(rows) > 15
    assert rows.tobytes() == expected.beats.tobytes()
    assert told.rhythm.tobytes() == expected.rhythm.tobytes()
    assert replayed.verdict == verdict


def test_it_fits_with_its_stack(program: Path) -> None:
    board = load_board("blue_pill")
    assert resources.image_problems(board) == []
    image = resources.measure(board)
    assert image is not None
    assert image.flash_bytes <= 62 * 1024 and image.ram_bytes <= 20 * 1024 - 64
    assert image.stack_bound_bytes < image.stack_bytes
