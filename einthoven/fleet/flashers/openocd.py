"""OpenOCD: ST-LINK, CMSIS-DAP, J-Link and FTDI probes.

Measured with 0.12.0 (Debian 12): exit code 1 for every failure. Which of two equal probes is meant
is said by `adapter serial`; without it the first one found is flashed. Who the chip is is read
before anything is written: the kind from DBGMCU_IDCODE, the unique id from where the chip's
reference manual puts it. Its servers for debuggers would listen while it works.
"""

import re

from einthoven.errors import BoardError
from einthoven.fleet.flashers.job import Chip, Job, Step, Tool
from einthoven.fleet.flashers.trouble import Trouble
from einthoven.fleet.usb import PLACEHOLDERS

PROBES = frozenset(
    {
        # ST-LINK V2, V2-1 and V3 in their modes
        "0483:3748",
        "0483:374b",
        "0483:3752",
        "0483:374d",
        "0483:374e",
        "0483:374f",
        "0483:3753",
        "0483:3754",
        # CMSIS-DAP: Arm's, NXP's, the Raspberry Pi Debug Probe
        "0d28:0204",
        "1fc9:0090",
        "2e8a:000c",
    }
)
DBGMCU_IDCODE = 0xE0042000
"""Where a Cortex-M3 or M4 of ST's says of what kind it is (RM0008 31.6.1, RM0090 38.6.1)."""
_LIMIT_S = 120.0
_REPORT = "einthoven chip"


def _quoted(word: str) -> str:
    """A word of Tcl in which nothing is substituted; a path may have any character but these."""
    if set(word) & set("{}\\\n"):
        raise BoardError(f"OpenOCD takes no braces and backslashes in a path: {word}")
    return "{" + word + "}"


def script(job: Job) -> list[str]:
    """OpenOCD's commands for the job, one a `-c`."""
    # Open to all users of this machine else, and an error of every OpenOCD but the first.
    lines = [f"{server}_port disabled" for server in ("gdb", "tcl", "telnet")]
    if job.probe is not None:
        if job.probe.serial and job.probe.serial not in PLACEHOLDERS:
            lines.append(f"adapter serial {_quoted(job.probe.serial)}")
        else:
            lines.append(f"adapter usb location {job.probe.path}")
    lines.append("init")
    lines.append("reset halt")
    kind, unique = job.number("device_id"), job.number("unique_id_address")
    if kind is not None:
        asked = f"[read_memory {DBGMCU_IDCODE:#x} 32 1]"
        lines.append(f'echo "{_REPORT} kind {asked}"')
        lines.append(f"if {{({asked} & 0xFFF) != {kind:#x}}} {{shutdown error}}")
    if unique is not None:
        lines.append(f'echo "{_REPORT} id [read_memory {unique:#x} 32 3]"')
        if job.id:
            words = " ".join(f"0x{int(job.id[i : i + 8], 16):x}" for i in (0, 8, 16))
            lines.append(f'if {{[read_memory {unique:#x} 32 3] ne "{words}"}} {{shutdown error}}')
    elf = job.program.suffix == ".elf"
    what, where = (job.program, "") if elf else (job.image, f" {job.address:#010x}")
    lines.append(f"program {_quoted(str(what))} verify reset exit{where}")
    return lines


def _steps(job: Job) -> list[Step]:
    config = job.settings.get("config", [])
    if not isinstance(config, list) or not config:
        raise BoardError(f"boards/{job.board}/board.toml: [flash.openocd] needs a list 'config'")
    words = [word for name in config for word in ("-f", str(name))]
    words += [word for line in script(job) for word in ("-c", line)]
    return [Step(tuple(words), 1.0, _LIMIT_S, r"\*\* Verified OK \*\*")]


def _chip(output: str) -> Chip:
    kind = re.search(rf"{_REPORT} kind (0x[0-9a-f]+)", output)
    words = re.search(rf"{_REPORT} id (0x[0-9a-f]+) (0x[0-9a-f]+) (0x[0-9a-f]+)", output)
    return Chip(
        int(kind[1], 16) & 0xFFF if kind else None,
        "".join(f"{int(word, 16):08x}" for word in words.groups()) if words else "",
    )


TOOL = Tool(
    name="openocd",
    command=("openocd",),
    install="apt-get install openocd",
    steps=_steps,
    chip=_chip,
    verified="read back by OpenOCD",
    probes=PROBES,
    stages={
        "Programming Started": 0.1,
        "Programming Finished": 0.7,
        "Verify Started": 0.75,
        "Verified OK": 1.0,
    },
    troubles=(
        ("LIBUSB_ERROR_ACCESS|[Ii]nsufficient permissions", Trouble.NO_PERMISSION),
        ("UNEXPECTED idcode|UNEXPECTED idcode: |expected 1 of 1: ", Trouble.WRONG_CHIP),
        ("device protected|RDP level|security bit|locked", Trouble.LOCKED),
        # A target's cable: the probe stays. So first, as a verify then fails, too.
        (
            r"processor detected[\s\S]*?(Invalid ACK \(7\)|failed to find out where|"
            "communication failure|cannot read IDR)",
            Trouble.LINK_LOST,
        ),
        (r"\*\* Verify Failed \*\*|checksum mismatch", Trouble.NOT_VERIFIED),
        ("LIBUSB_ERROR_NO_DEVICE|LIBUSB_ERROR_IO|LIBUSB_ERROR_PIPE", Trouble.LINK_LOST),
        (
            r"open failed|unable to find a matching CMSIS-DAP device|No J-Link device found|"
            r"no device found|scan chain interrogation failed: all|cannot read IDR|"
            r"Target voltage may be too low|init mode failed",
            Trouble.NOT_THERE,
        ),
    ),
)
