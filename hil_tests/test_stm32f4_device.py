"""The Feather's image, a device that works alone, unchanged on a model of its STM32F405.

Its AD8232 is what the ADC's pin and the two lead-off pins see; nothing answers on SPI.
"""

import dataclasses
from pathlib import Path

import numpy as np
import pytest

from einthoven.boards.board import build, load_board
from einthoven.device.spec import load as load_spec
from einthoven.fleet import operator as own
from einthoven.fleet import release
from einthoven.fleet.image import version_number
from einthoven.hil_tests.chips.armv7m import MistakeError
from einthoven.hil_tests.chips.line import Line
from einthoven.hil_tests.chips.served import serving
from einthoven.hil_tests.chips.stm32f4.chip import Chip
from einthoven.hil_tests.chips.stm32f4.kinds import FEATHER_F405
from einthoven.hil_tests.harness.device import Device
from einthoven.records.synth import make_record
from einthoven.wire.codec import Message
from einthoven.wire.schema import schema

BUTTON, LED, SHUTDOWN, LEADS = 0x27, 0x21, 0x23, (0x18, 0x19)
"""Pins, by boards/feather_f405/board.h."""
COUNTS_PER_MV = 1365
STRIP_SAMPLES = 30 * 180
MODES = schema().enums["device_mode"]
AS_IN_QEMU = dataclasses.replace(
    FEATHER_F405, crystal_hz=8_000_000, usart=0x40011000, tx=0x09, rx=0x0A, electrodes=1, battery=4
)
"""boards/qemu_stm32f405_device/board.h, whose image is linked for slots: the same chip."""
SECOND_SLOT = 0x40000
EVERYTHING = 0xFFFFFFFF
"""log_clear: whatever was added."""


@pytest.fixture
def chip() -> Chip:
    """Electrodes are on. Halved: an AD8232 with a gain of 1100 saturates at 1.5 mV."""
    chip = Chip(FEATHER_F405, build(load_board("feather_f405")))
    counts = make_record(11, 45.0, 500.0).samples.astype(np.int32) * COUNTS_PER_MV // 400
    chip.electrodes.samples = counts.clip(-2048, 2047).astype(np.int16)
    chip.pins.level |= dict.fromkeys((BUTTON, *LEADS), 0)
    return chip


def press(chip: Chip, seconds: float) -> None:
    chip.pins.level[BUTTON] = 1
    chip.run(seconds)
    chip.pins.level[BUTTON] = 0
    chip.run(0.2)


def status(chip: Chip) -> Message:
    return Line(chip).ask("device_status")


def test_a_press_records_a_strip_and_says_its_verdict(chip: Chip) -> None:
    shown: list[tuple[int, int]] = []
    chip.pins.changed = lambda pin, high: shown.append((pin, high))
    chip.sleep()
    chip.run(1.0)
    before = status(chip)
    assert (before["mode"], before["faults"], before["boots"]) == (MODES["ready"], 0, 1)
    assert abs(before["battery_mv"] - 3900) <= 2
    assert chip.flash.erased == [5], "the log's first sector"
    assert chip.pins.output(SHUTDOWN) == 0, "its amplifier sleeps"
    press(chip, 0.3)
    assert chip.pins.output(SHUTDOWN) == 1
    chip.run(36.0)
    done = status(chip)
    assert (done["samples"], done["samples_lost"], done["recordings"]) == (STRIP_SAMPLES, 0, 1)
    assert (done["mode"], done["log_failures"]) == (MODES["ready"], 0)
    assert done["verdict"] == 2, "other rhythm: the record has ventricular beats"
    assert chip.flash.programmed > 1000 and chip.flash.erased == [5]
    assert shown.count((LED, 1)) > 20 and chip.restarts == []


def test_sectors_are_erased_beside_a_recording_and_no_sample_is_lost(chip: Chip) -> None:
    """Six of them, one after the other: for 2 s each the core stands still."""
    chip.sleep()
    chip.run(1.0)
    press(chip, 2.5)
    assert status(chip)["mode"] == MODES["continuous"]
    chip.run(1.0)
    begun = chip.ns
    Line(chip).ask("log_clear", log_sequence=EVERYTHING, offset=0)
    chip.run(14.0 - (chip.ns - begun) / 1e9)
    assert chip.flash.erased == [5, 6, 7, 8, 9, 10, 5]
    chip.run(1.0)
    now = status(chip)
    assert (now["samples_lost"], now["log_failures"], now["front_end_restarts"]) == (0, 0, 0)
    assert now["samples"] > 14 * 180 and chip.restarts == []


def test_it_waits_for_both_electrodes(chip: Chip) -> None:
    chip.pins.level[LEADS[1]] = 1
    chip.sleep()
    press(chip, 0.3)
    chip.run(4.0)
    assert status(chip)["contact"] == 0
    chip.pins.level[LEADS[1]] = 0
    chip.run(4.0)
    assert status(chip)["contact"] == 1


def test_an_empty_cell_is_told_by_light_and_sound(chip: Chip) -> None:
    chip.battery.counts = 3200 * 4096 // 6600
    chip.sleep()
    tones = set()
    for _ in range(60):
        chip.run(0.05)
        tones.add(round(chip.piezo.tone_hz))
    now = status(chip)
    assert now["faults"] == load_spec().numbers["check"]["battery"]
    assert abs(now["battery_mv"] - 3200) <= 2
    assert [p.name for p in load_spec().patterns][now["pattern"]] == "battery_empty"
    assert len(tones) > 1 and chip.pins.function(0x26) == 2, "TIM3 is the piezo's"


def test_what_a_front_end_that_is_not_there_does_not_answer(chip: Chip) -> None:
    """An ADS1292R is asked by SPI, by its clock, its mode and its pins; then it is an AD8232."""
    asked: list[tuple[int, int]] = []

    def nothing(byte: int) -> int:
        asked.append((byte, chip.spi.mode))
        return 0

    chip.spi.part = nothing
    chip.sleep()
    assert asked and {mode for _, mode in asked} == {1}, "CPHA"
    assert Line(chip).ask("hello", protocol=schema().version)["gain_lsb_per_mv"] == COUNTS_PER_MV


def test_a_pin_is_not_set_before_its_port_has_a_clock(chip: Chip) -> None:
    with pytest.raises(MistakeError, match="0x40020800 is touched, and has no clock"):
        chip.clock.require_on(0x40020800, lambda: 0)


def test_a_boot_stage_tries_the_newer_slot_and_goes_back(tmp_path: Path) -> None:
    """Signatures, marks in flash, the watchdog and the jump, and a key in its pages: what QEMU,
    whose flash cannot be written, does not take.
    """
    device = load_board("qemu_stm32f405_device")
    own.make(tmp_path / "operator")
    key = own.signing_key(tmp_path / "operator" / "operator-sign.key")
    old, new = (release.make(device, version_number(v), key) for v in ("0.2.0", "0.3.0"))
    chip = Chip(AS_IN_QEMU, build(device))
    chip.pins.level |= dict.fromkeys((0x10, 0x18, 0x15), 0)
    content = bytearray(b"\xff" * AS_IN_QEMU.flash_bytes)
    content[: len(release.whole(old))] = release.whole(old)
    chip.flash_anew(bytes(content))
    with serving(chip) as url, Device(url, timeouts_s=(1.0, 60.0, 60.0)) as opened:
        now = opened.update_status(confirm=True)
        assert (now.running, now.slots[0].state) == (0, "confirmed")
        opened.set_key(bytes(32))
        assert chip.flash.erased == [2, 4, 1, 2] and chip.rng.words >= 9
    content[:] = chip.flashed()
    file = new.images[1].file
    content[SECOND_SLOT : SECOND_SLOT + len(file)] = file
    chip.flash_anew(bytes(content))
    with serving(chip) as url, Device(url, timeouts_s=(1.0, 60.0, 60.0)) as opened:
        assert opened.key_state() == "set"
        now = opened.update_status()
        assert (now.running, now.slots[1].state) == (1, "tried")
        opened.unlock(bytes(32))
        opened.reset()  # before it has confirmed itself
        now = opened.update_status()
        assert (now.running, now.slots[1].state) == (0, "refused")
