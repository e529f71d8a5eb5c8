"""Every kernel against the plain reference, on the host, the emulated Cortex-M4, M3, M0 and rv32.

    python -m einthoven.codegen.testing.cross_check                  all of it: hours
    python -m einthoven.codegen.testing.cross_check --part 3/20      a twentieth, shuffled
    python -m einthoven.codegen.testing.cross_check --place m4 --seed 7

The product of shapes and the kinds of data are in `kernel_cases.py`; `tests/test_cross_check.py`
runs its corners and a slice. Exit code 1 and a line for each model that is wrong somewhere, with
the op at which it begins.
"""

import argparse
import random
import shutil
import sys
import tempfile
import time
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

import numpy as np

from einthoven.codegen.engine import reader
from einthoven.codegen.engine.lower import lower
from einthoven.codegen.testing import kernel_cases, plain_reference
from einthoven.codegen.testing.kernel_cases import VECTORS, Case
from einthoven.codegen.testing.many_models import (
    PLACES,
    SMALL_PLACES,
    Int8,
    Job,
    differences,
    programs,
    programs_at,
    run,
)

EVERYWHERE = (*PLACES, *SMALL_PLACES)


def all_cases() -> list[Case]:
    """Each case once: convolutions, dense layers, and the kernels without weights."""
    return [
        *kernel_cases.convolutions(), *kernel_cases.dense_layers(), *kernel_cases.others()
    ]  # fmt: skip


def jobs(cases: Iterable[Case], seed: int, n: int) -> Iterator[tuple[Job, list[dict[int, Int8]]]]:
    """Models of `cases` with `n` vectors, and what the plain reference makes of each vector.

    Every other model is generated for size instead of for speed.
    """
    rng = np.random.default_rng([seed, 0x10B5])
    for number, (label, data) in enumerate(kernel_cases.models(cases, seed)):
        raw = reader.parse(data)
        graph = lower(raw, "size" if number % 2 else "speed")
        inputs = [kernel_cases.vectors((t.length, t.channels), n, rng) for t in graph.inputs]
        expected = [plain_reference.layers(raw, [i[v] for i in inputs]) for v in range(n)]
        yield Job(f"{label} of seed {seed}", graph, inputs), expected


def check(
    cases: Sequence[Case], seed: int, places: Sequence[str], kernels: Path, folder: Path,
    n: int = VECTORS,
) -> list[str]:  # fmt: skip
    """A line per model and place where an op differs; `folder` is for the programs."""
    wrong = []
    expected: dict[str, list[dict[int, Int8]]] = {}

    def made() -> Iterator[Job]:
        for job, layers in jobs(cases, seed, n):
            expected[job.label] = layers
            yield job

    for portion in programs(made()):
        for place in places:
            for part in programs_at(portion, place):
                shutil.rmtree(folder, ignore_errors=True)
                found = run(part, place, kernels, folder)
                layers = [expected[job.label] for job in part]
                wrong += [f"{place}: {line}" for line in differences(part, found, layers)]
        for job in portion:
            del expected[job.label]
    return wrong


def _part(text: str) -> tuple[int, int]:
    part, _, parts = text.partition("/")
    if not (part.isdecimal() and parts.isdecimal() and 1 <= int(part) <= int(parts)):
        raise argparse.ArgumentTypeError(f"{text!r} is no part of a whole: say 3/20")
    return int(part), int(parts)


def main(argv: list[str] | None = None) -> int:
    """Print what differs, and how far it is."""
    parser = argparse.ArgumentParser(
        prog="python -m einthoven.codegen.testing.cross_check", description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )  # fmt: skip
    parser.add_argument(
        "--part", type=_part, default="1/1", metavar="K/N", help="the K-th of N parts [1/1]"
    )
    parser.add_argument("--place", action="append", choices=EVERYWHERE, help="[all of them]")
    parser.add_argument("--seed", type=int, default=0, help="of weights, scales and inputs [0]")
    args = parser.parse_args(argv)
    part, parts = args.part
    cases = all_cases()
    random.Random(args.seed).shuffle(cases)
    chosen = cases[part - 1 :: parts]
    print(f"{len(chosen):,} of {len(cases):,} cases, {VECTORS} inputs each")
    wrong, begin, step = 0, time.monotonic(), 2000
    with tempfile.TemporaryDirectory() as scratch:
        for at in range(0, len(chosen), step):
            kernels, program = Path(scratch, "kernels"), Path(scratch, "program")
            some = chosen[at : at + step]
            lines = check(some, args.seed + at, args.place or EVERYWHERE, kernels, program)
            wrong += len(lines)
            done, seconds = at + len(some), time.monotonic() - begin
            lines.append(f"{done:,} cases, {wrong} models wrong, {seconds:,.0f} s")
            print("\n".join(lines), flush=True)
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
