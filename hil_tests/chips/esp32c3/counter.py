"""The ESP32-C3's performance counter, whose CSRs unicorn does not know. Manual, 1.5.2.

It counts its own readings, as time passes only while the core waits.
"""

import struct
from collections.abc import Callable
from typing import Any

from unicorn import Uc
from unicorn import riscv_const as riscv

COUNTED, COUNTS, COUNT = 0x7E0, 0x7E1, 0x7E2
CYCLES_PER_READING = 16


class Counter:
    """`stop`: told a mistake of the firmware's."""

    def __init__(self, stop: Callable[[str], None]) -> None:
        self._stop = stop
        self.reset()

    def reset(self) -> None:
        """As after any reset: it does not count."""
        self._set = {COUNTED: 0, COUNTS: 0}
        self._readings: dict[int, int] = {}
        """Where they stand, and the register that they go to."""
        self.cycles = 0

    def instruction(self, uc: Uc, number: int, data: Any) -> None:
        """One that the privileged specification does not have; unicorn is behind it."""
        at = uc.reg_read(riscv.UC_RISCV_REG_PC) - 4
        to = self._readings.get(at)
        if to is None:
            to = self._decode(uc, at)
        if to:
            self.cycles += CYCLES_PER_READING
            uc.reg_write(to, self.cycles & 0xFFFFFFFF)

    def _decode(self, uc: Uc, at: int) -> int:
        """Do what a CSR is told; of a reading, where it goes, which is kept."""
        (word,) = struct.unpack("<I", uc.mem_read(at, 4))
        csr, kind, to, source = word >> 20, word >> 12 & 7, word >> 7 & 31, word >> 15 & 31
        if word & 0x7F == 0x73 and kind == 1 and to == 0 and csr in self._set:
            self._set[csr] = uc.reg_read(riscv.UC_RISCV_REG_X0 + source)
        elif word & 0x7F == 0x73 and kind == 2 and source == 0 and to and csr == COUNT:
            if self._set != {COUNTED: 1, COUNTS: 1}:
                self._stop("the cycle counter is read, and does not count")
            self._readings[at] = riscv.UC_RISCV_REG_X0 + to
            return self._readings[at]
        else:
            self._stop(f"no instruction of this core: {word:#010x} at {at:#x}")
        return 0
