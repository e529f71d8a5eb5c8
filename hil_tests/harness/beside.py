"""Models as processes beside an emulated chip: a front end's part, and the flash of its log.

`boards/beside` and `boards/beside_flash`; the chip asks them over pipes, by semihosting.
"""

import dataclasses
import os
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from einthoven.boards.board import Board
from einthoven.errors import BuildError, UsageError
from einthoven.paths import BOARDS, FIRMWARE, GENERATED

PARTS = ("ad8232", "ads1292r", "max30003")
_LOG = FIRMWARE / "log"
_PART_ROOMS = (BOARDS / "models", FIRMWARE / "front_ends", GENERATED, BOARDS / "beside")
_FLASH_ROOMS = (_LOG, BOARDS / "beside_flash")


@dataclass(frozen=True)
class Flash:
    """A flash of equal sectors, in a file that outlasts the chip."""

    file: Path
    sectors: int
    sector_bytes: int
    cut: int = 0
    """The operation (a word, an erase) at which the power goes, from 1 on; -n: the n-th erase;
    0: it stays."""
    seed: int = 1
    """Of what that operation leaves."""


def image_for(board: Board, part: str | None, flash: bool = False) -> Board:
    """The emulated `board` with the image that has the driver of `part`: one SPI part has room.

    flash: and whose log is in a flash beside it. A board that has one image only stays as it is.
    """
    wanted = ("_max30003" if part == "max30003" else "") + ("_flash" if flash else "")
    if not wanted or not board.environment.endswith("_device"):
        return board
    environment = board.environment.removesuffix("_device") + wanted
    program = board.program.parent.parent / environment / board.program.name
    return dataclasses.replace(board, environment=environment, program=program)


def compile_models(folder: Path) -> Path:
    """The program of `boards/beside`, built into `folder`. Raises BuildError."""
    sources = [*(BOARDS / "models").glob("*.c"), *(BOARDS / "beside").glob("*.c")]
    return _compile(folder / "beside", sources, _PART_ROOMS)


def compile_flash(folder: Path) -> Path:
    """The program of `boards/beside_flash`, built into `folder`. Raises BuildError."""
    sources = [BOARDS / "beside_flash" / "main.c", _LOG / "test_flash.c"]
    return _compile(folder / "beside_flash", sources, _FLASH_ROOMS)


def _compile(program: Path, sources: Sequence[Path], rooms: Sequence[Path]) -> Path:
    names = [str(source) for source in sorted(sources) if source.name != "test_front_ends.c"]
    flags = ["-std=c99", "-O2", *(f"-I{room}" for room in rooms)]
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
    board: Board, part: str, samples: NDArray[np.int16], folder: Path, faults: Sequence[str] = (),
    clock_ppm: int = 0,
) -> Iterator[Board]:  # fmt: skip
    """The emulated `board` with the model of `part` beside it, which sees `samples`.

    samples: (n,) at 180 Hz, 200 counts a millivolt, over and over; faults: lines of
    `boards/beside/script.h`; clock_ppm: by how much the part's clock is fast; folder: for files.
    The board that is yielded may be started once.
    Raises UsageError for an unknown part or a board that has no semihosting, BuildError.
    """
    if part not in PARTS:
        raise UsageError(f"no front end '{part}': choose one of {', '.join(PARTS)}")
    if not any(word.startswith("enable=on") for word in board.command or ()):
        raise UsageError(f"{board.name} reaches no models: choose qemu_stm32f405_device")
    samples.astype("<i2").tofile(folder / "signal")
    (folder / "faults").write_text("".join(f"{line}\n" for line in faults))
    pipes = folder / "pipes"
    _make_pipes(pipes)
    words = [compile_models(folder), part, folder / "signal", pipes, folder / "faults", clock_ppm]
    with subprocess.Popen([str(word) for word in words]) as models:
        try:
            yield dataclasses.replace(board, command=_named(board, f"models:{pipes}"))
        finally:
            models.kill()


@contextmanager
def with_flash(board: Board, flash: Flash, program: Path) -> Iterator["subprocess.Popen[str]"]:
    """The process of a flash for an emulated `board` that has been told what is beside it.

    board: one of `with_front_end` or `with_file`, with an image of `image_for(..., flash=True)`;
    program: of `compile_flash`. Its output has a line as soon as the power is gone.
    """
    pipes = Path(f"{_name_of(board)}.flash")
    _make_pipes(pipes)
    words = [program, flash.file, pipes, flash.sectors, flash.sector_bytes]
    words += [flash.cut, flash.seed] if flash.cut else []
    command = [str(word) for word in words]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        try:
            yield process
        finally:
            process.kill()


def with_file(board: Board, samples: Path) -> Board:
    """The emulated `board` that takes its samples from a file, as fast as it can."""
    return dataclasses.replace(board, command=_named(board, str(samples)))


def _make_pipes(name: Path) -> None:
    for end in (".out", ".in"):
        Path(f"{name}{end}").unlink(missing_ok=True)
        os.mkfifo(f"{name}{end}")


_ARGUMENTS = ",arg=device,arg="


def _named(board: Board, what: str) -> tuple[str, ...]:
    """The board's command, with `what` as the last word of the program's own."""
    words = []
    for word in board.command or ():
        if word.startswith("enable=on"):
            words.append(f"{word}{_ARGUMENTS}{what}")
        else:
            words.append("shift=0,sleep=off" if word == "shift=0" else word)
    return tuple(words)


def _name_of(board: Board) -> str:
    """What `_named` was told, as the chip names pipes after it."""
    told = next(word for word in board.command or () if _ARGUMENTS in word)
    return told.rpartition(_ARGUMENTS)[2].removeprefix("models:")
