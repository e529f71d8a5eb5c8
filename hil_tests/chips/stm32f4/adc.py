"""ADC1 of an STM32F4, as software starts it. RM0383 11.12, RM0390 13.13, RM0090 13.13.

A conversion takes its sampling time and 12 cycles; within 3 us of being switched on (tSTAB of the
data sheets) it converts anything. What the pin sees is `samples` at 180 Hz from the first good
conversion on, by the time; behind their end, or without any, no electrode: the upper rail.
"""

import random
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from einthoven.hil_tests.chips.armv7m import NS_PER_S, MistakeError

SR, CR1, CR2, SMPR1, SMPR2 = range(0, 20, 4)
SQR1, SQR2, SQR3, JSQR, JDR1, DR, CCR = 0x2C, 0x30, 0x34, 0x38, 0x3C, 0x4C, 0x304
ADON, SWSTART = 1 << 0, 1 << 30
EOC, STRT = 1 << 1, 1 << 4
CYCLES = (3, 15, 28, 56, 84, 112, 144, 480)
MAX_HZ = 36_000_000
STABLE_NS = 3_000
FULL, MIDDLE = 4095, 2048
OVERSAMPLING, RATE_HZ = 8, 180
"""Of the firmware: conversions of a sample, samples a second."""


class Adc:
    """`channel`: where the electrodes are; `is_analogue`: whether its pin is."""

    def __init__(
        self,
        channel: int,
        now_ns: Callable[[], int],
        bus_hz: Callable[[], int],
        is_analogue: Callable[[], bool],
    ) -> None:
        self._channel, self._now_ns, self._bus_hz = channel, now_ns, bus_hz
        self._is_analogue = is_analogue
        self.samples: NDArray[np.int16] = np.zeros(0, np.int16)
        self._random = random.Random(1)
        self.reset()

    def reset(self) -> None:
        """As after any reset: off."""
        offsets = (SR, CR1, CR2, SMPR1, SMPR2, SQR1, SQR2, SQR3, JSQR, DR, CCR)
        self._reg = dict.fromkeys(offsets, 0)
        self._stable_ns = 0
        self._done_ns: int | None = None
        self._value = 0
        self._begun_ns: int | None = None
        self.conversions = 0

    @property
    def taken(self) -> int:
        """Samples whose last conversion may have been, by the time."""
        if self._begun_ns is None:
            return 0
        return (self._now_ns() - self._begun_ns) * RATE_HZ // NS_PER_S

    def read(self, offset: int) -> int | None:
        """None: not modelled."""
        self._finish()
        if offset == DR:
            self._reg[SR] &= ~EOC
        return self._reg.get(offset)

    def write(self, offset: int, value: int) -> bool:
        """False: not modelled. Raises MistakeError."""
        self._finish()
        if offset == SR:
            self._reg[SR] &= value
        elif offset == CR2:
            if value & ADON and not self._reg[CR2] & ADON:
                self._stable_ns = self._now_ns() + STABLE_NS
            self._reg[CR2] = value & ~SWSTART
            if value & (ADON | SWSTART) == ADON | SWSTART:
                self._start()
        elif offset in self._reg and offset != DR:
            self._reg[offset] = value
        else:
            return False
        return True

    def _start(self) -> None:
        now = self._now_ns()
        hz = self._bus_hz() // (2 * (self._reg[CCR] >> 16 & 3) + 2)
        if hz > MAX_HZ:
            raise MistakeError(f"the ADC runs at {hz} Hz")
        if self._reg[SQR1] or self._reg[SQR3] != self._channel or not self._is_analogue():
            raise MistakeError("a conversion of another channel than the electrodes', or no pin")
        if self._done_ns is not None:
            raise MistakeError("a conversion is started while one goes on")
        cycles = CYCLES[self._reg[SMPR2] >> 3 * self._channel & 7] + 12
        if now < self._stable_ns:
            self._value = self._random.randrange(FULL + 1)
        else:
            self._begun_ns = now if self._begun_ns is None else self._begun_ns
            self._value = self._pin(now)
        self._done_ns = now + cycles * NS_PER_S // hz

    def _pin(self, now_ns: int) -> int:
        """Half a conversion's time to either side belongs to it."""
        begun = now_ns if self._begun_ns is None else self._begun_ns
        rate = OVERSAMPLING * RATE_HZ
        sample = ((now_ns - begun) * 2 * rate // NS_PER_S + 1) // 2 // OVERSAMPLING
        return int(self.samples[sample]) + MIDDLE if sample < len(self.samples) else FULL

    def _finish(self) -> None:
        if self._done_ns is not None and self._now_ns() >= self._done_ns:
            self._done_ns = None
            self._reg[DR] = self._value
            self._reg[SR] |= EOC
            self.conversions += 1
