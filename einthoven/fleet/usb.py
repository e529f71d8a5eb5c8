"""What is plugged into this machine's USB, as Linux tells it below `/sys/bus/usb/devices`.

A device's path there, such as `1-2.3`, is the chain of sockets that it hangs on: bus 1, socket 2 of
its root hub, socket 3 of the hub in that. It stays the same as long as nobody replugs it, also over
a reset and for a device without a serial number. Kernel: Documentation/ABI/testing/sysfs-bus-usb.
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from serial.tools import list_ports

from einthoven.errors import BoardError

SYSFS = Path("/sys")
DEV = Path("/dev")
_DEVICE = re.compile(r"\d+-\d+(\.\d+)*")
_TTY = re.compile(r"tty(USB|ACM)\d+")
PLACEHOLDERS = frozenset(
    # Numbers that makers give to every device of a kind: CP2102's from the factory, the boot ROM's
    # of an RP2040, which cannot read a number of its own, and what clones carry.
    {"0001", "E0C9125B0D9B", "0123456789ABCDEF", "123456789ABCDEF", "000000000001", "0", "1"}
)


@dataclass(frozen=True)
class UsbDevice:
    """A USB device."""

    path: str
    """Of sockets, `1-2.3`."""
    kind: str
    """`vendor:product`, hexadecimal."""
    serial: str
    """"" if it has none."""
    product: str
    node: Path
    """What programs open that speak to it by libusb."""
    ports: tuple[tuple[str, Path], ...] = ()
    """Serial ports: interface (`1.0`) and node, in the interfaces' order."""
    drives: tuple[str, ...] = ()
    """Names of block devices, `sdb` and `sdb1`."""

    @property
    def words(self) -> str:
        """For people."""
        return f"{self.product or 'USB device'} ({self.kind}) at usb:{self.path}"


def plugged_in() -> list[UsbDevice]:
    """All USB devices but hubs, by path; where there is no sysfs, those with serial ports."""
    folder = SYSFS / "bus" / "usb" / "devices"
    try:
        names = [p.name for p in folder.iterdir() if _DEVICE.fullmatch(p.name)]
    except OSError:
        return _by_ports()
    return [d for name in sorted(names, key=_natural) if (d := _device(folder, name))]


def _by_ports() -> list[UsbDevice]:
    """On other systems pyserial knows serial ports, and where each is plugged in."""
    found: dict[str, UsbDevice] = {}
    for port in list_ports.comports():
        if port.vid is None or not port.location:
            continue
        path, _, interface = port.location.partition(":")
        before = found.get(path)
        ports = (*(before.ports if before else ()), (interface or "1.0", Path(port.device)))
        kind = f"{port.vid:04x}:{port.pid:04x}"
        words = printable(port.product or "")
        found[path] = UsbDevice(path, kind, port.serial_number or "", words, Path(), ports)
    return [found[path] for path in sorted(found, key=_natural)]


def _device(folder: Path, path: str) -> UsbDevice | None:
    at = folder / path
    if _line(at / "bDeviceClass") == "09":  # a hub
        return None
    vendor, product_id = _line(at / "idVendor"), _line(at / "idProduct")
    bus, number = _line(at / "busnum"), _line(at / "devnum")
    if not (vendor and product_id and bus.isdigit() and number.isdigit()):
        return None  # it is just going
    ports: list[tuple[str, Path]] = []
    drives: list[str] = []
    for interface in sorted(folder.glob(f"{path}:*"), key=lambda p: _natural(p.name)):
        # cdc_acm: tty/ttyACM0; usb-serial: ttyUSB0; usb-storage: host*/target*/*/block/sdb/sdb1.
        names = {p.name for p in (*interface.glob("tty*"), *interface.glob("tty/tty*"))}
        own = interface.name.partition(":")[2]
        ports += [(own, DEV / name) for name in sorted(names) if _TTY.fullmatch(name)]
        for disk in sorted(interface.glob("host*/target*/*/block/*")):
            drives += [disk.name, *(p.name for p in sorted(disk.glob(f"{disk.name}[0-9]*")))]
    return UsbDevice(
        path=path,
        kind=f"{vendor}:{product_id}".lower(),
        serial=_line(at / "serial"),
        product=printable(_line(at / "product")),
        node=DEV / "bus" / "usb" / f"{int(bus):03d}" / f"{int(number):03d}",
        ports=tuple(ports),
        drives=tuple(drives),
    )


def _line(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8", errors="replace").strip()
    except OSError:
        return ""


def printable(text: str) -> str:
    """What a device says of itself, on one line: it may be anything, another line of a file too."""
    return "".join(c if c.isprintable() else " " for c in text).strip()


def _natural(path: str) -> tuple[int, ...]:
    return tuple(int(n) for n in re.findall(r"\d+", path))


def address(device: UsbDevice, among: Iterable[UsbDevice]) -> str:
    """How a fleet file names the device: by its serial number, if that is its own, else its path.

    A number that another device of `among` has, too, or that makers give to all, tells nothing.
    """
    same = [d for d in among if d.serial == device.serial and d.path != device.path]
    good = re.fullmatch(r"[!-~]{1,126}", device.serial) and device.serial not in PLACEHOLDERS
    return f"serial:{device.serial}" if good and not same else f"usb:{device.path}"


def port_address(device: UsbDevice, interface: str, among: Iterable[UsbDevice]) -> str:
    """How a fleet file names one of the device's serial ports."""
    if len(device.ports) > 1:
        return f"usb:{device.path}:{interface}"
    return address(device, among)


def find(place: str, among: Sequence[UsbDevice], name: str = "the device") -> UsbDevice:
    """The one of `among` that `usb:PATH` or `serial:NUMBER` names.

    Raises BoardError if there is none, or if several have that number.
    """
    form, _, value = place.partition(":")
    if form == "usb":
        path = value.partition(":")[0]
        found = [d for d in among if d.path == path]
    else:
        found = [d for d in among if d.serial == value]
    if not found:
        raise BoardError(
            f"{name} is not plugged in: nothing at {place} (see: einthoven fleet scan)"
        )
    if len(found) > 1:
        paths = ", ".join(f"usb:{d.path}" for d in found)
        raise BoardError(
            f"{len(found)} USB devices have the number '{value}', {name} among them: write in the "
            f"fleet file which it is, one of {paths}"
        )
    return found[0]


def serial_port(place: str, among: Sequence[UsbDevice], name: str = "the device") -> Path:
    """The node of the serial port that `usb:PATH[:INTERFACE]` or `serial:NUMBER` names now.

    Raises BoardError if there is none, or if that device has several.
    """
    device = find(place, among, name)
    wanted = device.path + ":" + place.rpartition(":")[2]
    if place == f"usb:{wanted}":
        ports = [p for p in device.ports if place == f"usb:{device.path}:{p[0]}"]
    else:
        ports = list(device.ports)
    if not ports:
        raise BoardError(
            f"{device.words} has no serial port{' there' if device.ports else ''}: is its driver "
            "loaded? (see: einthoven doctor)"
        )
    if len(ports) > 1:
        choice = ", ".join(f"usb:{device.path}:{interface}" for interface, _ in ports)
        raise BoardError(
            f"{device.words} has several serial ports: name for {name} one of {choice}"
        )
    return ports[0][1]
