"""TFLite Micro's quantization constants, computed as it does: in doubles, from float32 scales.

Source: tensorflow/tflite-micro, `kernels/internal/quantization_util.cc` (QuantizeMultiplier,
PreprocessSoftmaxScaling), `kernels/kernel_util.cc` (activation ranges, convolution multipliers) and
the ops' `*_common.cc`.
"""

import math
from dataclasses import dataclass

import numpy as np

INT32_MAX = 2**31 - 1


@dataclass(frozen=True)
class Factor:
    """A real factor as multiplier · 2^(left − right − 31); left or right is 0."""

    multiplier: int
    left: int
    right: int


def factor(real: float) -> Factor:
    """QuantizeMultiplier: `real` ≥ 0 as a 31-bit multiplier and a shift; below 2^-32 it is 0."""
    if real == 0.0:
        return Factor(0, 0, 0)
    mantissa, shift = math.frexp(real)
    fixed = math.floor(mantissa * 2**31 + 0.5)  # positive: half away from zero
    if fixed == 1 << 31:
        fixed //= 2
        shift += 1
    if shift < -31:
        return Factor(0, 0, 0)
    return Factor(fixed, max(shift, 0), max(-shift, 0))


def conv_factor(in_scale: float, weight_scale: float, out_scale: float) -> Factor:
    """Of a convolution's channel, or of a dense layer with one scale per channel."""
    return factor(in_scale * weight_scale / out_scale)


def dense_factor(in_scale: float, weight_scale: float, out_scale: float) -> Factor:
    """Of a dense layer with one scale: TFLite Micro multiplies the two scales in float32."""
    product = float(np.float32(in_scale) * np.float32(weight_scale))
    return factor(product / out_scale)


def add_factors(scale_a: float, scale_b: float, out_scale: float) -> tuple[Factor, Factor, Factor]:
    """Of both inputs (the larger scale's is exactly 1/2) and of the sum; 20 fractional bits."""
    twice = 2.0 * max(scale_a, scale_b)
    return factor(scale_a / twice), factor(scale_b / twice), factor(twice / (2**20 * out_scale))


def sub_factors(scale_a: float, scale_b: float, out_scale: float) -> tuple[Factor, Factor, Factor]:
    """The same of SUB: TFLite Micro takes float32 where it takes doubles for ADD."""
    a, b, out = (np.float32(s) for s in (scale_a, scale_b, out_scale))
    twice = np.float32(2) * max(a, b)
    reals = a / twice, b / twice, twice / (np.float32(2**20) * out)
    first, second, third = (factor(float(real)) for real in reals)
    return first, second, third


def mean_factor(in_scale: float, out_scale: float, count: int) -> Factor:
    """Of a sum over `count` values: 1/count is folded into the multiplier by integer division."""
    base = factor(in_scale / out_scale)
    shift = base.left - base.right
    up = min(count.bit_length() - 1, 32, 31 + shift)
    shift -= up
    return Factor((base.multiplier << up) // count, max(shift, 0), max(-shift, 0))


def rescale(x: int, scale: Factor) -> int:
    """`x` times the factor, both roundings as the engine's `ein_nn_rescale` has them."""
    high = ((x << scale.left) * scale.multiplier + (1 << 30)) >> 31
    if scale.right == 0:
        return high
    return (high + (1 << (scale.right - 1)) - (high < 0)) >> scale.right


@dataclass(frozen=True)
class SoftmaxScale:
    """What the softmax kernel needs to know of beta and the input's scale."""

    multiplier: int
    left: int
    diff_min: int


def softmax_scale(beta: float, in_scale: float) -> SoftmaxScale | None:
    """None where TFLite Micro would abort: beta · scale too small for its fixed-point format."""
    integer_bits = 5
    real = min(beta * in_scale * (1 << (31 - integer_bits)), float(INT32_MAX))
    if real <= 1.0:
        return None
    scaled = factor(real)
    radius = ((1 << integer_bits) - 1) * (1 << (31 - integer_bits)) / (1 << scaled.left)
    return SoftmaxScale(scaled.multiplier, scaled.left, -math.floor(radius))


def quantized(value: float, scale: float, zero_point: int) -> int:
    """`value` in an int8 tensor's units, not clamped: float32 division, half away from zero."""
    ratio = float(np.float32(value) / np.float32(scale))
    return zero_point + int(math.copysign(math.floor(abs(ratio) + 0.5), ratio))
