"""`make work BASE=COMMIT`: a device's work per hour of ECG, this tree's beside an older one's.

    python -m einthoven.codegen.testing.work_bench COMMIT --records 100,208   of two records
    python -m einthoven.codegen.testing.work_bench COMMIT                     of MIT-BIH's 48
    python -m einthoven.codegen.testing.work_bench COMMIT --once  in a quarter of the time

The C of both trees (the older one's by `git archive`, with the model that it ships) is compiled
with the firmware's flags and run over whole records on the emulated STM32F405: every instruction of
signal path, gate and network, vote and confidence is counted, nothing is extrapolated. What stands
beside these in a session (rhythm, strip, log, link) is not in it. A quarter of a minute of
processor time a record; `--jobs` records at a time. With `--once` a record's first inference is
counted and taken for the others, since all take the same number (docs/performance.md, "Worst
case"); the gate is still run for every beat.
"""

import argparse
import subprocess
import sys
import tarfile
import tempfile
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from einthoven.codegen.model import export
from einthoven.codegen.testing import core_bench
from einthoven.codegen.testing.bare_target import BARE, SECTIONS, TARGETS, WARNINGS
from einthoven.codegen.testing.tools import run
from einthoven.errors import EinthovenError, UsageError
from einthoven.native import core
from einthoven.paths import FIRMWARE, ROOT, require_checkout
from einthoven.records.adc import to_board
from einthoven.records.database import DEFAULT_DATABASE, record_names
from einthoven.records.download import find_database
from einthoven.records.record import read_record

TARGET = "m4"
HOUR_S = 3600.0
_ROOMS = ("core", "engine", "generated")
_JUDGES = ("ein_vote.c", "ein_confidence.c", "ein_gate.c")


@dataclass(frozen=True)
class Work:
    """Instructions of so many seconds of ECG."""

    seconds: float
    path: int
    classifying: int
    judging: int
    beats: int
    inferences: int

    @property
    def per_hour(self) -> float:
        """Of all three stages."""
        return (self.path + self.classifying + self.judging) * HOUR_S / self.seconds

    @classmethod
    def sum(cls, parts: Sequence["Work"]) -> "Work":
        """Of several records together."""
        names = cls.__dataclass_fields__
        return cls(*(sum(getattr(part, name) for part in parts) for name in names))


def older(commit: str, folder: Path) -> Path:
    """`firmware/` of a commit, put below `folder`. Raises UsageError."""
    command = ["git", "-C", str(ROOT), "archive", commit, "firmware"]
    done = subprocess.run(command, capture_output=True, check=False)
    if done.returncode != 0:
        raise UsageError(f"there is no commit {commit} here: name one with BASE=…")
    with tarfile.open(fileobj=BytesIO(done.stdout)) as archive:
        archive.extractall(folder, filter="data")
    return folder / "firmware"


def build(firmware: Path, folder: Path, once: bool = False, model: Path | None = None) -> Path:
    """Compile and link what judges beats in a tree's `firmware`. Raises BuildError.

    `once`: the network for the first beat only; `model`: a generated one, instead of the tree's.
    """
    chosen, elf = TARGETS[TARGET], folder / "work.elf"
    gated = (firmware / "app" / "ein_gate.h").exists()
    rooms = [firmware / room for room in (*_ROOMS, "app", "rhythm") if (firmware / room).is_dir()]
    sources = [path for room in _ROOMS[:2] for path in sorted((firmware / room).glob("ein_*.c"))]
    sources += [path for name in _JUDGES if (path := firmware / "app" / name).exists()]
    model = model or firmware / "generated"
    sources += sorted(model.glob("ein_gate_net.c"))
    at = core_bench.ORIGIN[TARGET] + core_bench.RECORD_OFFSET
    run([
        *chosen.compiler, *WARNINGS, *core_bench.FIRMWARE_FLAGS, *SECTIONS,
        *core_bench.LIBRARY[TARGET], "-nostartfiles", f"-DCORE_RECORD={at:#x}u",
        *(["-DWORK_GATE"] if gated else []), *(["-DWORK_ONCE"] if once else []),
        f"-I{BARE}", *(f"-I{room}" for room in (model, *rooms)),
        f"-T{BARE / f'bare_{chosen.machine}.ld'}", "-Wl,--gc-sections,--no-warn-rwx-segments",
        str(BARE / "bare_work.c"), str(BARE / f"bare_{chosen.machine}.c"), *map(str, sources),
        str(model / "ein_model.c"), "-o", str(elf),
    ])  # fmt: skip
    return elf


def measure(elf: Path, samples: NDArray[np.int16], name: str) -> Work:
    """Run the program over `samples` (counts of 200 per mV, at the core's rate)."""
    command = core_bench.emulator(elf, TARGET, samples, elf.with_name(f"{name}.record"))
    words = [int(word, 16) for word in run(command).split()]
    high, low = words[0:6:2], words[1:6:2]
    counts = [(h << 32) + part for h, part in zip(high, low, strict=True)]
    return Work(len(samples) / core.rate_hz(), *counts, *words[6:8])


def _records(data: Path | None, selection: str) -> Iterator[tuple[str, NDArray[np.int16]]]:
    folder = find_database(data, DEFAULT_DATABASE, selection)
    for name in record_names(folder, selection):
        record = read_record(folder, name)
        rate_hz, gain, bits = core.rate_hz(), core_bench.GAIN_LSB_PER_MV, core_bench.BITS
        yield name, to_board(record, rate_hz, gain, bits)


def _row(name: str, old: Work, new: Work) -> str:
    run = new.inferences / max(1, new.beats)
    return (
        f"{name:8}{new.beats:9,}{run:12.1%}{old.per_hour / 1e6:13,.1f}{new.per_hour / 1e6:13,.1f}"
        f"{new.per_hour / old.per_hour:9.3f}"
    )


def _stages(old: Work, new: Work) -> Iterator[str]:
    named = {
        "signal path": ("path", "of a sample"),
        "gate and network": ("classifying", "of a beat"),
        "vote and confidence": ("judging", "of a beat"),
    }
    for words, (stage, unit) in named.items():
        cells = []
        for work in (old, new):
            total = int(getattr(work, stage))
            each = work.seconds * core.rate_hz() if stage == "path" else work.beats
            hour = total * HOUR_S / work.seconds / 1e6
            cells.append(f"{hour:10,.1f} ({total / each:,.0f} {unit})")
        yield f"{words:22}{cells[0]:>32}{cells[1]:>32}"


def main(argv: list[str] | None = None) -> int:
    """Print the tables; exit code 2 for what a user can cause."""
    parser = argparse.ArgumentParser(
        prog="python -m einthoven.codegen.testing.work_bench", description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )  # fmt: skip
    parser.add_argument("base", help="commit of the older tree")
    parser.add_argument("--records", default="all", help="as `einthoven replay` takes them")
    parser.add_argument("--data", type=Path, help="folder of databases")
    parser.add_argument("--once", action="store_true", help="count one inference a record")
    parser.add_argument("--model", type=Path, help="a model's folder, instead of the shipped one")
    parser.add_argument("--jobs", type=int, default=2, help="records at a time (default 2)")
    args = parser.parse_args(argv)
    try:
        require_checkout("an older commit")
        with tempfile.TemporaryDirectory() as folder:
            _report(args, Path(folder))
    except EinthovenError as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    return 0


def _report(args: argparse.Namespace, folder: Path) -> None:
    programs = []
    made = None
    if args.model is not None:
        made = folder / "model"
        export(args.model, made)
    for name, firmware, model in (("old", older(args.base, folder), None), ("new", FIRMWARE, made)):
        (folder / name).mkdir()
        programs.append(build(firmware, folder / name, args.once, model))

    def both(record: tuple[str, NDArray[np.int16]]) -> tuple[str, Work, Work]:
        name, samples = record
        old, new = (measure(program, samples, name) for program in programs)
        return name, old, new

    print("millions of instructions per hour of ECG, Cortex-M4 (QEMU, -icount shift=0)")
    print(f"{'record':8}{'beats':>9}{'network run':>12}{'old':>13}{'new':>13}{'ratio':>9}")
    found: list[tuple[Work, Work]] = []
    with ThreadPoolExecutor(max(1, args.jobs)) as pool:
        for name, old, new in pool.map(both, _records(args.data, args.records)):
            print(_row(name, old, new), flush=True)
            found.append((old, new))
    old, new = (Work.sum(side) for side in zip(*found, strict=True))
    print(_row("all", old, new))
    print()
    print(f"{'':22}{'old, M an hour':>32}{'new, M an hour':>32}")
    print("\n".join(_stages(old, new)))
    each = [new.per_hour / old.per_hour for old, new in found]
    print(f"mean of the records' ratios {np.mean(each):.3f}")
    print(
        f"instructions per hour of ECG: {new.per_hour:,.0f} / {old.per_hour:,.0f} = "
        f"{new.per_hour / old.per_hour:.3f}"
    )


if __name__ == "__main__":
    sys.exit(main())
