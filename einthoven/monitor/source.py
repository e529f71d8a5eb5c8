"""What a board that is a process samples: a recording played to it in place of a patient."""

import dataclasses
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory, gettempdir

import numpy as np
from numpy.typing import NDArray

from einthoven.boards.board import Board
from einthoven.boards.workspace import is_plain
from einthoven.errors import RecordError, UsageError
from einthoven.records.adc import to_board
from einthoven.records.database import find_recording
from einthoven.records.record import read_record
from einthoven.records.synth import GAIN_LSB_PER_MV, make_record

SYNTHETIC = "synthetic"
RATE_HZ = 180


def playable(board: Board) -> Board:
    """`board` as the program that can sample a file: to be built before it plays.

    Raises UsageError for a board that nothing can be played to.
    """
    if board.command is None or board.play is None:
        raise UsageError(
            f"nothing can be played to {board.name}, which has no [play] in its board.toml: "
            "leave out --play"
        )
    if board.play.environment is None:
        return board
    program = board.program.parent.parent / board.play.environment / board.program.name
    return dataclasses.replace(board, environment=board.play.environment, program=program)


@contextmanager
def playing(board: Board, what: str, speed: int) -> Iterator[Board]:
    """`board`, one of `playable`, with a recording as its ADC, over and over.

    `what`: `synthetic` or a WFDB record; `speed`: times real time. Raises UsageError, RecordError.
    """
    assert board.command is not None and board.play is not None
    if speed != 1 and not board.play.at_any_speed:
        raise UsageError(f"{board.name} plays at real time only: leave out --speed")
    # QEMU and its semihosting take a path apart at commas and blanks.
    where = gettempdir() if is_plain(Path(gettempdir())) else "/tmp"
    with TemporaryDirectory(prefix="einthoven-play-", dir=where) as folder:
        path = Path(folder) / "adc.bin"
        _samples(board, what).astype("<i2").tofile(path)
        words = tuple(w.format(samples=path, speed=speed) for w in board.play.words)
        yield dataclasses.replace(board, command=(*board.command, *words))


def _samples(board: Board, what: str) -> NDArray[np.int16]:
    if what == SYNTHETIC:
        made = make_record(11, 120.0, float(RATE_HZ)).samples
        scaled = np.rint(made * (board.gain_lsb_per_mv / GAIN_LSB_PER_MV))
        half = 1 << (board.adc_bits - 1)
        fits: NDArray[np.int16] = np.clip(scaled, -half, half - 1).astype(np.int16)
        return fits
    found = find_recording(Path(what))
    if found is None:
        raise RecordError(
            f"there is no recording {what} to play: name a record (folder/100), an EDF, BDF or CSV "
            f"file, or {SYNTHETIC}"
        )
    record = read_record(*found)
    return to_board(record, RATE_HZ, board.gain_lsb_per_mv, board.adc_bits)
