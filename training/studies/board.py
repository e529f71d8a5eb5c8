"""A study's int8 network in the emulated STM32F405's firmware: fits or not, to the bit or not.

Weights are stored for speed or for size; both are measured, since a chip takes the first if that
fits, else the second.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from einthoven.boards.board import load_board
from einthoven.codegen.engine.lower import Goal
from einthoven.codegen.engine.planner import plan
from einthoven.codegen.network import graph_of
from einthoven.errors import TooLargeError
from einthoven.hil_tests.harness.network import GOALS, answers, build_in
from einthoven.training.studies.replay import Case, costs

KB = 1024
BOARD = "qemu_stm32f405"


@dataclass(frozen=True)
class Chip:
    """What an image may take of a chip or module."""

    name: str
    flash: int
    ram: int


EMULATED = Chip("STM32F405RG", 896 * KB, 128 * KB - 64)

CHIPS = (
    EMULATED,
    Chip("STM32F411CE, F446RE", 384 * KB, 128 * KB - 64),
    Chip("ESP32, ESP32-C3", 1280 * KB, 320 * KB),
)
"""The first two: by boards/stm32f4/stm32f4.ld, which a test reads. The third: the application's
partition in Arduino's default table, and the smaller RAM of the two by its data sheet."""


def measure(case: Case, beats: int, folder: Path) -> dict[str, Any]:
    """Replay `beats` examples on the board, built in `folder`; by goal what it costs, for JSON.

    What the chip does not hold is not run: what it would need is by the linker's message. Raises
    ModelError, BuildError, BoardError.
    """
    return {goal: _measure(case, beats, folder, goal) for goal in GOALS}


def _measure(case: Case, beats: int, folder: Path, goal: Goal) -> dict[str, Any]:
    try:
        carried = build_in(load_board(BOARD), case.name, case.tflite, folder, (goal,))
    except TooLargeError as error:
        return {**needed(error.missing), "arena_bytes": plan(graph_of(case.tflite, goal)).size}
    found = answers(carried, case.inputs(beats))
    facts = costs(carried, found)
    kept = ("flash_bytes", "ram_bytes", "arena_bytes", "differing")
    return {
        **{key: facts[key] for key in kept},
        "beats": len(found.outputs),
        "instructions": facts["count_per_inference"],
    }


def needed(missing: Mapping[str, int]) -> dict[str, int]:
    """What an image would take of the emulated chip, in bytes, that lacks so much; as `measure`."""
    has = {"FLASH": ("flash_bytes", EMULATED.flash), "RAM": ("ram_bytes", EMULATED.ram)}
    return {has[region][0]: has[region][1] + n for region, n in missing.items()}


def by_size(params: int, activations: int) -> dict[str, Any]:
    """As `measure`, of a network that is too large to be built: a byte a weight and activation."""
    size = {"flash_bytes": params, "arena_bytes": activations, "ram_bytes": activations}
    return {GOALS[-1]: size}


def over(cost: Mapping[str, int], chip: Chip) -> dict[str, int]:
    """Bytes of "flash" and "RAM" by which an image exceeds the chip; 0 where not."""
    return {
        "flash": max(0, cost.get("flash_bytes", 0) - chip.flash),
        "RAM": max(0, cost.get("ram_bytes", 0) - chip.ram),
    }


def goal_for(costs: Mapping[str, Mapping[str, int]], chip: Chip) -> str | None:
    """How its weights are stored on `chip`: for speed if that fits, else for size, else None."""
    fitting = (g for g in GOALS if g in costs and not any(over(costs[g], chip).values()))
    return next(fitting, None)
