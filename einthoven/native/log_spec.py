"""`codegen/spec/log.toml` in types: the kinds of the device's log and their layouts.

`codegen.log` makes the device's C from it; `native.log` reads records by it.
"""

import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from einthoven.errors import UsageError
from einthoven.paths import LOG_SPEC

_TYPE = re.compile(r"([ui])([1-9]\d?)")
WORD_BITS = 32


@dataclass(frozen=True)
class Field:
    """A field of a payload."""

    name: str
    bits: int
    signed: bool


@dataclass(frozen=True)
class Kind:
    """A kind of record."""

    name: str
    code: int
    version: int
    fields: tuple[Field, ...]
    rest: str | None
    """Name of the bytes behind the fields; None: there are none."""

    @property
    def words(self) -> int:
        """Of 32 bits, that the fields take."""
        return sum(field.bits for field in self.fields) // WORD_BITS

    def unpack(self, payload: bytes) -> dict[str, int | bytes]:
        """Field to value; what is not stored reads as zeros."""
        size = 4 * self.words
        left = int.from_bytes(payload[:size], "little")
        values: dict[str, int | bytes] = {}
        for field in self.fields:
            value = left & ((1 << field.bits) - 1)
            left >>= field.bits
            if field.signed and value >> (field.bits - 1):
                value -= 1 << field.bits
            values[field.name] = value
        if self.rest is not None:
            values[self.rest] = payload[size:]
        return values


@dataclass(frozen=True)
class LogSpec:
    """All of `log.toml`."""

    format: Mapping[str, int]
    kinds: tuple[Kind, ...]
    events: Mapping[str, int]

    def kind(self, code: int) -> Kind | None:
        """The kind of that code; None: this version knows none."""
        return next((kind for kind in self.kinds if kind.code == code), None)


@cache
def load(path: Path = LOG_SPEC) -> LogSpec:
    """The log's spec. Raises UsageError when it cannot be read, or its layouts are wrong."""
    try:
        raw = tomllib.loads(path.read_text(encoding="utf-8"))
        return LogSpec(
            raw["format"],
            tuple(_kind(name, dict(table)) for name, table in raw["kind"].items()),
            raw["events"],
        )
    except (OSError, tomllib.TOMLDecodeError, KeyError) as error:
        raise UsageError(f"cannot read {path.name}: {error}") from error


def _kind(name: str, table: dict[str, Any]) -> Kind:
    code, version = table.pop("code"), table.pop("version")
    rest = next((key for key, value in table.items() if value == "rest"), None)
    if rest is not None:
        if list(table)[-1] != rest:
            raise UsageError(f"log.toml: {name}.{rest}: 'rest' stands last")
        del table[rest]
    fields = tuple(_field(name, key, value) for key, value in table.items())
    if sum(field.bits for field in fields) % WORD_BITS:
        raise UsageError(f"log.toml: the fields of {name} do not fill whole words of 32 bits")
    if not 1 <= code <= 254 or not 1 <= version <= 3:
        raise UsageError(f"log.toml: {name}: code 1 to 254, version 1 to 3")
    return Kind(name, code, version, fields, rest)


def _field(kind: str, name: str, text: str) -> Field:
    match = _TYPE.fullmatch(str(text))
    if match is None or int(match[2]) > WORD_BITS:
        raise UsageError(f"log.toml: {kind}.{name} = {text!r}: u1 to u32, i2 to i32, or rest")
    return Field(name, int(match[2]), match[1] == "i")
