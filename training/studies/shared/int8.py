"""A study's network in int8: post-training quantization, and the generated engine on the host.

The networks have one input and end in logits: softmax and sigmoid do not change the class.
"""

import hashlib
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import cffi
import numpy as np
from numpy.typing import NDArray

from einthoven.c_library import build_library
from einthoven.codegen.engine.emit import Description, emit
from einthoven.codegen.engine.graph import Graph
from einthoven.codegen.engine.planner import plan
from einthoven.codegen.network import graph_of
from einthoven.native.engine import ENGINE, ENGINE_SOURCES
from einthoven.tool_output import quiet
from einthoven.training.studies.shared.examples import Floats
from einthoven.training.studies.shared.fit import model_input

Int8 = NDArray[np.int8]

FAST = ("-O3", "-march=native")
"""A fourth of the time over tens of thousands of beats; integers do not change by it."""


def convert(model: Any, calibration: Floats) -> bytes:
    """The full-int8 `.tflite` of a float network: batch 1, int8 in and out.

    `calibration`: [n, length, channels] training examples that its ranges are taken from.
    """
    from einthoven.training.model.network import tf

    shape = (1, *model.input_shape[1:])

    @tf.function(input_signature=[tf.TensorSpec(shape, tf.float32, name="signal")])  # type: ignore[untyped-decorator]
    def infer(signal: Any) -> Any:
        return {"logits": model(signal, training=False)}

    def examples() -> Iterator[dict[str, Any]]:
        for row in model_input(calibration):
            yield {"signal": row[np.newaxis]}

    converter = tf.lite.TFLiteConverter.from_concrete_functions(
        [infer.get_concrete_function()], model
    )
    converter.optimizations = [tf.lite.Optimize.DEFAULT]
    converter.inference_input_type = tf.int8
    converter.inference_output_type = tf.int8
    converter.target_spec.supported_ops = [tf.lite.OpsSet.TFLITE_BUILTINS_INT8]
    converter.representative_dataset = examples
    with quiet():
        content: bytes = converter.convert()
    return content


def save(folder: Path, content: bytes, about: dict[str, Any]) -> None:
    """Keep a `.tflite` and, in model.json, what it is: `about` and what the file itself says.

    Raises ModelError when the engine lacks an op.
    """
    graph = graph_of(content)
    facts = {
        **about,
        "sha256": hashlib.sha256(content).hexdigest(),
        "params": graph.params,
        "macs": graph.macs,
        "method": "ptq",
    }
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "model.tflite").write_bytes(content)
    (folder / "model.json").write_text(json.dumps(facts, indent=1) + "\n")


def quantize_input(x: Floats, graph: Graph) -> Int8:
    """[n, ...] examples in the model's int8, as whoever feeds a board has to do it."""
    tensor = graph.inputs[0]
    steps = np.rint(x / np.float32(tensor.scale)) + tensor.zero_point
    quantized: Int8 = np.clip(steps, -128, 127).astype(np.int8)
    return quantized


class HostEngine:
    """The generated C of a one-input model, compiled for this machine."""

    def __init__(self, tflite: bytes, folder: Path) -> None:
        """`folder` gets the generated C. Raises ModelError, BuildError."""
        self.graph = graph_of(tflite)
        folder.mkdir(parents=True, exist_ok=True)
        placed = plan(self.graph)
        self.arena_bytes = placed.size
        for name, text in emit(self.graph, placed, Description("host", "0" * 64)).items():
            (folder / name).write_text(text)
        sources = [folder / "ein_model.c", *ENGINE_SOURCES]
        library = build_library("ein_study", sources, [folder, ENGINE], FAST)
        self._ffi = cffi.FFI()
        self._ffi.cdef("void ein_model_infer(void *arena, const int8_t *in, int8_t *out);")
        self._lib: Any = self._ffi.dlopen(str(library))

    def infer(self, x: Int8) -> Int8:
        """int8[n, outputs] of int8[n, ...]."""
        x = np.ascontiguousarray(x).reshape(len(x), -1)
        out = np.empty((len(x), self.graph.outputs[0].size), dtype=np.int8)
        arena = self._ffi.new("int32_t[]", self.arena_bytes // 4 + 1)
        for row, result in zip(x, out, strict=True):
            self._lib.ein_model_infer(
                arena,
                self._ffi.cast("int8_t *", row.ctypes.data),
                self._ffi.cast("int8_t *", result.ctypes.data),
            )
        return out

    def logits(self, x: Floats) -> NDArray[np.int32]:
        """[n, outputs] logits of float examples, zero point taken off: for `fit.decide`."""
        found = self.infer(quantize_input(x, self.graph))
        return found.astype(np.int32) - self.graph.outputs[0].zero_point
