"""A board that is a process: its firmware is a program in a folder of its own."""

import contextlib
import os
import shutil
import threading
from pathlib import Path

from einthoven.errors import DISK_FULL
from einthoven.fleet.flashers.job import Job
from einthoven.fleet.flashers.run import Progress, require_same
from einthoven.fleet.flashers.trouble import FlashError, Trouble


def write(job: Job, progress: Progress, stop: threading.Event) -> str:
    """Copy the program, whole or not at all, and read it back. Raises FlashError."""
    folder = Path(job.text("folder"))
    target, new = folder / job.program.name, folder / f"{job.program.name}.new"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(job.image, new)
        with new.open("rb+") as file:
            os.fsync(file.fileno())
        new.chmod(0o755)
        progress(0.6)
        require_same(job, new.read_bytes())
        # What is running keeps the file that it was started from.
        new.replace(target)
    except OSError as error:
        with contextlib.suppress(OSError):
            new.unlink()
        what = "its disk is full" if error.errno in DISK_FULL else f"{error.strerror}"
        trouble = Trouble.NO_PERMISSION if isinstance(error, PermissionError) else Trouble.FAILED
        raise FlashError(trouble, f"{job.name}: {error.filename or folder}: {what}") from None
    progress(1.0)
    return "read back"
