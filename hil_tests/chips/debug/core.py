"""A Cortex-M3 or M4 as a debugger sees it (Armv7-M ARM, DDI 0403, C1): halt, run, registers, around
a chip of this package on unicorn.

Between halts the core runs a stretch each time that the tool looks, until it comes to a breakpoint
instruction: so a loader that a tool puts into RAM is run, not imitated. Left out: single steps,
hardware breakpoints and watchpoints (both units say that they have none), interrupts.
"""

from typing import Protocol

from unicorn import Uc, UcError
from unicorn.arm_const import (
    UC_ARM_REG_LR,
    UC_ARM_REG_MSP,
    UC_ARM_REG_PC,
    UC_ARM_REG_PRIMASK,
    UC_ARM_REG_PSP,
    UC_ARM_REG_R0,
    UC_ARM_REG_SP,
    UC_ARM_REG_XPSR,
)

CPUID, AIRCR = 0xE000ED00, 0xE000ED0C
DHCSR, DCRSR, DCRDR, DEMCR = 0xE000EDF0, 0xE000EDF4, 0xE000EDF8, 0xE000EDFC
FP_CTRL, DWT_CTRL = 0xE0002000, 0xE0001000
_INTERNAL = 0xE0000000 >> 18
"""The core's own part of its private bus [DDI 0403, B3.1]; behind it lies the chip's."""
_KEY, _RESET_REQUEST = 0xA05F, 1 << 2
_ENABLE, _HALT = 1 << 0, 1 << 1
_S_REGRDY, _S_HALT, _S_LOCKUP, _S_RESET_ST = 1 << 16, 1 << 17, 1 << 19, 1 << 25
_VC_CORERESET = 1 << 0
_REGISTERS = {number: UC_ARM_REG_R0 + number for number in range(13)} | {
    13: UC_ARM_REG_SP,
    14: UC_ARM_REG_LR,
    15: UC_ARM_REG_PC,
    16: UC_ARM_REG_XPSR,
    17: UC_ARM_REG_MSP,
    18: UC_ARM_REG_PSP,
    20: UC_ARM_REG_PRIMASK,
}
"""By DCRSR.REGSEL; 20 holds CONTROL, FAULTMASK, BASEPRI and PRIMASK, of which the last is kept."""
_ROM_TABLE = 0xE00FF000


def _who(base: int, part: int, kind: int) -> dict[int, int]:
    """Identification registers of a component of Arm's [ADIv5 B2.2]: JEP106 4, 0x3B."""
    peripheral = (0x04, 0, 0, 0, part & 0xFF, 0xB0 | part >> 8, 0x0B, 0)
    component = (0x0D, kind, 0x05, 0xB1)
    return dict(zip(range(base + 0xFD0, base + 0x1000, 4), peripheral + component, strict=True))


_PARTS = (0xFFF0F003, 0xFFF02003, 0xFFF03003, 0)
"""Where SCS, DWT and FPB are, and the end of the list [DDI 0403, table C1-3]."""
_FIXED = (
    dict(zip(range(_ROM_TABLE, _ROM_TABLE + 16, 4), _PARTS, strict=True))
    | _who(_ROM_TABLE, 0x4C3, 0x10)
    | _who(0xE000E000, 0x000, 0xE0)
    | _who(0xE0001000, 0x002, 0xE0)
    | _who(0xE0002000, 0x003, 0xE0)
)
_STRETCH = 20_000
"""Instructions at a time."""


class Chip(Protocol):
    """What stands behind the core's debug registers."""

    pc: int
    """Where the core goes on."""

    @property
    def uc(self) -> Uc:
        """Its emulator."""

    def reset(self) -> None:
        """As after the reset pin."""

    def load(self, address: int, size: int) -> int:
        """Memory and peripherals, to the debugger. Raises BusFaultError."""

    def store(self, address: int, size: int, value: int) -> None:
        """Likewise."""


class Core:
    """The bus behind the access port: the chip's, and the core's own registers."""

    def __init__(self, chip: Chip, cpuid: int) -> None:
        self._chip, self._cpuid = chip, cpuid
        self.halted = False
        self.free = True
        """It runs by itself, since a reset: whoever has the chip runs it."""
        self.locked_up = False
        """Its program has gone where there is nothing; a reset or a halt ends that [B1.5.15]."""
        self.started = 0
        """How often a debugger has let it run from a halt."""
        self._control = self._data = self._monitor = self._patch = 0
        self._was_reset = False
        self.pin = False
        """The reset line is low."""

    @property
    def alone(self) -> bool:
        """Whether its program is its own business: no debugger has it."""
        return self.free and not (self.halted or self.locked_up or self.pin)

    def pull_reset(self, low: bool) -> None:
        """The reset line."""
        if low and not self.pin:
            self._restart()
        self.pin = low

    def load(self, address: int, size: int) -> int:
        """A debugger's read; whoever waits for the core gives it time. Raises BusFaultError."""
        if address == DHCSR:
            self._run()
            state = _S_REGRDY | self._control | (_S_HALT if self.halted else 0)
            state |= _S_LOCKUP if self.locked_up else 0
            state |= _S_RESET_ST if self._was_reset or self.pin else 0
            self._was_reset = False
            return state
        own = _FIXED | {
            CPUID: self._cpuid,
            AIRCR: 0xFA050000,
            DCRDR: self._data,
            DEMCR: self._monitor,
            FP_CTRL: self._patch,
            DWT_CTRL: 0,
        }
        if address >> 18 == _INTERNAL or address & ~0xFFF == _ROM_TABLE:
            return own.get(address & ~3, 0) >> 8 * (address & 3) & (1 << 8 * size) - 1
        self._run()
        return self._chip.load(address, size)

    def store(self, address: int, size: int, value: int) -> None:
        """A debugger's write. Raises BusFaultError."""
        if address == DHCSR:
            if value >> 16 == _KEY:
                self._obey(value & 0xFFFF)
        elif address == DCRSR:
            self._transfer(value & 0x1F, value >> 16 & 1)
        elif address == DCRDR:
            self._data = value
        elif address == DEMCR:
            self._monitor = value
        elif address == FP_CTRL:
            self._patch = value & 1 if value & 2 else self._patch  # KEY
        elif address == AIRCR:
            if value & _RESET_REQUEST:
                self._restart()
        elif address >> 18 != _INTERNAL:
            self._chip.store(address, size, value)

    def _restart(self) -> None:
        self._chip.reset()
        self._was_reset = self.free = True
        self.locked_up = False
        self.halted = bool(self._control & _ENABLE and self._monitor & _VC_CORERESET)

    def _obey(self, value: int) -> None:
        self._control = value & 0xF if value & _ENABLE else 0
        if self._control & _HALT:
            self.halted, self.locked_up = True, False
        elif self.halted:
            self.halted, self.free = False, not value & _ENABLE
            self.started += 1
            # What was put into RAM is other code than before, which unicorn does not see.
            for begin, end, _ in self._chip.uc.mem_regions():
                self._chip.uc.ctl_remove_cache(begin, end + 1)

    def _transfer(self, number: int, write: int) -> None:
        """A core register and DCRDR."""
        uc, register = self._chip.uc, _REGISTERS.get(number)
        if register is None:
            self._data = self._data if write else 0
        elif number == 15:
            self._chip.pc = self._data & ~1 if write else self._chip.pc
            self._data = self._chip.pc
        elif number == 20:
            if write:
                uc.reg_write(register, self._data & 1)
            self._data = uc.reg_read(register)
        elif write:
            uc.reg_write(register, self._data)
        else:
            self._data = uc.reg_read(register)

    def breakpoint(self) -> None:
        """The core has come to one: it halts there."""
        self.halted = True
        self._chip.uc.emu_stop()

    def _run(self) -> None:
        """Let it go on for a stretch."""
        if self.halted or self.free or self.locked_up or self.pin:
            return
        try:
            self._chip.uc.emu_start(self._chip.pc | 1, 0, count=_STRETCH)
        except UcError:
            self.locked_up = True
        self._chip.pc = self._chip.uc.reg_read(UC_ARM_REG_PC)
