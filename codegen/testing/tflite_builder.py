"""Write small `.tflite` files for tests, without TensorFlow, and generate random ones.

Only what the tests need of the schema. Shapes and scales are the caller's business: broken models
are built with this as well.
"""

from dataclasses import dataclass, field
from typing import Any

import flatbuffers
import numpy as np
import tflite
from numpy.typing import NDArray

SAME, VALID = 0, 1
NONE, RELU, RELU_N1_TO_1, RELU6 = 0, 1, 2, 3

_OPTIONS = {
    "CONV_2D": "Conv2DOptions",
    "DEPTHWISE_CONV_2D": "DepthwiseConv2DOptions",
    "MAX_POOL_2D": "Pool2DOptions",
    "AVERAGE_POOL_2D": "Pool2DOptions",
    "ADD": "AddOptions",
    "FULLY_CONNECTED": "FullyConnectedOptions",
    "CONCATENATION": "ConcatenationOptions",
    "MEAN": "ReducerOptions",
    "REDUCE_MAX": "ReducerOptions",
    "SOFTMAX": "SoftmaxOptions",
    "RESHAPE": "ReshapeOptions",
    "PAD": "PadOptions",
    "QUANTIZE": "QuantizeOptions",
    "MUL": "MulOptions",
    "SUB": "SubOptions",
    "LEAKY_RELU": "LeakyReluOptions",
    "TRANSPOSE_CONV": "TransposeConvOptions",
    "STRIDED_SLICE": "StridedSliceOptions",
    "SPLIT": "SplitOptions",
    "PACK": "PackOptions",
    "SHAPE": "ShapeOptions",
    "RESIZE_NEAREST_NEIGHBOR": "ResizeNearestNeighborOptions",
}


@dataclass
class _Tensor:
    shape: list[int]
    type_name: str
    scales: list[float]
    zero_points: list[int]
    dimension: int
    data: bytes
    signature: list[int]
    name: str


@dataclass
class ModelBuilder:
    """Collects tensors and ops; `finish` gives the file's bytes."""

    tensors: list[_Tensor] = field(default_factory=list)
    ops: list[tuple[str, list[int], list[int], dict[str, Any], int]] = field(default_factory=list)

    def tensor(
        self,
        shape: list[int],
        scale: float | list[float] = 1.0,
        zero_point: int = 0,
        *,
        type_name: str = "INT8",
        data: NDArray[Any] | None = None,
        dimension: int = 0,
        signature: list[int] | None = None,
    ) -> int:
        """Add a tensor; returns its number. `data` makes it a constant."""
        scales = scale if isinstance(scale, list) else [scale]
        raw = b"" if data is None else np.ascontiguousarray(data).tobytes()
        self.tensors.append(
            _Tensor(
                list(shape), type_name, scales, [zero_point] * len(scales), dimension, raw,
                signature or [], f"tensor{len(self.tensors)}",
            )
        )  # fmt: skip
        return len(self.tensors) - 1

    def op(
        self, name: str, inputs: list[int], output: int, version: int = 1, **options: Any
    ) -> int:
        """Add an op; returns `output`."""
        self.ops.append((name, inputs, [output], options, version))
        return output

    def finish(self, inputs: list[int], outputs: list[int], schema: int = 3) -> bytes:
        """The `.tflite` file."""
        b = flatbuffers.Builder(1024)
        buffers = [self._buffer(b, b""), *(self._buffer(b, t.data) for t in self.tensors)]
        tensors = [self._tensor(b, i, t) for i, t in enumerate(self.tensors)]
        codes: dict[tuple[str, int], int] = {}
        for name, _, _, _, version in self.ops:
            codes.setdefault((name, version), len(codes))
        ops = [self._op(b, codes[o[0], o[4]], o) for o in self.ops]
        code_tables = [self._code(b, name, version) for name, version in codes]
        graph = _table(b, "SubGraph", {
            "Tensors": _tables(b, "SubGraph", "Tensors", tensors),
            "Inputs": _ints(b, "SubGraph", "Inputs", inputs),
            "Outputs": _ints(b, "SubGraph", "Outputs", outputs),
            "Operators": _tables(b, "SubGraph", "Operators", ops),
        })  # fmt: skip
        root = _table(b, "Model", {
            "Version": schema,
            "OperatorCodes": _tables(b, "Model", "OperatorCodes", code_tables),
            "Subgraphs": _tables(b, "Model", "Subgraphs", [graph]),
            "Buffers": _tables(b, "Model", "Buffers", buffers),
        })  # fmt: skip
        b.Finish(root, b"TFL3")
        return bytes(b.Output())

    @staticmethod
    def _buffer(b: Any, data: bytes) -> int:
        if not data:
            return _table(b, "Buffer", {})
        b.StartVector(1, len(data), 16)
        b.head -= len(data)
        b.Bytes[b.head : b.head + len(data)] = data
        return _table(b, "Buffer", {"Data": b.EndVector()})

    @staticmethod
    def _tensor(b: Any, index: int, t: _Tensor) -> int:
        fields: dict[str, Any] = {}
        if t.scales:
            fields["Quantization"] = _table(b, "QuantizationParameters", {
                "Scale": _vector(b, "QuantizationParameters", "Scale", t.scales, "PrependFloat32"),
                "ZeroPoint": _vector(
                    b, "QuantizationParameters", "ZeroPoint", t.zero_points, "PrependInt64"
                ),
                "QuantizedDimension": t.dimension,
            })  # fmt: skip
        if t.signature:
            fields["ShapeSignature"] = _ints(b, "Tensor", "ShapeSignature", t.signature)
        return _table(b, "Tensor", {
            "Shape": _ints(b, "Tensor", "Shape", t.shape),
            "Type": getattr(tflite.TensorType, t.type_name),
            "Buffer": index + 1,
            "Name": b.CreateString(t.name),
            **fields,
        })  # fmt: skip

    @staticmethod
    def _code(b: Any, name: str, version: int) -> int:
        number = getattr(tflite.BuiltinOperator, name)
        return _table(b, "OperatorCode", {
            "DeprecatedBuiltinCode": min(number, 127), "Version": version, "BuiltinCode": number,
        })  # fmt: skip

    @staticmethod
    def _op(b: Any, code: int, op: tuple[str, list[int], list[int], dict[str, Any], int]) -> int:
        name, inputs, outputs, options, _ = op
        fields: dict[str, Any] = {
            "OpcodeIndex": code,
            "Inputs": _ints(b, "Operator", "Inputs", inputs),
            "Outputs": _ints(b, "Operator", "Outputs", outputs),
        }
        if name in _OPTIONS:
            kind = _OPTIONS[name]
            fields["BuiltinOptions"] = _table(b, kind, options)
            fields["BuiltinOptionsType"] = getattr(tflite.BuiltinOptions, kind)
        return _table(b, "Operator", fields)


def _table(b: Any, kind: str, fields: dict[str, Any]) -> int:
    getattr(tflite, f"{kind}Start")(b)
    for key, value in fields.items():
        getattr(tflite, f"{kind}Add{key}")(b, value)
    return int(getattr(tflite, f"{kind}End")(b))


def _vector(b: Any, kind: str, key: str, values: list[Any], prepend: str) -> int:
    getattr(tflite, f"{kind}Start{key}Vector")(b, len(values))
    for value in reversed(values):
        getattr(b, prepend)(value)
    return int(b.EndVector())


def _ints(b: Any, kind: str, key: str, values: list[int]) -> int:
    return _vector(b, kind, key, values, "PrependInt32")


def _tables(b: Any, kind: str, key: str, offsets: list[int]) -> int:
    return _vector(b, kind, key, offsets, "PrependUOffsetTRelative")
