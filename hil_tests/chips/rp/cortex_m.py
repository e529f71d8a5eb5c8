"""A Cortex-M with its exceptions, which unicorn leaves out: NVIC, SysTick, faults, entry, return.

Armv8-M's manual (DDI 0553), B3.18 to B3.24, with the Main Extension and in the Secure state
throughout; of Armv6-M's (DDI 0419, B1.5) the same part. All priorities are one, as the firmware
leaves them, so that no interrupt preempts another. An interrupt is taken where the firmware lets it
be: when it unmasks them, sleeps, returns from a handler, spins or asks for the time; not between
any two instructions. The stacked address of a data fault is that of the block of instructions that
it lies in. What is not modelled: FPU, MPU, SAU, sleep on exit, the cycles of all this.
"""

import re
import struct
from collections.abc import Callable
from typing import Any, Protocol

from unicorn import (
    UC_ERR_FETCH_PROT,
    UC_ERR_FETCH_UNMAPPED,
    UC_ERR_INSN_INVALID,
    UC_HOOK_CODE,
    UC_HOOK_INTR,
    UC_HOOK_MEM_INVALID,
    UC_MEM_FETCH_PROT,
    UC_MEM_FETCH_UNMAPPED,
    Uc,
    UcError,
)
from unicorn.arm_const import (
    UC_ARM_REG_LR,
    UC_ARM_REG_PC,
    UC_ARM_REG_PRIMASK,
    UC_ARM_REG_R0,
    UC_ARM_REG_R1,
    UC_ARM_REG_R2,
    UC_ARM_REG_R3,
    UC_ARM_REG_R12,
    UC_ARM_REG_SP,
    UC_ARM_REG_XPSR,
)

from einthoven.hil_tests.chips import NS_PER_S
from einthoven.hil_tests.chips.rp.block import Stop

SYSTICK, NVIC_ISER, SCB = 0xE010, 0xE100, 0xED00
VTOR, ICSR, SCR, CFSR, HFSR, BFAR = SCB + 8, SCB + 4, SCB + 16, SCB + 40, SCB + 44, SCB + 56
THUMB, ALIGNED, IPSR = 1 << 24, 1 << 9, 0x1FF
EXC_RETURN, NESTED = 0xFFFFFFF9, 0xFFFFFFF1
"""To thread mode, or to a handler; main stack, no floating point, Secure."""
HARD_FAULT, SYSTICK_EXCEPTION, FIRST_LINE = 3, 15, 16
RETURN, STACK_LIMIT = 8, 19
"""What unicorn calls an exception's return, and a stack pointer below MSPLIM."""
UNDEFINED, OVERFLOW, FETCH, DATA, STACKING = 1 << 16, 1 << 20, 1 << 8, 0x8200, 1 << 12
FRAME = (
    *(UC_ARM_REG_R0, UC_ARM_REG_R1, UC_ARM_REG_R2, UC_ARM_REG_R3),
    *(UC_ARM_REG_R12, UC_ARM_REG_LR),
)
LIMIT = rb"[\x80-\x8c]\xf3\x0a\x88"
"""MSR MSPLIM, r0 to r12."""
UNMASK, SPIN = b"\x62\xb6", b"\xfe\xe7"
"""CPSIE i; a branch to itself."""


class Board(Protocol):
    """What a core is told by the chip around it."""

    ns: int

    def core_hz(self) -> float:
        """Of the core, now."""

    def lines(self) -> list[int]:
        """Interrupts that are asked for."""

    def forbidden(self, address: int) -> str:
        """Why nothing may be there just now; empty: it is a fault of the core's."""

    def ends(self) -> bool:
        """Whether this run of the core is over: a restart, a mistake."""


class CortexM:
    """`code`: address and content of what may be run; `waits`: where the firmware may wait for an
    interrupt, awake; `main`: whether it is an Armv8-M with the Main Extension.
    """

    def __init__(
        self,
        uc: Uc,
        board: Board,
        stop: Stop,
        code: list[tuple[int, bytes]],
        waits: list[range],
        main: bool,
    ) -> None:
        self._uc, self._board, self._stop, self._main = uc, board, stop, main
        self._fault: tuple[int, int] | None = None
        self.spins = False
        uc.hook_add(UC_HOOK_INTR, self._exception)
        uc.hook_add(UC_HOOK_MEM_INVALID, self._invalid)
        places = set()
        for begin, content in code:
            places |= {begin + at + 2 for at in _all(content, UNMASK)}
            for part in waits:
                if begin <= part.start < begin + len(content):
                    places |= _again(part, content[part.start - begin : part.stop - begin])
            for found in re.finditer(LIMIT, content):
                self._hook(self._set_limit, begin + found.start())
            for at in _all(content, SPIN):
                self._hook(self._spin, begin + at)
        for place in places:
            self._hook(self._window, place)
        self.reset()

    def _hook(self, call: Callable[..., None], place: int) -> None:
        self._uc.hook_add(UC_HOOK_CODE, call, None, place, place)

    def reset(self) -> None:
        """As after a reset of the core."""
        self.reg = {SYSTICK: 0, SYSTICK + 4: 0, NVIC_ISER: 0, NVIC_ISER + 4: 0, VTOR: 0, SCR: 0}
        self.cfsr = self.hfsr = self.bfar = 0
        self.limit = 0
        """MSPLIM."""
        self.taken = 0
        """Interrupts, so far."""
        self._wraps_ns: int | None = None

    def start(self, stack: int, entry: int, vectors: int) -> None:
        """As the boot ROM leaves it."""
        self.reg[VTOR] = vectors
        self._uc.reg_write(UC_ARM_REG_PRIMASK, 0)
        self._uc.reg_write(UC_ARM_REG_XPSR, THUMB)
        self._uc.reg_write(UC_ARM_REG_SP, stack)
        if not entry & 1:
            self._stop(f"the core starts at {entry:#x}, which is no Thumb code")
        self.pc = entry & ~1

    @property
    def masked(self) -> bool:
        """PRIMASK, or a handler runs."""
        uc = self._uc
        return bool(uc.reg_read(UC_ARM_REG_PRIMASK) or uc.reg_read(UC_ARM_REG_XPSR) & IPSR)

    def pending(self) -> int | None:
        """The exception to be taken next."""
        if self._wraps_ns is not None and self._board.ns >= self._wraps_ns:
            return SYSTICK_EXCEPTION
        for line in self._board.lines():
            if self.reg[NVIC_ISER + 4 * (line // 32)] >> line % 32 & 1:
                return FIRST_LINE + line
        return None

    def event_ns(self) -> int | None:
        """When SysTick wraps."""
        return self._wraps_ns

    def run(self) -> None:
        """Until the core sleeps or spins, or the chip says that it ends."""
        while True:
            self.spins = False
            self._uc.reg_write(UC_ARM_REG_PC, self.pc | 1)
            if self._may_take():
                self._take_next(self.pc)
            try:
                self._uc.emu_start(self._uc.reg_read(UC_ARM_REG_PC) | 1, 0)
            except UcError as error:
                self._fault = self._fault or (_cause(error), 0)
                if _cause(error) == 0:
                    raise
            self.pc = self._uc.reg_read(UC_ARM_REG_PC)
            if self._board.ends():
                return
            if self._fault is None:
                return
            self._hard_fault()
            self.pc = self._uc.reg_read(UC_ARM_REG_PC)
            if self._board.ends():
                return

    def _may_take(self) -> bool:
        return not self.masked and self.pending() is not None

    def _window(self, uc: Uc, address: int, size: int, data: Any) -> None:
        if self._may_take():
            self._take_next(address)

    def _set_limit(self, uc: Uc, address: int, size: int, data: Any) -> None:
        (register,) = uc.mem_read(address, 1)
        self.limit = uc.reg_read(UC_ARM_REG_R0 + (register & 15))

    def _spin(self, uc: Uc, address: int, size: int, data: Any) -> None:
        if self._may_take():
            self._take_next(address)
        else:
            self.spins = True
            uc.emu_stop()

    def _take_next(self, back: int) -> None:
        number = self.pending()
        if number is None:
            return
        if number == SYSTICK_EXCEPTION and self._wraps_ns is not None:
            self._wraps_ns += self._period_ns()
        self.taken += 1
        if not self._enter(number, back):
            self._hard_fault()

    def _enter(self, number: int, back: int) -> bool:
        """Stack, and go to the handler [B3.20]. False: the stack has no room."""
        uc = self._uc
        status, top = uc.reg_read(UC_ARM_REG_XPSR), uc.reg_read(UC_ARM_REG_SP)
        frame = (top - 32) & ~7
        values = [uc.reg_read(register) for register in FRAME]
        content = struct.pack("<8I", *values, back, status | (ALIGNED if top & 4 else 0))
        trouble = self._push(frame, content)
        uc.reg_write(UC_ARM_REG_SP, max(frame, self.limit))
        self.cfsr |= trouble
        if trouble and number != HARD_FAULT:
            self._fault = trouble, frame
            return False
        (handler,) = struct.unpack("<I", uc.mem_read(self.reg[VTOR] + 4 * number, 4))
        if not handler & 1:
            self._stop(f"exception {number} has no handler")
        uc.reg_write(UC_ARM_REG_LR, NESTED if status & IPSR else EXC_RETURN)
        uc.reg_write(UC_ARM_REG_XPSR, THUMB | number)
        uc.reg_write(UC_ARM_REG_PC, handler)
        return True

    def _push(self, frame: int, content: bytes) -> int:
        """0: done; else CFSR's bit, and nothing is written."""
        if frame < self.limit:
            return OVERFLOW
        try:
            self._uc.mem_write(frame, content)
        except UcError:
            return STACKING
        return 0

    def _hard_fault(self) -> None:
        """Everything that is not enabled as a fault of its own is one [B3.24]."""
        why, address = self._fault or (STACKING, 0)
        self._fault = None
        if self._uc.reg_read(UC_ARM_REG_XPSR) & IPSR == HARD_FAULT:
            self._stop(f"lockup: a fault in the fault's handler, {why:#x} at {address:#x}")
            return
        self.cfsr |= why
        self.hfsr |= 1 << 30
        self.bfar = address if why == DATA else self.bfar
        self._enter(HARD_FAULT, self._uc.reg_read(UC_ARM_REG_PC))

    def _exception(self, uc: Uc, number: int, data: Any) -> None:
        if number == RETURN:
            self._return(uc.reg_read(UC_ARM_REG_PC) | 1)
        elif number == STACK_LIMIT:
            self._fault = OVERFLOW, 0
            uc.emu_stop()
        else:
            self._stop(f"exception {number} of unicorn's at {uc.reg_read(UC_ARM_REG_PC):#x}")

    def _return(self, to: int) -> None:
        """Unstack [B3.21]; what waits comes behind at once."""
        uc = self._uc
        if to != EXC_RETURN:
            self._stop(f"an exception returns to {to:#x}")
            return
        frame = uc.reg_read(UC_ARM_REG_SP)
        *values, back, status = struct.unpack("<8I", uc.mem_read(frame, 32))
        for register, value in zip(FRAME, values, strict=True):
            uc.reg_write(register, value)
        uc.reg_write(UC_ARM_REG_SP, frame + 32 + (4 if status & ALIGNED else 0))
        uc.reg_write(UC_ARM_REG_XPSR, status & ~ALIGNED | THUMB)
        uc.reg_write(UC_ARM_REG_PC, back | 1)
        if self._may_take():
            self._take_next(back)

    def _invalid(self, uc: Uc, kind: int, address: int, size: int, value: int, data: Any) -> bool:
        if why := self._board.forbidden(address):
            self._stop(why)
        fetched = kind in (UC_MEM_FETCH_UNMAPPED, UC_MEM_FETCH_PROT)
        self._fault = FETCH if fetched else DATA, address
        return False

    def _period_ns(self) -> int:
        return round((self.reg[SYSTICK + 4] + 1) * NS_PER_S / self._board.core_hz())

    def read(self, offset: int) -> int | None:
        """A register of the core's, from 0xE0000000 on. None: not modelled."""
        if offset == SYSTICK + 8:
            if self._wraps_ns is None:
                return 0
            left = (self._wraps_ns - self._board.ns) * self._board.core_hz() / NS_PER_S
            return int(left) % (self.reg[SYSTICK + 4] + 1)
        if offset == ICSR:
            wrapped = self._wraps_ns is not None and self._board.ns >= self._wraps_ns
            active = int(self._uc.reg_read(UC_ARM_REG_XPSR)) & IPSR
            return active | wrapped << 26
        if offset in (CFSR, HFSR, BFAR) and self._main:
            return {CFSR: self.cfsr, HFSR: self.hfsr, BFAR: self.bfar}[offset]
        return self.reg.get(offset)

    def write(self, offset: int, value: int) -> bool:
        """False: not modelled."""
        if offset == SYSTICK + 8:  # cleared: it begins anew
            value = 0
        elif NVIC_ISER <= offset < NVIC_ISER + 8:
            value |= self.reg[offset]
        elif offset not in self.reg:
            return False
        if offset == SYSTICK and value & ~7:
            return False
        self.reg[offset] = value
        if offset in (SYSTICK, SYSTICK + 8) and self.reg[SYSTICK] == 7:
            self._wraps_ns = self._board.ns + self._period_ns()
        return True


def _cause(error: UcError) -> int:
    """CFSR's bit for what unicorn says; 0: it is no fault of the firmware's."""
    if error.errno == UC_ERR_INSN_INVALID:
        return UNDEFINED
    if error.errno in (UC_ERR_FETCH_UNMAPPED, UC_ERR_FETCH_PROT):
        return FETCH
    return DATA if 6 <= error.errno <= 14 else 0


def _again(part: range, content: bytes) -> set[int]:
    """Where a function begins, and where its short branches go back to."""
    found = {part.start}
    for at, word in zip(part, struct.unpack(f"<{len(content) // 2}H", content), strict=True):
        if word >> 12 == 0xD and word & 0x80:
            found.add(at + 4 + 2 * ((word & 0xFF) - 0x100))
        elif word >> 10 == 0x39:
            found.add(at + 4 + 2 * ((word & 0x3FF) - 0x400))
    return {place for place in found if part.start <= place < part.stop}


def _all(content: bytes, wanted: bytes) -> list[int]:
    """Where that is, at even places."""
    found, at = [], content.find(wanted)
    while at >= 0:
        if at % 2 == 0:
            found.append(at)
        at = content.find(wanted, at + 1)
    return found
