"""Zba, Zbb and Zbkb, which unicorn 2.1.1 takes for illegal: by their definitions, two ways.

`value` computes any of them (RISC-V's unprivileged specification, "B" and "Zbkb", 32 bits wide).
`replacement` has the frequent ones as instructions of rv32i for the same registers, without
another register: run in their place they cost some ten instructions of the emulator's, where
`value` costs a call into Python, of which an inference alone would make some hundred thousand.
"""

from collections.abc import Callable
from dataclasses import dataclass

WORD = 0xFFFFFFFF


@dataclass(frozen=True)
class Operation:
    """One of them: its name, registers by number, and what is in place of the second."""

    name: str
    rd: int
    rs1: int
    rs2: int


_BINARY = {  # opcode 0x33: funct7, funct3
    (0x10, 2): "sh1add",
    (0x10, 4): "sh2add",
    (0x10, 6): "sh3add",
    (0x20, 4): "xnor",
    (0x20, 6): "orn",
    (0x20, 7): "andn",
    (0x05, 4): "min",
    (0x05, 5): "minu",
    (0x05, 6): "max",
    (0x05, 7): "maxu",
    (0x30, 1): "rol",
    (0x30, 5): "ror",
    (0x04, 4): "pack",
    (0x04, 7): "packh",
}
_UNARY = {  # opcode 0x13: the upper 12 bits, funct3
    (0x600, 1): "clz",
    (0x601, 1): "ctz",
    (0x602, 1): "cpop",
    (0x604, 1): "sext.b",
    (0x605, 1): "sext.h",
    (0x287, 5): "orc.b",
    (0x698, 5): "rev8",
    (0x687, 5): "brev8",
    (0x08F, 1): "zip",
    (0x08F, 5): "unzip",
}


def decode(word: int) -> Operation | None:
    """None: it is none of them. RORI's amount stands in place of a register."""
    rd, rs1, rs2 = word >> 7 & 31, word >> 15 & 31, word >> 20 & 31
    opcode, funct3, upper = word & 0x7F, word >> 12 & 7, word >> 20
    if opcode == 0x33 and (name := _BINARY.get((upper >> 5, funct3))):
        return Operation(name, rd, rs1, rs2)
    if opcode == 0x13 and (name := _UNARY.get((upper, funct3))):
        return Operation(name, rd, rs1, 0)
    if opcode == 0x13 and funct3 == 5 and upper >> 5 == 0x30:
        return Operation("rori", rd, rs1, rs2)
    return None


def _signed(value: int) -> int:
    return value - (1 << 32) if value >> 31 else value


def _rotated(value: int, right: int) -> int:
    right &= 31
    return (value >> right | value << (32 - right)) & WORD


def _bytes(value: int, of: Callable[[int], int]) -> int:
    return int.from_bytes(bytes(of(byte) for byte in value.to_bytes(4, "little")), "little")


def _reversed(byte: int) -> int:
    return int(f"{byte:08b}"[::-1], 2)


def _zipped(value: int) -> int:
    low, high = f"{value & 0xFFFF:016b}", f"{value >> 16:016b}"
    return int("".join(b + a for a, b in zip(low, high, strict=True)), 2)


def _unzipped(value: int) -> int:
    text = f"{value:032b}"
    return int(text[0::2] + text[1::2], 2)


_VALUES: dict[str, Callable[[int, int], int]] = {
    "sh1add": lambda a, b: (a << 1) + b,
    "sh2add": lambda a, b: (a << 2) + b,
    "sh3add": lambda a, b: (a << 3) + b,
    "xnor": lambda a, b: ~(a ^ b),
    "orn": lambda a, b: a | ~b,
    "andn": lambda a, b: a & ~b,
    "min": lambda a, b: min(a, b, key=_signed),
    "minu": min,
    "max": lambda a, b: max(a, b, key=_signed),
    "maxu": max,
    "rol": lambda a, b: _rotated(a, -b),
    "ror": _rotated,
    "rori": _rotated,
    "pack": lambda a, b: a & 0xFFFF | b << 16,
    "packh": lambda a, b: a & 0xFF | (b & 0xFF) << 8,
    "clz": lambda a, _: 32 - a.bit_length(),
    "ctz": lambda a, _: (a & -a).bit_length() - 1 if a else 32,
    "cpop": lambda a, _: a.bit_count(),
    "sext.b": lambda a, _: (a & 0xFF) - ((a & 0x80) << 1),
    "sext.h": lambda a, _: (a & 0xFFFF) - ((a & 0x8000) << 1),
    "orc.b": lambda a, _: _bytes(a, lambda byte: 0xFF if byte else 0),
    "rev8": lambda a, _: int.from_bytes(a.to_bytes(4, "little"), "big"),
    "brev8": lambda a, _: _bytes(a, _reversed),
    "zip": lambda a, _: _zipped(a),
    "unzip": lambda a, _: _unzipped(a),
}


def value(operation: Operation, first: int, second: int) -> int:
    """What it leaves in its register, of what the two hold; for RORI `second` is the amount."""
    return _VALUES[operation.name](first, second) & WORD


def _r(funct7: int, rs2: int, rs1: int, funct3: int, rd: int) -> int:
    return funct7 << 25 | rs2 << 20 | rs1 << 15 | funct3 << 12 | rd << 7 | 0x33


def _i(upper: int, rs1: int, funct3: int, rd: int) -> int:
    return (upper & 0xFFF) << 20 | rs1 << 15 | funct3 << 12 | rd << 7 | 0x13


def _skip_if(funct3: int, rs1: int, rs2: int) -> int:
    """Over the next instruction: BLT 4, BGE 5, BLTU 6, BGEU 7."""
    return rs2 << 20 | rs1 << 15 | funct3 << 12 | 8 << 7 | 0x63


def jump(distance: int) -> int:
    """JAL x0."""
    d = distance
    return (
        (d >> 20 & 1) << 31
        | (d >> 1 & 0x3FF) << 21
        | (d >> 11 & 1) << 20
        | (d >> 12 & 0xFF) << 12
        | 0x6F
    )


_EXTEND = {"sext.b": (24, 0x400), "sext.h": (16, 0x400)}
_KEEP = {"max": 5, "maxu": 7, "min": 4, "minu": 6}
"""The branch that is taken where the first operand is the one."""


def replacement(operation: Operation) -> list[int] | None:
    """The same by rv32i, without a jump back. None: only `value` has it."""
    rd, a, b = operation.rd, operation.rs1, operation.rs2
    if rd == 0:
        return None
    if operation.name in _EXTEND:
        shift, arithmetic = _EXTEND[operation.name]
        return [_i(shift, a, 1, rd), _i(arithmetic | shift, rd, 5, rd)]
    if operation.name == "pack" and b == 0:  # as zext.h
        return [_i(16, a, 1, rd), _i(16, rd, 5, rd)]
    if operation.name in _KEEP:
        keep = _KEEP[operation.name]
        if rd == b:  # stay, unless the first is the one
            return [_skip_if(keep ^ 1, a, b), _i(0, a, 0, rd)]
        return ([] if rd == a else [_i(0, a, 0, rd)]) + [_skip_if(keep, a, b), _i(0, b, 0, rd)]
    if operation.name in ("sh1add", "sh2add", "sh3add"):
        n = int(operation.name[2])
        if rd != b:
            return [_i(n, a, 1, rd), _r(0, b, rd, 0, rd)]
        return [_r(0, a, rd, 0, rd)] * (1 << n) if a != rd else None
    return None
