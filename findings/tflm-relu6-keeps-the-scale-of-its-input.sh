#!/bin/sh
# tflite-micro 0.dev20261023182759 (the newest on 2026-11-29): int8 RELU6 clips and does not rescale.
# RELU beside it does, and so does TensorFlow Lite's RELU6; this one copies its input's numbers into
# an output that means something else by them. TensorFlow's converter fuses most RELU6, but writes one
# with another scale where it follows the network's input or a MEAN. No error: the values are wrong by
# the scales' ratio and the zero points' difference. (ai-edge-litert 2.3.0 beside it.)
#
# Seen: "of -1, 1, 3, 12: LiteRT 0.0, 1.0, 3.0, 6.0; Micro 3.2, 3.5, 4.0, 4.7".
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check \
    tflite-micro==0.dev20261023182759 ai-edge-litert==2.3.0 tflite==2.18.0 flatbuffers==25.12.19 numpy==2.4.6
cat > "$folder/try.py" <<'PYTHON'
import flatbuffers
import numpy as np
import tflite
from ai_edge_litert.interpreter import Interpreter
from tflite_micro import runtime

b = flatbuffers.Builder(1024)


def table(kind, **fields):
    getattr(tflite, kind + "Start")(b)
    for key, value in fields.items():
        getattr(tflite, f"{kind}Add{key}")(b, value)
    return getattr(tflite, kind + "End")(b)


def vector(items, prepend, size=4):
    b.StartVector(size, len(items), size)
    for item in reversed(items):
        getattr(b, prepend)(item)
    return b.EndVector()


def ints(*items):
    return vector(items, "PrependInt32")


def tables(*items):
    return vector(items, "PrependUOffsetTRelative")


def tensor(shape, kind, buffer, scale=None, zero=0):
    fields = dict(Shape=ints(*shape), Type=kind, Buffer=buffer, Name=b.CreateString("t"))
    if scale:
        scales, zeros = vector([scale], "PrependFloat32"), vector([zero], "PrependInt64", 8)
        fields["Quantization"] = table("QuantizationParameters", Scale=scales, ZeroPoint=zeros)
    return table("Tensor", **fields)


INT8, CODE = tflite.TensorType.INT8, tflite.BuiltinOperator.RELU6
tensors = tables(tensor([1, 4], INT8, 0, 0.1), tensor([1, 4], INT8, 0, 0.025, -128))
ops = tables(table("Operator", OpcodeIndex=0, Inputs=ints(0), Outputs=ints(1)))
graph = table("SubGraph", Tensors=tensors, Inputs=ints(0), Outputs=ints(1), Operators=ops)
codes = tables(table("OperatorCode", DeprecatedBuiltinCode=CODE, BuiltinCode=CODE, Version=2))
buffers, graphs = tables(table("Buffer")), tables(graph)
b.Finish(table("Model", Version=3, OperatorCodes=codes, Subgraphs=graphs, Buffers=buffers), b"TFL3")
model = bytes(b.Output())
values = np.array([[-10, 10, 30, 120]], np.int8)  # -1, 1, 3, 12
lite = Interpreter(model_content=model)
lite.allocate_tensors()
lite.set_tensor(lite.get_input_details()[0]["index"], values)
lite.invoke()
micro = runtime.Interpreter.from_bytes(model, arena_size=1 << 16)
micro.set_input(values, 0)
micro.invoke()
said = []
for name, out in (
    ("LiteRT", lite.get_tensor(lite.get_output_details()[0]["index"])),
    ("Micro", micro.get_output(0)),
):
    real = (out[0].astype(float) + 128) * 0.025
    said.append(f"{name} {', '.join(f'{v:.1f}' for v in real)}")
print("of -1, 1, 3, 12:", "; ".join(said))
PYTHON
cd "$folder"
seen=$("$folder/venv/bin/python" try.py 2>/dev/null | tail -n 1)
echo "$seen"
test "$seen" = "of -1, 1, 3, 12: LiteRT 0.0, 1.0, 3.0, 6.0; Micro 3.2, 3.5, 4.0, 4.7"
