"""Run models on the host: the generated C under sanitizers, and TFLite Micro."""

import subprocess
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from tflite_micro import runtime

from einthoven.codegen.engine.emit import Description, argument_names, emit
from einthoven.codegen.engine.graph import Graph
from einthoven.codegen.engine.planner import Plan, plan
from einthoven.codegen.testing.bare_target import BARE, ENGINE, HANG_S, WARNINGS

Int8 = NDArray[np.int8]
SANITIZE = ("-O1", "-g", "-fsanitize=address,undefined", "-fno-sanitize-recover=all")


@cache
def _kernels(folder: Path) -> tuple[Path, ...]:
    """The engine's kernels as sanitized objects, compiled once per test run."""
    sources = sorted(ENGINE.glob("ein_nn_*.c"))
    _run(["gcc", *WARNINGS, *SANITIZE, "-c", *map(str, sources)], folder)
    return tuple(folder / f"{s.stem}.o" for s in sources)


def run_sanitized(
    graph: Graph,
    inputs: Sequence[Int8],
    objects: Path,
    folder: Path,
    made: Plan | None = None,
) -> list[Int8]:
    """The generated C's outputs, one array [n, …] per model output; fails on any sanitizer report.

    `objects` is a folder for the compiled kernels, shared by a test run; `folder` the case's own.
    """
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in emit(graph, made or plan(graph), Description("host", "0" * 64)).items():
        (folder / name).write_text(text)
    names = argument_names(graph)[0]
    order = sorted(range(len(names)), key=lambda i: names[i] == "features")
    arguments = [f"in[{i}]" for i in range(len(names))]
    arguments += [f"out[{i}]" for i in range(len(graph.outputs))]
    (folder / "case_host.h").write_text(
        f"#define CASE_INS {len(names)}\n#define CASE_OUTS {len(graph.outputs)}\n"
        f"#define CASE_IN_BYTES {{{', '.join(str(graph.inputs[i].size) for i in order)}}}\n"
        f"#define CASE_OUT_BYTES {{{', '.join(str(t.size) for t in graph.outputs)}}}\n"
        f"#define CASE_INFER(arena, in, out) ein_model_infer(arena, {', '.join(arguments)})\n"
    )
    program = folder / "host"
    _run([
        "gcc", *WARNINGS, *SANITIZE, *(f"-I{d}" for d in (folder, ENGINE)),
        str(folder / "ein_model.c"), str(BARE / "host_main.c"), *map(str, _kernels(objects)),
        "-o", str(program),
    ], folder)  # fmt: skip
    flat = [np.asarray(inputs[i]).reshape(len(inputs[i]), -1) for i in order]
    data = np.ascontiguousarray(np.concatenate(flat, axis=1)).tobytes()
    done = subprocess.run(
        [str(program)], input=data, capture_output=True, check=False, timeout=HANG_S
    )
    assert done.returncode == 0, done.stderr.decode()
    rows = np.frombuffer(done.stdout, dtype=np.int8).reshape(len(inputs[0]), -1)
    ends = np.cumsum([t.size for t in graph.outputs])
    return [part.copy() for part in np.split(rows, ends[:-1], axis=1)]


def run_tflm(model: bytes, inputs: Sequence[Int8], n_outputs: int) -> list[Int8]:
    """TFLite Micro's outputs, flat, one array [n, size] per model output."""
    interpreter = runtime.Interpreter.from_bytes(model, arena_size=1 << 20)
    rows: list[list[Int8]] = [[] for _ in range(n_outputs)]
    for n in range(len(inputs[0])):
        _set_inputs(interpreter, inputs, n)
        interpreter.invoke()
        for i, row in enumerate(rows):
            row.append(interpreter.get_output(i).ravel().view(np.int8).copy())
    return [np.stack(row) for row in rows]


def tflm_layers(
    model: bytes, inputs: Sequence[Int8], tensors: Sequence[int]
) -> list[dict[int, Int8]]:
    """TFLite Micro's values of the named tensors, flat, for each vector."""
    interpreter = runtime.Interpreter.from_bytes(
        model, arena_size=1 << 20,
        intrepreter_config=runtime.InterpreterConfig.kPreserveAllTensors,
    )  # fmt: skip
    seen = []
    for n in range(len(inputs[0])):
        _set_inputs(interpreter, inputs, n)
        interpreter.invoke()
        seen.append(
            {t: np.ravel(interpreter.GetTensor(t, 0)["tensor_data"]).copy() for t in tensors}
        )
    return seen


def _set_inputs(interpreter: Any, inputs: Sequence[Int8], n: int) -> None:
    """Vector `n`; a model of uint8 gets the same bytes."""
    for i, values in enumerate(inputs):
        details = interpreter.get_input_details(i)
        interpreter.set_input(values[n].reshape(details["shape"]).view(details["dtype"]), i)


def _run(command: list[str], cwd: Path) -> None:
    done = subprocess.run(
        command, capture_output=True, text=True, check=False, cwd=cwd, timeout=HANG_S
    )
    assert done.returncode == 0, f"{command[0]} failed:\n{done.stderr}"
