"""Write a graph as C: constants, and one function that calls the engine's kernels.

The text depends on the graph and the model's description only: same inputs, same bytes.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import jinja2
import numpy as np

from einthoven.codegen.engine.graph import (
    Add,
    Concat,
    Conv,
    Conv2d,
    Depthwise,
    Graph,
    Lookup,
    Mean,
    Move,
    Op,
    Pad,
    PadPlane,
    Pair,
    Pool,
    Pool2d,
    Requantize,
    Softmax,
    Tensor,
)
from einthoven.codegen.engine.layout import head_bytes
from einthoven.codegen.engine.ops import OpWriter, rows_of, take_turns
from einthoven.codegen.engine.planner import Plan

_TEMPLATES = jinja2.Environment(
    loader=jinja2.FileSystemLoader(Path(__file__).parent / "templates"),
    undefined=jinja2.StrictUndefined,
    keep_trailing_newline=True,
    autoescape=False,
)

HEADERS: dict[type[Op], str] = {
    Conv: "ein_nn_conv.h",
    Depthwise: "ein_nn_depthwise.h",
    Add: "ein_nn_add.h",
    Pool: "ein_nn_pool.h",
    Mean: "ein_nn_mean.h",
    Requantize: "ein_nn_requantize.h",
    Lookup: "ein_nn_lookup.h",
    Conv2d: "ein_nn_plane.h",
    Pool2d: "ein_nn_plane.h",
    Pair: "ein_nn_pair.h",
    Move: "ein_nn_move.h",
    Pad: "ein_nn_copy.h",
    PadPlane: "ein_nn_copy.h",
    Concat: "ein_nn_copy.h",
    Softmax: "ein_nn_softmax.h",
}


@dataclass(frozen=True)
class Description:
    """What the generated files say of the model besides its graph."""

    name: str
    sha256: str
    pipeline_sha256: str | None = None
    symbol: str = "ein_model"
    """Begins every name that the files share with others, and is theirs: two may go together."""
    standalone: bool = False
    """For anybody's program: units of every input and output, no layers that can be replaced."""


def argument_names(graph: Graph) -> tuple[list[str], list[str]]:
    """C parameter names of inputs and outputs, in the `.tflite`'s order.

    A beat model (one input with a length, one of a single position) has `signal` and `features`.
    """
    outputs = [f"output{i}" for i in range(len(graph.outputs))]
    if len(outputs) == 1:
        outputs = ["logits"]
    kinds = ["signal" if t.length > 1 else "features" for t in graph.inputs]
    if sorted(kinds) == ["features", "signal"]:
        return kinds, outputs
    return [f"input{i}" for i in range(len(graph.inputs))], outputs


def emit(graph: Graph, plan: Plan, description: Description) -> dict[str, str]:
    """Header and source of `graph`, named by the symbol, placed as `plan` says."""
    in_names, out_names = argument_names(graph)
    places = {t.index: n for t, n in zip(graph.inputs, in_names, strict=True)}
    places |= {t.index: n for t, n in zip(graph.outputs, out_names, strict=True)}
    head = () if description.standalone else graph.head
    if head:
        places[head[0].inputs[0].index] = "embedding"
    writer = OpWriter(graph, plan, places, head)
    ops = [writer.op(op) for op in graph.ops]
    for group in plan.groups:
        take_turns(ops[group[0] : group[1] + 1], group[0], plan.calls)
    inputs = [_argument(t, n) for t, n in zip(graph.inputs, in_names, strict=True)]
    inputs.sort(key=lambda a: a["argument"] == "features")  # the API's order, not the file's
    outputs = [_argument(t, n) for t, n in zip(graph.outputs, out_names, strict=True)]
    context = {
        "symbol": description.symbol,
        "macro": description.symbol.upper(),
        "name": description.name,
        "sha256": description.sha256,
        "sha256_rows": rows_of([f"0x{b:02x}" for b in bytes.fromhex(description.sha256)], 8),
        "pipeline_sha256": description.pipeline_sha256,
        "params": graph.params,
        "macs": graph.macs,
        "arena": plan.size,
        "lower_bound": plan.lower_bound,
        "inputs": inputs,
        "outputs": outputs,
        "output_scale": f"{np.float32(graph.outputs[0].scale)!s}f",
        "headers": _headers(graph, plan, head),
        "standalone": description.standalone,
        "ops": ops,
        "body": ops[: len(ops) - len(head)],
        "head": ops[len(ops) - len(head) :],
        "head_bytes": sum(head_bytes(op) for op in head),
        "head_parts": [(op.number, at) for op, at in writer.head.items()],
        "embedding": head[0].inputs[0].size if head else 0,
    }
    return {
        f"{description.symbol}.{kind}": _render(f"ein_model.{kind}.j2", context) for kind in "hc"
    }


def emit_tflite(data: bytes, name: str) -> dict[str, str]:
    """`ein_model_tflite.h` and `.c`: the file's bytes as an array."""
    context = {"name": name, "size": len(data), "rows": rows_of([str(b) for b in data], 24)}
    names = ("ein_model_tflite.h", "ein_model_tflite.c")
    return {name: _render(f"{name}.j2", context) for name in names}


def _headers(graph: Graph, plan: Plan, head: Sequence[Conv]) -> list[str]:
    """Of the kernels that the generated code calls."""
    found = {HEADERS[type(op)] for op in graph.ops}
    if any(isinstance(op, Conv) and op.poly for op in graph.ops):
        found.add("ein_nn_conv_poly.h")
    if any(isinstance(op, Conv) and op.carries for op in graph.ops):
        found.add("ein_nn_dense.h")
    if any(isinstance(op, Conv) and op.lanes and not op.poly for op in graph.ops):
        found.add("ein_nn_conv_lanes.h")
    if head:
        found.add("ein_nn_head.h")
    if plan.groups:
        found.add("ein_nn_call.h")
    return sorted(found)


def _render(template: str, context: dict[str, Any]) -> str:
    return _TEMPLATES.get_template(template).render(context)


def _argument(tensor: Tensor, name: str) -> dict[str, Any]:
    return {
        "argument": name,
        "length": tensor.length,
        "channels": tensor.channels,
        "size": tensor.size,
        "zero_point": tensor.zero_point,
        "unsigned": tensor.unsigned,
        "scale": f"{np.float32(tensor.scale)!s}f",
    }
