"""The watchdog, what it resets, and the ticks that it and the timer count.

RP2350's data sheet: 12.9 watchdog, 7.4 power-on state machine, 8.5 ticks; RP2040's 4.7, 2.13.
"""

from collections.abc import Callable

from einthoven.hil_tests.chips import NS_PER_S
from einthoven.hil_tests.chips.rp.block import Block, Stop

CTRL, LOAD, REASON, SCRATCH = 0x0, 0x4, 0x8, range(0xC, 0x2C, 4)
TRIGGER, RUNS = 1 << 31, 1 << 30
TIMER, FORCE = 1, 2


class Watchdog(Block):
    """`rate`: counts of a tick; `fires`: told why it resets."""

    def __init__(
        self,
        stop: Stop,
        rate: int,
        fires: Callable[[int], None],
    ) -> None:
        super().__init__(stop, {CTRL: 7 << 24, **dict.fromkeys(SCRATCH, 0)})
        self._rate, self._fires = rate, fires
        self.tick_hz = 0
        """What it counts at."""
        self.reason = 0
        self.fed = 0
        self._left = 0
        self._fed_ns = 0

    def reset(self) -> None:
        """At power on: scratch registers and reason outlive every other reset [12.9.5]."""
        super().reset()
        self.reason = self._left = 0

    def restarted(self, reason: int) -> None:
        """After a reset by itself."""
        self.reason = reason
        self.reg[CTRL] = self._first[CTRL]

    def due_ns(self, now_ns: int) -> int | None:
        """When it resets the chip, unless it is fed. None: it is not on."""
        if not self.reg[CTRL] & RUNS or not self.tick_hz:
            return None
        return self._fed_ns + self._left * NS_PER_S // (self._rate * self.tick_hz)

    def read(self, offset: int, now_ns: int) -> int | None:
        """None: not modelled."""
        return self.reason if offset == REASON else super().read(offset, now_ns)

    def write(self, offset: int, value: int, now_ns: int) -> bool:
        """False: not modelled."""
        if offset == LOAD:
            if not 0 < value < 1 << 24:
                self._stop(f"the watchdog is loaded with {value:#x}")
            self._left, self._fed_ns = value, now_ns
            self.fed += 1
            return True
        if offset == CTRL and value & TRIGGER:
            self._fires(FORCE)
            value &= ~TRIGGER
        return super().write(offset, value, now_ns)
