"""Many generated models in one program, with a checksum of every op's output.

What takes the time of a test on an emulated chip is to compile and link, not to run: so one program
runs hundreds of models, and prints CRCs instead of outputs. The layer where an engine first goes
wrong is thereby known, wherever it runs.
"""

import re
import subprocess
import zlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from einthoven.c_library import simd_flags
from einthoven.codegen.engine.emit import Description, argument_names, emit
from einthoven.codegen.engine.graph import Conv, Depthwise, Graph
from einthoven.codegen.engine.planner import plan
from einthoven.codegen.testing.bare_target import (
    BARE,
    BARE_LIBRARY,
    ENGINE,
    HANG_S,
    SECTIONS,
    TARGETS,
    WARNINGS,
)
from einthoven.codegen.testing.host_target import SANITIZE
from einthoven.paths import FIRMWARE

HOST = "host"
SIMD = "host-simd"
PLACES = (HOST, *([SIMD] if simd_flags() else []), "m4", "m55", "rv32")
"""Where models run: the host under ASan and UBSan, in plain C and as its processor likes it best,
and three emulated chips, one of which takes the Helium kernels."""
SMALL_PLACES = ("m3", "m0")
"""Emulated cores without DSP instructions, on a chip that has room for small programs only."""
SMALL_PROGRAM_BYTES = 120_000
"""Of constants there: it has 256 KB of flash."""
SMALL_RAM_BYTES = 28_000
"""Of arena, and as much of outputs, that a model may have there: it has 64 KB of RAM."""
PROGRAM_BYTES = 600_000
"""Of constants in a program: the emulated STM32F405 has 1 MB of flash."""
OUTPUT_BYTES = 65_536
"""Of outputs that a model may have side by side: it has 128 KB of RAM."""

Int8 = NDArray[np.int8]
Sums = dict[int, list[tuple[int, int]]]
"""Ops' outputs by the tensor's number: bytes and CRC-32 of one piece after the other."""


@dataclass(frozen=True)
class Job:
    """A model and its vectors: one array [n, …] per model input."""

    label: str
    graph: Graph
    inputs: Sequence[Int8]

    @property
    def constant_bytes(self) -> int:
        """About what it takes of a program's flash."""
        weights = sum(2 * op.params for op in self.graph.ops if isinstance(op, Conv | Depthwise))
        channels = sum(op.output.channels for op in self.graph.ops)
        return weights + 12 * channels + sum(i.size for i in self.inputs)


def programs(jobs: Iterable[Job], most: int = PROGRAM_BYTES) -> Iterator[list[Job]]:
    """`jobs` in portions that fit a program of `most` bytes of constants each."""
    portion: list[Job] = []
    size = 0
    for job in jobs:
        if portion and size + job.constant_bytes > most:
            yield portion
            portion, size = [], 0
        portion.append(job)
        size += job.constant_bytes
    if portion:
        yield portion


def programs_at(jobs: Sequence[Job], place: str) -> Iterator[list[Job]]:
    """A program's `jobs` as `place` takes them: all at once, or in smaller portions without those
    that are too large for any."""
    if place not in SMALL_PLACES:
        yield list(jobs)
        return
    fitting = (
        job
        for job in jobs
        if job.constant_bytes <= SMALL_PROGRAM_BYTES
        and plan(job.graph).size <= SMALL_RAM_BYTES
        and _output_ends(job.graph)[1] <= SMALL_RAM_BYTES
    )
    yield from programs(fitting, SMALL_PROGRAM_BYTES)


def run(jobs: Sequence[Job], place: str, kernels: Path, folder: Path) -> list[list[Sums]]:
    """Per job and vector the checksums of all ops, from one program.

    `kernels` is a folder for the compiled kernels, shared by all calls; `folder` the program's own.
    """
    folder.mkdir(parents=True, exist_ok=True)
    sizes = [_write(job, folder / f"job_{n}") for n, job in enumerate(jobs)]
    names = [f"job_{n}" for n in range(len(jobs))]
    (folder / "many.h").write_text(
        f"#define MANY_ARENA_BYTES {max(a for a, _ in sizes) + 16}\n"
        f"#define MANY_OUTPUT_BYTES {max(o for _, o in sizes)}\n"
        f"void {'(uint8_t *, int8_t *), '.join(names)}(uint8_t *, int8_t *);\n"
        f"static const bare_many_t many[] = {{{', '.join(names)}}};\n"
    )
    flags = _flags(place)
    includes = [f"-I{d}" for d in (folder, BARE, ENGINE, FIRMWARE / "wire")]
    machine = HOST if place in (HOST, SIMD) else TARGETS[place].machine
    sources = [BARE / "bare_many.c", BARE / f"bare_{machine}.c"]
    _checked([
        *flags, *includes, "-DEIN_MODEL_TRACE", *map(str, sources),
        *(str(folder / name / "job.c") for name in names),
        *map(str, _kernels(place, kernels)), *_link(place), "-o", str(folder / "many.elf"),
    ], folder)  # fmt: skip
    emulator = () if place in (HOST, SIMD) else TARGETS[place].emulator
    lines = _checked([*emulator, str(folder / "many.elf")], folder).split("\n")[1:]
    rows = [_sums(line) for line in lines]
    counts = np.cumsum([len(job.inputs[0]) for job in jobs])
    assert len(rows) == counts[-1], f"{len(rows)} inferences of {counts[-1]}"
    return [rows[end - len(job.inputs[0]) : end] for job, end in zip(jobs, counts, strict=True)]


def differences(
    jobs: Sequence[Job],
    found: Sequence[Sequence[Sums]],
    expected: Sequence[Sequence[Mapping[int, Int8]]],
) -> list[str]:
    """One line per job whose ops do not all agree: the first differing one, and on which vector."""
    lines = []
    for job, ours, theirs in zip(jobs, found, expected, strict=True):
        for vector, (mine, layers) in enumerate(zip(ours, theirs, strict=True)):
            assert mine.keys() == {op.output.index for op in job.graph.ops}, "an op left no sum"
            wrong = [
                op
                for op in job.graph.ops
                if not _same(mine[op.output.index], layers[op.output.index].tobytes())
            ]
            if wrong:
                op = wrong[0]
                lines.append(
                    f"{job.label}, vector {vector}: op {op.number} {op.kind}, tensor "
                    f"{op.output.index} '{op.output.name}' is the first that differs"
                )
                break
    return lines


def _sums(line: str) -> Sums:
    sums: Sums = {}
    for word in line.split():
        tensor, size, crc = (int(word[i : i + 8], 16) for i in (0, 8, 16))
        sums.setdefault(tensor, []).append((size, crc))
    return sums


def _same(pieces: list[tuple[int, int]], values: bytes) -> bool:
    ends = np.cumsum([size for size, _ in pieces]).tolist()
    return ends[-1] == len(values) and all(
        crc == zlib.crc32(values[end - size : end])
        for end, (size, crc) in zip(ends, pieces, strict=True)
    )


def _write(job: Job, folder: Path) -> tuple[int, int]:
    """The model, and a file that renames its symbols and calls it; bytes of arena and outputs."""
    folder.mkdir(parents=True, exist_ok=True)
    placed = plan(job.graph)
    texts = emit(job.graph, placed, Description(job.label, "0" * 64))
    for name, text in texts.items():
        (folder / name).write_text(text)
    symbols = sorted(set(re.findall(r"\bein_model_[a-z_]+\b", "".join(texts.values()))))
    names = argument_names(job.graph)[0]
    order = sorted(range(len(names)), key=lambda i: names[i] == "features")
    flat = [np.asarray(job.inputs[i]).reshape(len(job.inputs[i]), -1) for i in order]
    starts = np.cumsum([0, *(f.shape[1] for f in flat)])[:-1].tolist()
    vectors = np.concatenate(flat, axis=1)
    rows = ",\n".join("{" + ",".join(map(str, row)) + "}" for row in vectors.tolist())
    ends, output_bytes = _output_ends(job.graph)
    arguments = [f"vectors[v] + {s}" for s in starts] + [
        f"outputs_end - {end}" for end in ends
    ]  # fmt: skip
    (folder / "job.c").write_text(
        "".join(f"#define {s} {folder.name}_{s}\n" for s in symbols)
        + f'#include "ein_model.c"\n#include "bare_many.h"\n\n'
        f"static const int8_t vectors[{len(vectors)}][{vectors.shape[1]}] = {{\n{rows}}};\n\n"
        f"void {folder.name}(uint8_t *arena_end, int8_t *outputs_end);\n"
        f"void {folder.name}(uint8_t *arena_end, int8_t *outputs_end)\n{{\n"
        f"    uint8_t *const arena = arena_end - {placed.size};\n\n"
        "    ein_model_trace = bare_many_layer;\n"
        f"    for (uint32_t v = 0; v < {len(vectors)}; v++) {{\n"
        f"        bare_many_begin(arena, {placed.size});\n"
        f"        ein_model_infer(arena, {', '.join(arguments)});\n    }}\n}}\n"
    )
    return placed.size, output_bytes


def _output_ends(graph: Graph) -> tuple[list[int], int]:
    """How far before the common end each output begins, and bytes for all: in one place where
    nothing reads them, which leaves RAM for models of hundreds of outputs."""
    read = {t.index for op in graph.ops for t in op.inputs}
    sizes = [t.size for t in graph.outputs]
    if not any(t.index in read for t in graph.outputs):
        return sizes, max(sizes)
    ends = np.cumsum(sizes).tolist()
    assert ends[-1] <= OUTPUT_BYTES, "outputs that are read again must fit beside each other"
    return ends, ends[-1]


def _flags(place: str) -> list[str]:
    if place in (HOST, SIMD):
        return ["gcc", *SANITIZE, *WARNINGS, *(simd_flags() if place == SIMD else ())]
    return [*TARGETS[place].compiler, "-O2", *WARNINGS, *SECTIONS]


def _link(place: str) -> list[str]:
    if place in (HOST, SIMD):
        return []
    script = f"-T{BARE / f'bare_{TARGETS[place].machine}.ld'}"
    return ["-nostdlib", "-Wl,--gc-sections,--no-warn-rwx-segments", script, BARE_LIBRARY, "-lgcc"]


@cache
def _kernels(place: str, folder: Path) -> tuple[Path, ...]:
    """The engine's kernels and the CRC for a place, compiled once."""
    objects = folder / place
    objects.mkdir(parents=True)
    sources = [*sorted(ENGINE.glob("ein_nn_*.c")), FIRMWARE / "wire" / "ein_crc32.c"]
    _checked([*_flags(place), f"-I{ENGINE}", "-c", *map(str, sources)], objects)
    return tuple(objects / f"{s.stem}.o" for s in sources)


def _checked(command: list[str], cwd: Path) -> str:
    done = subprocess.run(
        command, capture_output=True, text=True, check=False, timeout=HANG_S, cwd=cwd,
        stdin=subprocess.DEVNULL,
    )  # fmt: skip
    assert done.returncode == 0, f"{command[0]} failed:\n{done.stderr[-4000:]}"
    return done.stdout
