"""Place activations and scratch in one arena at generation time.

Bytes are shared by whatever is not needed at the same time, row by row:
`einthoven.codegen.engine.schedule` says from when to when. So ADD, pooling and most convolutions
work in place, give or take a few rows, and where ops take turns a tensor is written over the rows
of an earlier one that have been used up.

Optimal placement is NP-hard; graphs of this size are small, so many orders of first-fit placement
are tried (greedy ones, then seeded random ones) and the best is kept. `Plan.lower_bound` is what no
placement can beat: the most bytes that are needed at one time.
"""

import random
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from einthoven.codegen.engine.graph import Conv, Graph, Op, Tensor
from einthoven.codegen.engine.layout import conv_layout
from einthoven.codegen.engine.schedule import (
    Call,
    Group,
    Life,
    by_rows,
    bytes_read,
    lives,
    schedule,
    steps,
    takes_turns,
)

ALIGNMENT = 4
RANDOM_ORDERS = 500
TRIAL_ORDERS = 20
MAX_GROUP = 8
WORTHWHILE = 0.8
"""A group is kept where it brings the arena below this part of what it was: turns take code."""
_FAR = 1 << 40


@dataclass(frozen=True)
class Plan:
    """Offsets in an arena of `size` bytes by key, `t<tensor>`, `s<op>`, numbered as in the file;
    the calls in order, and the groups of ops that take turns."""

    offsets: dict[str, int]
    size: int
    lower_bound: int
    calls: tuple[Call, ...]
    groups: tuple[Group, ...]


def tensor_key(tensor: Tensor) -> str:
    """The buffer of an activation."""
    return f"t{tensor.index}"


def scratch_key(op: Op) -> str:
    """The scratch buffer of a convolution."""
    return f"s{op.number}"


def plan(graph: Graph, worthwhile: float = WORTHWHILE) -> Plan:
    """Place all buffers of `graph`; ops take turns where that saves much. Deterministic."""
    problem = _Problem(graph, ())
    size = problem.solve(TRIAL_ORDERS)[1]
    while True:
        goal = int(worthwhile * size)
        tried = [_Problem(graph, groups) for groups in _more(graph, problem, goal)]
        solved = [(p.solve(TRIAL_ORDERS)[1], n) for n, p in enumerate(tried) if p.bound <= goal]
        smallest, best = min(solved, default=(goal + 1, 0))
        if smallest > goal:
            break
        size, problem = smallest, tried[best]
    offsets, size = problem.solve(RANDOM_ORDERS)
    bound = _aligned(problem.bound)
    return Plan(offsets, _aligned(size), bound, tuple(problem.calls), problem.groups)


def _more(graph: Graph, problem: "_Problem", goal: int) -> list[tuple[Group, ...]]:
    """The groups and one more, which holds all ops that need more than `goal` bytes."""
    taken = {p for first, last in problem.groups for p in range(first, last + 1)}
    high = [place for place, peak in enumerate(problem.peaks) if peak > goal]
    found: list[tuple[Group, ...]] = []
    if not high:
        return found
    for first in range(max(0, high[-1] - MAX_GROUP + 1), high[0] + 1):
        for last in range(max(high[-1], first + 1), min(len(graph.ops), first + MAX_GROUP)):
            places = range(first, last + 1)
            if taken.isdisjoint(places) and all(takes_turns(graph.ops[p]) for p in places):
                found.append(tuple(sorted((*problem.groups, (first, last)))))
    return found


def _aligned(size: int) -> int:
    return -(-size // ALIGNMENT) * ALIGNMENT


class _Problem:
    """What is to be placed, and which distances pairs must keep."""

    def __init__(self, graph: Graph, groups: tuple[Group, ...]) -> None:
        self.graph = graph
        self.groups = groups
        self.calls = schedule(graph, groups)
        cut = steps(graph, self.calls)
        placed = {t.index for t in graph.activations()}
        self.lives = {f"t{i}": life for i, life in lives(graph, cut).items() if i in placed}
        self.leaders = {p: first for first, last in groups for p in range(first, last + 1)}
        self.lives |= self._scratch(cut)
        needed = _needed(self.lives.values(), 2 * len(cut) + 1)
        self.bound = int(needed.max(initial=0))
        self.peaks = [0] * len(graph.ops)  # most bytes that are needed during each op
        for time, step in enumerate(cut):
            most = int(needed[2 * time : 2 * time + 2].max())
            self.peaks[step.place] = max(self.peaks[step.place], most)

    def _scratch(self, cut: Sequence[Call]) -> dict[str, Life]:
        """Needed while an op works; ops that take turns share the first one's."""
        found: dict[str, Life] = {}
        for time, step in enumerate(cut):
            op = self.graph.ops[step.place]
            if isinstance(op, Conv):
                key = self._scratch_of(step.place)
                size, birth = conv_layout(op).scratch_bytes, 2 * time
                if key in found:
                    size = max(size, found[key].size)
                    birth = int(found[key].birth[0])
                found[key] = Life(np.array([birth]), np.array([2 * time + 1]), size)
        return found

    def _scratch_of(self, place: int) -> str:
        return scratch_key(self.graph.ops[self.leaders.get(place, place)])

    @cached_property
    def distances(self) -> dict[str, list[tuple[str, int, int]]]:
        """By key: others, and between which differences to their offsets its own must not lie."""
        within = {
            (tensor_key(op.output), tensor_key(t)): _within_a_step(op, t)
            for op in self.graph.ops
            if by_rows(op) and not isinstance(op, Conv)
            for t in op.inputs
        }
        found: dict[str, list[tuple[str, int, int]]] = {key: [] for key in self.lives}
        keys = sorted(self.lives, key=lambda k: self.lives[k].span)
        for i, a in enumerate(keys):
            for b in keys[i + 1 :]:
                if self.lives[b].span[0] > self.lives[a].span[1]:
                    break  # and so do all that follow
                limits = [_apart(self.lives[a], self.lives[b])]
                if (a, b) in within:
                    limits.append(within[a, b])
                if (b, a) in within:
                    limits.append(within[b, a][::-1])
                below = max(limit[0] for limit in limits)
                above = max(limit[1] for limit in limits)
                if -below < above:
                    found[a].append((b, -below, above))
                    found[b].append((a, -above, below))
        return found

    def solve(self, orders: int) -> tuple[dict[str, int], int]:
        """Offsets and size of the best of so many orders."""
        size = {k: life.size for k, life in self.lives.items()}
        birth = {k: life.span[0] for k, life in self.lives.items()}
        span = {k: life.span[1] - birth[k] for k, life in self.lives.items()}
        keys = sorted(self.lives)
        by_size = sorted(keys, key=lambda k: (-size[k], birth[k]))
        by_time = sorted(keys, key=lambda k: (birth[k], -size[k]))
        by_area = sorted(keys, key=lambda k: -size[k] * span[k])
        best: dict[str, int] = {}
        smallest = -1
        shuffled = random.Random(0)
        for attempt in range(orders):
            if attempt < 3:
                order = (by_size, by_time, by_area)[attempt]
            else:
                order = sorted(by_size, key=lambda k: -size[k] * shuffled.uniform(0.3, 1.0))
            offsets = self._first_fit(order)
            needed = max((offsets[k] + size[k] for k in keys), default=0)
            if smallest < 0 or needed < smallest:
                best, smallest = offsets, needed
            if smallest <= self.bound:
                break
        for place, op in enumerate(self.graph.ops):
            if isinstance(op, Conv):
                best[scratch_key(op)] = best[self._scratch_of(place)]
        return best, max(smallest, 0)

    def _first_fit(self, order: Sequence[str]) -> dict[str, int]:
        """Each buffer in turn at the lowest offset that harms none placed before."""
        offsets: dict[str, int] = {}
        for key in order:
            taken = sorted(
                (offsets[other] + low, offsets[other] + high)
                for other, low, high in self.distances[key]
                if other in offsets
            )
            offset = 0
            for low, high in taken:
                if offset <= low:
                    break  # and so it is to those that follow
                if offset < high:
                    offset = _aligned(high)
            offsets[key] = offset
        return offsets


def _needed(alive: Iterable[Life], times: int) -> NDArray[np.int64]:
    """Bytes at each time."""
    change = np.zeros(times + 1, dtype=np.int64)
    for life in alive:
        np.add.at(change, life.birth, life.row_bytes)
        np.add.at(change, life.death + 1, -life.row_bytes)
    return change.cumsum()[:-1]


def _apart(a: Life, b: Life) -> tuple[int, int]:
    """Bytes that `a` must begin before `b` (may be negative), or else behind it."""
    meet = (a.birth[:, None] <= b.death) & (b.birth <= a.death[:, None])
    rows_a, rows_b = np.nonzero(meet)
    if len(rows_a) == 0:
        return -_FAR, -_FAR
    below = (rows_a + 1) * a.row_bytes - rows_b * b.row_bytes
    above = (rows_b + 1) * b.row_bytes - rows_a * a.row_bytes
    return int(below.max()), int(above.max())


def _within_a_step(op: Op, source: Tensor) -> tuple[int, int]:
    """The same for the output and `source` of an op that writes while it reads a row's inputs."""
    reads = [bytes_read(op, source, row, 1) for row in range(op.output.length)]
    at = [row * op.output.channels for row in range(op.output.length)]
    return (
        max(out - low for out, (low, _) in zip(at, reads, strict=True)),
        max(high - out for out, (_, high) in zip(at, reads, strict=True)),
    )
