"""How busy a chip is, and the current that this means: computed from data sheets, not measured.

    python -m einthoven.codegen.testing.duty_cycle

Instructions of signal path and inference are counted in QEMU, at two heart rates. Cycles an
instruction, and with them everything behind, are an estimate.
"""

import sys
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from einthoven.codegen import model
from einthoven.codegen.testing import bare_target, core_bench
from einthoven.codegen.testing.random_models import noise
from einthoven.native import core
from einthoven.no_arguments import no_arguments
from einthoven.paths import SHIPPED_MODEL
from einthoven.records import synth

BEATS_PER_MINUTE = (75, 200)
MOST_BUSY = 0.75
"""A clock suffices if it leaves a quarter of the time at the higher heart rate."""
SECONDS = 60


@dataclass(frozen=True)
class Chip:
    """What data sheets say of a chip. Currents in mA, typical, 25 °C, peripherals off."""

    name: str
    target: str
    """Of `bare_target.TARGETS`, whose instructions it executes."""
    cycles_per_instruction: float
    clocks_mhz: tuple[float, ...]
    currents_ma: Mapping[float, tuple[float, float]]
    """By clock: running from flash, and asleep with the clocks on. Between two: interpolated."""
    stopped_ma: float | None
    """RAM kept, clocks off, woken by a timer."""
    source: str


_HSI_DIVIDED = (16.0, 8.0, 4.0, 2.0, 1.0)
CHIPS = (
    Chip(
        "STM32F405", "m4", 1.75, _HSI_DIVIDED, {}, None,
        "ST DS8626; its tables of currents were not at hand",
    ),
    Chip(
        "STM32F411", "m4", 1.75, _HSI_DIVIDED, {16.0: (1.9, 0.4), 1.0: (0.7, 0.3)}, 0.043,
        "ST DS10314: tables 23 (Run, flash accelerator on, HSI, no PLL), 26 (Sleep), 28 (Stop)",
    ),
    Chip(
        "ESP32-C3", "rv32", 1.5, (80.0,), {80.0: (17.0, 13.0)}, 0.13,
        "Espressif ESP32-C3 data sheet 2.2: currents in Modem-sleep (radio off) and Light-sleep",
    ),
)  # fmt: skip


@dataclass(frozen=True)
class Work:
    """Instructions: a sample, by beats per minute, and an inference."""

    per_sample: Mapping[int, float]
    per_inference: int


def duty(chip: Chip, work: Work, clock_mhz: float, beats_per_minute: int) -> float:
    """Share of the time in which the chip is not asleep; above 1 the clock does not suffice."""
    a_second = (
        work.per_sample[beats_per_minute] * core.rate_hz()
        + work.per_inference * beats_per_minute / 60
    )
    return a_second * chip.cycles_per_instruction / (clock_mhz * 1e6)


def lowest_clock(chip: Chip, work: Work) -> float:
    """The lowest of the chip's clocks, in MHz, that suffices; the highest if none does."""
    enough = [c for c in chip.clocks_mhz if duty(chip, work, c, max(BEATS_PER_MINUTE)) <= MOST_BUSY]
    return min(enough, default=max(chip.clocks_mhz))


def currents(chip: Chip, clock_mhz: float) -> tuple[float, float] | None:
    """mA running and asleep at a clock, between the data sheet's rows on a line; None: no rows."""
    rows = sorted(chip.currents_ma)
    if not rows:
        return None
    run, sleep = (
        float(np.interp(clock_mhz, rows, [chip.currents_ma[r][i] for r in rows])) for i in (0, 1)
    )
    return run, sleep


def mean_ma(busy: float, run_ma: float, rest_ma: float) -> float:
    """Mean current of a chip that is busy for a share of the time."""
    return busy * run_ma + (1 - busy) * rest_ma


def count(target: str, folder: Path) -> Work:
    """Work of the core on a synthetic minute a heart rate, and of the shipped model."""
    folder.mkdir(parents=True)
    elf = core_bench.build(target, folder)
    per_sample = {}
    for beats in BEATS_PER_MINUTE:
        made = synth.make_record(1, SECONDS, core.rate_hz(), heart_rate_bpm=beats)
        found = core_bench.measure(elf, target, made.samples)
        per_sample[beats] = found.instructions / found.samples
    graph = model.load(SHIPPED_MODEL).graph
    inputs = [noise((t.length, t.channels), 4, 1) for t in graph.inputs]
    result = bare_target.run(graph, inputs, target, folder / "model")
    return Work(per_sample, max(result.instructions))


def rows(chip: Chip, work: Work) -> list[str]:
    """The chip's lines of the table: at its lowest sufficient clock, and at its highest."""
    lines = []
    for clock in sorted({lowest_clock(chip, work), max(chip.clocks_mhz)}):
        ma = currents(chip, clock)
        ms = work.per_inference * chip.cycles_per_instruction / (clock * 1e3)
        cells = [f"{chip.name:10}{clock:6.0f}{ms:9.0f}"]
        for beats in BEATS_PER_MINUTE:
            busy = duty(chip, work, clock, beats)
            asleep = f"{mean_ma(busy, *ma):9.2f}" if ma else f"{'–':>9}"
            stopped = (
                f"{mean_ma(busy, ma[0], chip.stopped_ma):9.2f}"
                if ma and chip.stopped_ma
                else f"{'–':>9}"
            )
            cells.append(f"{beats:6}{busy:7.0%}{asleep}{stopped}")
        lines += [cells[0] + cells[1], " " * len(cells[0]) + cells[2]]
    return lines


def main() -> int:
    """Count, compute, print."""
    print("computed from data sheets and instruction counts, not measured; mA without the ADC")
    print(f"{'chip':10}{'MHz':>6}{'ms/inf.':>9}{'bpm':>6}{'busy':>7}{'sleeping':>9}{'stopping':>9}")
    works: dict[str, Work] = {}
    with tempfile.TemporaryDirectory() as folder:
        for chip in CHIPS:
            if chip.target not in works:
                works[chip.target] = count(chip.target, Path(folder, chip.target))
            print("\n".join(rows(chip, works[chip.target])))
    for target, work in works.items():
        samples = ", ".join(f"{n:.0f} a sample at {b} bpm" for b, n in work.per_sample.items())
        print(f"{target}: {samples}, {work.per_inference:,} an inference")
    for chip in CHIPS:
        print(f"{chip.name}: {chip.cycles_per_instruction} cycles an instruction; {chip.source}")
    return 0


if __name__ == "__main__":
    no_arguments(__doc__)
    sys.exit(main())
