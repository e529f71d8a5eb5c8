"""The Blue Pill's image, unchanged, on a model of its chip (hil_tests/chips/stm32f103/)."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from einthoven.boards import resources
from einthoven.boards.board import BANNER, build, load_board
from einthoven.codegen.head import own_head, pack
from einthoven.codegen.model import load
from einthoven.hil_tests.chips.line import Line, agreed
from einthoven.hil_tests.chips.served import serving
from einthoven.hil_tests.chips.stm32f103 import chip as f1
from einthoven.hil_tests.chips.stm32f103.chip import Chip
from einthoven.hil_tests.chips.stm32f103.dma import TIM3, USART1
from einthoven.hil_tests.harness.alike import replayed_alike
from einthoven.hil_tests.harness.device import Device
from einthoven.paths import SHIPPED_MODEL
from einthoven.records.synth import make_record

PATIENT = (1.0, 60.0, 60.0)
"""What comes behind a reset in one piece is lost with the chip's RAM, and asked for again."""
GAP = 0x0008
"""Flag of samples that were lost."""


@pytest.fixture(scope="module")
def program() -> Path:
    return build(load_board("blue_pill"))


@pytest.fixture
def chip(program: Path) -> Chip:
    return Chip(program)


@pytest.fixture
def url(chip: Chip) -> Iterator[str]:
    with serving(chip) as found:
        yield found


@pytest.mark.parametrize(("crystal", "core_hz"), [(True, 72e6), (False, 64e6)])
def test_it_boots_with_and_without_a_crystal(program: Path, crystal: bool, core_hz: float) -> None:
    chip = Chip(program, crystal)
    chip.sleep()
    assert BANNER in chip.sent
    assert chip.core_hz() == core_hz
    tree, waits = chip.reg[f1.RCC + 4], chip.flash.read(0) or 0
    assert core_hz / (2 if tree >> 8 & 7 == 4 else 1) <= 36e6, "APB1 [7.3.2]"
    assert core_hz / (2 * (tree >> 14 & 3) + 2) <= 14e6, "the ADC"
    assert waits & 7 == 2 and waits >> 4 & 1, "two wait states above 48 MHz [3.3.3]"
    ticks = (chip.reg[f1.IWDG + 8] + 1) * (4 << chip.reg[f1.IWDG + 4])
    assert ticks / 60e3 >= 2 and ticks / 30e3 <= 10, "the watchdog's time-out [19.3]"
    assert chip.fed > 0


def test_it_says_of_half_a_minute_what_the_host_says(url: str) -> None:
    samples = make_record(3, 20.0, 180.0).samples
    with Device(url, timeouts_s=PATIENT) as device:
        who = device.hello
        assert (who.board, who.reset_reason) == ("blue_pill", "power")
        assert who.serial == "".join(f"{word:08x}" for word in f1.IDENTITY)
        replayed, told = replayed_alike(device, samples)
        assert replayed.info["rx_overruns"] == replayed.info["rejected_bytes"] == 0
        device.reset()
        assert device.hello.reset_reason == "software"
    assert len(told.beats) > 15


def test_it_fits_with_its_stack(program: Path) -> None:
    board = load_board("blue_pill")
    assert resources.image_problems(board) == []
    image = resources.measure(board)
    assert image is not None
    assert image.flash_bytes <= 59 * 1024 and image.ram_bytes <= 20 * 1024 - 64
    assert image.stack_bound_bytes < image.stack_bytes


def test_its_own_samples_come_whole_by_dma(chip: Chip) -> None:
    chip.sampling.samples = make_record(5, 40.0, 180.0).samples
    chip.run(1.0)
    line = Line(chip)
    line.start_stream(session=7)
    chip.run(30.0)
    events, n = agreed(line)
    assert len(events.beats) > 30 and n > 29 * 180
    assert not (events.beats["flags"] & GAP).any()


def test_what_was_overwritten_is_told(chip: Chip) -> None:
    """Conversions go on where nobody fetches them: a session's first sample has a gap before it."""
    chip.sampling.samples = make_record(5, 40.0, 180.0).samples
    line = Line(chip)
    for session in (1, 2):
        line.start_stream(session)
        chip.run(2.0)
        line.ask("finish", samples=0, events_acked=0)
        chip.run(5.0)
    line.told.clear()
    line.start_stream(session=3)
    chip.run(0.5)
    n = line.ask("poll", events_acked=0)["next_sample"]
    assert abs(n - 5.5 * 180) < 20, "5 s that nobody asked for, and half a second"
    first = next(message for message in line.told if message.name == "signal")
    assert first["flags"] & GAP


def test_a_patients_head_is_kept(chip: Chip, url: str) -> None:
    shipped = load(SHIPPED_MODEL)
    with Device(url, timeouts_s=PATIENT) as device:
        before = chip.flash.erased
        device.upload_head(shipped.sha256, pack(shipped, own_head(shipped)))
        device.reset()
        assert device.hello.head == "active"
        assert chip.flash.erased - before == 2
        device.remove_head()
        device.reset()
        assert device.hello.head == "none"


def test_its_memory_is_tried_while_samples_come(chip: Chip) -> None:
    chip.sampling.samples = make_record(5, 40.0, 180.0).samples
    line = Line(chip)
    line.start_stream(session=7)
    chip.run(15.0)
    reply = line.ask("memory")
    assert reply["ram_bad"] == 0 and reply["ram_bytes"] == f1.RAM_BYTES - 64
    chip.run(15.0)
    events, _ = agreed(line)
    assert len(events.beats) > 30


def test_a_mistake_in_the_chain_of_dma_ends_the_run(program: Path) -> None:
    chip = Chip(program)
    chip.reg[f1.RCC + 0x14] = 0
    chip.sampling.write(TIM3 + 0x00, 1, 0)
    assert "this is not so: clocks of DMA1" in chip.trouble


@pytest.mark.parametrize("read_back", [True, False])
def test_a_clock_is_read_back_before_what_it_drives_is_touched(
    program: Path, read_back: bool
) -> None:
    chip = Chip(program)
    rcc, uart = f1.RCC - f1.BUSES, USART1 - f1.BUSES
    chip._write(chip.uc, rcc + 0x18, 4, 1 << 14, f1.BUSES)
    if read_back:
        chip._read(chip.uc, rcc + 0x18, 4, f1.BUSES)
    chip._write(chip.uc, uart + 8, 4, 100, f1.BUSES)
    assert ("before 0x40021018 was read back" in chip.trouble) != read_back
