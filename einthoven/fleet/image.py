"""Signed firmware images: header and program as they lie in a slot (`codegen/spec/image.toml`)."""

import hashlib
import re
import struct
import tomllib
import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from einthoven.errors import KeysError
from einthoven.fleet.operator import is_signed
from einthoven.paths import SPEC

_FORMATS = {"u16": "H", "u32": "I"}
_VERSION = re.compile(r"(\d{1,3})\.(\d{1,3})\.(\d{1,5})")


@dataclass(frozen=True)
class Layout:
    """`image.toml`: sizes in bytes, and where each field lies."""

    magic: bytes
    format: int
    header_bytes: int
    signed_bytes: int
    signature_bytes: int
    max_bytes: int
    fields: tuple[tuple[str, int, int], ...]
    """Name, offset, bytes."""
    packing: struct.Struct
    marks: Mapping[str, int]
    mark_values: Mapping[str, int]

    @property
    def sent_bytes(self) -> int:
        """Of the header that crosses the wire: the fields and their signature."""
        return self.signed_bytes + self.signature_bytes


@cache
def layout() -> Layout:
    """The layout of this checkout. Raises KeysError if the table contradicts itself."""
    table: dict[str, Any] = tomllib.loads((SPEC / "image.toml").read_text(encoding="utf-8"))
    fields: list[tuple[str, int, int]] = []
    code, at = "<", 0
    for name, kind in table["fields"]:
        array = re.fullmatch(r"u8\[(\d+)\]", kind)
        piece = f"{array[1]}s" if array else _FORMATS[kind]
        size = struct.calcsize("<" + piece)
        fields.append((name, at, size))
        code, at = code + piece, at + size
    signed, header = table["signed_bytes"], table["header_bytes"]
    places = sorted(table["marks"].values())
    if at != signed or not signed + table["signature_bytes"] <= places[0] < header:
        raise KeysError("codegen/spec/image.toml: fields, signature and marks do not fit")
    return Layout(
        magic=table["magic"].encode("ascii"),
        format=table["format"],
        header_bytes=header,
        signed_bytes=signed,
        signature_bytes=table["signature_bytes"],
        max_bytes=table["max_bytes"],
        fields=tuple(fields),
        packing=struct.Struct(code),
        marks=table["marks"],
        mark_values=table["mark_values"],
    )


def version_number(text: str) -> int:
    """A version as a header has it. Raises KeysError."""
    parts = _VERSION.fullmatch(text)
    if parts is None or int(parts[1]) > 255 or int(parts[2]) > 255 or int(parts[3]) > 65535:
        raise KeysError(f"a firmware's version is three numbers such as 0.2.0, not '{text}'")
    return int(parts[1]) << 24 | int(parts[2]) << 16 | int(parts[3])


def version_text(number: int) -> str:
    """The same, for people."""
    return f"{number >> 24}.{number >> 16 & 0xFF}.{number & 0xFFFF}"


@dataclass(frozen=True)
class Image:
    """A program that can be put into a slot."""

    board: str
    version: int
    load: int
    """Address of the header; the program was linked for what follows it."""
    program: bytes
    signature: bytes
    """64 bytes; zeros: nobody has signed it."""

    @property
    def signed(self) -> bytes:
        """The part of the header that the signature covers."""
        made = layout()
        return made.packing.pack(
            made.magic,
            made.format,
            made.header_bytes,
            self.version,
            self.load,
            len(self.program),
            zlib.crc32(self.program),
            self.board.encode("ascii"),
            b"",
            hashlib.sha512(self.program).digest(),
        )

    @property
    def header(self) -> bytes:
        """What is sent of the header: the signed part and the signature."""
        return self.signed + self.signature

    @property
    def file(self) -> bytes:
        """As it lies in a slot: the whole header, with marks erased, and the program."""
        return self.header.ljust(layout().header_bytes, b"\xff") + self.program

    def require_signature(self, key: Ed25519PublicKey) -> None:
        """Raise KeysError unless the owner of `key` has signed it."""
        if not is_signed(key, self.signature, self.signed):
            raise KeysError(
                f"the image for {self.board} {version_text(self.version)} is not signed by this "
                "operator: do not flash it"
            )


def sign(
    program: bytes, board: str, version: int, load: int, key: Ed25519PrivateKey | None
) -> Image:
    """An image of `program`, filled up to whole words; `key` None: unsigned, for tests.

    Raises KeysError if the program is empty or too large, or if the board's name is too long.
    """
    whole = program + b"\xff" * (-len(program) % 4)
    if not 0 < len(whole) <= layout().max_bytes:
        raise KeysError(
            f"the program for {board} has {len(program):,} bytes: an image takes 1 to "
            f"{layout().max_bytes:,}"
        )
    if not board.isascii() or not 0 < len(board) <= 24:
        raise KeysError(f"a board's name in an image has 1 to 24 ASCII characters, not '{board}'")
    made = Image(board, version, load, whole, bytes(layout().signature_bytes))
    if key is None:
        return made
    return Image(board, version, load, whole, key.sign(made.signed))


def parse(content: bytes) -> Image:
    """Read an image file. Raises KeysError if it is none, cut off, or damaged."""
    made = layout()
    if len(content) < made.header_bytes or not content.startswith(made.magic):
        raise KeysError("this is no firmware image: make one with `einthoven sign-image`")
    _, form, header, version, load, size, crc, board, _, digest = made.packing.unpack_from(content)
    if form != made.format or header != made.header_bytes:
        raise KeysError(f"the image is of format {form}: this program knows {made.format} only")
    program = content[made.header_bytes :]
    if len(program) != size or zlib.crc32(program) != crc:
        raise KeysError(
            f"the image is damaged: {len(program):,} bytes instead of {size:,}, or others; fetch "
            "it again"
        )
    if hashlib.sha512(program).digest() != digest:
        raise KeysError("the image is damaged: its digest is another")
    name = board.rstrip(b"\0")
    if not name.isascii():
        raise KeysError("the image is damaged: its board's name is no text")
    signature = content[made.signed_bytes : made.sent_bytes]
    image = Image(name.decode("ascii"), version, load, program, signature)
    if image.signed != content[: made.signed_bytes]:
        raise KeysError("the image is damaged: its header has more in it than it says")
    return image
