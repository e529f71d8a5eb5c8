"""Images of STM32F4 boards, unchanged, on a model of their chips (hil_tests/chips/stm32f4/)."""

from collections.abc import Iterator
from typing import Any

import pytest
from elftools.elf.elffile import ELFFile
from unicorn import UC_HOOK_CODE, Uc
from unicorn.arm_const import UC_ARM_REG_SP

from einthoven.boards.board import BANNER, build, load_board
from einthoven.codegen.head import own_head, pack
from einthoven.codegen.model import load
from einthoven.errors import BoardError
from einthoven.hil_tests.chips.line import Line, agreed, encoded
from einthoven.hil_tests.chips.served import serving
from einthoven.hil_tests.chips.stm32f4 import chip as f4
from einthoven.hil_tests.chips.stm32f4 import clock as rcc
from einthoven.hil_tests.chips.stm32f4.chip import Chip
from einthoven.hil_tests.chips.stm32f4.kinds import BLACKPILL_F411CE, NUCLEO_F446RE, Kind
from einthoven.hil_tests.harness.alike import replayed_alike
from einthoven.hil_tests.harness.device import Device
from einthoven.paths import SHIPPED_MODEL
from einthoven.records.synth import make_record
from einthoven.wire.schema import schema

KINDS = {"blackpill_f411ce": BLACKPILL_F411CE, "nucleo_f446re": NUCLEO_F446RE}
PATIENT = (1.0, 60.0, 60.0)
GAP = 0x0008
"""Flag of samples that were lost."""
LAST_SECTOR = 7
PROTOCOL = schema().version


@pytest.fixture(params=KINDS)
def name(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def kind(name: str) -> Kind:
    return KINDS[name]


@pytest.fixture
def chip(name: str) -> Chip:
    return Chip(KINDS[name], build(load_board(name)))


@pytest.fixture
def blackpill() -> Chip:
    """It has started."""
    chip = Chip(BLACKPILL_F411CE, build(load_board("blackpill_f411ce")))
    chip.sleep()
    return chip


@pytest.fixture
def url(chip: Chip) -> Iterator[str]:
    with serving(chip) as found:
        yield found


@pytest.mark.parametrize(("crystal", "pll"), [(True, True), (False, True), (True, False)])
def test_it_boots_by_crystal_by_its_rc_oscillator_and_without_a_pll(
    name: str, kind: Kind, crystal: bool, pll: bool
) -> None:
    """At the right rate each time: the line takes no other."""
    chip = Chip(kind, build(load_board(name)), crystal, pll)
    chip.sleep()
    assert BANNER in chip.sent
    assert chip.clock.core_hz == (kind.core_hz if pll else rcc.HSI_HZ)
    by_crystal = (chip.clock.read(rcc.PLLCFGR) or 0) >> 22 & 1
    assert by_crystal == crystal
    bites_s = chip.watchdog.timeout_ns / 1e9
    assert bites_s >= 2 and bites_s * 47 / 17 <= 10
    assert chip.watchdog.fed > 0


def test_it_tells_why_it_began(name: str, url: str, chip: Chip) -> None:
    with Device(url, timeouts_s=PATIENT) as device:
        who = device.hello
        assert (who.board, who.reset_reason) == (name, "power")
        assert who.serial == "".join(f"{word:08x}" for word in f4.IDENTITY)
        device.reset()
        assert device.hello.reset_reason == "software"
        assert device.hang() == "watchdog"
    assert chip.restarts == ["software", "watchdog"]


def test_the_pin_is_a_reason_too(blackpill: Chip) -> None:
    blackpill.reset("pin")
    blackpill.sleep()
    assert Line(blackpill).ask("hello", protocol=PROTOCOL)["reset_reason"] == 2


def test_it_says_of_half_a_minute_what_the_host_says(url: str) -> None:
    samples = make_record(3, 20.0, 180.0).samples
    with Device(url, timeouts_s=PATIENT) as device:
        replayed, told = replayed_alike(device, samples)
        assert replayed.info["rx_overruns"] == replayed.info["rejected_bytes"] == 0
        assert device.hello.count_unit == "cycles"
    assert len(told.beats) > 15
    assert told.beats["count"].min() > 100_000


def test_its_own_samples_are_what_the_pin_saw(blackpill: Chip) -> None:
    """From the first one on: nothing is converted before the ADC is stable."""
    chip = blackpill
    chip.sampling.samples = make_record(5, 12.0, 180.0).samples
    line = Line(chip)
    line.start_stream(session=7)
    chip.run(10.5)
    events, n = agreed(line)
    assert len(events.beats) > 9 and n > 10 * 180
    assert not (events.beats["flags"] & GAP).any()


def test_it_sleeps_again_when_nobody_wants_samples_any_more(blackpill: Chip) -> None:
    """They go on coming, and wait in a ring that stays full."""
    chip = blackpill
    line = Line(chip)
    line.start_stream(session=7)
    chip.run(1.0)
    line.ask("finish", samples=0, events_acked=0)
    chip.run(0.2)
    begun, slept = chip.ns, chip.core.slept_ns
    chip.run(0.5)
    assert chip.core.slept_ns - slept > 0.9 * (chip.ns - begun)


def test_a_patients_head_is_kept_in_the_last_sector(chip: Chip, url: str) -> None:
    shipped = load(SHIPPED_MODEL)
    with Device(url, timeouts_s=PATIENT) as device:
        device.upload_head(shipped.sha256, pack(shipped, own_head(shipped)))
        device.reset()
        assert device.hello.head == "active"
        assert chip.flash.erased == [LAST_SECTOR] and chip.flash.programmed > 100
        chip.flash.fails = 1
        with pytest.raises(BoardError, match="no slot"):
            device.remove_head()
        device.remove_head()
        device.reset()
        assert device.hello.head == "none"


def test_what_comes_while_a_sector_is_erased_is_lost_and_told(blackpill: Chip) -> None:
    """The core stands still for up to 2 s: of what comes meanwhile one byte is there, and one is
    told as lost, however many were. Behind it all is as before.
    """
    chip, shipped = blackpill, load(SHIPPED_MODEL)
    with serving(chip) as url, Device(url, timeouts_s=PATIENT) as device:
        device.upload_head(shipped.sha256, pack(shipped, own_head(shipped)))
    line, before = Line(chip), chip.ns
    chip.coming += encoded("head_remove") + bytes(1000)
    chip.run(2.5)
    assert chip.flash.erased == [LAST_SECTOR] * 2 and chip.ns - before > 2_000_000_000
    assert chip.usart.lost > 900
    chip.sent.clear()
    assert line.ask("info")["rx_overruns"] == 1
    assert chip.restarts == [], "the watchdog was fed before it"


def test_an_overflow_of_the_stack_is_told_after_the_restart(chip: Chip) -> None:
    def deep(uc: Uc, address: int, size: int, data: object) -> None:
        uc.reg_write(UC_ARM_REG_SP, f4.RAM + 8)

    chip.sleep()
    chip.sent.clear()
    with chip.program.open("rb") as file:
        symbols: Any = ELFFile(file).get_section_by_name(".symtab")
        (called,) = symbols.get_symbol_by_name("ein_app_on_hello")
    at = called["st_value"] & ~1
    hook = chip.uc.hook_add(UC_HOOK_CODE, deep, begin=at, end=at)
    chip.coming += encoded("hello", protocol=PROTOCOL)
    chip.run(0.2)
    chip.uc.hook_del(hook)
    assert b"fault: exception=00000003" in chip.sent and b"stack overflow" in chip.sent
    assert chip.restarts == ["software"] and chip.sent.count(BANNER) == 1
    assert Line(chip).ask("hello", protocol=PROTOCOL)["reset_reason"] == 5


def test_its_memory_is_tried_while_samples_come(blackpill: Chip) -> None:
    chip = blackpill
    chip.sampling.samples = make_record(5, 12.0, 180.0).samples
    line = Line(chip)
    line.start_stream(session=7)
    chip.run(4.0)
    reply = line.ask("memory")
    assert reply["ram_bad"] == 0 and reply["ram_bytes"] == f4.RAM_BYTES - 64
    chip.run(6.0)
    events, _ = agreed(line)
    assert len(events.beats) > 8
