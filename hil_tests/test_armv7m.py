"""Exceptions, sleep, SysTick and faults of the modelled Armv7-M core, by Arm DDI 0403E."""

import struct
import subprocess
from pathlib import Path

import pytest
from unicorn import UC_PROT_EXEC, UC_PROT_READ
from unicorn.arm_const import (
    UC_ARM_REG_LR,
    UC_ARM_REG_PRIMASK,
    UC_ARM_REG_R0,
    UC_ARM_REG_R4,
    UC_ARM_REG_R5,
    UC_ARM_REG_R6,
    UC_ARM_REG_R7,
    UC_ARM_REG_SP,
    UC_ARM_REG_XPSR,
    UC_CPU_ARM_CORTEX_M4,
)

from einthoven.hil_tests.chips import armv7m, systick
from einthoven.hil_tests.chips.armv7m import Core, MistakeError

CODE, RAM, TOP = 0x08000000, 0x20000000, 0x20001000
HZ = 1_000_000
FIRST, SECOND = 1, 2
"""Interrupts."""
HANDLERS = """
.syntax unified
.global main
.thumb
.word 0x20001000, main, 0, hard, 0,0,0,0, 0,0,0,0, 0,0,0, tick
.word 0, first, second
.thumb_func
main: {main}
.thumb_func
hard: {hard}
.thumb_func
tick: adds r7, #1
      bx lr
.thumb_func
first: {first}
.thumb_func
second: adds r6, #1
      mov r0, #99
      bx lr
"""


class Bench:
    """A core with a program, and a time that its owner passes."""

    def __init__(self, folder: Path, **code: str) -> None:
        parts = {"main": "b .", "hard": "b .", "first": "adds r5, #1\nbx lr"} | code
        source, plain = folder / "a.s", folder / "a.bin"
        source.write_text(HANDLERS.format(**parts))
        tool = "arm-none-eabi-"
        linked = folder / "a.elf"
        subprocess.run([f"{tool}as", "-mcpu=cortex-m4", "-o", folder / "a.o", source], check=True)
        subprocess.run(
            [f"{tool}ld", f"-Ttext={CODE:#x}", "-e", "main", "-o", linked, folder / "a.o"],
            check=True,
        )
        subprocess.run([f"{tool}objcopy", "-Obinary", linked, plain], check=True)
        program = plain.read_bytes()
        self.ns = 0
        self.core = Core(
            UC_CPU_ARM_CORTEX_M4, [range(RAM, TOP)], lambda: self.ns, lambda: HZ, priority_bits=4
        )
        self.uc = self.core.uc
        self.uc.mem_map(CODE, 0x1000, UC_PROT_READ | UC_PROT_EXEC)
        self.uc.mem_map(RAM, TOP - RAM)
        self.uc.mem_write(CODE, program)
        self.core.watch_sleeps(CODE, program)
        stack, entry = struct.unpack("<2I", program[:8])
        self.core.reset(stack, entry)
        self.core.write(armv7m.VTOR, 4, CODE)
        for register in (UC_ARM_REG_R4, UC_ARM_REG_R5, UC_ARM_REG_R6, UC_ARM_REG_R7):
            self.uc.reg_write(register, 0)

    def enable(self, *irqs: int) -> None:
        self.core.write(armv7m.ISER, 4, sum(1 << irq for irq in irqs))

    def pend(self, irq: int) -> None:
        self.core.write(armv7m.ISPR, 4, 1 << irq)

    def run(self, times: int = 8) -> None:
        for _ in range(times):
            if not self.core.sleeping:
                self.core.run()

    def register(self, register: int) -> int:
        return int(self.uc.reg_read(register))


@pytest.mark.parametrize("stack", [TOP, TOP - 4])
def test_eight_words_are_stacked_and_come_back(tmp_path: Path, stack: int) -> None:
    """B1.5.7, with the word that aligns the stack to eight bytes told in xPSR."""
    bench = Bench(tmp_path, first="b .")
    core, uc = bench.core, bench.uc
    for i in range(4):
        uc.reg_write(UC_ARM_REG_R0 + i, 10 + i)
    uc.reg_write(UC_ARM_REG_LR, 0x1234)
    uc.reg_write(UC_ARM_REG_SP, stack)
    uc.reg_write(UC_ARM_REG_XPSR, 0xA1000000)
    main = core.pc
    bench.enable(FIRST)
    bench.pend(FIRST)
    core.run()
    frame = bench.register(UC_ARM_REG_SP)
    assert frame == (stack - 32) & ~7
    words = struct.unpack("<8I", uc.mem_read(frame, 32))
    assert words[:4] == (10, 11, 12, 13) and words[5:7] == (0x1234, main)
    assert words[7] == 0xA1000000 | (0x200 if stack & 4 else 0)
    assert bench.register(UC_ARM_REG_LR) == armv7m.TO_THREAD
    assert bench.register(UC_ARM_REG_XPSR) & 0x1FF == 16 + FIRST
    assert core.read(armv7m.ICSR) == 16 + FIRST
    uc.reg_write(UC_ARM_REG_R0, 77)
    core._leave(armv7m.TO_THREAD)
    assert core.pc == main and bench.register(UC_ARM_REG_SP) == stack
    assert bench.register(UC_ARM_REG_R0) == 10 and bench.register(UC_ARM_REG_LR) == 0x1234
    assert bench.register(UC_ARM_REG_XPSR) == 0xA1000000 and core.read(armv7m.ICSR) == 0


def test_a_handler_returns_by_its_link_register_and_by_the_stack(tmp_path: Path) -> None:
    bench = Bench(tmp_path, first="push {r4, lr}\nadds r5, #1\npop {r4, pc}")
    bench.enable(FIRST, SECOND)
    bench.uc.reg_write(UC_ARM_REG_R0, 5)
    bench.pend(FIRST)
    bench.pend(SECOND)
    bench.run()
    assert bench.register(UC_ARM_REG_R5) == bench.register(UC_ARM_REG_R6) == 1
    assert bench.register(UC_ARM_REG_R0) == 5 and bench.core.active == []
    assert bench.register(UC_ARM_REG_SP) == TOP


def test_a_mask_holds_it_until_the_next_instruction(tmp_path: Path) -> None:
    bench = Bench(tmp_path, main="cpsid i\nnop\nnop\ncpsie i\nmov r4, r5\nb .")
    bench.core.run()
    assert bench.register(UC_ARM_REG_R4) == 0
    bench = Bench(tmp_path, main="cpsid i\nnop\nnop\ncpsie i\nmov r4, r5\nb .")
    bench.enable(FIRST)
    bench.uc.emu_start(bench.core.pc | 1, 0, count=1)
    bench.core.pc += 2
    bench.pend(FIRST)
    bench.run()
    assert bench.register(UC_ARM_REG_R4) == 1, "taken right behind cpsie"


def test_the_more_urgent_interrupts_and_the_equal_waits(tmp_path: Path) -> None:
    for urgency, nested in ((0x40, 1), (0x80, 0)):
        bench = Bench(tmp_path, first="adds r5, #1\nb .")
        bench.core.write(armv7m.IPR + FIRST, 1, 0x80)
        bench.core.write(armv7m.IPR + SECOND, 1, urgency)
        bench.enable(FIRST, SECOND)
        bench.pend(FIRST)
        bench.core.run()
        bench.pend(SECOND)
        bench.run()
        assert bench.register(UC_ARM_REG_R6) == nested
        assert bench.core.taken.get(16 + SECOND, 0) == nested


def test_a_line_that_stays_high_asks_again(tmp_path: Path) -> None:
    bench = Bench(tmp_path)
    left = 3

    def high() -> bool:
        return bench.register(UC_ARM_REG_R5) < left

    bench.core.levels[FIRST] = high
    bench.run()
    assert bench.register(UC_ARM_REG_R5) == 0, "not enabled"
    bench.enable(FIRST)
    bench.run(20)
    assert bench.register(UC_ARM_REG_R5) == 3


def test_a_sleep_ends_by_what_is_enabled_even_if_masked(tmp_path: Path) -> None:
    bench = Bench(tmp_path, main="cpsid i\nwfi\nmov r4, #7\nb .")
    bench.run()
    assert bench.core.sleeping
    bench.pend(FIRST)
    assert not bench.core.wakes(), "not enabled"
    bench.enable(FIRST)
    assert bench.core.wakes()
    bench.core.sleeping = False
    bench.run()
    assert bench.register(UC_ARM_REG_R4) == 7 and bench.register(UC_ARM_REG_R5) == 0
    bench = Bench(tmp_path, main="cpsid i\nwfi\nmov r4, #7\nb .")
    bench.uc.reg_write(UC_ARM_REG_PRIMASK, 1)
    bench.enable(FIRST)
    bench.pend(FIRST)
    bench.run()
    assert bench.register(UC_ARM_REG_R4) == 7, "it was pending already"


def test_systick_counts_and_rounds_that_nobody_takes_are_one(tmp_path: Path) -> None:
    bench = Bench(tmp_path)
    core = bench.core
    core.write(systick.LOAD, 4, 99)
    core.write(systick.VAL, 4, 0)
    core.write(systick.CTRL, 4, 7)
    assert core.systick_due_ns() == 100_000
    for ns, taken in ((99_000, 0), (100_000, 1), (950_000, 2), (1_000_000, 3)):
        bench.ns = ns
        core.tick()
        bench.run()
        assert bench.register(UC_ARM_REG_R7) == taken
    assert (core.read(systick.CTRL) or 0) >> 16 & 1 and core.read(systick.CTRL) == 7
    core.write(systick.CTRL, 4, 0)
    assert core.systick_due_ns() is None


def test_the_cycle_counter_stands_still_in_a_sleep_and_without_trace(tmp_path: Path) -> None:
    bench = Bench(tmp_path)
    bench.core.write(armv7m.DWT_CTRL, 4, 1)
    bench.ns = 5_000_000
    assert bench.core.read(armv7m.DWT_CYCCNT) == 0
    bench.core.write(armv7m.DEMCR, 4, 1 << 24)
    bench.core.write(armv7m.DWT_CYCCNT, 4, 0)
    bench.ns += 3_000_000
    bench.core.slept_ns += 1_000_000
    assert bench.core.read(armv7m.DWT_CYCCNT) == 2000


def test_a_fault_is_a_hard_one_with_its_address(tmp_path: Path) -> None:
    bench = Bench(tmp_path, main="ldr r1, =0x90000000\nnop\nldr r2, [r1]\nb .\n.ltorg")
    bench.run()
    core = bench.core
    assert core.active == [armv7m.HARD_FAULT] and core.read(armv7m.BFAR) == 0x90000000
    assert core.read(armv7m.CFSR) == armv7m.PRECISERR | armv7m.BFARVALID
    frame = struct.unpack("<8I", bench.uc.mem_read(bench.register(UC_ARM_REG_SP), 32))
    assert bytes(bench.uc.mem_read(frame[6], 2)) == b"\x0a\x68", "the load itself"
    core.write(armv7m.CFSR, 4, 0xFFFFFFFF)
    assert core.read(armv7m.CFSR) == 0


def test_an_undefined_instruction_is_one_too(tmp_path: Path) -> None:
    bench = Bench(tmp_path, main="udf #0")
    bench.run()
    assert bench.core.read(armv7m.CFSR) == armv7m.UNDEFINSTR


def test_without_room_nothing_is_stacked(tmp_path: Path) -> None:
    """B1.5.11: the derived exception is taken instead, and pushes nothing more."""
    bench = Bench(tmp_path)
    bench.uc.reg_write(UC_ARM_REG_SP, RAM + 16)
    bench.enable(FIRST)
    bench.pend(FIRST)
    bench.run(1)
    assert bench.core.active == [armv7m.HARD_FAULT]
    assert bench.core.read(armv7m.CFSR) == armv7m.STKERR
    assert bench.register(UC_ARM_REG_SP) == RAM - 16


@pytest.mark.parametrize(
    ("code", "words"),
    [
        ({"main": "udf #0", "hard": "udf #0"}, "lockup"),
        ({"main": "svc #0"}, "exception 2 of unicorn's"),
        ({"first": "ldr lr, =0xFFFFFFF1\nbx lr\n.ltorg"}, "exception return by 0xfffffff1"),
        ({"first": "ldr lr, =0xFFFFFFFD\nbx lr\n.ltorg"}, "exception return by 0xfffffffd"),
    ],
)
def test_what_must_not_be_ends_the_run(tmp_path: Path, code: dict[str, str], words: str) -> None:
    bench = Bench(tmp_path, **code)
    bench.enable(FIRST)
    if "first" in code:
        bench.pend(FIRST)
    with pytest.raises(MistakeError, match=words):
        bench.run()
