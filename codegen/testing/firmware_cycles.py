"""Cycles of an inference of the engine that the firmware is built with, by the model."""

import tempfile
from pathlib import Path

import numpy as np

from einthoven.codegen.model import SMALL
from einthoven.codegen.testing.bare_target import (
    ENGINE,
    WARNINGS,
    case_header,
    compile_objects,
    link_and_run,
)
from einthoven.codegen.testing.counted_steps import cycles_of
from einthoven.paths import FIRMWARE, GENERATED, model_c

MOST_BYTES = 4096
"""More than a beat's inputs or outputs. What they are does not matter to a Cortex-M4's count."""


def firmware_cycles(is_device: bool) -> dict[str, int]:
    """By memory, as `MEMORIES` names them; a device's engine is the small one, unless the user has
    a model of his own. Raises BuildError.
    """
    folder = FIRMWARE / SMALL if is_device and model_c() == GENERATED else model_c()
    flags = ("-O2", *(["-DEIN_NN_SMALL"] if is_device else []), f"-I{folder}", f"-I{GENERATED}")
    with tempfile.TemporaryDirectory() as scratch:
        build = Path(scratch)
        (build / "case.h").write_text(
            case_header(
                "ein_model.h",
                "EIN_MODEL_ARENA_BYTES",
                "ein_model_infer(arena, in, in, out)",
                np.zeros((1, MOST_BYTES), np.int8),
                MOST_BYTES,
            )
        )
        sources = [folder / "ein_model.c", *sorted(ENGINE.glob("ein_nn_*.c"))]
        compile_objects("m4", sources, (ENGINE,), build, (*flags, *WARNINGS))
        link_and_run("m4", build, flags)
        return cycles_of(build / "bare.elf")
