#!/bin/sh
# tflite-micro 0.dev20261023182759 (the newest on 2026-11-28): int8 SPACE_TO_BATCH_ND pads with
# whatever lies in its memory (0 in a fresh process) instead of the tensor's zero point, since the
# kernel never sets the padding value. TensorFlow's converter writes this op around every dilated
# convolution whose batch is open (Keras's default conversion) with padding "same", so such a network
# runs on TFLite Micro without an error and gives other values at the ends of its signal. With a
# fixed batch the converter writes a convolution with a dilation instead.
#
# Seen: "zero point 9, padded with [0 0], in between [1 2 3 4 5 6]".
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check \
    tflite-micro==0.dev20261023182759 tflite==2.18.0 flatbuffers==25.12.19 numpy==2.4.6
cat > "$folder/try.py" <<'PYTHON'
import flatbuffers, numpy as np, tflite
from tflite_micro import runtime

b = flatbuffers.Builder(1024)
ZERO = 9


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


def tensor(index, shape, kind, quantized):
    fields = {"Shape": ints(*shape), "Type": kind, "Buffer": index + 1, "Name": b.CreateString("t")}
    if quantized:
        fields["Quantization"] = table(
            "QuantizationParameters", Scale=vector([0.1], "PrependFloat32"),
            ZeroPoint=vector([ZERO], "PrependInt64", 8),
        )
    return table("Tensor", **fields)


def buffer(values):
    data = np.array(values, dtype="<i4").tobytes()
    return table("Buffer", Data=b.CreateByteVector(data)) if values else table("Buffer")


INT8, INT32 = tflite.TensorType.INT8, tflite.TensorType.INT32
buffers = [buffer(v) for v in ([], [], [1], [1, 1], [])]  # none, input, block, paddings, output
tensors = [tensor(0, [1, 6, 1], INT8, True), tensor(1, [1], INT32, False),
           tensor(2, [1, 2], INT32, False), tensor(3, [1, 8, 1], INT8, True)]
code = tflite.BuiltinOperator.SPACE_TO_BATCH_ND
graph = table(
    "SubGraph", Tensors=tables(*tensors), Inputs=ints(0), Outputs=ints(3),
    Operators=tables(table("Operator", OpcodeIndex=0, Inputs=ints(0, 1, 2), Outputs=ints(3))),
)
codes = tables(table("OperatorCode", DeprecatedBuiltinCode=code, BuiltinCode=code, Version=3))
b.Finish(
    table("Model", Version=3, OperatorCodes=codes, Subgraphs=tables(graph),
          Buffers=tables(*buffers)), b"TFL3"
)
interpreter = runtime.Interpreter.from_bytes(bytes(b.Output()), arena_size=1 << 16)
interpreter.set_input(np.arange(1, 7, dtype=np.int8).reshape(1, 6, 1), 0)
interpreter.invoke()
out = interpreter.get_output(0).ravel()
print(f"zero point {ZERO}, padded with {out[[0, -1]]}, in between {out[1:-1]}")
PYTHON
seen=$("$folder/venv/bin/python" "$folder/try.py" 2>/dev/null | tail -n 1)
echo "$seen"
case "$seen" in
*"padded with [9 9]"*) echo "it pads with the zero point now" && exit 1 ;;
"zero point 9, padded with "*", in between [1 2 3 4 5 6]") ;;
*) exit 1 ;;
esac
