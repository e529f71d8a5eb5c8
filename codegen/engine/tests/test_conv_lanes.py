"""Two products a multiplication: what the marks promise, and the loops of every core with it."""

from pathlib import Path

import numpy as np
import pytest

from einthoven.codegen.engine import reader
from einthoven.codegen.engine.graph import Conv, Int8
from einthoven.codegen.engine.layout import lane_marks
from einthoven.codegen.engine.lower import lower
from einthoven.codegen.testing import bare_target
from einthoven.codegen.testing.random_models import ConvCase, Scribe, noise
from einthoven.codegen.testing.tflite_builder import RELU, VALID
from einthoven.native.tflm import run_tflm


class _Weights(Scribe):
    """Weights up to ±`most`, so that no block of four, some or all need a mark."""

    most = 127

    def _weights(self, shape: list[int]) -> Int8:
        if self.most == 127:
            return self.rng.choice(np.array([-127, 127], dtype=np.int8), shape)
        return self.rng.integers(-self.most, self.most + 1, shape).astype(np.int8)


def _marks(weights: Int8) -> list[list[bool]]:
    """Per pair of channels whether each block is marked, read as the loops read it."""
    blocks = -(-weights[0].size // 8) * 2
    words = iter(lane_marks(weights))
    pairs = []
    for _ in range(-(-len(weights) // 2)):
        row: list[bool] = []
        while len(row) < blocks:
            word = next(words)
            assert 0 < word < 1 << 32
            while word != 1 << 31:
                row.append(bool(word >> 31))
                word = word << 1 & 0xFFFFFFFF
        assert len(row) == blocks, "the last block's mark ends the pair's last word"
        pairs.append(row)
    assert next(words, None) is None
    return pairs


@pytest.mark.parametrize("most", [60, 90, 126, 127])
@pytest.mark.parametrize(
    ("out", "taps", "channels"), [(4, 3, 16), (5, 9, 3), (3, 7, 24), (2, 1, 1)]
)
def test_no_half_of_a_word_overflows(most: int, out: int, taps: int, channels: int) -> None:
    """The extremes of all inputs, block by block and in halves; a mark only where one is needed."""
    rng = np.random.default_rng([most, taps])
    weights = rng.integers(-most, most + 1, (out, taps, channels)).astype(np.int8)
    depth = -(-taps * channels // 8) * 8
    padded = np.zeros((-(-out // 2) * 2, depth), dtype=int)
    padded[:out, : taps * channels] = weights.reshape(out, -1)
    for pair, marks in enumerate(_marks(weights)):
        for block, marked in enumerate(marks):
            four = padded[2 * pair : 2 * pair + 2, 4 * block : 4 * block + 4]
            limits = [
                (np.where(w > 0, 127, -128) @ w, np.where(w > 0, -128, 127) @ w) for w in four
            ]
            assert marked == any(high > 32767 or low < -32768 for high, low in limits)
            assert all(128 * np.sort(abs(w))[2:].sum() <= 32767 for w in four)


@pytest.mark.parametrize("target", ["m3", "m0", "rv32"])
def test_every_way_through_the_loops(target: str, tmp_path: Path) -> None:
    """Remainders of pairs and chunks, words of marks, odd channels, strides, dilation, edges."""
    s = _Weights(4)
    sources, outputs = [], []
    for most, case in [
        (127, ConvCase(4, 8, 2, 1)),
        (40, ConvCase(5, 4, 3, 3)),
        (90, ConvCase(6, 3, 5, 3, activation=RELU)),
        (100, ConvCase(7, 16, 4, 3)),
        (127, ConvCase(37, 24, 4, 7)),
        (60, ConvCase(75, 16, 7, 3, padding=VALID)),
        (90, ConvCase(43, 3, 6, 9, stride=3)),
        (127, ConvCase(41, 8, 2, 5, dilation=2)),
        (110, ConvCase(40, 12, 3, 5)),
        (70, ConvCase(33, 1, 8, 5)),
        (126, ConvCase(20, 40, 2, 7)),
    ]:
        s.most = most
        sources.append(s.input([1, 1, case.length, case.channels]))
        outputs.append(s.conv(sources[-1], case))
    data = s.b.finish(sources, outputs)
    graph = lower(reader.parse(data))
    convs = [op for op in graph.ops if isinstance(op, Conv)]
    assert all(op.lanes for op in convs)
    marks = [row for op in convs for row in _marks(op.weights)]
    assert any(all(row) for row in marks)
    assert any(not any(row) for row in marks)
    assert any(any(row) and not all(row) for row in marks)
    inputs = [noise((t.length, t.channels), 5, i) for i, t in enumerate(graph.inputs)]
    result = bare_target.run(graph, inputs, target, tmp_path)
    expected = np.concatenate(run_tflm(data, inputs, len(outputs)), axis=1)
    np.testing.assert_array_equal(result.outputs, expected)
