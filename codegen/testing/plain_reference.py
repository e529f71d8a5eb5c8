"""The ops in plain numpy, written to be read: the second opinion beside TFLite Micro.

Works on what the file says (`einthoven.codegen.engine.reader`), not on the generator's graph:
nothing of `einthoven.codegen.engine.lower`, `quantize`, `planner` or `emit` is used. Integers are
Python's or int64: nothing overflows, nothing is folded, nothing is packed.
"""

import math
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
    flat = weights.reshape(weights.shape[0], -1, weights.shape[3])
    rows, exists = _windows(model, op, x, weights.shape[1:3])
    seen = (rows - _units(model, op.inputs[0])[1]) * exists[..., np.newaxis]
    sums = np.tensordot(seen, flat, axes=([1, 2], [1, 2])) + (xs[2] if len(xs) > 2 else 0)
    return _finished(model, op, _requantized(model, op, sums))


def _depthwise(model: RawModel, op: RawOp, xs: list[Any]) -> Int64:
    x, weights = xs[0], xs[1]
    rows, exists = _windows(model, op, x, weights.shape[1:3])
    seen = (rows - _units(model, op.inputs[0])[1]) * exists[..., np.newaxis]
    seen = np.repeat(seen, op.options["DepthMultiplier"], axis=2)
    sums = (seen * weights.reshape(-1, weights.shape[3])).sum(axis=1)
    sums += xs[2] if len(xs) > 2 else 0
    return _finished(model, op, _requantized(model, op, sums))


def _dense(model: RawModel, op: RawOp, xs: list[Any]) -> Int64:
    zero = _units(model, op.inputs[0])[1]
    sums = xs[1] @ (xs[0].ravel() - zero) + (xs[2] if len(xs) > 2 else 0)
    return _finished(model, op, _requantized(model, op, sums[np.newaxis], dense=True))


def _add(model: RawModel, op: RawOp, xs: list[Any]) -> Int64:
    units = [_units(model, i) for i in op.inputs]
    twice = 2 * max(s for s, _ in units)
    total = sum(
        _rescaled((x - zero) * 2**20, scale / twice)
        for x, (scale, zero) in zip(xs, units, strict=True)
    )
    out_scale = _units(model, op.outputs[0])[0]
    return _finished(model, op, _rescaled(np.asarray(total), twice / (2**20 * out_scale)))


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
    "MAX_POOL_2D": _pool,
    "AVERAGE_POOL_2D": _pool,
    "MEAN": _mean,
    "REDUCE_MAX": _reduce_max,
    "QUANTIZE": _requantize,
    "PAD": _pad,
    "CONCATENATION": _concat,
    "RESHAPE": _reshape,
}
"""SOFTMAX, LOGISTIC are not here: their fixed-point exponential would be the same code (TFLM checks
it)."""
