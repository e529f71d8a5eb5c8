"""`einthoven profile FILE.tflite`: what a model costs, op by op, and which chips it fits.

Instructions are measured in QEMU (`-icount shift=0`): executed instructions, not cycles. A
Cortex-M4's cycles are modelled (docs/performance.md, "Cycles") and stand in a table of their own.
Bytes are those of the linked program without the harness. Where a compiler or emulator is missing,
its column is, with a note of what to install.
"""

import shutil
import tempfile
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from einthoven.codegen.engine.emit import Description, emit
from einthoven.codegen.engine.graph import Graph
from einthoven.codegen.engine.lower import Goal
from einthoven.codegen.engine.planner import Plan, plan
from einthoven.codegen.library import read
from einthoven.codegen.testing import bare_target
from einthoven.codegen.testing.bare_target import ENGINE, TARGETS, WARNINGS
from einthoven.codegen.testing.bench import Size, size_of
from einthoven.codegen.testing.counted_steps import (
    MEMORIES,
    MOST_STEPS,
    cycles_between_readings,
    cycles_of,
)
from einthoven.codegen.testing.random_models import noise
from einthoven.errors import BuildError, ModelError

TARGET_NAMES = {"m4": "Cortex-M4", "rv32": "rv32imc"}
_PACKAGES = {
    "m4": "gcc-arm-none-eabi qemu-system-arm",
    "rv32": "gcc-riscv64-unknown-elf picolibc-riscv64-unknown-elf qemu-system-misc",
}


@dataclass(frozen=True)
class Chip:
    """Bytes that a program may have, by the data sheet; `core` is the measured target's key."""

    name: str
    core: str
    flash_bytes: int
    ram_bytes: int


CHIPS = (
    Chip("STM32F405 (qemu_stm32f405)", "m4", 1024 << 10, 128 << 10),
    Chip("STM32F411CE (blackpill_f411ce)", "m4", 512 << 10, 128 << 10),
    Chip("STM32F446RE (nucleo_f446re)", "m4", 512 << 10, 128 << 10),
    Chip("STM32L432KC", "m4", 256 << 10, 48 << 10),
    Chip("nRF52832", "m4", 512 << 10, 64 << 10),
    Chip("nRF52840", "m4", 1024 << 10, 256 << 10),
    Chip("ESP32-C3 (esp32c3)", "rv32", 4096 << 10, 320 << 10),
    Chip("CH32V307", "rv32", 256 << 10, 64 << 10),
)
"""Those of `boards/`, and some that people use; of an ESP32-C3 with 4 MB of flash the RAM that a
program has. Sources: ST's, Nordic's, Espressif's and WCH's data sheets."""


@dataclass(frozen=True)
class OpCost:
    """One op; `instructions` by target, `cycles` by memory, those of all its turns."""

    number: int
    kind: str
    output: str
    shape: str
    multiply_adds: int
    instructions: dict[str, int] = field(default_factory=dict)
    cycles: dict[str, int] = field(default_factory=dict)


@dataclass(frozen=True)
class Profile:
    """A model's costs. By target: instructions of an inference, bytes of code and of constants.

    `cycles` of an inference on a Cortex-M4, modelled, by what memory it runs from.
    """

    name: str
    parameters: int
    multiply_adds: int
    arena_bytes: int
    io_bytes: int
    ops: list[OpCost]
    instructions: dict[str, int]
    code_bytes: dict[str, int]
    constant_bytes: dict[str, int]
    cycles: dict[str, int]
    notes: list[str]

    @property
    def fits(self) -> dict[str, bool]:
        """Whether it fits a chip beside nothing else, by the chip's name; measured targets only."""
        found = {}
        for chip in CHIPS:
            if chip.core in self.code_bytes:
                flash = self.code_bytes[chip.core] + self.constant_bytes[chip.core]
                ram = self.arena_bytes + self.io_bytes
                found[chip.name] = flash <= chip.flash_bytes and ram <= chip.ram_bytes
        return found

    def to_dict(self) -> dict[str, Any]:
        """For JSON."""
        return {**asdict(self), "fits": self.fits}

    def text(self) -> str:
        """Tables for a terminal."""
        targets = [t for t in TARGET_NAMES if t in self.instructions]
        lines = [
            f"{self.name}: {self.parameters:,} parameters, {self.multiply_adds:,} multiply-adds, "
            f"arena {self.arena_bytes:,} bytes, inputs and outputs {self.io_bytes:,}",
            "",
            f"{'op':>4} {'kind':24}{'output':>12}{'multiply-adds':>15}"
            + "".join(f"{TARGET_NAMES[t]:>14}" for t in targets),
        ]
        for op in self.ops:
            counts = "".join(f"{op.instructions.get(t, 0):14,}" for t in targets)
            lines.append(f"{op.number:4} {op.kind:24}{op.shape:>12}{op.multiply_adds:15,}{counts}")
        total = "".join(f"{self.instructions[t]:14,}" for t in targets)
        lines.append(f"{'':4} {'an inference':24}{'':12}{self.multiply_adds:15,}{total}")
        for title, figures in (("code", self.code_bytes), ("constants", self.constant_bytes)):
            counts = "".join(f"{figures[t]:14,}" for t in targets)
            lines.append(f"{'':4} {f'{title}, bytes of flash':24}{'':27}{counts}")
        lines.append("instructions executed in QEMU, not cycles" if targets else "")
        if self.cycles:
            lines += self._cycles_text()
        for name, fits in self.fits.items():
            lines.append(f"{'fits' if fits else 'too large for':14} {name}")
        return "\n".join([*(line for line in lines), *self.notes])

    def _cycles_text(self) -> list[str]:
        def row(number: object, name: str, cycles: dict[str, int]) -> str:
            return f"{number:4} {name:24}" + "".join(f"{cycles.get(m, 0):22,}" for m in MEMORIES)

        return [
            "",
            f"{'op':>4} {'cycles (model), Cortex-M4':24}" + "".join(f"{m:>22}" for m in MEMORIES),
            *(row(op.number, op.kind, op.cycles) for op in self.ops),
            row("", "an inference", self.cycles),
            'computed from data sheets, not measured on a chip: docs/performance.md, "Cycles"',
            "",
        ]


def profile(path: Path, optimize: Goal = "speed") -> Profile:
    """Measure the model `path`. Raises ModelError when it cannot be read or does not fit QEMU."""
    _, graph = read(path, optimize)
    made = plan(graph)
    instructions: dict[str, int] = {}
    code: dict[str, int] = {}
    constants: dict[str, int] = {}
    by_op: dict[int, dict[str, int]] = {op.output.index: {} for op in graph.ops}
    cycles: dict[str, int] = {}
    cycles_by_op: dict[int, dict[str, int]] = {}
    notes = []
    for target, name in TARGET_NAMES.items():
        missing = _missing(target)
        if missing:
            notes.append(
                f"{name} not measured, {missing} is missing: apt install {_PACKAGES[target]}"
            )
            continue
        with tempfile.TemporaryDirectory() as scratch:
            try:
                measured = _measure(graph, made, target, Path(scratch))
                if target == "m4":
                    cycles, cycles_by_op = _model(measured, Path(scratch))
            except AssertionError as error:
                raise ModelError(_too_large(name, str(error))) from error
            except BuildError as error:  # what is counted stands without
                notes.append(f"cycles of the {name} not modelled: {error}")
        instructions[target] = measured.instructions
        code[target], constants[target] = measured.size.code, measured.size.constants
        for tensor, count in measured.turns:
            by_op[tensor][target] = by_op[tensor].get(target, 0) + count
    ops = [
        OpCost(
            op.number, op.kind, op.output.name, f"{op.output.length} × {op.output.channels}",
            op.macs, by_op[op.output.index], cycles_by_op.get(op.output.index, {}),
        )
        for op in graph.ops
    ]  # fmt: skip
    io = sum(t.size for t in (*graph.inputs, *graph.outputs))
    return Profile(
        path.name, graph.params, graph.macs, made.size, io, ops, instructions, code, constants,
        cycles, notes,
    )  # fmt: skip


def _missing(target: str) -> str:
    chosen = TARGETS[target]
    tools = (chosen.compiler[0], chosen.emulator[0])
    return next((tool for tool in tools if shutil.which(tool) is None), "")


def _too_large(target: str, error: str) -> str:
    for region in ("FLASH", "RAM"):
        if f"region `{region}' overflowed" in error:
            return f"the model does not fit the emulated {target}'s {region}: make it smaller"
    return f"the model cannot be measured on the emulated {target}: {error.splitlines()[0]}"


@dataclass(frozen=True)
class _Measured:
    """`turns`: tensor and instructions of each time that an op was called, in order."""

    instructions: int
    size: Size
    turns: list[tuple[int, int]]


def _measure(graph: Graph, made: Plan, target: str, folder: Path) -> _Measured:
    """Leaves two programs in `folder`: whole, and traced, which tells the turns apart."""
    inputs = [noise((t.length, t.channels), 4, i)[2:3] for i, t in enumerate(graph.inputs)]
    result = bare_target.run(graph, inputs, target, folder / "whole", made=made)
    words = [int(w, 16) for w in _traced(graph, made, target, folder / "traced", inputs)]
    turns = list(zip(words[0::2], words[1::2], strict=True))
    return _Measured(result.instructions[0], size_of(folder / "whole" / "bare.elf"), turns)


def _model(measured: _Measured, folder: Path) -> tuple[dict[str, int], dict[int, dict[str, int]]]:
    """Cycles on a Cortex-M4 by memory, and the same by tensor. Raises BuildError.

    bare_profile.c reads the counter five times before the first turn, and twice between two: what
    passes from the third to the fourth is what that costs.
    """
    if measured.instructions > MOST_STEPS:
        raise BuildError(f"more than {MOST_STEPS:,} instructions are too many to trace")
    by_tensor: dict[int, dict[str, int]] = {tensor: {} for tensor, _ in measured.turns}
    for memory, passed in cycles_between_readings(folder / "traced" / "bare.elf").items():
        for (tensor, _), spent in zip(measured.turns, passed[5::2], strict=True):
            found = by_tensor[tensor]
            found[memory] = found.get(memory, 0) + max(0, spent - passed[2])
    return cycles_of(folder / "whole" / "bare.elf"), by_tensor


def _traced(
    graph: Graph, made: Plan, target: str, folder: Path, inputs: Sequence[Any]
) -> list[str]:
    folder.mkdir(parents=True)
    for name, text in emit(graph, made, Description("bare", "0" * 64)).items():
        (folder / name).write_text(text)
    (folder / "case.h").write_text(bare_target.case_of(graph, inputs))
    flags = ("-O2", "-DEIN_MODEL_TRACE", *WARNINGS)
    sources = [folder / "ein_model.c", *sorted(ENGINE.glob("ein_nn_*.c"))]
    bare_target.compile_objects(target, sources, (folder, ENGINE), folder, flags)
    return bare_target.printed(target, folder, ("-O2", "-DEIN_MODEL_TRACE"), main="bare_profile.c")
