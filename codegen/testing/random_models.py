"""Seeded models for tests: single ops of any shape, and random residual graphs.

Scales are chosen so that outputs use the range of int8 without saturating everywhere; `extreme`
makes them saturate, and zero points go to the ends of the range.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from einthoven.codegen.testing.tflite_builder import NONE, RELU, SAME, VALID, ModelBuilder

Int8 = NDArray[np.int8]


@dataclass(frozen=True)
class ConvCase:
    """A convolution [length, channels] → [?, filters]; dense layers have length and kernel 1."""

    length: int
    channels: int
    filters: int
    kernel: int = 1
    stride: int = 1
    dilation: int = 1
    padding: int = SAME
    activation: int = NONE
    per_channel: bool = True
    depth_multiplier: int = 0  # > 0: depthwise
    vertical: bool = False  # [1, length, 1, channels] instead of [1, 1, length, channels]
    bias: bool = True

    @property
    def out_length(self) -> int:
        """Positions after padding and stride."""
        reach = (self.kernel - 1) * self.dilation + 1
        room = self.length if self.padding == SAME else self.length - reach + 1
        return -(-room // self.stride)


class Scribe:
    """A ModelBuilder with a random source, and ops that pick fitting scales."""

    def __init__(self, seed: int, extreme: bool = False) -> None:
        self.rng = np.random.default_rng(seed)
        self.extreme = extreme
        self.b = ModelBuilder()
        self.shapes: dict[int, list[int]] = {}
        self.scales: dict[int, float] = {}
        self.zeros: dict[int, int] = {}

    def activation(self, shape: list[int], scale: float, zero: int | None = None) -> int:
        """A tensor that is computed; a random zero point unless given."""
        if zero is None:
            zero = int(
                self.rng.choice([-128, 127]) if self.extreme else self.rng.integers(-128, 128)
            )
        scale = float(np.float32(scale))
        index = self.b.tensor(shape, scale, zero)
        self.shapes[index], self.scales[index], self.zeros[index] = shape, scale, zero
        return index

    def input(self, shape: list[int]) -> int:
        """A model input."""
        return self.activation(shape, float(self.rng.uniform(0.005, 0.1)))

    def _weights(self, shape: list[int]) -> Int8:
        if self.extreme:
            return self.rng.choice(np.array([-127, 127], dtype=np.int8), shape)
        return np.clip(np.rint(self.rng.normal(0, 45, shape)), -127, 127).astype(np.int8)

    def _scaled(self, n: int, per_channel: bool, dimension: int, weights: Int8) -> tuple[int, Any]:
        base = float(self.rng.uniform(0.001, 0.02))
        spread = self.rng.uniform(0.3, 3.0, n if per_channel else 1)
        scales = [float(np.float32(base * s)) for s in spread]
        return self.b.tensor(list(weights.shape), scales, data=weights, dimension=dimension), scales

    def _bias(self, source: int, n: int, scales: list[float]) -> int:
        data = np.rint(self.rng.normal(0, 2000, n)).astype(np.int32)
        units = [float(np.float32(self.scales[source] * s)) for s in scales]
        return self.b.tensor([n], units, data=data, type_name="INT32")

    def _out_scale(self, source: int, scales: list[float], taps: int) -> float:
        typical = self.scales[source] * float(np.mean(scales)) * 45 * 90 * np.sqrt(taps)
        return float(typical / (40 if not self.extreme else 400))

    def conv(self, source: int, case: ConvCase) -> int:
        """CONV_2D or DEPTHWISE_CONV_2D."""
        along = [case.kernel, 1] if case.vertical else [1, case.kernel]
        depthwise = case.depth_multiplier > 0
        shape = [1, *along, case.filters] if depthwise else [case.filters, *along, case.channels]
        weights = self._weights(shape)
        tensor, scales = self._scaled(
            case.filters, case.per_channel, 3 if depthwise else 0, weights
        )
        bias = [self._bias(source, case.filters, scales)] if case.bias else []
        taps = case.kernel * (1 if depthwise else case.channels)
        size = [case.out_length, 1] if case.vertical else [1, case.out_length]
        zero = -128 if case.activation == RELU and not self.extreme else None
        scale = self._out_scale(source, scales, taps)
        out = self.activation([1, *size, case.filters], scale, zero)
        options: dict[str, Any] = {
            "Padding": case.padding,
            "StrideW": 1 if case.vertical else case.stride,
            "StrideH": case.stride if case.vertical else 1,
            "DilationWFactor": 1 if case.vertical else case.dilation,
            "DilationHFactor": case.dilation if case.vertical else 1,
            "FusedActivationFunction": case.activation,
        }
        name = "DEPTHWISE_CONV_2D" if depthwise else "CONV_2D"
        if depthwise:
            options["DepthMultiplier"] = case.depth_multiplier
        return self.b.op(name, [source, tensor, *bias], out, 3, **options)

    def dense(
        self, source: int, units: int, activation: int = NONE, per_channel: bool = False,
        zero: int | None = None,
    ) -> int:  # fmt: skip
        """FULLY_CONNECTED of a flat tensor."""
        inputs = int(np.prod(self.shapes[source]))
        tensor, scales = self._scaled(units, per_channel, 0, self._weights([units, inputs]))
        bias = self._bias(source, units, scales)
        out = self.activation([1, units], self._out_scale(source, scales, inputs), zero)
        return self.b.op(
            "FULLY_CONNECTED", [source, tensor, bias], out, 4, FusedActivationFunction=activation
        )

    def add(self, a: int, b: int, activation: int = NONE, zero: int | None = None) -> int:
        """ADD of two tensors of one shape."""
        scale = max(self.scales[a], self.scales[b]) * float(self.rng.uniform(0.8, 1.6))
        out = self.activation(self.shapes[a], scale, zero)
        return self.b.op("ADD", [a, b], out, 2, FusedActivationFunction=activation)

    def pool(
        self, source: int, kernel: int, stride: int, padding: int, average: bool = False
    ) -> int:
        """MAX_POOL_2D or AVERAGE_POOL_2D."""
        length, channels = self.shapes[source][2:]
        room = length if padding == SAME else length - kernel + 1
        shape = [1, 1, -(-room // stride), channels]
        out = self.activation(shape, self.scales[source], self.zeros[source])
        return self.b.op(
            "AVERAGE_POOL_2D" if average else "MAX_POOL_2D", [source], out, 2, Padding=padding,
            StrideW=stride, StrideH=1, FilterWidth=kernel, FilterHeight=1,
        )  # fmt: skip

    def mean(self, source: int, keep_dims: bool = False) -> int:
        """MEAN over height and width."""
        scale = self.scales[source] * float(self.rng.uniform(0.3, 1.2))
        return self._reduced("MEAN", source, keep_dims, scale)

    def reduce_max(self, source: int, keep_dims: bool = False) -> int:
        """REDUCE_MAX over height and width."""
        units = self.scales[source], self.zeros[source]
        return self._reduced("REDUCE_MAX", source, keep_dims, *units)

    def _reduced(
        self, name: str, source: int, keep_dims: bool, scale: float, zero: int | None = None
    ) -> int:
        axes = self.b.tensor([2], [], data=np.array([1, 2], dtype=np.int32), type_name="INT32")
        channels = self.shapes[source][-1]
        out = self.activation([1, 1, 1, channels] if keep_dims else [1, channels], scale, zero)
        return self.b.op(name, [source, axes], out, 2, KeepDims=keep_dims)

    def logistic(self, source: int) -> int:
        """LOGISTIC."""
        out = self.activation(self.shapes[source], 1 / 256, -128)
        return self.b.op("LOGISTIC", [source], out, 2)

    def reshape(self, source: int, shape: list[int]) -> int:
        """RESHAPE."""
        to = self.b.tensor(
            [len(shape)], [], data=np.array(shape, dtype=np.int32), type_name="INT32"
        )
        out = self.activation(shape, self.scales[source], self.zeros[source])
        return self.b.op("RESHAPE", [source, to], out)

    def requantize(self, source: int, scale: float) -> int:
        """QUANTIZE, int8 to int8."""
        return self.b.op("QUANTIZE", [source], self.activation(self.shapes[source], scale), 2)

    def pad(self, source: int, left: int, right: int) -> int:
        """PAD of the width."""
        pads = np.array([[0, 0], [0, 0], [left, right], [0, 0]], dtype=np.int32)
        tensor = self.b.tensor([4, 2], [], data=pads, type_name="INT32")
        shape = [1, 1, self.shapes[source][2] + left + right, self.shapes[source][3]]
        out = self.activation(shape, self.scales[source], self.zeros[source])
        return self.b.op("PAD", [source, tensor], out)

    def concat(self, sources: list[int], axis: int) -> int:
        """CONCATENATION; brings the inputs to one scale first, as converters do."""
        scale = max(self.scales[s] for s in sources)
        zero = int(self.rng.integers(-128, 128))
        alike = []
        for s in sources:
            out = self.activation(self.shapes[s], scale, zero)
            alike.append(self.b.op("QUANTIZE", [s], out, 2))
        shape = list(self.shapes[sources[0]])
        shape[axis] = sum(self.shapes[s][axis] for s in sources)
        out = self.activation(shape, scale, zero)
        return self.b.op("CONCATENATION", alike, out, 2, Axis=axis)

    def softmax(self, source: int, beta: float = 1.0) -> int:
        """SOFTMAX over the last dimension."""
        out = self.activation(self.shapes[source], 1 / 256, -128)
        return self.b.op("SOFTMAX", [source], out, 2, Beta=beta)


def conv_model(case: ConvCase, seed: int, extreme: bool = False) -> bytes:
    """One convolution."""
    scribe = Scribe(seed, extreme)
    size = [case.length, 1] if case.vertical else [1, case.length]
    source = scribe.input([1, *size, case.channels])
    return scribe.b.finish([source], [scribe.conv(source, case)])


def residual_model(seed: int) -> bytes:
    """A random residual network: signal and features in, logits out, every op now and then."""
    s = Scribe(seed)
    rng = s.rng
    length, channels = int(rng.integers(12, 72)), int(rng.integers(1, 5))
    signal, features = s.input([1, 1, length, channels]), s.input([1, int(rng.integers(1, 20))])
    x = signal
    for _ in range(int(rng.integers(1, 4))):
        filters = int(rng.choice([3, 4, 8, 16]))
        if rng.random() < 0.3:
            x = s.pad(x, int(rng.integers(0, 4)), int(rng.integers(0, 4)))
        x = s.conv(x, _random_conv(s, x, filters, stride=int(rng.integers(1, 4))))
        y = x
        for activation in (RELU, NONE):
            y = s.conv(y, _random_conv(s, y, filters, activation=activation))
        if rng.random() < 0.3:
            multiplied = ConvCase(s.shapes[y][2], filters, filters, 3, depth_multiplier=1)
            y = s.conv(y, multiplied)
        x = s.add(x, y, int(rng.choice([NONE, RELU])))
        if s.shapes[x][2] >= 4:
            x = s.pool(
                x, int(rng.integers(2, 4)), 2, int(rng.choice([SAME, VALID])), rng.random() < 0.3
            )
    length, channels = s.shapes[x][2:]
    flat = s.mean(x) if rng.random() < 0.5 else s.reshape(x, [1, length * channels])
    side = s.dense(features, int(rng.integers(2, 9)), RELU, per_channel=True)
    if rng.random() < 0.5:
        joined = s.concat([flat, side], 1)
    else:
        units = s.shapes[side][1]
        joined = s.add(s.dense(flat, units), side)
    logits = s.dense(s.dense(joined, int(rng.integers(3, 33)), RELU), 5)
    return s.b.finish([signal, features], [s.softmax(logits) if rng.random() < 0.2 else logits])


def _random_conv(s: Scribe, source: int, filters: int, **fixed: int) -> ConvCase:
    length, channels = s.shapes[source][2:]
    kernel = int(s.rng.choice([1, 3, 5, 7]))
    stride = fixed.get("stride", 1)
    dilation = int(s.rng.choice([1, 1, 2])) if stride == 1 else 1
    return ConvCase(
        length, channels, filters, kernel, stride, dilation, SAME, fixed.get("activation", NONE)
    )


def noise(shape: tuple[int, ...], n: int, seed: int) -> Int8:
    """int8[n, …]: all −128, all 127, alternating extremes, then uniform and small values."""
    rng = np.random.default_rng(seed)
    values = rng.integers(-128, 128, (n, *shape), dtype=np.int8)
    values[0], values[1] = -128, 127
    values[2] = rng.choice(np.array([-128, 127], dtype=np.int8), shape)
    values[n // 2 :] //= 16
    return values
