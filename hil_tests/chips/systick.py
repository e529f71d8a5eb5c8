"""SysTick of an Armv7-M core, by the core's clock. Arm DDI 0403E, B3.3. Its count is not read."""

from collections.abc import Callable

from einthoven.hil_tests.chips import NS_PER_S

CTRL, LOAD, VAL = 0xE000E010, 0xE000E014, 0xE000E018
REGISTERS = (CTRL, LOAD, VAL)
ENABLE, TICKINT, CLKSOURCE, COUNTFLAG_AT = 1 << 0, 1 << 1, 1 << 2, 16


class SysTick:
    """`now_ns`, `hz`: the time, and what the core runs at; `pend`: asks for its exception."""

    def __init__(
        self, now_ns: Callable[[], int], hz: Callable[[], float], pend: Callable[[], None]
    ) -> None:
        self._now_ns, self._hz, self._pend = now_ns, hz, pend
        self.reset()

    def reset(self) -> None:
        """As after any reset: it stands still."""
        self._ctrl = self._load = 0
        self._begun_ns: int | None = None
        """None: it does not run."""
        self._wraps = 0
        self._flag = False

    def tick(self) -> None:
        """Time went on. Rounds that nobody took in between are one [B3.3.1]."""
        if self._begun_ns is None:
            return
        elapsed = self._now_ns() - self._begun_ns
        wraps = int(elapsed * round(self._hz()) // (NS_PER_S * (self._load + 1)))
        if wraps > self._wraps:
            self._wraps, self._flag = wraps, True
            if self._ctrl & TICKINT:
                self._pend()

    def due_ns(self) -> int | None:
        """When it goes round next and asks for its exception; None: not."""
        if self._begun_ns is None or not self._ctrl & TICKINT:
            return None
        cycles = (self._wraps + 1) * (self._load + 1) * NS_PER_S
        return self._begun_ns - int(-cycles // round(self._hz()))

    def read(self, address: int) -> int | None:
        """None: not modelled."""
        if address == CTRL:
            flag, self._flag = self._flag, False
            return self._ctrl | flag << COUNTFLAG_AT
        return self._load if address == LOAD else None

    def write(self, address: int, value: int) -> bool:
        """False: not modelled, as is a run by its other clock."""
        if address == LOAD:
            self._load = value & 0xFFFFFF
            return True
        if address == CTRL:
            if value & ENABLE and not value & CLKSOURCE:
                return False
            ran = self._begun_ns is not None
            self._ctrl = value & 7
            if ran == bool(value & ENABLE):
                return True
        self._flag = False
        self._begun_ns = self._now_ns() if self._ctrl & ENABLE else None
        self._wraps = 0
        return True
