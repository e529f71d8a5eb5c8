"""The boot loader on USB in an STM32's ROM (DFU 1.1 with ST's extensions), for dfu-util itself:
ST's AN3156 and UM0424. A library in libusb's place brings its control transfers here.

Left out: option bytes and one-time memory, erasing all, unprotecting, the time that things take.
"""

import os
import socket
import struct
import subprocess
import tempfile
import threading
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Self

_SHIM = Path(__file__).with_name("one_usb_device.c")
_COMPILE = ("gcc", "-O1", "-Wall", "-Wextra", "-Wconversion", "-Werror", "-shared", "-fPIC")
FLASH, FLASH_BYTES, BLOCK = 0x08000000, 512 * 1024, 2048
LAYOUT = "@Internal Flash  /0x08000000/04*016Kg,01*064Kg,03*128Kg"
_SECTORS = (*[16384] * 4, 65536, *[131072] * 3)
_DNLOAD, _UPLOAD, _GETSTATUS, _CLRSTATUS, _GETSTATE, _ABORT = range(1, 7)
_SET_ADDRESS, _ERASE = 0x21, 0x41
_IDLE, _SYNC, _BUSY, _DNLOAD_IDLE, _MANIFEST_SYNC, _MANIFEST, _UPLOAD_IDLE, _ERROR = (
    *(2, 3, 4, 5, 6, 7),
    *(9, 10),
)
_ERR_TARGET, _ERR_VENDOR = 0x01, 0x0B
_STALL, _NO_DEVICE, _ACCESS = -9, -4, -3
"""libusb's errors: the device refuses, is gone, may not be opened."""


class Stm32Dfu:
    """A chip at a USB path, as a context manager; `environment` is for the program.

    Faults: `locked`, read-out protected; `worn`, addresses that do not take; `cable`, pulled once
    so many bytes are written; `denied`, this user may not open it.
    """

    def __init__(
        self,
        serial: str = "386232543137",
        path: str = "1-2.3",
        locked: bool = False,
        worn: frozenset[int] = frozenset(),
        cable: int | None = None,
        denied: bool = False,
    ) -> None:
        self.flash = bytearray(b"\xa5" * FLASH_BYTES)
        self.written = self.read = 0
        self.left = False
        """It was told to start what was written."""
        self.locked, self.worn, self.cable = locked, worn, cable
        self._texts = ("", "STMicroelectronics", "STM32  BOOTLOADER", serial, LAYOUT)
        self._path, self._denied = path, denied
        self._state, self._status, self._address = _IDLE, 0, FLASH
        self._pending: tuple[int, bytes] | None = None

    def __enter__(self) -> Self:
        self._folder = tempfile.TemporaryDirectory(prefix="einthoven-usb-")
        folder = Path(self._folder.name)
        library = folder / "one_usb_device.so"
        subprocess.run(
            [*_COMPILE, "-o", str(library), str(_SHIM)],
            check=True,
        )
        self._listener = socket.socket(socket.AF_UNIX)
        self._listener.bind(str(folder / "line"))
        self._listener.listen()
        bus, _, ports = self._path.partition("-")
        self.environment: Mapping[str, str] = os.environ | {
            "LD_PRELOAD": str(library),
            "EIN_USB": str(folder / "line"),
            "EIN_USB_BUS": bus,
            "EIN_USB_PORTS": ports,
            "EIN_USB_OPEN": str(_ACCESS if self._denied else 0),
        }
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self._thread.join(10.0)
        self._folder.cleanup()

    def _run(self) -> None:
        while True:
            try:
                link = self._listener.accept()[0]
            except OSError:  # closed: the block has ended
                return
            with link, link.makefile("rwb") as file:
                while len(head := file.read(8)) == 8:
                    kind, request, value, _, length = struct.unpack("<BBHHH", head)
                    sent = b"" if kind & 0x80 else file.read(length)
                    result, told = self._transfer(kind, request, value, length, sent)
                    file.write(struct.pack("<i", result) + told)
                    file.flush()

    def _transfer(
        self, kind: int, request: int, value: int, length: int, sent: bytes
    ) -> tuple[int, bytes]:
        if self.cable is not None and self.written >= self.cable:
            return _NO_DEVICE, b""
        if kind & 0x60 == 0:  # a standard request: a text, or its languages
            text = self._texts[value & 0xFF].encode("utf-16-le") if value & 0xFF else b"\x09\x04"
            told = bytes([len(text) + 2, 3]) + text
            return min(len(told), length), told[:length]
        told = b""
        if request == _DNLOAD:
            self._pending, self._state = (value, sent), _SYNC if sent else _MANIFEST_SYNC
            return len(sent), b""
        if request == _UPLOAD:
            return self._upload(value, length)
        if request == _GETSTATUS:
            told = self._get_status()
        elif request == _GETSTATE:
            told = bytes([self._state])
        elif request in (_CLRSTATUS, _ABORT):
            self._state, self._status = _IDLE, 0
        return len(told), told

    def _get_status(self) -> bytes:
        """What was asked for by DNLOAD is done when its status is asked for [AN3156, 4 and 5]."""
        if self._state == _SYNC:
            self._state = _BUSY
        elif self._state == _BUSY:
            self._status = self._do()
            self._state = _ERROR if self._status else _DNLOAD_IDLE
        elif self._state == _MANIFEST_SYNC:
            self._state, self.left = _MANIFEST, True
        return bytes([self._status, 0, 0, 0, self._state, 0])

    def _do(self) -> int:
        assert self._pending is not None
        number, data = self._pending
        if number == 0 and data[0] == _SET_ADDRESS:
            self._address = int.from_bytes(data[1:5], "little")
            return 0
        if self.locked:
            return _ERR_VENDOR
        if number == 0 and data[0] == _ERASE and len(data) == 5:
            return self._erase(int.from_bytes(data[1:5], "little"))
        at = self._address - FLASH + (number - 2) * BLOCK
        if number < 2 or not 0 <= at <= FLASH_BYTES - len(data):
            return _ERR_TARGET
        for i, byte in enumerate(data):
            self.flash[at + i] &= byte if FLASH + at + i not in self.worn else 0xFF
        self.written += len(data)
        return 0

    def _erase(self, address: int) -> int:
        begin = FLASH
        for size in _SECTORS:
            if begin <= address < begin + size:
                self.flash[begin - FLASH : begin - FLASH + size] = b"\xff" * size
                return 0
            begin += size
        return _ERR_TARGET

    def _upload(self, number: int, length: int) -> tuple[int, bytes]:
        at = self._address - FLASH + (number - 2) * BLOCK
        if self.locked or number < 2 or not 0 <= at < FLASH_BYTES:
            self._state, self._status = _ERROR, _ERR_VENDOR
            return _STALL, b""
        self._state = _UPLOAD_IDLE
        told = bytes(self.flash[at : at + length])
        self.read += len(told)
        return len(told), told
