"""The arena's plan: nothing that is alive is written over, and it is as small as can be."""

import numpy as np
import pytest

from codegen import tflite_reader
from codegen.graph import Conv, Graph
from codegen.lower import lower
from codegen.planner import ALIGNMENT, Plan, conv_layout, plan, scratch_key, tensor_key
from codegen.testing.random_models import ConvCase, Scribe, residual_model
from codegen.testing.tflite_builder import NONE, RELU, VALID


def graph_of(model: bytes) -> Graph:
    return lower(tflite_reader.parse(model))


def replay(graph: Graph, made: Plan) -> None:
    """Walk through the ops byte by byte: whoever reads a byte must find its own there.

    A convolution reads the rows of a chunk into scratch and then writes its rows; other ops are
    taken row by row. Reading order within a row is the kernels' own promise.
    """
    owner = np.full(made.size, -1, dtype=np.int64)
    placed = {t.index for t in graph.activations()}

    def offset(index: int) -> int:
        return made.offsets[f"t{index}"]

    for op in graph.ops:
        window = getattr(op, "window", None)
        out, rows = op.output, op.output.length
        chunk = conv_layout(op).chunk if isinstance(op, Conv) else 1
        for first in range(0, rows, chunk):
            last = min(first + chunk, rows)
            for source in op.inputs:
                if source.index not in placed:
                    continue
                low, high = 0, source.length
                if window is not None:
                    reach = (window.kernel - 1) * window.dilation + 1
                    low = max(0, first * window.stride - window.pad_left)
                    high = max(0, (last - 1) * window.stride - window.pad_left + reach)
                elif source.length == out.length:
                    low, high = first, last
                at = offset(source.index)
                read = owner[
                    at + low * source.channels : at + min(high, source.length) * source.channels
                ]
                assert np.all(read == source.index), f"op {op.number} reads what is not there"
            if isinstance(op, Conv):
                at = made.offsets[scratch_key(op)]
                owner[at : at + conv_layout(op).scratch_bytes] = -1
            if out.index in placed:
                at = offset(out.index)
                owner[at + first * out.channels : at + last * out.channels] = out.index


@pytest.mark.parametrize("seed", range(40))
def test_nothing_alive_is_overwritten(seed: int) -> None:
    graph = graph_of(residual_model(seed))
    made = plan(graph)
    assert all(at % ALIGNMENT == 0 for at in made.offsets.values())
    replay(graph, made)


def test_the_replay_notices_an_overlap() -> None:
    graph = graph_of(residual_model(0))
    made = plan(graph)
    broken = dict.fromkeys(made.offsets, 0)
    with pytest.raises(AssertionError, match="reads what is not there"):
        replay(graph, Plan(broken, made.size, made.lower_bound))


def test_most_random_graphs_reach_the_lower_bound() -> None:
    plans = [plan(graph_of(residual_model(seed))) for seed in range(40)]
    assert all(p.size >= p.lower_bound for p in plans)
    assert sum(p.size <= p.lower_bound + ALIGNMENT for p in plans) >= 35
    assert all(p.size <= 1.05 * p.lower_bound + ALIGNMENT for p in plans)


def test_the_plan_is_the_same_every_time() -> None:
    graph = graph_of(residual_model(5))
    assert plan(graph) == plan(graph_of(residual_model(5)))


def test_a_residual_block_takes_two_activations_not_three() -> None:
    """The second convolution writes over the first one's output, the sum over either operand."""
    s = Scribe(1)
    source = s.input([1, 1, 128, 16])
    x = s.conv(source, ConvCase(128, 16, 16, 3, activation=RELU))
    y = s.conv(x, ConvCase(128, 16, 16, 3, activation=RELU))
    z = s.conv(y, ConvCase(128, 16, 16, 3, activation=NONE))
    total = s.pool(s.add(x, z), 2, 2, VALID)
    graph = graph_of(s.b.finish([source], [s.mean(total)]))
    made = plan(graph)
    scratch = max(conv_layout(op).scratch_bytes for op in graph.ops if isinstance(op, Conv))
    assert made.size <= 2 * 128 * 16 + scratch + 4 * 16
    assert (
        made.offsets[tensor_key(graph.ops[2].output)]
        < made.offsets[tensor_key(graph.ops[1].output)] + 128 * 16
    )
