"""Write single ops as C: their constants, and the calls of the engine's kernels."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from einthoven.codegen.engine.graph import (
    Add,
    Concat,
    Conv,
    Conv2d,
    Depthwise,
    Graph,
    Int8,
    Lookup,
    Mean,
    Move,
    Op,
    Operand,
    Pad,
    PadPlane,
    Pair,
    Plane,
    Pool,
    Pool2d,
    Requantize,
    Softmax,
    Tensor,
)
from einthoven.codegen.engine.layout import (
    carried_bias,
    conv_layout,
    head_offsets,
    lane_marks,
    pack_weights,
    poly_words,
)
from einthoven.codegen.engine.planner import Plan, scratch_key, tensor_key
from einthoven.codegen.engine.quantize import Factor
from einthoven.codegen.engine.schedule import Call


@dataclass
class Emitted:
    """An op's constants and code, line by line, and what a comment says of it."""

    label: str
    shapes: str
    data: list[str] = field(default_factory=list)
    code: list[str] = field(default_factory=list)


def rows_of(items: Sequence[str], per_row: int) -> list[str]:
    """Lines of an array's initializer."""
    return [", ".join(items[i : i + per_row]) for i in range(0, len(items), per_row)]


def _array(declaration: str, items: Iterable[str], per_row: int) -> str:
    body = "".join(f"    {row},\n" for row in rows_of(list(items), per_row))
    return f"static const {declaration} = {{\n{body}}};"


def _struct(kind: str, name: str, fields: dict[str, object], more: Sequence[str] = ()) -> str:
    body = "".join(f"    .{key} = {value},\n" for key, value in fields.items())
    body += "".join(f"    {line}\n" for line in more)
    return f"static const {kind} {name} = {{\n{body}}};"


def take_turns(ops: list[Emitted], first: int, calls: Sequence[Call]) -> None:
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


class OpWriter:
    """Emits ops one by one; names their constants by the op's number."""

    def __init__(
        self, graph: Graph, plan: Plan, places: dict[int, str], head: Sequence[Conv]
    ) -> None:
        self.plan = plan
        self.places = places  # tensors that are the caller's, by C name
        self.head = head_offsets(head)  # of layers whose parameters can be replaced
        self.by_turns = {op for first, last in plan.groups for op in graph.ops[first : last + 1]}

    def op(self, op: Op) -> Emitted:
        """The C of `op`; for some rows, `t->first` and following, if it takes turns."""
        shapes = " + ".join(f"{t.length} × {t.channels}" for t in op.inputs)
        done = Emitted(
            f"op {op.number} {op.kind}", f"{shapes} → {op.output.length} × {op.output.channels}"
        )
        match op:
            case Conv():
                self._conv(op, done)
            case Depthwise():
                self._depthwise(op, done)
            case Add():
                self._add(op, done)
            case Pool():
                self._pool(op, done)
            case Concat():
                self._concat(op, done)
            case Pad():
                self._pad(op, done)
            case PadPlane():
                self._pad_plane(op, done)
            case Conv2d():
                self._conv_2d(op, done)
            case Pool2d():
                self._call(op, done, "pool_2d", {
                    **_axes(op), "channels": op.output.channels,
                    "act_min": op.act_min, "act_max": op.act_max,
                }, function="average_pool_2d" if op.average else "max_pool_2d")  # fmt: skip
            case Pair():
                self._pair(op, done)
            case Move():
                self._move(op, done)
            case Mean():
                source = op.inputs[0]
                length, channels = source.length, source.channels
                if op.last:
                    length, channels = channels, length
                self._call(op, done, "mean", {
                    "offset": -length * source.zero_point,
                    **_factor("", op.factor),
                    "length": length,
                    "channels": channels,
                    "out_zero": op.output.zero_point,
                }, function="mean_last" if op.last else "")  # fmt: skip
            case Requantize():
                self._call(op, done, "requantize", {
                    "size": op.output.size,
                    **_factor("", op.factor),
                    "in_zero": op.inputs[0].zero_point,
                    "out_zero": op.output.zero_point,
                })  # fmt: skip
            case Lookup():
                self._lookup(op, done)
            case Softmax():
                self._call(op, done, "softmax", {
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

    def _scratch(self, op: Conv) -> str:
        """C expression of where a convolution's scratch lies."""
        return f"a + {self.plan.offsets[scratch_key(op)]}"

    def _call(
        self, op: Op, done: Emitted, kernel: str, fields: dict[str, object],
        function: str = "", extra: str = "", more: Sequence[str] = (),
    ) -> None:  # fmt: skip
        """A constant struct, and the call that passes it with inputs and output."""
        done.data.append(_struct(f"ein_nn_{kernel}_t", f"op{op.number}", fields, more))
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

    def _weights(self, op: Op, weights: Int8, done: Emitted) -> None:
        declaration = f"int8_t op{op.number}_weights[{weights.size}] EIN_NN_ALIGNED"
        done.data.append(_array(declaration, map(str, weights.ravel().tolist()), 24))

    def _fours(self, op: Conv, kind: str, macro: str, done: Emitted) -> None:
        """Weights in their own order, by a macro that knows the target's."""
        fours = pack_weights(op.weights, order=range(4)).reshape(-1, 4)
        declaration = f"{kind} op{op.number}_weights[{fours.size}] EIN_NN_ALIGNED"
        items = (f"{macro}({', '.join(map(str, four))})" for four in fours.tolist())
        done.data.append(_array(declaration, items, 4))

    def _wide_weights(self, op: Conv, done: Emitted) -> None:
        self._fours(op, "ein_nn_wide_t", "EIN_NN_WIDE4", done)

    def _marks(self, op: Conv, name: str) -> str:
        words = lane_marks(op.weights)
        return _array(f"uint32_t {name}[{len(words)}]", (f"0x{w:08X}u" for w in words), 8)

    def _poly_weights(self, op: Conv, done: Emitted) -> None:
        words = poly_words(op.weights)
        declaration = f"int32_t op{op.number}_weights[{words.size}]"
        done.data.append(_array(declaration, map(str, words.tolist()), 12))

    def _scales(
        self, op: Op, bias: Iterable[object], factors: Sequence[Factor], done: Emitted
    ) -> None:
        items = [
            f"{{{b}, {f.multiplier}, {f.left}, {f.right}}}"
            for b, f in zip(bias, factors, strict=True)
        ]
        if len(items) % 2:
            items.append("{0, 0, 0, 1}")
        done.data.append(_array(f"ein_nn_scale_t op{op.number}_scales[{len(items)}]", items, 4))

    def _conv(self, op: Conv, done: Emitted) -> None:
        source, out, layout = op.inputs[0], op.output, conv_layout(op)
        bias: Iterable[object] = op.bias
        if op.poly:
            done.data.append("#if EIN_NN_DSP")
            self._poly_weights(op, done)
            done.data.append("#else")
            self._wide_weights(op, done)
            done.data.append("#endif")
        elif op.wide:
            self._wide_weights(op, done)
        elif op.carries:
            self._fours(op, "int8_t", "EIN_NN_DENSE4", done)
            carried = zip(op.bias, carried_bias(op), strict=True)
            bias = (f"EIN_NN_DENSE_BIAS({plain}, {other})" for plain, other in carried)
        else:
            self._weights(op, pack_weights(op.weights), done)
        self._scales(op, bias, op.factors, done)
        kernel, more = "conv" if op.small else "conv_any", []
        if op.lanes:
            fast, marks = op.wide or op.poly, f"op{op.number}_marks"
            kernel = "conv_lanes" if fast else "conv_small"
            done.data += [
                f"#if {'EIN_NN_LANES' if fast else 'EIN_NN_RV32'}",
                self._marks(op, marks),
                "#endif",
            ]
            more = [f"EIN_NN_CONV_MARKS{'' if fast else '_SMALL'}({marks})"]
        if op.poly:
            kernel = "conv_poly"
        elif op.carries:
            kernel = "dense"
        flags = [
            ("EIN_NN_CONV_ROWS", layout.rows),
            ("EIN_NN_CONV_WIDE", op.wide or op.poly),
        ]
        self._call(op, done, "conv", {
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
        }, kernel, f", (int16_t *)({self._scratch(op)})", more)  # fmt: skip

    def _depthwise(self, op: Depthwise, done: Emitted) -> None:
        self._weights(op, op.weights, done)
        self._scales(op, op.bias, op.factors, done)
        self._call(op, done, "depthwise", {
            "weights": f"op{op.number}_weights",
            "scales": f"op{op.number}_scales",
            "in_length": op.inputs[0].length,
            "out_length": op.output.length,
            "out_channels": op.output.channels,
            "multiplier": op.multiplier,
            **_window(op),
            "in_zero": op.inputs[0].zero_point,
            **_clamp(op),
        }, "depthwise" if op.small else "depthwise_any")  # fmt: skip

    def _add(self, op: Add, done: Emitted) -> None:
        a, b = op.inputs
        self._call(op, done, "add", {
            "size": op.output.size,
            "b_multiplier": op.b_factor.multiplier,
            "out_multiplier": op.out_factor.multiplier,
            "b_right": op.b_factor.right,
            "out_right": op.out_factor.right,
            "a_zero": a.zero_point,
            "b_zero": b.zero_point,
            **_clamp(op),
        }, "add" if op.small else "add_any")  # fmt: skip

    def _pool(self, op: Pool, done: Emitted) -> None:
        window = _window(op)
        del window["dilation"]
        self._call(op, done, "pool", {
            "in_length": op.inputs[0].length,
            "out_length": op.output.length,
            "channels": op.output.channels,
            **window,
            "act_min": op.act_min,
            "act_max": op.act_max,
        }, function="average_pool" if op.average else "max_pool")  # fmt: skip

    def _concat(self, op: Concat, done: Emitted) -> None:
        to, start = op.output, 0
        for source in op.inputs:
            width, step = source.size // op.rows, to.size // op.rows
            at = f"{self.at(to)} + {start}"
            done.code.append(
                f"ein_nn_copy({self.at(source)}, {at}, {op.rows}, {width}, {width}, {step});"
            )
            start += width

    def _lookup(self, op: Lookup, done: Emitted) -> None:
        done.data.append(_array(f"int8_t op{op.number}_table[256]", map(str, op.table), 24))
        buffers = f"{self.at(op.inputs[0])}, {self.at(op.output)}"
        done.code.append(f"ein_nn_lookup(op{op.number}_table, {buffers}, {op.output.size});")

    def _pad(self, op: Pad, done: Emitted) -> None:
        source, out = op.inputs[0], op.output
        before = op.left * out.channels
        after = out.size - before - source.size
        done.code += [
            f"ein_nn_fill({self.at(out)}, {before}, {out.zero_point});",
            f"ein_nn_copy({self.at(source)}, {self.at(out)} + {before}, 1, {source.size}, 0, 0);",
            f"ein_nn_fill({self.at(out)} + {before + source.size}, {after}, {out.zero_point});",
        ]

    def _pad_plane(self, op: PadPlane, done: Emitted) -> None:
        source, out = op.inputs[0], op.output
        done.code += [
            f"ein_nn_fill({self.at(out)}, {out.size}, {out.zero_point});",
            f"ein_nn_copy({self.at(source)}, {self.at(out)} + {op.offset}, {op.rows}, {op.bytes}, "
            f"{op.bytes}, {op.step});",
        ]

    def _conv_2d(self, op: Conv2d, done: Emitted) -> None:
        self._weights(op, op.weights, done)
        self._scales(op, op.bias, op.factors, done)
        self._call(op, done, "conv_2d", {
            "weights": f"op{op.number}_weights",
            "scales": f"op{op.number}_scales",
            **_axes(op),
            "in_channels": op.inputs[0].channels,
            "out_channels": op.output.channels,
            "groups": op.groups,
            "in_zero": op.inputs[0].zero_point,
            "out_zero": op.output.zero_point,
            "act_min": op.act_min,
            "act_max": op.act_max,
        })  # fmt: skip

    def _pair(self, op: Pair, done: Emitted) -> None:
        buffers = []
        for name, side in (("a", op.a), ("b", op.b)):
            buffers.append(self._operand(op, side, name, done))
        factors = ", ".join(f"{{{f.multiplier}, {f.left}, {f.right}}}" for f in op.factors)
        done.data.append(_struct("ein_nn_pair_t", f"op{op.number}", {
            "rows": op.rows,
            "columns": op.columns,
            "a_row": op.a.steps[0],
            "a_column": op.a.steps[1],
            "b_row": op.b.steps[0],
            "b_column": op.b.steps[1],
            "factors": f"{{{factors}}}",
            "a_zero": op.a.zero_point,
            "b_zero": op.b.zero_point,
            "out_zero": op.output.zero_point,
            "act_min": op.act_min,
            "act_max": op.act_max,
            "subtract": int(op.subtract),
        }))  # fmt: skip
        places = ", ".join((*buffers, self.at(op.output)))
        done.code.append(f"ein_nn_{op.function}(&op{op.number}, {places});")

    def _operand(self, op: Pair, side: Operand, name: str, done: Emitted) -> str:
        """C expression of where one side of a pair lies."""
        if side.tensor is not None:
            return self.at(side.tensor)
        assert side.values is not None
        array = f"op{op.number}_{name}"
        declaration = f"int8_t {array}[{side.values.size}]"
        done.data.append(_array(declaration, map(str, side.values.ravel().tolist()), 24))
        return array

    def _move(self, op: Move, done: Emitted) -> None:
        name = f"op{op.number}_to{op.output.index}"  # an op may have several outputs
        done.data.append(_struct("ein_nn_move_t", name, {
            "offset": op.offset,
            "counts": f"{{{', '.join(map(str, op.counts))}}}",
            "steps": f"{{{', '.join(map(str, op.steps))}}}",
        }))  # fmt: skip
        done.code.append(f"ein_nn_move(&{name}, {self.at(op.inputs[0])}, {self.at(op.output)});")


def _axes(op: Plane) -> dict[str, object]:
    """Both dimensions, as ein_nn_axis_t."""
    up = op.up if isinstance(op, Conv2d) else (1, 1)
    return {
        name: "{"
        + ", ".join(
            str(pair[i])
            for pair in (
                op.in_size, op.out_size, op.kernel, op.stride, op.dilation, op.pad, up,
            )
        )
        + "}"
        for i, name in enumerate("yx")
    }  # fmt: skip


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
