"""Models built by other recipes: which run, bit-exact, and which are refused with which words.

    python -m einthoven.codegen.testing.other_recipes                       Keras, tfmot
    python -m einthoven.codegen.testing.other_recipes --also FILE.tflite …  and others' files

Builds the models of `recipes` with TensorFlow's converter, runs the accepted ones on the host under
sanitizers, the emulated Cortex-M4 and rv32, compares every op with TFLite Micro, and writes
docs/results/other_recipes.json and its table in docs/engine.md. `--also` takes files that
`torch_recipe.py` and `onnx_recipe.py` made, or anybody's. Minutes; needs the `train` extra.
"""

import argparse
import json
import sys
import tempfile
from collections.abc import Mapping, Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Any

from einthoven.codegen.engine import reader
from einthoven.codegen.testing.many_models import PLACES
from einthoven.codegen.testing.model_case import Case, case_of, compare
from einthoven.codegen.testing.regions import write_region
from einthoven.errors import ModelError
from einthoven.paths import ROOT

RESULTS = ROOT / "docs" / "results" / "other_recipes.json"
PACKAGES = ("tensorflow", "keras", "tf_keras", "tensorflow_model_optimization", "tflite_micro")
VECTORS = 20
MAX_WORDS = 150


def measure(also: Sequence[Path]) -> dict[str, Any]:
    """What became of each model; figures and versions."""
    from einthoven.codegen.testing.recipes import RECIPES, convert

    cases = []
    for recipe in RECIPES:
        print(f"converting: {recipe.name}, {recipe.how}", flush=True)
        cases.append(case_of(f"{recipe.name} | {recipe.how}", convert(recipe)))
    cases += [case_of(f"{path.stem} | file", path.read_bytes()) for path in also]
    with tempfile.TemporaryDirectory() as scratch:
        found = compare(cases, Path(scratch, "kernels"), Path(scratch), PLACES, VECTORS)
    return {
        "versions": {name: version(name) for name in PACKAGES},
        "places": list(PLACES),
        "inputs": VECTORS,
        "models": [_row(case, found.get(case.name, [])) for case in cases],
    }


def _row(case: Case, lines: list[str]) -> dict[str, Any]:
    name, _, how = case.name.rpartition(" | ")
    row: dict[str, Any] = {"name": name, "how": how, "bytes": len(case.data), "ops": _ops(case)}
    if case.graph is None:
        return {**row, "result": "refused", "words": case.reason.partition("; build the")[0]}
    graph = case.graph
    figures = {"calls": len(graph.ops), "parameters": graph.params, "multiply_adds": graph.macs}
    return {**row, **figures, "result": "differs" if lines else "bit-exact", "words": lines[:1]}


def _ops(case: Case) -> list[str]:
    try:
        return sorted({op.name for op in reader.parse(case.data).ops})
    except ModelError:
        return []


def table(found: Mapping[str, Any]) -> str:
    """Markdown of what `measure` found."""
    lines = [
        "| model | converted | ops in the file | result |",
        "|---|---|---|---|",
    ]
    for row in found["models"]:
        result = row["result"]
        if result == "bit-exact":
            result = f"bit-exact, {row['calls']} calls"
        elif result == "refused":
            words = row["words"]
            words = words if len(words) <= MAX_WORDS else f"{words[: MAX_WORDS - 1]}…"
            result = f"refused: {words}"
        lines.append(f"| {row['name']} | {row['how']} | {len(row['ops'])} kinds | {result} |")
    counts = [row["result"] for row in found["models"]]
    versions = ", ".join(f"{name} {number}" for name, number in found["versions"].items())
    lines += [
        "",
        f"{len(counts)} models: {counts.count('bit-exact')} bit-exact with TFLite Micro op by op "
        f"on {', '.join(found['places'])} ({found['inputs']} inputs each), "
        f"{counts.count('refused')} refused, {counts.count('differs')} differing. {versions}.",
    ]
    return "\n".join(lines)


def main(argv: list[str] | None = None) -> int:
    """Measure, write, print; exit code 1 if an accepted model differs."""
    parser = argparse.ArgumentParser(
        prog="python -m einthoven.codegen.testing.other_recipes", description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )  # fmt: skip
    parser.add_argument("--also", nargs="*", type=Path, default=[], metavar="FILE.tflite")
    args = parser.parse_args(argv)
    found = measure(args.also)
    RESULTS.write_text(json.dumps(found, indent=1) + "\n")
    write_region("recipes", table(found))
    print(table(found))
    return 1 if any(row["result"] == "differs" for row in found["models"]) else 0


if __name__ == "__main__":
    sys.exit(main())
