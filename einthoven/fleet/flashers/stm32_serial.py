"""stm32loader and stm32flash: the boot loader in the ROM of STM32 chips over a UART (AN3155).

The line is 8E1; a pseudo-terminal has no parity, so board.toml may say `parity = "none"`. Measured:
stm32loader 0.7.1 (PyPI) ends 1 for what it expects, and with a traceback, code 1 too, when an
answer is missing in the middle; stm32flash 0.7 (Debian 12) ends 1 for every failure, and sets 8E1
on no pseudo-terminal.
"""

import re
import sys

from einthoven.fleet.flashers.job import Chip, Job, Step, Tool
from einthoven.fleet.flashers.trouble import Trouble

_BAUD = 115200
_ERASE_S = 40.0
"""Of a whole chip: STM32F405, 16 s typical, 32 s at most (data sheet)."""


def _limit_s(job: Job) -> float:
    """Three times what writing and reading back take on the line, eleven bits a byte."""
    return _ERASE_S + 3 * 2 * job.image.stat().st_size * 11 / (job.number("baud") or _BAUD)


def _loader_steps(job: Job) -> list[Step]:
    common = ["-p", job.serial_port, "-b", str(job.number("baud") or _BAUD), "-n"]
    common += ["-f", job.text("family"), "-P", str(job.settings.get("parity", "even"))]
    address = f"{job.address:#x}"
    steps = []
    if job.id or job.number("device_id") is not None:
        # Who it is, before anything is erased.
        steps.append(Step(tuple(common), 0.05, 60.0, "Chip id: "))
    write = (*common, "-e", "-w", "-v", "-a", address, "-g", address, str(job.image))
    return [*steps, Step(write, 1.0 - 0.05 * len(steps), _limit_s(job), "Verification OK")]


def _loader_chip(output: str) -> Chip:
    kind = re.search(r"Chip id: 0x([0-9A-F]+)", output)
    # Half words of the first word in the chip's order, then two words.
    parts = re.search(r"Device UID: (\w{4})-(\w{4})-(\w{8})-(\w{8})", output)
    unique = f"{parts[2]}{parts[1]}{parts[3]}{parts[4]}".lower() if parts else ""
    return Chip(int(kind[1], 16) if kind else None, unique)


LOADER = Tool(
    name="stm32loader",
    command=(sys.executable, "-m", "stm32loader"),
    install="pip install stm32loader",
    steps=_loader_steps,
    chip=_loader_chip,
    verified="read back by stm32loader",
    needs_port=True,
    stages={"Chip id": 0.1, "Extended erase": 0.15, "Write ": 0.3, "Read ": 0.65},
    troubles=(
        ("No module named stm32loader", Trouble.TOOL_MISSING),
        ("Permission denied", Trouble.NO_PERMISSION),
        ("Erase failed -- probably due to readout protection|NACK 0x11|NACK 0x31|"
         r"\(17\) failed|\(49\) failed", Trouble.LOCKED),
        ("Verification FAILED", Trouble.NOT_VERIFIED),
        ("Can't init into bootloader|could not open port|No such file", Trouble.NOT_THERE),
        ("Can't read port or timeout|NACK Command|Unknown response|Input/output error|"
         "device reports readiness|SerialException|write failed", Trouble.LINK_LOST),
    ),
)  # fmt: skip


def _flash_steps(job: Job) -> list[Step]:
    mode = "8n1" if job.settings.get("parity") == "none" else "8e1"
    common = ("-b", str(job.number("baud") or _BAUD), "-m", mode)
    address = f"{job.address:#x}"
    steps = []
    if job.number("device_id") is not None:
        steps.append(Step((*common, job.serial_port), 0.05, 60.0, "Device ID"))
    write = (*common, "-w", str(job.image), "-v", "-S", address, "-g", address, job.serial_port)
    share = 1.0 - 0.05 * len(steps)
    return [*steps, Step(write, share, _limit_s(job), r"Wrote and verified address .*\(100\.00%\)")]


def _flash_chip(output: str) -> Chip:
    kind = re.search(r"Device ID +: 0x([0-9a-f]+)", output)
    return Chip(int(kind[1], 16) if kind else None)


FLASH = Tool(
    name="stm32flash",
    command=("stm32flash",),
    install="apt-get install stm32flash",
    steps=_flash_steps,
    chip=_flash_chip,
    verified="read back by stm32flash",
    needs_port=True,
    troubles=(
        ("Failed to open port: .*ermission|Permission denied", Trouble.NO_PERMISSION),
        (r"Got NACK from device on command 0x(11|31|43|44)|target write-protected", Trouble.LOCKED),
        ("Failed to verify at address", Trouble.NOT_VERIFIED),
        ("Failed to init device|Failed to open port", Trouble.NOT_THERE),
        ("Failed to (write|read|erase)|Got NACK|Got byte|timeout", Trouble.LINK_LOST),
    ),
)
