#!/bin/sh
# ai-edge-litert 2.3.0, tensorflow 2.21.0 likewise: with the reference kernels
# (OpResolverType.BUILTIN_REF, which one takes to compare a microcontroller's results to the bit) int8
# SUM, where input and output have scales of their own, takes each negative number for one that is
# larger by 256, as if it were uint8. The optimised kernels are right, and TFLite Micro's. Who takes
# "reference" for the truth looks for the fault in his own kernels.
#
# Seen: "halves of the sums [2, 1, -6, 7]: reference [2, -127, -6, 7]; optimised [2, 1, -6, 7]".
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check \
    ai-edge-litert==2.3.0 tflite==2.18.0 flatbuffers==25.12.19 numpy==2.4.6
cat > "$folder/try.py" <<'PYTHON'
import flatbuffers
import numpy as np
import tflite
from ai_edge_litert.interpreter import Interpreter, OpResolverType

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


INT8, INT32, CODE = tflite.TensorType.INT8, tflite.TensorType.INT32, tflite.BuiltinOperator.SUM
inputs = tensor([1, 4, 2], INT8, 0, 0.1)
tensors = tables(inputs, tensor([1], INT32, 1), tensor([1, 4], INT8, 0, 0.2))
options = table("ReducerOptions", KeepDims=False)
kind = tflite.BuiltinOptions.ReducerOptions
ops = dict(OpcodeIndex=0, Inputs=ints(0, 1), Outputs=ints(2), BuiltinOptionsType=kind, BuiltinOptions=options)
graph = table(
    "SubGraph", Tensors=tensors, Inputs=ints(0), Outputs=ints(2), Operators=tables(table("Operator", **ops))
)
codes = tables(table("OperatorCode", DeprecatedBuiltinCode=CODE, BuiltinCode=CODE, Version=2))
axes = table("Buffer", Data=b.CreateByteVector(np.int32(2).tobytes()))
buffers, graphs = tables(table("Buffer"), axes), tables(graph)
b.Finish(table("Model", Version=3, OperatorCodes=codes, Subgraphs=graphs, Buffers=buffers), b"TFL3")
model = bytes(b.Output())
pairs = np.array([[1, 3], [-2, 4], [-5, -7], [6, 8]], np.int8)
said = []
for name, resolver in (
    ("reference", OpResolverType.BUILTIN_REF),
    ("optimised", OpResolverType.BUILTIN_WITHOUT_DEFAULT_DELEGATES),
):
    lite = Interpreter(model_content=model, experimental_op_resolver_type=resolver)
    lite.allocate_tensors()
    lite.set_tensor(lite.get_input_details()[0]["index"], pairs[None])
    lite.invoke()
    out = lite.get_tensor(lite.get_output_details()[0]["index"])
    said.append(f"{name} {out[0].tolist()}")
print(f"halves of the sums {(pairs.sum(1) // 2).tolist()}:", "; ".join(said))
PYTHON
cd "$folder"
seen=$("$folder/venv/bin/python" try.py 2>/dev/null | tail -n 1)
echo "$seen"
test "$seen" = "halves of the sums [2, 1, -6, 7]: reference [2, -127, -6, 7]; optimised [2, 1, -6, 7]"
