"""Damaged and hostile `.tflite` files: what the reader accepts must still be computed right.

    python -m einthoven.codegen.testing.mutants --files 50000

Every file gives a ModelError of one line, or a model. A model whose generated C is not the good
file's is run on the host under sanitizers and compared, op by op, with TFLite Micro, which runs in
a process of its own, because a file may bring it down. Nothing may differ; a file that TFLite Micro
refuses, or dies of, and that is accepted here, is told.
"""

import argparse
import os
import pickle
import random
import sys
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from einthoven.codegen.engine import reader
from einthoven.codegen.engine.emit import Description, emit
from einthoven.codegen.engine.graph import Graph
from einthoven.codegen.engine.lower import lower
from einthoven.codegen.engine.planner import plan
from einthoven.codegen.testing import op_models
from einthoven.codegen.testing.many_models import HOST, Int8, Job, differences, programs, run
from einthoven.codegen.testing.random_models import ConvCase, Scribe, noise
from einthoven.errors import ModelError
from einthoven.native.tflm import tflm_layers

VECTORS = 4
MAX_ARENA = 1 << 20
"""A mutant that wants more is not run: its buffers would be a test of the host's memory."""


def small_model() -> bytes:
    """Nearly every op once, so that mutations reach each op's checks."""
    s = Scribe(1)
    source = s.input([1, 1, 12, 4])
    x = s.conv(s.pad(source, 1, 1), ConvCase(14, 4, 4, 3))
    x = s.conv(x, ConvCase(14, 4, 4, 3, depth_multiplier=1))
    x = s.pool(s.add(x, x), 2, 2, 1)
    x = s.concat([s.mean(x), s.dense(s.reshape(x, [1, 28]), 3, per_channel=True)], 1)
    return s.b.finish([source], [s.softmax(x)])


def other_ops() -> list[bytes]:
    """The same of the ops of `op_models`, in four files."""
    return [data for _, data in op_models.models([0])]


def mutate(good: bytes, rng: random.Random) -> bytes:
    """Flipped bits, words overwritten or copied from elsewhere; one in eight is cut as well.

    Mostly one place: what is damaged in many is found out by the first check.
    """
    data = bytearray(good)
    for _ in range(rng.choice([1, 1, 1, 2, 4])):
        kind, at = rng.randrange(4), rng.randrange(len(data) - 4)
        if kind == 0:
            word = rng.choice([0, 0xFFFFFFFF, 0x7FFFFFFF, 0x80000000, rng.getrandbits(32)])
            data[at : at + 4] = word.to_bytes(4, "little")
        elif kind == 1:
            other = rng.randrange(len(data) - 4)
            data[at : at + 4] = data[other : other + 4]
        else:
            data[at] ^= 1 << rng.randrange(8)
    if rng.random() < 1 / 8:
        del data[max(rng.randrange(len(data)), 20) :]
    return bytes(data)


def compiled(data: bytes) -> tuple[Graph, str] | None:
    """The graph and its C, or None for a file that is refused as it should be."""
    try:
        graph = lower(reader.parse(data))
        return graph, emit(graph, plan(graph), Description("fuzz", "0" * 64))["ein_model.c"]
    except ModelError as error:
        assert "\n" not in str(error)
        assert len(str(error)) > 20
        return None


@dataclass
class Outcome:
    """What became of the mutants."""

    files: int = 0
    refused: int = 0
    run: int = 0
    """Accepted, and other C than the good file's."""
    wrong: list[str] = field(default_factory=list)
    """Lines about those whose engine differs from TFLite Micro."""
    beyond: list[str] = field(default_factory=list)
    """Accepted here, and refused by TFLite Micro or fatal to it."""


def fuzz(
    seed: int, files: int, most_run: int, kernels: Path, folder: Path, good: bytes | None = None
) -> Outcome:
    """Mutate `good` [small_model] `files` times, and run up to `most_run` accepted mutants."""
    good = good or small_model()
    accepted = compiled(good)
    assert accepted is not None
    outcome, rng, seen = Outcome(), random.Random(seed), {accepted[1]}
    jobs: list[Job] = []
    expected: dict[str, list[dict[int, Int8]]] = {}
    for number in range(files):
        data = mutate(good, rng)
        outcome.files += 1
        made = compiled(data)
        if made is None:
            outcome.refused += 1
            continue
        graph, text = made
        if text in seen or len(jobs) == most_run or plan(graph).size > MAX_ARENA:
            continue
        seen.add(text)
        inputs = [noise((t.length, t.channels), VECTORS, seed) for t in graph.inputs]
        tensors = [op.output.index for op in graph.ops]
        label = f"mutant {number} of seed {seed}"
        layers = in_child(lambda d=data, i=inputs, t=tensors: tflm_layers(d, i, t))  # type: ignore[misc]
        if layers is None:
            outcome.beyond.append(label)
            continue
        jobs.append(Job(label, graph, inputs))
        expected[label] = layers
    outcome.run = len(jobs)
    for n, portion in enumerate(programs(jobs)):
        found = run(portion, HOST, kernels, folder / str(n))
        outcome.wrong += differences(portion, found, [expected[job.label] for job in portion])
    return outcome


def in_child(work: Callable[[], list[dict[int, Int8]]]) -> list[dict[int, Int8]] | None:
    """What `work` returns, computed in a child process; None if it raises or dies."""
    read, write = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            os.dup2(os.open(os.devnull, os.O_WRONLY), 2)  # TFLite Micro's complaints
            with os.fdopen(write, "wb") as pipe:
                pickle.dump(work(), pipe)
            os._exit(0)
        finally:
            os._exit(1)
    os.close(write)
    with os.fdopen(read, "rb") as pipe:
        answer = pipe.read()
    _, status = os.waitpid(child, 0)
    return pickle.loads(answer) if status == 0 else None


def _batches(files: int, size: int) -> Iterator[int]:
    while files > 0:
        yield min(files, size)
        files -= size


def main(argv: list[str] | None = None) -> int:
    """Print what is wrong, batch by batch; exit code 1 if an engine is."""
    parser = argparse.ArgumentParser(
        prog="python -m einthoven.codegen.testing.mutants", description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )  # fmt: skip
    parser.add_argument("--files", type=int, default=5000)
    parser.add_argument("--seed", type=int, default=0)
    args = parser.parse_args(argv)
    wrong, goods = 0, [small_model(), *other_ops()]
    for number, size in enumerate(_batches(args.files, 500)):
        with tempfile.TemporaryDirectory() as scratch:
            kernels, good = Path(scratch, "kernels"), goods[number % len(goods)]
            o = fuzz(args.seed + number, size, size, kernels, Path(scratch), good)
        wrong += len(o.wrong)
        lines = [*o.wrong, *(f"{line}: accepted here, not by TFLite Micro" for line in o.beyond)]
        lines.append(f"{o.files} files, {o.refused} refused, {o.run} run, {len(o.wrong)} wrong")
        print("\n".join(lines), flush=True)
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
