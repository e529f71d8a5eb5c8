"""Place activations and scratch in one arena at generation time.

Buffers whose lifetimes do not meet may share bytes. An op's output may also overlap its own input
where the op reads every input row before it writes over it; how far the output must begin before
the input for that follows from the op's window (`output_lead`). That makes ADD, pooling and most
convolutions work in place, give or take a few rows.

Optimal placement is NP-hard; graphs of this size are small, so many orders of first-fit placement
are tried (greedy ones, then seeded random ones) and the best is kept. `Plan.lower_bound` is what no
placement can beat: the most bytes that are alive at one op, overlap allowed for.
"""

import random
from collections.abc import Sequence
from dataclasses import dataclass

from codegen.graph import Add, Conv, Graph, Lookup, Op, Pool, Requantize, Tensor

ALIGNMENT = 4
DEPTH_MULTIPLE = 8
"""Of the inner loops, which take eight values at a time."""
RANDOM_ORDERS = 500
MAX_CHUNK = 36
SCRATCH_TARGET_BYTES = 1280
"""Scratch beyond this buys nothing: widening a row anew costs less than 3 % of using it."""


@dataclass(frozen=True)
class ConvLayout:
    """How a convolution's inputs lie in its scratch; see firmware/engine/ein_nn_conv.h."""

    rows: bool
    depth: int
    step: int
    chunk: int
    wide: bool

    @property
    def scratch_bytes(self) -> int:
        """Room for `chunk` positions and two channels' weights, two bytes an element."""
        weights = 0 if self.wide else 2 * self.depth
        return 2 * ((self.chunk - 1) * self.step + self.depth + weights)


def conv_layout(op: Conv) -> ConvLayout:
    """Scratch layout of `op`: rows where windows follow each other at even distances."""
    channels, window = op.weights.shape[2], op.window
    depth = -(-window.kernel * channels // DEPTH_MULTIPLE) * DEPTH_MULTIPLE
    distance = window.stride * channels
    rows = window.dilation == 1 and distance % 2 == 0 and distance <= depth
    step = distance if rows else depth
    fitting = (SCRATCH_TARGET_BYTES // 2 - (depth if op.wide else 3 * depth)) // step + 1
    chunk = max(2, min(MAX_CHUNK, fitting, op.output.length) // 2 * 2)
    return ConvLayout(rows, depth, step, min(chunk, op.output.length), op.wide)


@dataclass(frozen=True)
class Buffer:
    """Bytes that are needed from op `first` to op `last`, both included."""

    key: str
    size: int
    first: int
    last: int


@dataclass(frozen=True)
class Plan:
    """Offsets in an arena of `size` bytes by key: `t<tensor>`, `s<op>`, numbered as in the file."""

    offsets: dict[str, int]
    size: int
    lower_bound: int


def tensor_key(tensor: Tensor) -> str:
    """The buffer of an activation."""
    return f"t{tensor.index}"


def scratch_key(op: Op) -> str:
    """The scratch buffer of a convolution."""
    return f"s{op.number}"


def output_lead(op: Op, source: Tensor) -> int | None:
    """Bytes that the output must begin before `source` to overlap it; None: it must not."""
    if isinstance(op, Add | Requantize | Lookup):
        return 0
    if isinstance(op, Pool):  # a row is written value by value while its window is read
        positions = range(op.output.length)
    elif isinstance(op, Conv):  # a block is read whole, then written; so is nothing before it
        block = conv_layout(op).chunk
        positions = range(block, op.output.length, block)
    else:
        return None
    # when position p is read, the rows before p are written, and input rows from `row` on needed
    window = op.window
    return max(
        (
            p * op.output.channels - max(0, p * window.stride - window.pad_left) * source.channels
            for p in positions
        ),
        default=-source.size,
    )


def plan(graph: Graph) -> Plan:
    """Place all buffers of `graph`. Deterministic."""
    buffers = _buffers(graph)
    leads = _leads(graph, buffers)
    bound = _lower_bound(graph, buffers, leads)
    keys = list(buffers)
    by_size = sorted(keys, key=lambda k: (-buffers[k].size, buffers[k].first, k))
    by_time = sorted(keys, key=lambda k: (buffers[k].first, -buffers[k].size, k))
    by_area = sorted(
        keys, key=lambda k: (-buffers[k].size * (1 + buffers[k].last - buffers[k].first), k)
    )
    best: dict[str, int] = {}
    best_size = -1
    shuffled = random.Random(0)
    for attempt in range(3 + RANDOM_ORDERS):
        if attempt < 3:
            order = (by_size, by_time, by_area)[attempt]
        else:
            order = sorted(by_size, key=lambda k: -buffers[k].size * shuffled.uniform(0.3, 1.0))
        offsets = _first_fit(order, buffers, leads)
        size = max((offsets[k] + buffers[k].size for k in keys), default=0)
        if best_size < 0 or size < best_size:
            best, best_size = offsets, size
        if best_size <= bound:
            break
    return Plan(best, _aligned(max(best_size, 0)), bound)


def _aligned(size: int) -> int:
    return -(-size // ALIGNMENT) * ALIGNMENT


def _buffers(graph: Graph) -> dict[str, Buffer]:
    buffers: dict[str, Buffer] = {}
    activations = {t.index for t in graph.activations()}
    for number, op in enumerate(graph.ops):
        if op.output.index in activations:
            users = [
                n
                for n, o in enumerate(graph.ops)
                if any(t.index == op.output.index for t in o.inputs)
            ]
            key = tensor_key(op.output)
            buffers[key] = Buffer(key, op.output.size, number, max(users, default=number))
        if isinstance(op, Conv):
            key = scratch_key(op)
            buffers[key] = Buffer(key, conv_layout(op).scratch_bytes, number, number)
    return buffers


def _leads(graph: Graph, buffers: dict[str, Buffer]) -> dict[tuple[str, str], int]:
    """(output, input) → lead, for inputs that nobody reads after the op."""
    leads: dict[tuple[str, str], int] = {}
    for number, op in enumerate(graph.ops):
        out = tensor_key(op.output)
        for source in op.inputs:
            key = tensor_key(source)
            lead = output_lead(op, source)
            if (
                key in buffers
                and out in buffers
                and buffers[key].last == number
                and lead is not None
            ):
                leads[out, key] = lead
    return leads


def _first_fit(
    order: Sequence[str], buffers: dict[str, Buffer], leads: dict[tuple[str, str], int]
) -> dict[str, int]:
    """Each buffer in turn at the lowest offset that harms none placed before."""
    offsets: dict[str, int] = {}
    for key in order:
        buffer = buffers[key]
        taken: list[tuple[int, int]] = []  # offsets low < x < high are forbidden
        for other, at in offsets.items():
            placed = buffers[other]
            if buffer.last < placed.first or placed.last < buffer.first:
                continue
            low, high = at - buffer.size, at + placed.size
            if (key, other) in leads:  # I am the output: up to `lead` before the input
                low = max(low, at - leads[key, other])
            if (other, key) in leads:  # I am the input: from `lead` after the output on
                high = min(high, at + leads[other, key])
            if low < high:
                taken.append((low, high))
        offset = 0
        while any(low < offset < high for low, high in taken):
            offset = _aligned(min(high for low, high in taken if low < offset < high))
        offsets[key] = offset
    return offsets


def _lower_bound(
    graph: Graph, buffers: dict[str, Buffer], leads: dict[tuple[str, str], int]
) -> int:
    """The most bytes alive at one op; an output saves what it can share with one of its inputs."""
    worst = 0
    for number, op in enumerate(graph.ops):
        alive = sum(b.size for b in buffers.values() if b.first <= number <= b.last)
        out = tensor_key(op.output)
        saved = 0
        for source in op.inputs:
            key = tensor_key(source)
            if (out, key) in leads:
                both = buffers[out].size + buffers[key].size
                together = max(buffers[out].size, buffers[key].size + max(0, leads[out, key]))
                saved = max(saved, both - together)
        worst = max(worst, alive - saved)
    return worst
