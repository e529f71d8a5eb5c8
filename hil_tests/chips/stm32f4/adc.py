"""ADC1 of an STM32F4: by software, by TIM2 and DMA, and injected.

RM0383 11.12, RM0390 13.13, RM0090 13.13. A conversion takes its sampling time and 12 cycles; one
within 3 us of being switched on (tSTAB of the data sheets) could be anything, and is a mistake. An
injected conversion takes no time from a regular one here.
"""

from collections.abc import Callable, Mapping
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from einthoven.hil_tests.chips import NS_PER_S
from einthoven.hil_tests.chips.armv7m import MistakeError
from einthoven.hil_tests.chips.stm32f4.dma import Stream
from einthoven.hil_tests.chips.stm32f4.timers import Timer

ADC1 = 0x40012000
SR, CR1, CR2, SMPR1, SMPR2 = range(0, 20, 4)
SQR1, SQR2, SQR3, JSQR, JDR1, DR, CCR = 0x2C, 0x30, 0x34, 0x38, 0x3C, 0x4C, 0x304
ADON, JSWSTART, SWSTART = 1 << 0, 1 << 22, 1 << 30
EOC, JEOC, OVR = 1 << 1, 1 << 2, 1 << 5
BY_TIM2 = 1 << 28 | 6 << 24
DMA_ON = 3 << 8
CYCLES = (3, 15, 28, 56, 84, 112, 144, 480)
MAX_HZ = 36_000_000
STABLE_NS = 3_000
FULL, MIDDLE = 4095, 2048


class Input(Protocol):
    """What a pin sees."""

    def at(self, ns: int) -> int:
        """0 to FULL."""


class Steady:
    """A voltage that stays: so many counts."""

    def __init__(self, counts: int) -> None:
        self.counts = counts

    def at(self, ns: int) -> int:
        """Whenever."""
        return self.counts


class Electrodes:
    """`samples` at `rate_hz`, signed 12-bit counts, from the first good conversion on, by the time;
    behind their end, or without any, no electrode: the upper rail. `conversions` make a sample.
    """

    def __init__(self, rate_hz: int, conversions: int) -> None:
        self.samples: NDArray[np.int16] = np.zeros(0, np.int16)
        self.rate_hz, self._conversions = rate_hz, conversions
        self.begun_ns: int | None = None

    def at(self, ns: int) -> int:
        """Half a conversion's time to either side belongs to it."""
        self.begun_ns = ns if self.begun_ns is None else self.begun_ns
        rate = self._conversions * self.rate_hz
        sample = ((ns - self.begun_ns) * 2 * rate // NS_PER_S + 1) // 2 // self._conversions
        return int(self.samples[sample]) + MIDDLE if sample < len(self.samples) else FULL


class Adc:
    """`inputs`: by channel; `is_analogue`: whether a channel's pin is; `trigger`, `dma`: TIM2 and
    the stream that fetches what that starts.
    """

    def __init__(
        self,
        inputs: Mapping[int, Input],
        now_ns: Callable[[], int],
        bus_hz: Callable[[], int],
        is_analogue: Callable[[int], bool],
        trigger: Timer,
        dma: Stream,
    ) -> None:
        self._inputs, self._now_ns, self._bus_hz = inputs, now_ns, bus_hz
        self._is_analogue, self._trigger, self._dma = is_analogue, trigger, dma
        self.reset()

    def reset(self) -> None:
        """As after any reset: off."""
        offsets = (SR, CR1, CR2, SMPR1, SMPR2, SQR1, SQR2, SQR3, JSQR, JDR1, DR, CCR)
        self._reg = dict.fromkeys(offsets, 0)
        self._stable_ns = 0
        self._done_ns: int | None = None
        self._injected_ns: int | None = None
        self._value = self._injected = 0
        self.conversions = 0
        self._triggers = 0
        self._triggers_from_ns: int | None = None

    def read(self, offset: int) -> int | None:
        """None: not modelled."""
        self.run()
        if offset == DR:
            self._reg[SR] &= ~EOC
        return self._reg.get(offset)

    def write(self, offset: int, value: int) -> bool:
        """False: not modelled. Raises MistakeError."""
        self.run()
        if offset == SR:
            self._reg[SR] &= value
        elif offset == CR2:
            self._control(value)
        elif offset in self._reg and offset not in (DR, JDR1):
            self._reg[offset] = value
        else:
            return False
        return True

    def run(self) -> None:
        """What has been converted by now."""
        now = self._now_ns()
        if self._done_ns is not None and now >= self._done_ns:
            self._done_ns = None
            self._put(self._value)
        if self._injected_ns is not None and now >= self._injected_ns:
            self._injected_ns = None
            self._reg[JDR1] = self._injected
            self._reg[SR] |= JEOC
        since = self._trigger.triggers_from_ns
        if since != self._triggers_from_ns:
            self._triggers_from_ns, self._triggers = since, 0
        if since is not None:
            count = (now - since) // self._trigger.period_ns
            for n in range(self._triggers + 1, count + 1):
                self._regular(since + n * self._trigger.period_ns)
            self._triggers = count

    def triggered(self) -> None:
        """By TIM2's UG, which triggers as its overflows do."""
        self._regular(self._now_ns())

    def _regular(self, ns: int) -> None:
        """A trigger's: fetched by DMA within its period."""
        if self._reg[CR2] & (ADON | 0x3F000000) != ADON | BY_TIM2:
            return
        self._put(self._convert(self._reg[SQR3], ns))

    def _control(self, value: int) -> None:
        if value & ADON and not self._reg[CR2] & ADON:
            self._stable_ns = self._now_ns() + STABLE_NS
        self._reg[CR2] = value & ~(SWSTART | JSWSTART)
        if value & (ADON | SWSTART) == ADON | SWSTART:
            if self._done_ns is not None:
                raise MistakeError("a conversion is started while one goes on")
            self._value = self._convert(self._reg[SQR3], self._now_ns())
            self._done_ns = self._now_ns() + self._takes_ns(self._reg[SQR3])
        if value & (ADON | JSWSTART) == ADON | JSWSTART:
            if self._reg[JSQR] >> 20 & 3:
                raise MistakeError("more than one injected conversion")
            channel = self._reg[JSQR] >> 15 & 31
            self._injected = self._convert(channel, self._now_ns())
            self._injected_ns = self._now_ns() + self._takes_ns(channel)

    def _takes_ns(self, channel: int) -> int:
        hz = self._bus_hz() // (2 * (self._reg[CCR] >> 16 & 3) + 2)
        if hz > MAX_HZ:
            raise MistakeError(f"the ADC runs at {hz} Hz")
        return (CYCLES[self._reg[SMPR2] >> 3 * channel & 7] + 12) * NS_PER_S // hz

    def _convert(self, channel: int, ns: int) -> int:
        pin = self._inputs.get(channel)
        if self._reg[SQR1] or pin is None or not self._is_analogue(channel):
            raise MistakeError(f"a conversion of channel {channel}, which is wired to nothing")
        if CYCLES[self._reg[SMPR2] >> 3 * channel & 7] < CYCLES[-1]:
            raise MistakeError("too short for a source of many kOhm")
        if ns < self._stable_ns:
            raise MistakeError("a conversion before the ADC is stable")
        return pin.at(ns)

    def _put(self, value: int) -> None:
        """A regular result; with DMA it is fetched, or everything stops [13.8.1]."""
        if self._reg[SR] & OVR:
            return
        self.conversions += 1
        self._reg[DR] = value
        self._reg[SR] |= EOC
        if self._reg[CR2] & DMA_ON != DMA_ON:
            return
        if self._dma.takes:
            self._reg[SR] &= ~EOC
            self._dma.put(value)
        else:
            self._reg[SR] |= OVR
