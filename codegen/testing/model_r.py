"""Model R: a residual ECG network that engines are compared on, from a seeded recipe.

Input 1 × 256 × 1, 24 filters of 5, four residual blocks (two convolutions of 24 filters of 5, add,
ReLU, max-pooling by 2), dense 32, dense 5: 35,861 parameters, 2,807,968 multiply-adds. Weights are
random: what is measured does not depend on them.
"""

from codegen.testing.random_models import ConvCase, Scribe
from codegen.testing.tflite_builder import RELU, SAME

LENGTH, FILTERS, KERNEL, BLOCKS = 256, 24, 5, 4


def model_r(seed: int = 0) -> bytes:
    """The `.tflite` file."""
    s = Scribe(seed)
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
