"""A device that nobody is plugged into: a script presses its button, its log is a file."""

import subprocess
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from einthoven.boards.board import build, load_board
from einthoven.device_log.copy import read_copy
from einthoven.device_log.description import DeviceLog
from einthoven.device_log.reader import read_log
from einthoven.errors import BoardError

STRIP = "1000 press 200\n45000 end 0\n"
"""A short press after a second; off again when the verdict has been shown."""


class Lone:
    """`folder`: for its files; `samples`: int16 at 180 Hz, over and over."""

    def __init__(self, folder: Path, samples: NDArray[np.int16]) -> None:
        self.folder = folder
        self.log_file = folder / "device.log"
        self._program = str(build(load_board("host_device")))
        samples.astype("<i2").tofile(folder / "ecg")

    def live(self, script: str, *options: str) -> None:
        """Switch it on until the script's `end`, or until an option's cut. Raises BoardError."""
        (self.folder / "script").write_text(script)
        words = ["--listen", "0", "--fast", "--adc", str(self.folder / "ecg")]
        words += ["--script", str(self.folder / "script"), "--log", str(self.log_file)]
        done = subprocess.run(
            [self._program, *words, *options], capture_output=True, text=True, check=False
        )
        if done.returncode != 0:
            raise BoardError(f"the device ended: {done.stderr.strip() or done.returncode}")

    def log(self) -> DeviceLog:
        """What it has kept."""
        return read_log(read_copy(self.log_file))
