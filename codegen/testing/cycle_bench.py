"""Cycles of a Cortex-M4 by the model: an inference, and a sample of the signal path.

    python -m einthoven.codegen.testing.cycle_bench    shipped model, model R, a sample
    python -m einthoven.codegen.testing.cycle_bench FILE.tflite

Where code and constants lie decides on an STM32F405 at 168 MHz, whose flash has five wait states:
each placement has a row, and a model two tables, generated for speed and for size. Nothing of it is
measured on a chip; docs/performance.md, "Cycles", says how far the model is off.
"""

import argparse
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from einthoven.codegen.engine import reader
from einthoven.codegen.engine.graph import Graph
from einthoven.codegen.engine.lower import Goal, lower
from einthoven.codegen.library import read
from einthoven.codegen.testing import bare_target, core_bench
from einthoven.codegen.testing.counted_steps import constants, first_counted, memories
from einthoven.codegen.testing.m4_cycles import (
    F405_168_MHZ,
    FLASH,
    Memory,
    Steps,
    cycles,
)
from einthoven.codegen.testing.m4_decode import decoded
from einthoven.codegen.testing.model_r import model_r
from einthoven.codegen.testing.qemu_trace import COUNTER, trace
from einthoven.codegen.testing.random_models import noise
from einthoven.errors import EinthovenError
from einthoven.native import core
from einthoven.paths import SHIPPED_MODEL
from einthoven.records import synth

FLAGS: dict[Goal, tuple[str, ...]] = {"speed": ("-O2",), "size": ("-O2", "-DEIN_NN_SMALL")}
"""As the firmware has the engine, and a device's (`[device]` of firmware/platformio.ini)."""
SECONDS = 10
"""Of the record that samples are taken from."""


@dataclass(frozen=True)
class Measured:
    """A program's steps, of which those `inside` are counted, for `times` of what it does."""

    steps: Steps
    inside: NDArray[np.bool_]
    times: int
    placements: dict[str, Memory]

    @property
    def instructions(self) -> float:
        """Of one time."""
        return float(self.inside.sum()) / self.times

    def cycles(self, memory: Memory) -> float:
        """Of one time, by the model."""
        return float(cycles(self.steps, memory)[self.inside].sum()) / self.times


def inference(graph: Graph, folder: Path, flags: Sequence[str] = ("-O2",)) -> Measured:
    """Of a model."""
    inputs = [noise((t.length, t.channels), 4, i)[2:3] for i, t in enumerate(graph.inputs)]
    bare_target.run(graph, inputs, "m4", folder, flags)
    steps = first_counted(folder / "bare.elf")
    return Measured(steps, np.ones(len(steps), bool), 1, _placements(folder / "bare.elf"))


def sample(folder: Path) -> Measured:
    """Of the signal path, on a synthetic record whose samples lie in RAM, as an ADC's do."""
    elf = core_bench.build("m4", folder)
    record = synth.make_record(seed=1, seconds=SECONDS, rate_hz=core.rate_hz()).samples
    taken = trace(core_bench.emulator(elf, "m4", record))
    reads = taken.counted()
    steps = decoded(taken[reads[0] : reads[-1]], elf)
    # the counter is read before a sample and behind it
    inside = np.cumsum(steps.data == COUNTER) % 2 == 1
    at = core_bench.ORIGIN["m4"] + core_bench.RECORD_OFFSET
    return Measured(steps, inside, len(record), _placements(elf, range(at, FLASH.stop)))


def _placements(elf: Path, in_ram: range = range(0)) -> dict[str, Memory]:
    """By where the program's code and constants lie; `in_ram` lies there in any case."""
    code = Memory(F405_168_MHZ.wait_states, (range(FLASH.start, constants(elf).start),))
    found = memories(elf) | {"F405, code in RAM": code}
    return {name: replace(m, in_ram=(*m.in_ram, in_ram)) for name, m in found.items()}


def table(name: str, measured: Measured) -> str:
    """A row for each placement."""
    lines = [
        f"{name}: {measured.instructions:,.0f} instructions",
        f"{'cycles (model)':28}{'cycles':>12}{'an instruction':>16}{'µs at 168 MHz':>15}",
    ]
    for where, memory in measured.placements.items():
        spent = measured.cycles(memory)
        us = f"{spent / 168:15,.1f}" if memory.wait_states else ""
        lines.append(f"{where:28}{spent:12,.0f}{spent / measured.instructions:16.2f}{us}")
    return "\n".join(lines)


def main(argv: list[str] | None = None) -> int:
    """Print the tables; exit code 2 for what a user can cause."""
    parser = argparse.ArgumentParser(
        prog="python -m einthoven.codegen.testing.cycle_bench", description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )  # fmt: skip
    parser.add_argument("model", nargs="*", type=Path, help=".tflite files")
    chosen = parser.parse_args(argv).model
    try:
        models = {path.name: read(path)[0] for path in chosen} or {
            "shipped model": read(SHIPPED_MODEL / "model.tflite")[0],
            "model R": model_r(),
        }
        with tempfile.TemporaryDirectory() as folder:
            for number, (name, data) in enumerate(models.items()):
                for goal, flags in FLAGS.items():
                    graph = lower(reader.parse(data), goal)
                    found = inference(graph, Path(folder) / f"{number}-{goal}", flags)
                    print(table(f"{name} for {goal}, an inference", found), end="\n\n")
            if not chosen:
                print(table("signal path, a sample", sample(Path(folder))))
    except EinthovenError as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
