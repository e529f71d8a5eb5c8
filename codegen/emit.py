"""Write a graph as C: constants, and one function that calls the engine's kernels.

The text depends on the graph and the model's description only: same inputs, same bytes.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import jinja2
import numpy as np

from codegen.graph import (
    Add,
    Concat,
    Conv,
    Depthwise,
    Graph,
    Int8,
    Lookup,
    Mean,
    Op,
    Pad,
    Pool,
    Requantize,
    Softmax,
    Tensor,
)
from codegen.layout import DEPTH_MULTIPLE, conv_layout
from codegen.planner import Plan, scratch_key, tensor_key
from codegen.quantize import Factor
from codegen.schedule import Call

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
    Pad: "ein_nn_copy.h",
    Concat: "ein_nn_copy.h",
    Softmax: "ein_nn_softmax.h",
}
_HEAD_HEADERS: tuple[set[str], set[str]] = (set(), {"ein_nn_head.h"})
_TURN_HEADERS: tuple[set[str], set[str]] = (set(), {"ein_nn_call.h"})
_SCALE_BYTES = 12
"""sizeof(ein_nn_scale_t)."""


@dataclass(frozen=True)
class Description:
    """What the generated files say of the model besides its graph."""

    name: str
    sha256: str
    pipeline_sha256: str | None = None


@dataclass
class _Emitted:
    label: str
    shapes: str
    data: list[str] = field(default_factory=list)
    code: list[str] = field(default_factory=list)


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
    """`ein_model.h` and `ein_model.c` of `graph`, placed as `plan` says."""
    in_names, out_names = argument_names(graph)
    places = {t.index: n for t, n in zip(graph.inputs, in_names, strict=True)}
    places |= {t.index: n for t, n in zip(graph.outputs, out_names, strict=True)}
    head = graph.head
    if head:
        places[head[0].inputs[0].index] = "embedding"
    writer = _Writer(graph, plan, places)
    ops = [writer.op(op) for op in graph.ops]
    for group in plan.groups:
        _take_turns(ops[group[0] : group[1] + 1], group[0], plan.calls)
    inputs = [_argument(t, n) for t, n in zip(graph.inputs, in_names, strict=True)]
    inputs.sort(key=lambda a: a["argument"] == "features")  # the API's order, not the file's
    outputs = [_argument(t, n) for t, n in zip(graph.outputs, out_names, strict=True)]
    context = {
        "name": description.name,
        "sha256": description.sha256,
        "sha256_rows": _rows([f"0x{b:02x}" for b in bytes.fromhex(description.sha256)], 8),
        "pipeline_sha256": description.pipeline_sha256,
        "params": graph.params,
        "macs": graph.macs,
        "arena": plan.size,
        "lower_bound": plan.lower_bound,
        "inputs": inputs,
        "outputs": outputs,
        "output_scale": f"{np.float32(graph.outputs[0].scale)!s}f",
        "headers": sorted(
            {HEADERS[type(op)] for op in graph.ops}
            | _HEAD_HEADERS[bool(head)]
            | _TURN_HEADERS[bool(plan.groups)]
        ),
        "ops": ops,
        "body": ops[: len(ops) - len(head)],
        "head": ops[len(ops) - len(head) :],
        "head_bytes": sum(head_bytes(op) for op in head),
        "head_parts": [(op.number, at) for op, at in writer.head.items()],
        "embedding": head[0].inputs[0].size if head else 0,
    }
    return {name: _render(f"{name}.j2", context) for name in ("ein_model.h", "ein_model.c")}


def emit_tflite(data: bytes, name: str) -> dict[str, str]:
    """`ein_model_tflite.h` and `.c`: the file's bytes as an array."""
    context = {"name": name, "size": len(data), "rows": _rows([str(b) for b in data], 24)}
    names = ("ein_model_tflite.h", "ein_model_tflite.c")
    return {name: _render(f"{name}.j2", context) for name in names}


def pack_weights(weights: Int8, order: Sequence[int] = (0, 2, 1, 3)) -> Int8:
    """[out, kernel, in] as the convolution kernels want it: see ein_nn_conv.h."""
    out = weights.shape[0]
    flat = weights.reshape(out, -1)
    padded = np.zeros(
        (-(-out // 2) * 2, -(-flat.shape[1] // DEPTH_MULTIPLE) * DEPTH_MULTIPLE), dtype=np.int8
    )
    padded[:out, : flat.shape[1]] = flat
    blocks = padded.reshape(padded.shape[0] // 2, 2, -1, 4)[..., list(order)]
    return np.ascontiguousarray(blocks.transpose(0, 2, 1, 3)).ravel()


def head_bytes(op: Conv) -> int:
    """Size of a layer's part in a head: see ein_nn_head.h."""
    return pack_weights(op.weights).size + _even(len(op.bias)) * _SCALE_BYTES


def head_offsets(head: Sequence[Conv]) -> dict[Conv, int]:
    """Where each layer's part begins in a head."""
    sizes = [head_bytes(op) for op in head]
    return {op: sum(sizes[:i]) for i, op in enumerate(head)}


def _even(n: int) -> int:
    return n + n % 2


def _render(template: str, context: dict[str, Any]) -> str:
    return _TEMPLATES.get_template(template).render(context)


def _rows(items: Sequence[str], per_row: int) -> list[str]:
    return [", ".join(items[i : i + per_row]) for i in range(0, len(items), per_row)]


def _argument(tensor: Tensor, name: str) -> dict[str, Any]:
    return {
        "argument": name,
        "length": tensor.length,
        "channels": tensor.channels,
        "size": tensor.size,
        "zero_point": tensor.zero_point,
    }


def _array(declaration: str, items: Iterable[str], per_row: int) -> str:
    body = "".join(f"    {row},\n" for row in _rows(list(items), per_row))
    return f"static const {declaration} = {{\n{body}}};"


def _struct(kind: str, name: str, fields: dict[str, object]) -> str:
    body = "".join(f"    .{key} = {value},\n" for key, value in fields.items())
    return f"static const {kind} {name} = {{\n{body}}};"


def _take_turns(ops: list[_Emitted], first: int, calls: Sequence[Call]) -> None:
    """Put the code of `ops`, the first of which is at place `first`, into one loop, at the first's.

    Their calls are for rows `t->first` … as it is.
    """
    rows = [
        f"{{{c.place - first}, {c.first}, {c.count}}}"
        for c in calls
        if first <= c.place < first + len(ops)
    ]
    table = f"turns{first}"
    loop = [f"for (const ein_nn_call_t *t = {table}; t->rows > 0; t++)", "    switch (t->op) {"]
    for case, op in enumerate(ops):
        loop += [f"    case {case}:", *(f"        {line}" for line in op.code), "        break;"]
        op.code = []
    ops[0].code = [*loop, "    }"]
    ops[-1].data.append(_array(f"ein_nn_call_t {table}[]", [*rows, "{0, 0, 0}"], 8))


class _Writer:
    """Emits ops one by one; names their constants by the op's number."""

    def __init__(self, graph: Graph, plan: Plan, places: dict[int, str]) -> None:
        self.plan = plan
        self.places = places  # tensors that are the caller's, by C name
        self.head = head_offsets(graph.head)  # of layers whose parameters can be replaced
        self.by_turns = {op for first, last in plan.groups for op in graph.ops[first : last + 1]}

    def op(self, op: Op) -> _Emitted:
        shapes = " + ".join(f"{t.length} × {t.channels}" for t in op.inputs)
        done = _Emitted(
            f"op {op.number} {op.kind}", f"{shapes} → {op.output.length} × {op.output.channels}"
        )
        match op:
            case Conv():
                self.conv(op, done)
            case Depthwise():
                self.depthwise(op, done)
            case Add():
                self.add(op, done)
            case Pool():
                self.pool(op, done)
            case Concat():
                self.concat(op, done)
            case Pad():
                self.pad(op, done)
            case Mean():
                self.call(op, done, "mean", {
                    "offset": -op.inputs[0].length * op.inputs[0].zero_point,
                    **_factor("", op.factor),
                    "length": op.inputs[0].length,
                    "channels": op.inputs[0].channels,
                    "out_zero": op.output.zero_point,
                })  # fmt: skip
            case Requantize():
                self.call(op, done, "requantize", {
                    "size": op.output.size,
                    **_factor("", op.factor),
                    "in_zero": op.inputs[0].zero_point,
                    "out_zero": op.output.zero_point,
                })  # fmt: skip
            case Lookup():
                self.lookup(op, done)
            case Softmax():
                self.call(op, done, "softmax", {
                    "multiplier": op.multiplier,
                    "diff_min": op.diff_min,
                    "left": op.left,
                    "length": op.output.length,
                    "channels": op.output.channels,
                })  # fmt: skip
            case _:
                raise TypeError(f"no C for {type(op).__name__}")
        out = op.output
        at, size = self.at(out), str(out.size)
        if op in self.by_turns:
            at, size = f"{at} + t->first * {out.channels}", f"t->rows * {out.channels}"
        done.code.append(f"TRACE({out.index}, {at}, {size});")
        return done

    def at(self, tensor: Tensor) -> str:
        """C expression of where `tensor` lies."""
        if tensor.index in self.places:
            return self.places[tensor.index]
        return f"a + {self.plan.offsets[tensor_key(tensor)]}"

    def call(
        self, op: Op, done: _Emitted, kernel: str, fields: dict[str, object],
        function: str = "", extra: str = "",
    ) -> None:  # fmt: skip
        """A constant struct, and the call that passes it with inputs and output."""
        done.data.append(_struct(f"ein_nn_{kernel}_t", f"op{op.number}", fields))
        head = ""
        if isinstance(op, Conv) and op in self.head:
            function, head = "head_conv", f", head, {self.head[op]}"
        if op in self.by_turns:
            unit = f" * {op.output.channels}" if isinstance(op, Add) else ""
            function, extra = (
                f"{function or kernel}_rows",
                f"{extra}, t->first{unit}, t->rows{unit}",
            )
        buffers = ", ".join(self.at(t) for t in (*op.inputs, op.output))
        given = f"&op{op.number}{head}"
        done.code.append(f"ein_nn_{function or kernel}({given}, {buffers}{extra});")

    def weights(self, op: Op, weights: Int8, done: _Emitted) -> None:
        declaration = f"int8_t op{op.number}_weights[{weights.size}] EIN_NN_ALIGNED"
        done.data.append(_array(declaration, map(str, weights.ravel().tolist()), 24))

    def wide_weights(self, op: Conv, done: _Emitted) -> None:
        fours = pack_weights(op.weights, order=range(4)).reshape(-1, 4)
        declaration = f"ein_nn_wide_t op{op.number}_weights[{fours.size}] EIN_NN_ALIGNED"
        items = (f"EIN_NN_WIDE4({', '.join(map(str, four))})" for four in fours.tolist())
        done.data.append(_array(declaration, items, 4))

    def scales(
        self, op: Op, bias: Sequence[int], factors: Sequence[Factor], done: _Emitted
    ) -> None:
        items = [
            f"{{{b}, {f.multiplier}, {f.left}, {f.right}}}"
            for b, f in zip(bias, factors, strict=True)
        ]
        if len(items) % 2:
            items.append("{0, 0, 0, 1}")
        done.data.append(_array(f"ein_nn_scale_t op{op.number}_scales[{len(items)}]", items, 4))

    def conv(self, op: Conv, done: _Emitted) -> None:
        source, out, layout = op.inputs[0], op.output, conv_layout(op)
        if op.wide:
            self.wide_weights(op, done)
        else:
            self.weights(op, pack_weights(op.weights), done)
        self.scales(op, op.bias, op.factors, done)
        flags = [
            ("EIN_NN_CONV_ROWS", layout.rows),
            ("EIN_NN_CONV_SMALL", op.small),
            ("EIN_NN_CONV_WIDE", op.wide),
        ]
        self.call(op, done, "conv", {
            "weights": f"op{op.number}_weights",
            "scales": f"op{op.number}_scales",
            "in_length": source.length,
            "in_channels": source.channels,
            "out_length": out.length,
            "out_channels": out.channels,
            **_window(op),
            "depth": layout.depth,
            "step": layout.step,
            "chunk": layout.chunk,
            "in_zero": source.zero_point,
            **_clamp(op),
            "flags": " | ".join(f for f, on in flags if on) or "0",
        }, extra=f", (int16_t *)(a + {self.plan.offsets[scratch_key(op)]})")  # fmt: skip

    def depthwise(self, op: Depthwise, done: _Emitted) -> None:
        self.weights(op, op.weights, done)
        self.scales(op, op.bias, op.factors, done)
        self.call(op, done, "depthwise", {
            "weights": f"op{op.number}_weights",
            "scales": f"op{op.number}_scales",
            "in_length": op.inputs[0].length,
            "out_length": op.output.length,
            "out_channels": op.output.channels,
            "multiplier": op.multiplier,
            **_window(op),
            "in_zero": op.inputs[0].zero_point,
            **_clamp(op),
        })  # fmt: skip

    def add(self, op: Add, done: _Emitted) -> None:
        a, b = op.inputs
        self.call(op, done, "add", {
            "size": op.output.size,
            "b_multiplier": op.b_factor.multiplier,
            "out_multiplier": op.out_factor.multiplier,
            "b_right": op.b_factor.right,
            "out_right": op.out_factor.right,
            "a_zero": a.zero_point,
            "b_zero": b.zero_point,
            **_clamp(op),
        })  # fmt: skip

    def pool(self, op: Pool, done: _Emitted) -> None:
        window = _window(op)
        del window["dilation"]
        self.call(op, done, "pool", {
            "in_length": op.inputs[0].length,
            "out_length": op.output.length,
            "channels": op.output.channels,
            **window,
            "act_min": op.act_min,
            "act_max": op.act_max,
        }, function="average_pool" if op.average else "max_pool")  # fmt: skip

    def concat(self, op: Concat, done: _Emitted) -> None:
        to, start = op.output, 0
        for source in op.inputs:
            rows = 1 if op.by_length else source.length
            width = source.size if op.by_length else source.channels
            step = to.size if op.by_length else to.channels
            at = f"{self.at(to)} + {start}"
            done.code.append(
                f"ein_nn_copy({self.at(source)}, {at}, {rows}, {width}, {width}, {step});"
            )
            start += width

    def lookup(self, op: Lookup, done: _Emitted) -> None:
        done.data.append(_array(f"int8_t op{op.number}_table[256]", map(str, op.table), 24))
        buffers = f"{self.at(op.inputs[0])}, {self.at(op.output)}"
        done.code.append(f"ein_nn_lookup(op{op.number}_table, {buffers}, {op.output.size});")

    def pad(self, op: Pad, done: _Emitted) -> None:
        source, out = op.inputs[0], op.output
        before = op.left * out.channels
        after = out.size - before - source.size
        done.code += [
            f"ein_nn_fill({self.at(out)}, {before}, {out.zero_point});",
            f"ein_nn_copy({self.at(source)}, {self.at(out)} + {before}, 1, {source.size}, 0, 0);",
            f"ein_nn_fill({self.at(out)} + {before + source.size}, {after}, {out.zero_point});",
        ]


def _window(op: Conv | Depthwise | Pool) -> dict[str, object]:
    window = op.window
    return {
        "kernel": window.kernel,
        "stride": window.stride,
        "dilation": window.dilation,
        "pad_left": window.pad_left,
    }


def _clamp(op: Conv | Depthwise | Add) -> dict[str, object]:
    return {"out_zero": op.output.zero_point, "act_min": op.act_min, "act_max": op.act_max}


def _factor(prefix: str, value: Factor) -> dict[str, object]:
    return {
        f"{prefix}multiplier": value.multiplier,
        f"{prefix}left": value.left,
        f"{prefix}right": value.right,
    }
