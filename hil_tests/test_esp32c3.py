"""The ESP32-C3's image, unchanged, on a model of its chip (hil_tests/chips/esp32c3/)."""

import struct
from collections.abc import Iterator
from pathlib import Path

import pytest
from unicorn import riscv_const as riscv

from einthoven.boards import resources
from einthoven.boards.board import BANNER, Board, build, load_board
from einthoven.codegen.head import own_head, pack
from einthoven.codegen.model import load
from einthoven.hil_tests.check import device as of_device
from einthoven.hil_tests.check import firmware, signal
from einthoven.hil_tests.chips.esp32c3 import chip as c3
from einthoven.hil_tests.chips.esp32c3.analogue import ONETIME, PLL, START
from einthoven.hil_tests.chips.esp32c3.chip import Chip
from einthoven.hil_tests.chips.esp32c3.rom import SUSPEND
from einthoven.hil_tests.chips.line import Line, agreed, encoded
from einthoven.hil_tests.chips.served import serving
from einthoven.hil_tests.harness.alike import replayed_alike
from einthoven.hil_tests.harness.device import Device
from einthoven.paths import SHIPPED_MODEL
from einthoven.records.synth import make_record
from einthoven.wire.schema import schema

PATIENT = (1.0, 60.0, 60.0)
"""Of a program that stands still, or starts anew, one request at least is lost."""
GAIN = round(161 * 2000 / 1370)
"""LSB/mV behind an AD8232, where 1370 mV are 2000 counts."""
FAULT = 5
"""Reason of a start, as the wire has it."""
SLOT = 0x1FE000
"""In flash."""
GAP = 0x0008
"""Flag of samples that were lost."""


@pytest.fixture(scope="module")
def program() -> Path:
    return build(load_board("esp32c3"))


@pytest.fixture
def chip(program: Path) -> Chip:
    return Chip(program)


@pytest.fixture
def url(chip: Chip) -> Iterator[str]:
    with serving(chip) as found:
        yield found


def test_it_starts_directly_and_runs_from_the_pll(chip: Chip) -> None:
    chip.run(0.1)
    assert bytes(chip.sent).count(BANNER) == 1
    assert chip.core_hz() == 160e6
    assert chip.watchdogs.left == [] and chip.watchdogs.seconds == pytest.approx(4.0)
    assert chip.timer.hz(1) == 100.0, "it wakes at least every 10 ms"


def test_only_the_magic_of_direct_boot_is_started(chip: Chip) -> None:
    with pytest.raises(AssertionError, match="magic of direct boot"):
        chip.flash_anew(b"\xe9" + chip.flashed()[1:])
        chip.sleep()


def test_it_says_of_some_beats_what_the_host_says(url: str) -> None:
    samples = make_record(3, 20.0, 180.0).samples
    with Device(url, timeouts_s=PATIENT) as device:
        who = device.hello
        assert (who.board, who.reset_reason, who.serial) == ("esp32c3", "power", c3.MAC)
        assert who.gain_lsb_per_mv == load_board("esp32c3").gain_lsb_per_mv == GAIN
        replayed, told = replayed_alike(device, samples)
        assert replayed.info["rx_overruns"] == replayed.info["rejected_bytes"] == 0
        device.reset()
        assert device.hello.reset_reason == "software"
    assert len(told.beats) > 15


def test_its_own_samples_are_the_hosts(chip: Chip) -> None:
    chip.sampling.samples = make_record(5, 20.0, 180.0).samples
    chip.run(0.5)
    line = Line(chip)
    line.start_stream(session=7)
    chip.run(12.0)
    events, n = agreed(line)
    assert len(events.beats) > 10 and n > 11.9 * 180
    assert not (events.beats["flags"] & GAP).any()
    assert chip.timer.missed == 0


def test_a_patients_head_is_kept(chip: Chip, url: str) -> None:
    shipped = load(SHIPPED_MODEL)
    with Device(url, timeouts_s=PATIENT) as device:
        device.upload_head(shipped.sha256, pack(shipped, own_head(shipped)))
        assert chip.rom.erased == 2
        device.reset()
        assert device.hello.head == "active"
        device.remove_head()
        device.reset()
        assert device.hello.head == "none"
    image = load_board("esp32c3").program.with_suffix(".bin").read_bytes()
    assert chip.flashed()[: len(image)] == image


def test_samples_and_bytes_come_while_the_flash_is_written(chip: Chip) -> None:
    """The handlers lie in RAM: of what comes while the ROM erases two sectors nothing is lost."""
    flash = bytearray(chip.flashed())
    flash[SLOT : SLOT + 4] = bytes(4)
    chip.flash_anew(bytes(flash))
    line = Line(chip)
    line.start_stream(session=7)
    before, began = chip.sampling.conversions, chip.ns
    chip.coming += encoded("head_remove") + encoded("info") * 8
    chip.run(0.3)
    assert chip.rom.erased == 2
    assert chip.sampling.conversions - before == pytest.approx((chip.ns - began) * 1440e-9, abs=2)
    assert chip.timer.missed == 0
    chip.sent.clear()
    assert line.ask("info")["rx_overruns"] == 0


def test_it_sleeps_when_nobody_asks_for_samples_any_more(chip: Chip) -> None:
    line = Line(chip)
    line.start_stream(session=7)
    chip.run(0.5)
    line.ask("finish", samples=0, events_acked=0)
    chip.run(1.0)
    assert line.ask("info")["rx_overruns"] == 0


def test_check_finds_it_good(chip: Chip, url: str, program: Path) -> None:
    chip.sampling.samples = make_record(5, 10.0, 180.0).samples
    board = load_board("esp32c3")
    with Device(url, timeouts_s=PATIENT) as device:
        items = [
            *firmware.identity(device, board, c3.MAC),
            *firmware.memory(device, board, None),
            firmware.engine(device),
            firmware.rhythm(device),
            signal.signal(device, board, signal.take(device, 2.0), "on"),
            of_device.watchdog(device, board.has_watchdog),
        ]
    assert [item for item in items if item.passed is False] == []
    passed = {item.name for item in items if item.passed}
    assert {"RAM", "engine", "rhythm", "signal", "watchdog"} <= passed, passed


def test_a_stack_overflow_is_told_after_the_restart(chip: Chip) -> None:
    """The stack goes on near its end: there is no room for the next call or interrupt."""
    chip.sleep()
    sp = chip.uc.reg_read(riscv.UC_RISCV_REG_SP)
    top = c3.DRAM + _stack_bytes(load_board("esp32c3"))
    chip.uc.mem_write(c3.DRAM + 32, bytes(chip.uc.mem_read(sp, top - sp)))
    chip.uc.reg_write(riscv.UC_RISCV_REG_SP, c3.DRAM + 32)
    chip.sent.clear()
    chip.coming += encoded("info")
    told = _after_restart(chip)
    assert b"fault: mcause=00000007" in told and b"stack overflow" in told
    assert _reason(chip) == FAULT


def test_a_fault_is_told_after_the_restart(chip: Chip) -> None:
    chip.sleep()
    chip.sent.clear()
    chip.pc = 0
    told = _after_restart(chip)
    assert b"fault: mcause=00000001 mepc=00000000 mtval=00000000" in told
    assert b"stack overflow" not in told
    assert _reason(chip) == FAULT


def test_a_mistake_in_the_chain_of_samples_ends_the_run(chip: Chip) -> None:
    chip.sampling.write(ONETIME, START, 0)
    assert "a conversion starts, and this is not so: " in chip.trouble


def test_a_pll_that_is_not_set_up_ends_the_run(chip: Chip) -> None:
    chip.sleep()
    assert chip.bus.put(PLL, 0, 3, 7, 0, 4) == ""  # 320 MHz
    with pytest.raises(AssertionError, match="the core runs at 0 Hz"):
        chip.wake()


def test_a_register_that_is_not_modelled_ends_the_run(chip: Chip) -> None:
    chip.sleep()
    chip.uc.mem_write(c3.IRAM, struct.pack("<3I", 0x600085B7, 0x7FC5A503, 0x10500073))
    chip.pc = c3.IRAM  # lui a1, 0x60008; lw a0, 0x7fc(a1); wfi
    with pytest.raises(AssertionError, match="0x600087fc is read, and not modelled"):
        chip.sleep()


def test_code_of_the_flash_is_not_run_while_that_is_written(chip: Chip) -> None:
    chip.sleep()
    chip.rom.call(SUSPEND, [0] * 8, chip.ns)
    with pytest.raises(AssertionError, match="while it is not there"):
        chip.run(1.0)


def test_it_fits_with_its_stack(program: Path) -> None:
    board = load_board("esp32c3")
    assert resources.image_problems(board) == []


def _reason(chip: Chip) -> int:
    """Why it began, as it tells."""
    return int(Line(chip).ask("hello", protocol=schema().version)["reset_reason"])


def _stack_bytes(board: Board) -> int:
    image = resources.measure(board)
    assert image is not None
    return image.stack_bytes


def _after_restart(chip: Chip) -> bytes:
    """What it has sent until its banner came again."""
    for _ in range(100):
        chip.sleep()
        if BANNER in chip.sent:
            return bytes(chip.sent)
        chip.wake()
    raise AssertionError(f"no banner in {bytes(chip.sent)!r}")
