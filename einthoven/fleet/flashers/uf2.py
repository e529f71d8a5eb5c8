"""The boot ROM of RP2040 and RP2350, which shows itself as a drive and takes one UF2 file.

It restarts into the firmware once every block has come and lies in flash (RP2040 data sheet,
2.8.4.1): a drive that goes away by itself is how it says so. Its contents cannot be read back.
"""

import threading
from pathlib import Path

from einthoven.boards import uf2
from einthoven.errors import BoardError
from einthoven.fleet.flashers.job import Job
from einthoven.fleet.flashers.run import LOOK_S, Progress
from einthoven.fleet.flashers.trouble import FlashError, Trouble

PROBES = frozenset({"2e8a:0003", "2e8a:000f"})
"""The boot ROMs of RP2040 and RP2350."""
LOOKS = 150
"""At the drive, before it counts as stuck: half a minute."""


def _mounted(job: Job) -> Path:
    """Where the drive of the job's own USB device is mounted."""
    family = uf2.FAMILIES[job.text("family")]
    if job.probe is None:
        return uf2.find_drive(family, uf2.drives())
    devices = {f"/dev/{name}" for name in job.probe.drives}
    for line in uf2.MOUNTS.read_text().splitlines():
        words = line.split(" ")
        if words[0] in devices and len(words) > 1:
            return uf2.find_drive(family, [Path(words[1].replace("\\040", " "))])
    drive = job.probe.drives[-1] if job.probe.drives else "its drive"
    raise FlashError(
        Trouble.NOT_THERE,
        f"{job.name}: {job.probe.words} is not mounted: udisksctl mount -b /dev/{drive}",
    )


def write(job: Job, progress: Progress, stop: threading.Event) -> str:
    """Copy the image to the drive, and wait until the chip restarts. Raises FlashError."""
    try:
        drive = _mounted(job)
    except FlashError:
        raise
    except BoardError as error:
        raise FlashError(Trouble.NOT_THERE, f"{job.name}: {error}") from None
    progress(0.1)
    try:
        uf2.write(
            uf2.encode(job.image.read_bytes(), uf2.FAMILIES[job.text("family")]),
            drive / "einthoven.uf2",
        )
    except BoardError as error:
        denied = "ermission" in str(error)
        trouble = Trouble.NO_PERMISSION if denied else Trouble.LINK_LOST
        raise FlashError(trouble, f"{job.name}: {error}") from None
    progress(0.8)
    for _ in range(LOOKS):
        if not (drive / uf2.INFO).exists():
            progress(1.0)
            return "taken whole by its boot ROM, which restarted"
        if stop.wait(LOOK_S):
            raise FlashError(Trouble.STOPPED, f"{job.name}: stopped before it restarted")
    raise FlashError(
        Trouble.TIME_OUT,
        f"{job.name}: its boot ROM did not restart, so a part of the image did not arrive",
    )
