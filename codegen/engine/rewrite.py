"""What converters write around the ops proper, taken away before these are looked at.

Shapes that are computed at run time (SHAPE, STRIDED_SLICE, PACK in front of a RESHAPE: what Keras
writes for an open batch) are constants here, since every tensor's shape is known. A dilated
convolution that is written as SPACE_TO_BATCH_ND, CONV_2D, BATCH_TO_SPACE_ND is one again.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from einthoven.codegen.engine.moves import strided
from einthoven.codegen.engine.reader import RawModel, RawOp, RawTensor
from einthoven.errors import ModelError

_INTEGERS = ("INT32", "INT64")
_RESHAPES = ("RESHAPE", "EXPAND_DIMS", "SQUEEZE")
_VALID = 1
Values = NDArray[np.int64]


def simplified(raw: RawModel) -> RawModel:
    """`raw` without ops that compute with shapes alone, and with dilations as such."""
    return _with_dilations(_without_shapes(raw))


@dataclass
class _Folder:
    """Constants of integers that are known so far, by tensor number."""

    raw: RawModel
    known: dict[int, Values] = field(default_factory=dict)

    def values(self, index: int) -> Values | None:
        if index in self.known or index < 0:
            return self.known.get(index)
        raw = self.raw.tensors[index]
        if raw.type_name not in _INTEGERS or raw.data is None:
            return None
        dtype = np.dtype(raw.type_name.lower()).newbyteorder("<")
        if len(raw.data) != math.prod(raw.shape) * dtype.itemsize:
            return None
        return np.frombuffer(raw.data, dtype=dtype).astype(np.int64).reshape(raw.shape)


def _without_shapes(raw: RawModel) -> RawModel:
    folder = _Folder(raw)
    kept = []
    for op in raw.ops:
        value = _folded(folder, op)
        if value is None:
            _check_reshape(folder, op)
            kept.append(op)
        else:
            folder.known[op.outputs[0]] = value
    tensors = tuple(
        _constant(t, folder.known[t.index]) if t.index in folder.known else t for t in raw.tensors
    )
    return replace(raw, tensors=tensors, ops=tuple(kept))


def _constant(tensor: RawTensor, value: Values) -> RawTensor:
    dtype = np.dtype(tensor.type_name.lower()).newbyteorder("<")
    return replace(tensor, data=value.astype(dtype).tobytes(), shape=value.shape)


def _folded(folder: _Folder, op: RawOp) -> Values | None:
    """The op's output, if it is a constant of integers."""
    raw = folder.raw
    if op.name not in _FOLD or len(op.outputs) != 1 or op.outputs[0] < 0:
        return None
    if raw.tensors[op.outputs[0]].type_name not in _INTEGERS or not op.inputs:
        return None
    if op.name == "SHAPE":
        return np.array(raw.tensors[op.inputs[0]].shape, dtype=np.int64)
    inputs = [folder.values(i) for i in op.inputs]
    given = [value for value in inputs if value is not None]
    if len(given) < len(inputs):
        return None
    try:
        value = np.asarray(_FOLD[op.name](op, given))
    except (IndexError, ValueError, TypeError) as error:
        raise ModelError(f"{op}: {error}: its constants do not fit: corrupt file") from error
    expected = raw.tensors[op.outputs[0]].shape
    if value.shape != expected:
        raise ModelError(
            f"{op}: tensor {op.outputs[0]} has shape {list(expected)}, should be "
            f"{list(value.shape)}: corrupt file"
        )
    return value


def _check_reshape(folder: _Folder, op: RawOp) -> None:
    """A shape that was computed is the output's: what the file states is what happens."""
    if op.name != "RESHAPE" or len(op.inputs) < 2 or op.inputs[1] not in folder.known:
        return
    wanted = folder.known[op.inputs[1]].ravel().tolist()
    stated = list(folder.raw.tensors[op.outputs[0]].shape) if op.outputs else []
    if len(wanted) != len(stated) or any(
        w not in (-1, s) for w, s in zip(wanted, stated, strict=True)
    ):
        raise ModelError(
            f"{op}: its shape is computed as {wanted}, tensor {op.outputs[0]} has {stated}: "
            "convert with a fixed input shape"
        )


def _slice(op: RawOp, given: list[Values]) -> Values:
    begins, ends, steps = (v.ravel().tolist() for v in given[1:4])
    return np.asarray(given[0][strided(op, begins, ends, steps, given[0].ndim)])


def _pack(op: RawOp, given: list[Values]) -> Values:
    return np.stack(given, axis=op.options.get("Axis", 0))


def _concatenated(op: RawOp, given: list[Values]) -> Values:
    return np.concatenate(given, axis=op.options.get("Axis", 0))


def _gathered(op: RawOp, given: list[Values]) -> Values:
    if op.options.get("BatchDims", 0):
        raise ValueError("batches")
    return np.take(given[0], given[1], axis=op.options.get("Axis", 0))


_FOLD: dict[str, Callable[[RawOp, list[Values]], Values]] = {
    "SHAPE": lambda op, given: given[0],
    "STRIDED_SLICE": _slice,
    "PACK": _pack,
    "CONCATENATION": _concatenated,
    "GATHER": _gathered,
    "MUL": lambda op, given: given[0] * given[1],
    "ADD": lambda op, given: given[0] + given[1],
    "CAST": lambda op, given: given[0],
    "RESHAPE": lambda op, given: given[0].reshape(given[1].tolist()),
    "SQUEEZE": lambda op, given: given[0].squeeze(),
}


def _with_dilations(raw: RawModel) -> RawModel:
    """Each SPACE_TO_BATCH_ND … BATCH_TO_SPACE_ND around one convolution becomes that one."""
    folder = _Folder(raw)
    ops, tensors = list(raw.ops), list(raw.tensors)
    for begin in [op for op in raw.ops if op.name == "SPACE_TO_BATCH_ND"]:
        chain = _chain(raw, begin)
        if chain is None:
            continue
        conv, end = chain
        made = _dilated(folder, tensors, begin, conv, end)
        if made is None:
            continue
        at = ops.index(begin)
        between = raw.ops[raw.ops.index(begin) : raw.ops.index(end) + 1]
        ops = [op for op in ops if op not in between]
        ops[at:at] = made
    return replace(raw, tensors=tuple(tensors), ops=tuple(ops))


def _chain(raw: RawModel, begin: RawOp) -> tuple[RawOp, RawOp] | None:
    """The convolution after `begin` and the BATCH_TO_SPACE_ND after it, but for reshapes; None if
    anything else reads what is between."""
    conv = None
    current = begin
    for _ in range(8):
        users = [op for op in raw.ops if current.outputs[0] in op.inputs]
        if len(users) != 1 or current.outputs[0] in raw.outputs:
            return None
        current = users[0]
        if current.name in ("CONV_2D", "DEPTHWISE_CONV_2D") and conv is None:
            conv = current
        elif current.name == "BATCH_TO_SPACE_ND":
            return (conv, current) if conv is not None else None
        elif current.name not in _RESHAPES:
            return None
    return None


def _dilated(
    folder: _Folder, tensors: list[RawTensor], begin: RawOp, conv: RawOp, end: RawOp
) -> list[RawOp] | None:
    """The convolution with a dilation, behind a reshape to four dimensions."""
    block, pads = folder.values(begin.inputs[1]), folder.values(begin.inputs[2])
    back, crops = folder.values(end.inputs[1]), folder.values(end.inputs[2])
    source, out = tensors[begin.inputs[0]], tensors[end.outputs[0]]
    if block is None or pads is None or back is None or crops is None:
        return None
    split = tensors[begin.outputs[0]]
    if split.shape[0] != source.shape[0] * block.prod():
        raise ModelError(
            f"{begin}: tensor {split.index} '{split.name}' has batch {split.shape[0]}, should be "
            f"{source.shape[0] * block.prod()}: TFLite Micro would leave values out; convert with "
            "a fixed batch of 1, which makes it a dilated convolution that is right"
        )
    if block.tolist() != back.tolist() or len(block) > 2 or len(source.shape) != len(out.shape):
        return None
    if conv.options["Padding"] != _VALID or max(
        conv.options[k] for k in ("StrideH", "StrideW", "DilationHFactor", "DilationWFactor")
    ) != 1:  # fmt: skip
        return None
    # In units of [1, height, width, channels]; a length alone is a width.
    lengths = [1] * (2 - len(block)) + list(source.shape[1:-1])
    rates = [1] * (2 - len(block)) + block.tolist()
    before = [[0, 0]] * (2 - len(block)) + pads.tolist()
    cropped = [[0, 0]] * (2 - len(block)) + crops.tolist()
    kernel = tensors[conv.inputs[1]].shape[1:3]
    rank_fits = len(source.shape) == len(block) + 2 and source.shape[0] == out.shape[0] == 1
    if not rank_fits or len(kernel) != 2 or any(c[0] for c in cropped):
        return None
    # A block's rounding up is padded behind, and cropped again: leave both out.
    padding = [[p[0], p[1] - c[1]] for p, c in zip(before, cropped, strict=True)]
    outs = [1] * (2 - len(block)) + list(out.shape[1:-1])
    made = [
        n + sum(p) - (k - 1) * r for n, p, k, r in zip(lengths, padding, kernel, rates, strict=True)
    ]
    if min(p for pair in padding for p in pair) < 0 or made != outs:
        return None
    read = _added(tensors, source, (1, *lengths, source.shape[-1]))
    ops = [_reshape(begin, source.index, read)]
    if any(sum(p) for p in padding):
        raise ModelError(
            f"{begin}: tensor {split.index} '{split.name}' is padded, which TFLite Micro does with "
            "whatever its memory held; convert with a fixed batch of 1, which makes it a dilated "
            "convolution that is right"
        )
    dilation = {"DilationHFactor": rates[0], "DilationWFactor": rates[1]}
    ops.append(
        replace(
            conv,
            inputs=(read, *conv.inputs[1:]),
            outputs=end.outputs,
            options={**conv.options, **dilation},
        )
    )
    return ops


def _added(tensors: list[RawTensor], like: RawTensor, shape: tuple[int, ...]) -> int:
    """A tensor more, of another shape; its number."""
    tensors.append(replace(like, index=len(tensors), shape=shape, open_dimensions=()))
    return len(tensors) - 1


def _reshape(op: RawOp, source: int, output: int) -> RawOp:
    return replace(op, name="RESHAPE", version=1, inputs=(source,), outputs=(output,), options={})
