"""What an emulated Cortex-M4 does while the harness counts, and its cycles by the model."""

from pathlib import Path

import numpy as np

from einthoven.codegen.testing.bare_target import TARGETS
from einthoven.codegen.testing.m4_cycles import (
    F405_168_MHZ,
    FLASH,
    NO_WAITS,
    Memory,
    Steps,
    cycles,
)
from einthoven.codegen.testing.m4_decode import decoded
from einthoven.codegen.testing.qemu_trace import trace
from einthoven.codegen.testing.tools import symbols

MEMORIES = ("0 wait states", "F405, 168 MHz", "F405, weights in RAM")
"""Where cycles of the model are shown: the core alone, and a chip with all in flash, or with the
constants in RAM or core-coupled memory, where `weights` of a board.toml puts those that fit."""

MOST_STEPS = 5_000_000
"""So many take a gigabyte of memory."""


def constants(elf: Path) -> range:
    """Where a program's constants lie: bare_stm32.ld puts them last."""
    functions = (s for s in symbols(elf) if s["st_info"]["type"] == "STT_FUNC")
    return range(max(s["st_value"] + s["st_size"] for s in functions), FLASH.stop)


def memories(elf: Path) -> dict[str, Memory]:
    """Those of `MEMORIES` for a program."""
    in_ram = Memory(F405_168_MHZ.wait_states, (constants(elf),))
    return dict(zip(MEMORIES, (NO_WAITS, F405_168_MHZ, in_ram), strict=True))


def first_counted(elf: Path) -> Steps:
    """Of a program of `bare_target`, what lies between its first two readings of the counter.

    As many steps as the readings differ by. Raises BuildError.
    """
    taken = trace([*TARGETS["m4"].emulator, str(elf)], reads=2)
    begin, end = taken.counted()
    return decoded(taken[begin:end], elf)


def cycles_of(elf: Path) -> dict[str, int]:
    """The same steps' cycles in each of `MEMORIES`. Raises BuildError."""
    steps = first_counted(elf)
    return {name: int(cycles(steps, memory).sum()) for name, memory in memories(elf).items()}


def cycles_between_readings(elf: Path) -> dict[str, list[int]]:
    """Of a whole program, what passes from each reading of the counter to the next."""
    taken = trace([*TARGETS["m4"].emulator, str(elf)])
    reads = taken.counted()
    steps = decoded(taken[reads[0] : reads[-1]], elf)
    starts = np.array(reads[:-1]) - reads[0]
    return {
        name: np.add.reduceat(cycles(steps, memory), starts).tolist()
        for name, memory in memories(elf).items()
    }
