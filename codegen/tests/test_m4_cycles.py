"""The model of the Cortex-M4: each rule on a handful of instructions, by hand, with its source.

TRM: Arm's Cortex-M4 Technical Reference Manual r0p1 (100166). RM0090: ST's reference manual of the
STM32F405.
"""

from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

from einthoven.codegen.engine import reader
from einthoven.codegen.engine.lower import lower
from einthoven.codegen.testing import bare_target, published_cycles
from einthoven.codegen.testing.counted_steps import first_counted
from einthoven.codegen.testing.m4_cycles import (
    F405_168_MHZ,
    FLASH,
    NO_WAITS,
    Kind,
    Memory,
    Steps,
    cycles,
)
from einthoven.codegen.testing.m4_decode import instruction, instructions
from einthoven.codegen.testing.random_models import noise, residual_model
from einthoven.errors import BuildError

RAM = 0x20000000
WAITS = F405_168_MHZ.wait_states
NARROW, WIDE = "adds r0, #1", "add.w r0, r0, #1"


def steps(*program: str | int, data: int | list[int] = RAM) -> Steps:
    """Instructions of two bytes, or four with .w, in flash; a number is where the next one lies.

    Loads and stores go to `data`, or to one address of it after the other; 0: the condition of the
    instruction did not hold.
    """
    code, address, touched = [], [], []
    places = iter(data) if isinstance(data, list) else None
    at = FLASH.start
    for line in program:
        if isinstance(line, int):
            at = FLASH.start + line
            continue
        name, _, operands = line.partition(" ")
        code.append(instruction(name, operands, 4 if name.endswith(".w") else 2))
        moves = Kind.LOAD <= code[-1].kind <= Kind.MULTIPLE
        touched.append(0 if not moves else next(places) if places else data)
        address.append(at)
        at += code[-1].bytes
    return Steps(code, np.arange(len(code)), np.array(address), np.array(touched))


def spent(*program: str | int, memory: Memory = NO_WAITS, data: int | list[int] = RAM) -> int:
    return int(cycles(steps(*program, data=data), memory).sum())


@pytest.mark.parametrize(
    ("program", "expected"),
    [
        # TRM, table 3-1: one cycle, multiplications with 64-bit sums and DSP instructions, too
        (["mov r0, r1", "mul r0, r1", "smlal.w r0, r1, r2, r3", "smlad.w r0, r1, r2, r3"], 4),
        (["udiv.w r0, r1, r2"], 7),  # 2 to 12
        # TRM, table 3-1: 1 + N
        (["ldmia.w r0!, {r4-r7}"], 5),
        (["push {r4, r5, r6, r7, lr}"], 6),
        (["ldrd.w r0, r1, [r2]"], 3),
        (["strd.w r0, r1, [r2, #8]"], 3),
        # TRM, section 3.3.3: loads are pipelined; its four examples
        (["ldr r0, [r1]"], 2),
        (["ldr r0, [r1]", "ldr r1, [r2]"], 3),
        (["ldr r0, [r1, r2]", "str r0, [r3, #20]"], 3),
        (["ldr r0, [r1, r2]", "str r1, [r3, r2]"], 3),
        (["ldr r0, [r1, r5]", "ldr r1, [r2]", "ldr r2, [r3, #4]"], 4),
        # the same: not if the address is what was loaded
        (["ldr r0, [r1]", "ldr r2, [r0]"], 4),
        # the same: STR with a constant is one cycle; with a register nothing is pipelined behind it
        (["str r0, [r1, #4]", "str r0, [r1, #8]"], 2),
        (["str r0, [r1, r2]"], 2),
        (["str r0, [r1, r2]", "ldr r0, [r3]"], 4),
        # the same: LDRD and LDM are pipelined with neither neighbour
        (["ldr r0, [r1]", "ldmia r2!, {r3, r4}", "ldr r0, [r1]"], 2 + 3 + 2),
        # the same: no forwarding from data processing to an address
        (["udiv.w r1, r2, r3", "ldr r0, [r1]"], 7 + 3),
        (["adds r1, #4", "ldr r0, [r1]"], 4),
        (["adds r1, #4", "movs r2, #0", "ldr r0, [r1]"], 4),
        # TRM, table 3-1, note d: IT is folded onto 16 bits in front of it
        ([NARROW, "it eq", "moveq r0, r1"], 2),
        ([WIDE, "it eq", "moveq r0, r1"], 3),
        # TRM, table 3-1: 1, or 1 + P if taken; measured: https://compendium.i-0.nl, "Branch timing"
        (["bne 10"], 1),
        (["bne 10", 0x10, NARROW], 2 + 1),
        (["bne 10", 0x12, NARROW], 2 + 1),
        (["bne 10", 0x10, WIDE], 2 + 1),
        (["bne 12", 0x12, WIDE], 3 + 1),
        (["cbz r0, 10", 0x10, NARROW], 2 + 1),
        (["bx lr", 0x10, NARROW], 3 + 1),
        (["mov pc, r0", 0x10, NARROW], 3 + 1),
        # TRM, table 3-1, and section 3.3.3: LDR PC takes five, TBB six
        (["ldr pc, [r0]", 0x10, NARROW], 5 + 1),
        (["tbb [pc, r0]", 0x10, NARROW], 6 + 1),
        (["pop {r4, pc}", 0x10, NARROW], 1 + 2 + 3 + 1),
    ],
)
def test_core(program: list[str | int], expected: int) -> None:
    assert spent(*program) == expected


def test_what_a_condition_holds_back_takes_one_cycle() -> None:
    assert spent("it eq", "ldreq r0, [r1]", data=0) == 2
    assert spent("it eq", "ldmeq.w r0, {r1, r2, r3}", data=0) == 2


@pytest.mark.parametrize(
    ("line", "cycles_by_offset"),
    [
        ("ldr r0, [r1]", [2, 4, 3, 4]),
        ("ldrh r0, [r1]", [2, 3, 2, 3]),
        ("ldrsb.w r0, [r1]", [2, 2, 2, 2]),
        ("str r0, [r1]", [1, 3, 2, 3]),
        ("strb r0, [r1]", [1, 1, 1, 1]),
    ],
)
def test_what_is_not_aligned(line: str, cycles_by_offset: list[int]) -> None:
    """TRM, section 3.3.3: one cycle more as two halves or bytes, two as byte, half and byte."""
    assert [spent(line, data=RAM + i) for i in range(4)] == cycles_by_offset


@pytest.mark.parametrize(
    ("at", "first", "expected"), [(4, "add r0, r2", 16), (6, "mul.w r0, r0, r2", 18)]
)
def test_loops_that_were_measured(at: int, first: str, expected: int) -> None:
    """https://compendium.i-0.nl, "Branch timing", without the return: 16 and 19 cycles for three
    turns, of which each begins at a narrow instruction, or at a wide one that is not aligned."""
    turn: list[str | int] = [at, first, "sub.w r1, r1, #1", "cmp r1, #0", f"bne {at}"]
    start = at - 4
    assert spent(start, "mov r2, r0", "movs r0, #1", *turn, *turn, *turn) == expected


LINE = 16
"""Bytes: four wide instructions, eight narrow ones (RM0090, section 3.5.2)."""


def stalled(*program: str | int, data: int | list[int] = RAM) -> int:
    return spent(*program, memory=F405_168_MHZ, data=data) - spent(*program, data=data)


def test_the_next_line_is_read_ahead() -> None:
    """Eight cycles in a line hide a read of six, four do not; nothing hides the first."""
    assert stalled(*[NARROW] * 8) == WAITS
    assert stalled(*[NARROW] * 24) == WAITS
    assert stalled(*[WIDE] * 12) == WAITS + 2 * (1 + WAITS - 4)
    assert stalled(*[WIDE] * 12, data=RAM) == stalled(*[WIDE] * 12, data=FLASH.start)


def test_lines_that_were_waited_for_are_kept() -> None:
    """64 of them; one line more, and the oldest is gone whenever it comes to it again."""

    def turns(count: int, lines: int) -> list[str | int]:
        return [0, *[WIDE] * (4 * lines - 1), "b.w 0"] * count

    for lines in (2, 3, 64):
        assert stalled(*turns(1, lines)) == stalled(*turns(3, lines))
    one, three = (stalled(*turns(count, 65)) for count in (1, 3))
    assert three >= 3 * one


def test_a_jump_waits_for_a_read_that_has_begun() -> None:
    """The line behind the first begins to be read when that has come: a cycle later it is asked
    for another, and the read is not broken off."""
    assert stalled("b 100", 0x100, NARROW) == WAITS + (1 + WAITS) - 1 + WAITS


def test_data_in_flash() -> None:
    """Eight lines are kept. Code is read from RAM here, to see data alone."""
    code_in_ram = (range(FLASH.start, FLASH.start + 0x1000),)
    memory = Memory(WAITS, code_in_ram)
    at = FLASH.start + 0x10000

    def waited(*places: int) -> int:
        loads = [f"ldr r{i % 4}, [r7]" for i in range(len(places))]
        with_waits = spent(*loads, memory=memory, data=list(places))
        return with_waits - spent(*loads, data=list(places))

    assert waited(at) == waited(at, at + 12) == WAITS
    assert waited(RAM) == 0
    eight = [at + LINE * i for i in range(8)]
    assert waited(*eight, *eight) == waited(*eight)
    nine = [*eight, at + LINE * 8]
    assert waited(*nine, *nine) == 2 * waited(*nine)
    across = spent("ldmia.w r0!, {r4-r7}", memory=memory, data=at + 8)
    assert across == 5 + WAITS + (1 + WAITS)
    assert spent("str r0, [r1]", memory=memory, data=at) == 1
    assert spent("ldrb r0, [r1]", memory=memory, data=at + LINE - 1) == 2 + WAITS


def test_parts_in_ram_do_not_wait() -> None:
    everything = Memory(WAITS, (range(FLASH.start, FLASH.stop),))
    assert spent(*[WIDE] * 12, memory=everything) == 12
    assert spent(*[WIDE] * 12, memory=Memory(0)) == 12


def test_decoding() -> None:
    listing = """
 8000010:\te8b0 00f0 \tldmia.w\tr0!, {r4, r5, r6, r7}
 8000014:\te92d 4ff0 \tstmdb\tsp!, {r4, r5, r6, r7, r8, r9, sl, fp, lr}
 8000018:\tf85d 4b04 \tldr.w\tr4, [sp], #4
 800001c:\tfb81 2300 \tsmull\tr2, r3, r1, r0
 8000020:\t4b02      \tldr\tr3, [pc, #8]\t@ (800002c <x+0x1c>)
 8000022:\td0fb      \tbeq.n\t800001c <x+0xc>
 8000024:\t428b      \tcmp\tr3, r1
 8000026:\t4770      \tbx\tlr
 8000028:\t40000024 \t.word\t0x40000024
"""
    found = dict(instructions(listing.splitlines()))
    assert [i.kind for i in found.values()] == [
        Kind.MULTIPLE, Kind.MULTIPLE, Kind.LOAD, Kind.DATA, Kind.LOAD, Kind.BRANCH, Kind.DATA,
        Kind.BRANCH_TO_REGISTER,
    ]  # fmt: skip
    assert list(found) == [0x08000010 + i for i in (0, 4, 8, 12, 16, 18, 20, 22)]
    ldm, stm, pop, smull, literal, _, cmp, _ = found.values()
    assert (ldm.accesses, ldm.writes, ldm.address_from) == (4, 0xF0, 1)
    assert (stm.accesses, stm.writes, stm.address_from) == (9, 0, 1 << 13)
    assert (pop.writes, pop.address_from) == (1 << 4, 1 << 13)
    assert (smull.writes, literal.writes, literal.address_from, cmp.writes) == (0xC, 8, 1 << 15, 0)
    with pytest.raises(BuildError, match=r"no timing for vadd\.f32"):
        instruction("vadd.f32", "s0, s0, s1", 4)


def test_every_instruction_that_the_chip_counts_is_traced(tmp_path: Path) -> None:
    """Independent of each other: the plugin's steps, and a counter on the emulated chip."""
    graph = lower(reader.parse(residual_model(4)))
    inputs = [noise((t.length, t.channels), 4, i) for i, t in enumerate(graph.inputs)]
    result = bare_target.run(graph, inputs, "m4", tmp_path)
    taken = first_counted(tmp_path / "bare.elf")
    assert len(taken) == result.instructions[0]
    core, flash = (int(cycles(taken, m).sum()) for m in (NO_WAITS, F405_168_MHZ))
    assert 1.2 * len(taken) < core < flash < 3 * len(taken)


def test_published_cycles(tmp_path: Path) -> None:
    """Within what docs/performance.md, "Cycles", says; so are two rounds more."""
    encryption = {n: published_cycles.encryption(n, tmp_path / str(n)) for n in (10, 12, 14)}
    for of in published_cycles.PUBLISHED:
        assert encryption[of.rounds].cycles(of) == pytest.approx(of.cycles, rel=0.07)
    for few, more in pairwise(published_cycles.PUBLISHED[1:]):
        if few.wait_states == more.wait_states:
            found = encryption[more.rounds].cycles(more) - encryption[few.rounds].cycles(few)
            assert found == pytest.approx(more.cycles - few.cycles, rel=0.07)
