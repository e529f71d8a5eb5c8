"""EXTI and SYSCFG of an STM32F4, of pins' falling edges. RM0090 12.3, 9.2; RM0383 alike."""

from collections.abc import Callable

SYSCFG, EXTI = 0x40013800, 0x40013C00
IMR, EMR, RTSR, FTSR, SWIER, PR = range(0, 24, 4)
EXTICR = 0x08
IRQ_9_5 = 23
LINES_9_5 = 0x3E0


class Edges:
    """`level`: what a pin sees."""

    def __init__(self, level: Callable[[int], int]) -> None:
        self._level = level
        self.reset()

    def reset(self) -> None:
        """As after any reset: no line asks."""
        self._reg = dict.fromkeys((IMR, EMR, RTSR, FTSR, SWIER, PR), 0)
        self._choice = [0] * 4

    def asks(self) -> bool:
        """Lines 5 to 9, for their interrupt."""
        return bool(self._reg[PR] & self._reg[IMR] & LINES_9_5)

    def fell(self, pin: int) -> None:
        """That pin's level."""
        line = pin & 15
        if self._choice[line // 4] >> 4 * (line % 4) & 15 == pin >> 4:
            self._reg[PR] |= self._reg[FTSR] & 1 << line

    def read(self, offset: int) -> int | None:
        """EXTI. None: not modelled."""
        return self._reg.get(offset)

    def write(self, offset: int, value: int) -> bool:
        """EXTI. False: not modelled."""
        if offset not in self._reg or offset == SWIER:
            return False
        self._reg[offset] = self._reg[PR] & ~value if offset == PR else value
        return True

    def read_choice(self, offset: int) -> int | None:
        """SYSCFG. None: not modelled."""
        at = (offset - EXTICR) // 4
        return self._choice[at] if 0 <= at < 4 else None

    def write_choice(self, offset: int, value: int) -> bool:
        """SYSCFG. False: not modelled."""
        at = (offset - EXTICR) // 4
        if not 0 <= at < 4:
            return False
        self._choice[at] = value
        return True
