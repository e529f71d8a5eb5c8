"""esptool: the boot loader in the ROM of ESP32 chips.

Measured with 5.6.0: exit code 2 for what it expects, 1 with a traceback; it compares the MD5 of
what it wrote with the chip's. What it calls a MAC address is the chip's unique id. `image-info`
ends 0 on a corrupt image, and so is not asked.
"""

import re
import sys

from einthoven.fleet.flashers.job import Chip, Job, Step, Tool
from einthoven.fleet.flashers.trouble import Trouble

_BAUD = 460800
_LIMIT_S = 180.0


def _steps(job: Job) -> list[Step]:
    common = ["--chip", job.text("chip"), "--port", job.serial_port]
    common += ["--baud", str(job.number("baud") or _BAUD)]
    if job.settings.get("stub") is False:
        common.append("--no-stub")
    steps = []
    if job.id:
        steps.append(Step((*common, "--after", "no-reset", "read-mac"), 0.1, 60.0, "MAC: "))
    write = (*common, "--after", "hard-reset", "write-flash", f"{job.address:#x}", str(job.image))
    share = 1.0 - 0.1 * len(steps)
    return [*steps, Step(write, share, _LIMIT_S, "Hash of data verified")]


def _chip(output: str) -> Chip:
    found = re.search(r"MAC: +((?:[0-9a-f]{2}:){5}[0-9a-f]{2})", output)
    return Chip(None, found[1].replace(":", "") if found else "")


TOOL = Tool(
    name="esptool",
    command=(sys.executable, "-m", "esptool"),
    install="pip install esptool",
    steps=_steps,
    chip=_chip,
    verified="MD5 by the chip",
    needs_port=True,
    troubles=(
        ("No module named esptool", Trouble.TOOL_MISSING),
        ("[Pp]ermission denied|Errno 13", Trouble.NO_PERMISSION),
        (r"This chip is .*, not |Unexpected chip ID|Wrong chip argument", Trouble.WRONG_CHIP),
        ("[Ss]ecure [Dd]ownload [Mm]ode|Secure Boot detected|flash encryption is enabled|"
         "[Ff]lash encryption", Trouble.LOCKED),
        ("MD5 of file does not match", Trouble.NOT_VERIFIED),
        ("Lost connection", Trouble.LINK_LOST),
        ("No serial data received|Could not open|Failed to connect|No such file",
         Trouble.NOT_THERE),
        ("Serial data stream stopped|Invalid head of packet|Packet content transfer"
         " stopped|Timed out|Input/output error|device reports readiness|SerialException|"
         "write timeout|Failed to write|OSError", Trouble.LINK_LOST),
    ),
)  # fmt: skip
