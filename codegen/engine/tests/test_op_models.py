"""The ops that others' converters write, against TFLite Micro; and what is folded away first."""

from pathlib import Path

import numpy as np
import pytest

from einthoven.codegen.engine import reader
from einthoven.codegen.engine.graph import Conv, Conv2d, Lookup, Move, PadPlane, Pair, Pool2d
from einthoven.codegen.engine.lower import lower
from einthoven.codegen.testing import model_case, op_models, plain_reference
from einthoven.codegen.testing.many_models import PLACES
from einthoven.codegen.testing.model_case import case_of, check_model_case, compare
from einthoven.codegen.testing.op_models import OpScribe
from einthoven.codegen.testing.random_models import ConvCase, noise
from einthoven.codegen.testing.tflite_builder import VALID
from einthoven.errors import ModelError
from einthoven.native.tflm import tflm_layers


def test_every_op_as_tflite_micro_computes_it(kernels: Path, tmp_path: Path) -> None:
    """On the host under sanitizers, the emulated Cortex-M4 and rv32; seed 2 is of extremes."""
    graphs = [lower(reader.parse(data)) for _, data in op_models.models([0, 2])]
    made = {type(op) for graph in graphs for op in graph.ops}
    assert {Pair, Lookup, Move, PadPlane, Conv2d, Pool2d} <= made
    assert not op_models.check([0, 2], kernels, tmp_path, PLACES)


@pytest.mark.parametrize("seed", [1, 2])
@pytest.mark.parametrize("group", ["pairs", "planes"])
def test_plain_numpy_agrees_with_tflite_micro(group: str, seed: int) -> None:
    """The second opinion, written from docs/SPEC.md and not from the generator."""
    s = OpScribe(seed, extreme=seed == 2)
    inputs, outputs = op_models.GROUPS[group](s)
    if group == "planes":  # pooling of two dimensions is not in it
        outputs = [i for i in outputs if "POOL" not in maker(s, i)]
        s.b.ops[:] = [op for op in s.b.ops if "POOL" not in op[0]]
    data = s.b.finish(inputs, outputs)
    raw = reader.parse(data)
    vectors = [noise(raw.tensors[i].shape[1:], 6, i) for i in raw.inputs]
    theirs = tflm_layers(data, vectors, outputs)
    for n in range(6):
        plain = plain_reference.layers(raw, [v[n : n + 1] for v in vectors])
        for i in outputs:
            np.testing.assert_array_equal(plain[i].ravel(), theirs[n][i], err_msg=maker(s, i))


def maker(s: OpScribe, tensor: int) -> str:
    """The op that computes a tensor."""
    return next(op[0] for op in s.b.ops if tensor in op[2])


def test_weights_of_an_op_reach_the_output(kernels: Path, tmp_path: Path) -> None:
    """The comparison can fail: one other constant, and the pair is named."""
    s = OpScribe(4)
    source = s.input([1, 1, 9, 4])
    constant = s.constant([4])
    data = s.b.finish([source], [s.pair("MUL", source, constant)])
    s.b.tensors[constant].data = bytes(4 * [5])
    other = s.b.finish([source], [2])
    case = case_of("mul", data)
    wrong = case_of("mul", other)
    assert wrong.graph is not None
    lines = compare([type(case)("mul", data, wrong.graph)], kernels, tmp_path, ["host"])["mul"]
    assert len(lines) == 1
    assert "op 0 MUL, tensor 2" in lines[0]


def keras_reshape(flat: int, batch: int = 1) -> bytes:
    """RESHAPE to [batch, flat] by SHAPE, STRIDED_SLICE and PACK, as Keras writes it."""
    s = OpScribe(5)
    source = s.input([1, 6, 4])
    shape = s.b.tensor([3], [], type_name="INT32")
    first = s.b.tensor([], [], type_name="INT32")
    packed = s.b.tensor([2], [], type_name="INT32")
    s.b.op("SHAPE", [source], shape)
    ends = [s.integers([0]), s.integers([1]), s.integers([1])]
    s.b.op("STRIDED_SLICE", [shape, *ends], first, ShrinkAxisMask=1)
    s.b.op("PACK", [first, s.integers(flat)], packed, ValuesCount=2)
    out = s.activation([batch, 24], s.scales[source], s.zeros[source])
    s.b.op("RESHAPE", [source, packed], out)
    return s.b.finish([source], [s.dense(out, 5)])


def test_shapes_fold_away(kernels: Path, tmp_path: Path) -> None:
    case = case_of("reshape", keras_reshape(24))
    assert case.graph is not None
    assert [op.kind for op in case.graph.ops] == ["FULLY_CONNECTED"]
    assert compare([case], kernels, tmp_path, ["host"]) == {"reshape": []}


def test_a_computed_shape_must_be_the_stated_one() -> None:
    with pytest.raises(ModelError, match=r"op 3 RESHAPE.*\[1, 12\].*\[1, 24\]"):
        lower(reader.parse(keras_reshape(12)))


def dilated(batch: int, left: int = 0) -> bytes:
    """A convolution of 3 taps in steps of 2, as converters without dilation write it."""
    s = OpScribe(6)
    source = s.input([1, 1, 21 - left, 3])
    block, pads = s.integers([1, 2]), s.integers([[0, 0], [left, 1]])
    crops = s.integers([[0, 0], [0, 1]])
    split = s.activation([batch, 1, 11, 3], s.scales[source], s.zeros[source])
    s.b.op("SPACE_TO_BATCH_ND", [source, block, pads], split)
    conv = s.conv(split, ConvCase(11, 3, 4, 3, padding=VALID))
    s.b.tensors[conv].shape[0] = batch
    out = s.activation([1, 1, 17, 4], s.scales[conv], s.zeros[conv])
    s.b.op("BATCH_TO_SPACE_ND", [conv, block, crops], out)
    return s.b.finish([source], [out])


def test_a_dilation_in_disguise_is_one(kernels: Path, tmp_path: Path) -> None:
    case = case_of("dilated", dilated(2))
    assert case.graph is not None
    (op,) = case.graph.ops
    assert isinstance(op, Conv)
    assert (op.window.dilation, op.window.pad_left) == (2, 0)
    assert compare([case], kernels, tmp_path, ["host"]) == {"dilated": []}


def test_a_disguise_that_tflite_micro_computes_wrong() -> None:
    """Keras's default conversion says batch 1 where it is 2: half of the values would be lost."""
    with pytest.raises(
        ModelError, match=r"op 0 SPACE_TO_BATCH_ND: tensor.*should be 2.*fixed batch"
    ):
        lower(reader.parse(dilated(1)))


def test_a_disguise_that_tflite_micro_pads_wrong() -> None:
    with pytest.raises(ModelError, match=r"op 0 SPACE_TO_BATCH_ND: tensor.*is padded.*fixed batch"):
        lower(reader.parse(dilated(2, left=2)))


@pytest.mark.parametrize(
    ("name", "words"),
    [("TILE", ("TFLite Micro has no TILE", "Conv1DTranspose")), ("WHILE", ("loops",)),
     ("BATCH_TO_SPACE_ND", ("dilation",)), ("DEQUANTIZE", ("full int8",))],
)  # fmt: skip
def test_a_refusal_names_op_tensor_and_cure(name: str, words: tuple[str, ...]) -> None:
    s = OpScribe(7)
    source = s.input([1, 4])
    out = s.function(name, source)
    with pytest.raises(ModelError) as caught:
        lower(reader.parse(s.b.finish([source], [out])))
    for word in (f"op 0 {name}", f"tensor {out}", *words):
        assert word in str(caught.value)


def test_a_folder_of_models(tmp_path: Path) -> None:
    """Right: bit-exact, or refused in words; wrong: nothing there, or a file that is no model."""
    assert check_model_case(tmp_path) == (False, f"no .tflite in {tmp_path.name}")
    (tmp_path / "good.tflite").write_bytes(keras_reshape(24))
    (tmp_path / "open.tflite").write_bytes(dilated(1))
    right, what = check_model_case(tmp_path)
    assert right
    assert "good.tflite: 1 ops as TFLite Micro computes them" in what
    assert "open.tflite: refused: op 0" in what
    (tmp_path / "none.tflite").write_bytes(b"PK" + bytes(100))
    assert not check_model_case(tmp_path)[0]


def test_a_file_that_is_not_there_is_named(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as left:
        model_case.main([str(tmp_path / "none.tflite")])
    assert left.value.code == 2
    assert f"error: no file {tmp_path / 'none.tflite'}: give a .tflite" in capsys.readouterr().err


def test_a_dense_layer_over_rows_is_a_convolution() -> None:
    s = OpScribe(8)
    source = s.input([1, 9, 5])
    (op,) = lower(reader.parse(s.b.finish([source], [s.rows(source, 4)]))).ops
    assert isinstance(op, Conv)
    assert (op.output.length, op.output.channels, op.window.kernel) == (9, 4, 1)


def test_uint8_stands_only_at_the_ends() -> None:
    s = OpScribe(9)
    source = s.b.tensor([1, 1, 8, 2], 0.1, 7, type_name="UINT8")
    out = s.activation([1, 1, 8, 2], 0.1)
    s.b.op("ADD", [source, source], out)
    with pytest.raises(ModelError, match=r"op 0 ADD: tensor 0 .* is uint8.*QUANTIZE"):
        lower(reader.parse(s.b.finish([source], [out])))


def test_an_alpha_that_is_no_number() -> None:
    s = OpScribe(10)
    source = s.input([1, 4])
    for alpha in (float("nan"), float("inf"), -0.5):
        s.b.ops.clear()
        out = s.function("LEAKY_RELU", source, Alpha=alpha)
        with pytest.raises(ModelError, match="op 0 LEAKY_RELU: tensor"):
            lower(reader.parse(s.b.finish([source], [out])))
