"""The graph that the generator emits: int8 tensors of [length, channels] and the engine's ops.

Everything a kernel needs is here as integers; what the file said in floats is gone. `lower.py`
builds a Graph from a `.tflite`, `planner.py` places its tensors, `model.py` writes it as C.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from einthoven.codegen.engine.quantize import Factor

Int8 = NDArray[np.int8]

MAX_POLY_CHANNELS = 32
"""EIN_NN_POLY_MAX_CHANNELS."""
MIN_LANES_LENGTH = 4
"""Positions below which two products a multiplication would not gain what they cost."""
MIN_POLY_LENGTH = 8
"""Each pass computes a position or two too many."""
MAX_HEAD_BYTES = 4096
"""Of parameters that can be replaced: they take this much of a board's RAM."""


@dataclass(frozen=True)
class Tensor:
    """An activation. `index` is its number in the `.tflite`; `scale` and `zero_point` its units."""

    index: int
    name: str
    length: int
    channels: int
    scale: float
    zero_point: int
    unsigned: bool = False
    """uint8, which only model inputs and outputs may be; `zero_point` is then 0 … 255."""

    @property
    def size(self) -> int:
        """Bytes."""
        return self.length * self.channels


@dataclass(frozen=True, eq=False)
class Op:
    """One step: reads `inputs`, writes `output`; `number` and `kind` are the op's in the file."""

    number: int
    kind: str
    inputs: tuple[Tensor, ...]
    output: Tensor

    @property
    def macs(self) -> int:
        """Multiply-adds per inference."""
        return 0

    @property
    def params(self) -> int:
        """Weights and biases."""
        return 0


@dataclass(frozen=True)
class Window:
    """How output positions see input positions: row = p · stride + tap · dilation − pad_left."""

    kernel: int
    stride: int
    dilation: int
    pad_left: int


def _small(bias: Sequence[int], sums: NDArray[np.int64], factors: Sequence[Factor]) -> bool:
    """Whether ein_nn_conv_finish.h's arithmetic holds; `sums`: a channel's largest, less bias."""
    return all(
        abs(b) + int(s) < 1 << 30 and 1 <= f.right <= 22
        for b, s, f in zip(bias, sums, factors, strict=True)
    )


@dataclass(frozen=True, eq=False)
class Conv(Op):
    """`weights` int8 [out, kernel, in]; `bias` with the input's zero point folded in."""

    weights: Int8
    bias: tuple[int, ...]
    factors: tuple[Factor, ...]
    window: Window
    act_min: int
    act_max: int
    wide: bool = False
    """Weights are stored as halfwords where that saves time: see EIN_NN_CONV_WIDE."""
    poly: bool = False
    """Four products per multiplication where that is possible: see ein_nn_conv_poly.h."""
    carries: bool = False
    """Four products of three instructions where that is possible: see ein_nn_dense.h."""

    @property
    def macs(self) -> int:
        """Multiply-adds per inference, padded taps counted."""
        return self.output.length * self.weights.size

    @property
    def params(self) -> int:
        """Weights and biases."""
        return self.weights.size + len(self.bias)

    @property
    def is_dense(self) -> bool:
        """Whether it is a dense layer: one position, one tap, no weights of two bytes."""
        return self.output.length == 1 and self.window == Window(1, 1, 1, 0) and not self.wide

    @property
    def fits_poly(self) -> bool:
        """Five taps, sums of 21 bits, few enough channels: see ein_nn_conv_poly.h."""
        window, (out, _, channels) = self.window, self.weights.shape
        largest = int(np.abs(self.weights.astype(np.int64)).sum(axis=(1, 2)).max())
        return (
            (window.kernel, window.stride, window.dilation) == (5, 1, 1)
            and self.output.length >= MIN_POLY_LENGTH
            and (channels % 4, out % 2) == (0, 0)
            and channels <= MAX_POLY_CHANNELS
            and 128 * largest < 1 << 20
            and self.small
        )

    @property
    def fits_carries(self) -> bool:
        """A dense layer, sums of 24 bits: see ein_nn_dense.h. Larger than a head, whose parameters
        come from elsewhere, and than what would not be worth a kernel of its own.
        """
        out, _, channels = self.weights.shape
        most = 128 * np.abs(self.weights.astype(np.int64)).sum(axis=(1, 2))
        return (
            self.is_dense
            and self.weights.size > MAX_HEAD_BYTES
            and (channels % 4, out % 2) == (0, 0)
            and int(self.weights.min()) > -128
            and all(abs(b) + int(m) < 1 << 23 for b, m in zip(self.bias, most, strict=True))
            and self.small
        )

    @property
    def lanes(self) -> bool:
        """Two products a multiplication on cores without DSP instructions: ein_nn_conv_lanes.h,
        which says why no weight may be −128."""
        many = self.output.length >= MIN_LANES_LENGTH
        return many and self.small and int(self.weights.min()) > -128

    @property
    def small(self) -> bool:
        """Every channel fits ein_nn_conv; else it takes ein_nn_conv_any."""
        sums = np.abs(self.weights.astype(np.int64)).sum(axis=(1, 2)) * 128
        return _small(self.bias, sums, self.factors)


@dataclass(frozen=True, eq=False)
class Depthwise(Op):
    """`weights` int8 [kernel, out]; `bias` as in the file: the kernel subtracts the zero point."""

    weights: Int8
    bias: tuple[int, ...]
    factors: tuple[Factor, ...]
    window: Window
    multiplier: int
    act_min: int
    act_max: int

    @property
    def small(self) -> bool:
        """Every channel fits ein_nn_depthwise; else it takes ein_nn_depthwise_any."""
        sums = np.abs(self.weights.astype(np.int64)).sum(axis=0) * 255
        return _small(self.bias, sums, self.factors)

    @property
    def macs(self) -> int:
        """Multiply-adds per inference, padded taps counted."""
        return self.output.length * self.weights.size

    @property
    def params(self) -> int:
        """Weights and biases."""
        return self.weights.size + len(self.bias)


@dataclass(frozen=True, eq=False)
class Add(Op):
    """inputs[0] has the larger scale: its factor is exactly 1/2."""

    b_factor: Factor
    out_factor: Factor
    act_min: int
    act_max: int

    @property
    def small(self) -> bool:
        """It fits ein_nn_add; else it takes ein_nn_add_any."""
        return 1 <= self.b_factor.right <= 28 and 1 <= self.out_factor.right <= 22


@dataclass(frozen=True, eq=False)
class Pool(Op):
    """Maximum or average over the window."""

    average: bool
    window: Window
    act_min: int
    act_max: int


@dataclass(frozen=True, eq=False)
class Mean(Op):
    """Over the length; `factor` holds 1/length. `last`: over the channels of every position."""

    factor: Factor
    last: bool = False


@dataclass(frozen=True, eq=False)
class Requantize(Op):
    """The same values in another scale."""

    factor: Factor


@dataclass(frozen=True, eq=False)
class Lookup(Op):
    """A function of each value: `table` has its results for −128 … 127."""

    table: tuple[int, ...]


@dataclass(frozen=True, eq=False)
class Pad(Op):
    """`left` positions of the zero point before, what is missing of the output's length after."""

    left: int


@dataclass(frozen=True, eq=False)
class PadPlane(Op):
    """Padding of any other kind: `rows` of `bytes`, the first at `offset`, `step` apart."""

    offset: int
    rows: int
    bytes: int
    step: int


@dataclass(frozen=True, eq=False)
class Concat(Op):
    """`rows` times a part of every input, one after the other: 1 where it is the first axis."""

    rows: int


@dataclass(frozen=True, eq=False)
class Move(Op):
    """Bytes in another order: output value [i, j, …] is input value offset + i · steps[0] + …"""

    offset: int
    counts: tuple[int, ...]
    steps: tuple[int, ...]


@dataclass(frozen=True, eq=False)
class Plane(Op):
    """What op works on two dimensions: sizes and windows as (height, width)."""

    in_size: tuple[int, int]
    out_size: tuple[int, int]
    kernel: tuple[int, int]
    stride: tuple[int, int]
    dilation: tuple[int, int]
    pad: tuple[int, int]
    act_min: int
    act_max: int


@dataclass(frozen=True, eq=False)
class Conv2d(Plane):
    """Of two dimensions, grouped or transposed. `weights` int8 [out, height, width, in / groups];
    `bias` as in the file; `up` zeros are between input positions but for one (transposed)."""

    weights: Int8
    bias: tuple[int, ...]
    factors: tuple[Factor, ...]
    up: tuple[int, int]
    groups: int

    @property
    def macs(self) -> int:
        """Multiply-adds per inference, padded taps counted, zeros between positions not."""
        return self.output.length * self.weights.size // (self.up[0] * self.up[1])

    @property
    def params(self) -> int:
        """Weights and biases."""
        return self.weights.size + len(self.bias)


@dataclass(frozen=True, eq=False)
class Pool2d(Plane):
    """Maximum or average over a window of two dimensions."""

    average: bool


@dataclass(frozen=True)
class Operand:
    """One side of a Pair: an activation, or `values`; bytes from row to row, column to column."""

    tensor: Tensor | None
    values: Int8 | None
    zero_point: int
    steps: tuple[int, int]


@dataclass(frozen=True, eq=False)
class Pair(Op):
    """Value by value of two tensors that may repeat along `rows` or `columns`, or be constants.

    `function` is the kernel's: mul, sum or prelu; `factors` are its, in the header's order.
    """

    function: str
    rows: int
    columns: int
    a: Operand
    b: Operand
    factors: tuple[Factor, ...]
    subtract: bool
    act_min: int
    act_max: int

    @property
    def in_order(self) -> bool:
        """Whether row by row each input is read where the output is written, or is one row."""
        whole = (self.output.length, self.output.channels)
        return all(
            side.tensor is None
            or (side.tensor.length, side.tensor.channels) == whole
            or (side.steps == (0, 1) and side.tensor.size == self.output.channels == self.columns)
            for side in (self.a, self.b)
        )


@dataclass(frozen=True, eq=False)
class Softmax(Op):
    """Over the channels of each position."""

    multiplier: int
    left: int
    diff_min: int


@dataclass(frozen=True, eq=False)
class Graph:
    """Ops in order of execution. Inputs and outputs are the caller's buffers, not the arena's."""

    inputs: tuple[Tensor, ...]
    outputs: tuple[Tensor, ...]
    ops: tuple[Op, ...]

    @property
    def macs(self) -> int:
        """Multiply-adds per inference."""
        return sum(op.macs for op in self.ops)

    @property
    def params(self) -> int:
        """Weights and biases."""
        return sum(op.params for op in self.ops)

    @property
    def head(self) -> tuple[Conv, ...]:
        """The last dense layers, which a patient's parameters can replace at run time.

        Each reads the one before it and nothing else does; the last one makes the only output.
        As many as fit MAX_HEAD_BYTES together; none where the model ends in another op.
        """
        found: list[Conv] = []
        wanted = self.outputs[0].index if len(self.outputs) == 1 else -1
        used = 0
        for op in reversed(self.ops):
            fits = isinstance(op, Conv) and op.is_dense and op.small
            if not isinstance(op, Conv) or not fits or op.output.index != wanted:
                break
            source = op.inputs[0]
            users = sum(t.index == source.index for o in self.ops for t in o.inputs)
            used += op.weights.size + len(op.bias) * 12
            if source.index in {t.index for t in self.inputs} or used > MAX_HEAD_BYTES:
                break
            found.insert(0, op)
            wanted = source.index if users == 1 else -1
        return tuple(found)

    def activations(self) -> Iterator[Tensor]:
        """Tensors that are computed and are no outputs of the model: those of the arena."""
        outside = {t.index for t in self.outputs}
        for op in self.ops:
            if op.output.index not in outside:
                yield op.output
