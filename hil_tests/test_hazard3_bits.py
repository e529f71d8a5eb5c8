"""Zba, Zbb and Zbkb of the model of a Hazard3: two ways, against numpy and one another."""

import struct
import subprocess
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from unicorn import UC_ARCH_RISCV, UC_MODE_RISCV32, Uc
from unicorn.riscv_const import UC_RISCV_REG_X0

from einthoven.hil_tests.chips.rp2350 import bit_manipulation as bits
from einthoven.hil_tests.chips.rp2350.bit_manipulation import Operation

EDGES = (0, 1, 2, 0x7F, 0x80, 0xFF, 0x7FFF, 0x8000, 0xFFFF, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFF)
CODE = 0x1000


def _pairs() -> list[tuple[int, int]]:
    drawn = np.random.default_rng(1).integers(0, 1 << 32, (40, 2), dtype=np.uint64)
    return [(a, b) for a in EDGES for b in EDGES] + [(int(a), int(b)) for a, b in drawn]


def _i32(value: int) -> int:
    return int(np.uint32(value).astype(np.int32))


def _bit(value: int) -> list[int]:
    return [int(b) for b in np.unpackbits(np.array([value], "<u4").view("u1"), bitorder="little")]


def _number(value: list[int]) -> int:
    packed = np.packbits(np.array(value, "u1"), bitorder="little")
    return int(packed.view("<u4")[0])


DEFINED: dict[str, Callable[[int, int], int]] = {
    "sh1add": lambda a, b: a * 2 + b,
    "sh2add": lambda a, b: a * 4 + b,
    "sh3add": lambda a, b: a * 8 + b,
    "xnor": lambda a, b: ~(a ^ b),
    "orn": lambda a, b: a | ~b,
    "andn": lambda a, b: a & ~b,
    "min": lambda a, b: min(_i32(a), _i32(b)),
    "minu": lambda a, b: int(np.minimum(np.uint32(a), np.uint32(b))),
    "max": lambda a, b: max(_i32(a), _i32(b)),
    "maxu": lambda a, b: int(np.maximum(np.uint32(a), np.uint32(b))),
    "rol": lambda a, b: _number(list(np.roll(_bit(a), b & 31))),
    "ror": lambda a, b: _number(list(np.roll(_bit(a), -(b & 31)))),
    "rori": lambda a, b: _number(list(np.roll(_bit(a), -(b & 31)))),
    "pack": lambda a, b: _number(_bit(a)[:16] + _bit(b)[:16]),
    "packh": lambda a, b: _number(_bit(a)[:8] + _bit(b)[:8] + [0] * 16),
    "clz": lambda a, _: [*_bit(a)[::-1], 1].index(1),
    "ctz": lambda a, _: [*_bit(a), 1].index(1),
    "cpop": lambda a, _: sum(_bit(a)),
    "sext.b": lambda a, _: int(np.uint32(a).astype(np.int8)),
    "sext.h": lambda a, _: int(np.uint32(a).astype(np.int16)),
    "orc.b": lambda a, _: _number([int(any(_bit(a)[i & 24 : (i & 24) + 8])) for i in range(32)]),
    "rev8": lambda a, _: int(np.array([a], ">u4").view("<u4")[0]),
    "brev8": lambda a, _: _number([_bit(a)[(i & 24) + 7 - (i & 7)] for i in range(32)]),
    "zip": lambda a, _: _number([_bit(a)[i // 2 + 16 * (i % 2)] for i in range(32)]),
    "unzip": lambda a, _: _number(_bit(a)[0::2] + _bit(a)[1::2]),
}
"""Each by its definition, otherwise than in the model."""
BINARY = set(list(DEFINED)[:15])


@pytest.mark.parametrize("name", DEFINED)
def test_each_is_what_its_definition_says(name: str) -> None:
    for a, b in _pairs():
        wanted = DEFINED[name](a, b & 31 if name == "rori" else b) & 0xFFFFFFFF
        assert bits.value(Operation(name, 1, 2, 3), a, b & 31 if name == "rori" else b) == wanted


def test_the_assembler_writes_what_is_decoded(tmp_path: Path) -> None:
    lines = {
        name: f"{name} x7, x8, {'9' if name == 'rori' else 'x9'}"
        if name in BINARY
        else f"{name} x7, x8"
        for name in DEFINED
    }
    source, made = tmp_path / "all.s", tmp_path / "all.bin"
    source.write_text(".option norvc\n" + "\n".join(lines.values()) + "\nadd x7, x8, x9\n")
    march = "-march=rv32imac_zba_zbb_zbkb"
    object_file = str(tmp_path / "all.o")
    subprocess.run(
        ["riscv64-unknown-elf-as", march, "-mabi=ilp32", str(source), "-o", object_file], check=True
    )
    copy = ["riscv64-unknown-elf-objcopy", "-O", "binary", object_file, str(made)]
    subprocess.run(copy, check=True)
    *words, plain = struct.unpack(f"<{len(lines) + 1}I", made.read_bytes())
    for name, word in zip(lines, words, strict=True):
        assert bits.decode(word) == Operation(name, 7, 8, 9 if name in BINARY else 0)
    assert bits.decode(plain) is None


@pytest.mark.parametrize("registers", [(5, 6, 7), (5, 5, 7), (5, 6, 5), (5, 6, 6), (5, 5, 5)])
def test_what_replaces_one_leaves_the_same(registers: tuple[int, int, int]) -> None:
    uc = Uc(UC_ARCH_RISCV, UC_MODE_RISCV32)
    uc.mem_map(CODE, 0x1000)
    replaced = 0
    for name in DEFINED:
        rd, rs1, rs2 = registers
        operation = Operation(name, rd, rs1, 0 if name == "pack" else rs2)
        same = bits.replacement(operation)
        if same is None:
            continue
        replaced += 1
        place = CODE + 64 * replaced  # unicorn 2.1.1 runs what it has translated once
        uc.mem_write(place, struct.pack(f"<{len(same)}I", *same))
        for a, b in _pairs():
            before = {5: 0x11111111, 6: 0x22222222, 7: 0x33333333} | {rs1: a, rs2: b}
            for register, value in before.items():
                uc.reg_write(UC_RISCV_REG_X0 + register, value)
            uc.emu_start(place, place + 4 * len(same))
            second = before[rs2] if operation.rs2 else 0
            wanted = before | {rd: bits.value(operation, before[rs1], second)}
            assert {r: uc.reg_read(UC_RISCV_REG_X0 + r) for r in before} == wanted, (name, a, b)
    assert replaced >= 7
