"""Lower convolutions and pooling that the 1-D kernels do not take: over two dimensions, in groups,
transposed."""

import numpy as np
from numpy.typing import NDArray

from einthoven.codegen.engine.context import MAX_EXTENT, Context
from einthoven.codegen.engine.graph import Conv2d, Op, Pool2d, Tensor
from einthoven.codegen.engine.quantize import conv_factor
from einthoven.codegen.engine.reader import RawOp
from einthoven.errors import ModelError

Pair = tuple[int, int]
_SAME = 0


def _plane(c: Context, op: RawOp, index: int) -> tuple[int, int, int]:
    """Height, width and channels of a tensor of batch 1."""
    shape = c.raw.tensors[index].shape
    if len(shape) != 4 or shape[0] != 1:
        raise ModelError(
            f"{op}: {c.named(index)} has shape {list(shape)}: supported is batch 1, as in "
            "[1, 1, length, channels]"
        )
    return shape[1], shape[2], shape[3]


def _windows(c: Context, op: RawOp, kernel: Pair) -> tuple[Pair, Pair, Pair]:
    """Stride, dilation and padding of both dimensions."""
    sizes = _plane(c, op, op.inputs[0])[:2]
    outs = _plane(c, op, op.outputs[0])[:2]
    y, x = (
        c.window(op, k, axis, size, out)
        for k, axis, size, out in zip(kernel, "HW", sizes, outs, strict=True)
    )
    return (y.stride, x.stride), (y.dilation, x.dilation), (y.pad_left, x.pad_left)


def conv_2d(c: Context, op: RawOp, source: Tensor, out: Tensor) -> Op:
    """CONV_2D of a kernel of two dimensions, or in groups."""
    values, scales = c.weights(op, out.channels, 0)
    height, width, channels = _plane(c, op, op.inputs[0])
    seen = values.shape[3] if values.ndim == 4 else 0
    groups = channels // seen if seen and channels % seen == 0 else 0
    if values.shape[0] != out.channels or groups == 0 or out.channels % groups:
        raise ModelError(
            f"{op}: weights {list(values.shape)} do not fit {channels} channels in and "
            f"{out.channels} out, nor parts of them (grouped convolution)"
        )
    kernel = (values.shape[1], values.shape[2])
    windows = _windows(c, op, kernel)
    bias = c.bias(op, out.channels)
    return _conv(c, op, source, out, values, scales, bias, windows, groups, (height, width))


def depthwise_2d(c: Context, op: RawOp, source: Tensor, out: Tensor) -> Op:
    """DEPTHWISE_CONV_2D of a kernel of two dimensions: as many groups as channels."""
    values, scales = c.weights(op, out.channels, 3)
    height, width, channels = _plane(c, op, op.inputs[0])
    kernel = (values.shape[1], values.shape[2])
    windows = _windows(c, op, kernel)
    weights = np.ascontiguousarray(values[0].transpose(2, 0, 1))[..., np.newaxis]
    bias = c.bias(op, out.channels)
    return _conv(c, op, source, out, weights, scales, bias, windows, channels, (height, width))


def transpose_conv(c: Context, op: RawOp) -> Op:
    """TRANSPOSE_CONV: inputs are the output's shape, weights, what is convolved, and a bias."""
    source, out = c.view(op, 2), c.declare(op.outputs[0], op)
    values, scales = c.weights(op, out.channels, 0)
    height, width, channels = _plane(c, op, op.inputs[2])
    outs = _plane(c, op, op.outputs[0])[:2]
    if values.ndim != 4 or (values.shape[0], values.shape[3]) != (out.channels, channels):
        raise ModelError(
            f"{op}: weights {list(values.shape)} do not fit {channels} channels in and "
            f"{out.channels} out"
        )
    kernel = (values.shape[1], values.shape[2])
    up = (op.options["StrideH"], op.options["StrideW"])
    pads = []
    for k, stride, size, to in zip(kernel, up, (height, width), outs, strict=True):
        same = op.options["Padding"] == _SAME
        expected = to + stride - 1 if same else to - k + stride
        if not 0 < stride <= MAX_EXTENT or expected // stride != size:
            raise ModelError(f"{op}: {size} positions do not give {to}: corrupt file")
        around = max(0, (size - 1) * stride + k - to) // 2 if same else 0
        pads.append(k - 1 - around)
    bias = c.bias(op, out.channels, 3)
    windows = ((1, 1), (1, 1), (pads[0], pads[1]))
    flipped = values[:, ::-1, ::-1]
    return _conv(c, op, source, out, flipped, scales, bias, windows, 1, (height, width), up)


def _conv(
    c: Context,
    op: RawOp,
    source: Tensor,
    out: Tensor,
    weights: NDArray[np.int64],
    scales: list[float],
    bias: list[int],
    windows: tuple[Pair, Pair, Pair],
    groups: int,
    size: Pair,
    up: Pair = (1, 1),
) -> Op:
    outs = _plane(c, op, op.outputs[0])[:2]
    factors = [conv_factor(source.scale, s, out.scale) for s in scales]
    factors = factors * (out.channels // len(factors))
    c.check_sums(op, bias, 255 * np.abs(weights).sum(axis=(1, 2, 3)), factors)
    stride, dilation, pad = windows
    low, high = c.activation(op, out)
    return Conv2d(
        op.index, op.name, (source,), out, size, outs, (weights.shape[1], weights.shape[2]),
        stride, dilation, pad, low, high, np.ascontiguousarray(weights).astype(np.int8),
        tuple(bias), tuple(factors), up, groups,
    )  # fmt: skip


def pool_2d(c: Context, op: RawOp, source: Tensor, out: Tensor) -> Op:
    """MAX_POOL_2D or AVERAGE_POOL_2D over two dimensions."""
    kernel = (op.options["FilterHeight"], op.options["FilterWidth"])
    stride, dilation, pad = _windows(c, op, kernel)
    height, width, _ = _plane(c, op, op.inputs[0])
    outs = _plane(c, op, op.outputs[0])[:2]
    low, high = c.activation(op, out)
    return Pool2d(
        op.index, op.name, (source,), out, (height, width), outs, kernel, stride, dilation,
        pad, low, high, op.name == "AVERAGE_POOL_2D",
    )  # fmt: skip
