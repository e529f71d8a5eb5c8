"""The bench's models of MLPerf Tiny: the reference's shapes, and as TFLite Micro computes them."""

from pathlib import Path

import pytest

from einthoven.codegen.engine import reader
from einthoven.codegen.engine.lower import lower
from einthoven.codegen.testing.mlperf_tiny import MODELS
from einthoven.codegen.testing.model_case import case_of, compare, inputs_of, layers_of

SHAPES = {
    # parameters, multiply-adds, ops; of ad01 from the reference's layers, without its batch
    # normalization, of the wake word 46,883 parameters as ST's report on the trained file has them
    "ad01": (265_864, 264_192, ["FULLY_CONNECTED"] * 10),
    "streaming wake word": (
        46_883, 826_368, [*["DEPTHWISE_CONV_2D", "CONV_2D"] * 4, "FULLY_CONNECTED", "SOFTMAX"],
    ),
}  # fmt: skip
VECTORS = 4


@pytest.mark.parametrize("name", MODELS)
def test_shapes_are_the_references(name: str) -> None:
    data = MODELS[name]()
    graph = lower(reader.parse(data))
    assert (graph.params, graph.macs, [op.kind for op in graph.ops]) == SHAPES[name]
    assert data == MODELS[name](), "not the same file twice"


def test_as_tflite_micro_computes_them(kernels: Path, tmp_path: Path) -> None:
    """Op by op, on the host under sanitizers and on the emulated Cortex-M4."""
    cases = [case_of(name, make()) for name, make in MODELS.items()]
    for case in cases:
        assert case.graph is not None, case.reason
        layers = layers_of(case, case.graph, inputs_of(case.graph, VECTORS))
        for op in case.graph.ops:
            values = {layer[op.output.index].tobytes() for layer in layers}
            assert len(values) == VECTORS or op.kind == "SOFTMAX", "equal outputs prove nothing"
    found = compare(cases, kernels, tmp_path, ("host", "m4"), VECTORS)
    assert found == {name: [] for name in MODELS}
