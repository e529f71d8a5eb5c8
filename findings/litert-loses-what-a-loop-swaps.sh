#!/bin/sh
# ai-edge-litert 2.3.0, with the optimised kernels and the reference's: a WHILE whose body hands on
# two of its variables in each other's place (a ping-pong buffer, the last two samples) ends with the
# same value in both, as if the results were copied into the variables one after the other. tensorflow
# 2.21.0's interpreter does likewise, the function that it converted does not; tflite-micro
# 0.dev20261023182759 swaps them rightly. No error and no warning.
#
# Seen: "1 and 2 swapped three times: LiteRT [2. 2.], Micro [2. 1.]".
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


def tensor(kind, buffer=0, n=1):
    return table("Tensor", Shape=ints(n), Type=kind, Buffer=buffer, Name=b.CreateString("t"))


def op(code, takes, gives, **options):
    fields = dict(OpcodeIndex=CODES.index(code), Inputs=ints(*takes), Outputs=ints(*gives))
    for kind, values in options.items():
        fields["BuiltinOptionsType"] = getattr(tflite.BuiltinOptions, kind)
        fields["BuiltinOptions"] = table(kind, **values)
    return table("Operator", **fields)


def graph(tensors, ops, takes, gives):
    fields = dict(Tensors=tables(*tensors), Operators=tables(*ops))
    return table("SubGraph", Inputs=ints(*takes), Outputs=ints(*gives), **fields)


OPS = tflite.BuiltinOperator
CODES = [OPS.ADD, OPS.LESS, OPS.WHILE, OPS.CONCATENATION]
INT, FLOAT, BOOL = tflite.TensorType.INT32, tflite.TensorType.FLOAT32, tflite.TensorType.BOOL


def loop():  # round, first, second
    return [tensor(INT), tensor(FLOAT), tensor(FLOAT)]


ONE, THREE = 1, 2  # buffers
main = graph(
    loop() + loop() + [tensor(FLOAT, n=2)],
    [
        op(OPS.WHILE, [0, 1, 2], [3, 4, 5], WhileOptions=dict(CondSubgraphIndex=1, BodySubgraphIndex=2)),
        op(OPS.CONCATENATION, [4, 5], [6], ConcatenationOptions=dict(Axis=0)),
    ],
    [0, 1, 2],
    [6],
)
goes_on = graph(loop() + [tensor(INT, THREE), tensor(BOOL)], [op(OPS.LESS, [0, 3], [4])], [0, 1, 2], [4])
body = graph(loop() + [tensor(INT, ONE), tensor(INT)], [op(OPS.ADD, [0, 3], [4])], [0, 1, 2], [4, 2, 1])
data = [b.CreateByteVector(np.int32(value).tobytes()) for value in (1, 3)]
buffers = tables(table("Buffer"), *(table("Buffer", Data=d) for d in data))
codes = [table("OperatorCode", DeprecatedBuiltinCode=min(c, 127), BuiltinCode=c, Version=1) for c in CODES]
subgraphs = tables(main, goes_on, body)
b.Finish(table("Model", Version=3, OperatorCodes=tables(*codes), Subgraphs=subgraphs, Buffers=buffers), b"TFL3")
model = bytes(b.Output())

values = [np.zeros(1, np.int32), np.float32([1]), np.float32([2])]
lite = Interpreter(model_content=model)
lite.allocate_tensors()
for detail, value in zip(lite.get_input_details(), values, strict=True):
    lite.set_tensor(detail["index"], value)
lite.invoke()
micro = runtime.Interpreter.from_bytes(model, arena_size=1 << 16)
for place, value in enumerate(values):
    micro.set_input(value, place)
micro.invoke()
swapped = lite.get_tensor(lite.get_output_details()[0]["index"])
print(f"1 and 2 swapped three times: LiteRT {swapped}, Micro {micro.get_output(0)}")
PYTHON
cd "$folder"
seen=$("$folder/venv/bin/python" try.py 2>/dev/null | tail -n 1)
echo "$seen"
test "$seen" = "1 and 2 swapped three times: LiteRT [2. 2.], Micro [2. 1.]"
