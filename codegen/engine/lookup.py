"""Tables of functions of one int8 value, as TFLite Micro computes them value by value.

Source: tensorflow/tflite-micro, `kernels/logistic_common.cc`, `reference/integer_ops/logistic.h`,
and gemmlowp's `fixedpoint/fixedpoint.h`, whose fixed-point exponential and reciprocal these are.
"""

import math

from einthoven.codegen.engine.quantize import INT32_MAX, factor, rescale

_INPUT_BITS = 4
"""Integer bits of the argument: a Q4.27 number."""
_EXP_OF_POWERS = (1672461947, 1302514674, 790015084, 290630308, 39332535, 720401)
"""exp(−2^k), k = −2 … 3, in Q0.31."""


def logistic_table(in_scale: float, in_zero: int) -> tuple[int, ...] | None:
    """1 / (1 + exp(−x)) of every int8 value from −128 on, with scale 1/256 and zero point −128.

    None where TFLite Micro's result is undefined: scale below 2^-28.
    """
    scale = factor(in_scale * (1 << (31 - _INPUT_BITS)))
    if scale.right or scale.multiplier == 0:
        return None
    radius = (((1 << _INPUT_BITS) - 1) << (31 - _INPUT_BITS)) >> scale.left
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


def _exp(x: int) -> int:
    """Of a negative Q4.27 number, in Q0.31: a polynomial on [-1/4, 0) and powers of exp(−1/4)."""
    quarter = 1 << 25
    fraction = (x & (quarter - 1)) - quarter
    whole = fraction - x
    around = (fraction << _INPUT_BITS) + (1 << 28)  # around −1/8
    square = _mul(around, around)
    cube, fourth = _mul(square, around), _mul(square, square)
    tail = _mul(_rounded(fourth, 2) + cube, 715827883) + square
    result = 1895147668 + _mul(1895147668, around + _rounded(tail, 1))
    for k, power in enumerate(_EXP_OF_POWERS):
        if whole & (quarter << k):
            result = _mul(result, power)
    return result


def _reciprocal_of_one_plus(x: int) -> int:
    """1 / (1 + x) of a Q0.31 number in [0, 1): three steps of Newton and Raphson in Q2.29."""
    half = (x + INT32_MAX + 1) // 2
    y = 1515870810 + _mul(half, -1010580540)
    for _ in range(3):
        y += _mul(y, (1 << 29) - _mul(half, y)) * 4
    return min(2 * y, INT32_MAX)
