"""DMA2's first stream, for the ADC, in half-words round and round. RM0383 9.5, RM0090 10.5."""

import struct

from unicorn import Uc

from einthoven.hil_tests.chips.armv7m import MistakeError

DMA2 = 0x40026400
LISR, LIFCR, CR, NDTR, PAR, M0AR = 0x00, 0x08, 0x10, 0x14, 0x18, 0x1C
EN = 1
ROUND = EN | 1 << 8 | 1 << 10 | 1 << 11 | 1 << 13
"""CIRC, MINC, half-words to half-words, channel 0, to memory."""
MEANT = 0x0E007DC1
HTIF, TCIF = 1 << 4, 1 << 5


class Stream:
    """`source`: the address that it is meant to read; `ram`: where it may write."""

    def __init__(self, uc: Uc, source: int, ram: range) -> None:
        self._uc, self._source, self._ram = uc, source, ram
        self.reset()

    def reset(self) -> None:
        """As after any reset: off."""
        self._reg = dict.fromkeys((LISR, CR, NDTR, PAR, M0AR), 0)
        self._length = 0

    @property
    def takes(self) -> bool:
        """Whether it answers a request."""
        return bool(self._reg[CR] & EN)

    def read(self, offset: int) -> int | None:
        """None: not modelled."""
        return self._reg.get(offset)

    def write(self, offset: int, value: int) -> bool:
        """False: not modelled. Raises MistakeError."""
        if offset == LIFCR:
            self._reg[LISR] &= ~value
        elif offset == CR:
            if value & EN and not self._reg[CR] & EN:
                self._begin(value)
            self._reg[CR] = value
        elif offset in (NDTR, PAR, M0AR):
            if self._reg[CR] & EN:
                raise MistakeError(f"DMA2 + {offset:#x} is written while its stream runs [10.5.6]")
            self._reg[offset] = value
        else:
            return False
        return True

    def put(self, value: int) -> None:
        """A half-word, by a request."""
        at = self._reg[M0AR] + 2 * (self._length - self._reg[NDTR])
        self._uc.mem_write(at, struct.pack("<H", value))
        self._reg[NDTR] -= 1
        if self._reg[NDTR] == self._length // 2:
            self._reg[LISR] |= HTIF
        if self._reg[NDTR] == 0:
            self._reg[LISR] |= TCIF
            self._reg[NDTR] = self._length

    def _begin(self, value: int) -> None:
        if self._reg[LISR]:
            raise MistakeError(f"DMA_LISR {self._reg[LISR]:#x}: flags of an earlier run [10.3.17]")
        memory = range(self._reg[M0AR], self._reg[M0AR] + 2 * self._reg[NDTR])
        good = value & MEANT == ROUND and self._reg[PAR] == self._source
        if not good or memory.start not in self._ram or memory.stop - 1 not in self._ram:
            raise MistakeError(f"DMA_S0CR {value:#x}: that is no ring for the ADC")
        self._length = self._reg[NDTR]
