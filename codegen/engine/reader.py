"""Read a `.tflite` file into plain data, trusting nothing in it.

FlatBuffers has no verifier in Python, so every offset is followed with bounds checked by the
accessors; whatever goes wrong on the way is the file's fault and becomes a ModelError. What the ops
mean is checked later, by `einthoven.codegen.engine.lower`.
"""

import struct
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import tflite
from numpy.typing import NDArray

from einthoven.errors import ModelError

SCHEMA_VERSION = 3
MAX_ITEMS = 1024
"""Tensors, ops or buffers: more is no model for a microcontroller, or a corrupt length."""
MAX_RANK = 6
MAX_CHANNEL_SCALES = 1 << 15
MAX_LABEL = 60

_BROKEN = (
    struct.error,
    IndexError,
    ValueError,
    TypeError,
    AttributeError,
    OverflowError,
    MemoryError,
    RuntimeError,
)

TYPE_NAMES = {v: k for k, v in vars(tflite.TensorType).items() if isinstance(v, int)}
OP_NAMES = {v: k for k, v in vars(tflite.BuiltinOperator).items() if isinstance(v, int)}

_PADDED = ("Padding", "StrideH", "StrideW", "FusedActivationFunction")
_OPTIONS: dict[str, tuple[str, tuple[str, ...]]] = {
    "CONV_2D": ("Conv2DOptions", (*_PADDED, "DilationHFactor", "DilationWFactor")),
    "DEPTHWISE_CONV_2D": (
        "DepthwiseConv2DOptions",
        (*_PADDED, "DilationHFactor", "DilationWFactor", "DepthMultiplier"),
    ),
    "MAX_POOL_2D": ("Pool2DOptions", (*_PADDED, "FilterHeight", "FilterWidth")),
    "AVERAGE_POOL_2D": ("Pool2DOptions", (*_PADDED, "FilterHeight", "FilterWidth")),
    "ADD": ("AddOptions", ("FusedActivationFunction",)),
    "SUB": ("SubOptions", ("FusedActivationFunction",)),
    "MUL": ("MulOptions", ("FusedActivationFunction",)),
    "LEAKY_RELU": ("LeakyReluOptions", ("Alpha",)),
    "TRANSPOSE_CONV": ("TransposeConvOptions", _PADDED),
    "STRIDED_SLICE": (
        "StridedSliceOptions",
        ("BeginMask", "EndMask", "EllipsisMask", "NewAxisMask", "ShrinkAxisMask"),
    ),
    "PACK": ("PackOptions", ("Axis",)),
    "UNPACK": ("UnpackOptions", ("Axis",)),
    "GATHER": ("GatherOptions", ("Axis", "BatchDims")),
    "RESIZE_NEAREST_NEIGHBOR": (
        "ResizeNearestNeighborOptions",
        ("AlignCorners", "HalfPixelCenters"),
    ),
    "FULLY_CONNECTED": ("FullyConnectedOptions", ("FusedActivationFunction", "WeightsFormat")),
    "CONCATENATION": ("ConcatenationOptions", ("Axis", "FusedActivationFunction")),
    "MEAN": ("ReducerOptions", ("KeepDims",)),
    "REDUCE_MAX": ("ReducerOptions", ("KeepDims",)),
    "SOFTMAX": ("SoftmaxOptions", ("Beta",)),
}
_NEED_OPTIONS = {
    "CONV_2D", "DEPTHWISE_CONV_2D", "MAX_POOL_2D", "AVERAGE_POOL_2D", "FULLY_CONNECTED", "SOFTMAX",
    "LEAKY_RELU", "TRANSPOSE_CONV", "STRIDED_SLICE",
}  # fmt: skip
"""Of these, options that are absent cannot all be the schema's defaults."""


@dataclass(frozen=True)
class RawTensor:
    """A tensor as the file has it. `data` is None where the tensor is computed."""

    index: int
    name: str
    shape: tuple[int, ...]
    type_name: str
    scales: tuple[float, ...]
    zero_points: tuple[int, ...]
    quantized_dimension: int
    data: bytes | None
    open_dimensions: tuple[int, ...] = ()
    """Those that the file's `shape_signature` leaves open; `shape` says 1 there, or what was last
    run, and that is what TFLite Micro takes."""


@dataclass(frozen=True)
class RawOp:
    """An op as the file has it: `options` by the schema's accessor names."""

    index: int
    name: str
    version: int
    inputs: tuple[int, ...]
    outputs: tuple[int, ...]
    options: dict[str, Any] = field(default_factory=dict)

    def __str__(self) -> str:
        return f"op {self.index} {self.name}"


@dataclass(frozen=True)
class RawModel:
    """The only subgraph of the file."""

    tensors: tuple[RawTensor, ...]
    ops: tuple[RawOp, ...]
    inputs: tuple[int, ...]
    outputs: tuple[int, ...]


def parse(data: bytes) -> RawModel:
    """Parse a `.tflite` file's bytes. Raises ModelError on anything that is not a whole model."""
    if len(data) < 16 or data[4:8] != b"TFL3":
        raise ModelError("no .tflite file (its identifier TFL3 is missing): export the model again")
    try:
        return _model(data)
    except _BROKEN as error:
        raise ModelError(
            f"the .tflite file is truncated or corrupt ({type(error).__name__}): export it again"
        ) from error


def _model(data: bytes) -> RawModel:
    model = tflite.Model.GetRootAsModel(data, 0)
    if model.Version() != SCHEMA_VERSION:
        raise ModelError(
            f"the .tflite schema has version {model.Version()}, known is {SCHEMA_VERSION}: "
            "convert the model with TensorFlow 2"
        )
    if model.SubgraphsLength() != 1:
        raise ModelError(
            f"the model has {model.SubgraphsLength()} subgraphs, one is supported: "
            "export it without control flow"
        )
    graph = model.Subgraphs(0)
    _bounded("buffers", model.BuffersLength())
    buffers = [model.Buffers(i) for i in range(model.BuffersLength())]
    tensors = tuple(
        _tensor(i, graph.Tensors(i), buffers)
        for i in range(_bounded("tensors", graph.TensorsLength()))
    )
    ops = tuple(_op(i, model, graph) for i in range(_bounded("ops", graph.OperatorsLength())))
    inputs = _indices(graph.InputsAsNumpy(), graph.InputsLength(), len(tensors), "model inputs")
    outputs = _indices(graph.OutputsAsNumpy(), graph.OutputsLength(), len(tensors), "outputs")
    for op in ops:
        for index in (*op.inputs, *op.outputs):
            if not -1 <= index < len(tensors):
                raise ModelError(f"{op}: tensor {index} does not exist: the file is corrupt")
    return RawModel(tensors, ops, inputs, outputs)


def _bounded(what: str, count: int) -> int:
    if not 0 <= count <= MAX_ITEMS:
        raise ModelError(f"the .tflite file claims {count} {what}: it is corrupt, or far too large")
    return count


def _vector(array: Any, length: int) -> NDArray[Any]:
    """What FlatBuffers returns for a vector: an array, or 0 where the vector is absent."""
    values: NDArray[Any] = np.zeros(0) if length == 0 else np.asarray(array)
    if values.ndim != 1 or values.shape[0] != length:
        raise ValueError("vector runs over the end of the file")
    return values


def _indices(array: Any, length: int, n_tensors: int, what: str) -> tuple[int, ...]:
    indices = tuple(int(i) for i in _vector(array, _bounded(what, length)))
    if not indices or not all(0 <= i < n_tensors for i in indices):
        raise ModelError(f"the .tflite file's {what} do not exist: it is corrupt")
    return indices


def _tensor(index: int, tensor: Any, buffers: list[Any]) -> RawTensor:
    label = _label(tensor.Name() or b"")
    where = f"tensor {index} '{label}'"
    if not 0 <= tensor.ShapeLength() <= MAX_RANK:
        raise ModelError(f"{where}: rank {tensor.ShapeLength()} is not supported")
    shape = tuple(int(n) for n in _vector(tensor.ShapeAsNumpy(), tensor.ShapeLength()))
    signature = tuple(
        int(n) for n in _vector(tensor.ShapeSignatureAsNumpy(), tensor.ShapeSignatureLength())
    )
    if any(n < 1 for n in shape) or any(n < 1 and n != -1 for n in signature):
        raise ModelError(
            f"{where}: shape {list(signature or shape)} is not fixed: export with a batch of 1"
        )
    if tensor.Sparsity() is not None or tensor.IsVariable():
        raise ModelError(f"{where}: sparse and variable tensors are not supported")
    scales, zero_points, dimension = _quantization(tensor.Quantization(), where)
    if not 0 <= tensor.Buffer() < len(buffers):
        raise ModelError(f"{where}: buffer {tensor.Buffer()} does not exist: the file is corrupt")
    return RawTensor(
        index=index,
        name=label,
        shape=shape,
        type_name=TYPE_NAMES.get(tensor.Type(), f"type {tensor.Type()}"),
        scales=scales,
        zero_points=zero_points,
        quantized_dimension=dimension,
        data=_data(buffers[tensor.Buffer()], where),
        open_dimensions=tuple(i for i, n in enumerate(signature) if n == -1),
    )


def _label(name: bytes) -> str:
    """A tensor's name as messages can show it: one line, whatever a corrupt file calls it."""
    text = "".join(c if c.isprintable() else "?" for c in name[:400].decode("utf-8", "replace"))
    return text if len(text) <= MAX_LABEL else f"{text[: MAX_LABEL - 1]}…"


def _quantization(quantization: Any, where: str) -> tuple[tuple[float, ...], tuple[int, ...], int]:
    if quantization is None:
        return (), (), 0
    lengths = (quantization.ScaleLength(), quantization.ZeroPointLength())
    if not all(0 <= n <= MAX_CHANNEL_SCALES for n in lengths):
        raise ModelError(f"{where}: {max(lengths)} scales are not supported")
    scales = tuple(float(s) for s in _vector(quantization.ScaleAsNumpy(), lengths[0]))
    zeros = tuple(int(z) for z in _vector(quantization.ZeroPointAsNumpy(), lengths[1]))
    if not all(np.isfinite(s) and s > 0 for s in scales):
        raise ModelError(f"{where}: a scale is not a positive number: quantize the model again")
    return scales, zeros, int(quantization.QuantizedDimension())


def _data(buffer: Any, where: str) -> bytes | None:
    if buffer.Offset() or buffer.Size():
        raise ModelError(f"{where}: data outside the flatbuffer (model over 2 GB) not supported")
    length = buffer.DataLength()
    return _vector(buffer.DataAsNumpy(), length).tobytes() if length else None


def _op(index: int, model: Any, graph: Any) -> RawOp:
    op = graph.Operators(index)
    if not 0 <= op.OpcodeIndex() < model.OperatorCodesLength():
        raise ModelError(f"op {index}: its op code does not exist: the file is corrupt")
    code = model.OperatorCodes(op.OpcodeIndex())
    number = max(code.BuiltinCode(), code.DeprecatedBuiltinCode())
    name = OP_NAMES.get(number, f"number {number}")
    options: dict[str, Any] = {}
    if name in _OPTIONS:
        kind, fields = _OPTIONS[name]
        table = op.BuiltinOptions()
        if table is not None:
            if op.BuiltinOptionsType() != getattr(tflite.BuiltinOptions, kind):
                raise ModelError(f"op {index} {name}: its options are another op's: corrupt file")
            view = getattr(tflite, kind)()
            view.Init(table.Bytes, table.Pos)
            options = {key: getattr(view, key)() for key in fields}
        elif name in _NEED_OPTIONS:
            raise ModelError(f"op {index} {name}: it has no options: the file is corrupt")
    return RawOp(
        index=index,
        name=name,
        version=code.Version(),
        inputs=tuple(
            int(i) for i in _vector(op.InputsAsNumpy(), _bounded("inputs", op.InputsLength()))
        ),
        outputs=tuple(
            int(i) for i in _vector(op.OutputsAsNumpy(), _bounded("outputs", op.OutputsLength()))
        ),
        options=options,
    )
