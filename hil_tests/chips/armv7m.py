"""An Armv7-M core on unicorn: exceptions, NVIC, system control, cycle counter.

unicorn 2.1 runs the instructions and has none of these. Arm DDI 0403E: B1.5 exceptions (stacking,
EXC_RETURN, priorities, escalation, WFI), B3.2 system control, B3.4 NVIC, C1.8 DWT; SysTick is a
module of its own.
Whoever owns the time calls `run`, adds the cycles that it tells, and tells SysTick the time; what
is pending is taken between two pieces of `SLICE` instructions, or where a masked core unmasks.

Left out: MPU, FPU and its lazy stacking, the process stack, debug, BusFault and its like as
exceptions of their own (they escalate to HardFault, as where nobody enables them), tail-chaining
as another duration.
"""

import struct
from collections.abc import Callable, Sequence
from typing import Any

from unicorn import (
    UC_ARCH_ARM,
    UC_ERR_INSN_INVALID,
    UC_HOOK_CODE,
    UC_HOOK_INTR,
    UC_HOOK_MEM_FETCH_PROT,
    UC_HOOK_MEM_UNMAPPED,
    UC_MODE_MCLASS,
    UC_MODE_THUMB,
    Uc,
    UcError,
)
from unicorn.arm_const import (
    UC_ARM_REG_BASEPRI,
    UC_ARM_REG_CONTROL,
    UC_ARM_REG_FAULTMASK,
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

from einthoven.hil_tests.chips import NS_PER_S, systick
from einthoven.hil_tests.chips.registers import Registers
from einthoven.hil_tests.chips.systick import SysTick

SLICE = 2048
"""Instructions between two looks at what is pending."""
HARD_FAULT, SYSTICK, IRQ0 = 3, 15, 16
"""Numbers of exceptions [B1.5.2]; of an interrupt: IRQ0 and its own."""
THUMB, ALIGNED, IPSR = 1 << 24, 1 << 9, 0x1FF
TO_HANDLER, TO_THREAD = 0xFFFFFFF1, 0xFFFFFFF9
"""EXC_RETURN with the main stack and without FPU [B1.5.8]."""
NOBODY = 256
"""Priority of a program that no exception has interrupted."""
STKERR, PRECISERR, BFARVALID, IACCVIOL = 1 << 12, 1 << 9, 1 << 15, 1 << 0
UNDEFINSTR, FORCED = 1 << 16, 1 << 30
EXCEPTION_RETURN, NO_CODE_THERE = 8, 3
"""unicorn's numbers for a branch to EXC_RETURN, and for one to where nothing is executed."""
CALLED = (
    *(UC_ARM_REG_R0, UC_ARM_REG_R1, UC_ARM_REG_R2, UC_ARM_REG_R3),
    *(UC_ARM_REG_R12, UC_ARM_REG_LR),
)
"""Registers that are stacked, in that order; behind them PC and xPSR."""
ENTERED = (UC_ARM_REG_LR, UC_ARM_REG_SP, UC_ARM_REG_XPSR)
MASKS = (UC_ARM_REG_PRIMASK, UC_ARM_REG_BASEPRI, UC_ARM_REG_FAULTMASK, UC_ARM_REG_CONTROL)
WFI, SPIN = b"\x30\xbf", b"\xfe\xe7"

DWT_CTRL, DWT_CYCCNT, DEMCR = 0xE0001000, 0xE0001004, 0xE000EDFC
ISER, ICER, ISPR, ICPR, IPR = 0xE000E100, 0xE000E180, 0xE000E200, 0xE000E280, 0xE000E400
CPUID, ICSR, VTOR, AIRCR, SCR, CCR, SHPR = (0xE000ED00 + 4 * i for i in range(7))
CFSR, HFSR, BFAR = 0xE000ED28, 0xE000ED2C, 0xE000ED38
RESET = 0x05FA0004
KEPT = {DWT_CTRL, DEMCR, VTOR, SCR, BFAR, *range(SHPR, SHPR + 12, 4)}
"""Registers that only keep what was written."""


class MistakeError(AssertionError):
    """What the firmware must not do, or what no model has."""


class ResetError(Exception):
    """The chip begins again: `why` as its owner tells flags apart."""

    def __init__(self, why: str) -> None:
        super().__init__(why)
        self.why = why


class Core:
    """A core whose program lies in memory that its owner maps into `uc`.

    `ram`: where it may stack; `now_ns`, `hz`: the owner's time and what the core runs at; `levels`:
    by interrupt, whether its line is high: it stays pending while that is so [B3.4.1];
    `priority_bits`: how many a chip has.
    """

    def __init__(
        self,
        model: int,
        ram: Sequence[range],
        now_ns: Callable[[], int],
        hz: Callable[[], float],
        priority_bits: int,
    ) -> None:
        self.uc = Uc(UC_ARCH_ARM, UC_MODE_THUMB | UC_MODE_MCLASS)
        self.uc.ctl_set_cpu_model(model)
        self.levels: dict[int, Callable[[], bool]] = {}
        self._ram, self._now_ns, self._hz = ram, now_ns, hz
        self._priority_mask = 0xFF & ~(0xFF >> priority_bits)
        self._masks = Registers(self.uc, MASKS)
        self._stacks = Registers(self.uc, (UC_ARM_REG_SP, UC_ARM_REG_XPSR, *CALLED))
        self._enters = Registers(self.uc, ENTERED)
        self._pc = Registers(self.uc, (UC_ARM_REG_PC,))
        self.uc.hook_add(UC_HOOK_INTR, self._interrupted)
        self.uc.hook_add(UC_HOOK_MEM_UNMAPPED | UC_HOOK_MEM_FETCH_PROT, self._nothing_there)
        self._wfi_hooks: list[int] = []
        self._systick = SysTick(now_ns, hz, lambda: self.pend(SYSTICK))
        self.taken: dict[int, int] = {}
        """By exception: how often."""
        self.reset(0, 0)

    def watch_sleeps(self, begin: int, program: bytes) -> None:
        """Know each WFI of a program that lies at `begin`."""
        for hook in self._wfi_hooks:
            self.uc.hook_del(hook)
        self._wfi_hooks = []
        at = program.find(WFI)
        while at >= 0:
            if at % 2 == 0:
                here = begin + at
                self._wfi_hooks.append(
                    self.uc.hook_add(UC_HOOK_CODE, self._at_wfi, begin=here, end=here)
                )
            at = program.find(WFI, at + 1)

    def reset(self, stack: int, entry: int) -> None:
        """As after any reset [B1.5.5]; general registers keep what they hold."""
        self.reg: dict[int, int] = dict.fromkeys(KEPT, 0) | {CCR: 0x200, CFSR: 0, HFSR: 0}
        self._enabled: set[int] = set()
        self._pending: set[int] = set()
        self._priority: dict[int, int] = {}
        self.active: list[int] = []
        self.sleeping = False
        self._wfi_at = 0
        self._returns = False
        self._fault: tuple[int, int] | None = None
        self._ends: Exception | None = None
        self._systick.reset()
        self.slept_ns = 0
        self._counts_from_ns = 0
        self._masks.write((0,) * len(MASKS))
        self.uc.reg_write(UC_ARM_REG_XPSR, THUMB)
        self.uc.reg_write(UC_ARM_REG_SP, stack & ~3)
        self.pc = entry & ~1

    def pend(self, exception: int) -> None:
        """It has been requested."""
        self._pending.add(exception)

    def end(self, error: Exception) -> None:
        """To be raised by `run`: of an access under way."""
        self._ends = self._ends or error
        self.uc.emu_stop()

    def run(self) -> int:
        """Take what is pending and run; how many cycles that took, as far as known: one an
        instruction, and none for a piece that ended before its last. Raises MistakeError,
        ResetError.
        """
        count = SLICE
        if requested := self._requested():
            if (number := self._first(requested, self._masked())) is not None:
                self._enter(number, self.pc)
            elif self._first(requested, 0) is not None:
                count = 1  # until it unmasks
        self._wfi_at = 0
        failed: UcError | None = None
        try:
            self.uc.emu_start(self.pc | 1, 0, count=count)
        except UcError as error:
            failed = error
        (self.pc,) = self._pc.read()
        if self._ends is not None:
            raise self._ends
        if failed is not None or self._fault is not None:
            self._escalate(failed)
            return 0
        if self._returns:
            self._returns = False
            self._leave(self.pc)
            return 0
        if self._wfi_at and self.pc == self._wfi_at + 2:
            self.sleeping = not self.wakes()
            return 0
        return count

    def wakes(self) -> bool:
        """Whether something ends a sleep: what would be taken, were PRIMASK 0 [B1.5.17]."""
        return self._first(self._requested(), 0) is not None

    def spins(self) -> bool:
        """Whether its next instruction is a branch to itself."""
        return bytes(self.uc.mem_read(self.pc, 2)) == SPIN

    def interruptible(self) -> bool:
        """Whether something is pending that would be taken now."""
        requested = self._requested()
        return bool(requested) and self._first(requested, self._masked()) is not None

    def _masked(self) -> int:
        """PRIMASK."""
        return self._masks.read()[0] & 1

    def _requested(self) -> list[int]:
        if not self._pending and not any(high() for high in self.levels.values()):
            return []
        lines = [
            IRQ0 + irq
            for irq, high in self.levels.items()
            if IRQ0 + irq in self._enabled and IRQ0 + irq not in self.active and high()
        ]
        return [n for n in self._pending if n < IRQ0 or n in self._enabled] + lines

    def _first(self, requested: list[int], primask: int) -> int | None:
        """The one of them that is to be taken."""
        if not requested:
            return None
        level, number = min((self._of(n), n) for n in requested)
        return number if level < self._execution(primask) else None

    def _of(self, exception: int) -> int:
        return -1 if exception == HARD_FAULT else self._priority.get(exception, 0)

    def _execution(self, primask: int) -> int:
        """Its priority now [B1.5.4]."""
        level = min((self._of(n) for n in self.active), default=NOBODY)
        _, basepri, faultmask, _ = self._masks.read()
        if basepri:
            level = min(level, basepri & self._priority_mask)
        if primask:
            level = min(level, 0)
        return min(level, -1) if faultmask & 1 else level

    def _enter(self, number: int, return_to: int) -> None:
        """PushStack and ExceptionTaken [B1.5.6, B1.5.7]."""
        if self._masks.read()[3] & 2:
            raise MistakeError("the process stack is used, and not modelled")
        sp, xpsr, *called = self._stacks.read()
        aligned = self.reg[CCR] & 0x200 and sp & 4
        frame = (sp - 32) & (~4 if self.reg[CCR] & 0x200 else ~0) & 0xFFFFFFFF
        if any(frame in ram and frame + 31 in ram for ram in self._ram):
            words = (*called, return_to, xpsr & ~ALIGNED | (aligned and ALIGNED))
            self.uc.mem_write(frame, struct.pack("<8I", *words))
        else:  # a derived exception takes its place, and pushes nothing more [B1.5.11]
            self.reg[CFSR] |= STKERR
            self.reg[HFSR] |= FORCED
            if self._execution(0) <= -1:
                raise MistakeError(f"lockup: no stack at {frame:#x}")
            number = HARD_FAULT
        self._pending.discard(number)
        self.taken[number] = self.taken.get(number, 0) + 1
        link = TO_HANDLER if self.active else TO_THREAD
        self._enters.write((link, frame, xpsr & 0xF8000000 | THUMB | number))
        self.active.append(number)
        vector = struct.unpack("<I", self.uc.mem_read(self.reg[VTOR] + 4 * number, 4))[0]
        if not vector & 1:
            raise MistakeError(f"the vector of exception {number} is {vector:#x}, no Thumb code")
        self.pc = vector & ~1

    def _leave(self, code: int) -> None:
        """ExceptionReturn and PopStack [B1.5.8]."""
        code = code & 0xFFFFFFF0 | 0xF & (code | 1)
        wanted = TO_HANDLER if len(self.active) > 1 else TO_THREAD
        if code != wanted or not self.active:
            raise MistakeError(f"exception return by {code:#x}, with {self.active} active")
        number = self.active.pop()
        (_, sp, _) = self._enters.read()
        *called, pc, xpsr = struct.unpack("<8I", self.uc.mem_read(sp, 32))
        if xpsr & IPSR != (self.active[-1] if self.active else 0):
            raise MistakeError(f"exception {number} returns to a frame of {xpsr & IPSR}")
        self._stacks.write((sp + 32 | (xpsr & ALIGNED) >> 7, xpsr & ~ALIGNED, *called))
        if number != HARD_FAULT:
            self.uc.reg_write(UC_ARM_REG_FAULTMASK, 0)
        self.pc = pc & ~1

    def _escalate(self, error: UcError | None) -> None:
        """What unicorn could not do is a fault, and that a HardFault [B1.5.12]."""
        if self._fault is not None:
            cause, address = self._fault
            self._fault = None
            self.reg[CFSR] |= cause
            self.reg[BFAR] = address if cause & BFARVALID else self.reg[BFAR]
        elif error is not None and error.errno == UC_ERR_INSN_INVALID:
            self.reg[CFSR] |= UNDEFINSTR
        else:
            raise MistakeError(f"unicorn stops at {self.pc:#x}: {error}")
        self.reg[HFSR] |= FORCED
        if self._execution(0) <= -1:
            raise MistakeError(f"lockup: a fault in a fault's handler at {self.pc:#x}")
        self._enter(HARD_FAULT, self.pc)

    def _interrupted(self, uc: Uc, number: int, data: Any) -> None:
        if number == EXCEPTION_RETURN:
            self._returns = True
        elif number == NO_CODE_THERE:
            self._fault = (IACCVIOL, 0)
        else:
            raise MistakeError(f"exception {number} of unicorn's, which is not modelled")
        uc.emu_stop()

    def _nothing_there(
        self, uc: Uc, access: int, address: int, size: int, value: int, data: Any
    ) -> bool:
        fetch = address == uc.reg_read(UC_ARM_REG_PC)
        self._fault = (IACCVIOL, 0) if fetch else (PRECISERR | BFARVALID, address)
        return False

    def _at_wfi(self, uc: Uc, address: int, size: int, data: Any) -> None:
        self._wfi_at = address

    def tick(self) -> None:
        """The owner's time went on: SysTick may have gone round."""
        self._systick.tick()

    def systick_due_ns(self) -> int | None:
        """When it goes round next and asks for its exception; None: not."""
        return self._systick.due_ns()

    def cycles(self) -> int:
        """Of the cycle counter, which a sleep stops [C1.8.1]."""
        elapsed = self._now_ns() - self.slept_ns - self._counts_from_ns
        return int(elapsed * self._hz() / NS_PER_S)

    def read(self, address: int) -> int | None:
        """None: not modelled."""
        if address == DWT_CYCCNT:
            counts = self.reg[DEMCR] >> 24 & 1 and self.reg[DWT_CTRL] & 1
            return self.cycles() & 0xFFFFFFFF if counts else 0
        if address in systick.REGISTERS:
            return self._systick.read(address)
        if address == ICSR:
            return (self.active[-1] if self.active else 0) | (SYSTICK in self._pending) << 26
        if ISER <= address < ISER + 12 or ICER <= address < ICER + 12:
            return self._bits(self._enabled, address & 0x1F)
        return self.reg.get(address)

    def write(self, address: int, size: int, value: int) -> bool:
        """False: not modelled. Raises ResetError."""
        if address == AIRCR and value == RESET:
            raise ResetError("software")
        if address == DWT_CYCCNT:
            self._counts_from_ns = self._now_ns() - self.slept_ns
        elif address in systick.REGISTERS:
            return self._systick.write(address, value)
        elif address == ICSR:
            self._pending -= {SYSTICK} if value >> 25 & 1 else set()
            self._pending |= {SYSTICK} if value >> 26 & 1 else set()
        elif ISER <= address < ICPR + 12 and address & 0x7F < 12:
            self._write_nvic(address, value)
        elif IPR <= address < IPR + 96 or SHPR <= address < SHPR + 12:
            first = address - IPR + IRQ0 if address < SHPR else address - SHPR + 4
            for i in range(size):
                self._priority[first + i] = value >> 8 * i & self._priority_mask
        elif address in (CFSR, HFSR):
            self.reg[address] &= ~value
        elif address in KEPT:
            self.reg[address] = value
        else:
            return False
        return True

    def _write_nvic(self, address: int, value: int) -> None:
        first = IRQ0 + 8 * (address & 0x1F)
        named = {first + bit for bit in range(32) if value >> bit & 1}
        register = address & ~0x7F
        if register in (ISER, ICER):
            self._enabled = self._enabled | named if register == ISER else self._enabled - named
        else:
            self._pending = self._pending | named if register == ISPR else self._pending - named

    @staticmethod
    def _bits(numbers: set[int], offset: int) -> int:
        first = IRQ0 + 8 * offset
        return sum(1 << n - first for n in numbers if first <= n < first + 32)
