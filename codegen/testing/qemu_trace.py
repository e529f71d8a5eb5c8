"""What an emulated core executed: the address of every instruction, and of its first access.

QEMU calls a plugin (`qemu_trace.c`, compiled here) for each of them; a million takes a quarter of a
second.
"""

import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from einthoven.codegen.testing.tools import run

PLUGIN = Path(__file__).with_name("qemu_trace.c")
COUNTER = 0x40000024
"""TIM2's count, which the harness on the Cortex-M4 reads around what it measures (bare_stm32.c)."""


@dataclass(frozen=True)
class Trace:
    """uint32[n] each: addresses of instructions, and of their first access to memory or 0."""

    address: NDArray[np.uint32]
    data: NDArray[np.uint32]

    def __len__(self) -> int:
        return len(self.address)

    def __getitem__(self, part: slice) -> "Trace":
        return Trace(self.address[part], self.data[part])

    def counted(self) -> list[int]:
        """Where the program read the counter: between two lies as much as their difference."""
        return np.flatnonzero(self.data == COUNTER).tolist()


def trace(command: Sequence[str], reads: int | None = None) -> Trace:
    """Run QEMU's `command`, and trace it until its read of the counter of that number.

    Raises BuildError.
    """
    with tempfile.TemporaryDirectory() as folder:
        library, log = Path(folder) / "qemu_trace.so", Path(folder) / "steps"
        run(["gcc", "-O2", "-shared", "-fPIC", "-Wall", "-Wextra", "-Werror", str(PLUGIN), "-o",
             str(library)])  # fmt: skip
        options = [str(library), f"out={log}"]
        if reads is not None:
            options += [f"counter={COUNTER:#x}", f"reads={reads}"]
        run([command[0], "-plugin", ",".join(options), *command[1:]])
        steps = np.fromfile(log, dtype="<u4").reshape(-1, 2)
    return Trace(steps[:, 0], steps[:, 1])
