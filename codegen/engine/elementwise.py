"""Lower what computes value by value: functions of one tensor, and pairs of tensors or constants.

A function of one value is a table (`einthoven.codegen.engine.lookup`), and so is a pair one side of
which is a single constant.
"""

import math
from collections.abc import Callable, Sequence

import numpy as np

from einthoven.codegen.engine.context import Context
from einthoven.codegen.engine.graph import Add, Int8, Lookup, Op, Operand, Pair, Tensor
from einthoven.codegen.engine.lookup import (
    Table,
    fits,
    hard_swish_table,
    leaky_relu_table,
    logistic_table,
    relu6_table,
    relu_table,
    requantized_table,
    table_of,
    tanh_table,
)
from einthoven.codegen.engine.quantize import (
    Factor,
    add_factors,
    factor,
    rescale,
    sub_factors,
)
from einthoven.codegen.engine.reader import RawOp, RawTensor
from einthoven.errors import ModelError

FRACTION_BITS = 20
_MOST = 255
"""|value − zero point| of an int8 tensor."""
Steps = tuple[int, int]


def _units(tensor: Tensor) -> tuple[float, int]:
    return tensor.scale, tensor.zero_point


def _function(c: Context, op: RawOp, table: Table | None, cure: str) -> Lookup:
    source, out = c.views[op.inputs[0]], c.views[op.outputs[0]]
    if source.size != out.size:
        raise ModelError(f"{op}: input and output differ in shape: corrupt file")
    if table is None:
        raise ModelError(f"{op}: {c.named(out.index)}: {cure}")
    return Lookup(op.index, op.name, (source,), out, table)


def logistic(c: Context, op: RawOp) -> Op:
    """LOGISTIC."""
    source, out = c.view(op, 0), c.declare(op.outputs[0], op)
    if (out.scale, out.zero_point) != (1 / 256, -128):
        raise ModelError(f"{op}: its output must have scale 1/256, zero point -128")
    table = logistic_table(source.scale, source.zero_point)
    return _function(c, op, table, f"its input's scale {source.scale} is too small")


def tanh(c: Context, op: RawOp) -> Op:
    """TANH."""
    source, out = c.view(op, 0), c.declare(op.outputs[0], op)
    if (out.scale, out.zero_point) != (1 / 128, 0):
        raise ModelError(f"{op}: its output must have scale 1/128, zero point 0")
    table = tanh_table(_units(source))
    return _function(c, op, table, f"its input's scale {source.scale} is too small")


def hard_swish(c: Context, op: RawOp) -> Op:
    """HARD_SWISH."""
    source, out = c.view(op, 0), c.declare(op.outputs[0], op)
    table = hard_swish_table(_units(source), _units(out))
    return _function(c, op, table, "its scales are out of proportion, quantize the model again")


def leaky_relu(c: Context, op: RawOp) -> Op:
    """LEAKY_RELU."""
    source, out = c.view(op, 0), c.declare(op.outputs[0], op)
    alpha = float(op.options["Alpha"])
    table = leaky_relu_table(_units(source), _units(out), alpha)
    return _function(c, op, table, f"alpha {alpha} must not be negative, its scale not tiny")


def relu(c: Context, op: RawOp) -> Op:
    """RELU that is not fused: its input and output have scales of their own."""
    source, out = c.view(op, 0), c.declare(op.outputs[0], op)
    table = relu_table(_units(source), _units(out))
    return _function(c, op, table, "its scale is out of proportion to its input's")


def relu6(c: Context, op: RawOp) -> Op:
    """RELU6 that is not fused."""
    source, out = c.view(op, 0), c.declare(op.outputs[0], op)
    c.same_units(op, source, out)
    return _function(c, op, relu6_table(_units(source)), "")


def requantize_bytes(c: Context, op: RawOp) -> Op:
    """QUANTIZE from or to uint8."""
    source, out = c.view(op, 0, unsigned=True), c.declare(op.outputs[0], op)
    table = requantized_table(_units(source), _units(out), source.unsigned, out.unsigned)
    return _function(c, op, table, "its scale is out of proportion to its input's")


class _Side:
    """An input of a pair: an activation or a constant."""

    def __init__(self, c: Context, op: RawOp, position: int) -> None:
        if position >= len(op.inputs) or op.inputs[position] < 0:
            raise ModelError(f"{op}: {len(op.inputs)} inputs, two are needed")
        raw = c.raw.tensors[op.inputs[position]]
        self.shape = raw.shape
        self.tensor: Tensor | None = None
        self.values: Int8 | None = None
        if raw.data is None:
            self.tensor = c.view(op, position)
            self.scale, self.zero_point = _units(self.tensor)
        else:
            self.values, self.scale, self.zero_point = _constant(c, op, position, raw)

    def operand(self, steps: Steps) -> Operand:
        return Operand(self.tensor, self.values, self.zero_point, steps)


def _constant(c: Context, op: RawOp, position: int, raw: RawTensor) -> tuple[Int8, float, int]:
    scale, zero_point, unsigned = c.units(raw, op)
    if unsigned:
        raise ModelError(f"{op}: {c.named(raw.index)} is a constant of uint8: convert to int8")
    return c.constant(op, position, "INT8").astype(np.int8), scale, zero_point


def _steps(
    c: Context, op: RawOp, shapes: Sequence[tuple[int, ...]]
) -> tuple[int, int, list[Steps]]:
    """Rows and columns of the output, and how each input of `shapes` is walked through."""
    out = c.raw.tensors[op.outputs[0]].shape
    try:
        fitting = np.broadcast_shapes(*shapes) == out
    except ValueError:
        fitting = False
    if not fitting:
        given = " and ".join(str(list(s)) for s in shapes)
        raise ModelError(f"{op}: shapes {given} do not give {list(out)}: corrupt file")
    walks = []
    for shape in shapes:
        full = (1,) * (len(out) - len(shape)) + shape
        dense = [math.prod(full[i + 1 :]) for i in range(len(full))]
        walks.append([d if n > 1 else 0 for d, n in zip(dense, full, strict=True)])
    groups: list[list[int]] = []  # [count, step of each input …], outermost first
    for i, count in enumerate(out):
        steps = [walk[i] for walk in walks]
        if count == 1:
            continue
        if groups and all(
            outer == inner * count for outer, inner in zip(groups[-1][1:], steps, strict=True)
        ):
            groups[-1] = [groups[-1][0] * count, *steps]
        else:
            groups.append([count, *steps])
    if len(groups) > 2:
        raise ModelError(
            f"{op}: {c.named(op.outputs[0])}: an input that repeats along several separate "
            "dimensions is not supported: give it the output's shape, or one value per channel"
        )
    groups = [[1] + [0] * len(shapes)] * (2 - len(groups)) + groups
    rows, columns = groups[0][0], groups[1][0]
    return rows, columns, [(r, k) for r, k in zip(groups[0][1:], groups[1][1:], strict=True)]


def _pair(
    c: Context,
    op: RawOp,
    function: str,
    sides: tuple[_Side, _Side],
    factors: tuple[Factor, ...],
    value: Callable[[int, int], int],
) -> Op:
    """The op, or a table where one side is a single constant: then `value` of both makes it."""
    a, b = sides
    out = c.views[op.outputs[0]]
    low, high = c.activation(op, out)
    if a.tensor is None and b.tensor is None:
        raise ModelError(f"{op}: both inputs are constants: convert with constants folded")
    rows, columns, walks = _steps(c, op, [a.shape, b.shape])
    for one, other in ((a, b), (b, a)):
        if one.tensor is not None and other.values is not None and other.values.size == 1:
            if one.tensor.size != out.size:
                break
            k = int(other.values.item()) - other.zero_point

            zero, swapped = one.zero_point, one is b

            def result(x: int) -> int:
                given = (k, x - zero) if swapped else (x - zero, k)  # noqa: B023
                return out.zero_point + value(*given)

            return Lookup(op.index, op.name, (one.tensor,), out, table_of(result, low, high))
    tensors = tuple(s.tensor for s in sides if s.tensor is not None)
    return Pair(
        op.index, op.name, tensors, out, function, rows, columns,
        a.operand(walks[0]), b.operand(walks[1]), factors, op.name == "SUB", low, high,
    )  # fmt: skip


def mul(c: Context, op: RawOp) -> Op:
    """MUL."""
    a, b = _Side(c, op, 0), _Side(c, op, 1)
    out = c.declare(op.outputs[0], op)
    change = factor(a.scale * b.scale / out.scale)
    if not fits(change, _MOST * _MOST):
        raise ModelError(f"{op}: the output's scale is too small: quantize the model again")
    return _pair(c, op, "mul", (a, b), (change,), lambda x, y: rescale(x * y, change))


def add(c: Context, op: RawOp) -> Op:
    """ADD: of two activations of one shape by a kernel of its own."""
    a, b = _Side(c, op, 0), _Side(c, op, 1)
    out = c.declare(op.outputs[0], op)
    factors = add_factors(a.scale, b.scale, out.scale)
    _check_sum(op, factors[2], max(a.scale, b.scale) * 2 / (2**20 * out.scale))
    whole = (out.length, out.channels)
    if (
        a.tensor is not None
        and b.tensor is not None
        and all((t.length, t.channels) == whole for t in (a.tensor, b.tensor))
    ):
        first, second = a.tensor, b.tensor
        if first.scale < second.scale:
            first, second = second, first
        _, b_factor, out_factor = add_factors(first.scale, second.scale, out.scale)
        activation = c.activation(op, out)
        return Add(op.index, op.name, (first, second), out, b_factor, out_factor, *activation)
    return _pair(c, op, "sum", (a, b), factors, _sum_of(factors, 1))


def sub(c: Context, op: RawOp) -> Op:
    """SUB."""
    a, b = _Side(c, op, 0), _Side(c, op, 1)
    out = c.declare(op.outputs[0], op)
    factors = sub_factors(a.scale, b.scale, out.scale)
    _check_sum(op, factors[2], max(a.scale, b.scale) * 2 / (2**20 * out.scale))
    return _pair(c, op, "sum", (a, b), factors, _sum_of(factors, -1))


def _check_sum(op: RawOp, out_factor: Factor, real: float) -> None:
    if out_factor.left or real >= 1:
        raise ModelError(f"{op}: the output's scale is too small (TFLite Micro aborts)")


def _sum_of(factors: tuple[Factor, Factor, Factor], sign: int) -> Callable[[int, int], int]:
    def value(x: int, y: int) -> int:
        left = rescale(x << FRACTION_BITS, factors[0])
        right = rescale(y << FRACTION_BITS, factors[1])
        return rescale(left + sign * right, factors[2])

    return value


def prelu(c: Context, op: RawOp) -> Op:
    """PRELU: the slopes are a constant, as a rule one per channel."""
    a, b = _Side(c, op, 0), _Side(c, op, 1)
    out = c.declare(op.outputs[0], op)
    if a.tensor is None or b.values is None:
        raise ModelError(f"{op}: {c.named(op.inputs[1])}: its slopes must be a constant")
    same, leak = factor(a.scale / out.scale), factor(a.scale * b.scale / out.scale)
    if not (fits(same) and fits(leak, _MOST * _MOST)):
        raise ModelError(f"{op}: the output's scale is too small: quantize the model again")
    return _pair(
        c, op, "prelu", (a, b), (same, leak),
        lambda x, y: rescale(x, same) if x >= 0 else rescale(x * y, leak),
    )  # fmt: skip
