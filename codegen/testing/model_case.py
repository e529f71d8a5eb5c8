"""A model that somebody brought: accepted and computed as TFLite Micro does, or refused with words.

    python -m einthoven.codegen.testing.model_case FILE.tflite FOLDER …

The generated C runs on the host under sanitizers, the emulated Cortex-M4 and rv32; every op's
output is compared with TFLite Micro's.
"""

import argparse
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from einthoven.codegen.engine import reader
from einthoven.codegen.engine.graph import Graph
from einthoven.codegen.engine.lower import Goal, lower
from einthoven.codegen.testing.many_models import PLACES, Int8, Job, differences, programs, run
from einthoven.codegen.testing.random_models import noise
from einthoven.errors import ModelError
from einthoven.native.tflm import tflm_layers

VECTORS = 8


@dataclass(frozen=True)
class Case:
    """A model's file; `graph` is None where it was refused, for `reason`."""

    name: str
    data: bytes
    graph: Graph | None
    reason: str = ""


def case_of(name: str, data: bytes, optimize: Goal = "speed") -> Case:
    """Read `data`; never raises on a bad model."""
    try:
        return Case(name, data, lower(reader.parse(data), optimize))
    except ModelError as error:
        return Case(name, data, None, str(error))


def inputs_of(graph: Graph, n: int) -> list[Int8]:
    """`n` vectors for each input: extremes, then random ones."""
    return [noise((t.length, t.channels), n, seed=i) for i, t in enumerate(graph.inputs)]


def layers_of(case: Case, graph: Graph, inputs: Sequence[Int8]) -> list[dict[int, Int8]]:
    """TFLite Micro's values of every tensor that the graph computes and the file knows."""
    return tflm_layers(case.data, inputs, [op.output.index for op in graph.ops])


def compare(
    cases: Sequence[Case],
    kernels: Path,
    folder: Path,
    places: Sequence[str] = PLACES,
    n: int = VECTORS,
) -> dict[str, list[str]]:
    """By a case's name a line per place where it differs from TFLite Micro; accepted ones only."""
    jobs: list[Job] = []
    expected: dict[str, list[dict[int, Int8]]] = {}
    for case in cases:
        if case.graph is None:
            continue
        assert case.name not in expected, f"two models are called {case.name}"
        inputs = inputs_of(case.graph, n)
        jobs.append(Job(case.name, case.graph, inputs))
        expected[case.name] = layers_of(case, case.graph, inputs)
    found: dict[str, list[str]] = {job.label: [] for job in jobs}
    for number, portion in enumerate(programs(jobs)):
        for place in places:
            sums = run(portion, place, kernels, folder / f"{place}_{number}")
            for job, mine in zip(portion, sums, strict=True):
                lines = differences([job], [mine], [expected[job.label]])
                found[job.label] += [f"{place}: {line}" for line in lines]
    return found


def check_model_case(folder: Path) -> tuple[bool, str]:
    """Whether every `.tflite` in `folder` is accepted and bit-exact, or refused by op, tensor and
    cure; and what was seen, a line per file."""
    cases = [case_of(path.name, path.read_bytes()) for path in sorted(folder.glob("*.tflite"))]
    if not cases:
        return False, f"no .tflite in {folder.name}"
    with tempfile.TemporaryDirectory() as scratch:
        found = compare(cases, Path(scratch, "kernels"), Path(scratch, "programs"))
    right, lines = True, []
    for case in cases:
        if case.graph is None:
            named = case.reason.startswith("op ") and "tensor" in case.reason
            right &= named
            lines.append(f"{case.name}: refused: {case.reason}")
        elif found[case.name]:
            right = False
            lines += [f"{case.name}: {line}" for line in found[case.name]]
        else:
            lines.append(
                f"{case.name}: {len(case.graph.ops)} ops as TFLite Micro computes them, {VECTORS} "
                f"inputs, on {', '.join(PLACES)}"
            )
    return right, "\n".join(lines)


def main(argv: list[str] | None = None) -> int:
    """Print what became of each file; exit code 1 if one is wrong, or refused without words."""
    parser = argparse.ArgumentParser(
        prog="python -m einthoven.codegen.testing.model_case", description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )  # fmt: skip
    parser.add_argument("given", nargs="+", type=Path, metavar="FILE")
    args = parser.parse_args(argv)
    good = True
    for path in args.given:
        if not path.exists():
            parser.error(f"no file {path}: give a .tflite, or a folder that holds a case")
        if path.is_dir():
            right, what = check_model_case(path)
        else:
            with tempfile.TemporaryDirectory() as scratch:
                (Path(scratch) / path.name).write_bytes(path.read_bytes())
                right, what = check_model_case(Path(scratch))
        good &= right
        print(what, flush=True)
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
