"""The arena's plan: nothing that is alive is written over, and it is as small as can be."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from einthoven.codegen.engine import reader
from einthoven.codegen.engine.graph import Add, Conv, Graph, Op, Pool
from einthoven.codegen.engine.layout import conv_layout
from einthoven.codegen.engine.lower import lower
from einthoven.codegen.engine.planner import (
    ALIGNMENT,
    WORTHWHILE,
    Plan,
    plan,
    scratch_key,
    tensor_key,
)
from einthoven.codegen.testing import bare_target
from einthoven.codegen.testing.host_target import run_sanitized
from einthoven.codegen.testing.model_r import model_r
from einthoven.codegen.testing.random_models import ConvCase, Scribe, noise, residual_model
from einthoven.codegen.testing.tflite_builder import NONE, RELU, VALID
from einthoven.native.tflm import run_tflm

ANY_GAIN = 0.99
"""So that small graphs take turns, too."""


@pytest.fixture(scope="session")
def objects(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("kernels")


def graph_of(model: bytes) -> Graph:
    return lower(reader.parse(model))


def stepwise(graph: Graph, made: Plan) -> Iterator[tuple[Op, int, int]]:
    """The op, and the first and the last but one of the rows that its kernel computes at once."""
    for call in made.calls:
        op = graph.ops[call.place]
        size = {Conv: conv_layout(op).chunk if isinstance(op, Conv) else 0, Add: 1, Pool: 1}
        last = call.first + call.count
        for first in range(call.first, last, size.get(type(op), call.count)):
            yield op, first, min(first + size.get(type(op), call.count), last)


def replay(graph: Graph, made: Plan) -> None:
    """Walk through the calls byte by byte: whoever reads a byte must find its own row there.

    A convolution reads the rows of a chunk into scratch and then writes its rows; other ops are
    taken row by row. Reading order within a row is the kernels' own promise.
    """
    owner = np.full((made.size, 2), -1, dtype=np.int64)  # tensor and byte of it
    placed = {t.index for t in graph.activations()}
    computed = {op.number: 0 for op in graph.ops}
    for op, first, last in stepwise(graph, made):
        assert computed[op.number] == first, f"op {op.number}: rows out of order"
        computed[op.number] = last
        if isinstance(op, Conv):
            at = made.offsets[scratch_key(op)]
            owner[at : at + conv_layout(op).scratch_bytes] = -1
        for source in op.inputs:
            if source.index not in placed:
                continue
            low, high = 0, source.length
            if isinstance(op, Conv | Pool):
                window = op.window
                reach = (window.kernel - 1) * window.dilation + 1
                low = max(0, first * window.stride - window.pad_left)
                high = min(high, max(0, (last - 1) * window.stride - window.pad_left + reach))
            elif isinstance(op, Add):
                low, high = first, last
            bytes_read = np.arange(low * source.channels, high * source.channels)
            found = owner[made.offsets[tensor_key(source)] + bytes_read]
            right = (found[:, 0] == source.index) & (found[:, 1] == bytes_read)
            assert right.all(), f"op {op.number} reads what is not there"
        if op.output.index in placed:
            written = np.arange(first * op.output.channels, last * op.output.channels)
            at = made.offsets[tensor_key(op.output)]
            owner[at + written, 0], owner[at + written, 1] = op.output.index, written
    assert all(computed[op.number] == op.output.length for op in graph.ops)


@pytest.mark.parametrize("worthwhile", [WORTHWHILE, ANY_GAIN])
@pytest.mark.parametrize("seed", range(40))
def test_nothing_alive_is_overwritten(seed: int, worthwhile: float) -> None:
    graph = graph_of(residual_model(seed))
    made = plan(graph, worthwhile)
    assert all(at % ALIGNMENT == 0 for at in made.offsets.values())
    replay(graph, made)


def test_the_replay_notices_an_overlap() -> None:
    graph = graph_of(residual_model(0))
    made = plan(graph)
    with pytest.raises(AssertionError, match="reads what is not there"):
        replay(graph, replace(made, offsets=dict.fromkeys(made.offsets, 0)))


def test_the_replay_notices_a_row_that_comes_too_late() -> None:
    graph = graph_of(model_r())
    made = plan(graph)
    calls = list(made.calls)
    calls[1], calls[2] = calls[2], calls[1]
    with pytest.raises(AssertionError, match="reads what is not there"):
        replay(graph, replace(made, calls=tuple(calls)))


def test_random_graphs_reach_the_lower_bound() -> None:
    plans = [plan(graph_of(residual_model(seed))) for seed in range(40)]
    assert all(p.size >= p.lower_bound for p in plans)
    assert all(p.size <= p.lower_bound + ALIGNMENT for p in plans)


def test_taking_turns_saves_memory() -> None:
    """Model R takes less than half of TFLite Micro's 24,196 bytes."""
    graph = graph_of(model_r())
    one_by_one, made = plan(graph, 0.0), plan(graph)
    assert one_by_one.groups == () and len(made.groups) == 1
    assert made.size == made.lower_bound < 2 / 3 * one_by_one.size
    assert made.size <= 24_196 // 2
    replay(graph, made)


def test_turns_compute_the_same(objects: Path, tmp_path: Path) -> None:
    """The first six of the random graphs in which ops take turns."""
    tried = 0
    for seed in range(60):
        data = residual_model(seed)
        graph = graph_of(data)
        made = plan(graph, ANY_GAIN)
        if made.groups and tried < 6:
            tried += 1
            inputs = [noise((t.length, t.channels), 6, i) for i, t in enumerate(graph.inputs)]
            ours = run_sanitized(graph, inputs, objects, tmp_path / str(seed), made)
            np.testing.assert_array_equal(ours[0], run_tflm(data, inputs, 1)[0])
    assert tried == 6


@pytest.mark.parametrize("target", bare_target.TESTED)
def test_turns_compute_the_same_on_a_bare_target(target: str, tmp_path: Path) -> None:
    data = model_r()
    graph = graph_of(data)
    inputs = [noise((256, 1), 3, 1)]
    result = bare_target.run(graph, inputs, target, tmp_path)
    np.testing.assert_array_equal(result.outputs, run_tflm(data, inputs, 1)[0])


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
    made = plan(graph, 0.0)
    scratch = max(conv_layout(op).scratch_bytes for op in graph.ops if isinstance(op, Conv))
    assert made.size <= 2 * 128 * 16 + scratch + 4 * 16
    assert (
        made.offsets[tensor_key(graph.ops[2].output)]
        < made.offsets[tensor_key(graph.ops[1].output)] + 128 * 16
    )
