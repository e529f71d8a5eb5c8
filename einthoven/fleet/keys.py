"""`fleet.toml`: which devices there are, and where the operator keeps each one's key.

    [[device]]
    name = "clinic-01"
    id = "002f00213137510538333233"      # the chip's, as `einthoven info` shows it
    board = "blackpill_f411ce"
    key = "file:keys/clinic-01.key"      # beside this file; or "env:CLINIC_01_KEY"

A key itself never stands in it. A key file holds 64 hexadecimal digits, and nobody but its owner
may read it. Whatever else a `[[device]]` says belongs to others and is left alone.
"""

import json
import os
import re
import stat
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from einthoven.errors import KeysError
from einthoven.fleet.proof import KEY_BYTES, new_key

_NAME = re.compile(r"[\w][\w.-]{0,63}")
_SECRET_MODE = 0o600


@dataclass(frozen=True)
class Entry:
    """A device of the fleet."""

    name: str
    id: str
    """The chip's unique id, the serial number that the device says; "" if it has none."""
    board: str
    key: str
    """Reference: `file:PATH` or `env:NAME`; "" if the device has no key."""


@dataclass(frozen=True)
class Fleet:
    """A fleet file that was read."""

    path: Path
    devices: tuple[Entry, ...]

    def device(self, name: str) -> Entry:
        """The device of that name or id. Raises KeysError."""
        for device in self.devices:
            if name in (device.name, device.id) and name:
                return device
        known = ", ".join(device.name for device in self.devices) or "none yet"
        raise KeysError(f"{self.path} has no device '{name}': it has {known}")

    def by_id(self, device_id: str) -> Entry | None:
        """The device with that unique id; None if it is not of this fleet."""
        return next((d for d in self.devices if device_id and d.id == device_id), None)

    def key(self, device: Entry) -> bytes:
        """The device's key, 32 bytes. Raises KeysError with what to do."""
        kind, _, where = device.key.partition(":")
        if kind == "env":
            text = os.environ.get(where)
            if text is None:
                raise KeysError(f"the key of {device.name} should be in ${where}, which is not set")
            return _parse(text, f"${where}")
        if kind == "file":
            return read_key(self.path.parent / where)
        raise KeysError(
            f"{self.path}: {device.name} has no key ('file:PATH' or 'env:NAME'): make one with "
            f"`einthoven keys new {device.name}`"
        )


def read(path: Path) -> Fleet:
    """Read a fleet file. Raises KeysError if it is missing, not TOML, or contradicts itself."""
    try:
        table = tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise KeysError(
            f"no {path}: `einthoven keys new NAME` begins one, or name it with --fleet"
        ) from None
    except (UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise KeysError(f"{path} is no TOML: {error}") from error
    found = table.get("device", [])
    if not isinstance(found, list) or not all(isinstance(d, dict) for d in found):
        raise KeysError(f"{path}: devices are written as [[device]]")
    devices = tuple(_entry(path, d) for d in found)
    for what in ("name", "id"):
        values = [getattr(d, what) for d in devices if getattr(d, what)]
        twice = sorted({v for v in values if values.count(v) > 1})
        if twice:
            raise KeysError(f"{path}: two devices have the {what} '{twice[0]}'")
    return Fleet(path, devices)


def _entry(path: Path, table: Mapping[str, Any]) -> Entry:
    values = {key: table.get(key, "") for key in ("name", "id", "board", "key")}
    for key, value in values.items():
        if not isinstance(value, str):
            raise KeysError(f"{path}: '{key}' of a device must be a text, not {value!r}")
    if not _NAME.fullmatch(values["name"]):
        raise KeysError(
            f"{path}: a device's name is letters, digits, '.', '_' and '-', not '{values['name']}'"
        )
    return Entry(**values)


def add(path: Path, name: str, device_id: str = "", board: str = "") -> Entry:
    """A new device with a new key, at the end of the fleet file, which may not be there yet.

    The key goes to `keys/NAME.key` beside it. Raises KeysError if the name or the id is taken, or
    if a key file of that name is there already: a key is never overwritten.
    """
    if not _NAME.fullmatch(name):
        raise KeysError(f"a device's name is letters, digits, '.', '_' and '-', not '{name}'")
    fleet = read(path) if path.exists() else Fleet(path, ())
    for taken in fleet.devices:
        if taken.name == name or (device_id and taken.id == device_id):
            raise KeysError(f"{path} has {taken.name} ({taken.id or 'no id'}) already")
    where = f"keys/{name}.key"
    write_key(path.parent / where, new_key())
    entry = Entry(name, device_id, board, f"file:{where}")
    lines = [f"{key} = {json.dumps(value)}" for key, value in vars(entry).items() if value]
    before = path.read_text(encoding="utf-8") if path.exists() else ""
    gap = "\n" if before else ""
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, _SECRET_MODE), "a") as out:
        out.write(gap + "[[device]]\n" + "\n".join(lines) + "\n")
    return entry


def write_key(path: Path, key: bytes) -> None:
    """Keep a key in a new file that only its owner can read. Raises KeysError if it is there."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    try:
        made = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, _SECRET_MODE)
    except FileExistsError:
        raise KeysError(
            f"{path} is there already, and may be the only copy of a device's key: move it away "
            "first"
        ) from None
    with os.fdopen(made, "w") as out:
        out.write(key.hex() + "\n")


def read_key(path: Path) -> bytes:
    """A key from its file. Raises KeysError if it is missing, readable by others, or no key."""
    require_secret(path)
    return _parse(path.read_text(encoding="ascii", errors="replace"), str(path))


def require_secret(path: Path) -> None:
    """Raise KeysError unless `path` is a file that nobody but its owner may read."""
    try:
        mode = path.stat().st_mode
    except FileNotFoundError:
        raise KeysError(
            f"no key file {path}: restore it from where the operator keeps keys"
        ) from None
    if not stat.S_ISREG(mode):
        raise KeysError(f"{path} is no file")
    if mode & 0o077:
        raise KeysError(f"{path} may be read by others: chmod 600 {path}")


def _parse(text: str, where: str) -> bytes:
    digits = text.strip()
    if not re.fullmatch(f"[0-9a-fA-F]{{{2 * KEY_BYTES}}}", digits):
        raise KeysError(f"{where} holds no key: it must be {2 * KEY_BYTES} hexadecimal digits")
    return bytes.fromhex(digits)
