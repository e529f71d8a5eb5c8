"""Lower what only moves bytes, and fold away what computes with shapes alone.

What an op does to its input's bytes is tried on the numbers 0, 1, 2 …: NumPy's result says where
each output byte comes from, and `Move` holds that as a few loops.
"""

import math
from collections.abc import Callable, Iterator
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from einthoven.codegen.engine.context import MAX_EXTENT, NO_ACTIVATION, Context
from einthoven.codegen.engine.graph import Concat, Move, Op, Pad, PadPlane, Tensor
from einthoven.codegen.engine.reader import RawOp
from einthoven.errors import ModelError

Places = NDArray[np.int64]
_LOOPS = 6
"""EIN_NN_MOVE_LOOPS."""


def reshape(c: Context, op: RawOp) -> None:
    """RESHAPE, EXPAND_DIMS, SQUEEZE: the same memory."""
    source = c.view(op, 0)
    out = c.declare(op.outputs[0], op)
    if source.size != out.size:
        raise ModelError(f"{op}: {source.size} values in, {out.size} out: corrupt file")
    c.same_units(op, source, out)
    c.views[op.outputs[0]] = replace(source, length=out.length, channels=out.channels)


def moved(c: Context, op: RawOp, source: Tensor, output: int, places: Places) -> Op | None:
    """Output tensor number `output` whose values are `source`'s at `places`, in its shape."""
    out = c.declare(output, op)
    shape = c.raw.tensors[output].shape
    if places.size != out.size or places.shape != shape:
        raise ModelError(
            f"{op}: {c.named(output)} has shape {list(shape)}, should be {list(places.shape)}: "
            "corrupt file"
        )
    c.same_units(op, source, out)
    flat = places.ravel()
    if flat.size == source.size and np.array_equal(flat, np.arange(flat.size)):
        c.views[output] = replace(source, length=out.length, channels=out.channels)
        return None
    loops = _loops(flat)
    if loops is None:
        raise ModelError(
            f"{op}: {c.named(output)}: its bytes lie in no order of {_LOOPS} loops: not supported, "
            "use a step by step reordering"
        )
    counts, steps = loops
    return Move(op.index, op.name, (source,), out, int(flat[0]), counts, steps)


def _loops(places: Places) -> tuple[tuple[int, ...], tuple[int, ...]] | None:
    """Counts and steps of loops, the innermost last, that run through `places`."""
    found: list[tuple[int, int]] = []
    while places.size > 1 and len(found) < _LOOPS:
        step = int(places[1] - places[0])
        run = int(np.argmax(np.append(np.diff(places) != step, True))) + 1
        for count in _divisors(places.size, run):
            blocks = places.reshape(-1, count)
            if np.array_equal(blocks, blocks[:, :1] + np.arange(count) * step):
                break
        else:
            return None
        found.insert(0, (count, step))
        places = blocks[:, 0]
    if places.size > 1:
        return None
    found = [(1, 0)] * (_LOOPS - len(found)) + found
    return tuple(count for count, _ in found), tuple(step for _, step in found)


def _divisors(n: int, most: int) -> Iterator[int]:
    """Of `n`, from `most` down to 2."""
    return (k for k in range(most, 1, -1) if n % k == 0)


def _numbered(c: Context, op: RawOp, position: int = 0) -> tuple[Tensor, Places]:
    source = c.view(op, position)
    return source, np.arange(source.size).reshape(c.shape(op, position))


def _axis(op: RawOp, axis: int, rank: int) -> int:
    if not -rank <= axis < rank:
        raise ModelError(f"{op}: axis {axis} of {rank} dimensions: corrupt file")
    return axis % rank


def transpose(c: Context, op: RawOp) -> Op | None:
    """TRANSPOSE."""
    source, places = _numbered(c, op)
    order = c.constant(op, 1, "INT32").ravel().tolist()
    if sorted(order) != list(range(places.ndim)):
        raise ModelError(f"{op}: permutation {order} of {places.ndim} dimensions: corrupt file")
    return moved(c, op, source, op.outputs[0], places.transpose(order))


def strided(op: RawOp, begins: list[int], ends: list[int], steps: list[int], rank: int) -> tuple[
    slice | int, ...
]:  # fmt: skip
    """STRIDED_SLICE's parameters as NumPy's index."""
    if op.options.get("EllipsisMask", 0) or op.options.get("NewAxisMask", 0):
        raise ModelError(f"{op}: ellipsis and new axes are not supported: slice plainly")
    if not len(begins) == len(ends) == len(steps) <= rank or 0 in steps:
        raise ModelError(f"{op}: begins {begins}, ends {ends}, steps {steps}: corrupt file")
    index: list[slice | int] = []
    for i, (begin, end, step) in enumerate(zip(begins, ends, steps, strict=True)):
        if op.options.get("ShrinkAxisMask", 0) >> i & 1:
            index.append(begin)
            continue
        first = None if op.options.get("BeginMask", 0) >> i & 1 else begin
        last = None if op.options.get("EndMask", 0) >> i & 1 else end
        index.append(slice(first, last, step))
    return tuple(index)


def strided_slice(c: Context, op: RawOp) -> Op | None:
    """STRIDED_SLICE of an activation."""
    source, places = _numbered(c, op)
    given = [c.constant(op, i, "INT32").ravel().tolist() for i in (1, 2, 3)]
    index = strided(op, given[0], given[1], given[2], places.ndim)
    try:
        part = places[index]
    except IndexError as error:
        raise ModelError(f"{op}: {error}: corrupt file") from error
    return moved(c, op, source, op.outputs[0], np.asarray(part))


def slice_(c: Context, op: RawOp) -> Op | None:
    """SLICE."""
    source, places = _numbered(c, op)
    begins = c.constant(op, 1, "INT32").ravel().tolist()
    sizes = c.constant(op, 2, "INT32").ravel().tolist()
    if not len(begins) == len(sizes) == places.ndim or any(
        b < 0 or (s != -1 and not 0 < s <= n - b)
        for b, s, n in zip(begins, sizes, places.shape, strict=True)
    ):
        raise ModelError(f"{op}: from {begins} on {sizes} of {list(places.shape)}: corrupt file")
    index = tuple(slice(b, None if s == -1 else b + s) for b, s in zip(begins, sizes, strict=True))
    return moved(c, op, source, op.outputs[0], places[index])


def _parts(c: Context, op: RawOp, source: Tensor, parts: list[Places]) -> list[Op]:
    if len(parts) != len(op.outputs):
        raise ModelError(f"{op}: {len(op.outputs)} outputs of {len(parts)} parts: corrupt file")
    found = [
        moved(c, op, source, output, part) for output, part in zip(op.outputs, parts, strict=True)
    ]
    return [made for made in found if made is not None]


def split(c: Context, op: RawOp) -> list[Op]:
    """SPLIT."""
    source, places = _numbered(c, op, 1)
    axis = _axis(op, int(c.constant(op, 0, "INT32").ravel()[0]), places.ndim)
    if places.shape[axis] % len(op.outputs):
        raise ModelError(f"{op}: {places.shape[axis]} in {len(op.outputs)} parts: corrupt file")
    return _parts(c, op, source, np.split(places, len(op.outputs), axis))


def split_v(c: Context, op: RawOp) -> list[Op]:
    """SPLIT_V."""
    source, places = _numbered(c, op)
    sizes = c.constant(op, 1, "INT32").ravel().tolist()
    axis = _axis(op, int(c.constant(op, 2, "INT32").ravel()[0]), places.ndim)
    if min(sizes, default=0) < 1 or sum(sizes) != places.shape[axis]:
        raise ModelError(f"{op}: parts of {sizes} of {places.shape[axis]}: corrupt file")
    return _parts(c, op, source, np.split(places, np.cumsum(sizes)[:-1], axis))


def unpack(c: Context, op: RawOp) -> list[Op]:
    """UNPACK."""
    source, places = _numbered(c, op)
    axis = _axis(op, int(op.options.get("Axis", 0)), places.ndim)
    parts = [np.asarray(places.take(i, axis)) for i in range(places.shape[axis])]
    return _parts(c, op, source, parts)


def resize_nearest(c: Context, op: RawOp) -> Op | None:
    """RESIZE_NEAREST_NEIGHBOR by whole factors: UpSampling1D of a [1, length, 1, channels]."""
    source, places = _numbered(c, op)
    size = c.constant(op, 1, "INT32").ravel().tolist()
    whole = places.ndim == 4 and len(size) == 2
    if not whole or any(s < 1 or s % n for s, n in zip(size, places.shape[1:3], strict=True)):
        raise ModelError(
            f"{op}: {c.named(op.inputs[0])} {list(places.shape)} to {size}: only whole factors"
        )
    if op.options.get("AlignCorners", False):
        raise ModelError(f"{op}: align_corners is not supported: leave it out")
    tall, wide = (s // n for s, n in zip(size, places.shape[1:3], strict=True))
    return moved(c, op, source, op.outputs[0], places.repeat(tall, 1).repeat(wide, 2))


def concat(c: Context, op: RawOp) -> Op:
    """CONCATENATION along any dimension."""
    sources = tuple(c.view(op, i) for i in range(len(op.inputs)))
    out = c.declare(op.outputs[0], op)
    shape = c.raw.tensors[op.outputs[0]].shape
    axis = _axis(op, int(op.options.get("Axis", 0)), len(shape))
    if op.options.get("FusedActivationFunction", NO_ACTIVATION) != NO_ACTIVATION:
        raise ModelError(f"{op}: a fused activation is not supported (nor by TFLite Micro)")
    shapes = [c.shape(op, i) for i in range(len(op.inputs))]
    rest = shape[:axis] + shape[axis + 1 :]
    if any(len(s) != len(shape) or s[:axis] + s[axis + 1 :] != rest for s in shapes) or (
        sum(s[axis] for s in shapes) != shape[axis]
    ):
        raise ModelError(
            f"{op}: tensors of different lengths can only follow each other along the dimension "
            f"that differs: {[list(s) for s in shapes]} do not give {list(shape)}"
        )
    for source in sources:
        c.same_units(op, source, out)
    return Concat(op.index, op.name, sources, out, math.prod(shape[:axis]))


def pad(c: Context, op: RawOp) -> Op:
    """PAD: of the length, which may be folded into a convolution, or of up to two others."""
    source, out = c.view(op, 0), c.declare(op.outputs[0], op)
    shape = c.shape(op, 0)
    pads = c.constant(op, 1, "INT32")
    if pads.shape != (len(shape), 2):
        raise ModelError(f"{op}: paddings of shape {list(pads.shape)}: corrupt file")
    wanted = tuple(int(n + p.sum()) for n, p in zip(shape, pads, strict=True))
    if c.raw.tensors[op.outputs[0]].shape != wanted or pads.min() < 0 or pads.max() > MAX_EXTENT:
        raise ModelError(
            f"{op}: paddings {pads.tolist()}: the output's shape does not fit them: corrupt file"
        )
    c.same_units(op, source, out)
    padded = [i for i in range(len(shape)) if pads[i].any()]
    long = [i for i in range(len(shape) - 1) if shape[i] > 1]
    if len(padded) == 1 and (padded == long or (not long and 0 < padded[0] < len(shape) - 1)):
        return Pad(op.index, op.name, (source,), out, int(pads[padded[0], 0]))
    first = min(padded, default=0)
    inner = max(padded, default=0)
    between = [i for i in range(first + 1, inner) if pads[i].any() or shape[i] > 1]
    if len(padded) > 2 or (len(padded) == 2 and (between or math.prod(shape[:first]) > 1)):
        raise ModelError(f"{op}: paddings {pads.tolist()}: only of two dimensions, the outermost")
    width = math.prod(shape[inner + 1 :])
    step = wanted[inner] * width
    rows = math.prod(shape[:inner])
    offset = int(pads[inner, 0]) * width
    if first != inner:
        offset += int(pads[first, 0]) * step * math.prod(wanted[first + 1 : inner])
    return PadPlane(
        op.index, op.name, (source,), out, offset, rows, shape[inner] * width, step
    )  # fmt: skip


MOVES: dict[str, Callable[[Context, RawOp], Op | list[Op] | None]] = {
    "RESHAPE": reshape,
    "EXPAND_DIMS": reshape,
    "SQUEEZE": reshape,
    "TRANSPOSE": transpose,
    "STRIDED_SLICE": strided_slice,
    "SLICE": slice_,
    "SPLIT": split,
    "SPLIT_V": split_v,
    "UNPACK": unpack,
    "RESIZE_NEAREST_NEIGHBOR": resize_nearest,
    "CONCATENATION": concat,
    "PAD": pad,
}
