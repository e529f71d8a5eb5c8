"""Tables of functions of one int8 value, as TFLite Micro computes them value by value.

Source: tensorflow/tflite-micro, `kernels/logistic_common.cc`, `tanh.cc`, `hard_swish_common.cc`,
`leaky_relu_common.cc`, `activations_common.cc`, the reference kernels that these call, and
gemmlowp's `fixedpoint/fixedpoint.h`, whose fixed-point exponential and reciprocal these are.

A table's index is the value + 128. None, instead of one: TFLite Micro's result is undefined.
"""

import math
from collections.abc import Callable

import numpy as np

from einthoven.codegen.engine.quantize import INT32_MAX, Factor, factor, quantized, rescale

Table = tuple[int, ...]
Units = tuple[float, int]
"""Scale and zero point."""

_INPUT_BITS = 4
"""Integer bits of the argument: a Q4.27 number."""
_EXP_OF_POWERS = (1672461947, 1302514674, 790015084, 290630308, 39332535, 720401, 242)
"""exp(−2^k), k = −2 … 4, in Q0.31."""
_HALF_BITS = 15
"""A halfword's, without the sign."""


def table_of(function: Callable[[int], int], low: int = -128, high: int = 127) -> Table:
    """Its results, clamped, for −128 … 127."""
    return tuple(min(max(function(value), low), high) for value in range(-128, 128))


def fits(scale: Factor, most: int = 255) -> bool:
    """Whether values up to `most` can be shifted left within 31 bits."""
    return most << scale.left < 1 << 31


def tanh_table(in_units: Units) -> Table | None:
    """tanh of every int8 value, with scale 1/128 and zero point 0."""
    found = _argument(in_units[0])
    if found is None:
        return None
    scale, radius = found

    def tanh(value: int) -> int:
        x = value - in_units[1]
        if abs(x) >= radius:
            return 127 if x > 0 else -128
        return _rounded(_tanh(rescale(x, scale)), 24)

    return table_of(tanh)


def leaky_relu_table(in_units: Units, out_units: Units, alpha: float) -> Table | None:
    """x, or alpha · x below 0; both factors are float32, as TFLite Micro has them."""
    (in_scale, in_zero), (out_scale, out_zero) = in_units, out_units
    single = np.float32(in_scale), np.float32(out_scale)
    if alpha < 0 or not math.isfinite(alpha):
        return None
    same = factor(float(single[0] / single[1]))
    leak = factor(float(single[0] * np.float32(alpha) / single[1]))
    if not (fits(same) and fits(leak)):
        return None

    def leaky(value: int) -> int:
        x = value - in_zero
        return out_zero + rescale(x, same if x >= 0 else leak)

    return table_of(leaky)


def relu_table(in_units: Units, out_units: Units) -> Table | None:
    """RELU: rescaled, then at least 0."""
    (in_scale, in_zero), (out_scale, out_zero) = in_units, out_units
    change = factor(in_scale / out_scale)
    if not fits(change):
        return None
    low = max(-128, quantized(0.0, out_scale, out_zero))
    return table_of(lambda v: out_zero + rescale(v - in_zero, change), low)


def relu6_table(in_units: Units) -> Table | None:
    """RELU6: in the input's units, whatever the output's are."""
    six = quantized(6.0, *in_units)
    return table_of(lambda v: v, in_units[1], min(six, 127))


def requantized_table(
    in_units: Units, out_units: Units, in_unsigned: bool, out_unsigned: bool
) -> Table | None:
    """QUANTIZE; unsigned values are looked up, and stand in the table, as bytes of int8."""
    (in_scale, in_zero), (out_scale, out_zero) = in_units, out_units
    change = factor(in_scale / out_scale)
    if not fits(change):
        return None
    low, high = (0, 255) if out_unsigned else (-128, 127)

    def requantized(byte: int) -> int:
        value = byte & 0xFF if in_unsigned else byte
        result = min(max(out_zero + rescale(value - in_zero, change), low), high)
        return result - 256 if result > 127 else result

    return table_of(requantized)


def hard_swish_table(in_units: Units, out_units: Units) -> Table | None:
    """x · relu6(x + 3) / 6 in halfwords, as TFLite Micro has it, float32 factors included."""
    (in_scale, in_zero), (out_scale, out_zero) = in_units, out_units
    fine = np.float32(1 / 128) * np.float32(in_scale)
    to_out = factor(float(fine / np.float32(out_scale)))
    to_relu = factor(float(fine / (np.float32(3) / np.float32(32768))))
    if to_out.left or max(to_out.right, to_relu.right) > _HALF_BITS or to_relu.left > 30:
        return None
    out_half, relu_half = _halved(to_out.multiplier), _halved(to_relu.multiplier)

    def swish(value: int) -> int:
        x = (value - in_zero) * 128
        relu = x
        if to_relu.left:
            relu = _half(relu << (to_relu.left - 1))
        relu = _mul_half(relu, relu_half)
        if to_relu.left:
            relu = _half(relu << 1)
        if to_relu.right:
            relu = _rounded(relu, to_relu.right)
        relu = (relu + (1 << _HALF_BITS)) >> 1
        product = relu * _mul_half(x, out_half)
        result = int(math.copysign(abs(product) >> _HALF_BITS, product))
        return out_zero + (_rounded(result, to_out.right) if to_out.right else result)

    return table_of(swish)


def _halved(multiplier: int) -> int:
    """A 31-bit multiplier in 15 bits."""
    return min((multiplier + (1 << 15)) >> 16, (1 << _HALF_BITS) - 1)


def _half(x: int) -> int:
    """Saturated to a halfword."""
    return min(max(x, -(1 << _HALF_BITS)), (1 << _HALF_BITS) - 1)


def _mul_half(a: int, b: int) -> int:
    """Of Q0.15 numbers, rounded half up."""
    return (a * b + (1 << (_HALF_BITS - 1))) >> _HALF_BITS


def _argument(in_scale: float) -> tuple[Factor, int] | None:
    """To Q4.27, and from which distance to 0 on the function has its last value."""
    scale = factor(in_scale * (1 << (31 - _INPUT_BITS)))
    if scale.right or scale.multiplier == 0:
        return None
    return scale, (((1 << _INPUT_BITS) - 1) << (31 - _INPUT_BITS)) >> scale.left


def logistic_table(in_scale: float, in_zero: int) -> tuple[int, ...] | None:
    """1 / (1 + exp(−x)) of every int8 value from −128 on, with scale 1/256 and zero point −128.

    None where TFLite Micro's result is undefined: scale below 2^-28.
    """
    found = _argument(in_scale)
    if found is None:
        return None
    scale, radius = found
    table = []
    for value in range(-128, 128):
        x = value - in_zero
        if x <= -radius:
            table.append(-128)
        elif x >= radius:
            table.append(127)
        else:
            table.append(min(_rounded(_logistic(rescale(x, scale)), 23) - 128, 127))
    return tuple(table)


def _mul(a: int, b: int) -> int:
    """Of Q0.31 numbers, rounded half up."""
    return (a * b + (1 << 30)) >> 31


def _rounded(x: int, shift: int) -> int:
    """x / 2^shift, halves away from zero."""
    half = 1 << (shift - 1)
    return int(math.copysign((abs(x) + half) >> shift, x))


def _logistic(x: int) -> int:
    """Of a Q4.27 number, in Q0.31."""
    if x == 0:
        return 1 << 30
    positive = _reciprocal_of_one_plus(_exp(-abs(x)))
    return positive if x > 0 else INT32_MAX - positive


def _tanh(x: int) -> int:
    """Of a Q4.27 number, in Q0.31."""
    if x == 0:
        return 0
    positive = _one_minus_over_one_plus(_exp(-abs(x), _INPUT_BITS + 1))  # of −2 |x|
    return positive if x > 0 else -positive


def _exp(x: int, bits: int = _INPUT_BITS) -> int:
    """Of a negative number of `bits` integer bits (Q4.27), in Q0.31: a polynomial on [-1/4, 0) and
    powers of exp(−1/4)."""
    quarter = 1 << (29 - bits)
    fraction = (x & (quarter - 1)) - quarter
    whole = fraction - x
    around = (fraction << bits) + (1 << 28)  # around −1/8
    square = _mul(around, around)
    cube, fourth = _mul(square, around), _mul(square, square)
    tail = _mul(_rounded(fourth, 2) + cube, 715827883) + square
    result = 1895147668 + _mul(1895147668, around + _rounded(tail, 1))
    for k, power in enumerate(_EXP_OF_POWERS[: bits + 2]):
        if whole & (quarter << k):
            result = _mul(result, power)
    return result


def _two_over_one_plus(x: int) -> int:
    """2 / (1 + x) of a Q0.31 number in [0, 1): three steps of Newton and Raphson in Q2.29."""
    half = (x + INT32_MAX + 1) // 2
    y = 1515870810 + _mul(half, -1010580540)
    for _ in range(3):
        y += _mul(y, (1 << 29) - _mul(half, y)) * 4
    return y


def _reciprocal_of_one_plus(x: int) -> int:
    """1 / (1 + x)."""
    return min(2 * _two_over_one_plus(x), INT32_MAX)


def _one_minus_over_one_plus(x: int) -> int:
    """(1 − x) / (1 + x)."""
    return min(4 * (_two_over_one_plus(x) - (1 << 29)), INT32_MAX)
