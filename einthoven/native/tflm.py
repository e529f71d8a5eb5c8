"""TFLite Micro itself (the PyPI package `tflite-micro`) on any int8 `.tflite`: the oracle."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

Int8 = NDArray[np.int8]


def _runtime() -> Any:
    from tflite_micro import runtime  # takes a second, which not every command has

    return runtime


def run_tflm(model: bytes, inputs: Sequence[Int8], n_outputs: int) -> list[Int8]:
    """TFLite Micro's outputs, flat, one array [n, size] per model output."""
    interpreter = _runtime().Interpreter.from_bytes(model, arena_size=1 << 20)
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
    runtime = _runtime()
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
