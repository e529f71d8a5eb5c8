"""The STM32F103's flash controller: pages of 1 KB, half-words, and what a cut of the power leaves.

RM0008 3.3.3 and ST PM0075. The core waits while an operation lasts, at the data sheet's longest
(DS5319, table 28): 40 ms a page, 70 us a half-word. A half-word that does not read as erased is
programmed by a mistake of the firmware's, and ends the run.
"""

import random
from collections.abc import Callable

from unicorn import Uc

CONTROLLER = 0x40022000
PAGE_BYTES, HALF_WORD_BYTES = 1024, 2
ERASE_NS, HALF_WORD_NS = 40_000_000, 70_000
ERASED = b"\xff" * PAGE_BYTES
KEYR, SR, CR, AR = 4, 12, 16, 20
PG, PER, STRT, LOCK = 1 << 0, 1 << 1, 1 << 6, 1 << 7
KEYS = (0x45670123, 0xCDEF89AB)


WRITE, ERASE = "write", "erase"


class PowerCutError(Exception):
    """The power is gone, in the middle of an `operation` at a place of the flash, counted from its
    begin; `before`: what the flash held.
    """

    def __init__(self, operation: str, place: int, before: bytes) -> None:
        super().__init__(operation)
        self.operation, self.place, self.before = operation, place, before


class Controller:
    """The controller and the pages from `begin` to `end`.

    `spend`: told the nanoseconds that the core waits; `stop`: told a mistake of the firmware's;
    `cut`: told that the power is gone, upon which the core must stop at once.
    """

    def __init__(
        self,
        uc: Uc,
        pages: range,
        spend: Callable[[int], None],
        stop: Callable[[str], None],
        cut: Callable[[PowerCutError], None],
    ) -> None:
        self._uc, self._pages, self._stop, self._cut = uc, pages, stop, cut
        self.spend = spend
        self.erased = self.programmed = 0
        """Operations so far: pages, half-words."""
        self.cut_at: int | None = None
        """The power goes at this operation from now on: 1 is the next."""
        self.cut_of: tuple[str, ...] = (WRITE, ERASE)
        """Kinds of operation that count for it."""
        self.random = random.Random(1)
        """What a cut leaves is drawn from it."""
        self._marginal: dict[int, int] = {}
        """By address: bits of a byte that read as they like after each start."""
        self.reset()

    def reset(self) -> None:
        """As after any reset: locked."""
        self._reg = {0: 0x30, SR: 0, CR: LOCK, AR: 0}
        self._keys = 0

    def power_on(self) -> None:
        """Bits that a cut left between 0 and 1 read as they like this time."""
        for address, mask in self._marginal.items():
            (byte,) = self._uc.mem_read(address, 1)
            mixed = byte & ~mask | self.random.getrandbits(8) & mask
            self._uc.mem_write(address, bytes([mixed]))
        self.reset()

    def read(self, offset: int) -> int | None:
        """None: not modelled."""
        return self._reg.get(offset)

    def write(self, offset: int, value: int) -> bool:
        """False: not modelled."""
        if offset == KEYR:
            self._keys = self._keys + 1 if value == KEYS[self._keys & 1] else 0
            if self._keys == len(KEYS):
                self._keys = self._reg[CR] = 0
        elif offset == SR:
            self._reg[SR] &= ~value
        elif offset == CR:
            self._control(value)
        elif offset in self._reg:
            self._reg[offset] = value
        else:
            return False
        return True

    def program(self, address: int, size: int, value: int) -> bool:
        """The core writes to flash; whether the controller allows it, else it is a fault."""
        if self._reg[CR] & (LOCK | PG) != PG or size != HALF_WORD_BYTES:
            return False
        if bytes(self._uc.mem_read(address, size)) != ERASED[:size]:
            self._stop(f"{address:#x} is programmed twice")
        content = value.to_bytes(size, "little")
        if self._is_cut(WRITE, address, content):
            return True
        self._uc.mem_write(address, content)
        self.programmed += 1
        self.spend(HALF_WORD_NS)
        return True

    def _control(self, value: int) -> None:
        """FLASH_CR [PM0075 3.5]: a locked one takes nothing."""
        if self._reg[CR] & LOCK:
            return
        self._reg[CR] = value & ~STRT
        if value & (STRT | PER) == STRT | PER:
            self._erase(self._reg[AR] & ~(PAGE_BYTES - 1))

    def _erase(self, page: int) -> None:
        if page not in self._pages:
            self._stop(f"{page:#x} is erased, which is no page of the flash")
            return
        if self._is_cut(ERASE, page, ERASED):
            return
        self._uc.mem_write(page, ERASED)
        for address in [a for a in self._marginal if page <= a < page + PAGE_BYTES]:
            del self._marginal[address]
        self.erased += 1
        self.spend(ERASE_NS)

    def _is_cut(self, operation: str, address: int, wanted: bytes) -> bool:
        if self.cut_at is None or operation not in self.cut_of:
            return False
        self.cut_at -= 1
        if self.cut_at > 0:
            return False
        self.cut_at = None
        begin, end = self._pages.start, self._pages.stop
        before = bytes(self._uc.mem_read(begin, end - begin))
        self._tear(address, wanted, rises=operation == ERASE)
        self._cut(PowerCutError(operation, address - begin, before))
        return True

    def _tear(self, address: int, wanted: bytes, rises: bool) -> None:
        """Some of the bits that would have changed have, and some of them read as they like.

        Of an erased page that is bit by bit, or half-word by half-word.
        """
        here = bytes(self._uc.mem_read(address, len(wanted)))
        done, unsure = self.random.choice((0.0, 0.02, 0.5, 0.98, 1.0)), self.random.random() ** 2
        whole = rises and self.random.random() < 0.5
        content = bytearray()
        for i, (old, new) in enumerate(zip(here, wanted, strict=True)):
            if not whole:
                some = self._bits(done)
            elif i % HALF_WORD_BYTES == 0:
                some = 0xFF if self.random.random() < done else 0
            changed = (old ^ new) & some
            content.append(old ^ changed)
            if mask := (old ^ new) & self._bits(unsure / 4):
                self._marginal[address + i] = self._marginal.get(address + i, 0) | mask
        self._uc.mem_write(address, bytes(content))

    def _bits(self, share: float) -> int:
        return sum(1 << bit for bit in range(8) if self.random.random() < share)
