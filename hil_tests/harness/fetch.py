"""A device's log fetched over a link that may be bad: what came is kept, and gone on from.

The copy is a file of `einthoven.device_log.copy`, which grows with every message. A fetch begins
by asking the board for the copy's last bytes again: if they are others, the copy is of another log.
"""

from collections.abc import Callable
from dataclasses import dataclass

from einthoven.device_log.copy import CopyFile, LogCopy, Place
from einthoven.device_log.description import Device as Identity
from einthoven.errors import KeysError
from einthoven.hil_tests.harness.device import Device, Hello
from einthoven.native.log import LogError

_AGAIN = 128
"""Bytes at a copy's end that are compared."""
_TRIES = 3
"""How often a device that was reset meanwhile, and has closed itself, is opened again."""

Progress = Callable[[int, int], None]
"""Told bytes that came in this fetch, and about how many there are still to come."""


@dataclass(frozen=True)
class Fetched:
    """What a fetch did."""

    bytes_new: int
    bytes_before: int
    end: Place | None
    """Where copy and log end; None: the log is empty."""
    given_up: bool
    """The board had given up, or deleted, what follows the earlier copy."""


def identity(hello: Hello) -> Identity:
    """Who wrote the log, as the board says it."""
    return Identity(
        board=hello.board,
        serial=hello.serial,
        firmware=hello.build,
        model=hello.model,
        rails=(hello.rail_lo, hello.rail_hi),
        lsb_per_mv=hello.gain_lsb_per_mv,
    )


def fetch(
    device: Device, file: CopyFile, unlock: Callable[[], None], progress: Progress | None = None
) -> Fetched:
    """Take all that the device's log has and the copy has not. The device must be open.

    `unlock` opens it again if it closes itself on the way: it was reset. Raises LogError if the
    copy is of another log, KeysError, LinkError, OSError; what came until then is in the file.
    """
    copy = file.copy
    before = copy.size
    status = device.log_status()
    end = Place(status["next_sequence"], status["next_offset"])
    sector_bytes = status["bytes"] / max(status["sectors"], 1)
    at = copy.end or Place(0, 0)
    if copy.end is not None:
        _require_same(_Reader(device, unlock), copy, at, end)
    reader, came, skipped = _Reader(device, unlock), 0, False
    while True:
        place, content = reader.read(at)
        if not content:
            break
        skipped |= copy.end is not None and not _follows(at, place)
        file.add(place, content)
        came += len(content)
        at = Place(place.sequence, place.offset + len(content))
        if progress is not None:
            ahead = (end.sequence - at.sequence) * sector_bytes + end.offset - at.offset
            progress(came, max(round(ahead), 0))
    return Fetched(came, before, copy.end, skipped)


def is_complete(device: Device, copy: LogCopy) -> bool:
    """Whether the device's log holds nothing that the copy has not."""
    status = device.log_status()
    end = Place(status["next_sequence"], status["next_offset"])
    oldest = Place(status["oldest_sequence"], status["oldest_offset"])
    return end <= oldest or (copy.end is not None and copy.end >= end)


class _Reader:
    """Reads, and opens the device again when it has closed itself."""

    def __init__(self, device: Device, unlock: Callable[[], None]) -> None:
        self._device, self._unlock = device, unlock

    def read(self, at: Place) -> tuple[Place, bytes]:
        for _ in range(_TRIES):
            try:
                sequence, offset, content = self._device.log_read(at.sequence, at.offset)
            except KeysError:
                self._unlock()
            else:
                return Place(sequence, offset), content
        sequence, offset, content = self._device.log_read(at.sequence, at.offset)
        return Place(sequence, offset), content


def _follows(at: Place, place: Place) -> bool:
    """Whether nothing lies between: the same place, or the first of the next sector."""
    return place == at or (place.offset == 0 and place.sequence == at.sequence + 1)


def _require_same(reader: _Reader, copy: LogCopy, at: Place, end: Place) -> None:
    """The copy's last bytes must be the board's, if it still has them."""
    other = LogError(
        "the board's log is not the one that the copy is of: it was made anew since; fetch to "
        "another file with --copy"
    )
    if at > end:
        raise other
    begin = Place(at.sequence, max(at.offset - _AGAIN, 0))
    place, content = reader.read(begin)
    if place != begin:
        return  # given up since
    n = min(at.offset - begin.offset, len(content))
    if bytes(copy.sectors[at.sequence][begin.offset : begin.offset + n]) != content[:n]:
        raise other
