"""The compact code of samples on the wire (docs/SPEC.md, section 5: adaptive Rice code).

About 0.65 bytes a sample on MIT-BIH at 180 Hz and 12 bits. Encoding is vectorized over messages:
each starts from nothing, so all messages of a record advance one sample in one numpy step.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from einthoven.wire.codec import WireError
from einthoven.wire.schema import schema

MAX_CODE_BYTES = schema().max_payload - schema().message("samples").fixed_size
SAMPLES_PER_MESSAGE = 320
"""What fits a frame almost always; messages that come out too long are halved."""

_A_START = 32
_ESCAPE = 16


@dataclass(frozen=True)
class Piece:
    """The samples `start` … `start + count - 1` of a record and their code."""

    start: int
    count: int
    code: bytes
    lost: bool = False
    """They never came; there is no code then."""


def encode_pieces(
    samples: NDArray[np.int16], count: int = SAMPLES_PER_MESSAGE, first: int = 0
) -> list[Piece]:
    """Cut samples[first:] into messages of `count` samples and encode them.

    A message whose code exceeds a frame is halved until it fits. Returns them in order.
    """
    if samples.dtype != np.int16 or samples.ndim != 1:
        raise WireError("samples must be a one-dimensional int16 array")
    if not 1 <= count <= schema().max_samples:
        raise WireError(f"samples per message must be 1 to {schema().max_samples}, not {count}")
    todo = [(at, min(count, len(samples) - at)) for at in range(first, len(samples), count)]
    done: list[Piece] = []
    while todo:
        too_long: list[tuple[int, int]] = []
        for (start, n), code in zip(todo, _encode(samples, todo), strict=True):
            if len(code) <= MAX_CODE_BYTES:
                done.append(Piece(start, n, code))
            else:
                too_long += [(start, n // 2), (start + n // 2, n - n // 2)]
        todo = too_long
    return sorted(done, key=lambda piece: piece.start)


def encode_record(samples: NDArray[np.int16], gaps: Sequence[tuple[int, int]] = ()) -> list[Piece]:
    """All samples of a record cut into messages, with a piece of its own for each gap.

    `gaps`: (first, number) of the samples that never came, in order and apart.
    """
    pieces: list[Piece] = []
    at = 0
    for first, number in (*gaps, (len(samples), 0)):
        if first > at:
            pieces += encode_pieces(samples[:first], first=at)
        if number:
            pieces.append(Piece(first, number, b"", lost=True))
        at = first + number
    return pieces


def _encode(samples: NDArray[np.int16], spans: list[tuple[int, int]]) -> list[bytes]:
    """The codes of samples[start : start + n] for all spans at once."""
    longest = max(n for _, n in spans)
    starts = np.array([s for s, _ in spans])
    counts = np.array([n for _, n in spans])
    index = np.minimum(starts[:, None] + np.arange(longest), len(samples) - 1)
    x = samples[index].astype(np.int32)
    before = np.concatenate([x[:, :1], x[:, :-2]], axis=1)[:, : longest - 1]
    last = x[:, :-1]
    d = (x[:, 1:] - last - ((last - before) >> 1)).astype(np.int16).astype(np.int32)
    z = np.where(d >= 0, 2 * d, -2 * d - 1)

    # value and length in bits of every code word; the first column is the start sample itself
    words = np.empty((len(spans), longest), dtype=np.uint64)
    lengths = np.empty((len(spans), longest), dtype=np.int64)
    words[:, 0] = x[:, 0] & 0xFFFF
    lengths[:, 0] = 16
    a = np.full(len(spans), _A_START, dtype=np.int64)
    for i in range(longest - 1):
        zi = z[:, i].astype(np.int64)
        k = np.frexp((a >> 3).astype(np.float64))[1].astype(np.int64)  # number of bits, exactly
        q = zi >> k
        escape = q >= _ESCAPE
        ones = np.minimum(q, _ESCAPE)
        word = (((1 << ones) - 1) << (k + 1)) | (zi & ((1 << k) - 1))
        words[:, i + 1] = np.where(escape, (0xFFFF << 16) | zi, word)
        lengths[:, i + 1] = np.where(escape, 32, q + 1 + k)
        a += zi - (a >> 2)
    lengths[np.arange(longest) >= counts[:, None]] = 0
    return _pack(words, lengths)


def _pack(words: NDArray[np.uint64], lengths: NDArray[np.int64]) -> list[bytes]:
    """Concatenate the low `lengths` bits of each row's words, top bit first, into bytes."""
    size_bits = lengths.sum(axis=1)
    row_bytes = (size_bits + 7) >> 3
    row_start = np.concatenate([[0], np.cumsum(row_bytes)])
    ends = np.cumsum(lengths, axis=1) + 8 * row_start[:-1, None]
    bits = np.zeros(8 * int(row_start[-1]), dtype=np.uint8)
    flat_words, flat_lengths, flat_ends = words.ravel(), lengths.ravel(), ends.ravel()
    for bit in range(int(lengths.max())):
        chosen = np.flatnonzero((flat_lengths > bit) & ((flat_words >> np.uint64(bit)) & 1 == 1))
        bits[flat_ends[chosen] - 1 - bit] = 1
    packed = np.packbits(bits).tobytes()
    return [packed[row_start[i] : row_start[i + 1]] for i in range(len(row_bytes))]


def decode_piece(code: bytes, count: int) -> NDArray[np.int16]:
    """Read one message's code back; WireError if it does not hold exactly `count` samples.

    The board's decoder is firmware/wire/ein_samples.c; this one serves tests and captures.
    """
    bits = "".join(f"{byte:08b}" for byte in code)
    at = 0

    def take(n: int) -> int:
        nonlocal at
        if at + n > len(bits):
            raise WireError("the code of the samples is cut off")
        at += n
        return int(bits[at - n : at], 2) if n else 0

    out = [_int16(take(16))] if count else []
    a = _A_START
    while len(out) < count:
        k = (a >> 3).bit_length()
        q = 0
        while q < _ESCAPE and take(1):
            q += 1
        z = take(16) if q == _ESCAPE else (q << k) | take(k)
        if z > 0xFFFF:
            raise WireError("the code of the samples holds a difference of more than 16 bits")
        a += z - (a >> 2)
        d = -((z + 1) >> 1) if z & 1 else z >> 1
        last, before = out[-1], out[-2] if len(out) > 1 else out[-1]
        out.append(_int16(last + ((last - before) >> 1) + d))
    if len(bits) - at >= 8 or "1" in bits[at:]:
        raise WireError("there are bits after the last sample")
    return np.array(out, dtype=np.int16)


def _int16(value: int) -> int:
    return (value + 0x8000) % 0x10000 - 0x8000
