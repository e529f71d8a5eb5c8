"""A peripheral's registers; and where each peripheral of a chip lies."""

from collections.abc import Callable
from dataclasses import dataclass

Stop = Callable[[str], None]
"""Told a mistake of the firmware's, which ends the run."""


class Block:
    """Registers that keep what was written. `first`: what a reset makes of them, by offset."""

    def __init__(self, stop: Stop, first: dict[int, int]) -> None:
        self._stop, self._first = stop, first
        self.reg = dict(first)

    def reset(self) -> None:
        """As after a reset of this peripheral."""
        self.reg = dict(self._first)

    def read(self, offset: int, now_ns: int) -> int | None:
        """What the core gets. None: not modelled."""
        return self.peek(offset)

    def peek(self, offset: int) -> int | None:
        """What a write to one bit keeps of the others."""
        return self.reg.get(offset)

    def write(self, offset: int, value: int, now_ns: int) -> bool:
        """False: not modelled."""
        if offset not in self.reg:
            return False
        self.reg[offset] = value
        return True


@dataclass(frozen=True)
class Layout:
    """A chip's addresses, resets by their bit, and what else differs."""

    resets: int
    clocks: int
    xosc: int
    pll_sys: int
    pll_usb: int
    psm: int
    watchdog: int
    io_bank0: int
    pads_bank0: int
    uart0: int
    timer: int
    adc: int
    reset_bits: dict[int, int]
    """Base of a peripheral to its bit in RESETS."""
    clock_ref: int
    """Offset of CLK_REF_CTRL; clk_sys, clk_peri, clk_usb and so on follow."""
    clock_adc: int
    """Offset of CLK_ADC_CTRL."""
    core_hz: float
    """What the firmware is to run at."""
    watchdog_selects: int
    """Of PSM_WDSEL: all stages but the oscillators."""
    pad_isolated: int
    """A pad's latch bit, 0 on a chip that has none."""
    pad_reset: int
    alarm_interrupts: int
    """Offset of the timer's INTR; INTE follows."""
