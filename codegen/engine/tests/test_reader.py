"""`.tflite` files that are broken, hostile or beyond the engine: a ModelError, nothing else."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from einthoven.codegen.engine import reader
from einthoven.codegen.engine.lower import lower
from einthoven.codegen.testing.mutants import compiled, fuzz, other_ops, small_model
from einthoven.codegen.testing.random_models import ConvCase, Scribe, residual_model
from einthoven.codegen.testing.tflite_builder import ModelBuilder
from einthoven.errors import ModelError


def compiles_or_refuses(data: bytes) -> bool:
    """True when the bytes gave C, False when they gave a ModelError of one line."""
    return compiled(data) is not None


def test_the_whole_model_is_good() -> None:
    assert compiles_or_refuses(small_model())
    assert compiles_or_refuses(residual_model(3))


@pytest.mark.parametrize("seed", range(4))
def test_fuzz(seed: int, kernels: Path, tmp_path: Path) -> None:
    """250 damaged files each: refused in one line, or computed as TFLite Micro computes them."""
    found = fuzz(seed, 250, 8, kernels, tmp_path)
    assert found.files == 250
    assert found.refused > 100
    assert found.run > 4
    assert not found.wrong
    assert not found.beyond


@pytest.mark.parametrize("number", range(4))
def test_fuzz_other_ops(number: int, kernels: Path, tmp_path: Path) -> None:
    """The same with files of the ops that others' converters write."""
    found = fuzz(number, 60, 4, kernels, tmp_path, other_ops()[number])
    assert found.refused > 5
    assert not found.wrong
    assert not found.beyond


@pytest.mark.parametrize("size", [0, 3, 8, 16, 24, 100])
def test_truncated(size: int) -> None:
    with pytest.raises(ModelError):
        reader.parse(small_model()[:size])


def refuses(data: bytes, *words: str) -> None:
    with pytest.raises(ModelError) as caught:
        lower(reader.parse(data))
    for word in words:
        assert word in str(caught.value)


def test_not_a_tflite() -> None:
    refuses(b"PK\x03\x04" + bytes(100), "TFL3")


def test_other_schema_version() -> None:
    b = ModelBuilder()
    a = b.tensor([1, 4])
    refuses(b.finish([a], [a], schema=2), "version 2", "TensorFlow 2")


def test_unknown_op_is_named_with_the_known_ones() -> None:
    b = ModelBuilder()
    a, out = b.tensor([1, 4]), b.tensor([1, 4])
    b.op("ELU", [a], out)
    refuses(b.finish([a], [out]), "op 0 ELU", "tensor 1", "use ReLU", "CONV_2D", "FULLY_CONNECTED")


def test_newer_op_version() -> None:
    b = ModelBuilder()
    a, out = b.tensor([1, 4]), b.tensor([1, 4])
    b.op("ADD", [a, a], out, version=99)
    refuses(b.finish([a], [out]), "op 0 ADD", "version 99")


def test_float_model() -> None:
    b = ModelBuilder()
    a = b.tensor([1, 4], [], type_name="FLOAT32")
    refuses(b.finish([a], [a]), "FLOAT32", "convert to full int8")


def test_open_batch_is_one() -> None:
    """As Keras converts by default: `shape` says 1 where `shape_signature` says −1."""
    b = ModelBuilder()
    a, out = b.tensor([1, 4], signature=[-1, 4]), b.tensor([1, 4], signature=[-1, 4])
    b.op("ADD", [a, a], out)
    assert compiles_or_refuses(b.finish([a], [out]))


def test_open_length() -> None:
    """TFLite Micro would run it, on one sample."""
    b = ModelBuilder()
    a, out = b.tensor([1, 1, 4], signature=[-1, -1, 4]), b.tensor([1, 1, 4])
    b.op("ADD", [a, a], out)
    refuses(b.finish([a], [out]), "model input: tensor 0", "dimension 1 is open", "fixed input")


@pytest.mark.parametrize("signature", [[0, 4], [-2, 4]])
def test_signature_that_means_nothing(signature: list[int]) -> None:
    b = ModelBuilder()
    a, out = b.tensor([1, 4], signature=signature), b.tensor([1, 4])
    b.op("ADD", [a, a], out)
    refuses(b.finish([a], [out]), "tensor 0", "is not fixed", "batch of 1")


@pytest.mark.parametrize("shape", [[2, 4], [1, 1, 40000, 2], [1, 1, 1, 1, 4, 4]])
def test_shapes_that_are_too_much(shape: list[int]) -> None:
    b = ModelBuilder()
    a, out = b.tensor(shape), b.tensor(shape)
    b.op("ADD", [a, a], out)
    refuses(b.finish([a], [out]), "tensor 0", "shape")


def test_shapes_that_do_not_broadcast() -> None:
    b = ModelBuilder()
    a, one, out = b.tensor([1, 1, 4, 2]), b.tensor([1, 1, 1, 3]), b.tensor([1, 1, 4, 2])
    b.op("ADD", [a, one], out)
    refuses(b.finish([a, one], [out]), "op 0 ADD", "[1, 1, 1, 3]", "do not give")


def test_broadcast_along_separate_dimensions() -> None:
    b = ModelBuilder()
    a, some, out = b.tensor([1, 3, 4, 2]), b.tensor([1, 3, 1, 2]), b.tensor([1, 3, 4, 2])
    b.op("MUL", [a, some], out)
    refuses(b.finish([a, some], [out]), "op 0 MUL", "tensor 2", "one value per channel")


def test_two_constants() -> None:
    b = ModelBuilder()
    a, out = b.tensor([1, 4]), b.tensor([1, 4])
    constant = b.tensor([1, 4], data=np.zeros(4, dtype=np.int8))
    b.op("ADD", [constant, constant], out)
    refuses(b.finish([a], [out]), "op 0 ADD", "constants folded")


def test_constant_where_an_activation_belongs() -> None:
    b = ModelBuilder()
    a, out = b.tensor([1, 4]), b.tensor([1, 4], 1 / 128)
    constant = b.tensor([1, 4], data=np.zeros(4, dtype=np.int8))
    b.op("TANH", [constant], out)
    refuses(b.finish([a], [out]), "op 0 TANH", "constant")


def conv(weights: dict[str, Any], out_scale: float = 1.0, **options: Any) -> bytes:
    """A convolution 8 × 2 → 8 × 3 whose weights or options are not as they should be."""
    b = ModelBuilder()
    given: dict[str, Any] = {
        "shape": [3, 1, 3, 2],
        "scale": [0.1, 0.1, 0.1],
        "data": np.ones(18, dtype=np.int8),
        **weights,
    }
    a, w, out = b.tensor([1, 1, 8, 2]), b.tensor(**given), b.tensor([1, 1, 8, 3], out_scale)
    settings = {
        "Padding": 0,
        "StrideW": 1,
        "StrideH": 1,
        "DilationWFactor": 1,
        "DilationHFactor": 1,
    }
    b.op("CONV_2D", [a, w], out, 3, **(settings | options))
    return b.finish([a], [out])


def test_the_convolution_below_is_good() -> None:
    assert compiles_or_refuses(conv({}))


@pytest.mark.parametrize(
    ("weights", "words"),
    [
        ({"zero_point": 3}, ("zero point 0", "symmetrically")),
        ({"scale": [0.1, 0.1]}, ("one scale, or 3",)),
        ({"dimension": 1}, ("one scale, or 3",)),
        ({"scale": [0.1, -0.1, 0.1]}, ("tensor 1", "not a positive number")),
        ({"scale": [0.1, float("nan"), 0.1]}, ("tensor 1", "not a positive number")),
        ({"scale": [1e9, 0.1, 0.1]}, ("channel 0", "overflow")),
        ({"type_name": "INT16", "data": np.ones(18, dtype=np.int16)}, ("constant INT8", "INT16")),
        ({"data": np.ones(17, dtype=np.int8)}, ("17 bytes", "[3, 1, 3, 2]")),
        ({"data": None}, ("constant INT8",)),
        ({"shape": [3, 1, 3, 1], "data": np.ones(9, dtype=np.int8)}, ("2 channels in", "grouped")),
        ({"shape": [2, 1, 3, 3]}, ("3 output channels",)),
    ],
)  # fmt: skip
def test_weights_that_do_not_fit(weights: dict[str, Any], words: tuple[str, ...]) -> None:
    refuses(conv(weights), *words)


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"StrideW": 2}, ("output length 8, should be 4",)),
        ({"StrideW": 0}, ("stride 0",)),
        ({"Padding": 1}, ("output length 8, should be 6",)),
        ({"DilationWFactor": -1}, ("dilation -1",)),
        ({"FusedActivationFunction": 4}, ("activation number 4", "ReLU")),
    ],
)
def test_options_that_do_not_fit(options: dict[str, Any], words: tuple[str, ...]) -> None:
    refuses(conv({}, **options), "op 0 CONV_2D", *words)


def test_weights_without_zero_points() -> None:
    """TFLite Micro would take them for unquantized ones."""
    s = Scribe(2)
    source = s.input([1, 1, 8, 2])
    out = s.conv(source, ConvCase(8, 2, 3, 3))
    s.b.tensors[source + 1].zero_points.clear()
    refuses(s.b.finish([source], [out]), "op 0 CONV_2D", "zero point 0")


def test_concatenation_of_different_scales() -> None:
    b = ModelBuilder()
    x, y, out = b.tensor([1, 4], 0.1), b.tensor([1, 4], 0.2), b.tensor([1, 8], 0.2)
    b.op("CONCATENATION", [x, y], out, Axis=1)
    refuses(b.finish([x, y], [out]), "op 0 CONCATENATION", "requantize")


def test_a_name_that_is_no_text_stays_on_one_line() -> None:
    """A corrupt length makes the name run on through the file."""
    data = bytearray(small_model())
    at = data.find(b"tensor0")
    data[at - 4 : at] = (len(data) - at).to_bytes(4, "little")
    names = [t.name for t in reader.parse(bytes(data)).tensors]
    assert all(n.isprintable() and len(n) <= reader.MAX_LABEL for n in names)
    assert any(len(n) == reader.MAX_LABEL for n in names)


@pytest.mark.parametrize("axes", [[3], [0, 2], [1, 1026], [-7], [1, 2, 3]])
def test_mean_over_other_axes(axes: list[int]) -> None:
    b = ModelBuilder()
    a, out = b.tensor([1, 1, 8, 4]), b.tensor([1, 4])
    constant = b.tensor([len(axes)], [], data=np.array(axes, dtype=np.int32), type_name="INT32")
    b.op("MEAN", [a, constant], out)
    refuses(b.finish([a], [out]), "op 0 MEAN", "over axes")


def test_softmax_over_too_many_channels() -> None:
    s = Scribe(3)
    source = s.input([1, 1, 2, 512])
    refuses(s.b.finish([source], [s.softmax(source)]), "op 0 SOFTMAX", "512 channels", "511")


def test_output_that_is_never_computed() -> None:
    b = ModelBuilder()
    a, out = b.tensor([1, 4]), b.tensor([1, 4])
    refuses(b.finish([a], [out]), "tensor 1", "never computed")


def test_tensor_that_does_not_exist() -> None:
    b = ModelBuilder()
    a, out = b.tensor([1, 4]), b.tensor([1, 4])
    b.op("ADD", [a, 77], out)
    refuses(b.finish([a], [out]), "tensor 77", "does not exist")
