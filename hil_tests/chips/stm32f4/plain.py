"""Peripherals that are set up and not more, and the random number generator."""

import random
from collections.abc import Callable, Iterable

from einthoven.hil_tests.chips import NS_PER_S
from einthoven.hil_tests.chips.armv7m import MistakeError

I2C1, RNG = 0x40005400, 0x50060800
I2C_SET_UP = (0x00, 0x04, 0x1C, 0x20)
"""CR1, CR2, CCR, TRISE: nothing is on the bus in an image without a display."""
CR, SR, DR = 0, 4, 8
RNGEN, DRDY = 1 << 2, 1
CLOCK_HZ = 48_000_000
PERIODS = 40


class Plain:
    """Registers that keep what was written."""

    def __init__(self, offsets: Iterable[int]) -> None:
        self._offsets = tuple(offsets)
        self.reset()

    def reset(self) -> None:
        """As after any reset."""
        self._reg = dict.fromkeys(self._offsets, 0)

    def read(self, offset: int) -> int | None:
        """None: not modelled."""
        return self._reg.get(offset)

    def write(self, offset: int, value: int) -> bool:
        """False: not modelled."""
        if offset not in self._reg:
            return False
        self._reg[offset] = value
        return True


class Rng:
    """RM0090 24: a word every 40 periods of its 48 MHz. `clock_hz`: what the PLL gives it."""

    def __init__(self, now_ns: Callable[[], int], clock_hz: Callable[[], float]) -> None:
        self._now_ns, self._clock_hz = now_ns, clock_hz
        self._random = random.Random(1)
        self.words = 0
        self.reset()

    def reset(self) -> None:
        """As after any reset: off."""
        self._on = False
        self._ready_ns = 0

    def read(self, offset: int) -> int | None:
        """None: not modelled."""
        ready = self._on and self._now_ns() >= self._ready_ns
        if offset == CR:
            return RNGEN if self._on else 0
        if offset == SR:
            return DRDY if ready else 0
        if offset == DR:
            if not ready:
                return 0
            self._next()
            self.words += 1
            return self._random.getrandbits(32)
        return None

    def write(self, offset: int, value: int) -> bool:
        """False: not modelled. Raises MistakeError."""
        if offset != CR:
            return False
        if value & RNGEN and abs(self._clock_hz() / CLOCK_HZ - 1) > 0.01:
            raise MistakeError(f"the random numbers' clock is {self._clock_hz():.0f} Hz [6.3.2]")
        self._on = bool(value & RNGEN)
        self._next()
        return True

    def _next(self) -> None:
        self._ready_ns = self._now_ns() + PERIODS * NS_PER_S // CLOCK_HZ
