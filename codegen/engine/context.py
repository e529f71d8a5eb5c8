"""Checked access to what a `.tflite` says: tensors, constants, shapes, windows, weights."""

import math

import numpy as np
from numpy.typing import NDArray

from einthoven.codegen.engine.graph import Tensor, Window
from einthoven.codegen.engine.quantize import Factor, quantized
from einthoven.codegen.engine.reader import RawModel, RawOp, RawTensor
from einthoven.errors import ModelError

MAX_RANK = 5
MAX_EXTENT = 32767
"""Lengths, channels, kernels, strides and dilations: the kernels keep them in int16."""

NO_ACTIVATION = 0
_RELU, _RELU_N1_TO_1, _RELU6 = 1, 2, 3
_SAME, _VALID = 0, 1


class Context:
    """The checked view of a RawModel: every accessor raises ModelError naming op and tensor."""

    def __init__(self, raw: RawModel) -> None:
        self.raw = raw
        self.views: dict[int, Tensor] = {}  # by .tflite index; a reshaped one keeps its storage's

    def named(self, index: int) -> str:
        """How messages name a tensor."""
        return f"tensor {index} '{self.raw.tensors[index].name}'"

    def declare(self, index: int, where: object) -> Tensor:
        """A tensor that is about to be computed, or a model input."""
        raw = self.raw.tensors[index]
        if raw.data is not None:
            raise ModelError(f"{where}: {self.named(index)} has constant data: not supported")
        scale, zero_point, unsigned = self.units(raw, where)
        length, channels = self.extent(raw, where)
        tensor = Tensor(index, raw.name, length, channels, scale, zero_point, unsigned)
        self.views[index] = tensor
        return tensor

    def declare_input(self, index: int) -> Tensor:
        """A model input: of batch 1 and of a known length."""
        raw = self.raw.tensors[index]
        if len(raw.shape) > 1 and raw.shape[0] != 1:
            raise ModelError(
                f"model input: {self.named(index)} has shape {list(raw.shape)}: supported is a "
                "batch of 1"
            )
        for dimension in raw.open_dimensions:
            if dimension > 0 and raw.shape[dimension] == 1:
                raise ModelError(
                    f"model input: {self.named(index)} has shape {list(raw.shape)} whose dimension "
                    f"{dimension} is open: convert with a fixed input shape"
                )
        return self.declare(index, "model input")

    def units(self, raw: RawTensor, where: object) -> tuple[float, int, bool]:
        """Scale, zero point, and whether it is uint8: of an activation or a constant like one."""
        unsigned = raw.type_name == "UINT8"
        if (
            raw.type_name not in ("INT8", "UINT8")
            or len(raw.scales) != 1
            or len(raw.zero_points) != 1
        ):
            raise ModelError(
                f"{where}: {self.named(raw.index)} is {raw.type_name} with {len(raw.scales)} "
                "scales, int8 with one is needed: convert to full int8, inputs and outputs too"
            )
        low, high = (0, 255) if unsigned else (-128, 127)
        if not low <= raw.zero_points[0] <= high:
            raise ModelError(
                f"{where}: {self.named(raw.index)} has zero point {raw.zero_points[0]}"
            )
        return raw.scales[0], raw.zero_points[0], unsigned

    def extent(self, raw: RawTensor, where: object) -> tuple[int, int]:
        """[length, channels]: all dimensions but the last are one length, as memory has them."""
        shape = raw.shape
        length = math.prod(shape[:-1])
        if not 1 <= len(shape) <= MAX_RANK or max(length, shape[-1]) > MAX_EXTENT:
            raise ModelError(
                f"{where}: {self.named(raw.index)} has shape {list(shape)}: supported are up to "
                f"{MAX_RANK} dimensions, {MAX_EXTENT} channels and as many positions"
            )
        return length, shape[-1]

    def shape(self, op: RawOp, position: int) -> tuple[int, ...]:
        """Of the tensor that `op` reads at `position`."""
        return self.raw.tensors[op.inputs[position]].shape

    def view(self, op: RawOp, position: int, unsigned: bool = False) -> Tensor:
        """The activation that `op` reads at `position`; `unsigned`: uint8 will do."""
        if position >= len(op.inputs) or op.inputs[position] not in self.views:
            raise ModelError(
                f"{op}: its input {position} is a constant or not computed yet: only weights, "
                "biases, axes, paddings and one side of ADD, SUB, MUL may be constants"
            )
        found = self.views[op.inputs[position]]
        if found.unsigned and not unsigned:
            raise ModelError(
                f"{op}: {self.named(found.index)} is uint8: only a model's inputs and outputs may "
                "be, right beside a QUANTIZE; convert to int8"
            )
        return found

    def constant(self, op: RawOp, position: int, type_name: str) -> NDArray[np.int64]:
        """The constant that `op` reads at `position`, in its shape."""
        index = op.inputs[position] if position < len(op.inputs) else -1
        raw = self.raw.tensors[index] if index >= 0 else None
        if raw is None or raw.data is None or raw.type_name != type_name:
            found = "missing" if raw is None else f"{raw.type_name}, {self.named(index)}"
            raise ModelError(
                f"{op}: its input {position} must be a constant {type_name}, it is {found}: "
                "quantize weights to int8 and biases to int32, with fixed shapes"
            )
        dtype = np.dtype(type_name.lower()).newbyteorder("<")
        if len(raw.data) != math.prod(raw.shape) * dtype.itemsize:
            raise ModelError(
                f"{op}: {self.named(index)} holds {len(raw.data)} bytes, its shape "
                f"{list(raw.shape)} says other: corrupt file"
            )
        values = np.frombuffer(raw.data, dtype=dtype)
        return values.astype(np.int64).reshape(raw.shape)

    def same_units(self, op: RawOp, a: Tensor, b: Tensor) -> None:
        """For ops that move or compare values without rescaling them."""
        if (a.scale, a.zero_point) != (b.scale, b.zero_point):
            raise ModelError(
                f"{op}: tensors {a.index} and {b.index} differ in scale or zero point: "
                "requantize before it (TFLite Micro would not)"
            )

    def activation(self, op: RawOp, out: Tensor) -> tuple[int, int]:
        """Smallest and largest output that the fused activation lets pass."""
        kind = op.options.get("FusedActivationFunction", NO_ACTIVATION)
        low, high = -128, 127
        if kind in (_RELU, _RELU6):
            low = max(low, quantized(0.0, out.scale, out.zero_point))
        if kind == _RELU6:
            high = min(high, quantized(6.0, out.scale, out.zero_point))
        if kind == _RELU_N1_TO_1:
            low = max(low, quantized(-1.0, out.scale, out.zero_point))
            high = min(high, quantized(1.0, out.scale, out.zero_point))
        if kind not in (NO_ACTIVATION, _RELU, _RELU6, _RELU_N1_TO_1):
            raise ModelError(f"{op}: fused activation number {kind} is not supported: use ReLU")
        return low, high

    def along(self, op: RawOp, kernel_h: int, kernel_w: int) -> str:
        """'W' or 'H': the dimension that an op works along; '' where it works along both."""
        shape = self.raw.tensors[op.inputs[0]].shape
        if len(shape) != 4 or shape[0] != 1:
            raise ModelError(
                f"{op}: {self.named(op.inputs[0])} has shape {list(shape)}: supported is batch 1, "
                "as in [1, 1, length, channels]"
            )
        if shape[1] == 1 and kernel_h == 1:
            return "W"
        if shape[2] == 1 and kernel_w == 1:
            return "H"
        return ""

    def window(self, op: RawOp, kernel: int, axis: str, length: int, out_length: int) -> Window:
        """Stride, dilation and padding along `axis`; checks the output's length."""
        stride = op.options[f"Stride{axis}"]
        dilation = op.options.get(f"Dilation{axis}Factor", 1)
        padding = op.options["Padding"]
        if not (0 < kernel <= MAX_EXTENT and 0 < stride <= MAX_EXTENT):
            raise ModelError(f"{op}: kernel {kernel} and stride {stride} are not supported")
        if not 0 < dilation <= MAX_EXTENT or padding not in (_SAME, _VALID):
            raise ModelError(f"{op}: dilation {dilation} or padding {padding} is not supported")
        reach = (kernel - 1) * dilation + 1
        expected = -(-(length if padding == _SAME else length - reach + 1) // stride)
        if expected != out_length:
            raise ModelError(
                f"{op}: output length {out_length}, should be {expected}: corrupt file"
            )
        pad = max(0, (out_length - 1) * stride + reach - length) // 2
        return Window(kernel, stride, dilation, pad)

    def check_sums(
        self, op: RawOp, bias: list[int], most: NDArray[np.int64], fs: list[Factor]
    ) -> None:
        """No accumulator leaves 32 bits: `most` is the largest |sum| without the bias."""
        for channel, (b, m, f) in enumerate(zip(bias, most.tolist(), fs, strict=True)):
            if (abs(b) + m) << f.left >= 1 << 31:
                raise ModelError(
                    f"{op}: channel {channel} can overflow 32 bits: its bias or its scale is out "
                    "of proportion, quantize the model again"
                )

    def weights(
        self, op: RawOp, channels: int, dimension: int
    ) -> tuple[NDArray[np.int64], list[float]]:
        """Weights in their shape and one scale per output channel, or one for all."""
        values = self.constant(op, 1, "INT8")
        raw = self.raw.tensors[op.inputs[1]]
        per_channel = len(raw.scales) == channels and raw.quantized_dimension == dimension
        complete = len(raw.zero_points) == len(raw.scales)  # else TFLite Micro ignores the scales
        if not complete or any(raw.zero_points) or not (len(raw.scales) == 1 or per_channel):
            raise ModelError(
                f"{op}: weights {self.named(raw.index)} must have zero point 0 and one scale, or "
                f"{channels} along dimension {dimension}: quantize symmetrically"
            )
        return values, list(raw.scales)

    def bias(self, op: RawOp, channels: int, position: int = 2) -> list[int]:
        """One per output channel; zeros where the op has none."""
        if len(op.inputs) <= position or op.inputs[position] < 0:
            return [0] * channels
        values = self.constant(op, position, "INT32")
        if values.shape != (channels,):
            raise ModelError(f"{op}: {values.size} biases for {channels} output channels")
        return [int(b) for b in values]
