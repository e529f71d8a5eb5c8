"""The order in which output rows are computed, and from when to when each row is needed.

Ops run one after the other, or, in a group, by turns: each computes as many rows as its inputs
allow, so that a row is read soon after it was written and its bytes are free again. Nothing is
computed twice.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from einthoven.codegen.engine.graph import (
    Add,
    Conv,
    Graph,
    Lookup,
    Op,
    Pair,
    Pool,
    Requantize,
    Tensor,
)
from einthoven.codegen.engine.layout import conv_layout

TURN_MULTIPLE = 2
"""Of the rows that an op computes in a turn: kernels take two positions at once."""

Group = tuple[int, int]
"""The first and the last of the ops that take turns, by their places in the graph."""


@dataclass(frozen=True)
class Call:
    """The op at `place` in the graph computes `count` output rows from `first` on."""

    place: int
    first: int
    count: int


def by_rows(op: Op) -> bool:
    """Whether rows of the output can be computed as the input's rows come."""
    if isinstance(op, Add | Requantize | Lookup):
        return all(_shape(t) == _shape(op.output) for t in op.inputs)
    if isinstance(op, Pair):
        return op.in_order
    return isinstance(op, Conv | Pool)


def takes_turns(op: Op) -> bool:
    """Whether its kernel can be called for some rows, and that may save anything."""
    if isinstance(op, Conv | Add) and not op.small:
        return False
    return by_rows(op) and isinstance(op, Conv | Add | Pool) and op.output.length > 1


def _shape(tensor: Tensor) -> tuple[int, int]:
    return tensor.length, tensor.channels


def bytes_read(op: Op, source: Tensor, first: int, count: int) -> tuple[int, int]:
    """Which bytes of `source`, begin and end, output rows `first` … need; all, if not `by_rows`."""
    if not by_rows(op) or (isinstance(op, Pair) and _shape(source) != _shape(op.output)):
        return 0, source.size
    low, high = first, first + count
    if isinstance(op, Conv | Pool):
        window = op.window
        reach = (window.kernel - 1) * window.dilation + 1
        low = low * window.stride - window.pad_left
        high = (high - 1) * window.stride - window.pad_left + reach
    low, high = (min(max(0, row), source.length) for row in (low, high))
    return low * source.channels, high * source.channels


def schedule(graph: Graph, groups: Sequence[Group]) -> list[Call]:
    """Every output row of every op once, in an order in which its inputs are there."""
    calls: list[Call] = []
    place = 0
    while place < len(graph.ops):
        group = next((g for g in groups if g[0] == place), (place, place))
        calls += _by_turns(graph.ops, group)
        place = group[1] + 1
    return calls


def _by_turns(ops: Sequence[Op], group: Group) -> Iterator[Call]:
    places = range(group[0], group[1] + 1)
    if len(places) == 1:
        yield Call(group[0], 0, ops[group[0]].output.length)
        return
    makers = {ops[p].output.index: p for p in places}
    done = dict.fromkeys(places, 0)
    quota = _quotas(ops, places, makers)
    while any(done[p] < ops[p].output.length for p in places):
        for p in places:
            target = _possible(ops, p, makers, done)
            target = min(target, done[p] + quota[p])
            if target < ops[p].output.length:
                target = target // TURN_MULTIPLE * TURN_MULTIPLE
            if target > done[p]:
                yield Call(p, done[p], target - done[p])
                done[p] = target


def _quotas(ops: Sequence[Op], places: Sequence[int], makers: dict[int, int]) -> dict[int, int]:
    """Rows that each op computes in a turn at most: a chunk; those that wait for nothing within the
    group take as many turns as each other."""
    length = {p: ops[p].output.length for p in places}
    quota = dict(length)
    for p in places:
        op = ops[p]
        if isinstance(op, Conv):
            quota[p] = conv_layout(op).chunk
    first = [p for p in places if not any(t.index in makers for t in ops[p].inputs)]
    turns = max(-(-length[p] // quota[p]) for p in first)
    for p in first:
        quota[p] = -(-length[p] // turns // TURN_MULTIPLE) * TURN_MULTIPLE
    return quota


def _possible(ops: Sequence[Op], place: int, makers: dict[int, int], done: dict[int, int]) -> int:
    """How many rows of the op's output can have been computed by now."""
    op, rows = ops[place], done[place]
    waits = [
        (t, done[makers[t.index]] * ops[makers[t.index]].output.channels)
        for t in op.inputs
        if t.index in makers
    ]
    while rows < op.output.length and all(
        bytes_read(op, t, rows, 1)[1] <= there for t, there in waits
    ):
        rows += 1
    return rows


@dataclass(frozen=True)
class Life:
    """When each row of a tensor is written and last read; times count the steps of the schedule."""

    birth: NDArray[np.int64]
    death: NDArray[np.int64]
    row_bytes: int

    @property
    def size(self) -> int:
        """Bytes of all rows."""
        return len(self.birth) * self.row_bytes

    @cached_property
    def span(self) -> tuple[int, int]:
        """When the first row is born, and the last one gone."""
        return int(self.birth.min()), int(self.death.max())


def steps(graph: Graph, calls: Sequence[Call]) -> list[Call]:
    """`calls` cut into what happens at once: a convolution's chunk is read whole before its output
    is written; other ops go row by row, or read and write in no order that could be relied on."""
    cut = []
    for call in calls:
        op = graph.ops[call.place]
        size = op.output.length
        if isinstance(op, Conv):
            size = conv_layout(op).chunk
        elif by_rows(op):
            size = 1
        end = call.first + call.count
        cut += [
            Call(call.place, first, min(size, end - first))
            for first in range(call.first, end, size)
        ]
    return cut


def lives(graph: Graph, cut: Sequence[Call]) -> dict[int, Life]:
    """By tensor number, for what ops compute. Step n reads at time 2n and writes at 2n + 1; what
    an op that is not `by_rows` reads it may still read while it writes."""
    found: dict[int, Life] = {}
    for op in graph.ops:
        rows = op.output.length
        found[op.output.index] = Life(np.zeros(rows, int), np.zeros(rows, int), op.output.channels)
    for time, step in enumerate(cut):
        op = graph.ops[step.place]
        for source in op.inputs:
            if source.index in found:
                life = found[source.index]
                low, high = bytes_read(op, source, step.first, step.count)
                rows_read = slice(low // life.row_bytes, -(-high // life.row_bytes))
                life.death[rows_read] = 2 * time + (0 if by_rows(op) else 1)
        own = found[op.output.index]
        written = slice(step.first, step.first + step.count)
        own.birth[written] = 2 * time + (1 if by_rows(op) else 0)
        own.death[written] = 2 * time + 1
    for tensor in graph.outputs:
        found[tensor.index].death[:] = 2 * len(cut)
    return found
