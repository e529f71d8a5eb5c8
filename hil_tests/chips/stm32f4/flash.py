"""The STM32F4's flash controller: sectors of 16, 64 and 128 KB, words, keys, errors.

RM0383, RM0390 and RM0090, 3.5 to 3.8. There is one bank: while an operation lasts, the core waits
for its next instruction, at the data sheets' longest for 32 bits at a time: 0.5, 1.1 and 2 s a
sector, 100 us a word (DS10314, DS10693, DS8626: flash memory programming). What the firmware must
not do ends the run: to program a bit up, with another width than PSIZE says, with errors uncleared,
a sector that is not there.
"""

from collections.abc import Callable

from unicorn import Uc

from einthoven.hil_tests.chips.armv7m import MistakeError

FLASH = 0x08000000
ACR, KEYR, SR, CR = 0x00, 0x04, 0x0C, 0x10
PG, SER, STRT, LOCK = 1 << 0, 1 << 1, 1 << 16, 1 << 31
ERRORS = 0xF2
WRPERR = 1 << 4
DCEN, ICRST, DCRST, ICEN = 1 << 10, 1 << 11, 1 << 12, 1 << 9
KEYS = (0x45670123, 0xCDEF89AB)
KB = 1 << 10
SIZES = (*(16 * KB,) * 4, 64 * KB, *(128 * KB,) * 7)
ERASE_NS = {16 * KB: 500_000_000, 64 * KB: 1_100_000_000, 128 * KB: 2_000_000_000}
WORD_NS = 100_000


class Controller:
    """The controller of a flash of so many bytes; `spend`: told nanoseconds that the core waits."""

    def __init__(self, uc: Uc, size: int, spend: Callable[[int], None]) -> None:
        self._uc, self._spend = uc, spend
        self.sectors: list[range] = []
        at = FLASH
        for n in SIZES:
            if at < FLASH + size:
                self.sectors.append(range(at, at + n))
            at += n
        self.erased: list[int] = []
        """Numbers of sectors, one after the other."""
        self.programmed = 0
        """Words."""
        self.fails = 0
        """So many operations from now on end with WRPERR, as those of a protected sector."""
        self.reset()

    def reset(self) -> None:
        """As after any reset: locked, no wait state."""
        self._reg = {ACR: 0, SR: 0, CR: LOCK}
        self._keys = 0
        self._stale = False
        self.wait_states = 0
        """That the core takes a word with: those of ACR, once that has been read back [3.4.1]."""

    def read(self, offset: int) -> int | None:
        """None: not modelled."""
        if offset == ACR:
            self.wait_states = self._reg[ACR] & 15
        return self._reg.get(offset)

    def write(self, offset: int, value: int) -> bool:
        """False: not modelled. Raises MistakeError."""
        if offset == KEYR:
            self._key(value)
        elif offset == ACR:
            if (value & DCRST and value & DCEN) or (value & ICRST and value & ICEN):
                raise MistakeError("a cache is reset while it is on [3.8.1]")
            self._stale = self._stale and not value & DCRST
            if self._stale and value & DCEN:
                raise MistakeError("the data cache goes on with what the flash held before [3.5.2]")
            self._reg[ACR] = value & 0x1F0F
        elif offset == SR:
            self._reg[SR] &= ~(value & (ERRORS | 1))
        elif offset == CR:
            self._control(value)
        else:
            return False
        return True

    def program(self, address: int, size: int, value: int) -> None:
        """The core writes to the flash. Raises MistakeError."""
        control = self._reg[CR]
        if control & LOCK or not control & PG:
            raise MistakeError(f"{address:#x} is written, and the flash does not await it")
        if size != 1 << (control >> 8 & 3) or address % size:
            raise MistakeError(f"{address:#x} is programmed by {size} bytes, not as PSIZE says")
        self._require_good()
        if self._fails():
            return
        (before,) = (int.from_bytes(self._uc.mem_read(address, size), "little"),)
        if value & ~before:
            raise MistakeError(f"{address:#x} is programmed from {before:#x} to {value:#x}")
        self._uc.mem_write(address, value.to_bytes(size, "little"))
        self.programmed += 1
        self._stale = True
        self._spend(WORD_NS)

    def _key(self, value: int) -> None:
        """FLASH_KEYR [3.6.1]: a wrong one, or one too many, locks until the next reset."""
        if not self._reg[CR] & LOCK:
            raise MistakeError("a key, and the flash is not locked [3.6.1]")
        if value != KEYS[self._keys]:
            raise MistakeError(f"{value:#x} is no key: the flash stays locked [3.6.1]")
        self._keys += 1
        if self._keys == len(KEYS):
            self._keys = 0
            self._reg[CR] &= ~LOCK

    def _control(self, value: int) -> None:
        if self._reg[CR] & LOCK:
            raise MistakeError("FLASH_CR is written while it is locked [3.8.5]")
        self._reg[CR] = value & ~STRT
        if value & LOCK:
            self._reg[CR] = LOCK
        elif value & STRT:
            self._erase(value)

    def _erase(self, value: int) -> None:
        number = value >> 3 & 15
        if not value & SER or value & PG or number >= len(self.sectors):
            raise MistakeError(f"FLASH_CR {value:#x}: that erases no sector of this chip")
        if value >> 8 & 3 != 2:
            raise MistakeError("a sector is erased, and PSIZE is not 32 bits")
        self._require_good()
        if self._fails():
            return
        sector = self.sectors[number]
        self._uc.mem_write(sector.start, b"\xff" * len(sector))
        self.erased.append(number)
        self._stale = True
        self._spend(ERASE_NS[len(sector)])

    def _require_good(self) -> None:
        if self._reg[SR] & ERRORS:
            raise MistakeError(f"FLASH_SR {self._reg[SR]:#x}: an earlier error is not cleared")

    def _fails(self) -> bool:
        if not self.fails:
            return False
        self.fails -= 1
        self._reg[SR] |= WRPERR
        return True
