"""A study's int8 network on the emulated STM32F405: fits or not, to the bit or not, at what cost.

The network takes other input than the firmware's core delivers, so the program is the engine and
the beats alone (`codegen/testing/bare`): what is measured is the network. Weights are stored for
speed or for size; both are measured, since a chip takes the first if that fits, else the second.
"""

import csv
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, get_args

import numpy as np

from codegen.lower import Goal
from codegen.planner import plan
from codegen.testing import bare_target
from codegen.testing.bench import size_of
from codegen.testing.host_target import run_tflm
from einthoven.errors import BuildError
from einthoven.resources import HISTORY
from training.studies.examples import Floats
from training.studies.int8 import graph_of, quantize_input

KB = 1024
GOALS: tuple[Goal, ...] = get_args(Goal)
"""The faster first."""


@dataclass(frozen=True)
class Chip:
    """What an image may take of a chip or module."""

    name: str
    flash: int
    ram: int


EMULATED = Chip("STM32F405RG, its 1 MB", (1024 - 128) * KB, 128 * KB - 64)
"""All but the last sector, the slot of a patient's head: with a linker script of its own, since
boards/stm32f4/stm32f4.ld is for the smallest of the family. The program measured here has none."""

CHIPS = (
    EMULATED,
    Chip("STM32F405, F411CE, F446RE as built here", 384 * KB, 128 * KB - 64),
    Chip("ESP32, ESP32-C3", 1280 * KB, 320 * KB),
)
"""The second: boards/stm32f4/stm32f4.ld, which a test reads. The third: the application's partition
in Arduino's default table, and the smaller RAM of the two by its data sheet."""

FIRMWARE_BOARD = "qemu_stm32f405"
SHIPPED_FLASH = 44_092
"""Code and constants that the shipped model links on it, which a test measures as `measure` does a
study's."""


def rest() -> tuple[int, int]:
    """Flash and RAM of the firmware without its model, by the history's last row: bytes."""
    with HISTORY.open(newline="", encoding="utf-8") as file:
        row = [r for r in csv.DictReader(file) if r["board"] == FIRMWARE_BOARD][-1]
    return (
        int(row["flash_bytes"]) - SHIPPED_FLASH,
        int(row["ram_bytes"]) - int(row["arena_bytes"]),
    )


def measure(tflite: bytes, x: Floats, folder: Path) -> dict[str, Any]:
    """Run the model on `x`, [n, ...] real examples, in `folder`; by goal what it costs, for JSON.

    What the chip does not hold is not run: its `flash_bytes` are its weights. Raises ModelError,
    BuildError.
    """
    for tool in ("arm-none-eabi-gcc", "qemu-system-arm"):
        if shutil.which(tool) is None:
            raise BuildError(f"{tool} is not installed: see docs/boards.md")
    return {goal: _measure(tflite, x, folder / goal, goal) for goal in GOALS}


def _measure(tflite: bytes, x: Floats, folder: Path, goal: Goal) -> dict[str, Any]:
    graph = graph_of(tflite, goal)
    arena = plan(graph).size
    # Not known before it is linked, so from the weights: within a few percent.
    weights = sum(op.params * (2 if getattr(op, "wide", False) else 1) for op in graph.ops)
    facts = {
        "flash_bytes": weights,
        "arena_bytes": arena,
        "ram_bytes": arena + graph.inputs[0].size + graph.outputs[0].size,
    }
    if any(over({**facts, "flash_bytes": round(weights * 1.05)}, EMULATED).values()):
        return facts
    inputs = quantize_input(x, graph)
    expected = run_tflm(tflite, [inputs], 1)[0]
    result = bare_target.run(graph, [inputs], "m4", folder)
    size = size_of(folder / "bare.elf")
    return facts | {
        "flash_bytes": size.code + size.constants,
        "beats": len(inputs),
        "differing_values": int(np.count_nonzero(result.outputs != expected)),
        "instructions": int(np.median(result.instructions)),
    }


def by_size(params: int, activations: int) -> dict[str, Any]:
    """As `measure`, of a network that is too large to be built: a byte a weight and activation."""
    size = {"flash_bytes": params, "arena_bytes": activations, "ram_bytes": activations}
    return {GOALS[-1]: size}


def over(cost: Mapping[str, int], chip: Chip) -> dict[str, int]:
    """Bytes of "flash" and "RAM" by which network and firmware exceed the chip; 0 where not."""
    flash, ram = rest()
    return {
        "flash": max(0, cost["flash_bytes"] + flash - chip.flash),
        "RAM": max(0, cost["ram_bytes"] + ram - chip.ram),
    }


def goal_for(costs: Mapping[str, Mapping[str, int]], chip: Chip) -> str | None:
    """How its weights are stored on `chip`: for speed if that fits, else for size, else None."""
    fitting = (g for g in GOALS if g in costs and not any(over(costs[g], chip).values()))
    return next(fitting, None)
