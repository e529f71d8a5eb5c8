"""The Cortex-M4's kernel for five taps: all remainders of its blocks of positions, and edges."""

from pathlib import Path

import numpy as np
import pytest

from einthoven.codegen.engine import reader
from einthoven.codegen.engine.graph import Conv
from einthoven.codegen.engine.layout import poly_words
from einthoven.codegen.engine.lower import lower
from einthoven.codegen.testing import bare_target
from einthoven.codegen.testing.random_models import ConvCase, Scribe, noise
from einthoven.codegen.testing.tflite_builder import NONE, RELU, RELU6, SAME, VALID
from einthoven.native.tflm import run_tflm


@pytest.mark.parametrize("seed", [0, 1])
def test_lengths_and_channels(seed: int, tmp_path: Path) -> None:
    s = Scribe(seed)
    rng = np.random.default_rng(seed)
    sources, outputs = [], []
    for length in (8, 9, 10, 11, 12, 33, 34, 35, 36, 37, 38, 68, 69, 70, 71, 187, 257):
        case = ConvCase(
            length + 4 * (length % 2), int(rng.choice([4, 8, 12, 24, 32])),
            int(rng.choice([2, 4, 6, 24])), 5, padding=VALID if length % 2 else SAME,
            activation=int(rng.choice([NONE, RELU, RELU6])),
        )  # fmt: skip
        sources.append(s.input([1, 1, case.length, case.channels]))
        outputs.append(s.conv(sources[-1], case))
    data = s.b.finish(sources, outputs)
    graph = lower(reader.parse(data))
    assert sum(op.poly for op in graph.ops if isinstance(op, Conv)) >= 15
    inputs = [noise((t.length, t.channels), 4, i) for i, t in enumerate(graph.inputs)]
    result = bare_target.run(graph, inputs, "m4", tmp_path)
    expected = np.concatenate(run_tflm(data, inputs, len(outputs)), axis=1)
    np.testing.assert_array_equal(result.outputs, expected)


def test_words_hold_two_taps() -> None:
    weights = np.random.default_rng(0).integers(-127, 128, (6, 5, 4)).astype(np.int8)
    words = poly_words(weights).reshape(3, 4, 3, 2)
    for channel in range(6):
        for m in range(3):
            for i in range(4):
                word = int(words[channel // 2, i, m, channel % 2])
                low = (word + (1 << 20)) % (1 << 21) - (1 << 20)
                assert low == (weights[channel, 2 * m + 1, i] if m < 2 else 0)
                assert (word - low) >> 21 == weights[channel, 2 * m, i]
