"""The models of a front end's part as a process beside an emulated chip (`boards/beside`)."""

import dataclasses
import os
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from einthoven.boards.board import Board
from einthoven.errors import BuildError, UsageError
from einthoven.paths import BOARDS, FIRMWARE, GENERATED

PARTS = ("ad8232", "ads1292r", "max30003")
_FOLDERS = (BOARDS / "models", FIRMWARE / "front_ends", GENERATED)


def image_for(board: Board, part: str) -> Board:
    """The emulated `board` with the image that has the driver of `part`: one SPI part has room."""
    if part != "max30003" or not board.environment.endswith("_device"):
        return board
    environment = board.environment.removesuffix("_device") + "_max30003"
    program = board.program.parent.parent / environment / board.program.name
    return dataclasses.replace(board, environment=environment, program=program)


def compile_models(folder: Path) -> Path:
    """The program, built into `folder`. Raises BuildError."""
    program = folder / "beside"
    sources = sorted((BOARDS / "models").glob("*.c")) + sorted((BOARDS / "beside").glob("*.c"))
    flags = ["-std=c99", "-O2", *(f"-I{room}" for room in (*_FOLDERS, BOARDS / "beside"))]
    names = [str(source) for source in sources if not source.name.startswith("test_")]
    try:
        subprocess.run(
            ["cc", *flags, *names, "-o", str(program)], check=True, capture_output=True, text=True
        )
    except FileNotFoundError as error:
        raise BuildError("no C compiler 'cc': install gcc (apt-get install gcc)") from error
    except subprocess.CalledProcessError as error:
        raise BuildError(f"the models do not compile: {error.stderr.strip()}") from error
    return program


@contextmanager
def with_front_end(
    board: Board, part: str, samples: NDArray[np.int16], folder: Path, faults: Sequence[str] = ()
) -> Iterator[Board]:
    """The emulated `board` with the model of `part` beside it, which sees `samples`.

    samples: (n,) at 180 Hz, 200 counts a millivolt, over and over; faults: lines of
    `boards/beside/script.h`; folder: for files. The board that is yielded may be started once.
    Raises UsageError for an unknown part or a board that has no semihosting, BuildError.
    """
    if part not in PARTS:
        raise UsageError(f"no front end '{part}': choose one of {', '.join(PARTS)}")
    if not any(word.startswith("enable=on") for word in board.command or ()):
        raise UsageError(f"{board.name} reaches no models: choose qemu_stm32f405_device")
    samples.astype("<i2").tofile(folder / "signal")
    (folder / "faults").write_text("".join(f"{line}\n" for line in faults))
    pipes = folder / "pipes"
    for end in (".out", ".in"):
        os.mkfifo(f"{pipes}{end}")
    words = [compile_models(folder), part, folder / "signal", pipes, folder / "faults"]
    with subprocess.Popen([str(word) for word in words]) as models:
        try:
            yield dataclasses.replace(board, command=_named(board, f"models:{pipes}"))
        finally:
            models.kill()


def with_file(board: Board, samples: Path) -> Board:
    """The emulated `board` that takes its samples from a file, as fast as it can."""
    return dataclasses.replace(board, command=_named(board, str(samples)))


def _named(board: Board, what: str) -> tuple[str, ...]:
    """The board's command, with `what` as the last word of the program's own."""
    words = []
    for word in board.command or ():
        if word.startswith("enable=on"):
            words.append(f"{word},arg=device,arg={what}")
        else:
            words.append("shift=0,sleep=off" if word == "shift=0" else word)
    return tuple(words)
