"""A copy of a device's log in a file that grows while it is fetched, and loses nothing when torn.

    einthoven log 1\\n
    {"board": …, "serial": …}\\n            who wrote the log, as JSON
    sequence u32, offset u32, bytes u16, the bytes, CRC-32 of all that     again and again

A place is a sector's `sequence` and an `offset` in it; a device never uses one twice. What is
behind the last chunk that checks was being written when the computer stopped: it is cut off. A file
that begins otherwise may be the image of a flash, as a debugger reads it (`sectors_of_image`).
"""

import contextlib
import json
import os
import struct
import zlib
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields
from itertools import pairwise
from pathlib import Path
from typing import Any, BinaryIO

from einthoven.device_log.description import Device
from einthoven.native import log as native
from einthoven.native.log import LogError
from einthoven.native.log_spec import load

MAGIC = b"einthoven log 1\n"
_HEAD = struct.Struct("<IIH")
_CRC = struct.Struct("<I")
_MOST_HEADER = 4096
_IMAGE_STEP = 1024
"""Sectors of a flash begin at multiples of this."""


@dataclass(frozen=True, order=True)
class Place:
    """A place in a device's log, which it never uses twice."""

    sequence: int
    offset: int


@dataclass
class LogCopy:
    """What a file holds of a log."""

    device: Device
    sectors: dict[int, bytearray] = field(default_factory=dict)
    """By sequence, from each one's first byte on; what was never fetched is 0xFF."""
    end: Place | None = None
    """Where it goes on; None: nothing has been fetched."""
    torn: int = 0
    """Bytes at the file's end that were being written when the computer stopped."""
    offsets: dict[int, int] = field(default_factory=dict)
    """By sequence: where in the file each sector begins."""

    @property
    def size(self) -> int:
        """Bytes of the log that are here."""
        return sum(len(content) for content in self.sectors.values())

    def add(self, place: Place, content: bytes) -> None:
        """Take bytes from a place on."""
        sector = self.sectors.setdefault(place.sequence, bytearray())
        sector.extend(b"\xff" * (place.offset + len(content) - len(sector)))
        sector[place.offset : place.offset + len(content)] = content
        end = Place(place.sequence, place.offset + len(content))
        self.end = end if self.end is None else max(self.end, end)


def read_copy(path: Path) -> LogCopy:
    """The log in a file: a copy that was fetched, or the image of a flash.

    Raises LogError with one line for anything else.
    """
    try:
        content = path.read_bytes()
    except FileNotFoundError:
        raise LogError(f"no file {path}: fetch the log first (einthoven log fetch)") from None
    except IsADirectoryError:
        raise LogError(f"{path} is a folder, not a log") from None
    if content.startswith(MAGIC):
        return _parse(content, path)
    sectors, offsets = sectors_of_image(content)
    if not sectors:
        raise LogError(
            f"{path} is no log: it was not fetched with `einthoven log fetch`, and no sector of an "
            "Einthoven log is in it"
        )
    return LogCopy(Device(), sectors, offsets=offsets)


def _parse(content: bytes, path: Path) -> LogCopy:
    line_end = content.find(b"\n", len(MAGIC), len(MAGIC) + _MOST_HEADER)
    try:
        if line_end < 0:
            raise ValueError
        copy = LogCopy(_device(json.loads(content[len(MAGIC) : line_end])))
    except (ValueError, TypeError):
        raise LogError(
            f"{path} is damaged in its first lines: move it away and fetch the log again"
        ) from None
    at = line_end + 1
    while at < len(content):
        chunk = _chunk(content, at)
        if chunk is None:
            break
        place, data = chunk
        copy.offsets.setdefault(place.sequence, at)
        copy.add(place, data)
        at += _HEAD.size + len(data) + _CRC.size
    copy.torn = len(content) - at
    return copy


def _device(values: object) -> Device:
    if not isinstance(values, Mapping):
        raise TypeError
    found: dict[str, Any] = {}
    for f in fields(Device):
        if f.name in values:
            kind = type(f.default)
            value = tuple(values[f.name]) if kind is tuple else values[f.name]
            if not isinstance(value, kind):
                raise TypeError
            found[f.name] = value
    return Device(**found)


def _chunk(content: bytes, at: int) -> tuple[Place, bytes] | None:
    if at + _HEAD.size > len(content):
        return None
    sequence, offset, size = _HEAD.unpack_from(content, at)
    end = at + _HEAD.size + size
    if end + _CRC.size > len(content) or offset > 1 << 26:
        return None
    if _CRC.unpack_from(content, end)[0] != zlib.crc32(content[at:end]):
        return None
    return Place(sequence, offset), content[at + _HEAD.size : end]


def sectors_of_image(content: bytes) -> tuple[dict[int, bytearray], dict[int, int]]:
    """The sectors in the image of a flash, and where each begins, both by sequence.

    A sector reaches to where the next one begins; erased ones in between read as its unused end.
    """
    magic = load().format["magic"].to_bytes(4, "little")
    starts = [
        at
        for at in range(0, len(content), _IMAGE_STEP)
        if content.startswith(magic, at) and native.scan(content[at : at + 64]) is not None
    ]
    sectors, offsets = {}, {}
    for at, end in pairwise([*starts, len(content)]):
        found = native.scan(content[at : at + 64])
        assert found is not None
        sectors[found.sequence] = bytearray(content[at:end])
        offsets[found.sequence] = at
    return sectors, offsets


class CopyFile:
    """A copy open for more. Use as a context manager.

    Made new, or gone on with after what is torn at its end was cut off. Raises LogError if it is
    another device's, or no copy; OSError (disk full): what was written before stays.
    """

    def __init__(self, path: Path, device: Device) -> None:
        self.path = path
        if path.exists() and path.stat().st_size:
            self.copy = read_copy(path)
            with path.open("rb") as file:
                if file.read(len(MAGIC)) != MAGIC:
                    raise LogError(f"{path} is the image of a flash: fetch to another file")
            if self.copy.device.serial != device.serial:
                raise LogError(
                    f"{path} holds the log of {self.copy.device.name}, and this is {device.name}: "
                    "name another file with --out"
                )
            self._file: BinaryIO = path.open("r+b")
            self._file.truncate(path.stat().st_size - self.copy.torn)
            self._file.seek(0, os.SEEK_END)
        else:
            path.parent.mkdir(parents=True, exist_ok=True)
            self.copy = LogCopy(device)
            self._file = path.open("wb")
            header = json.dumps(asdict(device)).encode("ascii")
            self._write(MAGIC + header + b"\n")

    def __enter__(self) -> "CopyFile":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the file; what was added is in it."""
        self._file.close()

    def add(self, place: Place, content: bytes) -> None:
        """Append bytes of the log; they are in the file when this returns, or not at all."""
        head = _HEAD.pack(place.sequence, place.offset, len(content)) + content
        self._write(head + _CRC.pack(zlib.crc32(head)))
        self.copy.add(place, content)

    def _write(self, content: bytes) -> None:
        before = self._file.tell()
        try:
            self._file.write(content)
            self._file.flush()
        except OSError:
            # A half chunk would be cut off the next time, too; it takes room that is missing now.
            with contextlib.suppress(OSError):
                self._file.close()
            os.truncate(self.path, before)
            raise
