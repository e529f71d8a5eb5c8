"""From what the `.tflite` says to the graph that is generated, with every check on the way.

An op or a shape that the engine does not know raises a ModelError that names op, tensor and cure.
Where TFLite Micro itself would refuse or abort, so does this: the two always agree or both refuse.
"""

import math
from collections.abc import Callable
from dataclasses import replace
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from einthoven.codegen.engine import elementwise, planes
from einthoven.codegen.engine.context import MAX_EXTENT, Context
from einthoven.codegen.engine.graph import (
    Conv,
    Depthwise,
    Graph,
    Mean,
    Op,
    Pad,
    Pool,
    Requantize,
    Softmax,
    Tensor,
    Window,
)
from einthoven.codegen.engine.moves import MOVES
from einthoven.codegen.engine.quantize import (
    Factor,
    conv_factor,
    dense_factor,
    factor,
    mean_factor,
    rescale,
    softmax_scale,
)
from einthoven.codegen.engine.reader import RawModel, RawOp
from einthoven.codegen.engine.rewrite import simplified
from einthoven.errors import ModelError

_MAX_VERSIONS = {
    "CONV_2D": 8,
    "DEPTHWISE_CONV_2D": 7,
    "FULLY_CONNECTED": 13,
    "TRANSPOSE_CONV": 5,
    "ADD": 5,
    "SUB": 6,
    "MUL": 7,
    "PRELU": 1,
    "LEAKY_RELU": 3,
    "RELU": 3,
    "RELU6": 3,
    "HARD_SWISH": 1,
    "TANH": 4,
    "TRANSPOSE": 6,
    "STRIDED_SLICE": 8,
    "SLICE": 6,
    "SPLIT": 4,
    "SPLIT_V": 3,
    "UNPACK": 4,
    "RESIZE_NEAREST_NEIGHBOR": 4,
    "MAX_POOL_2D": 3,
    "AVERAGE_POOL_2D": 3,
    "MEAN": 3,
    "REDUCE_MAX": 3,
    "LOGISTIC": 3,
    "CONCATENATION": 4,
    "RESHAPE": 1,
    "EXPAND_DIMS": 1,
    "SQUEEZE": 2,
    "PAD": 4,
    "QUANTIZE": 4,
    "SOFTMAX": 3,
}
"""Newest version of each op in TensorFlow's `kernels/register.cc`; a newer one may mean more."""


Goal = Literal["speed", "size"]
"""What the generated code is optimized for."""

MIN_WIDE_POSITIONS = 4

MAX_SOFTMAX_CHANNELS = 511
"""See ein_nn_softmax.h."""


def lower(raw: RawModel, optimize: Goal = "speed") -> Graph:
    """Check `raw` and turn it into a graph of the engine's ops. Raises ModelError.

    For `speed`, the weights of convolutions take two bytes each in builds with DSP instructions.
    """
    raw = simplified(raw)
    c = Context(raw)
    inputs = tuple(c.declare_input(i) for i in raw.inputs)
    ops: list[Op] = []
    for op in raw.ops:
        if op.name not in _LOWER:
            raise _unknown(c, op)
        if op.version > _MAX_VERSIONS[op.name]:
            raise ModelError(f"{op} has version {op.version}, newer than this reader knows")
        if len(op.outputs) != 1 and op.name not in ("SPLIT", "SPLIT_V", "UNPACK"):
            raise ModelError(f"{op}: {len(op.outputs)} outputs, one is supported")
        if any(i in c.views for i in op.outputs) or len(set(op.outputs)) != len(op.outputs):
            raise ModelError(f"{op}: tensor {op.outputs[0]} is written twice: corrupt file")
        made = _LOWER[op.name](c, op)
        if isinstance(made, list):
            ops += made
        elif made is not None:
            ops.append(made)
    for i in raw.outputs:
        if i not in c.views:
            raise ModelError(f"model output {c.named(i)} is never computed")
    outputs = tuple(c.views[i] for i in raw.outputs)
    computed = {op.output.index for op in ops}
    if len({t.index for t in outputs}) != len(outputs) or any(
        t.index not in computed for t in outputs
    ):
        raise ModelError("each model output must be a computed tensor of its own")
    folded = tuple(_carrying(op) for op in _fold_padding(ops, outputs))
    if optimize == "speed":
        folded = tuple(_widened(op) for op in folded)
    return Graph(inputs, outputs, folded)


def _unknown(c: Context, op: RawOp) -> ModelError:
    """Why an op is refused: op, tensor and cure."""
    tensor = f", which makes {c.named(op.outputs[0])}" if op.outputs else ""
    known = ", ".join(sorted((*_LOWER, *_SHAPES_ONLY)))
    cure = _CURES.get(op.name, "use others")
    return ModelError(f"{op}{tensor}, is not supported: {cure}; build the model from {known}")


def _widened(op: Op) -> Op:
    """Weights that are used at many positions; a dense layer would not gain what it costs."""
    if isinstance(op, Conv) and op.small and op.output.length >= MIN_WIDE_POSITIONS:
        return replace(op, poly=True) if op.fits_poly else replace(op, wide=True)
    return op


def _carrying(op: Op) -> Op:
    """Whatever the goal: the weights take no more room."""
    return replace(op, carries=True) if isinstance(op, Conv) and op.fits_carries else op


def _conv(c: Context, op: RawOp) -> Op:
    source, out = c.view(op, 0), c.declare(op.outputs[0], op)
    values, scales = c.weights(op, out.channels, 0)
    if values.ndim != 4 or values.shape[0] != out.channels:
        raise ModelError(
            f"{op}: weights {list(values.shape)} do not fit {out.channels} output channels"
        )
    axis = c.along(op, values.shape[1], values.shape[2])
    if not axis or values.shape[3] != source.channels:
        return planes.conv_2d(c, op, source, out)
    kernel = values.shape[2] if axis == "W" else values.shape[1]
    window = c.window(op, kernel, axis, source.length, out.length)
    factors = [conv_factor(source.scale, s, out.scale) for s in scales]
    return _convolution(c, op, source, out, values, factors, window)


def _convolution(
    c: Context,
    op: RawOp,
    source: Tensor,
    out: Tensor,
    values: NDArray[np.int64],
    factors: list[Factor],
    window: Window,
) -> Conv:
    values = values.reshape(out.channels, window.kernel, source.channels)
    if values[0].size + 4 > MAX_EXTENT:
        raise ModelError(f"{op}: {values[0].size} weights per output are too many")
    factors = factors * (out.channels // len(factors))
    sums = values.sum(axis=(1, 2)).tolist()
    raw_bias = c.bias(op, out.channels)
    bias = [b - source.zero_point * s for b, s in zip(raw_bias, sums, strict=True)]
    most = 128 * np.abs(values).sum(axis=(1, 2))
    c.check_sums(op, bias, most, factors)
    factors = [_or_zero(f, abs(b) + int(m)) for f, b, m in zip(factors, bias, most, strict=True)]
    return Conv(
        op.index, op.name, (source,), out, values.astype(np.int8), tuple(bias), tuple(factors),
        window, *c.activation(op, out),
    )  # fmt: skip


def _or_zero(scale: Factor, most: int) -> Factor:
    """0 for a channel that is 0 whatever its sum: a dead one may have any scale."""
    zero = Factor(0, 0, 1)
    return zero if rescale(most, scale) == rescale(-most, scale) == 0 else scale


def _dense(c: Context, op: RawOp) -> Op:
    source, out = c.view(op, 0), c.declare(op.outputs[0], op)
    if op.options["WeightsFormat"] != 0:
        raise ModelError(f"{op}: shuffled weights are not supported: convert for reference use")
    values, scales = c.weights(op, out.channels, 0)
    width = values.shape[1] if values.ndim == 2 else 0
    if values.shape != (out.channels, width) or width * out.length != source.size:
        raise ModelError(
            f"{op}: weights {list(values.shape)} do not fit {source.size} inputs and "
            f"{out.length} × {out.channels} outputs: flatten before it, batch 1"
        )
    if len(scales) > 1:
        factors = [conv_factor(source.scale, s, out.scale) for s in scales]
    else:
        factors = [dense_factor(source.scale, scales[0], out.scale)]
        _check_bias_scale(c, op, source.scale * scales[0], out.scale)
    flat = replace(source, length=out.length, channels=width)
    return _convolution(c, op, flat, out, values, factors, Window(1, 1, 1, 0))


def _check_bias_scale(c: Context, op: RawOp, product: float, out_scale: float) -> None:
    if len(op.inputs) > 2 and op.inputs[2] >= 0:
        scales = c.raw.tensors[op.inputs[2]].scales
        if len(scales) != 1 or abs(product - scales[0]) / out_scale > 0.02:
            raise ModelError(
                f"{op}: the bias' scale is not input scale × weight scale (TFLite Micro "
                "refuses it): quantize the model again"
            )


def _depthwise(c: Context, op: RawOp) -> Op:
    source, out = c.view(op, 0), c.declare(op.outputs[0], op)
    values, scales = c.weights(op, out.channels, 3)
    multiplier = op.options["DepthMultiplier"]
    if values.ndim != 4 or values.shape[0] != 1 or values.shape[3] != out.channels:
        raise ModelError(f"{op}: weights {list(values.shape)} for {out.channels} channels")
    if multiplier < 1 or source.channels * multiplier != out.channels:
        raise ModelError(
            f"{op}: {source.channels} channels × multiplier {multiplier} are not {out.channels}"
        )
    axis = c.along(op, values.shape[1], values.shape[2])
    if not axis:
        return planes.depthwise_2d(c, op, source, out)
    kernel = values.shape[2] if axis == "W" else values.shape[1]
    window = c.window(op, kernel, axis, source.length, out.length)
    values = values.reshape(kernel, out.channels)
    factors = [conv_factor(source.scale, s, out.scale) for s in scales]
    factors = factors * (out.channels // len(factors))
    bias = c.bias(op, out.channels)
    c.check_sums(op, bias, 255 * np.abs(values).sum(axis=0), factors)
    return Depthwise(
        op.index, op.name, (source,), out, values.astype(np.int8), tuple(bias), tuple(factors),
        window, multiplier, *c.activation(op, out),
    )  # fmt: skip


def _pool(c: Context, op: RawOp) -> Op:
    source, out = c.view(op, 0), c.declare(op.outputs[0], op)
    height, width = op.options["FilterHeight"], op.options["FilterWidth"]
    axis = c.along(op, height, width)
    if source.channels != out.channels:
        raise ModelError(f"{op}: {source.channels} channels in, {out.channels} out")
    c.same_units(op, source, out)
    if not axis:
        return planes.pool_2d(c, op, source, out)
    kernel = width if axis == "W" else height
    window = c.window(op, kernel, axis, source.length, out.length)
    average = op.name == "AVERAGE_POOL_2D"
    return Pool(op.index, op.name, (source,), out, average, window, *c.activation(op, out))


def _over_the_length(c: Context, op: RawOp) -> tuple[Tensor, Tensor]:
    """Input and output of a reduction, which leaves one position."""
    source, out = c.view(op, 0), c.declare(op.outputs[0], op)
    shape = c.raw.tensors[op.inputs[0]].shape
    given = c.constant(op, 1, "INT32").ravel().tolist()
    if not all(-len(shape) <= a < len(shape) for a in given):
        raise ModelError(f"{op}: over axes {given} of {len(shape)} dimensions: corrupt file")
    axes = {a % len(shape) for a in given}
    spatial = set(range(1, len(shape) - 1))
    long_axes = {a for a in spatial if shape[a] > 1}
    if not long_axes <= axes <= spatial or out.size != source.channels or len(axes) > 2:
        raise ModelError(f"{op}: over axes {sorted(axes)}: only over the length")
    return source, replace(out, length=1, channels=source.channels)


def _mean(c: Context, op: RawOp) -> Op:
    if _over_the_last(c, op):
        return _mean_last(c, op)
    source, out = _over_the_length(c, op)
    mean = mean_factor(source.scale, out.scale, source.length)
    if (source.length * 255) << mean.left >= 1 << 31:
        raise ModelError(f"{op}: the output's scale is too small for a mean of 32 bits")
    return Mean(op.index, op.name, (source,), out, mean)


def _over_the_last(c: Context, op: RawOp) -> bool:
    """Whether the channels are what is reduced: PyTorch's convolutions have them first."""
    rank = len(c.shape(op, 0))
    given = c.constant(op, 1, "INT32").ravel().tolist()
    return given in ([-1], [rank - 1]) and rank > 1


def _mean_last(c: Context, op: RawOp) -> Op:
    source, out = c.view(op, 0), c.declare(op.outputs[0], op)
    if out.size != source.length:
        raise ModelError(
            f"{op}: over axes [-1]: {source.length} positions give {out.size}: corrupt file"
        )
    mean = mean_factor(source.scale, out.scale, source.channels)
    if (source.channels * 255) << mean.left >= 1 << 31:
        raise ModelError(f"{op}: the output's scale is too small for a mean of 32 bits")
    return Mean(op.index, op.name, (source,), out, mean, True)


def _reduce_max(c: Context, op: RawOp) -> Op:
    source, out = _over_the_length(c, op)
    c.same_units(op, source, out)
    whole = Window(source.length, 1, 1, 0)
    return Pool(op.index, op.name, (source,), out, False, whole, -128, 127)


def _requantize(c: Context, op: RawOp) -> Op:
    source, out = c.view(op, 0, unsigned=True), c.declare(op.outputs[0], op)
    if source.unsigned or out.unsigned:
        return elementwise.requantize_bytes(c, op)
    change = factor(source.scale / out.scale)
    if source.size != out.size or 255 << change.left >= 1 << 31:
        raise ModelError(f"{op}: size or scale of its output does not fit its input's")
    return Requantize(op.index, op.name, (source,), out, change)


def _softmax(c: Context, op: RawOp) -> Op:
    source, out = c.view(op, 0), c.declare(op.outputs[0], op)
    if (source.length, source.channels) != (out.length, out.channels):
        raise ModelError(f"{op}: input and output differ in shape: corrupt file")
    if (out.scale, out.zero_point) != (1 / 256, -128):
        raise ModelError(f"{op}: its output must have scale 1/256, zero point -128")
    if source.channels > MAX_SOFTMAX_CHANNELS:
        raise ModelError(
            f"{op}: {source.channels} channels, at most {MAX_SOFTMAX_CHANNELS} are supported: "
            "TFLite Micro's last shift would exceed 31 bits"
        )
    beta = float(op.options["Beta"])
    scale = softmax_scale(beta, source.scale) if math.isfinite(beta) else None
    if scale is None:
        raise ModelError(f"{op}: beta {beta} × scale {source.scale} is too small or no number")
    return Softmax(op.index, op.name, (source,), out, scale.multiplier, scale.left, scale.diff_min)


_LOWER: dict[str, Callable[[Context, RawOp], Op | list[Op] | None]] = {
    "CONV_2D": _conv,
    "DEPTHWISE_CONV_2D": _depthwise,
    "TRANSPOSE_CONV": planes.transpose_conv,
    "FULLY_CONNECTED": _dense,
    "ADD": elementwise.add,
    "SUB": elementwise.sub,
    "MUL": elementwise.mul,
    "PRELU": elementwise.prelu,
    "LEAKY_RELU": elementwise.leaky_relu,
    "RELU": elementwise.relu,
    "RELU6": elementwise.relu6,
    "HARD_SWISH": elementwise.hard_swish,
    "TANH": elementwise.tanh,
    "LOGISTIC": elementwise.logistic,
    "MAX_POOL_2D": _pool,
    "AVERAGE_POOL_2D": _pool,
    "MEAN": _mean,
    "REDUCE_MAX": _reduce_max,
    "QUANTIZE": _requantize,
    "SOFTMAX": _softmax,
    **MOVES,
}
_SHAPES_ONLY = ("SHAPE", "PACK", "SPACE_TO_BATCH_ND", "BATCH_TO_SPACE_ND")
"""Supported where `einthoven.codegen.engine.rewrite` makes them vanish."""
_CURES = {
    "TILE": "TFLite Micro has no TILE (Keras 3's UpSampling): repeat by a Conv1DTranspose, or by "
    "tf.image.resize of [length, 1] with method 'nearest'",
    "SPACE_TO_BATCH_ND": "only around a convolution, where it means a dilation",
    "BATCH_TO_SPACE_ND": "only around a convolution, where it means a dilation",
    "SHAPE": "a shape may only make another op's shape",
    "PACK": "only of shapes",
    "DEQUANTIZE": "the model is not int8 throughout: convert to full int8, outputs too",
    "UNIDIRECTIONAL_SEQUENCE_LSTM": "recurrent layers are not supported: use convolutions",
    "WHILE": "loops are not supported: use convolutions instead of recurrent layers",
    "FILL": "recurrent layers, which write it, are not supported: use convolutions",
    "BATCH_MATMUL": "attention is not supported: use convolutions and dense layers",
    "RESIZE_BILINEAR": "use nearest-neighbour upsampling or a Conv1DTranspose",
    "GELU": "use ReLU, LeakyReLU, hard swish or swish",
    "ELU": "use ReLU, LeakyReLU, hard swish or swish",
}


def _fold_padding(ops: list[Op], outputs: tuple[Tensor, ...]) -> tuple[Op, ...]:
    """Let convolutions read a padded tensor's source: what they see outside it is zero anyway."""
    for pad in [op for op in ops if isinstance(op, Pad)]:
        users = [op for op in ops if any(t.index == pad.output.index for t in op.inputs)]
        if any(t.index == pad.output.index for t in outputs) or not all(
            isinstance(op, Conv | Depthwise) and op.inputs[0].length == pad.output.length
            for op in users
        ):
            continue
        for user in users:
            assert isinstance(user, Conv | Depthwise)
            window = replace(user.window, pad_left=user.window.pad_left + pad.left)
            ops[ops.index(user)] = replace(user, inputs=pad.inputs, window=window)
        ops.remove(pad)
    return tuple(ops)
