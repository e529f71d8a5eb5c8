"""pyOCD: CMSIS-DAP, ST-LINK and J-Link probes, by their serial numbers.

Measured with 0.46.0: `load` waits without end for a probe unless `--no-wait`, and takes any probe
whose number merely contains the one it was given, so that the whole is given; it does not compare
what it has written, so `compare` does; it asks no chip who it is, so that a call of its own does,
before anything is written. Exit code 1 for most failures, 4 of `commander`, 0 for a `compare` that
found a difference.
"""

import re
import sys

from einthoven.fleet.flashers.job import Chip, Job, Step, Tool
from einthoven.fleet.flashers.openocd import DBGMCU_IDCODE, PROBES
from einthoven.fleet.flashers.trouble import FlashError, Trouble

_LIMIT_S = 180.0


def _steps(job: Job) -> list[Step]:
    if job.probe is None or not job.probe.serial:
        raise FlashError(
            Trouble.NOT_THERE,
            f"{job.name}: pyocd knows probes by serial number, and this one has none: use openocd",
        )
    common = ("--no-wait", "--no-config", "-u", job.probe.serial, "-t", job.text("target"))
    address = f"{job.address:#x}"
    who = _questions(job)
    identify = Step(("commander", *common, *who), 0.1, _LIMIT_S, f"{job.address:08x}: ")
    compare = f"compare {address} {job.image.name}"
    return [
        *([identify] if who else []),
        Step(
            ("load", *common, "--format", "bin", "--base-address", address, str(job.image)),
            0.7 if who else 0.8,
            _LIMIT_S,
        ),
        Step(
            ("commander", *common, "-c", compare, "-c", "reset"),
            0.2,
            _LIMIT_S,
            says=r"All \d+ bytes match",
        ),
    ]


def _questions(job: Job) -> list[str]:
    """Words that have a chip of ST's say who it is, and show whether its flash can be read."""
    kind, unique = job.number("device_id"), job.number("unique_id_address")
    places = [f"{DBGMCU_IDCODE:#x}"] if kind is not None else []
    places += [f"{unique:#x} 12"] if unique is not None else []
    if not places:
        return []
    lines = [f"read32 {place}" for place in [*places, f"{job.address:#x}"]]
    return ["--connect", "attach", *(word for line in lines for word in ("-c", line))]


def _chip(output: str) -> Chip:
    kind = re.search(rf"^{DBGMCU_IDCODE:08x}: +([0-9a-f]{{8}})", output, re.M)
    words = re.search(r"^[0-9a-f]{8}: +([0-9a-f]{8}) ([0-9a-f]{8}) ([0-9a-f]{8}) ", output, re.M)
    return Chip(
        int(kind[1], 16) & 0xFFF if kind else None, "".join(words.groups()) if words else ""
    )


TOOL = Tool(
    name="pyocd",
    command=(sys.executable, "-m", "pyocd"),
    install="pip install pyocd",
    steps=_steps,
    chip=_chip,
    verified="compared by pyOCD",
    probes=PROBES,
    stages={"Erased": 0.9, "Loading": 0.1},
    troubles=(
        ("Access denied|insufficient permissions|LIBUSB_ERROR_ACCESS", Trouble.NO_PERMISSION),
        ("No module named pyocd", Trouble.TOOL_MISSING),
        ("Target type .* not recognized", Trouble.CHIP_UNKNOWN),
        (r"Erasing[\s\S]*?No ACK", Trouble.LINK_LOST),
        (
            "No connected debug probe matches|No target device available|"
            "No available debug probes|No ACK|Target not detected|No cores were discovered",
            Trouble.NOT_THERE,
        ),
        # What comes before the flash could be read.
        (r"\|\s*\n\s*Error: memory transfer failed", Trouble.LOCKED),
        ("[Mm]ismatch|flash (program|erase) .*fail", Trouble.NOT_VERIFIED),
        ("is locked|Device is protected|flash security", Trouble.LOCKED),
        ("No such device|Pipe error|Input/Output Error|USBError", Trouble.LINK_LOST),
    ),
)
