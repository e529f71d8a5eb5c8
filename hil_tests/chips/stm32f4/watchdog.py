"""The independent watchdog of an STM32F4. RM0383 15.4, RM0390 17.4, RM0090 21.4.

Its oscillator runs at 17 to 47 kHz: here as fast as it may, so that it bites as early as it may.
A new prescaler or reload value takes five of its periods.
"""

from collections.abc import Callable

from einthoven.hil_tests.chips import NS_PER_S
from einthoven.hil_tests.chips.armv7m import MistakeError

LSI_HZ = 47_000
KR, PR, RLR, SR = 0, 4, 8, 12
FEED, UNLOCK, START = 0xAAAA, 0x5555, 0xCCCC
UPDATE_NS = 5 * NS_PER_S // LSI_HZ


class Watchdog:
    """Runs from its first start to a reset."""

    def __init__(self, now_ns: Callable[[], int]) -> None:
        self._now_ns = now_ns
        self.reset()

    def reset(self) -> None:
        """As after any reset: off."""
        self._reg = {PR: 0, RLR: 0xFFF}
        self._open = False
        self._busy = dict.fromkeys((PR, RLR), 0)
        self._fed_ns: int | None = None
        self.fed = 0

    @property
    def timeout_ns(self) -> int:
        """From one feeding to the bite."""
        return (self._reg[RLR] + 1) * (4 << self._reg[PR]) * NS_PER_S // LSI_HZ

    @property
    def bites_ns(self) -> int | None:
        """When, unless it is fed; None: it does not run."""
        return None if self._fed_ns is None else self._fed_ns + self.timeout_ns

    def read(self, offset: int) -> int | None:
        """None: not modelled."""
        if offset == SR:
            now = self._now_ns()
            return (now < self._busy[PR]) | (now < self._busy[RLR]) << 1
        return self._reg.get(offset)

    def write(self, offset: int, value: int) -> bool:
        """False: not modelled. Raises MistakeError."""
        now = self._now_ns()
        if offset == KR:
            self._open = value == UNLOCK
            if value == START or (value == FEED and self._fed_ns is not None):
                self._fed_ns = now
                self.fed += value == FEED
        elif offset in self._reg:
            if not self._open:
                raise MistakeError("the watchdog's registers are written, and locked [IWDG_KR]")
            if now < self._busy[offset]:
                raise MistakeError("the watchdog takes an earlier value still [IWDG_SR]")
            if self._reg[offset] != value:
                self._busy[offset] = now + UPDATE_NS
            self._reg[offset] = value
        else:
            return False
        return True
