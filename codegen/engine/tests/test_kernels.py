"""Every kernel against plain numpy and against TFLite Micro, sanitized, over many shapes."""

from pathlib import Path

import numpy as np
import pytest

from einthoven.codegen.engine import reader
from einthoven.codegen.engine.graph import Conv
from einthoven.codegen.engine.lower import lower
from einthoven.codegen.testing import bare_target, plain_reference
from einthoven.codegen.testing.host_target import run_sanitized
from einthoven.codegen.testing.random_models import ConvCase, Scribe, conv_model, noise
from einthoven.codegen.testing.tflite_builder import NONE, RELU, RELU6, RELU_N1_TO_1, SAME, VALID
from einthoven.native.tflm import run_tflm


@pytest.fixture(scope="session")
def objects(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("kernels")


def check(
    model: bytes, objects: Path, folder: Path, plain: bool = True, n: int = 8, varied: bool = True
) -> None:
    """Generated C, TFLite Micro and plain numpy agree to the bit, and the data says something."""
    raw = reader.parse(model)
    graph = lower(raw)
    inputs = [noise(raw.tensors[i].shape[1:], n, seed=i) for i in raw.inputs]
    ours = run_sanitized(graph, inputs, objects, folder)
    theirs = run_tflm(model, inputs, len(graph.outputs))
    for mine, tflm in zip(ours, theirs, strict=True):
        np.testing.assert_array_equal(mine, tflm)
        assert not varied or len(np.unique(mine)) > 1, "outputs hardly vary: the case tests nothing"
    if plain:
        for k in range(n):
            expected = plain_reference.infer(raw, [i[k] for i in inputs])
            for mine, value in zip(ours, expected, strict=True):
                np.testing.assert_array_equal(mine[k], value.ravel())


CONVS = [
    ConvCase(1, 1, 1),
    ConvCase(1, 1, 1, 3),
    ConvCase(2, 3, 5, 7),
    ConvCase(512, 1, 3, 5),
    ConvCase(216, 2, 16, 9, 3, activation=RELU),
    ConvCase(72, 16, 16, 3, activation=RELU),
    ConvCase(37, 16, 24, 3),
    ConvCase(36, 24, 24, 1),
    ConvCase(18, 32, 32, 3),
    ConvCase(9, 48, 8, 5),
    ConvCase(8, 4, 2, 5, activation=RELU),
    ConvCase(35, 8, 6, 5, padding=VALID),
    ConvCase(70, 12, 4, 5),
    ConvCase(101, 24, 24, 5, activation=RELU6),
    ConvCase(40, 32, 32, 5),
    ConvCase(5, 64, 64, 3),
    ConvCase(33, 8, 7, 7, 2),
    ConvCase(34, 8, 7, 7, 2),
    ConvCase(35, 3, 4, 3, 2, padding=VALID),
    ConvCase(40, 1, 8, 7, 2, padding=VALID),
    ConvCase(40, 3, 8, 5, 1, 2),
    ConvCase(41, 8, 6, 3, 1, 4, activation=RELU),
    ConvCase(41, 8, 6, 5, 1, 4, VALID),
    ConvCase(40, 4, 3, 3, 5),
    ConvCase(24, 5, 3, 3, 2, activation=RELU6),
    ConvCase(24, 5, 4, 3, 1, activation=RELU_N1_TO_1),
    ConvCase(24, 6, 4, 3, per_channel=False),
    ConvCase(24, 6, 4, 3, bias=False),
    ConvCase(30, 4, 6, 3, 2, vertical=True),
    ConvCase(30, 6, 6, 3, depth_multiplier=1),
    ConvCase(30, 3, 9, 5, 2, depth_multiplier=3, activation=RELU),
    ConvCase(31, 8, 8, 7, 1, 2, VALID, depth_multiplier=1),
    ConvCase(31, 1, 4, 3, 1, 4, depth_multiplier=4, per_channel=False),
    ConvCase(30, 4, 4, 3, 2, depth_multiplier=1, vertical=True, bias=False),
]


@pytest.mark.parametrize("extreme", [False, True], ids=["usual", "extreme"])
@pytest.mark.parametrize("case", CONVS, ids=str)
def test_convolution(case: ConvCase, extreme: bool, objects: Path, tmp_path: Path) -> None:
    model = conv_model(case, seed=len(str(case)), extreme=extreme)
    check(model, objects, tmp_path, varied=not extreme)


@pytest.mark.parametrize("target", ["m4-portable", "m3-small"])
def test_every_convolution_with_plain_kernels(target: str, tmp_path: Path) -> None:
    """All of the shapes above in one image, and dense layers; test_cross_check.py has the rest."""
    s = Scribe(9)
    sources, outputs = [], []
    for case in CONVS:
        size = [case.length, 1] if case.vertical else [1, case.length]
        sources.append(s.input([1, *size, case.channels]))
        outputs.append(s.conv(sources[-1], case))
    for n_in, units in ((1, 1), (24, 33), (511, 5)):
        sources.append(s.input([1, n_in]))
        outputs.append(s.dense(sources[-1], units))
    data = s.b.finish(sources, outputs)
    graph = lower(reader.parse(data))
    inputs = [noise((t.length, t.channels), 4, i) for i, t in enumerate(graph.inputs)]
    result = bare_target.run(graph, inputs, target, tmp_path)
    expected = np.concatenate(run_tflm(data, inputs, len(outputs)), axis=1)
    np.testing.assert_array_equal(result.outputs, expected)


class _FullLanes(Scribe):
    """Weights of one sign per output channel, as large as four products a multiplication allow."""

    def _weights(self, shape: list[int]) -> np.ndarray:
        signs = np.resize(np.array([1, -1, 1], dtype=np.int8), (shape[0], 1, 1, 1))
        weights = np.broadcast_to(signs * np.int8(127), shape).copy()
        weights[:, :, 1::2][2::3] *= -1
        return weights


@pytest.mark.parametrize("target", ["m4", "rv32"])
def test_sums_that_fill_their_lanes(target: str, tmp_path: Path) -> None:
    """60 weights of 127 times inputs of −128: 975,360 of 1,048,576; a few more are too much."""
    s = _FullLanes(3)
    sources, outputs = [], []
    for channels in (12, 16):
        case = ConvCase(41, channels, 6, 5)
        sources.append(s.input([1, 1, case.length, channels]))
        outputs.append(s.conv(sources[-1], case))
    data = s.b.finish(sources, outputs)
    graph = lower(reader.parse(data))
    assert [op.poly for op in graph.ops if isinstance(op, Conv)] == [True, False]
    inputs = [noise((t.length, t.channels), 6, i) for i, t in enumerate(graph.inputs)]
    result = bare_target.run(graph, inputs, target, tmp_path)
    expected = np.concatenate(run_tflm(data, inputs, len(outputs)), axis=1)
    np.testing.assert_array_equal(result.outputs, expected)
    assert len(np.unique(expected)) > 20


@pytest.mark.parametrize(
    ("inputs", "units", "per_channel", "activation"),
    [(1, 1, False, NONE), (3, 5, True, RELU), (64, 32, False, NONE), (511, 5, True, NONE),
     (24, 33, False, RELU)],
)  # fmt: skip
def test_dense(
    inputs: int, units: int, per_channel: bool, activation: int, objects: Path, tmp_path: Path
) -> None:
    s = Scribe(inputs)
    source = s.input([1, inputs])
    out = s.dense(source, units, activation, per_channel)
    check(s.b.finish([source], [out]), objects, tmp_path)


@pytest.mark.parametrize("extreme", [False, True])
@pytest.mark.parametrize("ratio", [1.0, 0.999, 0.5, 0.3, 0.01, 1e-6, 7.0])
def test_add(ratio: float, extreme: bool, objects: Path, tmp_path: Path) -> None:
    """Including equal scales, whose factor is 1/2 without a shift, and scales far apart."""
    s = Scribe(3, extreme)
    a = s.activation([1, 1, 21, 5], 0.05)
    b = s.activation([1, 1, 21, 5], 0.05 * ratio)
    model = s.b.finish([a, b], [s.add(a, b, RELU if ratio > 0.4 else NONE)])
    check(model, objects, tmp_path, varied=not extreme)


def test_add_of_a_tensor_to_itself(objects: Path, tmp_path: Path) -> None:
    s = Scribe(4)
    a = s.input([1, 1, 8, 4])
    b = s.add(a, a)
    check(s.b.finish([a], [s.add(b, b)]), objects, tmp_path)


@pytest.mark.parametrize("average", [False, True])
@pytest.mark.parametrize(
    ("length", "channels", "kernel", "stride", "padding"),
    [(72, 16, 2, 2, VALID), (73, 4, 2, 2, SAME), (9, 3, 3, 1, SAME), (10, 5, 5, 3, SAME),
     (7, 1, 7, 7, VALID), (20, 8, 1, 2, VALID)],
)  # fmt: skip
def test_pool(
    average: bool, length: int, channels: int, kernel: int, stride: int, padding: int,
    objects: Path, tmp_path: Path,
) -> None:  # fmt: skip
    s = Scribe(length)
    source = s.input([1, 1, length, channels])
    doubled = s.add(source, source)  # so that the pool's input lies in the arena, to be overlapped
    out = s.pool(doubled, kernel, stride, padding, average)
    check(s.b.finish([source], [s.add(out, out)]), objects, tmp_path)


@pytest.mark.parametrize("length", [1, 2, 9, 100, 512])
@pytest.mark.parametrize("extreme", [False, True])
def test_mean(length: int, extreme: bool, objects: Path, tmp_path: Path) -> None:
    s = Scribe(length, extreme)
    source = s.input([1, 1, length, 6])
    model = s.b.finish([source], [s.mean(source, keep_dims=extreme)])
    check(model, objects, tmp_path, varied=not extreme)


@pytest.mark.parametrize("length", [1, 2, 47])
@pytest.mark.parametrize("channels", [3, 8])
def test_reduce_max(length: int, channels: int, objects: Path, tmp_path: Path) -> None:
    s = Scribe(length)
    source = s.input([1, 1, length, channels])
    doubled = s.add(source, source)
    largest = s.reduce_max(doubled, keep_dims=length > 1)
    check(s.b.finish([source], [s.add(largest, largest)]), objects, tmp_path)


@pytest.mark.parametrize("ratio", [1.0, 0.37, 3.9, 0.004, 60.0])
def test_requantize(ratio: float, objects: Path, tmp_path: Path) -> None:
    s = Scribe(5)
    source = s.input([1, 1, 12, 3])
    out = s.requantize(source, s.scales[source] / ratio)
    check(s.b.finish([source], [out]), objects, tmp_path)


@pytest.mark.parametrize(("left", "right"), [(0, 1), (3, 0), (2, 5)])
def test_pad(left: int, right: int, objects: Path, tmp_path: Path) -> None:
    """Alone it is a copy; before a convolution it is folded into that."""
    s = Scribe(6)
    source = s.input([1, 1, 14, 3])
    padded = s.pad(source, left, right)
    conv = s.conv(padded, ConvCase(14 + left + right, 3, 4, 3, 2, padding=VALID))
    check(s.b.finish([source], [padded, conv]), objects, tmp_path / "copied")
    s = Scribe(6)
    source = s.input([1, 1, 14, 3])
    padded = s.pad(source, left, right)
    conv = s.conv(padded, ConvCase(14 + left + right, 3, 4, 3, 2, padding=VALID))
    folded = s.b.finish([source], [conv])
    assert [op.kind for op in lower(reader.parse(folded)).ops] == ["CONV_2D"]
    check(folded, objects, tmp_path / "folded")


@pytest.mark.parametrize("axis", [2, 3])
def test_concatenation(axis: int, objects: Path, tmp_path: Path) -> None:
    s = Scribe(7)
    shapes = ([1, 1, 6, 3], [1, 1, 6, 4]) if axis == 3 else ([1, 1, 6, 3], [1, 1, 2, 3])
    sources = [s.input(shape) for shape in shapes]
    check(s.b.finish(sources, [s.concat(sources, axis)]), objects, tmp_path)


@pytest.mark.parametrize("scale", [0.9, 0.1, 0.004, 5.0])
@pytest.mark.parametrize("channels", [1, 5, 40, 511])
def test_softmax(scale: float, channels: int, objects: Path, tmp_path: Path) -> None:
    s = Scribe(8)
    source = s.activation([1, 1, 7, channels], scale)
    summed = s.add(source, source)
    model = s.b.finish([source], [s.softmax(summed), summed])
    check(model, objects, tmp_path, plain=False, n=40, varied=channels > 1)
