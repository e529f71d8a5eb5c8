"""TIM2 to TIM5 of an STM32F4 as up-counters. RM0383 13.4, RM0390 17.4, RM0090 18.4.

An update (overflow, or EGR's UG) takes over the prescaler, and is the trigger where CR2's MMS says
so. Left out: interrupts, capture, other modes; of an output only what it would play is told.
"""

from collections.abc import Callable

from einthoven.hil_tests.chips import NS_PER_S

TIM2, TIM3, TIM5 = 0x40000000, 0x40000400, 0x40000C00
CR1, CR2, SMCR, DIER, SR, EGR, CCMR1, CCMR2, CCER, CNT, PSC, ARR = range(0, 48, 4)
CCR1 = 0x34
CEN, UG, UIF, MMS_UPDATE = 1, 1, 1, 2 << 4
PWM1 = 6 << 4


class Timer:
    """`bits`: 16 or 32; `source_hz`: what it runs on; `triggered`: told of a UG that triggers."""

    def __init__(
        self,
        bits: int,
        now_ns: Callable[[], int],
        source_hz: Callable[[], int],
        triggered: Callable[[], None] = lambda: None,
    ) -> None:
        self._full = (1 << bits) - 1
        self._now_ns, self._source_hz, self._triggered = now_ns, source_hz, triggered
        self.reset()

    def reset(self) -> None:
        """As after any reset: it stands still."""
        kept = (CR1, CR2, SMCR, DIER, SR, CCMR1, CCMR2, CCER, PSC, CCR1)
        self._reg = dict.fromkeys(kept, 0) | {ARR: self._full}
        self._divider = 1
        self._count = 0
        self._since_ns: int | None = None

    @property
    def triggers_from_ns(self) -> int | None:
        """Since when its overflows trigger; None: they do not."""
        triggers = self._reg[CR2] & 0x70 == MMS_UPDATE and self._count == 0
        return self._since_ns if triggers else None

    @property
    def period_ns(self) -> int:
        """From one overflow to the next."""
        return self._divider * (self._reg[ARR] + 1) * NS_PER_S // self._source_hz()

    @property
    def tone_hz(self) -> float:
        """What a piezo on channel 1 plays; 0: nothing."""
        plays = self._since_ns is not None and self._reg[CCER] & 1 and self._reg[CCMR1] == PWM1
        silent = self._reg[CCR1] in (0, self._reg[ARR] + 1)
        return NS_PER_S / self.period_ns if plays and not silent else 0.0

    def read(self, offset: int) -> int | None:
        """None: not modelled."""
        if offset == CNT:
            return self._now()
        return self._reg.get(offset)

    def write(self, offset: int, value: int) -> bool:
        """False: not modelled."""
        if offset == EGR:
            if value & UG:
                self._divider, self._count = self._reg[PSC] + 1, 0
                self._reg[SR] |= UIF
                if self._since_ns is not None:
                    self._since_ns = self._now_ns()
                if self._reg[CR2] & 0x70 == MMS_UPDATE:
                    self._triggered()
        elif offset == CR1:
            runs = self._since_ns is not None
            if bool(value & CEN) != runs:
                self._count = self._now()
                self._since_ns = self._now_ns() if value & CEN else None
            self._reg[CR1] = value
        elif offset == SR:
            self._reg[SR] &= value
        elif offset in self._reg:
            self._reg[offset] = value & self._full
        else:
            return False
        return True

    def _now(self) -> int:
        if self._since_ns is None:
            return self._count
        elapsed = (self._now_ns() - self._since_ns) * self._source_hz()
        return (self._count + elapsed // (NS_PER_S * self._divider)) % (self._reg[ARR] + 1)
