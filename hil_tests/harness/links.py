"""Byte links to a board: serial ports and whatever else pyserial opens by URL.

`socket://` is opened here and not by pyserial, which leaves Nagle's algorithm on: with a window
of a few hundred bytes, the peer's delayed acknowledgements would then set the pace.
"""

import select
import socket
import time
from typing import Protocol
from urllib.parse import urlsplit

import serial

from einthoven.errors import BoardError

WRITE_TIMEOUT_S = 5.0
_CHUNK = 4096


class PortLostError(Exception):
    """The port has gone: unplugged, or the peer closed the connection."""


class Link(Protocol):
    """An open byte link. All methods raise PortLostError when the port has gone."""

    def read(self, timeout_s: float) -> bytes:
        """What has arrived, waiting up to `timeout_s` for the first byte; empty if nothing came."""

    def write(self, data: bytes) -> None:
        """Send all of `data`; PortLostError too if nobody takes it for WRITE_TIMEOUT_S."""

    def close(self) -> None:
        """Close it; harmless when closed already."""


class SocketLink:
    """A TCP connection."""

    def __init__(self, url: str) -> None:
        parts = urlsplit(url)
        try:
            address = (parts.hostname or "127.0.0.1", parts.port or 0)
            self._socket = socket.create_connection(address, timeout=WRITE_TIMEOUT_S)
        except (OSError, ValueError) as error:
            raise BoardError(f"cannot open {url}: {_reason(error)}") from error
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def read(self, timeout_s: float) -> bytes:
        """See Link."""
        try:
            if not select.select([self._socket], [], [], timeout_s)[0]:
                return b""
            data = self._socket.recv(_CHUNK)
        except (OSError, ValueError) as error:
            raise PortLostError(_reason(error)) from error
        if not data:
            raise PortLostError("the peer closed the connection")
        return data

    def write(self, data: bytes) -> None:
        """See Link."""
        try:
            self._socket.sendall(data)
        except OSError as error:
            raise PortLostError(_reason(error)) from error

    def close(self) -> None:
        """See Link."""
        self._socket.close()


class SerialLink:
    """A serial port, or any other URL of pyserial."""

    def __init__(self, url: str, baud: int) -> None:
        try:
            self._port = serial.serial_for_url(
                url, baudrate=baud, timeout=0, write_timeout=WRITE_TIMEOUT_S, do_not_open=True
            )
            if hasattr(self._port, "exclusive"):
                self._port.exclusive = True  # two programs on one port would share the bytes
            self._port.open()
        except (serial.SerialException, OSError, ValueError) as error:
            raise BoardError(f"cannot open {url}: {_reason(error)}") from error

    def read(self, timeout_s: float) -> bytes:
        """See Link."""
        try:
            deadline = time.monotonic() + timeout_s
            while True:
                data: bytes = self._port.read(_CHUNK)
                left = deadline - time.monotonic()
                if data or left <= 0:
                    return data
                self._wait(left)
        except (serial.SerialException, OSError, TypeError) as error:
            raise PortLostError(_reason(error)) from error

    def _wait(self, timeout_s: float) -> None:
        try:
            select.select([self._port], [], [], timeout_s)
        except (TypeError, ValueError, OSError):  # no file descriptor: Windows, loop://, rfc2217://
            time.sleep(min(timeout_s, 0.002))

    def write(self, data: bytes) -> None:
        """See Link."""
        try:
            self._port.write(data)
        except (serial.SerialException, OSError) as error:
            raise PortLostError(_reason(error)) from error

    def close(self) -> None:
        """See Link."""
        self._port.close()


def open_link(url: str, baud: int) -> Link:
    """Open a port by name or URL; BoardError that says what to do if that fails."""
    if not url:
        raise BoardError("the port has no name: einthoven boards lists ports")
    return SocketLink(url) if url.startswith("socket://") else SerialLink(url, baud)


def _reason(error: Exception) -> str:
    text = str(error).lower()
    if "lock" in text or "busy" in text:
        return "the port is busy; close the program that uses it"
    if "permission" in text:
        return "no permission; add yourself to the group dialout (sudo adduser $USER dialout)"
    if "no such file" in text or "not find" in text:
        return "there is no such port; is the board plugged in? (einthoven boards lists ports)"
    if "inappropriate ioctl" in text or "is a directory" in text:
        return "it is no serial port (einthoven boards lists ports)"
    if "reset by peer" in text or "broken pipe" in text:
        return "the peer closed the connection"
    if "refused" in text:
        return "nobody listens there"
    return str(error).splitlines()[0] if str(error) else type(error).__name__
