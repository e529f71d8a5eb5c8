"""Debug probes as pyOCD sees them: also ones whose USB number is no known kind, as a J-Link's.

`pyocd json --probes`, measured with 0.46.0 (format 1.1): exit code 0 and a table a probe below
`boards`. `target` says what sits behind a probe that is part of a board which pyOCD knows, as of a
Nucleo, and is `cortex_m` for all others. A probe that the user may not open is left out in silence.
"""

import json
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.util import find_spec

from einthoven.errors import BoardError
from einthoven.fleet.flashers.pyocd import TOOL
from einthoven.fleet.usb import UsbDevice

_LIMIT_S = 60.0
"""It takes some 2 s on an idle machine."""
_ANY_TARGET = "cortex_m"


@dataclass(frozen=True)
class Probe:
    """A debug probe that is plugged in."""

    number: str
    """By which pyOCD is told to use it; mostly what it says on USB."""
    what: str
    """For people."""
    target: str
    """pyOCD's name of the chip that is wired to it; "" if nobody knows."""


def plugged_in() -> list[Probe]:
    """What pyOCD lists; nothing where it is not installed.

    Raises BoardError if it is, and does not answer in its format.
    """
    if find_spec("pyocd") is None:
        return []
    try:
        done = subprocess.run(
            [*TOOL.command, "json", "--probes", "--no-config"],
            capture_output=True,
            text=True,
            check=False,
            timeout=_LIMIT_S,
        )
    except subprocess.TimeoutExpired:
        raise BoardError(f"pyocd named no probes within {_LIMIT_S:.0f} s") from None
    return _understood(done.stdout)


def _understood(text: str) -> list[Probe]:
    try:
        told = json.loads(text)
        if told["status"] != 0:
            raise BoardError(f"pyocd lists no probes: {' '.join(told['error'].split())}")
        return [
            Probe(
                number=table["unique_id"],
                what=table["info"],
                target="" if table["target"] == _ANY_TARGET else table["target"],
            )
            for table in told["boards"]
        ]
    except (ValueError, KeyError, TypeError, AttributeError):
        raise BoardError(
            "`pyocd json --probes` says what this version of Einthoven does not understand: "
            f"install pyocd 0.46 ({TOOL.install})"
        ) from None


def of(device: UsbDevice, probes: Sequence[Probe]) -> Probe | None:
    """The probe that the USB device is, by its number."""
    number = device.serial.lower()
    return next((p for p in probes if number and p.number.lower() == number), None)
