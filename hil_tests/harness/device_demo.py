"""A device from switching it on to the page of its log, with the power cut in between.

As the demonstration shows it, on a board that is a process: its button is pressed by a script, its
front end gives a synthetic ECG, its flash is a file.
"""

import dataclasses
import subprocess
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from einthoven.boards.board import Board, running
from einthoven.device_log.copy import CopyFile, read_copy
from einthoven.device_log.description import DeviceLog
from einthoven.device_log.export import Options, export
from einthoven.device_log.reader import read_log
from einthoven.errors import BoardError
from einthoven.hil_tests.harness import fetch as fetching
from einthoven.hil_tests.harness.alone import set_time
from einthoven.hil_tests.harness.device import Device
from einthoven.records.synth import Episode, make_record

PRESS = "2000 press 200\n"
"""Two seconds after it was switched on somebody presses the button, briefly: a strip."""
OFF = "45000 end 0\n"
CUT_BYTES = 2000
"""Of the second strip that are in flash when the power goes: half of it, and half a record."""
_PATIENCE_S = 120.0


@dataclass(frozen=True)
class Shown:
    """What came of it."""

    log: DeviceLog
    made: list[Path]
    """The exports, the page first."""
    copy: Path


def show(board: Board, folder: Path, say: Callable[[str], None] = lambda _: None) -> Shown:
    """Two strips without a host, a power cut in the second; then fetch and export.

    `board`: one that is a process on this machine, and was built. Raises BoardError, LinkError.
    """
    folder.mkdir(parents=True, exist_ok=True)
    flash, ecg = folder / "flash.bin", folder / "ecg.bin"
    flash.unlink(missing_ok=True)
    record = make_record(1, 40.0, 180.0, episodes=(Episode("af", 0, 40),))
    ecg.write_bytes(record.samples.astype(np.dtype("<i2")).tobytes())
    say("switched on, and its button pressed: a strip of 30 s, with no host there")
    _alone(board, folder, PRESS + OFF, ecg, flash)
    say("once more; the power goes in the middle of the strip, while a record is being written")
    _alone(board, folder, PRESS + OFF, ecg, flash, "--log-cut", str(CUT_BYTES))
    say("switched on again, and plugged in: its log is fetched and made into a page")
    copy = folder / "device.log"
    copy.unlink(missing_ok=True)
    with running(_with(board, "--log", str(flash))) as url, Device(url) as device:
        device.log_status()
        set_time(device)
        with CopyFile(copy, fetching.identity(device.hello)) as file:
            fetching.fetch(device, file, lambda: None)
    log = read_log(read_copy(copy))
    return Shown(log, export(log, folder, Options(patient="demonstration")), copy)


def _with(board: Board, *options: str) -> Board:
    if board.command is None or "{program}" not in board.command[0]:
        raise BoardError(f"{board.name} is no process of this machine: name host_device")
    return dataclasses.replace(board, command=(*board.command, *options))


def _alone(board: Board, folder: Path, script: str, ecg: Path, flash: Path, *options: str) -> None:
    """Run the device until its script or a power cut ends it; nobody listens to it."""
    steps = folder / "script.txt"
    steps.write_text(script, encoding="ascii")
    command = [
        *(str(board.program), "--listen", "0", "--fast", "--adc", str(ecg)),
        *("--log", str(flash), "--script", str(steps), *options),
    ]
    try:
        done = subprocess.run(
            command, capture_output=True, text=True, timeout=_PATIENCE_S, check=False
        )
    except subprocess.TimeoutExpired:
        raise BoardError(f"{board.name} does not come to the end of its script") from None
    if done.returncode != 0:
        raise BoardError(f"{board.name} ended with {done.returncode}: {done.stderr.strip()}")
