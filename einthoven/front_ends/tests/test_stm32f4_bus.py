"""The STM32F4's bus, as the Feather's image has it, on a model of the chip's registers.

Nothing of it has run on silicon, and QEMU has neither GPIO nor DMA: here the compiled functions
meet what RM0090 says of SPI2 (28), EXTI (12), SYSCFG (9), ADC (13), DMA (10) and TIM2 (18).
"""

from pathlib import Path

import pytest

from einthoven.boards.board import build, load_board
from einthoven.front_ends.tests import stm32f4_registers as f4
from einthoven.front_ends.tests.stm32f4_registers import Chip

CS, READY, A0 = 0x22, 0x18, 0x04
"""PC2, PB8, PA4: boards/feather_f405/board.h."""
RING = 1120
CONTEXT = 0x12345678


@pytest.fixture(scope="module")
def program() -> Path:
    return build(load_board("feather_f405"))


@pytest.fixture
def chip(program: Path) -> Chip:
    return Chip(program)


@pytest.mark.parametrize("mode", [0, 1])
def test_a_transfer(chip: Chip, mode: int) -> None:
    sent = bytes(range(1, 10))
    chip.uc.mem_write(f4.SCRATCH, sent)
    chip.slave = lambda byte: byte ^ 0xFF
    assert chip.call("ein_bus_spi", mode, f4.SCRATCH, f4.SCRATCH + 32, len(sent)) & 0xFF == 1
    assert bytes(chip.uc.mem_read(f4.SCRATCH + 32, 9)) == bytes(b ^ 0xFF for b in sent)
    low, high = (chip.wire.index(("pin", CS, level)) for level in (0, 1))
    cs = [i for i, what in enumerate(chip.wire) if what[:2] == ("pin", CS)]
    spi = [i for i, what in enumerate(chip.wire) if what[0] == "spi"]
    assert cs[-2] < spi[0] and spi[-1] < cs[-1] and chip.wire[cs[-2]][2] == 0
    assert high < low, "deselected before it is an output"
    assert chip.rose_us[CS] - chip.wire[spi[-1]][2] >= 8, "an ADS1292R's tSCCS"
    assert chip.reg[f4.SPI2] == 0, "off again"
    for n in (13, 14, 15):  # alternate function 5 of PB13, PB14, PB15
        assert chip.reg[f4.GPIO + 0x400] >> (2 * n) & 3 == 2
        assert chip.reg[f4.GPIO + 0x424] >> (4 * (n - 8)) & 15 == 5
    assert chip.reg[f4.AHB1ENR] & 6 == 6, "clocks of GPIOB and GPIOC"


def test_the_clock_of_spi_is_below_1_mhz_and_its_phase_as_asked(chip: Chip) -> None:
    seen = []
    chip.slave = lambda byte: seen.append(chip.reg[f4.SPI2]) or 0  # type: ignore[func-returns-value]
    for mode in (0, 1):
        chip.call("ein_bus_spi", mode, f4.SCRATCH, f4.SCRATCH, 1)
    assert [control & 3 for control in seen] == [0, 1]  # CPOL 0, CPHA as the mode
    assert all(42e6 / (2 << (control >> 3 & 7)) <= 1e6 for control in seen)
    assert all(control & 0xF880 == 0 for control in seen)  # eight bits, both ways, MSB first


def test_an_edge_reaches_the_driver_with_its_time(chip: Chip) -> None:
    chip.call("ein_bus_listen", f4.CALLBACK | 1, CONTEXT)
    line = 1 << (READY & 15)
    assert chip.reg[f4.SYSCFG + 8 + 4 * 2] & 15 == 1, "EXTI8 is port B's"
    assert chip.reg[f4.EXTI + 12] & line and not chip.reg.get(f4.EXTI + 8, 0) & line, "falls"
    assert chip.reg[f4.EXTI] & line and chip.reg[f4.NVIC_ISER] >> 23 & 1
    assert chip.reg[f4.NVIC_IPR + 23] == 0x80, "below the serial port's"
    chip.reg[f4.EXTI + 20] = line
    chip.now_us = 5000.0
    chip.call("EXTI9_5_IRQHandler")
    assert chip.reg[f4.EXTI + 20] & line == 0, "it is answered"
    assert chip.calls[0][0] == CONTEXT and 5000 <= chip.calls[0][1] <= 5002
    chip.call("ein_bus_hold")
    assert not chip.reg[f4.NVIC_ISER] >> 23 & 1
    chip.call("ein_bus_release")
    assert chip.reg[f4.NVIC_ISER] >> 23 & 1
    chip.call("ein_bus_spi", 1, f4.SCRATCH, f4.SCRATCH, 1)
    assert chip.reg[f4.NVIC_ISER] >> 23 & 1, "a transfer gives it back"
    chip.call("ein_bus_stop")
    assert not chip.reg[f4.NVIC_ISER] >> 23 & 1 and not chip.reg[f4.EXTI] & line


def converting(chip: Chip) -> Chip:
    assert chip.call("ein_bus_adc", 500, f4.CALLBACK | 1, CONTEXT) & 0xFF == 1
    return chip


def drain(chip: Chip) -> None:
    while True:
        before = len(chip.given)
        chip.call("ein_bus_serve")
        if len(chip.given) == before:
            return


def test_conversions_by_timer_and_dma(chip: Chip) -> None:
    converting(chip)
    assert chip.trigger_us() == pytest.approx(2000)
    assert chip.reg[f4.ADC1 + 0x34] == A0 and chip.reg[f4.ADC1 + 0x2C] == 0  # one, channel 4
    assert chip.reg[f4.GPIO] >> (2 * A0) & 3 == 3, "analogue"
    chip.pass_us(100_000)
    drain(chip)
    assert chip.given == list(range(chip.conversions)) and len(chip.given) in (50, 51)
    assert {call[3] for call in chip.calls} == {0}, "none lost"
    assert max(call[2] for call in chip.calls) == 8
    last = chip.calls[-1][4]
    assert chip.now_us - 2100 <= last <= chip.now_us, "the time of the newest"


def test_an_erase_loses_nothing_and_a_longer_stall_is_counted(chip: Chip) -> None:
    converting(chip)
    for stall_us in (2_000_000, 2_200_000, 2_200_000):
        chip.pass_us(stall_us)
        drain(chip)
    assert sum(call[3] for call in chip.calls) == 0
    assert chip.given == [i & 0xFFF for i in range(chip.conversions)]
    for rounds in (1, 2, 5):
        given, lost = len(chip.given), sum(call[3] for call in chip.calls)
        before = chip.conversions
        chip.pass_us(rounds * RING * 2000 + 300_000)
        drain(chip)
        counted = sum(call[3] for call in chip.calls) - lost
        assert counted > 0 and counted + len(chip.given) - given == chip.conversions - before
        assert chip.given[-1] == (chip.conversions - 1) & 0xFFF


def test_after_an_overrun_it_begins_anew(chip: Chip) -> None:
    converting(chip)
    chip.pass_us(100_000)
    drain(chip)
    given = len(chip.given)
    chip.reg[f4.ADC1] |= 1 << 5
    chip.pass_us(50_000)
    chip.call("ein_bus_serve")
    chip.pass_us(50_000)
    drain(chip)
    assert 24 <= sum(call[3] for call in chip.calls) <= 26
    assert 24 <= len(chip.given) - given <= 26 and chip.reg[f4.ADC1] >> 5 & 1 == 0
