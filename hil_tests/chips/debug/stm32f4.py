"""An STM32F411 on its debug port, for the loaders that tools put into RAM: core, RAM, flash with
its controller (RM0383 3.5 to 3.8), who it is (23.6, 24.1), clocks that keep what is written.

It never runs a program of its own; read-out protection is level 1, which gives a debugger no byte
of the flash and takes none (3.6.3). The FPU is not there.
"""

from typing import Any

from unicorn import (
    UC_ARCH_ARM,
    UC_HOOK_INTR,
    UC_HOOK_MEM_WRITE_PROT,
    UC_MODE_MCLASS,
    UC_MODE_THUMB,
    UC_PROT_EXEC,
    UC_PROT_READ,
    Uc,
    UcError,
)
from unicorn.arm_const import UC_ARM_REG_SP, UC_ARM_REG_XPSR, UC_CPU_ARM_CORTEX_M4

from einthoven.hil_tests.chips.debug.access_port import BusFaultError, DebugPort
from einthoven.hil_tests.chips.debug.core import Core
from einthoven.hil_tests.chips.debug.jtag import Chain

JTAG_ID, BOUNDARY_ID, CPUID = 0x4BA00477, 0x06431041, 0x410FC241
FLASH, FLASH_BYTES, RAM, RAM_BYTES = 0x08000000, 0x80000, 0x20000000, 0x20000
SECTORS = (*[0x4000] * 4, 0x10000, *[0x20000] * 3)
CLOCKS, CONTROLLER = 0x40023000, 0x40023C00
KEYR, SR, CR, OPTCR = (CONTROLLER + offset for offset in (0x04, 0x0C, 0x10, 0x14))
_PG, _SER, _STRT, _LOCK = 1 << 0, 1 << 1, 1 << 16, 1 << 31
_WRPERR, _PGPERR, _PGSERR = 1 << 4, 1 << 6, 1 << 7
_KEYS = (0x45670123, 0xCDEF89AB)
_SYSTEM, UNIQUE_ID, FLASH_KB = 0x1FFF7000, 0x1FFF7A10, 0x1FFF7A22
_DBGMCU_IDCODE = 0xE0042000
_BREAKPOINT = 7
"""unicorn's number of that exception."""
IDENTITY = 0x10006431
UID = (0x00350041, 0x32385105, 0x31393435)


class Stm32f4:
    """The chip. `locked`: read-out protected; `worn`: a byte of its flash that does not take."""

    def __init__(
        self, identity: int = IDENTITY, locked: bool = False, worn: int | None = None
    ) -> None:
        self._locked, self._worn = locked, worn
        self._debug = {_DBGMCU_IDCODE: identity, 0xE0042004: 0, 0xE0042008: 0}
        self.erased = self.programmed = 0
        """Sectors, and writes."""
        self.pc = 0
        self.uc = Uc(UC_ARCH_ARM, UC_MODE_THUMB | UC_MODE_MCLASS)
        self.uc.ctl_set_cpu_model(UC_CPU_ARM_CORTEX_M4)
        self.uc.mem_map(FLASH, FLASH_BYTES, UC_PROT_READ | UC_PROT_EXEC)
        self.uc.mem_map(RAM, RAM_BYTES)
        self.uc.mem_map(_SYSTEM, 0x1000, UC_PROT_READ)
        self.uc.mmio_map(CLOCKS, 0x1000, self._read, None, self._write, None)
        self.uc.hook_add(UC_HOOK_MEM_WRITE_PROT, self._program)
        self.uc.hook_add(UC_HOOK_INTR, self._exception)
        for i, word in enumerate(UID):
            self.uc.mem_write(UNIQUE_ID + 4 * i, word.to_bytes(4, "little"))
        self.uc.mem_write(FLASH_KB, (FLASH_BYTES // 1024).to_bytes(2, "little"))
        self.core = Core(self, CPUID)
        self.port = DebugPort(self.core, JTAG_ID)
        self.chain = Chain(self.port, JTAG_ID, BOUNDARY_ID, self.core.pull_reset)
        self.reset()

    def reset(self) -> None:
        """As after the reset pin."""
        protection = 0x55 if self._locked else 0xAA
        self._reg = {CR: _LOCK, OPTCR: 0x0FFF00ED | protection << 8}
        self._keys = 0
        words = self.uc.mem_read(FLASH, 8)
        self.uc.reg_write(UC_ARM_REG_SP, int.from_bytes(words[:4], "little"))
        self.uc.reg_write(UC_ARM_REG_XPSR, 1 << 24)
        self.pc = int.from_bytes(words[4:], "little") & ~1

    def flashed(self) -> bytes:
        """What its flash holds."""
        return bytes(self.uc.mem_read(FLASH, FLASH_BYTES))

    def load(self, address: int, size: int) -> int:
        """Memory, to the debugger. Raises BusFaultError."""
        if address in self._debug:
            return self._debug[address]
        if self._locked and FLASH <= address < FLASH + FLASH_BYTES:
            raise BusFaultError(f"{address:#x} is protected")
        try:
            return int.from_bytes(self.uc.mem_read(address, size), "little")
        except UcError as error:
            raise BusFaultError(str(error)) from error

    def store(self, address: int, size: int, value: int) -> None:
        """Memory, from the debugger. Raises BusFaultError."""
        if address in self._debug:
            self._debug[address] = self._debug[address] if address == _DBGMCU_IDCODE else value
        elif FLASH <= address < FLASH + FLASH_BYTES:
            self._program(self.uc, 0, address, size, value, None)
        else:
            try:
                self.uc.mem_write(address, value.to_bytes(size, "little"))
            except UcError as error:
                raise BusFaultError(str(error)) from error

    def _read(self, uc: Uc, offset: int, size: int, data: Any) -> int:
        return self._reg.get(CLOCKS + offset, 0)

    def _write(self, uc: Uc, offset: int, size: int, value: int, data: Any) -> None:
        address = CLOCKS + offset
        if address == KEYR:
            self._keys = self._keys + 1 if value == _KEYS[self._keys & 1] else 0
            if self._keys == len(_KEYS):
                self._keys = self._reg[CR] = 0
        elif address == SR:
            self._reg[SR] = self._reg.get(SR, 0) & ~value
        elif address != CR:
            self._reg[address] = value
        elif not self._reg[CR] & _LOCK:
            self._reg[CR] = value & ~_STRT
            if value & (_STRT | _SER) == _STRT | _SER:
                self._erase(value >> 3 & 15)

    def _erase(self, number: int) -> None:
        if self._locked or number >= len(SECTORS):
            self._fail(_WRPERR)
            return
        begin = FLASH + sum(SECTORS[:number])
        self.uc.mem_write(begin, b"\xff" * SECTORS[number])
        self.erased += 1

    def _program(self, uc: Uc, access: int, address: int, size: int, value: int, data: Any) -> bool:
        control = self._reg[CR]
        if control & (_PG | _LOCK) != _PG:
            self._fail(_PGSERR)
        elif size != 1 << (control >> 8 & 3):
            self._fail(_PGPERR)
        elif self._locked:
            self._fail(_WRPERR)
        else:
            before = int.from_bytes(uc.mem_read(address, size), "little")
            uc.mem_write(address, (before & value).to_bytes(size, "little"))
            if self._worn is not None and address <= FLASH + self._worn < address + size:
                uc.mem_write(FLASH + self._worn, b"\xff")
            self.programmed += 1
        return True

    def _fail(self, error: int) -> None:
        self._reg[SR] = self._reg.get(SR, 0) | error

    def _exception(self, uc: Uc, number: int, data: Any) -> None:
        if number == _BREAKPOINT:
            self.core.breakpoint()
        else:
            self.core.locked_up = True
            uc.emu_stop()
