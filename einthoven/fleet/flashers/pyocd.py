"""pyOCD: CMSIS-DAP, ST-LINK and J-Link probes, by their serial numbers.

Measured with 0.46.0: `load` waits without end for a probe unless `--no-wait`, and takes any probe
whose number merely contains the one it was given, so that the whole is given; it does not compare
what it has written, so `compare` does. Exit code 1 for every failure, 0 for a `compare` that found
a difference.
"""

import sys

from einthoven.fleet.flashers.job import Job, Step, Tool
from einthoven.fleet.flashers.openocd import PROBES
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
    compare = f"compare {address} {job.image.name}"
    return [
        Step(
            ("load", *common, "--format", "bin", "--base-address", address, str(job.image)),
            0.8,
            _LIMIT_S,
        ),
        Step(
            ("commander", *common, "-c", compare, "-c", "reset"),
            0.2,
            _LIMIT_S,
            says=r"All \d+ bytes match",
        ),
    ]


TOOL = Tool(
    name="pyocd",
    command=(sys.executable, "-m", "pyocd"),
    install="pip install pyocd",
    steps=_steps,
    verified="compared by pyOCD",
    probes=PROBES,
    stages={"Erased": 0.9, "Loading": 0.1},
    troubles=(
        ("Access denied|insufficient permissions|LIBUSB_ERROR_ACCESS", Trouble.NO_PERMISSION),
        ("No module named pyocd", Trouble.TOOL_MISSING),
        ("Target type .* not recognized", Trouble.CHIP_UNKNOWN),
        (
            "No connected debug probe matches|No target device available|"
            "No available debug probes|No ACK",
            Trouble.NOT_THERE,
        ),
        ("[Mm]ismatch", Trouble.NOT_VERIFIED),
        ("is locked|Device is protected|flash security", Trouble.LOCKED),
        ("No such device|Pipe error|Input/Output Error|USBError", Trouble.LINK_LOST),
    ),
)
