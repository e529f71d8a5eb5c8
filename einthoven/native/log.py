"""The device's log (`firmware/log`) by cffi: its reader, its ECG code, and its writer, in memory.

`scan` reads a sector as the device does, over whatever a cut of the power left in it; `Log` is the
writer on a flash that is as good as RAM, for those who need a log that a device might have written.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

import cffi
import numpy as np
from numpy.typing import NDArray

from einthoven.c_library import build_library
from einthoven.errors import EinthovenError, UsageError
from einthoven.native.log_spec import Kind, load
from einthoven.paths import FIRMWARE, GENERATED, PACKAGE

_CDEF = """
void ein_host_log_use(uint8_t *bytes, uint16_t sectors, uint32_t sector_bytes, uint8_t unit);
int ein_host_log_scan(uint32_t *header, void *records, int room);
size_t ein_host_log_ecg_read(const uint32_t *fields, const uint8_t *code, size_t n,
                             int16_t *samples);
size_t ein_host_log_bytes(void);
int ein_host_log_mount(void *log);
int ein_host_log_append(void *log, uint8_t kind, const uint32_t *fields, uint32_t now_ms);
int ein_host_log_time_set(void *log, uint64_t unix_ms, uint32_t now_ms);
int ein_host_log_ecg(void *log, uint16_t number, const int16_t *samples, size_t n,
                     uint32_t now_ms);
size_t ein_host_log_read(void *log, uint32_t *from, uint8_t *bytes, size_t n);
int ein_host_log_clear(void *log, uint32_t now_ms);
void ein_host_log_about(const void *log, uint32_t *values);
"""
_TOLD = np.dtype(
    [
        *((name, "<u4") for name in ("offset", "size", "t_s", "boot")),
        *((name, "u1") for name in ("kind", "version")),
        ("unused", "u1", (2,)),
    ]
)
_ABOUT = (
    *("oldest_sequence", "oldest_offset", "next_sequence", "next_offset"),
    *("records", "given_up"),
)
"""Named as in `log_status_reply` of codegen/spec/wire.toml."""
HEAD_BYTES = 4
"""Of a record, before its payload."""
TAIL_BYTES = 4
"""Behind it: its CRC."""


class LogError(EinthovenError):
    """A file is no log, or a device does not take or give what it was asked for."""


@dataclass(frozen=True)
class Record:
    """A record that checks."""

    offset: int
    """In its sector."""
    kind: int
    version: int
    boot: int
    """Modulo 65536."""
    t_s: int
    """Monotonic seconds of that boot when it was written."""
    payload: bytes

    def fields(self, kind: Kind) -> dict[str, Any]:
        """Its values by the layout of its kind; what a younger firmware added is left out."""
        return kind.unpack(self.payload)


@dataclass(frozen=True)
class Sector:
    """What one sector holds."""

    sequence: int
    """Of the content: counts up, never used twice."""
    erases: int
    records_before: int
    """In the log, since it was made or cleared."""
    given_up: int
    """Of them, when the sector was opened."""
    t_s: int
    boot: int
    unit: int
    records: tuple[Record, ...]
    damaged: tuple[tuple[int, int], ...]
    """(offset, bytes) of what is neither a record nor erased."""


@cache
def _library() -> tuple[cffi.FFI, Any]:
    log, wire = FIRMWARE / "log", FIRMWARE / "wire"
    sources = [*sorted(log.glob("ein_log*.c")), wire / "ein_crc32.c", PACKAGE / "native/log_host.c"]
    library = build_library("ein_log", sources, [GENERATED, log, wire], ["-DNDEBUG"])
    ffi = cffi.FFI()
    ffi.cdef(_CDEF)
    return ffi, ffi.dlopen(str(library))


def scan(sector: bytes) -> Sector | None:
    """The records of a sector from its first byte on; None: it is none of a log.

    It may be cut off: what is not there counts as erased.
    """
    ffi, lib = _library()
    padded = sector + b"\xff" * (-len(sector) % 8 + 8)
    image = ffi.from_buffer("uint8_t[]", bytearray(padded))
    header = ffi.new("uint32_t[7]")
    room = len(padded) // 8
    told = np.zeros(room, dtype=_TOLD)
    lib.ein_host_log_use(image, 1, len(padded), 4)
    count = lib.ein_host_log_scan(header, ffi.cast("void *", told.ctypes.data), room)
    if count < 0:
        return None
    records = []
    for row in told[:count]:
        offset, size = int(row["offset"]), int(row["size"])
        begin = offset + HEAD_BYTES
        records.append(
            Record(
                *(offset, int(row["kind"]), int(row["version"]), int(row["boot"])),
                *(int(row["t_s"]), bytes(padded[begin : begin + size])),
            )
        )
    sequence, erases, before, given_up, t_s, boot, unit = (int(value) for value in header)
    damaged = _damaged(padded, records, unit)
    return Sector(*(sequence, erases, before, given_up, t_s, boot, unit), tuple(records), damaged)


def _damaged(sector: bytes, records: list[Record], unit: int) -> tuple[tuple[int, int], ...]:
    """What lies between the records, and behind them, and is not erased."""
    found = []
    at = load().format["header_bytes"]
    ends = [(r.offset, _end(r, unit)) for r in records]
    for begin, end in [*ends, (len(sector), len(sector))]:
        between = sector[at:begin].rstrip(b"\xff")
        if between:
            found.append((at, len(between)))
        at = end
    return tuple(found)


def _end(record: Record, unit: int) -> int:
    end = record.offset + HEAD_BYTES + len(record.payload) + TAIL_BYTES
    return end + -end % unit


def decode_ecg(fields: Mapping[str, int], code: bytes) -> NDArray[np.int16]:
    """The samples of a piece of ECG: int16 [n], fewer than its `samples` if the code is damaged."""
    ffi, lib = _library()
    kind = _kind("ecg")
    values = ffi.new("uint32_t[]", [fields[f.name] & 0xFFFFFFFF for f in kind.fields])
    samples = np.zeros(fields["samples"], dtype=np.int16)
    n = lib.ein_host_log_ecg_read(
        values, code, len(code), ffi.cast("int16_t *", samples.ctypes.data)
    )
    return samples[:n]


def _kind(name: str) -> Kind:
    return next(kind for kind in load().kinds if kind.name == name)


class Log:
    """A device's log in memory, written by the device's own C. One thread at a time.

    `sectors` of `sector_bytes`, written in units of 4 or 8 bytes. `image` are its bytes. Times are
    a monotonic clock's milliseconds.
    """

    def __init__(self, sectors: int = 4, sector_bytes: int = 16384, unit: int = 4) -> None:
        self.image = bytearray(b"\xff" * (sectors * sector_bytes))
        self._shape = (sectors, sector_bytes, unit)
        self.restart()

    def restart(self) -> None:
        """The power went and came back: the log is mounted anew, in a new boot."""
        ffi, lib = _library()
        self._log = ffi.new("char[]", int(lib.ein_host_log_bytes()))
        self._use().ein_host_log_mount(self._log)

    def append(self, record: str, now_ms: int, /, **fields: int) -> None:
        """Write a record; fields that are not given are 0. Raises LogError, UsageError."""
        layout = _kind(record)
        unknown = fields.keys() - {f.name for f in layout.fields}
        if unknown:
            raise UsageError(f"a record {record} has no field {min(unknown)}")
        ffi, _ = _library()
        values = ffi.new("uint32_t[]", [fields.get(f.name, 0) & 0xFFFFFFFF for f in layout.fields])
        self._good(self._use().ein_host_log_append(self._log, layout.code, values, now_ms))

    def time_set(self, unix_ms: int, now_ms: int) -> None:
        """The host told the time. Raises LogError."""
        self._good(self._use().ein_host_log_time_set(self._log, unix_ms, now_ms))

    def ecg(self, number: int, samples: NDArray[np.int16], now_ms: int) -> None:
        """The pieces of a strip. Raises LogError."""
        ffi, _ = _library()
        values = np.ascontiguousarray(samples, dtype=np.int16)
        pointer = ffi.cast("const int16_t *", values.ctypes.data)
        self._good(self._use().ein_host_log_ecg(self._log, number, pointer, len(values), now_ms))

    def read(self, sequence: int, offset: int, most: int) -> tuple[int, int, bytes]:
        """The next bytes from a place on, and where they begin; none: there are no more."""
        ffi, _ = _library()
        place, buffer = ffi.new("uint32_t[2]", [sequence, offset]), ffi.new("uint8_t[]", most)
        n = self._use().ein_host_log_read(self._log, place, buffer, most)
        return place[0], place[1], bytes(ffi.buffer(buffer, n))

    def about(self) -> dict[str, int]:
        """Where it begins and ends, and how many records it holds: `_ABOUT`."""
        ffi, _ = _library()
        values = ffi.new("uint32_t[]", len(_ABOUT))
        self._use().ein_host_log_about(self._log, values)
        return dict(zip(_ABOUT, map(int, values), strict=True))

    def clear(self, now_ms: int) -> None:
        """Delete everything. Raises LogError."""
        self._good(self._use().ein_host_log_clear(self._log, now_ms))

    @property
    def sectors(self) -> list[bytes]:
        """The image sector by sector."""
        size = self._shape[1]
        return [bytes(self.image[at : at + size]) for at in range(0, len(self.image), size)]

    def _use(self) -> Any:
        ffi, lib = _library()
        sectors, sector_bytes, unit = self._shape
        self._bytes = ffi.from_buffer("uint8_t[]", self.image, require_writable=True)
        lib.ein_host_log_use(self._bytes, sectors, sector_bytes, unit)
        return lib

    @staticmethod
    def _good(status: int) -> None:
        if status < 0:
            raise LogError(f"the log does not take it (status {status})")
