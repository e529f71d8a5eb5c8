"""Frames and messages of the serial protocol, host side (docs/SPEC.md, section 5).

`encode` makes the bytes of a message, `FrameDecoder` cuts received bytes into frames and `decode`
reads them. Wire bytes are never trusted: what is not a good frame is counted and dropped.
"""

import struct
import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from types import MappingProxyType
from typing import Any

from cobs import cobs

from einthoven.errors import LinkError
from einthoven.wire.schema import MessageType, schema

DELIMITER = b"\0"
_CRC_BYTES = 4
_MAX_BLOCK = 1 + 2 + schema().max_payload + _CRC_BYTES
"""COBS bytes between two delimiters: one code byte, type, sequence, payload, CRC-32."""
_MAX_PENDING = 4096
_TEXT = frozenset(range(0x20, 0x7F)) | frozenset(b"\t\r\n")


class WireError(LinkError):
    """A message that cannot be encoded, or a good frame whose content makes no sense."""


@dataclass(frozen=True)
class Frame:
    """A frame whose CRC-32 is right: `code` is the message's type, `sequence` 0..255."""

    code: int
    sequence: int
    payload: bytes


@dataclass(frozen=True)
class Message:
    """A decoded message; `m["field"]` is an int, a tuple of ints, bytes (rest) or str (text)."""

    name: str
    sequence: int
    fields: Mapping[str, Any]

    def __getitem__(self, field: str) -> Any:
        return self.fields[field]


@dataclass(frozen=True)
class _Codec:
    message: MessageType
    fixed: struct.Struct

    @staticmethod
    @cache
    def of(message: MessageType) -> "_Codec":
        return _Codec(message, struct.Struct("<" + "".join(f.format for f in message.fixed)))


def crc32(data: bytes) -> int:
    """The protocol's CRC-32 (IEEE 802.3), of frames and of tensors."""
    return zlib.crc32(data)


_BY_NAME = {m.name: m for m in schema().messages}
_BY_CODE = {m.code: m for m in schema().messages}


def encode_frame(frame: Frame) -> bytes:
    """The frame's bytes on the line, closing delimiter included; WireError if it is too large."""
    if len(frame.payload) > schema().max_payload:
        raise WireError(f"a payload of {len(frame.payload)} bytes exceeds {schema().max_payload}")
    body = bytes((frame.code, frame.sequence)) + frame.payload
    block: bytes = cobs.encode(body + crc32(body).to_bytes(_CRC_BYTES, "little"))
    return block + DELIMITER


def encode_payload(name: str, values: Mapping[str, Any]) -> bytes:
    """The payload of message `name`; WireError on a missing, unknown or unfit field."""
    message = _BY_NAME.get(name)
    if message is None:
        raise WireError(f"there is no message '{name}' in wire.toml")
    if values.keys() != {f.name for f in message.fields}:
        wrong = sorted(values.keys() ^ {f.name for f in message.fields})
        raise WireError(f"message '{name}': missing or unknown fields {', '.join(wrong)}")
    flat: list[int] = []
    for field in message.fixed:
        value = values[field.name]
        flat.extend(value if field.count else (value,))
    try:
        payload = _Codec.of(message).fixed.pack(*flat)
        for field in message.tail:
            payload += _encode_tail(field.kind, values[field.name])
    except (struct.error, UnicodeEncodeError, TypeError) as error:
        raise WireError(f"message '{name}': a field does not fit its type ({error})") from error
    return payload


def _encode_tail(kind: str, value: Any) -> bytes:
    if kind == "rest":
        return bytes(value)
    text: bytes = value.encode("ascii")
    if len(text) > schema().max_text:
        raise WireError(f"the text '{value}' is longer than {schema().max_text} characters")
    return bytes((len(text),)) + text


def encode(name: str, sequence: int = 0, **fields: Any) -> bytes:
    """A message's bytes on the line; WireError on fields that do not fit."""
    payload = encode_payload(name, fields)
    return encode_frame(Frame(_BY_NAME[name].code, sequence, payload))


def decode(frame: Frame) -> Message:
    """Read a frame as a message; WireError if its type is unknown or its size is wrong."""
    message = _BY_CODE.get(frame.code)
    if message is None:
        raise WireError(f"unknown message type 0x{frame.code:02x}")
    payload = frame.payload
    codec = _Codec.of(message)
    size = codec.fixed.size
    if len(payload) < size or (len(payload) > size and not message.tail):
        raise WireError(f"message '{message.name}' has {len(payload)} bytes instead of {size}")
    flat = iter(codec.fixed.unpack_from(payload))
    fields: dict[str, Any] = {}
    for field in message.fixed:
        fields[field.name] = (
            tuple(next(flat) for _ in range(field.count)) if field.count else next(flat)
        )
    at = size
    for field in message.tail:
        if field.kind == "rest":
            fields[field.name] = payload[at:]
            at = len(payload)
            continue
        end = at + 1 + (payload[at] if at < len(payload) else 0)
        text = payload[at + 1 : end]
        if at >= len(payload) or end > len(payload) or len(text) > schema().max_text:
            raise WireError(f"message '{message.name}': the text '{field.name}' is cut off")
        if not text.isascii():
            raise WireError(f"message '{message.name}': the text '{field.name}' is not ASCII")
        fields[field.name] = text.decode("ascii")
        at = end
    if at != len(payload):
        raise WireError(f"message '{message.name}' has {len(payload) - at} bytes too many")
    return Message(message.name, frame.sequence, MappingProxyType(fields))


class FrameDecoder:
    """Cuts a stream of bytes into frames; the result does not depend on how the stream is cut.

    `rejected_frames` and `rejected_bytes` count what lay between delimiters and was neither a good
    frame nor printable text; `text` collects the printable lines (banner, fault reports).
    """

    def __init__(self) -> None:
        self.rejected_frames = 0
        self.rejected_bytes = 0
        self.text: list[str] = []
        self._pending = bytearray()
        self._overflow = 0

    def feed(self, data: bytes) -> list[Frame]:
        """Take received bytes; returns the good frames that they complete, in order."""
        frames: list[Frame] = []
        *complete, rest = data.split(DELIMITER)
        for part in complete:
            self._collect(part)
            frame = self._close()
            if frame is not None:
                frames.append(frame)
        self._collect(rest)
        return frames

    def unfinished_text(self) -> list[str]:
        """Whole printable lines that no delimiter has ended: what a port prints that is no board's.

        Damaged bytes hardly make a line of four characters, so shorter ones do not count.
        """
        lines = bytes(self._pending).splitlines(keepends=True)
        whole = [line.strip() for line in lines if line.endswith((b"\n", b"\r"))]
        return [s.decode("ascii") for s in whole if len(s) >= 4 and _TEXT.issuperset(s)]

    def reject(self, frame: Frame) -> None:
        """Count a good frame whose content turned out to make no sense."""
        self.rejected_frames += 1
        self.rejected_bytes += len(encode_frame(frame)) - 1

    def restart(self) -> None:
        """Forget an unfinished frame: the link was opened anew."""
        self._pending.clear()
        self._overflow = 0

    def _collect(self, part: bytes) -> None:
        room = _MAX_PENDING - len(self._pending)
        self._pending += part[:room]
        self._overflow += max(0, len(part) - room)

    def _close(self) -> Frame | None:
        block, overflow = bytes(self._pending), self._overflow
        self._pending.clear()
        self._overflow = 0
        if not block:
            return None
        frame = _read_block(block) if not overflow else None
        if frame is not None:
            return frame
        if _TEXT.issuperset(block):
            self.text.extend(line for line in block.decode("ascii").splitlines() if line.strip())
        else:
            self.rejected_frames += 1
            self.rejected_bytes += len(block) + overflow
        return None


def _read_block(block: bytes) -> Frame | None:
    if len(block) > _MAX_BLOCK:
        return None
    try:
        body: bytes = cobs.decode(block)
    except cobs.DecodeError:
        return None
    message, crc = body[:-_CRC_BYTES], body[-_CRC_BYTES:]
    if len(message) < 2 or crc32(message).to_bytes(_CRC_BYTES, "little") != crc:
        return None
    return Frame(message[0], message[1], message[2:])
