"""Shapes and data on which every kernel is tried, and models that hold many of them.

The shapes are a product: channels in and out, kernels, strides, paddings, dilations, lengths from 1
to 512, dense layers from 1 to 512. A case is one op with random parameters of one of three kinds:
`usual`; `saturating`, weights of ±127 and zero points at the ends; `limits`, sums up to the last
bit of 32, or of the 30 that the fast path takes, and factors from the smallest to the largest that
the format has. The same seed gives the same cases.
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import partial
from itertools import product
from typing import Any

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from einthoven.codegen.testing.random_models import ConvCase, Scribe
from einthoven.codegen.testing.tflite_builder import NONE, RELU, RELU6, RELU_N1_TO_1, SAME, VALID

CHANNELS = (1, 3, 8, 16, 24, 32, 48, 64)
KERNELS = (1, 3, 5, 7)
STRIDES = (1, 2)
EXPLICIT = -1
"""Padding by an op of its own in front of a VALID one, to the left and right at random."""
PADDINGS = (SAME, VALID, EXPLICIT)
_PADDING_NAMES = {SAME: "same", VALID: "valid", EXPLICIT: "padded"}
DILATIONS = (1, 2, 4)
LENGTHS = (1, 2, 3, 7, 16, 33, 100, 257, 512)
DENSE = range(1, 513)
POOLS = (1, 2, 3, 5, 7)
KINDS = ("usual", "saturating", "limits")
VECTORS = 4
"""Inputs of a case."""
MAX_OPS, MAX_BYTES = 200, 300_000
"""Of a model, whose weights and inputs must fit a chip's flash, beside others."""

_FACTORS = (-33, -32, -31, -30, -24, -23, -22, -21, -8, -2, -1, 0)
"""Binary exponents: beyond the smallest factor, the two ends of the fast path's shifts, and 1."""
_SMALL_FACTORS = (-22, -21, -16, -10, -2, -1)
_LIMIT_IN, _LIMIT_OUT = 2.0**-6, 2.0**-4
"""Scales of `limits`: powers of two, so that a factor is exactly what was meant."""

Int8 = NDArray[np.int8]


@dataclass(frozen=True)
class Case:
    """One op on an input of [length, channels]; `build` adds it and returns its output."""

    label: str
    length: int
    channels: int
    build: Callable[["CaseScribe", int], int]
    weights: int = 0


class CaseScribe(Scribe):
    """A Scribe whose parameters are of a kind of KINDS, case by case."""

    def __init__(self) -> None:
        super().__init__(0)
        self.kind = "usual"
        self._zero = 0
        self._biases: NDArray[np.int64] = np.zeros(0, dtype=np.int64)

    def begin(self, kind: str, seed: int) -> None:
        """The next op's data follow from `seed` alone."""
        self.rng = np.random.default_rng(seed)
        self.kind, self.extreme = kind, kind == "saturating"

    def source(self, length: int, channels: int, vertical: bool = False) -> int:
        """A model input."""
        shape = [1, length, 1, channels] if vertical else [1, 1, length, channels]
        if self.kind == "limits":
            return self.activation(shape, _LIMIT_IN, int(self.rng.choice([-128, -5, 0, 127])))
        return self.input(shape)

    def conv(self, source: int, case: ConvCase) -> int:
        """As Scribe's."""
        self._zero = self.zeros[source]
        return super().conv(source, case)

    def dense(
        self, source: int, units: int, activation: int = NONE, per_channel: bool = False,
        zero: int | None = None,
    ) -> int:  # fmt: skip
        """As Scribe's."""
        self._zero = self.zeros[source]
        return super().dense(source, units, activation, per_channel, zero)

    def _scaled(self, n: int, per_channel: bool, dimension: int, weights: Int8) -> tuple[int, Any]:
        if self.kind != "limits":
            return super()._scaled(n, per_channel, dimension, weights)
        rng = self.rng
        rows = np.moveaxis(weights, dimension, 0).reshape(n, -1).astype(np.int64)
        # What the kernels add up: |folded bias| + most, for depthwise the bias itself.
        depthwise = dimension == 3
        most = (255 if depthwise else 128) * np.abs(rows).sum(axis=1)
        folded = np.zeros(n, dtype=np.int64)
        fast = rng.random() < 0.5
        exponents = np.empty(n if per_channel else 1, dtype=np.int64)
        for i in range(n):
            room = [0, 2000, 2**30 - 1 - most[i]]
            if not fast:
                room += [2**30 - most[i], 2**31 - 1 - most[i]]
            folded[i] = int(rng.choice([-1, 1])) * int(rng.choice(room))
        sums = most + np.abs(folded)
        for i in range(len(exponents)):
            largest = int(sums[i] if per_channel else sums.max())
            up = (2**31 - 1).bit_length() - largest.bit_length()
            exponents[i] = rng.choice(_SMALL_FACTORS if fast else (*_FACTORS, 1 * (up > 0), up))
        mantissa = rng.choice([0.5, 1 - 2.0**-24, rng.uniform(0.5, 1)], len(exponents))
        reals = mantissa * 2.0**exponents
        scales = [float(np.float32(r * _LIMIT_OUT / _LIMIT_IN)) for r in reals]
        self._biases = folded if depthwise else folded + self._zero * rows.sum(axis=1)
        return self.b.tensor(list(weights.shape), scales, data=weights, dimension=dimension), scales

    def _bias(self, source: int, n: int, scales: list[float]) -> int:
        if self.kind != "limits":
            return super()._bias(source, n, scales)
        units = [float(np.float32(self.scales[source] * s)) for s in scales]
        return self.b.tensor([n], units, data=self._biases.astype(np.int32), type_name="INT32")

    def _out_scale(self, source: int, scales: list[float], taps: int) -> float:
        return _LIMIT_OUT if self.kind == "limits" else super()._out_scale(source, scales, taps)


def convolutions() -> Iterator[Case]:
    """The whole product, and the same of depthwise convolutions with one or two per channel."""
    shapes = list(product(KERNELS, STRIDES, PADDINGS, DILATIONS, LENGTHS))
    for channels, filters, shape in product(CHANNELS, CHANNELS, shapes):
        yield from _convolution(channels, filters, 0, *shape)
    for channels, multiplier, shape in product(CHANNELS, (1, 2), shapes):
        yield from _convolution(channels, channels * multiplier, multiplier, *shape)


def corners() -> Iterator[Case]:
    """Convolutions with every axis at one of its ends; padding has none, and five taps, for which
    there is a loop of its own, are tried as well."""
    ends = (CHANNELS[0], CHANNELS[-1])
    for channels, filters, kernel, stride, padding, dilation, length in product(
        ends, ends, (1, 5, 7), STRIDES, PADDINGS, (DILATIONS[0], DILATIONS[-1]),
        (LENGTHS[0], LENGTHS[-1]),
    ):  # fmt: skip
        yield from _convolution(channels, filters, 0, kernel, stride, padding, dilation, length)


def _convolution(
    channels: int, filters: int, multiplier: int, kernel: int, stride: int, padding: int,
    dilation: int, length: int,
) -> Iterator[Case]:  # fmt: skip
    reach = (kernel - 1) * dilation + 1
    if padding == VALID and reach > length:
        return
    name = f"depthwise ×{multiplier}" if multiplier else "conv"
    yield Case(
        f"{name} {length}×{channels}→{filters} k{kernel} s{stride} {_PADDING_NAMES[padding]} "
        f"d{dilation}",
        length, channels,
        partial(_add_convolution, filters=filters, multiplier=multiplier, kernel=kernel,
                stride=stride, padding=padding, dilation=dilation),
        kernel * filters * (1 if multiplier else channels),
    )  # fmt: skip


def _add_convolution(
    s: CaseScribe, source: int, filters: int, multiplier: int, kernel: int, stride: int,
    padding: int, dilation: int,
) -> int:  # fmt: skip
    length, channels = s.shapes[source][2:]
    if padding == EXPLICIT:
        reach = (kernel - 1) * dilation + 1
        left = int(s.rng.integers(0, reach + 1))
        right = max(int(s.rng.integers(0, reach + 1)), reach - length - left)
        source, length, padding = s.pad(source, left, right), length + left + right, VALID
    case = ConvCase(
        length, channels, filters, kernel, stride, dilation, padding,
        int(s.rng.choice([NONE, NONE, RELU, RELU6, RELU_N1_TO_1])),
        per_channel=bool(s.rng.random() < 0.8), depth_multiplier=multiplier,
        bias=s.kind == "limits" or bool(s.rng.random() < 0.9),
    )  # fmt: skip
    return s.conv(source, case)


def dense_layers() -> Iterator[Case]:
    """Every number of inputs and every number of outputs from 1 to 512."""
    pairs = {(n, u) for n in DENSE for u in (1, 2, 5, 33)} | {
        (n, u) for n in (1, 7, 64) for u in DENSE
    }
    for inputs, units in sorted(pairs):
        yield Case(f"dense {inputs}→{units}", 1, inputs, partial(_dense, units=units),
                   inputs * units)  # fmt: skip


def _dense(s: CaseScribe, source: int, units: int) -> int:
    activation = int(s.rng.choice([NONE, RELU]))
    return s.dense(source, units, activation, per_channel=bool(s.rng.random() < 0.5))


def others() -> Iterator[Case]:
    """The kernels without weights, over the lengths and channels."""
    for length, channels in product(LENGTHS, CHANNELS):
        builds: dict[str, Callable[[CaseScribe, int], int]] = {
            "add": _add,
            "mean": CaseScribe.mean,
            "reduce_max": CaseScribe.reduce_max,
            "requantize": _requantize,
            "pad": lambda s, x: s.pad(x, *map(int, s.rng.integers(0, 9, 2))),
            "concatenation": lambda s, x: s.concat([x, x], int(s.rng.choice([2, 3]))),
        }
        for kernel, stride, padding, average in product(
            POOLS, STRIDES, (SAME, VALID), (False, True)
        ):
            if padding == SAME or kernel <= length:
                name = f"{'average' if average else 'max'} pool k{kernel} s{stride}"
                builds[f"{name} {_PADDING_NAMES[padding]}"] = partial(
                    _pool, kernel=kernel, stride=stride, padding=padding, average=average
                )
        for name, build in builds.items():
            yield Case(f"{name} {length}×{channels}", length, channels, build)


def _add(s: CaseScribe, source: int) -> int:
    ratio = float(s.rng.choice([1.0, 0.999, 0.5, 0.01, 1e-6, 7.0, s.rng.uniform(0.1, 10)]))
    activation = int(s.rng.choice([NONE, RELU, RELU6]))
    return s.add(source, s.requantize(source, s.scales[source] * ratio), activation)


def _requantize(s: CaseScribe, source: int) -> int:
    ratio = float(s.rng.choice([1.0, 0.004, 60.0, 2.0**-20, 2.0**20, s.rng.uniform(0.1, 10)]))
    return s.requantize(source, s.scales[source] * ratio)


def _pool(s: CaseScribe, source: int, kernel: int, stride: int, padding: int, average: bool) -> int:
    return s.pool(source, kernel, stride, padding, average)


def models(cases: Iterable[Case], seed: int) -> Iterator[tuple[str, bytes]]:
    """`.tflite` files of up to MAX_OPS cases, each with a label; every case with a kind at random.

    A case's output is an output of its model. Cases of one shape and kind share an input.
    """
    rng = np.random.default_rng([seed, 0xCA5E])
    portion: list[tuple[Case, str, int]] = []
    first, size = 0, 0
    for case in sorted(cases, key=lambda c: (c.length, c.channels)):
        more = 2 * case.weights + VECTORS * case.length * case.channels
        if portion and (len(portion) == MAX_OPS or size + more > MAX_BYTES):
            yield _model(portion, f"cases {first}-{first + len(portion) - 1}")
            first, size, portion = first + len(portion), 0, []
        portion.append((case, str(rng.choice(KINDS)), int(rng.integers(1 << 32))))
        size += more
    if portion:
        yield _model(portion, f"cases {first}-{first + len(portion) - 1}")


def _model(portion: list[tuple[Case, str, int]], label: str) -> tuple[str, bytes]:
    s = CaseScribe()
    inputs: dict[tuple[int, int, str], int] = {}
    outputs = []
    for case, kind, seed in portion:
        s.begin(kind, seed)
        key = (case.length, case.channels, kind)
        if key not in inputs:
            inputs[key] = s.source(case.length, case.channels)
        outputs.append(case.build(s, inputs[key]))
        s.b.tensors[outputs[-1]].name = f"{case.label} {kind}"
    return label, s.b.finish(list(inputs.values()), outputs)


def vectors(shape: tuple[int, ...], n: int, rng: Generator) -> Int8:
    """int8[n, …], n ≥ 2: all −128 and all 127 (one of them if n < 4), a mix of both, random."""
    values = rng.integers(-128, 128, (n, *shape), dtype=np.int8)
    ends = [-128, 127] if n >= 4 else [int(rng.choice([-128, 127]))]
    for i, end in enumerate(ends[: n - 1]):
        values[i] = end
    if n > 2:
        values[len(ends)] = rng.choice(np.array([-128, 127], dtype=np.int8), shape)
    return values
