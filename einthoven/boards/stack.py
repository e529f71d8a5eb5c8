"""Bound of the stack, from GCC's call graph (`-fcallgraph-info=su`)."""

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

from einthoven.errors import BuildError

EXCEPTION_FRAME_BYTES = 32 + 4
"""What a Cortex-M pushes when an interrupt comes (no FPU): eight words, and one to align."""
VECTOR_FRAME_BYTES = EXCEPTION_FRAME_BYTES + 72
"""With Helium: S0 to S15, FPSCR and VPR besides, 18 words (Arm DDI 0553, exception entry)."""

_NODE = re.compile(r'node: \{ title: "([^"]+)" label: "[^"]*?(?:\\n(\d+) bytes \((\w+)[^"]*)?"')
_EDGE = re.compile(r'edge: \{ sourcename: "([^"]+)" targetname: "([^"]+)"')
_INDIRECT = "__indirect_call"


@dataclass
class CallGraph:
    """Functions with their own stack in bytes, and whom they call."""

    own: dict[str, int] = field(default_factory=dict)
    calls: dict[str, set[str]] = field(default_factory=dict)

    def titled(self, name: str) -> list[str]:
        """Nodes of a function: one, or its clones where the linker optimizes (`main.isra.0`)."""
        return [t for t in self.own if t.rpartition(":")[2].partition(".")[0] == name]

    def depth(
        self, root: str, indirect: Iterable[str], library_bytes: int
    ) -> tuple[int, list[str]]:
        """Most bytes that `root` and all below it use at once, and the way there.

        Calls through a pointer may reach any function whose name is in `indirect`; a function
        without information takes `library_bytes`. Raises BuildError on recursion, or if `root` or
        one of `indirect` is not there.
        """
        found = {name: self.titled(name) for name in (root, *indirect)}
        missing = [name for name, titles in found.items() if not titles]
        targets = [title for name in indirect for title in found[name]]
        if missing:
            names = ", ".join(sorted(missing))
            raise BuildError(f"no stack information about {names}: build anew, see budget.toml")
        under_way: list[str] = []

        @cache
        def walk(name: str) -> tuple[int, tuple[str, ...]]:
            if name in under_way:
                way = " -> ".join([*under_way[under_way.index(name) :], name])
                raise BuildError(f"the firmware must not recurse, its stack has no bound: {way}")
            if name not in self.own:
                return library_bytes, (name,)
            under_way.append(name)
            below = self.calls.get(name, set())
            named = sorted((below - {_INDIRECT}) | (set(targets) if _INDIRECT in below else set()))
            deepest = max((walk(callee) for callee in named), default=(0, ()))
            under_way.pop()
            return self.own[name] + deepest[0], (name, *deepest[1])

        size, way = max(walk(title) for title in found[root])
        return size, list(way)


def read_call_graph(folder: Path) -> CallGraph:
    """Read all `.ci` files below a build folder. Raises BuildError for a frame without a bound."""
    graph = CallGraph()
    for path in sorted(folder.rglob("*.ci")):
        text = path.read_text()
        for title, size, kind in _NODE.findall(text):
            if not size:
                continue
            if "dynamic" in kind:
                raise BuildError(f"{title}: its stack depends on data; use arrays of fixed size")
            graph.own[title] = max(int(size), graph.own.get(title, 0))
        for source, target in _EDGE.findall(text):
            graph.calls.setdefault(source, set()).add(target)
    return graph


def stack_bound(
    folder: Path,
    handlers: Iterable[str],
    indirect: Iterable[str],
    library_bytes: int,
    interruptible: Iterable[str] = (),
    frame_bytes: int = EXCEPTION_FRAME_BYTES,
) -> tuple[int, list[str]]:
    """Bytes that main() and interrupts on top of it need at most, and main()'s way there.

    `handlers`: interrupts that return, of which a board has some; they have one priority, so they
    do not nest. `interruptible`: those of lower priorities, each another one. `frame_bytes`: what
    the core pushes for each.
    """
    graph = read_call_graph(folder)
    indirect = list(indirect)
    size, way = graph.depth("main", indirect, library_bytes)
    top = max(
        (graph.depth(h, indirect, library_bytes)[0] for h in handlers if graph.titled(h)), default=0
    )
    for handler in interruptible:
        if graph.titled(handler):
            size += frame_bytes + graph.depth(handler, indirect, library_bytes)[0]
    return size + frame_bytes + top, way
