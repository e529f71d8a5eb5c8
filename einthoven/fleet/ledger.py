"""What was written where: one line a device and time, as JSON lines and as CSV, beside the fleet
file (`fleet-ledger.jsonl`, `fleet-ledger.csv`).

A line says that a device is about to be written before it is, so that an ending in the middle is
seen, and so that a disk that is full stops the work before a chip is touched. A line is whole or
not there; nothing is ever changed or taken out.
"""

import csv
import fcntl
import io
import json
import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import msgspec

from einthoven.errors import DISK_FULL, BoardError

BEGUN = "begun"
FLASHED = "flashed"
SCHEMA = "einthoven-flash/1"


class Flashed(msgspec.Struct, frozen=True, kw_only=True):
    """What came of flashing a device; the fields of the ledger, and of `flash --json`."""

    time: str
    """UTC, ISO 8601."""
    fleet: str
    name: str
    id: str
    """The chip's unique id, if it is known."""
    board: str
    outcome: str
    """"begun", "flashed", or the kind of trouble."""
    message: str = ""
    """What is wrong, and what to do."""
    firmware: str = ""
    """Build, as the device says it."""
    firmware_sha256: str = ""
    """Of the image that was written."""
    version: str = ""
    """Of a signed release."""
    model: str = ""
    model_sha256: str = ""
    pipeline_sha256: str = ""
    key: str = ""
    """Fingerprint of the device's key, if it has one."""
    flasher: str = ""
    probe: str = ""
    port: str = ""
    verified: str = ""
    """How the chip's contents were compared with the image."""
    tries: int = 0
    seconds: float = 0.0


class FlashReport(msgspec.Struct, frozen=True, kw_only=True):
    """`einthoven flash --json`."""

    schema: str = SCHEMA
    devices: list[Flashed]
    failed: int
    ledger: str | None
    """The file with the lines; None: no fleet file, no ledger."""


class Ledger:
    """The two files of one fleet."""

    def __init__(self, fleet_file: Path) -> None:
        self.lines = fleet_file.with_name(f"{fleet_file.stem}-ledger.jsonl")
        self.table = fleet_file.with_name(f"{fleet_file.stem}-ledger.csv")

    def add(self, entry: Flashed) -> None:
        """Add a line. Raises BoardError with the line itself if it cannot be kept."""
        with self._alone():
            # The table has outcomes only, and is behind: the lines alone are read by programs.
            self._append(self.lines, json.dumps(msgspec.to_builtins(entry)) + "\n", entry)
            if entry.outcome != BEGUN:
                head = "" if self._size(self.table) else _row(Flashed.__struct_fields__)
                values = msgspec.to_builtins(entry).values()
                self._append(self.table, head + _row(values), entry)

    def entries(self) -> list[Flashed]:
        """All lines, oldest first. Raises BoardError if a line is none."""
        try:
            text = self.lines.read_text(encoding="utf-8", errors="replace")
        except FileNotFoundError:
            return []
        except OSError as error:
            raise BoardError(f"{self.lines} cannot be read: {error.strerror}") from None
        found = []
        for number, line in enumerate(text.splitlines(), 1):
            try:
                found.append(msgspec.json.decode(line, type=Flashed))
            except msgspec.DecodeError as error:
                raise BoardError(
                    f"{self.lines}, line {number}, is damaged ({error}): look at it, and take it "
                    "out of the file"
                ) from None
        return found

    def unfinished(self) -> list[Flashed]:
        """The devices whose last line says that they were about to be written."""
        last = {entry.name: entry for entry in self.entries()}
        return [entry for entry in last.values() if entry.outcome == BEGUN]

    def version(self, device_id: str, name: str) -> str:
        """Of the firmware that a device was last given, by its id, else by its name; "" if none."""
        for entry in reversed(self.entries()):
            same = entry.id == device_id if device_id and entry.id else entry.name == name
            if same and entry.outcome == FLASHED:
                return entry.version
        return ""

    @contextmanager
    def _alone(self) -> Iterator[None]:
        try:
            lock = os.open(self.lines, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
        except OSError as error:
            raise BoardError(f"{self.lines}: {error.strerror}") from error
        try:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield
        finally:
            os.close(lock)

    @staticmethod
    def _size(path: Path) -> int:
        return path.stat().st_size if path.exists() else 0

    def _append(self, path: Path, text: str, entry: Flashed) -> None:
        before = self._size(path)
        try:
            with path.open("a+b", buffering=0) as file:
                data = text.encode()
                if before:
                    file.seek(-1, os.SEEK_END)
                    # Half a line is what the machine's own end has left: it spoils no other.
                    data = data if file.read(1) == b"\n" else b"\n" + data
                while data:
                    data = data[file.write(data) :]
                os.fsync(file.fileno())
        except OSError as error:
            with suppress(OSError):
                os.truncate(path, before)
            why = "its disk is full" if error.errno in DISK_FULL else str(error.strerror)
            told = json.dumps(msgspec.to_builtins(entry))
            raise BoardError(
                f"the ledger {path} could not be written ({why}): make room, and keep this line: "
                f"{told}"
            ) from None


def _row(values: Iterable[object]) -> str:
    out = io.StringIO()
    csv.writer(out, lineterminator="\n").writerow(values)
    return out.getvalue()
