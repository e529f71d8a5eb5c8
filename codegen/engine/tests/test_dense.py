"""Dense layers whose weights carry: what the Cortex-M4's kernel takes, and its extremes."""

from pathlib import Path

import numpy as np
import pytest

from einthoven.codegen.engine import reader
from einthoven.codegen.engine.graph import Conv, Graph, Int8
from einthoven.codegen.engine.layout import carried_bias
from einthoven.codegen.engine.lower import lower
from einthoven.codegen.testing import bare_target
from einthoven.codegen.testing.random_models import Scribe, noise
from einthoven.codegen.testing.tflite_builder import NONE, RELU, RELU6
from einthoven.native.tflm import run_tflm


class _Largest(Scribe):
    """Weights of 127 and -127: every e, o and halfword at an end."""

    def _weights(self, shape: list[int]) -> Int8:
        return self.rng.choice(np.array([-127, 127], dtype=np.int8), shape)


class _Lowest(Scribe):
    """One weight that has no byte to carry to."""

    def _weights(self, shape: list[int]) -> Int8:
        weights = super()._weights(shape)
        weights[-1, -1] = -128
        return weights


def _layers(s: Scribe, sizes: list[tuple[int, int]], activation: int = NONE) -> tuple[bytes, Graph]:
    sources = [s.input([1, n]) for n, _ in sizes]
    outputs = [
        s.dense(source, units, activation, per_channel=bool(units % 3))
        for source, (_, units) in zip(sources, sizes, strict=True)
    ]
    data = s.b.finish(sources, outputs)
    return data, lower(reader.parse(data))


def _convs(graph: Graph) -> list[Conv]:
    return [op for op in graph.ops if isinstance(op, Conv)]


@pytest.mark.parametrize("scribe", [Scribe, _Largest])
@pytest.mark.parametrize("activation", [NONE, RELU, RELU6])
def test_all_remainders_and_extremes(scribe: type[Scribe], activation: int, tmp_path: Path) -> None:
    """Of eights, of fours, one pair of channels and many; inputs at both ends."""
    sizes = [(128, 34), (132, 32), (136, 32), (140, 30), (256, 18), (260, 16), (264, 16)]
    data, graph = _layers(scribe(activation), sizes, activation)
    assert [op.carries for op in _convs(graph)] == [True] * len(sizes)
    inputs = [noise((t.length, t.channels), 6, i) for i, t in enumerate(graph.inputs)]
    result = bare_target.run(graph, inputs, "m4", tmp_path)
    expected = np.concatenate(run_tflm(data, inputs, len(sizes)), axis=1)
    np.testing.assert_array_equal(result.outputs, expected)
    assert len(np.unique(expected)) > 20


def test_what_it_does_not_take() -> None:
    """Odd outputs, inputs that are no fours, few weights, sums of more than 24 bits, -128."""
    _, usual = _layers(Scribe(0), [(128, 34), (256, 33), (258, 34), (128, 32)])
    assert [op.carries for op in _convs(usual)] == [True, False, False, False]
    _, largest = _layers(_Largest(0), [(256, 18), (520, 18)])
    assert [op.carries for op in _convs(largest)] == [True, False]
    _, lowest = _layers(_Lowest(0), [(256, 18)])
    assert [op.carries for op in _convs(lowest)] == [False]


def test_for_size_it_does_as_well() -> None:
    data, _ = _layers(Scribe(0), [(128, 34)])
    assert [op.carries for op in _convs(lower(reader.parse(data), "size"))] == [True]


def test_the_arithmetic_of_a_halfword() -> None:
    """firmware/engine/ein_nn_dense.h, for every input and weight."""
    _, graph = _layers(_Largest(1), [(128, 34)])
    (op,) = _convs(graph)
    even, odd = op.weights.reshape(34, -1).astype(np.int64).T.reshape(-1, 2, 34).swapaxes(0, 1)
    halfwords = even + 256 * odd
    assert (np.abs(halfwords) < 1 << 15).all()
    x, y = np.mgrid[-128:128, -128:128].reshape(2, -1)
    spread = 256 * x - y + 127
    assert (spread.min(), spread.max()) == (-32768, 32767)
    ends = [-128, 127]
    for a in ends:
        for b in ends:
            sums = (b * halfwords + (256 * a - b + 127) * even).sum(axis=0) + carried_bias(op)
            wanted = (a * even + b * odd).sum(axis=0) + op.bias
            np.testing.assert_array_equal(sums, 256 * wanted)
