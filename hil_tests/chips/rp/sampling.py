"""The timer with its alarms, and the ADC.

RP2350's data sheet: 12.8 timer, 12.4 ADC; RP2040's 4.6, 4.9.
"""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from einthoven.hil_tests.chips import NS_PER_S
from einthoven.hil_tests.chips.rp.block import Block, Stop
from einthoven.hil_tests.chips.rp.uart import Pads, Pins

ALARM, ARMED, RAWL = (0x10, 0x14, 0x18, 0x1C), 0x20, 0x28
CS, RESULT = 0x0, 0x4
EN, START, READY, CHANNEL = 1 << 0, 1 << 2, 1 << 8, 15 << 12
POWER_UP_NS = 500
"""A few periods of 48 MHz: said as that only [12.4.3]."""
CONVERSION_CYCLES = 96
PIN, NO_FUNCTION, PAD_ANALOGUE = 26, 31, 1 << 7
FULL, MIDDLE = 4095, 2048
OVERSAMPLING, RATE_HZ = 8, 180
"""Of the firmware: conversions of a sample, samples a second."""
WORD = 1 << 32


class Timer(Block):
    """`interrupts`: offset of INTR."""

    def __init__(self, stop: Stop, interrupts: int) -> None:
        self._intr, self._inte = interrupts, interrupts + 4
        super().__init__(stop, {self._inte: 0})
        self._hz = 0
        self.reset()

    def reset(self) -> None:
        """As after a reset of this peripheral."""
        super().reset()
        self._due: dict[int, int] = {}
        self._raised = 0
        self._base = self._base_ns = 0

    def count_at(self, hz: int, now_ns: int) -> None:
        """So fast from now on."""
        self._base, self._base_ns, self._hz = self.ticks(now_ns), now_ns, hz

    def ticks(self, now_ns: int) -> int:
        """All that it has counted."""
        return self._base + (now_ns - self._base_ns) * self._hz // NS_PER_S

    def _at_ns(self, ticks: int) -> int:
        return self._base_ns - (self._base - ticks) * NS_PER_S // self._hz

    def run(self, now_ns: int) -> None:
        """Alarms fire until then."""
        if not self._due:
            return
        ticks = self.ticks(now_ns)
        for alarm, due in list(self._due.items()):
            if due <= ticks:
                self._raised |= 1 << alarm
                del self._due[alarm]

    def raised(self, alarm: int, now_ns: int) -> bool:
        """Whether it asks for an interrupt."""
        self.run(now_ns)
        return bool(self._raised & self.reg[self._inte] & 1 << alarm)

    def event_ns(self, now_ns: int) -> int | None:
        """When the next alarm fires. None: none is armed."""
        self.run(now_ns)
        return self._at_ns(min(self._due.values())) if self._due and self._hz else None

    def peek(self, offset: int) -> int | None:
        """What a write to one bit keeps of the others."""
        if offset == ARMED:
            return sum(1 << alarm for alarm in self._due)
        return self._raised if offset == self._intr else super().peek(offset)

    def read(self, offset: int, now_ns: int) -> int | None:
        """None: not modelled."""
        self.run(now_ns)
        return self.ticks(now_ns) % WORD if offset == RAWL else self.peek(offset)

    def write(self, offset: int, value: int, now_ns: int) -> bool:
        """False: not modelled. An alarm fires when the counter's low word is its own."""
        self.run(now_ns)
        if offset in ALARM:
            now = self.ticks(now_ns)
            self._due[ALARM.index(offset)] = now + ((value - now) % WORD or WORD)
        elif offset == ARMED:
            self._due = {a: due for a, due in self._due.items() if not value >> a & 1}
        elif offset == self._intr:
            self._raised &= ~value
        else:
            return super().write(offset, value, now_ns)
        return True


class Adc(Block):
    """What GP26 sees is `samples` at 180 Hz, signed 12-bit counts, from the first conversion on;
    behind their end, or without any, no electrode: the upper rail. `clock_hz`: of clk_adc.
    """

    def __init__(
        self, stop: Stop, clock_hz: Callable[[int], float], pins: Pins, pads: Pads
    ) -> None:
        super().__init__(stop, {CS: 0})
        self._clock_hz, self._pins, self._pads = clock_hz, pins, pads
        self.samples: NDArray[np.int16] = np.zeros(0, np.int16)
        self.reset()

    def reset(self) -> None:
        """As after a reset of this peripheral."""
        super().reset()
        self._ready_ns = 0
        self._result = self._next = 0
        self._first_ns: int | None = None
        self._newest_ns = 0

    @property
    def taken(self) -> int:
        """Samples whose last conversion has been."""
        if self._first_ns is None:
            return 0
        return (self._conversion(self._newest_ns) + 1) // OVERSAMPLING

    def _conversion(self, at_ns: int) -> int:
        """Which of the conversions of an exact clock the one at this time is."""
        begun = self._first_ns if self._first_ns is not None else at_ns
        return round((at_ns - begun) * RATE_HZ * OVERSAMPLING / NS_PER_S)

    def peek(self, offset: int) -> int | None:
        """What a write to one bit keeps of the others."""
        return self._result if offset == RESULT else super().peek(offset)

    def read(self, offset: int, now_ns: int) -> int | None:
        """None: not modelled."""
        self._finish(now_ns)
        value = self.peek(offset)
        if offset == CS and value is not None:
            ready = value & EN and now_ns >= self._ready_ns
            return value | (READY if ready else 0)
        return value

    def write(self, offset: int, value: int, now_ns: int) -> bool:
        """False: not modelled."""
        if offset != CS:
            return False
        self._finish(now_ns)
        if value & EN and not self.reg[CS] & EN:
            self._require(value, now_ns)
            self._ready_ns = now_ns + POWER_UP_NS
        self.reg[CS] = value & ~START
        if value & START:
            if now_ns < self._ready_ns:
                self._stop("a conversion is started before the ADC is ready [12.4.3]")
            self._convert(now_ns)
        return True

    def _finish(self, now_ns: int) -> None:
        if now_ns >= self._ready_ns:
            self._result = self._next

    def _convert(self, now_ns: int) -> None:
        if self._first_ns is None:
            self._first_ns = now_ns
        self._newest_ns = now_ns
        self._ready_ns = now_ns + round(CONVERSION_CYCLES * NS_PER_S / self._clock_hz(now_ns))
        sample = self._conversion(now_ns) // OVERSAMPLING
        there = sample < len(self.samples)
        self._next = int(self.samples[sample]) + MIDDLE if there else FULL

    def _require(self, cs: int, now_ns: int) -> None:
        wanted = {
            "clk_adc is 48 MHz [12.4.3]": abs(self._clock_hz(now_ns) / 48e6 - 1) < 1e-3,
            "channel 0 is chosen": cs & CHANNEL == 0,
            "pin 26 has no function": self._pins.function(PIN) == NO_FUNCTION,
            "its pad is for an analogue voltage [9.6]": self._pads.pad(PIN) == PAD_ANALOGUE,
        }
        for what, good in wanted.items():
            if not good:
                self._stop(f"the ADC is switched on, and this is not so: {what}")
