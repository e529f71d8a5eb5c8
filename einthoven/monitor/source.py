"""What a board that is a process samples: a recording played to it in place of a patient."""

import dataclasses
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
from numpy.typing import NDArray

from einthoven.boards.board import Board
from einthoven.errors import UsageError
from einthoven.records.adc import to_board
from einthoven.records.record import read_record
from einthoven.records.synth import GAIN_LSB_PER_MV, make_record

SYNTHETIC = "synthetic"
RATE_HZ = 180


@contextmanager
def playing(board: Board, what: str, speed: int) -> Iterator[Board]:
    """`board` with a recording as its ADC, over and over: `what` is `synthetic` or a WFDB record.

    `speed` times real time. Raises UsageError for a board that cannot be played to, RecordError.
    """
    command = list(board.command or ())
    semihosting = [i for i, word in enumerate(command) if word.startswith("enable=on")]
    is_host = bool(command) and "{program}" in command[0]
    if not is_host and not semihosting:
        raise UsageError(
            f"nothing can be played to {board.name}: only to host, host_device and "
            "qemu_stm32f405_device; leave out --play"
        )
    if speed != 1 and not is_host:
        raise UsageError(f"{board.name} plays at real time only: leave out --speed")
    with TemporaryDirectory(prefix="einthoven-play-") as folder:
        path = Path(folder) / "adc.bin"
        _samples(board, what).astype("<i2").tofile(path)
        if is_host:
            command += ["--adc", str(path), "--adc-speed", str(speed)]
        for i in semihosting:
            command[i] += f",arg=device,arg={path}"
        yield dataclasses.replace(board, command=tuple(command))


def _samples(board: Board, what: str) -> NDArray[np.int16]:
    if what == SYNTHETIC:
        made = make_record(11, 120.0, float(RATE_HZ)).samples
        scaled = np.rint(made * (board.gain_lsb_per_mv / GAIN_LSB_PER_MV))
        half = 1 << (board.adc_bits - 1)
        fits: NDArray[np.int16] = np.clip(scaled, -half, half - 1).astype(np.int16)
        return fits
    path = Path(what)
    record = read_record(path.parent, path.name)
    return to_board(record, RATE_HZ, board.gain_lsb_per_mv, board.adc_bits)
