"""The one-dimensional models of MLPerf Tiny, of the reference's shapes with weights of our own.

Layers, activations and int8 formats are those of the benchmark's reference models, read from
github.com/mlcommons/tiny: `ad01` from `benchmark/training/anomaly_detection/keras_model.py`, the
streaming wake word from `benchmark/training/streaming_wakeword/keras_model.py` and from ST's report
on the trained file, `strm_ww_int8.tflite`, in `benchmark/reference_submissions`. Batch
normalization is folded, as converters fold it. The weights are random from a seed: what such a
model detects is nothing, what it costs is the reference's, but for marks that the generator derives
from weights for cores without DSP instructions.
"""

from collections.abc import Callable
from typing import Any

import numpy as np

from einthoven.codegen.testing.random_models import ConvCase, Int8, Scribe
from einthoven.codegen.testing.tflite_builder import RELU, VALID

AD01_INPUT, AD01_HIDDEN = 640, (128, 128, 128, 128, 8, 128, 128, 128, 128)
"""Five frames of 128 log-mel energies; the dense autoencoder's layers before its output."""

WAKE_WORD_INPUT = (30, 40)
"""Frames of 32 ms, log-mel energies of each."""
WAKE_WORD_BLOCKS = ((3, 128), (5, 128), (10, 128), (15, 32))
"""Taps over time of a depthwise convolution and filters of the pointwise one behind it: without
padding, so that 30 frames become 28, 24, 15, 1."""
WAKE_WORD_CLASSES = 3

_WEIGHT = 45.0
"""Of Scribe's weights, the standard deviation in int8."""


class _Scribe(Scribe):
    """Weights as large as He et al. (2015) initialize them in front of a ReLU, and one scale for
    all activations: inputs that differ give outputs that differ, to the last layer."""

    def _scaled(self, n: int, per_channel: bool, dimension: int, weights: Int8) -> tuple[int, Any]:
        typical = float(np.sqrt(2 * n / weights.size)) / _WEIGHT
        spread = self.rng.uniform(0.5, 1.5, n) if per_channel else np.ones(1)
        scales = [float(np.float32(typical * s)) for s in spread]
        return self.b.tensor(list(weights.shape), scales, data=weights, dimension=dimension), scales

    def _out_scale(self, source: int, scales: list[float], taps: int) -> float:
        return self.scales[source]


def ad01(seed: int = 0) -> bytes:
    """The anomaly detector's autoencoder: 264,192 multiply-adds, int8[1, 640] to int8[1, 640]."""
    s = _Scribe(seed)
    source = s.input([1, AD01_INPUT])
    x = source
    for units in AD01_HIDDEN:
        x = s.dense(x, units, RELU, zero=-128)
    return s.b.finish([source], [s.dense(x, AD01_INPUT)])


def streaming_wake_word(seed: int = 0, softmax: bool = True) -> bytes:
    """The wake word's network: 826,368 multiply-adds, int8[1, 30, 1, 40] to int8[1, 3].

    Without `softmax` its logits, for engines that have no such op.
    """
    s = _Scribe(seed)
    length, channels = WAKE_WORD_INPUT
    source = s.input([1, length, 1, channels])
    x = source
    for taps, filters in WAKE_WORD_BLOCKS:
        over_time = ConvCase(
            length, channels, channels, taps, padding=VALID, depth_multiplier=1, vertical=True
        )
        x = s.conv(x, over_time)
        length = over_time.out_length
        x = s.conv(x, ConvCase(length, channels, filters, activation=RELU, vertical=True))
        channels = filters
    logits = s.dense(s.reshape(x, [1, length * channels]), WAKE_WORD_CLASSES)
    return s.b.finish([source], [s.softmax(logits) if softmax else logits])


MODELS: dict[str, Callable[[], bytes]] = {
    "ad01": ad01,
    "streaming wake word": streaming_wake_word,
}
