"""A study's int8 network on the emulated STM32F405: fits or not, to the bit or not, at what cost.

The network takes other input than the firmware's core delivers, so the program is the engine and
the beats alone (`codegen/testing/bare`): what is measured is the network.
"""

import shutil
from pathlib import Path
from typing import Any

import numpy as np

from codegen.planner import plan
from codegen.testing import bare_target
from codegen.testing.bench import size_of
from codegen.testing.host_target import run_tflm
from einthoven.errors import BuildError
from training.studies.examples import Floats
from training.studies.int8 import graph_of, quantize_input

FLASH, RAM = 1024 * 1024, 128 * 1024
"""Of the STM32F405RG that the emulated board is."""

REST_FLASH, REST_RAM = 20 * 1024, 12 * 1024
"""What the firmware takes without its model, rounded up: `einthoven size` (63.5 and 14.9 KB) less
the shipped model's code, constants and arena (docs/engine.md)."""

CHIPS = {
    "STM32F405RG": (FLASH, RAM),
    "STM32F446RE": (512 * 1024, 128 * 1024),
    "STM32F411CE": (512 * 1024, 128 * 1024),
    "ESP32, 4 MB": (4096 * 1024, 320 * 1024),
    "ESP32-C3, 4 MB": (4096 * 1024, 400 * 1024),
}
"""Flash and RAM of the boards' chips and modules, by their data sheets."""


def measure(tflite: bytes, x: Floats, folder: Path) -> dict[str, Any]:
    """Run the model on `x`, [n, ...] real examples, in `folder`; what the page needs, for JSON.

    Weights are stored for speed if that fits the chip, else for size; a model that fits neither way
    is not run: `over_flash_bytes` and `over_ram_bytes` say by how much. Raises ModelError,
    BuildError.
    """
    for tool in ("arm-none-eabi-gcc", "qemu-system-arm"):
        if shutil.which(tool) is None:
            raise BuildError(f"{tool} is not installed: see docs/boards.md")
    for goal in ("speed", "size"):
        graph = graph_of(tflite, goal)
        ram = plan(graph).size + graph.inputs[0].size + graph.outputs[0].size
        # Not known before it is linked, so from the weights: within a few percent.
        flash = sum(op.params * (2 if getattr(op, "wide", False) else 1) for op in graph.ops)
        if flash * 1.05 + REST_FLASH < FLASH:
            break
    facts: dict[str, Any] = {
        "optimize": goal,
        "arena_bytes": plan(graph).size,
        "ram_bytes": ram,
        "over_ram_bytes": max(0, ram + REST_RAM - RAM),
    }
    if flash + REST_FLASH > FLASH or facts["over_ram_bytes"]:
        over = max(0, flash + REST_FLASH - FLASH)
        return facts | {"flash_bytes": flash, "over_flash_bytes": over, "fits": fits(flash, ram)}
    inputs = quantize_input(x, graph)
    expected = run_tflm(tflite, [inputs], 1)[0]
    result = bare_target.run(graph, [inputs], "m4", folder)
    size = size_of(folder / "bare.elf")
    flash = size.code + size.constants
    return facts | {
        "flash_bytes": flash,
        "over_flash_bytes": 0,
        "fits": fits(flash, ram),
        "beats": len(inputs),
        "differing_values": int(np.count_nonzero(result.outputs != expected)),
        "instructions": int(np.median(result.instructions)),
    }


def by_size(params: int, activations: int) -> dict[str, Any]:
    """As `measure`, of a network that is too large to be built: a byte a weight and activation."""
    return {
        "optimize": "size",
        "arena_bytes": activations,
        "ram_bytes": activations,
        "over_ram_bytes": max(0, activations + REST_RAM - RAM),
        "flash_bytes": params,
        "over_flash_bytes": max(0, params + REST_FLASH - FLASH),
        "fits": fits(params, activations),
    }


def fits(flash: int, ram: int) -> list[str]:
    """Chips that hold such a network beside the rest of the firmware."""
    return [
        name
        for name, (has_flash, has_ram) in CHIPS.items()
        if flash + REST_FLASH <= has_flash and ram + REST_RAM <= has_ram
    ]
