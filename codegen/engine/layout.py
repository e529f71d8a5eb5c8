"""How a convolution's inputs lie in its scratch, and its weights in flash.

The formats are described in firmware/engine/ein_nn_conv.h, ein_nn_conv_poly.h, ein_nn_dense.h and
ein_nn_lanes.h.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from einthoven.codegen.engine.graph import Conv, Int8

DEPTH_MULTIPLE = 8
"""Of the inner loops, which take eight values at a time."""
POSITIONS_MULTIPLE = 4
"""Positions that the inner loops compute at once (two on the Cortex-M4)."""
MAX_CHUNK = 36
POLY_PITCH = 20
"""EIN_NN_POLY_PITCH."""
MAX_POLY_CHUNK = 34
MARKED_BLOCKS = 31
"""Of four input values, that a word of marks is for."""
SCRATCH_TARGET_BYTES = 1280
"""Scratch beyond this buys nothing: widening a row anew costs less than 3 % of using it."""
_SCALE_BYTES = 12
"""sizeof(ein_nn_head_scale_t)."""


@dataclass(frozen=True)
class ConvLayout:
    """`chunk` positions at a time, `step` elements apart, `depth` elements each."""

    rows: bool
    depth: int
    step: int
    chunk: int
    scratch_bytes: int


def conv_layout(op: Conv) -> ConvLayout:
    """Scratch layout of `op`: rows where windows follow each other at even distances."""
    channels, window = op.weights.shape[2], op.window
    depth = -(-window.kernel * channels // DEPTH_MULTIPLE) * DEPTH_MULTIPLE
    distance = window.stride * channels
    rows = window.dilation == 1 and distance % 2 == 0 and distance <= depth
    step = distance if rows else depth
    fitting = (SCRATCH_TARGET_BYTES // 2 - (depth if op.wide else 3 * depth)) // step + 1
    chunk = max(
        POSITIONS_MULTIPLE, min(MAX_CHUNK, fitting) // POSITIONS_MULTIPLE * POSITIONS_MULTIPLE
    )
    if fitting >= op.output.length <= MAX_CHUNK:
        chunk = op.output.length
    if op.poly:  # two more than a multiple of four fill the kernel's last block
        turns = -(-op.output.length // MAX_POLY_CHUNK)
        chunk = -(-op.output.length // turns)
        chunk += (2 - chunk) % 4
    chunk = min(chunk, op.output.length)
    positions = 2 * ((chunk - 1) * step + depth)
    if op.poly:
        scratch = max(positions, 4 * POLY_PITCH * channels)  # builds without SMLAL take the former
    else:
        # a pair's weights, widened
        scratch = positions if op.wide or op.carries else positions + 4 * depth
    if op.lanes:
        scratch = max(scratch, 4 * ((chunk - chunk // 2 - 1) * step + depth))
    return ConvLayout(rows, depth, step, chunk, scratch)


def pack_weights(weights: Int8, order: Sequence[int] = (0, 2, 1, 3)) -> Int8:
    """[out, kernel, in] as the convolution kernels want it: see ein_nn_conv.h."""
    out = weights.shape[0]
    flat = weights.reshape(out, -1)
    padded = np.zeros(
        (-(-out // 2) * 2, -(-flat.shape[1] // DEPTH_MULTIPLE) * DEPTH_MULTIPLE), dtype=np.int8
    )
    padded[:out, : flat.shape[1]] = flat
    blocks = padded.reshape(padded.shape[0] // 2, 2, -1, 4)[..., list(order)]
    return np.ascontiguousarray(blocks.transpose(0, 2, 1, 3)).ravel()


def lane_marks(weights: Int8) -> list[int]:
    """Words of [out, kernel, in] that say which blocks of four input values are too much for half a
    word, for either channel of a pair and some input: see ein_nn_lanes.h."""
    pairs = pack_weights(weights).astype(np.int64).reshape(-(-weights.shape[0] // 2), -1, 2, 4)
    high = np.where(pairs > 0, 127 * pairs, -128 * pairs).sum(axis=3)
    low = np.where(pairs > 0, -128 * pairs, 127 * pairs).sum(axis=3)
    marked = ((high > 32767) | (low < -32768)).any(axis=2)
    words = []
    for row in marked.tolist():
        for at in range(0, len(row), MARKED_BLOCKS):
            word = 0
            bits = [*row[at : at + MARKED_BLOCKS], True]
            for place, bit in enumerate(bits):
                word |= bit << (31 - place)
            words.append(word)
    return words


def poly_words(weights: Int8) -> NDArray[np.int64]:
    """[out, 5, in] as ein_nn_conv_poly.h wants it: two taps a word."""
    out, taps, channels = weights.shape
    padded = np.zeros((out, taps + 1, channels), dtype=np.int64)
    padded[:, :taps] = weights
    words = padded[:, 1::2] + padded[:, 0::2] * (1 << 21)
    return np.ascontiguousarray(
        words.reshape(out // 2, 2, 3, channels).transpose(0, 3, 2, 1)
    ).ravel()


def carried_bias(op: Conv) -> list[int]:
    """What the biases of a layer that carries become: see ein_nn_dense.h."""
    even = op.weights.astype(np.int64).reshape(len(op.bias), -1)[:, 0::2].sum(axis=1)
    return [256 * b - 127 * e for b, e in zip(op.bias, even.tolist(), strict=True)]


def head_bytes(op: Conv) -> int:
    """Size of a layer's part in a head: see ein_nn_head.h."""
    return pack_weights(op.weights).size + _even(len(op.bias)) * _SCALE_BYTES


def head_offsets(head: Sequence[Conv]) -> dict[Conv, int]:
    """Where each layer's part begins in a head."""
    sizes = [head_bytes(op) for op in head]
    return {op: sum(sizes[:i]) for i, op in enumerate(head)}


def _even(n: int) -> int:
    return n + n % 2
