"""Seeded models of the ops that other people's converters write, beyond those of `random_models`.

    python -m einthoven.codegen.testing.op_models --seeds 20

Each op once or in several shapes; scales and zero points at random, `extreme` puts them at their
ends. `check` compares the generated C with TFLite Micro, op by op, on the host under sanitizers, on
the emulated Cortex-M4 and on rv32.
"""

import argparse
import sys
import tempfile
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from einthoven.codegen.testing.many_models import PLACES
from einthoven.codegen.testing.model_case import case_of, compare
from einthoven.codegen.testing.random_models import Scribe
from einthoven.codegen.testing.tflite_builder import NONE, RELU, RELU6, SAME, VALID

Shape = list[int]


class OpScribe(Scribe):
    """A Scribe that knows more ops."""

    def integers(self, values: Any) -> int:
        """A constant of int32."""
        data = np.array(values, dtype=np.int32)
        return self.b.tensor(list(data.shape), [], data=data, type_name="INT32")

    def constant(self, shape: Shape, zero: int | None = None) -> int:
        """A constant like an activation."""
        scale = float(np.float32(self.rng.uniform(0.002, 0.05)))
        zero = int(self.rng.integers(-128, 128)) if zero is None else zero
        data = self.rng.integers(-128, 128, shape, dtype=np.int8)
        index = self.b.tensor(shape, scale, zero, data=data)
        self.shapes[index], self.scales[index], self.zeros[index] = shape, scale, zero
        return index

    def pair(self, name: str, a: int, b: int, activation: int = NONE) -> int:
        """MUL, ADD or SUB of two tensors that broadcast."""
        shape = list(np.broadcast_shapes(self.shapes[a], self.shapes[b]))
        if name == "MUL":
            scale = self.scales[a] * self.scales[b] * float(self.rng.uniform(20, 120))
        else:
            scale = max(self.scales[a], self.scales[b]) * float(self.rng.uniform(0.5, 2))
        out = self.activation(shape, scale)
        return self.b.op(name, [a, b], out, 2, FusedActivationFunction=activation)

    def prelu(self, source: int, alpha: int) -> int:
        """PRELU."""
        out = self.activation(self.shapes[source], self.scales[source] * 1.1)
        return self.b.op("PRELU", [source, alpha], out)

    def function(self, name: str, source: int, **options: Any) -> int:
        """An op of one tensor with a scale of its own."""
        if name == "TANH":
            out = self.activation(self.shapes[source], 1 / 128, 0)
        elif name == "RELU6":
            out = self.activation(self.shapes[source], self.scales[source], self.zeros[source])
        else:
            scale = self.scales[source] * float(self.rng.uniform(0.6, 1.5))
            out = self.activation(self.shapes[source], scale)
        return self.b.op(name, [source], out, 1, **options)

    def moved(self, name: str, inputs: list[int], shape: Shape, source: int, **options: Any) -> int:
        """An op that only moves bytes."""
        out = self.activation(shape, self.scales[source], self.zeros[source])
        return self.b.op(name, inputs, out, 1, **options)

    def transpose(self, source: int, order: list[int]) -> int:
        """TRANSPOSE."""
        shape = [self.shapes[source][i] for i in order]
        return self.moved("TRANSPOSE", [source, self.integers(order)], shape, source)

    def slice(self, source: int, begin: Shape, end: Shape, step: Shape, shrink: int = 0) -> int:
        """STRIDED_SLICE; `shrink` is a mask of axes that vanish."""
        given = [self.integers(v) for v in (begin, end, step)]
        part = np.empty(self.shapes[source])[
            tuple(
                b if shrink >> i & 1 else np.s_[b:e:s]
                for i, (b, e, s) in enumerate(zip(begin, end, step, strict=True))
            )
        ]
        return self.moved(
            "STRIDED_SLICE", [source, *given], list(part.shape), source, ShrinkAxisMask=shrink
        )

    def split(self, source: int, axis: int, parts: int) -> list[int]:
        """SPLIT."""
        shape = list(self.shapes[source])
        shape[axis] //= parts
        units = self.scales[source], self.zeros[source]
        outs = [self.activation(shape, *units) for _ in range(parts)]
        self.b.op("SPLIT", [self.integers(axis), source], outs[0], 1, NumSplits=parts)
        self.b.ops[-1][2][:] = outs
        return outs

    def resize(self, source: int, tall: int, wide: int, half_pixel: bool) -> int:
        """RESIZE_NEAREST_NEIGHBOR by whole factors."""
        n, h, w, c = self.shapes[source]
        size = self.integers([h * tall, w * wide])
        shape = [n, h * tall, w * wide, c]
        return self.moved(
            "RESIZE_NEAREST_NEIGHBOR", [source, size], shape, source, HalfPixelCenters=half_pixel
        )

    def plane(
        self, source: int, filters: int, kernel: tuple[int, int], stride: tuple[int, int],
        dilation: tuple[int, int] = (1, 1), padding: int = SAME, groups: int = 1,
        multiplier: int = 0, activation: int = NONE,
    ) -> int:  # fmt: skip
        """CONV_2D of two dimensions or in groups; DEPTHWISE_CONV_2D with a `multiplier`."""
        _, *sizes, channels = self.shapes[source]
        seen = channels // groups
        shape = [1, *kernel, filters] if multiplier else [filters, *kernel, seen]
        weights = self._weights(shape)
        tensor, scales = self._scaled(filters, True, 3 if multiplier else 0, weights)
        bias = self._bias(source, filters, scales)
        taps = kernel[0] * kernel[1] * (1 if multiplier else seen)
        out = [
            -(-(n if padding == SAME else n - (k - 1) * d) // s)
            for n, k, d, s in zip(sizes, kernel, dilation, stride, strict=True)
        ]
        to = self.activation([1, *out, filters], self._out_scale(source, scales, taps))
        options: dict[str, Any] = {
            "Padding": padding, "StrideH": stride[0], "StrideW": stride[1],
            "DilationHFactor": dilation[0], "DilationWFactor": dilation[1],
            "FusedActivationFunction": activation,
        }  # fmt: skip
        if multiplier:
            options["DepthMultiplier"] = multiplier
        name = "DEPTHWISE_CONV_2D" if multiplier else "CONV_2D"
        return self.b.op(name, [source, tensor, bias], to, 3, **options)

    def transpose_conv(
        self, source: int, filters: int, kernel: tuple[int, int], stride: tuple[int, int],
        padding: int, bias: bool,
    ) -> int:  # fmt: skip
        """TRANSPOSE_CONV."""
        _, *sizes, channels = self.shapes[source]
        tensor, scales = self._scaled(filters, True, 0, self._weights([filters, *kernel, channels]))
        out = [
            n * s if padding == SAME else (n - 1) * s + k
            for n, s, k in zip(sizes, stride, kernel, strict=True)
        ]
        shape = [1, *out, filters]
        given = [self.integers(shape), tensor, source]
        if bias:
            given.append(self._bias(source, filters, scales))
        taps = max(1, kernel[0] * kernel[1] * channels // (stride[0] * stride[1]))
        to = self.activation(shape, self._out_scale(source, scales, taps))
        return self.b.op(
            "TRANSPOSE_CONV", given, to, 3 if bias else 1, Padding=padding, StrideH=stride[0],
            StrideW=stride[1],
        )  # fmt: skip

    def pool_2d(self, source: int, size: tuple[int, int], padding: int, average: bool) -> int:
        """MAX_POOL_2D or AVERAGE_POOL_2D with strides of its size."""
        _, *sizes, channels = self.shapes[source]
        out = [-(-n // k) if padding == SAME else n // k for n, k in zip(sizes, size, strict=True)]
        to = self.activation([1, *out, channels], self.scales[source], self.zeros[source])
        return self.b.op(
            "AVERAGE_POOL_2D" if average else "MAX_POOL_2D", [source], to, 2, Padding=padding,
            StrideH=size[0], StrideW=size[1], FilterHeight=size[0], FilterWidth=size[1],
        )  # fmt: skip

    def rows(self, source: int, units: int, activation: int = NONE) -> int:
        """FULLY_CONNECTED that keeps the other dimensions."""
        *outer, inputs = self.shapes[source]
        tensor, scales = self._scaled(units, True, 0, self._weights([units, inputs]))
        bias = self._bias(source, units, scales)
        out = self.activation([*outer, units], self._out_scale(source, scales, inputs))
        return self.b.op(
            "FULLY_CONNECTED", [source, tensor, bias], out, 5, FusedActivationFunction=activation,
            KeepNumDims=True,
        )  # fmt: skip

    def bytes_in(self, shape: Shape) -> tuple[int, int]:
        """A model input of uint8, and what QUANTIZE makes of it."""
        scale = float(np.float32(self.rng.uniform(0.005, 0.1)))
        source = self.b.tensor(shape, scale, int(self.rng.integers(0, 256)), type_name="UINT8")
        self.shapes[source], self.scales[source] = shape, scale
        return source, self.b.op("QUANTIZE", [source], self.activation(shape, scale * 1.3), 2)

    def bytes_out(self, source: int) -> int:
        """A model output of uint8."""
        scale = float(np.float32(self.scales[source] * self.rng.uniform(0.7, 1.4)))
        zero = int(self.rng.integers(0, 256))
        out = self.b.tensor(self.shapes[source], scale, zero, type_name="UINT8")
        return self.b.op("QUANTIZE", [source], out, 2)


def pairs(s: OpScribe) -> tuple[list[int], list[int]]:
    """MUL, ADD, SUB: of two activations, of one and a constant, one repeated."""
    a = s.input([1, 1, 19, 6])
    same, gate, scalar = s.input([1, 1, 19, 6]), s.input([1, 6]), s.input([1, 1])
    position, matrix = s.input([1, 1, 19, 1]), s.input([1, 4, 5, 3])
    outs = []
    for name in ("MUL", "ADD", "SUB"):
        outs += [
            s.pair(name, a, same),
            s.pair(name, a, gate, RELU),
            s.pair(name, gate, a),
            s.pair(name, a, scalar),
            s.pair(name, position, a, RELU6),
            s.pair(name, position, gate),
            s.pair(name, a, s.constant([6])),
            s.pair(name, s.constant([1, 1, 1, 6]), a),
            s.pair(name, a, s.constant([])),
            s.pair(name, s.constant([1, 1]), a, RELU),
            s.pair(name, a, s.constant([1, 1, 19, 6])),
            s.pair(name, a, s.constant([1, 1, 19, 1])),
            s.pair(name, matrix, s.constant([4, 1, 1])),
            s.pair(name, matrix, s.constant([5, 3])),
        ]
        inner = s.pair(name, a, same)  # in the arena, so that what follows may overlap it
        outs.append(s.pair(name, s.pair(name, inner, gate), gate))
    return [a, same, gate, scalar, position, matrix], outs


def functions(s: OpScribe) -> tuple[list[int], list[int]]:
    """Ops of one tensor, at several scales."""
    sources, outs = [], []
    for scale in (0.003, 0.02, 0.047, 0.11):
        a = s.activation([1, 256], scale)
        sources.append(a)
        outs += [
            s.function("TANH", a),
            s.logistic(a),
            s.function("RELU", a),
            s.function("HARD_SWISH", a),
            s.function("LEAKY_RELU", a, Alpha=0.3),
            s.function("LEAKY_RELU", a, Alpha=0.01),
            s.prelu(a, s.constant([256])),
            s.prelu(a, s.constant([1])),
        ]
        if s.zeros[a] + round(6 / scale) <= 127:  # else TFLite Micro refuses
            outs.append(s.function("RELU6", a))
    rows = s.input([1, 1, 9, 5])
    outs += [s.prelu(rows, s.constant([1, 1, 5])), s.rows(rows, 7, RELU)]
    source, inside = s.bytes_in([1, 64])
    return [*sources, rows, source], [*outs, inside, s.bytes_out(s.function("RELU", inside))]


def moves(s: OpScribe) -> tuple[list[int], list[int]]:
    """What only moves bytes."""
    a, b = s.input([1, 12, 2, 5]), s.input([1, 1, 24, 6])
    outs = [
        s.transpose(a, [0, 2, 1, 3]),
        s.transpose(a, [0, 3, 2, 1]),
        s.pair("MUL", s.transpose(a, [0, 1, 2, 3]), s.constant([])),  # the same memory
        s.slice(a, [0, 1, 0, 0], [1, 11, 2, 5], [1, 2, 1, 1]),
        s.slice(a, [0, 0, 1, 0], [1, 12, 2, 5], [1, 1, 1, 1]),
        s.slice(b, [0, 0, 0, 1], [1, 1, 24, 6], [1, 1, 1, 2]),
        s.slice(b, [0, 0, 3, 0], [1, 1, -2, 6], [1, 1, 1, 1], 0b10),
        s.slice(b, [0, 0, -1, 0], [1, 1, 0, 6], [1, 1, -1, 1]),
        *s.split(b, 3, 3),
        *s.split(a, 2, 2),
        s.resize(b, 1, 2, True),
        s.resize(a, 2, 3, False),
        s.concat([a, a], 1),
        s.concat([a, a], 2),
        s.concat([b, b], 3),
    ]
    pads = [([0, 0], [1, 2], [0, 0], [0, 0]), ([0, 0], [0, 0], [2, 1], [0, 0]),
            ([0, 0], [3, 1], [0, 2], [0, 0]), ([0, 0], [0, 0], [0, 0], [1, 3]),
            ([0, 0], [0, 0], [1, 1], [2, 0])]  # fmt: skip
    for table in pads:
        shape = [n + sum(p) for n, p in zip(s.shapes[a], table, strict=True)]
        if s.shapes[a][1] > 1 and table[1] == [0, 0] and any(table[2]) and any(table[3]):
            continue  # two dimensions behind a third: refused
        outs.append(s.moved("PAD", [a, s.integers(table)], shape, a))
    for source, axis in ((b, 3), (a, -1)):
        out = s.activation(s.shapes[source][:-1], s.scales[source] * 0.7)
        outs.append(s.b.op("MEAN", [source, s.integers([axis])], out, 2))
    small = s.slice(b, [0, 0, 0, 0], [1, 1, 8, 6], [1, 1, 1, 1])
    outs.append(s.pair("MUL", s.transpose(small, [0, 2, 1, 3]), s.constant([6])))
    return [a, b], outs


def planes(s: OpScribe) -> tuple[list[int], list[int]]:
    """Two dimensions, groups, transposed convolutions."""
    two, line = s.input([1, 2, 31, 3]), s.input([1, 1, 29, 6])
    image, column = s.input([1, 7, 9, 4]), s.input([1, 17, 1, 4])
    outs = [
        s.plane(two, 5, (2, 5), (1, 1), padding=VALID, activation=RELU),
        s.plane(two, 4, (1, 5), (1, 2)),
        s.plane(two, 4, (2, 3), (1, 2), (1, 2)),
        s.plane(image, 3, (3, 3), (2, 2)),
        s.plane(image, 3, (3, 2), (1, 2), (2, 1), VALID, activation=RELU6),
        s.plane(image, 8, (3, 3), (1, 1), groups=2),
        s.plane(line, 9, (1, 5), (1, 1), groups=3),
        s.plane(line, 6, (1, 3), (1, 2), groups=6, padding=VALID),
        s.plane(line, 4, (1, 3), (1, 1), (1, 4), groups=2),
        s.plane(image, 8, (3, 3), (1, 1), multiplier=2),
        s.plane(two, 3, (2, 3), (1, 2), multiplier=1, padding=VALID),
        s.pool_2d(image, (2, 3), SAME, False),
        s.pool_2d(image, (2, 3), SAME, True),
        s.pool_2d(image, (3, 2), VALID, True),
        s.pool_2d(two, (2, 2), VALID, False),
    ]
    for padding in (SAME, VALID):
        outs += [
            s.transpose_conv(line, 4, (1, 4), (1, 2), padding, True),
            s.transpose_conv(line, 3, (1, 5), (1, 3), padding, False),
            s.transpose_conv(line, 2, (1, 2), (1, 2), padding, True),
            s.transpose_conv(column, 3, (3, 1), (2, 1), padding, True),
            s.transpose_conv(image, 3, (3, 4), (2, 2), padding, True),
        ]
    return [two, line, image, column], outs


GROUPS: dict[str, Callable[[OpScribe], tuple[list[int], list[int]]]] = {
    "pairs": pairs,
    "functions": functions,
    "moves": moves,
    "planes": planes,
}


def models(seeds: Iterable[int]) -> list[tuple[str, bytes]]:
    """Every group for every seed; each third one with zero points and weights at their ends."""
    found = []
    for seed in seeds:
        for name, build in GROUPS.items():
            scribe = OpScribe(seed, extreme=seed % 3 == 2)
            inputs, outputs = build(scribe)
            found.append((f"{name} of seed {seed}", scribe.b.finish(inputs, outputs)))
    return found


def check(
    seeds: Iterable[int], kernels: Path, folder: Path, places: Sequence[str] = PLACES
) -> list[str]:
    """A line per model and place that is refused or differs from TFLite Micro."""
    cases = [case_of(name, data) for name, data in models(seeds)]
    wrong = [f"{case.name}: refused: {case.reason}" for case in cases if case.graph is None]
    for lines in compare(cases, kernels, folder, places).values():
        wrong += lines
    return wrong


def main(argv: list[str] | None = None) -> int:
    """Print what differs; exit code 1 if anything does."""
    parser = argparse.ArgumentParser(
        prog="python -m einthoven.codegen.testing.op_models", description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )  # fmt: skip
    parser.add_argument("--first", type=int, default=0, help="the first seed [0]")
    parser.add_argument("--seeds", type=int, default=3, help="how many [3]")
    parser.add_argument("--place", action="append", choices=PLACES, help="[all of them]")
    args = parser.parse_args(argv)
    seeds = range(args.first, args.first + args.seeds)
    with tempfile.TemporaryDirectory() as scratch:
        wrong = check(seeds, Path(scratch, "kernels"), Path(scratch), args.place or PLACES)
    print("\n".join([*wrong, f"{len(seeds) * len(GROUPS)} models, {len(wrong)} wrong"]))
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
