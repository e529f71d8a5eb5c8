"""`fleet.toml`: which devices there are, where each is plugged in, and where its key is kept.

    [fleet]                              # may be left out
    name = "spring screening"
    signed_by = "operator-sign.pub"      # whose firmware may be flashed

    [[device]]
    name = "clinic-01"
    id = "002f00213137510538333233"      # the chip's, as `einthoven info` shows it
    board = "blackpill_f411ce"
    port = "usb:1-2.3"                   # its serial adapter: USB path, or "serial:NUMBER"
    probe = "serial:066CFF3133"          # what flashes it, if that is something else
    flasher = "openocd"                  # its tool, if not the board's own
    host = "bench-2"                     # whose Dask worker has it, if not this machine
    key = "file:keys/clinic-01.key"      # beside this file; or "env:CLINIC_01_KEY"

    [[device]]
    name = "simulated-01"                # a board that is a process
    board = "host"
    words = ["--adc", "ecg.i16"]         # added to the command that starts it

Two adapters of one kind differ by serial number or by the socket they are plugged into, never by
`/dev/ttyUSB0`, which goes to whichever comes first. A key itself never stands in the file. Whatever
else a table says belongs to others and is left alone, unless it is a word of these mistyped: a
`singed_by` would have anybody's firmware flashed.
"""

import difflib
import json
import os
import re
import tomllib
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from einthoven.errors import KeysError
from einthoven.fleet import keys
from einthoven.fleet.proof import new_key

_NAME = re.compile(r"[\w][\w.-]{0,63}")
_USB = r"usb:\d+-\d+(\.\d+)*(:\d+\.\d+)?"
_PORT = re.compile(rf"{_USB}|serial:[!-~]{{1,126}}|[a-z][a-z0-9]*://\S+|/dev/\S+")
_KEY = re.compile(r"file:.+|env:\w+")
_ID = re.compile(r"[!-~]{1,64}")
_HEX = re.compile(r"[0-9A-Fa-f]+")
_ABOUT = ("name", "signed_by")
_TEXTS = ("name", "id", "board", "key", "port", "probe", "flasher", "host")
_ALIKE = 0.75
"""How much of a strange word must be one of ours to be a slip of the finger."""
_PROBE = re.compile(rf"{_USB}|serial:[!-~]{{1,126}}")
_BY_ORDER = re.compile(r"/dev/(tty(USB|ACM)\d+|serial/by-id/.*)")
"""Ports that are named by the order of plugging in, or alike for two adapters without a number."""
_PRIVATE_MODE = 0o600


@dataclass(frozen=True)
class Entry:
    """A device of the fleet."""

    name: str
    id: str = ""
    """The chip's unique id, the serial number that the device says; "" if it has none."""
    board: str = ""
    key: str = ""
    """Reference: `file:PATH` or `env:NAME`; "" if the device has no key."""
    port: str = ""
    """`usb:PATH`, `serial:NUMBER`, a pyserial URL or a soldered port; "": the only one there is."""
    probe: str = ""
    """`usb:PATH` or `serial:NUMBER`; "": it is flashed through its port."""
    flasher: str = ""
    """Tool that flashes it; "": the one that its board.toml names."""
    host: str = ""
    """Name or address of the Dask worker at whose machine it is plugged in; "": this one."""
    words: tuple[str, ...] = ()
    """For a board that is a process: further words of the command that starts it."""


@dataclass(frozen=True)
class Fleet:
    """A fleet file that was read."""

    path: Path
    devices: tuple[Entry, ...]
    name: str = ""
    signed_by: Path | None = None
    """The operator's public key: firmware of others is not flashed."""

    def device(self, name: str) -> Entry:
        """The device of that name or id. Raises KeysError."""
        for device in self.devices:
            if name and (name in (device.name, device.id) or name.lower() == device.id):
                return device
        known = ", ".join(device.name for device in self.devices) or "none yet"
        raise KeysError(f"{self.path} has no device '{name}': it has {known}")

    def choose(self, names: Sequence[str]) -> tuple[Entry, ...]:
        """The devices of these names or ids, each once, in the file's order; none: all of them.

        Raises KeysError for a name that is not there, and if there are no devices at all.
        """
        if not self.devices:
            raise KeysError(f"{self.path} has no devices yet: `einthoven fleet scan` proposes some")
        wanted = {self.device(name).name for name in names}
        return tuple(d for d in self.devices if not wanted or d.name in wanted)

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
            return keys.parse(text, f"${where}")
        if kind == "file":
            return keys.read_key(self.path.parent / where)
        raise KeysError(
            f"{self.path}: {device.name} has no key ('file:PATH' or 'env:NAME'): make one with "
            f"`einthoven keys new {device.name}`"
        )

    def folder(self, device: Entry) -> Path:
        """Where a device that is a process keeps what a chip has in its flash."""
        return self.path.parent / "simulated" / device.name


def read(path: Path) -> Fleet:
    """Read a fleet file. Raises KeysError if it is missing, not TOML, or contradicts itself."""
    try:
        # Some editors begin a file with a byte order mark, which is no TOML.
        table = tomllib.loads(path.read_text(encoding="utf-8-sig"))
    except FileNotFoundError:
        raise KeysError(
            f"no {path}: `einthoven fleet scan` or `einthoven keys new NAME` begins one, or name "
            "it with --fleet"
        ) from None
    except UnicodeDecodeError as error:
        raise KeysError(f"{path} is not written in UTF-8: save it so ({error})") from error
    except tomllib.TOMLDecodeError as error:
        raise KeysError(f"{path} is no TOML: {error}") from error
    except OSError as error:
        raise KeysError(f"{path} cannot be read: {error.strerror}") from error
    _require_known(path, "the file", table, ("fleet", "device"))
    found = table.get("device", [])
    if not isinstance(found, list) or not all(isinstance(d, dict) for d in found):
        raise KeysError(f"{path}: devices are written as [[device]]")
    devices = tuple(_entry(path, d) for d in found)
    # On some disks `A.key` is `a.key`.
    if twice := _twice(d.name.casefold() for d in devices):
        raise KeysError(f"{path}: two devices have the name '{twice}'")
    if twice := _twice(d.id for d in devices if d.id):
        raise KeysError(f"{path}: two devices have the id '{twice}'")
    ids = {d.id: d.name for d in devices if d.id}
    for device in devices:
        if ids.get(device.name, device.name) != device.name:
            raise KeysError(f"{path}: '{device.name}' is a name, and the id of {ids[device.name]}")
    if twice := _twice([place for d in devices for place in {d.port, d.probe} - {""}]):
        raise KeysError(f"{path}: two devices are at '{twice}'")
    about = table.get("fleet", {})
    if not isinstance(about, dict):
        raise KeysError(f"{path}: what is true of all devices is written as [fleet]")
    _require_known(path, "[fleet]", about, _ABOUT)
    name, signer = (_text(path, about, key) for key in _ABOUT)
    return Fleet(path, devices, name, path.parent / signer if signer else None)


def _twice(values: Iterable[str]) -> str:
    """One that is there more than once; "": none is."""
    return min((value for value, n in Counter(values).items() if n > 1), default="")


def _require_known(path: Path, where: str, table: Mapping[str, Any], words: Sequence[str]) -> None:
    """Raise KeysError for a key that is not one of `words`, but looks like one."""
    for key in table.keys() - set(words):
        if meant := difflib.get_close_matches(key.casefold(), words, 1, _ALIKE):
            raise KeysError(f"{path}: {where} has '{key}': is '{meant[0]}' meant? Else rename it")


def _text(path: Path, table: Mapping[str, Any], key: str) -> str:
    value = table.get(key, "")
    if not isinstance(value, str):
        raise KeysError(f"{path}: '{key}' must be a text, not {value!r}")
    return value


def _entry(path: Path, table: Mapping[str, Any]) -> Entry:
    values = {key: _text(path, table, key) for key in _TEXTS}
    name = values["name"]
    if not _NAME.fullmatch(name):
        raise KeysError(
            f"{path}: a device's name is letters, digits, '.', '_' and '-', not '{name}'"
        )
    _require_known(path, name, table, (*_TEXTS, "words"))
    if values["id"] and not _ID.fullmatch(values["id"]):
        raise KeysError(f"{path}: the id of {name} has characters that no chip's has")
    if _HEX.fullmatch(values["id"]):
        values["id"] = values["id"].lower()  # as chips say it
    if values["key"] and not _KEY.fullmatch(values["key"]):
        raise KeysError(
            f"{path}: the key of {name} is 'file:PATH' or 'env:NAME', and never the key itself"
        )
    _require_place(path, name, values["port"], _PORT, "port")
    _require_place(path, name, values["probe"], _PROBE, "probe")
    words = table.get("words", [])
    if not isinstance(words, list) or not all(isinstance(word, str) for word in words):
        raise KeysError(f"{path}: 'words' of {name} must be a list of texts, not {words!r}")
    return Entry(**values, words=tuple(words))


def _require_place(path: Path, name: str, value: str, form: re.Pattern[str], what: str) -> None:
    if _BY_ORDER.fullmatch(value):
        raise KeysError(
            f"{path}: {value} may be another device tomorrow: give the {what} of {name} as "
            "`einthoven fleet scan` shows it, 'usb:PATH' or 'serial:NUMBER'"
        )
    if value and not form.fullmatch(value):
        raise KeysError(
            f"{path}: the {what} of {name} is 'usb:1-2.3' or 'serial:NUMBER', not '{value}' "
            "(see: einthoven fleet scan)"
        )


def add(path: Path, name: str, device_id: str = "", board: str = "") -> Entry:
    """A device with a new key: at the end of the fleet file, which may not be there yet, or into
    the table of one that has none.

    The key goes to `keys/NAME.key` beside it. Raises KeysError if the device has a key, or another
    id or board than is said, if another has the id, or if a key file of that name is there already:
    a key is never overwritten.
    """
    if not _NAME.fullmatch(name):
        raise KeysError(f"a device's name is letters, digits, '.', '_' and '-', not '{name}'")
    fleet = read(path) if path.exists() else Fleet(path, ())
    known = next((d for d in fleet.devices if d.name == name), None)
    for taken in fleet.devices:
        other = device_id and taken.id == device_id and taken.name != name
        if other or (taken.name == name and taken.key):
            raise KeysError(f"{path} has {taken.name} ({taken.id or 'no id'}) already")
    if known and (device_id not in ("", known.id) or board not in ("", known.board)):
        raise KeysError(f"{path} has {name} with another id or board: correct the file")
    where = f"keys/{name}.key"
    keys.write_key(path.parent / where, new_key())
    if known:
        note(path, name, "key", f"file:{where}")
        return replace(known, key=f"file:{where}")
    entry = Entry(name, device_id, board, f"file:{where}")
    append(path, [entry])
    return entry


def append(path: Path, entries: Sequence[Entry]) -> None:
    """Write devices to the end of the fleet file, which may not be there yet."""
    append_text(path, "\n".join(toml(entry) for entry in entries))


def append_text(path: Path, text: str) -> None:
    """Write tables to the end of the fleet file, which may not be there yet."""
    before = _lines(path) if path.exists() else []
    gap = "\n" if before else ""
    if before and not before[-1].endswith("\n"):
        gap = "\n\n"
    text = gap + text
    if before and before[0].endswith("\r\n"):
        text = text.replace("\n", "\r\n")
    made = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, _PRIVATE_MODE)
    with os.fdopen(made, "w", encoding="utf-8", newline="") as out:
        out.write(text)


def _lines(path: Path) -> list[str]:
    """As they stand there, ends and a byte order mark included."""
    with path.open(encoding="utf-8", newline="") as file:
        return file.read().splitlines(keepends=True)


def note_id(path: Path, name: str, device_id: str) -> None:
    """Write a device's id into the fleet file, as `note` does."""
    note(path, name, "id", device_id)


def note(path: Path, name: str, key: str, value: str) -> None:
    """Write a text into a device's table, which has none of that key; all else stays as it is.

    Raises KeysError if the file is written in a way that this does not understand.
    """
    before = read(path)
    at = next(i for i, device in enumerate(before.devices) if device.name == name)
    lines = _lines(path)
    heads = [i for i, line in enumerate(lines) if re.match(r"\ufeff?\s*\[\[\s*device\s*\]\]", line)]
    change: dict[str, Any] = {key: value}
    wanted = tuple(replace(d, **change) if d.name == name else d for d in before.devices)
    new = path.with_name(path.name + ".new")
    if at < len(heads):
        head = lines[heads[at]]
        end = head[len(head.rstrip("\r\n")) :] or "\n"
        lines[heads[at]] = head.rstrip("\r\n") + end
        lines.insert(heads[at] + 1, f"{key} = {json.dumps(value)}{end}")
        new.write_text("".join(lines), encoding="utf-8", newline="")
        new.chmod(path.stat().st_mode & 0o777)
        try:
            if replace(read(new), path=path) == replace(before, devices=wanted):
                new.replace(path)
                return
        except KeysError:
            pass
        new.unlink()
    raise KeysError(f'{path}: write {key} = "{value}" into the table of {name}')


def toml(entry: Entry) -> str:
    """The device as the fleet file has it."""
    values = {key: value for key, value in vars(entry).items() if value}
    # JSON's texts and lists of texts are TOML's, too.
    lines = [f"{key} = {json.dumps(value, ensure_ascii=False)}" for key, value in values.items()]
    return "\n".join(["[[device]]", *lines]) + "\n"
