"""Model R: a residual ECG network that engines are compared on, from a seeded recipe.

Input 1 × 256 × 1, 24 filters of 5, four residual blocks (two convolutions of 24 filters of 5, add,
ReLU, max-pooling by 2), dense 32, dense 5: 35,861 parameters, 2,807,968 multiply-adds. Weights are
random: what is measured does not depend on them.
"""

from einthoven.codegen.testing.random_models import ConvCase, Scribe
from einthoven.codegen.testing.tflite_builder import RELU, SAME

LENGTH, FILTERS, KERNEL, BLOCKS = 256, 24, 5, 4
HIDDEN = 0.1
"""Of Scribe's output scale behind the first layer, which is for inputs that fill int8."""


class _Scribe(Scribe):
    """Scales with which every input gives another output: activations do not die away."""

    def _out_scale(self, source: int, scales: list[float], taps: int) -> float:
        return super()._out_scale(source, scales, taps) * (1.0 if taps == KERNEL else HIDDEN)


def model_r(seed: int = 0) -> bytes:
    """The `.tflite` file."""
    s = _Scribe(seed)
    source = s.input([1, 1, LENGTH, 1])
    x = s.conv(source, ConvCase(LENGTH, 1, FILTERS, KERNEL, activation=RELU))
    length = LENGTH
    for _ in range(BLOCKS):
        y = s.conv(x, ConvCase(length, FILTERS, FILTERS, KERNEL, activation=RELU))
        y = s.conv(y, ConvCase(length, FILTERS, FILTERS, KERNEL))
        x = s.pool(s.add(x, y, RELU, zero=-128), 2, 2, SAME)  # as converters place a ReLU
        length //= 2
    flat = s.reshape(x, [1, length * FILTERS])
    return s.b.finish([source], [s.dense(s.dense(flat, 32, RELU), 5)])
