"""EXTI and SYSCFG of an STM32F4, set up and not more: no edge comes, as no part is on SPI2.

RM0090 12.3, 9.2; RM0383 alike.
"""

SYSCFG, EXTI = 0x40013800, 0x40013C00
IMR, EMR, RTSR, FTSR, SWIER, PR = range(0, 24, 4)
EXTICR = 0x08


class Edges:
    """Which pins' edges would be told."""

    def __init__(self) -> None:
        self.reset()

    def reset(self) -> None:
        """As after any reset: no line asks."""
        self._reg = dict.fromkeys((IMR, EMR, RTSR, FTSR, SWIER, PR), 0)
        self._choice = [0] * 4

    def read(self, offset: int) -> int | None:
        """EXTI. None: not modelled."""
        return self._reg.get(offset)

    def write(self, offset: int, value: int) -> bool:
        """EXTI. False: not modelled."""
        if offset not in self._reg or offset == SWIER:
            return False
        if offset != PR:  # which a write only clears
            self._reg[offset] = value
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
