"""The STM32F103 on its debug port: what OpenOCD and the loader that it puts into RAM see of it.

RM0008 31.6 (DBGMCU), PM0075 3 (FLASH_OBR, FLASH_WRPR, read-out protection). A protected chip gives
a debugger no byte of its flash, and takes none.
"""

from pathlib import Path
from typing import Any

from unicorn import Uc, UcError

from einthoven.hil_tests.chips.debug.access_port import BusFaultError, DebugPort
from einthoven.hil_tests.chips.debug.core import Core
from einthoven.hil_tests.chips.debug.jtag import Chain
from einthoven.hil_tests.chips.stm32f103.chip import FLASH, FLASH_BYTES, Chip
from einthoven.hil_tests.chips.stm32f103.flash import CONTROLLER, PAGE_BYTES

JTAG_ID, BOUNDARY_ID, CPUID = 0x3BA00477, 0x16410041, 0x411FC231
DBGMCU_IDCODE, DBGMCU_CR, FLASH_KB = 0xE0042000, 0xE0042004, 0x1FFFF7E0
IDENTITY = 0x20036410
"""Medium density, revision X [31.6.1]."""
SR, CR, OBR, WRPR = (CONTROLLER + offset for offset in (0x0C, 0x10, 0x1C, 0x20))
_WRPRTERR, _RDPRT, _START = 1 << 4, 1 << 1, 1 << 6
_BREAKPOINT = 7
"""unicorn's number of that exception."""


class Debugged(Chip):
    """The chip with its debug port. `locked`: read-out protected.

    `worn`: a byte of its flash that does not take; `big_pages`: of 2 KB, as a larger one's are.
    """

    def __init__(
        self,
        program: Path,
        identity: int = IDENTITY,
        locked: bool = False,
        worn: int | None = None,
        big_pages: bool = False,
    ) -> None:
        self._asleep = False
        super().__init__(program)
        # Started from its flash, it has that at 0, too [RM0008 3.4]; pyOCD looks there.
        self.uc.mmio_map(0, FLASH_BYTES, self._alias, None, None, None)
        self.uc.mem_write(FLASH_KB, (FLASH_BYTES // 1024).to_bytes(2, "little"))
        self._debug = {DBGMCU_IDCODE: identity, DBGMCU_CR: 0}
        self._locked, self._worn, self._big_pages = locked, worn, big_pages
        self._protected = 0
        self.core = Core(self, CPUID)
        self.port = DebugPort(self.core, JTAG_ID)
        self.chain = Chain(self.port, JTAG_ID, BOUNDARY_ID, self.core.pull_reset)

    def sleep(self) -> None:
        """Run until the core sleeps, if no debugger has it. A program that is none locks it up."""
        with self.chain.lock:
            self._asleep = self.core.alone
            if self._asleep:
                try:
                    super().sleep()
                except UcError:
                    self.core.locked_up = True

    def wake(self) -> None:
        """Time goes on until something ends the sleep."""
        with self.chain.lock:
            if self._asleep and self.core.alone:
                super().wake()

    def reset(self) -> None:
        """As after the reset pin: RAM keeps what it has."""
        super().reset()
        self._asleep = False

    def load(self, address: int, size: int) -> int:
        """Memory, to the debugger. Raises BusFaultError."""
        if address in self._debug:
            return self._debug[address]
        if self._locked and FLASH <= address < FLASH + FLASH_BYTES:
            raise BusFaultError(f"{address:#x} is protected")
        try:
            found = int.from_bytes(self.uc.mem_read(address, size), "little")
        except UcError as error:
            raise BusFaultError(str(error)) from error
        self._require_no_trouble()
        return found

    def store(self, address: int, size: int, value: int) -> None:
        """Memory, from the debugger. Raises BusFaultError."""
        if address in self._debug:
            self._debug[address] = value if address == DBGMCU_CR else self._debug[address]
            return
        try:
            if not FLASH <= address < FLASH + FLASH_BYTES:
                self.uc.mem_write(address, value.to_bytes(size, "little"))
            elif self._locked:
                self._protected = _WRPRTERR
            elif not self.flash.program(address, size, value):
                raise BusFaultError(f"{address:#x} cannot be written")
        except UcError as error:
            raise BusFaultError(str(error)) from error
        self._require_no_trouble()

    def _alias(self, uc: Uc, offset: int, size: int, data: None) -> int:
        return int.from_bytes(uc.mem_read(FLASH + offset, size), "little")

    def _require_no_trouble(self) -> None:
        """What the firmware must not touch, a debugger may try to."""
        trouble, self.trouble = self.trouble, ""
        if trouble:
            raise BusFaultError(trouble)

    def _read(self, uc: Uc, offset: int, size: int, base: int) -> int:
        address = base + offset
        if address == OBR:
            return 0x03FFFFFC | (_RDPRT if self._locked else 0)
        if address == WRPR:
            return 0xFFFFFFFF
        if address == SR:
            return super()._read(uc, offset, size, base) | self._protected
        return super()._read(uc, offset, size, base)

    def _write(self, uc: Uc, offset: int, size: int, value: int, base: int) -> None:
        address = base + offset
        if address == SR:
            self._protected &= ~value
        if address == CR and self._locked and value & _START:
            self._protected = _WRPRTERR
            return
        super()._write(uc, offset, size, value, base)
        if address == CR and self._big_pages and value & _START:
            page = super()._read(uc, offset + 4, size, base)
            super()._write(uc, offset + 4, size, page + PAGE_BYTES, base)
            super()._write(uc, offset, size, value, base)

    def _program(self, uc: Uc, access: int, address: int, size: int, value: int, data: Any) -> bool:
        if self._locked:
            self._protected = _WRPRTERR
            return True
        done = super()._program(uc, access, address, size, value, data)
        if self._worn is not None and address == FLASH + self._worn & ~1:
            self.uc.mem_write(FLASH + self._worn, b"\xff")
        return done

    def _exception(self, uc: Uc, number: int, data: Any) -> None:
        if number == _BREAKPOINT and not self.core.free:
            self.core.breakpoint()
        else:  # its flash holds no program
            self.core.locked_up = True
            uc.emu_stop()
