"""The ops in plain numpy, written to be read: the second opinion beside TFLite Micro.

Works on what the file says (`einthoven.codegen.engine.reader`), not on the generator's graph:
nothing of `einthoven.codegen.engine.lower`, `quantize`, `planner` or `emit` is used. Integers are
Python's or int64: nothing overflows, nothing is folded, nothing is packed.
"""

import math
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from einthoven.codegen.engine.reader import RawModel, RawOp

Int8 = NDArray[np.int8]
Int64 = NDArray[np.int64]


def infer(model: RawModel, inputs: list[Int8]) -> list[Int8]:
    """The model's outputs, in the shapes that the file states."""
    values = layers(model, inputs)
    return [values[i] for i in model.outputs]


def layers(model: RawModel, inputs: list[Int8]) -> dict[int, Int8]:
    """Every op's output by its tensor's number, in the shapes that the file states."""
    values: dict[int, Int64] = {
        t.index: np.frombuffer(t.data, dtype=t.type_name.lower()).reshape(t.shape).astype(np.int64)
        for t in model.tensors
        if t.data is not None
    }
    for index, value in zip(model.inputs, inputs, strict=True):
        values[index] = value.reshape(model.tensors[index].shape).astype(np.int64)
    for op in model.ops:
        result = _OPS[op.name](model, op, [values.get(i) for i in op.inputs])
        values[op.outputs[0]] = result.reshape(model.tensors[op.outputs[0]].shape)
    return {op.outputs[0]: values[op.outputs[0]].astype(np.int8) for op in model.ops}


def _rescaled(x: Int64, real: float) -> Int64:
    """x · real in 31 bits, rounded twice: half up after the multiplication, half away after it."""
    mantissa, exponent = math.frexp(real)
    fixed = math.floor(mantissa * 2**31 + 0.5)
    if fixed == 2**31:
        fixed, exponent = 2**30, exponent + 1
    if real == 0 or exponent < -31:
        fixed, exponent = 0, 0
    return _shifted_twice(x, fixed, exponent)


def _shifted_twice(x: Int64, fixed: int, exponent: int) -> Int64:
    left, right = max(exponent, 0), max(-exponent, 0)
    assert np.abs(x * 2**left).max(initial=0) < 2**31, "beyond 32 bits: such a model is refused"
    high = ((x * 2**left) * fixed + 2**30) // 2**31
    away = (np.abs(high) + 2**right // 2) // 2**right
    return np.asarray(np.sign(high) * away)


def _units(model: RawModel, index: int) -> tuple[float, int]:
    return model.tensors[index].scales[0], model.tensors[index].zero_points[0]


def _finished(model: RawModel, op: RawOp, values: Int64) -> Int64:
    """Add the output's zero point, apply the activation, saturate."""
    scale, zero = _units(model, op.outputs[0])
    bounds = {0: (-math.inf, math.inf), 1: (0.0, math.inf), 2: (-1.0, 1.0), 3: (0.0, 6.0)}
    low, high = bounds[op.options.get("FusedActivationFunction", 0)]
    edge = [
        zero
        + int(math.copysign(math.floor(abs(float(np.float32(b) / np.float32(scale))) + 0.5), b))
        for b in (low, high)
        if math.isfinite(b)
    ]
    low_q = max(-128, edge[0]) if math.isfinite(low) else -128
    high_q = min(127, edge[-1]) if math.isfinite(high) else 127
    return np.minimum(np.maximum(values + zero, low_q), high_q)


def _padding(length: int, out: int, kernel: int, stride: int, dilation: int) -> int:
    return max(0, (out - 1) * stride + (kernel - 1) * dilation + 1 - length) // 2


def _rows(x: Int64) -> Int64:
    """[length, channels] of any supported shape."""
    return x.reshape(-1, x.shape[-1])


def _axis(x: Int64, kernel: tuple[int, int]) -> str:
    return "W" if x.shape[1] == 1 and kernel[0] == 1 else "H"


def _is_line(x: Int64, kernel: tuple[int, int]) -> bool:
    """Whether an op works along one dimension."""
    return (x.shape[1], kernel[0]) == (1, 1) or (x.shape[2], kernel[1]) == (1, 1)


def _windows(
    model: RawModel, op: RawOp, x: Int64, kernel: tuple[int, int]
) -> tuple[Int64, NDArray[np.bool_]]:
    """Input rows [positions, taps, channels] of each output position, and which of them exist."""
    axis = _axis(x, kernel)
    taps = kernel[1] if axis == "W" else kernel[0]
    stride = op.options[f"Stride{axis}"]
    dilation = op.options.get(f"Dilation{axis}Factor", 1)
    rows = _rows(x)
    shape = model.tensors[op.outputs[0]].shape
    out = shape[2] if axis == "W" else shape[1]
    pad = _padding(len(rows), out, taps, stride, dilation) if op.options["Padding"] == 0 else 0
    at = np.arange(out)[:, np.newaxis] * stride + np.arange(taps) * dilation - pad
    exists = (at >= 0) & (at < len(rows))
    return rows[np.where(exists, at, 0)], exists


def _channel_scales(model: RawModel, op: RawOp, channels: int) -> list[float]:
    scales = model.tensors[op.inputs[1]].scales
    return list(scales) if len(scales) > 1 else list(scales) * channels


def _requantized(model: RawModel, op: RawOp, sums: Int64, dense: bool = False) -> Int64:
    in_scale, out_scale = _units(model, op.inputs[0])[0], _units(model, op.outputs[0])[0]
    out = np.empty_like(sums)
    per_tensor = len(model.tensors[op.inputs[1]].scales) == 1
    for c, scale in enumerate(_channel_scales(model, op, sums.shape[1])):
        product = in_scale * scale
        if dense and per_tensor:
            product = float(np.float32(in_scale) * np.float32(scale))
        out[:, c] = _rescaled(sums[:, c], product / out_scale)
    return out


def _conv(model: RawModel, op: RawOp, xs: list[Any]) -> Int64:
    x, weights = xs[0], xs[1]
    if not _is_line(x, weights.shape[1:3]) or weights.shape[3] != x.shape[3]:
        return _plane_conv(model, op, xs)
    flat = weights.reshape(weights.shape[0], -1, weights.shape[3])
    rows, exists = _windows(model, op, x, weights.shape[1:3])
    seen = (rows - _units(model, op.inputs[0])[1]) * exists[..., np.newaxis]
    sums = np.tensordot(seen, flat, axes=([1, 2], [1, 2])) + (xs[2] if len(xs) > 2 else 0)
    return _finished(model, op, _requantized(model, op, sums))


def _depthwise(model: RawModel, op: RawOp, xs: list[Any]) -> Int64:
    x, weights = xs[0], xs[1]
    if not _is_line(x, weights.shape[1:3]):
        return _plane_conv(model, op, xs)
    rows, exists = _windows(model, op, x, weights.shape[1:3])
    seen = (rows - _units(model, op.inputs[0])[1]) * exists[..., np.newaxis]
    seen = np.repeat(seen, op.options["DepthMultiplier"], axis=2)
    sums = (seen * weights.reshape(-1, weights.shape[3])).sum(axis=1)
    sums += xs[2] if len(xs) > 2 else 0
    return _finished(model, op, _requantized(model, op, sums))


def _add(model: RawModel, op: RawOp, xs: list[Any]) -> Int64:
    units = [_units(model, i) for i in op.inputs]
    twice = 2 * max(s for s, _ in units)
    total = sum(
        _rescaled((x - zero) * 2**20, scale / twice)
        for x, (scale, zero) in zip(xs, units, strict=True)
    )
    out_scale = _units(model, op.outputs[0])[0]
    return _finished(model, op, _rescaled(np.asarray(total), twice / (2**20 * out_scale)))


def _sub(model: RawModel, op: RawOp, xs: list[Any]) -> Int64:
    units = [_units(model, i) for i in op.inputs]
    single = [np.float32(s) for s, _ in units]
    twice = np.float32(2) * max(single)
    a, b = (
        _rescaled((x - zero) * 2**20, float(s / twice))
        for x, (_, zero), s in zip(xs, units, single, strict=True)
    )
    out_scale = np.float32(_units(model, op.outputs[0])[0])
    return _finished(model, op, _rescaled(a - b, float(twice / (np.float32(2**20) * out_scale))))


def _mul(model: RawModel, op: RawOp, xs: list[Any]) -> Int64:
    (a, a_zero), (b, b_zero) = (_units(model, i) for i in op.inputs)
    product = (xs[0] - a_zero) * (xs[1] - b_zero)
    return _finished(model, op, _rescaled(product, a * b / _units(model, op.outputs[0])[0]))


def _prelu(model: RawModel, op: RawOp, xs: list[Any]) -> Int64:
    (a, a_zero), (b, b_zero) = (_units(model, i) for i in op.inputs)
    out, x = _units(model, op.outputs[0])[0], xs[0] - a_zero
    low = _rescaled(np.minimum(x, 0) * (xs[1] - b_zero), a * b / out)
    return _finished(model, op, np.where(x >= 0, _rescaled(np.maximum(x, 0), a / out), low))


def _leaky_relu(model: RawModel, op: RawOp, xs: list[Any]) -> Int64:
    (scale, zero), out = _units(model, op.inputs[0]), np.float32(_units(model, op.outputs[0])[0])
    alpha, x = np.float32(op.options["Alpha"]), xs[0] - zero
    low = _rescaled(x, float(np.float32(scale) * alpha / out))
    return _finished(model, op, np.where(x >= 0, _rescaled(x, float(np.float32(scale) / out)), low))


def _plane_sums(
    model: RawModel, op: RawOp, x: Int64, weights: Int64, up: tuple[int, int], pads: tuple[int, int]
) -> Int64:
    """[height, width, out] sums of [out, height, width, in / groups] weights, tap by tap."""
    shape = model.tensors[op.outputs[0]].shape
    groups = x.shape[3] // weights.shape[3]
    per_group = weights.shape[0] // groups
    spread = np.zeros((x.shape[1] * up[0], x.shape[2] * up[1], x.shape[3]), dtype=np.int64)
    spread[:: up[0], :: up[1]] = x[0]
    strides = [1 if up != (1, 1) else op.options[f"Stride{axis}"] for axis in "HW"]
    dilations = [op.options.get(f"Dilation{axis}Factor", 1) for axis in "HW"]
    sums = np.zeros((shape[1], shape[2], weights.shape[0]), dtype=np.int64)
    for ty, tx in np.ndindex(weights.shape[1:3]):
        rows = np.arange(shape[1]) * strides[0] + ty * dilations[0] - pads[0]
        columns = np.arange(shape[2]) * strides[1] + tx * dilations[1] - pads[1]
        row_exists = (rows >= 0) & (rows < spread.shape[0])
        column_exists = (columns >= 0) & (columns < spread.shape[1])
        seen = spread[np.where(row_exists, rows, 0)][:, np.where(column_exists, columns, 0)]
        seen = seen * (row_exists[:, np.newaxis] & column_exists)[..., np.newaxis]
        for out in range(weights.shape[0]):
            first = out // per_group * weights.shape[3]
            part = seen[..., first : first + weights.shape[3]]
            sums[..., out] += part @ weights[out, ty, tx]
    return sums


def _plane_conv(model: RawModel, op: RawOp, xs: list[Any]) -> Int64:
    """CONV_2D and DEPTHWISE_CONV_2D of two dimensions or in groups."""
    x, weights = xs[0] - _units(model, op.inputs[0])[1], xs[1]
    if op.name == "DEPTHWISE_CONV_2D":
        weights = weights.transpose(3, 1, 2, 0)
    shape = model.tensors[op.outputs[0]].shape
    same = op.options["Padding"] == 0
    pads = [
        _padding(x.shape[i], shape[i], weights.shape[i], op.options[f"Stride{axis}"],
                 op.options[f"Dilation{axis}Factor"]) if same else 0
        for i, axis in ((1, "H"), (2, "W"))
    ]  # fmt: skip
    sums = _plane_sums(model, op, x, weights, (1, 1), (pads[0], pads[1]))
    sums = sums.reshape(-1, shape[3]) + (xs[2] if len(xs) > 2 else 0)
    return _finished(model, op, _requantized(model, op, sums))


def _transpose_conv(model: RawModel, op: RawOp, xs: list[Any]) -> Int64:
    x, weights = xs[2] - _units(model, op.inputs[2])[1], xs[1]
    shape = model.tensors[op.outputs[0]].shape
    up = (op.options["StrideH"], op.options["StrideW"])
    pads = []
    for i in (1, 2):
        reach, stride = weights.shape[i], up[i - 1]
        around = _padding(shape[i], x.shape[i], reach, stride, 1)
        pads.append(reach - 1 - (around if op.options["Padding"] == 0 else 0))
    sums = _plane_sums(model, op, x, weights[:, ::-1, ::-1], up, (pads[0], pads[1]))
    sums = sums.reshape(-1, shape[3]) + (xs[3] if len(xs) > 3 else 0)
    as_conv = replace(op, inputs=(op.inputs[2], *op.inputs[1:2]))
    return _finished(model, op, _requantized(model, as_conv, sums))


def _transpose(model: RawModel, op: RawOp, xs: list[Any]) -> Int64:
    return np.asarray(xs[0].transpose(xs[1].tolist()))


def _dense(model: RawModel, op: RawOp, xs: list[Any]) -> Int64:
    zero = _units(model, op.inputs[0])[1]
    rows = xs[0].reshape(-1, xs[1].shape[1]) - zero
    sums = rows @ xs[1].T + (xs[2] if len(xs) > 2 else 0)
    return _finished(model, op, _requantized(model, op, sums, dense=True))


def _pool(model: RawModel, op: RawOp, xs: list[Any]) -> Int64:
    rows, exists = _windows(
        model, op, xs[0], (op.options["FilterHeight"], op.options["FilterWidth"])
    )
    there = exists[..., np.newaxis]
    if op.name == "MAX_POOL_2D":
        out = np.where(there, rows, -128).max(axis=1)
    else:
        total, n = (rows * there).sum(axis=1), there.sum(axis=1)
        out = np.sign(total) * ((np.abs(total) + n // 2) // n)
    return _finished(model, op, out - _units(model, op.outputs[0])[1])


def _mean(model: RawModel, op: RawOp, xs: list[Any]) -> Int64:
    rows = _rows(xs[0])
    (in_scale, in_zero), (out_scale, _) = _units(model, op.inputs[0]), _units(model, op.outputs[0])
    mantissa, exponent = math.frexp(in_scale / out_scale)
    fixed = math.floor(mantissa * 2**31 + 0.5)
    if fixed == 2**31:
        fixed, exponent = 2**30, exponent + 1
    up = min(int(math.log2(len(rows))), 32, 31 + exponent)
    fixed = fixed * 2**up // len(rows)
    sums = rows.sum(axis=0) - len(rows) * in_zero
    return _finished(model, op, _shifted_twice(sums, fixed, exponent - up))


def _reduce_max(model: RawModel, op: RawOp, xs: list[Any]) -> Int64:
    return np.asarray(_rows(xs[0]).max(axis=0))


def _requantize(model: RawModel, op: RawOp, xs: list[Any]) -> Int64:
    (in_scale, in_zero), (out_scale, _) = _units(model, op.inputs[0]), _units(model, op.outputs[0])
    return _finished(model, op, _rescaled(xs[0] - in_zero, in_scale / out_scale))


def _pad(model: RawModel, op: RawOp, xs: list[Any]) -> Int64:
    zero = _units(model, op.outputs[0])[1]
    return np.pad(xs[0], xs[1].tolist(), constant_values=zero)


def _concat(model: RawModel, op: RawOp, xs: list[Any]) -> Int64:
    return np.concatenate(xs, axis=op.options["Axis"])


def _reshape(model: RawModel, op: RawOp, xs: list[Any]) -> Int64:
    return np.asarray(xs[0])


_OPS = {
    "CONV_2D": _conv,
    "DEPTHWISE_CONV_2D": _depthwise,
    "FULLY_CONNECTED": _dense,
    "ADD": _add,
    "SUB": _sub,
    "MUL": _mul,
    "PRELU": _prelu,
    "LEAKY_RELU": _leaky_relu,
    "TRANSPOSE_CONV": _transpose_conv,
    "TRANSPOSE": _transpose,
    "MAX_POOL_2D": _pool,
    "AVERAGE_POOL_2D": _pool,
    "MEAN": _mean,
    "REDUCE_MAX": _reduce_max,
    "QUANTIZE": _requantize,
    "PAD": _pad,
    "CONCATENATION": _concat,
    "RESHAPE": _reshape,
}
"""SOFTMAX, LOGISTIC, TANH and HARD_SWISH are not here: their fixed-point arithmetic would be the
same code (TFLM checks it); nor what only moves bytes, but for TRANSPOSE."""
