"""A 1-D residual network of ONNX as an int8 `.tflite`, by onnx2tf: how ONNX users come here.

    python -m venv onnx && onnx/bin/pip install onnx onnx2tf onnx-graphsurgeon sng4onnx psutil \\
        onnxruntime ai-edge-litert tensorflow==2.21.0 tf-keras==2.21.0          gigabytes
    onnx/bin/python codegen/testing/onnx_recipe.py OUT

Stands alone: nothing of this project is imported; not part of the tests, for the converter's size.
Writes OUT/onnx_residual.tflite. Then:

    einthoven export OUT/onnx_residual.tflite --out DIR
    python -m einthoven.codegen.testing.other_recipes --also OUT/onnx_residual.tflite
"""

import json
import math
import shutil
import sys
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

LENGTH, LEADS, CLASSES = 216, 2, 5


class Builder:
    """Nodes and seeded weights of a graph in ONNX's layout, [1, channels, length]."""

    def __init__(self) -> None:
        self.nodes: list[Any] = []
        self.weights: list[Any] = []
        self.rng = np.random.default_rng(7)

    def node(self, kind: str, inputs: list[str], **attributes: Any) -> str:
        """Add a node; returns its output's name."""
        name = f"{kind}{len(self.nodes)}"
        self.nodes.append(helper.make_node(kind, inputs, [name], **attributes))
        return name

    def weight(self, *shape: int) -> str:
        """Add a constant."""
        spread = 1 / math.sqrt(math.prod(shape[1:])) if len(shape) > 1 else 0.1
        values = self.rng.normal(0, spread, shape).astype(np.float32)
        self.weights.append(numpy_helper.from_array(values, f"w{len(self.weights)}"))
        return str(self.weights[-1].name)

    def conv(self, x: str, channels: int, filters: int, kernel: int, stride: int) -> str:
        """Conv with a bias, padded to keep the length."""
        given = [x, self.weight(filters, channels, kernel), self.weight(filters)]
        around = [kernel // 2, kernel // 2]
        return self.node("Conv", given, kernel_shape=[kernel], strides=[stride], pads=around)


def network() -> Any:
    """The ONNX model."""
    b = Builder()
    x, channels = "beat", LEADS
    for filters, stride in ((8, 1), (16, 2), (32, 2)):
        y = b.node("Relu", [b.conv(x, channels, filters, 5, stride)])
        y = b.conv(y, filters, filters, 5, 1)
        x = b.node("Relu", [b.node("Add", [y, b.conv(x, channels, filters, 1, stride)])])
        channels = filters
    x = b.node("Flatten", [b.node("GlobalAveragePool", [x])])
    b.node("Gemm", [x, b.weight(CLASSES, channels), b.weight(CLASSES)], transB=1)
    out = b.nodes[-1].output[0]
    graph = helper.make_graph(
        b.nodes, "residual",
        [helper.make_tensor_value_info("beat", TensorProto.FLOAT, [1, LEADS, LENGTH])],
        [helper.make_tensor_value_info(out, TensorProto.FLOAT, [1, CLASSES])], b.weights,
    )  # fmt: skip
    opset = [helper.make_opsetid("", 17)]
    return helper.make_model(graph, opset_imports=opset, ir_version=8)


def main() -> int:
    """Write the file; prints where it is."""
    import onnx2tf

    out = Path(sys.argv[1])
    out.mkdir(parents=True, exist_ok=True)
    onnx.save(network(), str(out / "residual.onnx"))
    # Calibration of training data, in earnest; [n, length, leads], as the converted model takes it.
    beats = np.random.default_rng(3).normal(0, 1, (16, LENGTH, LEADS)).astype(np.float32)
    np.save(out / "beats.npy", beats)
    mean, spread = np.zeros((1, 1, LEADS), np.float32), np.ones((1, 1, LEADS), np.float32)
    onnx2tf.convert(
        input_onnx_file_path=str(out / "residual.onnx"), output_folder_path=str(out / "saved"),
        output_integer_quantized_tflite=True, quant_type="per-channel",
        custom_input_op_name_np_data_path=[["beat", str(out / "beats.npy"), mean, spread]],
        input_quant_dtype="int8", output_quant_dtype="int8", non_verbose=True,
    )  # fmt: skip
    path = out / "onnx_residual.tflite"
    shutil.copy(out / "saved" / "residual_full_integer_quant.tflite", path)
    about = {"name": "ONNX: 1-D residual network", "how": f"onnx2tf {version('onnx2tf')}"}
    path.with_suffix(".json").write_text(json.dumps(about))
    print(path)
    return 0


if __name__ == "__main__":
    sys.exit(main())
