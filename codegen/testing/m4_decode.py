"""Instructions of a Cortex-M4 as `m4_cycles` tells them apart, from binutils' disassembly."""

import re
from collections.abc import Iterable, Iterator
from pathlib import Path

import numpy as np

from einthoven.codegen.testing.m4_cycles import PC, Instruction, Kind, Steps
from einthoven.codegen.testing.qemu_trace import Trace
from einthoven.codegen.testing.tools import run
from einthoven.errors import BuildError

_LINE = re.compile(r"\s*([0-9a-f]+):\t((?:[0-9a-f]{4} ?)+)\s*\t(\S+)\s*([^;@]*)")
_NAMED = {"sl": 10, "fp": 11, "ip": 12, "sp": 13, "lr": 14, "pc": 15}
_NUMBER = {f"r{i}": i for i in range(16)} | _NAMED
_REGISTER = "|".join(_NUMBER)
_LIST = re.compile(rf"\b({_REGISTER})\b(?:\s*-\s*({_REGISTER})\b)?")
_IF = "(?:eq|ne|cs|hs|cc|lo|mi|pl|vs|vc|hi|ls|ge|lt|gt|le)?"
_KINDS = [
    (re.compile(pattern), kind)
    for pattern, kind in (
        ("it[te]{0,3}", Kind.IT),
        ("tb[bh]", Kind.TABLE_BRANCH),
        (f"cbn?z|bl?{_IF}", Kind.BRANCH),
        (f"blx?{_IF}|bx{_IF}", Kind.BRANCH_TO_REGISTER),
        (f"(?:ldm|stm)(?:ia|db|fd|ea)?{_IF}|(?:push|pop|ldrd|strd){_IF}", Kind.MULTIPLE),
        (f"ldr(?:ex)?s?[bh]?t?{_IF}", Kind.LOAD),
        (f"str(?:ex)?[bh]?t?{_IF}", Kind.STORE),
        (f"[su]div{_IF}", Kind.DIVIDE),
    )
]
_NO_RESULT = re.compile(f"(?:cmp|cmn|tst|teq|nop|dsb|dmb|isb|bkpt|svc|cps|msr|wf[ei]|sev){_IF}")
_UNIT = re.compile("(?:ldr|str)(?:ex)?s?([bh])")
_TWO_RESULTS = re.compile("[su]mull|[su]mlal|smlsld|umaal")


def decoded(trace: Trace, elf: Path) -> Steps:
    """What the model wants to know of each step of a program. Raises BuildError."""
    listing = dict(instructions(run(["arm-none-eabi-objdump", "-d", str(elf)]).splitlines()))
    known, index = np.unique(trace.address, return_inverse=True)
    address, data = trace.address.astype(np.int64), trace.data.astype(np.int64)
    return Steps([listing[a] for a in known.tolist()], index, address, data)


def instructions(listing: Iterable[str]) -> Iterator[tuple[int, Instruction]]:
    """Address and meaning of each line of objdump's that is an instruction."""
    for line in listing:
        found = _LINE.match(line)
        if found and not found[3].startswith("."):
            yield int(found[1], 16), instruction(found[3], found[4], 2 * len(found[2].split()))


def instruction(name: str, operands: str, size: int) -> Instruction:
    """One of `size` bytes, in unified syntax. Raises BuildError for the floating-point unit's."""
    name = name.removesuffix(".n").removesuffix(".w")
    if name.startswith("v"):
        raise BuildError(f"the model of the Cortex-M4 has no timing for {name}")
    kind = next((kind for pattern, kind in _KINDS if pattern.fullmatch(name)), Kind.DATA)
    if kind == Kind.MULTIPLE:
        return _multiple(name, operands, size)
    if kind in (Kind.LOAD, Kind.STORE):
        register, _, place = operands.partition("[")
        base = _registers(place.partition("]")[0])
        unit = _UNIT.match(name)
        access_bytes = {"b": 1, "h": 2}.get(unit[1] if unit else "", 4)
        if kind == Kind.LOAD:
            return Instruction(kind, size, 1, access_bytes, _registers(register), base)
        indexed = base.bit_count() == 2
        kind = Kind.STORE_AT_INDEX if indexed else kind
        return Instruction(kind, size, 1, access_bytes, 0, base)
    if kind in (Kind.DATA, Kind.DIVIDE) and not _NO_RESULT.fullmatch(name):
        results = operands.split(",")[: 2 if _TWO_RESULTS.match(name) else 1]
        writes = _registers(",".join(results))
        kind = Kind.BRANCH_TO_REGISTER if writes & PC else kind
        return Instruction(kind, size, writes=writes)
    return Instruction(kind, size)


def _multiple(name: str, operands: str, size: int) -> Instruction:
    if name.startswith(("ldrd", "strd")):
        moved, _, place = operands.partition("[")
        base = _registers(place.partition("]")[0])
    else:
        place, _, moved = operands.partition("{")
        base = _registers(place) or 1 << _NAMED["sp"]
    registers = _registers(moved)
    loaded = registers if name.startswith(("ld", "pop")) else 0
    return Instruction(Kind.MULTIPLE, size, registers.bit_count(), 4, loaded, base)


def _registers(text: str) -> int:
    """A bit for each that is named; r4-r7 are four."""
    bits = 0
    for first, last in _LIST.findall(text):
        for number in range(_NUMBER[first], _NUMBER[last or first] + 1):
            bits |= 1 << number
    return bits
