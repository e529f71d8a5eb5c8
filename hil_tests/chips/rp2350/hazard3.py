"""A Hazard3: its traps, which unicorn leaves out, and its own registers, which it does not know.

RP2350's data sheet, 3.8: 3.8.4.2 traps, 3.8.6.1 the interrupt controller, 3.8.9 counters. unicorn
runs rv32imac in machine mode. Instructions that touch a CSR of Hazard3's or a counter are found in
the image's functions and done here; those of Zba, Zbb and Zbkb are illegal to unicorn, and `value`
of `bit_manipulation` does them. As that is slow, a function's code is replaced in the emulator's
memory by jumps to the same in rv32i, behind the chip's memory; whenever the image's functions are
read or written as data, as by its check of memory, they lie there as they are, until the core
sleeps next. An interrupt is taken where the firmware lets it be: when it unmasks them, sleeps,
returns from a handler, spins or asks for the time. Not modelled: priorities, WFI's power states,
cycles.
"""

import struct
from typing import Any

from unicorn import (
    UC_HOOK_CODE,
    UC_HOOK_INTR,
    UC_HOOK_MEM_INVALID,
    UC_HOOK_MEM_READ,
    UC_HOOK_MEM_WRITE,
    UC_MEM_FETCH_PROT,
    UC_MEM_FETCH_UNMAPPED,
    UC_MEM_WRITE_PROT,
    UC_MEM_WRITE_UNMAPPED,
    UC_PROT_EXEC,
    UC_PROT_READ,
    Uc,
    UcError,
)
from unicorn.riscv_const import (
    UC_RISCV_REG_MCAUSE,
    UC_RISCV_REG_MEPC,
    UC_RISCV_REG_MIE,
    UC_RISCV_REG_MSTATUS,
    UC_RISCV_REG_MTVAL,
    UC_RISCV_REG_MTVEC,
    UC_RISCV_REG_PC,
    UC_RISCV_REG_X0,
)

from einthoven.hil_tests.chips import NS_PER_S
from einthoven.hil_tests.chips.rp.block import Stop
from einthoven.hil_tests.chips.rp.cortex_m import Board
from einthoven.hil_tests.chips.rp2350 import bit_manipulation as bits

MEIEA, MEINEXT, MCOUNTINHIBIT, MCYCLE, MSTATUS = 0xBE0, 0xBE4, 0x320, 0xB00, 0x300
PMPCFG0, PMPADDR0 = 0x3A0, 0x3B0
OURS = (MEIEA, MEINEXT, MCOUNTINHIBIT, MCYCLE, PMPCFG0, PMPADDR0)
LOCKED_NAPOT = 0x98
"""Of a region whose permissions, none, hold for machine mode, too [3.8.3.2]."""
WINDOW = range(0x14000000, 0x20000000)
"""The flash's, behind what is mapped to it: no fault is promised there [4.4.1]."""
NONE = 1 << 31
"""MEINEXT's where no line waits."""
MIE, MPIE, MPP, EXTERNAL = 1 << 3, 1 << 7, 3 << 11, 11
ILLEGAL, FETCH_FAULT, LOAD_FAULT, STORE_FAULT = 2, 1, 5, 7
SPINS = (0xA001, 0x0000006F)
"""C.J and JAL to themselves."""
ROOM = 0x10000
"""Bytes for the replacements of a memory's instructions."""
GAP = 16
"""Between functions of one piece of memory."""
Function = tuple[int, bytes]
"""Where it runs, and its code."""


class Hazard3:
    """`waits`: where the firmware may wait for an interrupt, awake; `behind`: for each memory that
    functions run from, where the replacements of their instructions may lie, `memory`: what it is
    made of. (unicorn 2.1.1 crashes on a mem_write() to memory that is not written by the program,
    out of a hook for memory; what is mapped from here can be written without it.)
    """

    def __init__(
        self,
        uc: Uc,
        board: Board,
        stop: Stop,
        functions: list[Function],
        waits: list[range],
        behind: dict[range, int],
        memory: dict[range, memoryview],
    ) -> None:
        self._uc, self._board, self._stop = uc, board, stop
        self._fault: tuple[int, int] | None = None
        self._whole: list[tuple[int, bytes, bytes]] = []
        """Place, the image's instruction, the jump that replaces it."""
        self._shown: list[tuple[int, bytes]] | None = None
        """What is replaced now: place, and the image's instruction. None: nothing."""
        self._room, self._memory = dict(behind), memory
        self.spins = False
        for begin in behind.values():
            uc.mem_map(begin, ROOM, UC_PROT_READ | UC_PROT_EXEC)
        uc.hook_add(UC_HOOK_INTR, self._exception)
        uc.hook_add(UC_HOOK_MEM_INVALID, self._invalid)
        for part in waits:
            self._hook(self._window, part.start)
        for begin, code in functions:
            self._look_at(begin, code)
        for begin, end in _pieces(functions):
            kinds = UC_HOOK_MEM_READ | UC_HOOK_MEM_WRITE
            uc.hook_add(kinds, self._looked_at, None, begin, end - 1)
        self.reset()

    def _hook(self, call: Any, place: int, data: Any = None) -> None:
        self._uc.hook_add(UC_HOOK_CODE, call, data, place, place)

    def _look_at(self, begin: int, code: bytes) -> None:
        """Instruction by instruction; a function holds nothing else."""
        at = 0
        while at + 2 <= len(code):
            size = 4 if code[at] & 3 == 3 else 2
            word = int.from_bytes(code[at : at + size], "little")
            place = begin + at
            at += size
            if word in SPINS:
                self._hook(self._spin, place)
            elif word & 0x7F == 0x73 and word >> 12 & 3:
                if word >> 20 in OURS:
                    self._hook(self._own_register, place, word)
                elif word >> 20 == MSTATUS:
                    self._hook(self._window, place + 4)
            elif size == 4 and (operation := bits.decode(word)):
                self._replace(place, word, operation)

    def _replace(self, place: int, word: int, operation: bits.Operation) -> None:
        same = bits.replacement(operation)
        if same is None:
            return
        (memory,) = (memory for memory in self._room if place in memory)
        there = self._room[memory]
        same.append(bits.jump(place + 4 - there - 4 * len(same)))
        self._uc.mem_write(there, struct.pack(f"<{len(same)}I", *same))
        self._room[memory] += 4 * len(same)
        self._whole.append(
            (place, struct.pack("<I", word), struct.pack("<I", bits.jump(there - place)))
        )

    def reset(self) -> None:
        """As after a reset of the core."""
        self._show_whole()
        self.enabled = 0
        self.inhibited = 5
        self.taken = 0
        """Interrupts, so far."""
        for register in (UC_RISCV_REG_MSTATUS, UC_RISCV_REG_MIE, UC_RISCV_REG_MTVEC):
            self._uc.reg_write(register, 0)
        self._cycles_from_ns = 0
        self._guard = 0
        self.guarded = range(0)
        """By the first region of the PMP, from everybody."""

    def start(self, entry: int) -> None:
        """As the boot ROM leaves it: no stack [5.9.5.2]."""
        self._uc.reg_write(UC_RISCV_REG_X0 + 2, 0xF0000000)
        self.pc = entry

    @property
    def masked(self) -> bool:
        """MSTATUS.MIE, as in a handler."""
        return not self._uc.reg_read(UC_RISCV_REG_MSTATUS) & MIE

    def _next_line(self) -> int | None:
        for line in self._board.lines():
            if self.enabled >> line & 1:
                return line
        return None

    def pending(self) -> int | None:
        """The interrupt to be taken next."""
        line = self._next_line()
        return line if self._uc.reg_read(UC_RISCV_REG_MIE) >> EXTERNAL & 1 else None

    def event_ns(self) -> int | None:
        """Of a clock of its own: it has none that interrupts."""
        return None

    def run(self) -> None:
        """Until the core sleeps or spins, or the chip says that it ends."""
        self._show_replaced()
        while True:
            self.spins = False
            self._uc.reg_write(UC_RISCV_REG_PC, self.pc)
            self._window(self._uc, self.pc, 0, None)
            try:
                self._uc.emu_start(self._uc.reg_read(UC_RISCV_REG_PC), 0)
            except UcError:
                if self._fault is None:
                    raise
            self.pc = self._uc.reg_read(UC_RISCV_REG_PC)
            if self._board.ends() or self._fault is None:
                return
            cause, value = self._fault
            self._fault = None
            self._trap(cause, self.pc, value)
            self.pc = self._uc.reg_read(UC_RISCV_REG_PC)

    def _window(self, uc: Uc, address: int, size: int, data: Any) -> None:
        if self.pending() is not None and not self.masked:
            self.taken += 1
            self._trap(NONE | EXTERNAL, address, 0)

    def _spin(self, uc: Uc, address: int, size: int, data: Any) -> None:
        if self.pending() is not None and not self.masked:
            self._window(uc, address, size, data)
        else:
            self.spins = True
            uc.emu_stop()

    def _trap(self, cause: int, back: int, value: int) -> None:
        """Of an interrupt by its number, of everything else at the table's begin [3.8.4.2]."""
        uc = self._uc
        status = uc.reg_read(UC_RISCV_REG_MSTATUS)
        uc.reg_write(
            UC_RISCV_REG_MSTATUS, status & ~(MIE | MPIE) | MPP | (MPIE if status & MIE else 0)
        )
        uc.reg_write(UC_RISCV_REG_MEPC, back)
        uc.reg_write(UC_RISCV_REG_MCAUSE, cause)
        uc.reg_write(UC_RISCV_REG_MTVAL, value)
        table = uc.reg_read(UC_RISCV_REG_MTVEC)
        if table & 3 != 1 or table & ~3 & 0x3F:
            self._stop(f"a trap, and MTVEC is {table:#x}")
        number = cause & 0xFF if cause & NONE else 0
        uc.reg_write(UC_RISCV_REG_PC, (table & ~3) + 4 * number)

    def _exception(self, uc: Uc, number: int, data: Any) -> None:
        """unicorn has gone past the instruction by then."""
        if number != ILLEGAL:
            cause = {FETCH_FAULT: FETCH_FAULT, LOAD_FAULT: LOAD_FAULT, STORE_FAULT: STORE_FAULT}
            self._fault = self._fault or (cause.get(number, number), 0)
            uc.emu_stop()
            return
        place = uc.reg_read(UC_RISCV_REG_PC) - 4
        word = int.from_bytes(uc.mem_read(place, 4), "little")
        operation = bits.decode(word)
        if operation is None:
            uc.reg_write(UC_RISCV_REG_PC, place)
            self._fault = ILLEGAL, 0
            uc.emu_stop()
            return
        second = operation.rs2
        if operation.name != "rori":
            second = uc.reg_read(UC_RISCV_REG_X0 + operation.rs2)
        first = uc.reg_read(UC_RISCV_REG_X0 + operation.rs1)
        if operation.rd:
            uc.reg_write(UC_RISCV_REG_X0 + operation.rd, bits.value(operation, first, second))

    def _invalid(self, uc: Uc, kind: int, address: int, size: int, value: int, data: Any) -> bool:
        if why := self._board.forbidden(address):
            self._stop(why)
        if kind in (UC_MEM_FETCH_UNMAPPED, UC_MEM_FETCH_PROT):
            self._fault = FETCH_FAULT, 0
        else:
            if address in WINDOW and address not in self.guarded:
                self._stop(f"{address:#x} is touched, which may be no fault")
            written = kind in (UC_MEM_WRITE_UNMAPPED, UC_MEM_WRITE_PROT)
            self._fault = STORE_FAULT if written else LOAD_FAULT, 0
        return False

    def _own_register(self, uc: Uc, address: int, size: int, word: int) -> None:
        """CSRRW, CSRRS, CSRRC and their forms with a constant."""
        number, kind, source = word >> 20, word >> 12 & 7, word >> 15 & 31
        operand = source if kind & 4 else uc.reg_read(UC_RISCV_REG_X0 + source)
        before = self._register(number, operand)
        rd = word >> 7 & 31
        if rd:
            uc.reg_write(UC_RISCV_REG_X0 + rd, before)
        if kind & 3 == 1 or source:
            self._set_register(number, kind & 3, operand)
        uc.reg_write(UC_RISCV_REG_PC, address + 4)

    def _register(self, number: int, operand: int) -> int:
        if number == MEINEXT:
            line = self._next_line()
            return NONE if line is None else line << 2
        if number == MEIEA:
            return (self.enabled >> 16 * (operand & 31) & 0xFFFF) << 16
        if number == MCOUNTINHIBIT:
            return self.inhibited
        passed = self._board.ns - self._cycles_from_ns
        return int(passed * self._board.core_hz() / NS_PER_S) & 0xFFFFFFFF

    def _set_register(self, number: int, kind: int, operand: int) -> None:
        if number == MEIEA:
            place = 16 * (operand & 31)
            wanted = operand >> 16 << place
            before = self.enabled & ~(0xFFFF << place) if kind == 1 else self.enabled
            self.enabled = before & ~wanted if kind == 3 else before | wanted
        elif number == PMPADDR0 and kind == 1 and not self.guarded:
            self._guard = operand | 7  # the grain is 32 bytes [3.8.3.1]
        elif number == PMPCFG0 and kind == 1 and operand == LOCKED_NAPOT and not self.guarded:
            words = (self._guard ^ self._guard + 1) + 1
            begin = 4 * (self._guard & ~(words - 1))
            self.guarded = range(begin, begin + 4 * words)
        elif number == MCOUNTINHIBIT and kind == 1:
            if self.inhibited & 1 and not operand & 1:
                self._cycles_from_ns = self._board.ns
            self.inhibited = operand & 5
        else:
            self._stop(f"CSR {number:#x} is written")

    def _looked_at(self, uc: Uc, kind: int, address: int, size: int, value: int, data: Any) -> None:
        self._show_whole()

    def _show_whole(self) -> None:
        """As the image has it."""
        for place, word in self._shown or ():
            self._put(place, word)
        self._shown = None

    def _put(self, place: int, word: bytes) -> None:
        for where, content in self._memory.items():
            if place in where:
                content[place - where.start : place - where.start + 4] = word

    def _show_replaced(self) -> None:
        """As the emulator runs it fast, where the image's instruction is there to be replaced."""
        if self._shown is not None:
            return
        self._shown = []
        for place, word, instead in self._whole:
            if bytes(self._uc.mem_read(place, 4)) == word:
                self._put(place, instead)
                self._uc.ctl_remove_cache(place, place + 4)
                self._shown.append((place, word))


def _pieces(functions: list[Function]) -> list[tuple[int, int]]:
    """Begin and end of what functions take without others between."""
    found: list[tuple[int, int]] = []
    for begin, code in sorted(functions):
        if found and begin - found[-1][1] < GAP:
            found[-1] = found[-1][0], max(found[-1][1], begin + len(code))
        else:
            found.append((begin, begin + len(code)))
    return found
