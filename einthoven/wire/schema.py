"""Messages of the serial protocol (docs/SPEC.md, section 5), read from `codegen/spec/wire.toml`.

The host's codec (`einthoven.wire.codec`) and the generator of the board's
(`einthoven.codegen.wire`) start here.
"""

import re
import struct
import tomllib
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from einthoven.errors import EinthovenError
from einthoven.paths import SPEC

_SCALARS = {"u8": "B", "u16": "H", "u32": "I", "u64": "Q", "i8": "b", "i16": "h", "i32": "i"}
_ARRAY = re.compile(r"([ui]\d+)\[(\d+)\]")


class SchemaError(EinthovenError):
    """`wire.toml` contradicts itself."""


@dataclass(frozen=True)
class Field:
    """A field of a message: `kind` is an integer type of wire.toml, "text" or "rest"."""

    name: str
    kind: str
    count: int = 0
    """Elements of an array; 0 for a single value."""

    @property
    def format(self) -> str:
        """`struct` format without byte order; empty for text and rest."""
        code = _SCALARS.get(self.kind, "")
        return f"{self.count or ''}{code}" if code else ""


@dataclass(frozen=True)
class MessageType:
    """A message: its code on the wire and its fields, fixed-size ones before text and rest."""

    name: str
    code: int
    doc: str
    fields: tuple[Field, ...]

    @property
    def fixed(self) -> tuple[Field, ...]:
        """The fields of a fixed size, in order."""
        return tuple(f for f in self.fields if f.format)

    @property
    def tail(self) -> tuple[Field, ...]:
        """The text and rest fields, in order; all come after the fixed ones."""
        return tuple(f for f in self.fields if not f.format)

    @property
    def fixed_size(self) -> int:
        """Bytes of the fixed fields."""
        return struct.calcsize("<" + "".join(f.format for f in self.fixed))

    def offset(self, field: Field) -> int:
        """Where a fixed-size field begins in the payload."""
        before = self.fixed[: self.fixed.index(field)]
        return struct.calcsize("<" + "".join(f.format for f in before))

    @property
    def to_board(self) -> bool:
        """Whether the host sends it (codes below 0x80)."""
        return self.code < 0x80


@dataclass(frozen=True)
class Schema:
    """`wire.toml`, checked."""

    version: int
    max_payload: int
    max_text: int
    max_samples: int
    enums: dict[str, dict[str, int]]
    messages: tuple[MessageType, ...]
    cases: tuple[dict[str, Any], ...]
    sample_cases: tuple[dict[str, Any], ...]

    def message(self, name: str) -> MessageType:
        """The message of that name; SchemaError if there is none."""
        for message in self.messages:
            if message.name == name:
                return message
        raise SchemaError(f"wire.toml has no message '{name}'")


def _field(owner: str, name: str, kind: str) -> Field:
    array = _ARRAY.fullmatch(kind)
    if array:
        return Field(name, array[1], int(array[2]))
    if kind in _SCALARS or kind in ("text", "rest"):
        return Field(name, kind)
    raise SchemaError(f"wire.toml: {owner}.{name} has the unknown type '{kind}'")


def parse(path: Path) -> Schema:
    """Read and check a `wire.toml`.

    Raises SchemaError on unknown types, codes used twice, a fixed field after a text, rest that is
    not last, and messages that cannot fit into a frame.
    """
    raw = tomllib.loads(path.read_text(encoding="utf-8"))
    limits = raw["protocol"]
    messages = tuple(
        MessageType(
            m["name"], m["code"], m["doc"], tuple(_field(m["name"], *f) for f in m["fields"])
        )
        for m in raw["message"]
    )
    for key in ("name", "code"):
        values = [getattr(m, key) for m in messages]
        if len(set(values)) != len(values):
            raise SchemaError(f"wire.toml: two messages have the same {key}")
    for m in messages:
        if m.fields != m.fixed + m.tail:
            raise SchemaError(f"wire.toml: {m.name} has a fixed field after a text or rest")
        if any(f.kind == "rest" for f in m.tail[:-1]):
            raise SchemaError(f"wire.toml: {m.name} has a field after rest")
        texts = sum(f.kind == "text" for f in m.tail)
        if m.fixed_size + texts * (1 + limits["max_text"]) > limits["max_payload"]:
            raise SchemaError(f"wire.toml: {m.name} can exceed max_payload")
    return Schema(
        version=limits["version"],
        max_payload=limits["max_payload"],
        max_text=limits["max_text"],
        max_samples=limits["max_samples"],
        enums=raw["enum"],
        messages=messages,
        cases=tuple(raw.get("case", ())),
        sample_cases=tuple(raw.get("sample_case", ())),
    )


@cache
def schema() -> Schema:
    """The protocol of this checkout."""
    return parse(SPEC / "wire.toml")


def case_values(message: MessageType, raw: dict[str, Any]) -> dict[str, Any]:
    """Field values of a case in wire.toml, where bytes (rest, u8 arrays) are written in hex."""
    values: dict[str, Any] = {}
    for field in message.fields:
        value = raw[field.name]
        if field.kind == "rest":
            value = bytes.fromhex(value)
        elif field.count:
            value = tuple(bytes.fromhex(value) if isinstance(value, str) else value)
        values[field.name] = value
    return values
