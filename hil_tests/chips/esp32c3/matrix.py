"""The ESP32-C3's interrupt matrix: which source's request goes to which line. Manual, 8 and 1.6.

Priorities matter by their being above the threshold alone: a handler is not interrupted.
"""

from collections.abc import Callable, Mapping

ENABLE, PRIORITIES, THRESHOLD = 0x104, 0x114, 0x194
LINES = range(1, 32)


class Matrix:
    """`sources`: by number, whether each asks just now."""

    def __init__(self, sources: Mapping[int, Callable[[], bool]]) -> None:
        self._sources = sources
        self.reset()

    def reset(self) -> None:
        """As after any reset: nothing gets through."""
        maps = (4 * source for source in self._sources)
        self._reg = dict.fromkeys(
            (*maps, ENABLE, THRESHOLD, *(PRIORITIES + 4 * line for line in LINES)), 0
        )

    def waiting(self) -> int | None:
        """The first line whose interrupt waits to be taken."""
        least = max(self._reg[THRESHOLD], 1)
        asked = {self._reg[4 * n] & 31 for n, asks in self._sources.items() if asks()}
        for line in LINES:
            lets = self._reg[ENABLE] >> line & 1 and self._reg[PRIORITIES + 4 * line] & 15 >= least
            if lets and line in asked:
                return line
        return None

    def read(self, offset: int) -> int | None:
        """None: not modelled."""
        return self._reg.get(offset)

    def write(self, offset: int, value: int) -> bool:
        """False: not modelled."""
        if offset not in self._reg:
            return False
        self._reg[offset] = value
        return True
