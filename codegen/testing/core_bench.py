"""What the signal path costs: instructions per sample in QEMU, by stage, without the model.

    python -m einthoven.codegen.testing.core_bench
        a synthetic minute, stage by stage
    python -m einthoven.codegen.testing.core_bench --records 100,208
        two minutes of records, stage by stage
    python -m einthoven.codegen.testing.core_bench --records all --longest
                                      whole records: mean and longest sample of each, no stages

A bare program runs `firmware/core` as it is, with the firmware's compiler flags and the C library's
copies and divisions. For the stages QEMU writes down every instruction (`qemu_trace.py`), which
belongs to the function that the debug information names, inlined ones included, and so to a stage,
which is a module of the core; a library function's to the stage that called it. The filters are
told apart.
"""

import argparse
import struct
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from einthoven.codegen.testing import qemu_trace
from einthoven.codegen.testing.bare_target import BARE, SECTIONS, TARGETS, WARNINGS
from einthoven.codegen.testing.tools import run
from einthoven.errors import EinthovenError, UsageError
from einthoven.native import core
from einthoven.paths import FIRMWARE, GENERATED
from einthoven.records import synth
from einthoven.records.adc import to_board
from einthoven.records.database import DEFAULT_DATABASE, record_names
from einthoven.records.download import find_database
from einthoven.records.record import read_record

CORE = FIRMWARE / "core"
FIRMWARE_FLAGS = ("-O2", "-g", "-DNDEBUG")
"""As in firmware/platformio.ini."""
LIBRARY = {"m4": ("--specs=nano.specs",), "rv32": ()}
"""The firmware's C library, where the target's compiler does not name it already."""
RECORD_OFFSET = 0x20000
"""Where a record lies behind the program's start; the rest of 1 MB is for it."""
MAX_SAMPLES = (0x100000 - RECORD_OFFSET) // 2 - 8
GAIN_LSB_PER_MV, RAILS, BITS = synth.GAIN_LSB_PER_MV, (-2048, 2047), 12
SPLIT_OFF = "ein_filter.h"
HELPERS = (SPLIT_OFF, "ein_ring.h", "ein_fixed.h", "ein_pair.h")
"""Inlined in many places, and part of the stage that they are inlined in."""
SAMPLE, OVER = "one_sample", "bare_exit"
"""Functions of bare_core.c: a sample begins, the record is over."""

ORIGIN = {"m4": 0x08000000, "rv32": 0x80000000}
_HARNESS, _LIBRARY = -1, -2

Int16 = NDArray[np.int16]


@dataclass(frozen=True)
class Total:
    """Instructions of a record; times in samples."""

    samples: int
    instructions: int
    longest: int
    longest_at: int
    beats_at_once: int | None = None
    """Most beats that became due at one sample, each of them an inference; a trace cannot tell."""


@dataclass
class Stage:
    """Instructions in one module, or in its filter."""

    total: int = 0
    longest: int = 0
    """Of them in the sample that took the most in all."""
    functions: Counter[str] = field(default_factory=Counter)


def build(target: str, folder: Path) -> Path:
    """Compile and link the core with its harness. Raises BuildError."""
    chosen, elf = TARGETS[target], folder / f"core_{target}.elf"
    sources = sorted(CORE.glob("ein_*.c"))
    run([
        *chosen.compiler, *WARNINGS, *FIRMWARE_FLAGS, *SECTIONS, *LIBRARY[target], "-nostartfiles",
        f"-DCORE_RECORD={ORIGIN[target] + RECORD_OFFSET:#x}u",
        *(f"-I{d}" for d in (BARE, CORE, GENERATED)),
        f"-T{BARE / f'bare_{chosen.machine}.ld'}", "-Wl,--gc-sections,--no-warn-rwx-segments",
        str(BARE / "bare_core.c"), str(BARE / f"bare_{chosen.machine}.c"), *map(str, sources),
        "-o", str(elf),
    ])  # fmt: skip
    return elf


def measure(elf: Path, target: str, samples: Int16) -> Total:
    """Run the core over `samples` (counts of 200 per mV)."""
    words = run(emulator(elf, target, samples)).split()
    high, low, longest, at, beats = (int(word, 16) for word in words)
    return Total(len(samples), (high << 32) + low, longest, at, beats)


def trace(elf: Path, target: str, samples: Int16) -> tuple[dict[str, Stage], Total]:
    """The stages by name, and the whole. Raises BuildError."""
    addresses = qemu_trace.trace(emulator(elf, target, samples)).address
    return _divided(addresses, _places(elf, target, np.unique(addresses)), len(samples))


@dataclass(frozen=True)
class _Place:
    stage: str
    function: str


def _places(elf: Path, target: str, addresses: NDArray[np.uint32]) -> dict[int, _Place]:
    """Stage and function of each address; the stage is empty for harness and library."""
    tool = TARGETS[target].compiler[0].replace("gcc", "addr2line")
    text = run([tool, "-e", str(elf), "-a", "-f", "-i", *map(hex, addresses.tolist())])
    places = {}
    for block in text.split("0x")[1:]:
        address, *lines = block.splitlines()
        # function and file, the innermost of what was inlined first
        frames = [
            (f, Path(at.rpartition(":")[0])) for f, at in zip(*[iter(lines)] * 2, strict=True)
        ]
        own = [(f, at) for f, at in frames if at.name not in HELPERS]
        function, file = (own or frames)[0]
        stage = file.stem if (CORE / file.name).exists() else ""
        if stage and any(at.name == SPLIT_OFF for _, at in frames):
            stage = f"{stage}: {SPLIT_OFF}"
        # harness and library by the function that was called, whatever was inlined into it
        places[int(address, 16)] = _Place(stage, function if stage else frames[-1][0])
    return places


def _divided(
    addresses: NDArray[np.uint32], places: dict[int, _Place], n: int
) -> tuple[dict[str, Stage], Total]:
    unique, index = np.unique(addresses, return_inverse=True)
    found = [places[a] for a in unique.tolist()]
    names = sorted({p.stage for p in found if p.stage})
    functions = sorted({(p.stage, p.function) for p in found})
    harness = {p.function for p in found if not p.stage and _is_harness(p.function)}
    code = np.array([
        names.index(p.stage) if p.stage else _HARNESS if p.function in harness else _LIBRARY
        for p in found
    ])  # fmt: skip
    stage, name = code[index], np.array([functions.index((p.stage, p.function)) for p in found])
    # A library function belongs to the stage that ran last.
    last = np.maximum.accumulate(np.where(stage >= 0, np.arange(len(stage)), 0))
    stage = np.where(stage == _LIBRARY, stage[last], stage)
    entry = [a for a, p in zip(unique, found, strict=True) if p.function == SAMPLE][:1]
    over = [a for a, p in zip(unique, found, strict=True) if p.function == OVER][:1]
    sample = np.cumsum(addresses == entry[0]) - 1
    assert sample[-1] == n - 1, "the trace is not complete"
    inside = (stage >= 0) & (sample >= 0) & (np.cumsum(addresses == over[0]) == 0)
    per_sample = np.bincount(sample[inside], minlength=n)
    most = int(per_sample.argmax())
    stages = {s: Stage() for s in names}
    counts = Counter(zip(stage[inside].tolist(), name[index][inside].tolist(), strict=True))
    for (s, f), count in counts.items():
        stages[names[s]].total += count
        stages[names[s]].functions[functions[f][1]] += count
    for s, count in Counter(stage[inside & (sample == most)].tolist()).items():
        stages[names[s]].longest = count
    return stages, Total(n, int(per_sample.sum()), int(per_sample[most]), most)


def _is_harness(function: str) -> bool:
    return function.startswith("bare_") or function in (SAMPLE, "main", "put_hex", "semihost")


def emulator(elf: Path, target: str, samples: Int16, data: Path | None = None) -> list[str]:
    """The command that runs a program of `build` over `samples`, which go to the file `data`."""
    if not 0 < len(samples) <= MAX_SAMPLES:
        raise UsageError(f"a record of {len(samples):,} samples: up to {MAX_SAMPLES:,} fit")
    data = data or elf.with_suffix(".record")
    head = struct.pack("<IIii", len(samples), GAIN_LSB_PER_MV, *RAILS)
    data.write_bytes(head + samples.astype("<i2").tobytes())
    command = [*TARGETS[target].emulator, str(elf)]
    at = ORIGIN[target] + RECORD_OFFSET
    return [*command, "-device", f"loader,file={data},addr={at:#x},force-raw=on"]


def table(stages: dict[str, Stage], total: Total) -> str:
    """Instructions per sample by stage, with the functions that take 1 % or more of the whole."""
    n = total.samples
    lines = [
        f"{total.instructions / n:9.1f} instructions per sample, the longest of {n:,} samples "
        f"{total.longest:,}",
        f"{'mean':>9}{'share':>8}{'longest':>9}  stage and function",
    ]
    for name, stage in sorted(stages.items(), key=lambda item: -item[1].total):
        share = stage.total / total.instructions
        lines.append(f"{stage.total / n:9.1f}{share:8.1%}{stage.longest:9,}  {name}")
        lines += [
            f"{count / n:9.1f}{count / total.instructions:8.1%}{'':9}    {function}"
            for function, count in stage.functions.most_common()
            if count >= 0.01 * total.instructions
        ]
    return "\n".join(lines)


def _records(selection: str, data: Path | None, db: str) -> Iterator[tuple[str, Int16]]:
    rate_hz = core.rate_hz()
    if not selection:
        yield "synthetic minute", synth.make_record(seed=1, seconds=60, rate_hz=rate_hz).samples
        return
    folder = find_database(data, db, selection)
    for name in record_names(folder, selection):
        record = read_record(folder, name)
        yield name, to_board(record, rate_hz, GAIN_LSB_PER_MV, BITS)


def main(argv: list[str] | None = None) -> int:
    """Print the tables; exit code 2 for what a user can cause."""
    parser = argparse.ArgumentParser(
        prog="python -m einthoven.codegen.testing.core_bench", description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )  # fmt: skip
    parser.add_argument("--target", choices=sorted(ORIGIN), default="m4")
    parser.add_argument("--records", default="", help="as `einthoven replay` takes them")
    parser.add_argument("--data", type=Path, help="folder of WFDB records")
    parser.add_argument("--db", default=DEFAULT_DATABASE)
    parser.add_argument("--seconds", type=float, default=120.0, help="of each record, by stage")
    parser.add_argument("--longest", action="store_true", help="whole records, without stages")
    args = parser.parse_args(argv)
    try:
        with tempfile.TemporaryDirectory() as folder:
            _report(args, build(args.target, Path(folder)))
    except EinthovenError as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    return 0


def _report(args: argparse.Namespace, elf: Path) -> None:
    rate_hz = core.rate_hz()
    if args.longest:
        print(
            f"{'record':18}{'samples':>9}{'mean':>9}{'longest':>9}{'at, s':>8}{'beats at once':>15}"
        )
    for name, samples in _records(args.records, args.data, args.db):
        if args.longest:
            found = measure(elf, args.target, samples)
            print(
                f"{name:18}{found.samples:9,}{found.instructions / found.samples:9.1f}"
                f"{found.longest:9,}{found.longest_at / rate_hz:8.1f}{found.beats_at_once:15}",
                flush=True,
            )
        else:
            print(f"\n{name} on {args.target}:")
            print(table(*trace(elf, args.target, samples[: round(args.seconds * rate_hz)])))


if __name__ == "__main__":
    sys.exit(main())
