"""A machine's USB as a folder: sysfs as the kernel lays it out, and /dev."""

from pathlib import Path


class Machine:
    """What is plugged into it."""

    def __init__(self, folder: Path) -> None:
        self.sys, self.dev = folder / "sys", folder / "dev"
        self._devices = self.sys / "bus" / "usb" / "devices"
        self._devices.mkdir(parents=True)
        self._ttys = 0

    def plug(
        self,
        path: str,
        kind: str,
        serial: str = "",
        product: str = "",
        tty: str = "",
        drive: str = "",
        interfaces: int = 1,
    ) -> list[Path]:
        """Plug something in; its serial ports. `tty`: ttyUSB or ttyACM, one an interface."""
        at = self._devices / path
        at.mkdir()
        vendor, product_id = kind.split(":")
        bus = path.partition("-")[0]
        number = len(list(self._devices.iterdir()))
        facts = {"idVendor": vendor, "idProduct": product_id, "busnum": bus, "devnum": str(number)}
        facts |= {"bDeviceClass": "00", "serial": serial, "product": product}
        for name, value in facts.items():
            if value:
                (at / name).write_text(value + "\n")
        node = self.dev / "bus" / "usb" / f"{int(bus):03d}" / f"{number:03d}"
        node.parent.mkdir(parents=True, exist_ok=True)
        node.touch()
        ports = []
        for i in range(interfaces):
            interface = self._devices / f"{path}:1.{i}"
            interface.mkdir()
            if tty:
                name = f"{tty}{self._ttys}"
                self._ttys += 1
                below = interface / "tty" / name if tty == "ttyACM" else interface / name
                below.mkdir(parents=True)
                (self.dev / name).touch()
                ports.append(self.dev / name)
        if drive:
            block = self._devices / f"{path}:1.0" / "host6" / "target6:0:0" / "6:0:0:0" / "block"
            (block / drive / f"{drive}1").mkdir(parents=True)
        return ports

    def hub(self, path: str) -> None:
        """A hub, which is no device to name."""
        (self._devices / path).mkdir()
        (self._devices / path / "bDeviceClass").write_text("09\n")
