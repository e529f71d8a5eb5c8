"""The shipped model in the runtimes of a desk, beside TFLite Micro: they do not compute the same.

    python -m venv /tmp/litert && /tmp/litert/bin/pip install ai-edge-litert
    python -m einthoven.codegen.testing.desk_runtimes --python /tmp/litert/bin/python

2,000 random inputs in int8. LiteRT (`ai-edge-litert`, in an environment of its own) with XNNPACK,
which is its default, with its optimised kernels, and with its reference kernels; TensorFlow's own
interpreter where it is installed; and the generated C on this machine. Writes
docs/results/desk_runtimes.json and its table in docs/engine.md.
"""

import argparse
import json
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from einthoven.codegen.engine import reader
from einthoven.codegen.engine.lower import lower
from einthoven.codegen.testing.host_target import run_sanitized
from einthoven.codegen.testing.regions import write_region
from einthoven.native.tflm import run_tflm
from einthoven.paths import ROOT, SHIPPED_MODEL

RESULTS = ROOT / "docs" / "results" / "desk_runtimes.json"
MODEL = SHIPPED_MODEL / "model.tflite"
INPUTS, SEED = 2000, 0
KERNELS = {
    "AUTO": "LiteRT, XNNPACK (the default)",
    "BUILTIN_WITHOUT_DEFAULT_DELEGATES": "LiteRT, optimised kernels",
    "BUILTIN_REF": "LiteRT, reference kernels",
}

Int8 = NDArray[np.int8]

WORKER = """
import sys
from importlib.metadata import version
import numpy as np
from ai_edge_litert.interpreter import Interpreter, OpResolverType
model, folder = sys.argv[1:3]
inputs = [np.load(f"{folder}/input{i}.npy") for i in range(int(sys.argv[3]))]
for kind in sys.argv[4:]:
    interpreter = Interpreter(
        model_path=model, num_threads=1, experimental_op_resolver_type=OpResolverType[kind]
    )
    interpreter.allocate_tensors()
    places = interpreter.get_input_details()
    out = interpreter.get_output_details()[0]["index"]
    rows = []
    for n in range(len(inputs[0])):
        for place, values in zip(places, inputs):
            interpreter.set_tensor(place["index"], values[n].reshape(place["shape"]))
        interpreter.invoke()
        rows.append(interpreter.get_tensor(out).ravel().copy())
    np.save(f"{folder}/{kind}.npy", np.stack(rows))
print(version("ai-edge-litert"))
"""


def measure(python: str) -> dict[str, Any]:
    """Rows of each runtime that differ from TFLite Micro's, by how much, and versions."""
    data = MODEL.read_bytes()
    graph = lower(reader.parse(data))
    rng = np.random.default_rng(SEED)
    inputs = [
        rng.integers(-128, 128, (INPUTS, t.length, t.channels), dtype=np.int8) for t in graph.inputs
    ]
    expected = run_tflm(data, inputs, 1)[0]
    with tempfile.TemporaryDirectory() as scratch:
        for i, values in enumerate(inputs):
            np.save(Path(scratch, f"input{i}.npy"), values)
        command = [python, "-c", WORKER, str(MODEL), scratch, str(len(inputs)), *KERNELS]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode:
            last = done.stderr.strip().splitlines()[-1:]
            raise SystemExit(f"LiteRT did not run in {python} (pip install ai-edge-litert): {last}")
        found = {title: np.load(Path(scratch, f"{kind}.npy")) for kind, title in KERNELS.items()}
        Path(scratch, "kernels").mkdir()
        ours = run_sanitized(graph, inputs, Path(scratch, "kernels"), Path(scratch, "ours"))[0]
    found["Einthoven's generated C"] = ours
    return {
        "versions": {
            "ai-edge-litert": done.stdout.strip().splitlines()[-1],
            "tflite-micro": version("tflite_micro"),
        },
        "inputs": INPUTS,
        "seed": SEED,
        "runtimes": [{"name": n, **_compared(values, expected)} for n, values in found.items()],
    }


def _compared(values: Int8, expected: Int8) -> dict[str, int]:
    apart = np.abs(values.astype(int) - expected.astype(int))
    classes = values.argmax(axis=1) != expected.argmax(axis=1)
    return {
        "identical": int((apart == 0).all(axis=1).sum()),
        "largest": int(apart.max()),
        "classes": int(classes.sum()),
    }


def table(found: Mapping[str, Any]) -> str:
    """Markdown of what `measure` found."""
    lines = [
        f"| runtime | of {found['inputs']:,} inputs bit-identical | largest difference, LSB | "
        "other class |",
        "|---|---|---|---|",
    ]
    lines += [
        f"| {row['name']} | {row['identical']:,} | {row['largest']} | {row['classes']} |"
        for row in found["runtimes"]
    ]
    versions = ", ".join(f"{name} {number}" for name, number in found["versions"].items())
    return "\n".join(
        [*lines, "", f"Against TFLite Micro; {versions}; seed {found['seed']}, x86-64."]
    )


def main(argv: list[str] | None = None) -> int:
    """Measure, write, print; exit code 1 if the generated C is not TFLite Micro's."""
    parser = argparse.ArgumentParser(
        prog="python -m einthoven.codegen.testing.desk_runtimes", description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )  # fmt: skip
    parser.add_argument("--python", default=sys.executable, help="one with ai-edge-litert [this]")
    args = parser.parse_args(argv)
    found = measure(args.python)
    RESULTS.write_text(json.dumps(found, indent=1) + "\n")
    write_region("desk", table(found))
    print(table(found))
    return 0 if found["runtimes"][-1]["identical"] == INPUTS else 1


if __name__ == "__main__":
    sys.exit(main())
