"""dfu-util: the boot loader in the ROM of STM32 chips with USB (AN2606, DfuSe).

Measured with 0.11 (Debian 12): exit code 74 (EX_IOERR of sysexits.h) without a device, 0 for `-l`
without one; a file to upload to must not exist yet. The ROM's USB serial number is made of the
chip's unique id, so that a chip is found by its id wherever it is plugged in.
"""

from einthoven.fleet.flashers.job import Job, Step, Tool
from einthoven.fleet.flashers.run import require_same
from einthoven.fleet.flashers.trouble import Trouble

ROM = "0483:df11"
_LIMIT_S = 180.0
"""An STM32F405 takes up to 32 s to erase itself."""


def rom_serial(unique_id: str) -> str:
    """The number that the ROM of a chip with that id says on USB; "" if it is no STM32's.

    libopencm3, `desig_get_unique_id_as_dfu`: the sum of the first and the third word, and the
    upper half of the second. `unique_id`: 24 hexadecimal digits, the three words in order.
    """
    try:
        first, second, third = (int(unique_id[i : i + 8], 16) for i in (0, 8, 16))
    except ValueError:
        return ""
    if len(unique_id) != 24:
        return ""
    return f"{(first + third) & 0xFFFFFFFF:08X}{second >> 16:04X}"


def _steps(job: Job) -> list[Step]:
    words = ["-d", job.text("usb"), "-a", "0"]
    if job.probe is not None:
        words += ["-p", job.probe.path]
        if job.probe.serial:
            words += ["-S", job.probe.serial]
    size, address = job.image.stat().st_size, f"{job.address:#010x}"
    back, first = job.scratch / "back.bin", job.scratch / "first.bin"
    for path in (back, first):
        path.unlink(missing_ok=True)
    return [
        Step(
            (*words, "-s", address, "-D", str(job.image)),
            0.7,
            _LIMIT_S,
            "File downloaded successfully",
        ),
        Step(
            (*words, "-s", f"{address}:{size}", "-U", str(back)),
            0.25,
            _LIMIT_S,
            after=lambda: require_same(job, back.read_bytes()),
        ),
        # Leaving comes last: what has left cannot be read back.
        Step((*words, "-s", f"{address}:256:leave", "-U", str(first)), 0.05, 30.0),
    ]


TOOL = Tool(
    name="dfu-util",
    command=("dfu-util",),
    install="apt-get install dfu-util",
    steps=_steps,
    verified="read back by dfu-util",
    probes=frozenset({ROM}),
    phases={"Erase": (0.0, 0.4), "Download": (0.4, 0.6)},
    wake="hold BOOT0 while plugging it in",
    troubles=(
        ("LIBUSB_ERROR_ACCESS", Trouble.NO_PERMISSION),
        ("No DFU capable USB device available", Trouble.NOT_THERE),
        ("not correctly executed|is not writeable|errVENDOR", Trouble.LOCKED),
        (
            "LIBUSB_ERROR_NO_DEVICE|LIBUSB_ERROR_IO|LIBUSB_ERROR_PIPE|LIBUSB_ERROR_TIMEOUT|"
            "Lost device after RESET|Error during (download|upload|special command|abort)|"
            "Error sending dfu abort request|"
            "USB communication error",
            Trouble.LINK_LOST,
        ),
    ),
)
