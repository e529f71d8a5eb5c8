"""The Pico 2's images, unchanged, on a model of their chip (hil_tests/chips/rp2350/)."""

import struct
import zlib
from collections.abc import Iterator
from pathlib import Path

import pytest
from unicorn.arm_const import UC_ARM_REG_SP
from unicorn.riscv_const import UC_RISCV_REG_X2

from einthoven.boards.board import BANNER, build, load_board, with_weights
from einthoven.codegen.head import own_head, pack
from einthoven.codegen.model import load
from einthoven.hil_tests.chips.line import Line, agreed
from einthoven.hil_tests.chips.rp.cortex_m import CortexM
from einthoven.hil_tests.chips.rp.flash import PAGE, SECTOR, WINDOW
from einthoven.hil_tests.chips.rp2350 import chip as rp2350
from einthoven.hil_tests.chips.rp2350 import rom
from einthoven.hil_tests.chips.rp2350.blocks import BY_EBH
from einthoven.hil_tests.chips.rp2350.chip import Chip
from einthoven.hil_tests.chips.rp2350.layout import LAYOUT
from einthoven.hil_tests.chips.served import serving
from einthoven.hil_tests.harness.alike import replayed_alike
from einthoven.hil_tests.harness.device import Device
from einthoven.paths import SHIPPED_MODEL
from einthoven.records.synth import make_record
from einthoven.wire.schema import schema

REASONS = {number: name for name, number in schema().enums["reset_reason"].items()}
PATIENT = (1.0, 60.0, 60.0)


@pytest.fixture(scope="module", params=["pico2", "pico2_riscv"])
def program(request: pytest.FixtureRequest) -> Path:
    return build(load_board(request.param))


@pytest.fixture
def board(program: Path) -> str:
    return program.parent.name


@pytest.fixture
def chip(program: Path) -> Chip:
    return Chip(program)


@pytest.fixture
def url(chip: Chip) -> Iterator[str]:
    with serving(chip) as found:
        yield found


def test_it_boots_on_the_clocks_that_it_should(chip: Chip) -> None:
    chip.run(0.1)
    assert BANNER in chip.sent
    assert chip.core_hz() == LAYOUT.core_hz
    assert abs(chip.timer.ticks(chip.ns) * 1e3 - chip.ns) < 5e6, "microseconds [12.8]"
    assert chip.clocks.adc_hz(chip.ns) == 48e6
    due = chip.watchdog.due_ns(chip.ns)
    assert due is not None and 2e9 < due - chip.ns < 16.7e9
    assert chip.watchdog.fed > 0


def test_without_a_crystal_nothing_is_sent_at_a_wrong_rate(program: Path) -> None:
    with pytest.raises(AssertionError, match="a byte is sent, and the UART is at 33"):
        Chip(program, crystal=False).run(0.5)


def test_it_says_of_a_short_record_what_the_host_says(url: str, board: str) -> None:
    samples = make_record(3, 15.0, 180.0).samples
    with Device(url, timeouts_s=PATIENT) as device:
        who = device.hello
        assert (who.board, who.reset_reason) == (board, "power")
        assert who.serial == f"{rp2350.IDENTITY:016x}"
        replayed, told = replayed_alike(device, samples)
        assert replayed.info["rx_overruns"] == replayed.info["rejected_bytes"] == 0
        device.reset()
        assert device.hello.reset_reason == "software"
    assert len(told.beats) > 10


def test_its_own_samples_are_what_the_pin_saw(chip: Chip) -> None:
    chip.sampling.samples = make_record(5, 20.0, 180.0).samples
    chip.run(0.1)
    line = Line(chip)
    line.start_stream(session=7)
    chip.run(6.0)
    events, n = agreed(line)
    assert len(events.beats) > 4 and n > 5.9 * 180


def test_a_patients_head_is_kept_and_the_flash_read_as_fast_as_before(chip: Chip, url: str) -> None:
    """flash_enter_cmd_xip() leaves the window at a tenth of its speed."""
    shipped = load(SHIPPED_MODEL)
    with Device(url, timeouts_s=PATIENT) as device:
        device.upload_head(shipped.sha256, pack(shipped, own_head(shipped)))
        assert chip.qmi.reg == dict(zip(chip.qmi.reg, BY_EBH, strict=True))
        device.reset()
        assert (device.hello.head, device.hello.reset_reason) == ("active", "software")
        assert chip.flash.erased == 2 and chip.flash.programmed > 6
        device.remove_head()
        device.reset()
        assert device.hello.head == "none"


def test_a_program_that_stands_still_is_restarted(chip: Chip) -> None:
    line = Line(chip)
    chip.run(0.1)
    chip.sent.clear()
    with pytest.raises(AssertionError, match="no reply"):
        line.ask("hang")
    chip.run(4.0)
    assert BANNER in chip.sent
    assert chip.power.reg[rp2350.CHIP_RESET] == rp2350.BY_WATCHDOG
    assert _told(chip) == "watchdog"


def test_the_run_pin_and_a_restart_by_the_boot_rom_are_told(chip: Chip) -> None:
    chip.run(0.1)
    chip.press_run()
    # The ROM restarts the chip on its other cores, and that reset is then the last one [6.4].
    assert _told(chip) == ("power" if chip.on_riscv else "pin")
    chip.power_on()
    chip.watchdog.reason = 1  # as behind a UF2 file: the ROM's watchdog, before any program
    assert _told(chip) == "power"


def test_a_fault_is_told_with_where_and_why(chip: Chip) -> None:
    chip.run(0.1)
    chip.sent.clear()
    chip.core.pc = 0x30000000
    chip.run(0.1)
    if chip.on_riscv:
        assert b"fault: mcause=00000001 mepc=30000000 " in chip.sent
    else:
        assert b"fault: exception=00000003 cfsr=00000100 " in chip.sent
        assert b" pc=30000000\r\n" in chip.sent
    assert _told(chip) == "fault"


def test_a_stack_overflow_is_told(chip: Chip) -> None:
    """On Arm by MSPLIM, before anything leaves RAM, on RISC-V by the PMP: what a push below
    0x20000000 does without them the data sheet does not say (4.4.1); the model's run ends there.
    """
    chip.run(0.1)
    chip.sent.clear()
    if isinstance(chip.core, CortexM):
        assert chip.core.limit == 0x20000000
        chip.uc.reg_write(UC_ARM_REG_SP, 0x20000010)
    else:
        assert chip.core.guarded == range(0x1FFFFC00, 0x20000000)
        chip.uc.reg_write(UC_RISCV_REG_X2, 0x20000010)
    chip.run(0.2)
    wanted = b"mcause=00000007 " if chip.on_riscv else b"cfsr=00100000 bfar=00000000 "
    assert wanted in chip.sent and b" stack overflow\r\n" in chip.sent
    assert _told(chip) == "fault"


def _told(chip: Chip) -> str:
    chip.run(0.1)
    chip.sent.clear()
    who = Line(chip).ask("hello", protocol=1)
    return REASONS[who["reset_reason"]]


def test_a_pad_left_isolated_gives_no_byte(program: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    chip = Chip(program)
    write = chip.pads.write

    def isolated(offset: int, value: int, now_ns: int) -> bool:
        return write(offset, value | LAYOUT.pad_isolated, now_ns)

    monkeypatch.setattr(chip.pads, "write", isolated)
    with pytest.raises(AssertionError, match="a byte is sent, and the pad of pin 0 is isolated"):
        chip.run(0.1)


def test_mistakes_of_the_firmwares_end_the_run(chip: Chip) -> None:
    chip.run(0.1)
    for wrong, why in (
        (lambda: chip.flash.erase(0x1000, SECTOR, 65536, 0xD8), "while it is read from"),
        (lambda: chip.flash.program(0x80, bytes(PAGE)), "no pages of this flash"),
        (lambda: chip._read(chip.uc, 0x4C000, 4, 0x40000000), "0x4004c000 is read, and not model"),
        (lambda: chip._read(chip.uc, 0xA0000, 4, 0x40000000), "held in reset"),
    ):
        chip.trouble = ""
        wrong()
        assert why in chip.trouble


def test_bits_only_fall_until_a_sector_is_erased(chip: Chip) -> None:
    chip.run(0.1)
    flash, at = chip.flash, 0x200000
    flash.connect()
    flash.exit_xip()
    flash.program(at, b"\x0f" * PAGE)
    flash.program(at, b"\x35" * PAGE)
    assert flash.content[at : at + PAGE] == b"\x05" * PAGE
    assert "0x10001000 of the flash is touched while" in chip.forbidden(WINDOW + 0x1000)
    flash.erase(at, SECTOR, 65536, 0xD8)
    assert flash.content[at : at + PAGE] == b"\xff" * PAGE
    assert not chip.trouble
    flash.enter_xip()
    assert "the cache is stale" in chip.trouble


def test_the_boot_rom_takes_no_other_block(chip: Chip) -> None:
    image = chip.flashed()[: rom.SEARCHED]
    assert rom.find_image(image) == rom.Image(riscv=chip.on_riscv)
    at = image.index(struct.pack("<I", rom.BEGIN))
    for place, word in ((0, 0), (4, 0x21210142), (4, 0x10110142), (8, 0x2FF), (12, 4), (16, 0)):
        wrong = bytearray(image)
        struct.pack_into("<I", wrong, at + place, word)
        assert rom.find_image(bytes(wrong)) is None


def test_the_boot_roms_table_is_searched_by_letters_and_core() -> None:
    for riscv, mask in ((False, rom.FOR_ARM), (True, 1)):
        content, places = rom.content(riscv)
        for name in rom.FUNCTIONS:
            code = int.from_bytes(name.encode(), "little")
            assert places[rom.lookup(content, code, mask) & ~1] == name
        assert rom.lookup(content, 0x5858, mask) == 0
        assert rom.lookup(content, code, 0x10) == 0, "nothing for the Non-secure state"


def test_the_image_can_be_checked_while_it_runs(chip: Chip) -> None:
    """Where the emulator has other instructions in place of some, nobody reads those."""
    chip.run(0.1)
    reply = Line(chip).ask("memory")
    image = chip.flashed()[: reply["image_bytes"]]
    assert reply["image_crc"] == zlib.crc32(image)
    assert reply["ram_bad"] == 0
    assert _told(chip) == "power"


@pytest.mark.parametrize("name", ["pico2", "pico2_riscv"])
def test_with_model_and_engine_in_ram_it_says_the_same(name: str) -> None:
    board = with_weights(load_board(name), "ram")
    chip = Chip(build(board))
    samples = make_record(3, 15.0, 180.0).samples
    with serving(chip) as url, Device(url, timeouts_s=PATIENT) as device:
        told = replayed_alike(device, samples)[1]
        reply = device.ask("memory", "memory_reply").fields
        device.reset()
        replayed_alike(device, samples)
    assert reply["ram_bad"] == 0
    assert len(told.beats) > 10
