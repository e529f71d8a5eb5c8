"""Cycles of a Cortex-M4 for a trace of executed instructions: a model, not a measurement.

Pure functions: steps in, cycles of each step out. The core is Arm's Technical Reference Manual,
r0p1 (100166): table 3-1, "Cortex-M4 instruction set summary", and section 3.3.3, "Load/store
timings"; the flash of an STM32F405 is ST's RM0090, section 3.5. What these leave open, and how it
is decided here:

- P, the cycles that refill the pipeline, is "1 to 3 depending on the alignment and width of the
  target, and whether the processor manages to speculate the address early". A branch whose
  address is in the instruction is speculated: 1. One from a register is not: 2. A loaded one comes
  when the load has ended: 3 (section 3.3.3: LDR PC takes five cycles, TBB six). A target of four
  bytes that is not aligned to four costs one more, up to 3. The first and the last are as measured
  on silicon (https://compendium.i-0.nl, "Branch timing").
- A division takes 2 to 12 cycles by its operands, which a trace does not have: 7.
- Of the flash accelerator ST says what it holds, not when its reads begin: see `flash_stalls`.

Not modelled: interrupts, other bus masters, the floating-point unit, and stalls for which no rule
is published (three or more wide instructions in a row that are not aligned were seen to take a
cycle more). How far all this is off is in docs/performance.md, "Cycles".
"""

from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass
from enum import IntEnum, auto

import numpy as np
from numpy.typing import NDArray

FLASH = range(0x08000000, 0x10000000)
"""Where an STM32F4's flash lies."""
LINE_BYTES = 16
"""What a read of the flash brings: 128 bits (RM0090, section 3.5.2)."""
INSTRUCTION_LINES, DATA_LINES = 64, 8
"""What the accelerator keeps of it."""
PC = 1 << 15
DIVISION_CYCLES = 7

Int = NDArray[np.int64]


class Kind(IntEnum):
    """What the timings tell apart."""

    DATA = auto()
    """Data processing, and all else that takes one cycle."""
    DIVIDE = auto()
    LOAD = auto()
    STORE = auto()
    """Of one register, at a base with a constant."""
    STORE_AT_INDEX = auto()
    """The same at a base with a register."""
    MULTIPLE = auto()
    """Loads and stores of more: LDM, STM, PUSH, POP, LDRD, STRD."""
    BRANCH = auto()
    BRANCH_TO_REGISTER = auto()
    TABLE_BRANCH = auto()
    IT = auto()


@dataclass(frozen=True)
class Instruction:
    """`writes`, `address_from`: bit r for register r; of a store, what it writes is empty."""

    kind: Kind
    bytes: int
    accesses: int = 0
    """How many it makes to memory, of `access_bytes` each."""
    access_bytes: int = 4
    writes: int = 0
    address_from: int = 0


@dataclass(frozen=True)
class Steps:
    """Executed instructions, in order.

    `code[index[i]]` was executed at `address[i]`; `data[i]` is the first address that it loaded
    from or stored to, 0 if it did neither.
    """

    code: Sequence[Instruction]
    index: Int
    address: Int
    data: Int

    def __len__(self) -> int:
        return len(self.index)

    def __getitem__(self, part: slice) -> "Steps":
        return Steps(self.code, self.index[part], self.address[part], self.data[part])


@dataclass(frozen=True)
class Memory:
    """What code and constants are read from.

    `wait_states` of the flash, with its accelerator on (prefetch, both caches). `in_ram`: parts of
    the flash's addresses that lie in RAM instead, without wait states.
    """

    wait_states: int
    in_ram: tuple[range, ...] = ()

    def waits(self, addresses: Int) -> NDArray[np.bool_]:
        """Which of them the flash serves."""
        served = (addresses >= FLASH.start) & (addresses < FLASH.stop)
        for part in self.in_ram:
            served &= (addresses < part.start) | (addresses >= part.stop)
        return served


NO_WAITS = Memory(0)
"""Flash up to 30 MHz at 2.7 to 3.6 V (RM0090, table 10), or all in RAM."""
F405_168_MHZ = Memory(5)
"""The same table at 168 MHz, as `boards/stm32f4/clock.c` sets it."""


def cycles(steps: Steps, memory: Memory) -> Int:
    """Cycles of each step."""
    core = core_cycles(steps)
    return core if memory.wait_states == 0 else core + flash_stalls(steps, core, memory)


def core_cycles(steps: Steps) -> Int:
    """The same without wait states."""
    kind, size, accesses, access_bytes, writes, base = _columns(
        steps, "kind", "bytes", "accesses", "access_bytes", "writes", "address_from"
    )
    # A condition that does not hold: one cycle, whatever it would have been.
    kind = np.where((accesses > 0) & (steps.data == 0), Kind.DATA, kind)
    transfers = (kind >= Kind.LOAD) & (kind <= Kind.MULTIPLE)
    kind_before, size_before, writes_before = (_before(a) for a in (kind, size, writes))
    after_load = (kind_before == Kind.LOAD) & (writes_before & base == 0)

    spent = np.ones(len(steps), dtype=np.int64)
    spent[kind == Kind.DIVIDE] = DIVISION_CYCLES
    pipelined = (kind == Kind.LOAD) | (kind == Kind.STORE_AT_INDEX)
    spent[pipelined & ~after_load] = 2
    multiple = kind == Kind.MULTIPLE
    spent[multiple] = 1 + accesses[multiple]
    spent[kind == Kind.TABLE_BRANCH] = 3
    # "An IT instruction can be folded onto a preceding 16-bit instruction": table 3-1, note d.
    spent[(kind == Kind.IT) & (size_before == 2)] = 0

    # "There is no forwarding path": an address from what was computed just before.
    spent[transfers & (kind_before <= Kind.DIVIDE) & (writes_before & base != 0)] += 1
    # What is not aligned is made of accesses that are: two halves, or byte, half, byte.
    odd = np.where(transfers, steps.data % access_bytes, 0)
    spent += np.where(odd % 2 == 1, access_bytes // 2, odd // 2)
    return spent + _refills(steps, kind, size, writes)


def _columns(steps: Steps, *names: str) -> list[Int]:
    """A field of each step's instruction."""
    return [
        np.array([getattr(i, name) for i in steps.code], dtype=np.int64)[steps.index]
        for name in names
    ]


def _before(values: Int) -> Int:
    """Each step's predecessor's value; 0 for the first."""
    return np.concatenate([[0], values[:-1]]) if len(values) else values


def _refills(steps: Steps, kind: Int, size: Int, writes: Int) -> Int:
    """P of each step that was followed by another than the next instruction."""
    taken = np.zeros(len(steps), dtype=bool)
    taken[:-1] = steps.address[1:] != (steps.address + size)[:-1]
    refill = np.where(kind == Kind.BRANCH, 1, 2)
    loaded = ((kind == Kind.LOAD) | (kind == Kind.MULTIPLE)) & (writes & PC != 0)
    refill[loaded | (kind == Kind.TABLE_BRANCH)] = 3
    target_size = np.concatenate([size[1:], [0]])
    target = np.concatenate([steps.address[1:], [0]])
    refill += (target_size == 4) & (target % 4 != 0)
    return np.where(taken, np.minimum(refill, 3), 0)


def flash_stalls(steps: Steps, core: Int, memory: Memory) -> Int:
    """Cycles that each step waits for the flash; its accelerator is empty at the first.

    RM0090, section 3.5.2: the flash makes one read of 128 bits at a time, which takes 1 + wait
    states cycles. The line behind the one that instructions come from is read ahead. A line that
    was waited for is kept, the one that was used longest ago goes: 64 of instructions, 8 of data.
    Data have priority. Assumed: no read is broken off, and the next line's read begins as soon as
    the flash is free.
    """
    kind, size, accesses, access_bytes = _columns(
        steps, "kind", "bytes", "accesses", "access_bytes"
    )
    first, last = (a // LINE_BYTES for a in (steps.address, steps.address + size - 1))
    fetches = memory.waits(steps.address) & ((first != _before(last)) | (last != first))
    loads = ((kind == Kind.LOAD) | (kind == Kind.MULTIPLE)) & (steps.data != 0)
    loads &= memory.waits(steps.data)
    events = np.flatnonzero(fetches | loads)
    begins = (np.cumsum(core) - core)[events]
    data = (a // LINE_BYTES for a in (steps.data, steps.data + accesses * access_bytes - 1))

    stalls = np.zeros(len(steps), dtype=np.int64)
    flash, waited = _Flash(1 + memory.wait_states), 0
    columns = (fetches, first, last, loads, *data)
    for i, begin, fetch, line, line_end, load, row, row_end in zip(
        events.tolist(), begins.tolist(), *(c[events].tolist() for c in columns), strict=True
    ):
        now = begin + waited
        if fetch:
            for wanted in range(line, line_end + 1):
                now = flash.fetch(wanted, now)
        if load:
            for wanted in range(row, row_end + 1):
                now = flash.load(wanted, now)
        stalls[i] = now - begin - waited
        waited = now - begin
    return stalls


class _Lines:
    """The lines that were used last."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._lines: OrderedDict[int, None] = OrderedDict()

    def __contains__(self, line: int) -> bool:
        return line in self._lines

    def use(self, line: int) -> bool:
        """Whether it is there; if so, it was used now."""
        if line in self._lines:
            self._lines.move_to_end(line)
            return True
        return False

    def add(self, line: int) -> None:
        self._lines[line] = None
        if len(self._lines) > self._most:
            self._lines.popitem(last=False)


class _Flash:
    """The flash and its accelerator. Requests come in order of time and return when served."""

    def __init__(self, read_cycles: int) -> None:
        self._read_cycles = read_cycles
        self._instructions, self._data = _Lines(INSTRUCTION_LINES), _Lines(DATA_LINES)
        self._current = -1
        """The line that instructions come from."""
        self._ahead, self._ahead_from = -1, -read_cycles
        """The line that is read ahead, and when that read begins if nothing comes between."""
        self._free_from = 0
        """When the reads that were begun, but for the one ahead, have ended."""

    def fetch(self, line: int, now: int) -> int:
        """A line of instructions."""
        served = now
        if line == self._current:
            return served
        if not self._instructions.use(line):
            if line == self._ahead:
                served = max(now, self._ahead_from + self._read_cycles - 1)
            else:
                served = self._read(now)
            if served > now:
                self._instructions.add(line)
        self._current = line
        if line + 1 != self._ahead and line + 1 not in self._instructions:
            self._finish_ahead(served)
            self._ahead, self._ahead_from = line + 1, max(served, self._free_from)
        return served

    def load(self, line: int, now: int) -> int:
        """A line of data."""
        if self._data.use(line):
            return now
        served = self._read(now)
        self._data.add(line)
        return served

    def _read(self, now: int) -> int:
        """A read that is waited for: a request in its last cycle finds it there."""
        self._finish_ahead(now)
        begin = max(now, self._free_from)
        self._free_from = begin + self._read_cycles
        if self._ahead_from >= now:  # not begun: it has to wait
            self._ahead_from = max(self._ahead_from, self._free_from)
        return self._free_from - 1

    def _finish_ahead(self, now: int) -> None:
        """A read ahead that has begun is not broken off."""
        if self._ahead_from < now:
            self._free_from = max(self._free_from, self._ahead_from + self._read_cycles)
