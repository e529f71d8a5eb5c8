"""A modelled chip's line as a TCP port: the board at the other end of a connection."""

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

_LOOK_S, _PATIENCE_S = 0.005, 10.0
"""For what a host sends while nothing is on the chip's line; for a host that does not read."""


class Sampling(Protocol):
    """What a chip's ADC sees."""

    samples: NDArray[np.int16]
    """At 180 Hz, signed 12-bit counts, from the first conversion on."""

    @property
    def taken(self) -> int:
        """Samples whose last conversion has been."""


class Chip(Protocol):
    """What every chip of this package is, to the line and to what runs it."""

    sent: bytearray
    """By the firmware, since somebody looked."""
    coming: bytearray
    """Towards its receiver."""
    ns: int
    """Its time."""

    @property
    def sampling(self) -> Sampling:
        """Of its own ADC."""

    def sleep(self) -> None:
        """Run until the core sleeps, through restarts of its own.

        Raises AssertionError for what the firmware must not do.
        """

    def wake(self) -> None:
        """Time goes on until something ends the sleep."""

    def flashed(self) -> bytes:
        """What its flash holds, image included."""

    def flash_anew(self, content: bytes) -> None:
        """Put that into its flash, and the power on."""


def serve(chip: Chip, listener: socket.socket) -> None:
    """Be the board at the other end of `listener`'s connections, until it is closed."""
    listener.settimeout(0.01)
    link: socket.socket | None = None
    while listener.fileno() >= 0:
        chip.sleep()
        try:
            if link is None:
                link = listener.accept()[0]
            link.settimeout(_PATIENCE_S)
            link.sendall(chip.sent)
            chip.sent.clear()
            link.settimeout(0.0 if chip.coming else _LOOK_S)
            came = link.recv(512)
            chip.coming += came
            link = link if came else None
        except (TimeoutError, BlockingIOError):
            pass
        except OSError:
            link = None
        chip.wake()


@contextmanager
def serving(chip: Chip) -> Iterator[str]:
    """The chip's line for the block, while a thread runs it."""
    listener = socket.create_server(("127.0.0.1", 0))
    port = listener.getsockname()[1]
    runs = threading.Thread(target=serve, args=(chip, listener), daemon=True)
    runs.start()
    try:
        yield f"socket://127.0.0.1:{port}"
    finally:
        listener.close()
        runs.join(60.0)
