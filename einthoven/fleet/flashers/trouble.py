"""What goes wrong when a chip is flashed, in words that say what to do."""

from enum import StrEnum

from einthoven.errors import BoardError
from einthoven.fleet.usb import UsbDevice


class Trouble(StrEnum):
    """A kind of failure; `--json` and the ledger have these words."""

    TOOL_MISSING = "tool missing"
    CHIP_UNKNOWN = "chip unknown to the tool"
    NOT_THERE = "not there"
    NO_PERMISSION = "no permission"
    WRONG_CHIP = "wrong chip"
    LOCKED = "locked chip"
    LINK_LOST = "link lost"
    NOT_VERIFIED = "not verified"
    TIME_OUT = "no answer in time"
    NO_KEY = "no key"
    IN_USE = "in use"
    REFUSED = "firmware refused"
    SILENT = "written, does not answer"
    OTHER_KEY = "written, has another key"
    FAILED = "failed"
    STOPPED = "stopped"


AGAIN = frozenset({Trouble.LINK_LOST, Trouble.NOT_VERIFIED, Trouble.TIME_OUT, Trouble.FAILED})
"""What a second try may mend."""


class FlashError(BoardError):
    """A device was not flashed. The message is one line."""

    def __init__(self, trouble: Trouble, message: str) -> None:
        super().__init__(message)
        self.trouble = trouble


def udev_rule(kind: str) -> str:
    """The line that gives whoever sits at the machine access to USB devices of that kind.

    systemd's 73-seat-late.rules acts on the tag, so the file's name must sort before it.
    """
    vendor, product = kind.split(":")
    return (
        f'echo \'SUBSYSTEM=="usb", ATTR{{idVendor}}=="{vendor}", ATTR{{idProduct}}=="{product}", '
        'MODE="0660", GROUP="plugdev", TAG+="uaccess"\' | sudo tee -a '
        "/etc/udev/rules.d/60-einthoven.rules && sudo udevadm control --reload && "
        "sudo udevadm trigger"
    )


def no_permission(name: str, probe: UsbDevice | None, port: str | None) -> FlashError:
    """The one for a device that this user may not open."""
    if probe is not None:
        return FlashError(
            Trouble.NO_PERMISSION,
            f"{name}: this user may not open {probe.words}; this line mends it, then plug it in "
            f"again: {udev_rule(probe.kind)}",
        )
    return FlashError(
        Trouble.NO_PERMISSION,
        f"{name}: this user may not open {port}; this line mends it, then log in again: "
        "sudo adduser $USER dialout",
    )
