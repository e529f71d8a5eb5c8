"""Every kernel against the plain reference: the corners of the product of shapes, and a slice."""

import random
from dataclasses import replace
from pathlib import Path

import pytest

from einthoven.codegen.engine import reader
from einthoven.codegen.engine.graph import Conv
from einthoven.codegen.engine.lower import lower
from einthoven.codegen.testing import cross_check, kernel_cases, plain_reference
from einthoven.codegen.testing.many_models import HOST, PLACES, SMALL_PLACES, Job, differences, run
from einthoven.codegen.testing.random_models import noise, residual_model

CORNERS = list(kernel_cases.corners())
SLICE = 120
"""Of the 53,156 cases; the others: python -m einthoven.codegen.testing.cross_check."""
SMALL_SLICE = 40
"""The same, of convolutions, where each core costs a compiler's run more."""


def test_corners_of_the_product(kernels: Path, tmp_path: Path) -> None:
    assert not cross_check.check(CORNERS, 5, PLACES, kernels, tmp_path / "program", n=3)


@pytest.mark.parametrize("place", SMALL_PLACES)
def test_small_slice_of_the_product(place: str, kernels: Path, tmp_path: Path) -> None:
    """On cores that share their sources with the M4, but for loops of their own."""
    cases = random.Random(12).sample(list(kernel_cases.convolutions()), SMALL_SLICE)
    assert not cross_check.check(cases, 7, [place], kernels, tmp_path / "program", n=3)


def test_slice_of_the_product(kernels: Path, tmp_path: Path) -> None:
    cases = random.Random(11).sample(cross_check.all_cases(), SLICE)
    for kind in ("conv", "depthwise", "dense", "add", "pool"):
        assert any(kind in case.label for case in cases)
    assert not cross_check.check(cases, 6, PLACES, kernels, tmp_path / "program", n=3)


def test_the_product_is_that_of_the_issue() -> None:
    labels = [case.label for case in cross_check.all_cases()]
    assert len(labels) == len(set(labels)) == 53_156
    for axis in ("conv 512×64→64 k7 s2 padded d4", "conv 1×1→1 k1 s1 same d1", "dense 512→33",
                 "dense 64→512", "dense 1→1", "depthwise ×2 257×24→48 k5 s2 valid d2"):  # fmt: skip
        assert axis in labels


@pytest.mark.parametrize("part", ["x", "3", "0/3", "4/3", "-1/3", "1/0"])
def test_a_part_that_is_none(part: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as left:
        cross_check.main([f"--part={part}"])
    assert left.value.code == 2
    assert f"'{part}' is no part of a whole: say 3/20" in capsys.readouterr().err


def test_the_data_reach_the_limits() -> None:
    """Sums up to the last bit of 32, factors of both ends, fast path and long way, saturation."""
    graphs = [lower(reader.parse(d)) for _, d in kernel_cases.models(CORNERS, seed=5)]
    convs = [op for graph in graphs for op in graph.ops if isinstance(op, Conv)]
    factors = [f for op in convs for f in op.factors]
    assert {1, 22, 23, 31} <= {f.right for f in factors}
    assert max(f.left for f in factors) >= 6
    assert {2**30, 2**31 - 2**7} <= {f.multiplier for f in factors}
    assert {op.small for op in convs} == {op.wide for op in convs} == {False, True}
    assert len(CORNERS) == 256
    sums = [
        abs(bias) + 128 * int(abs(row.astype(int)).sum())
        for op in convs
        for bias, row in zip(op.bias, op.weights, strict=True)
    ]
    assert {2**30 - 1, 2**30, 2**31 - 1} <= set(sums)


def test_the_first_op_that_differs_is_named(kernels: Path, tmp_path: Path) -> None:
    """An engine made wrong in one op: that one is named, although all that follow differ, too."""
    data = residual_model(6)
    raw = reader.parse(data)
    graph = lower(raw)
    inputs = [noise((t.length, t.channels), 6, 1) for t in graph.inputs]
    at, op = [(i, op) for i, op in enumerate(graph.ops) if isinstance(op, Conv)][2]
    broken = replace(op, bias=tuple(b + 20_000 for b in op.bias))
    wrong = replace(graph, ops=(*graph.ops[:at], broken, *graph.ops[at + 1 :]))
    jobs = [Job("good", graph, inputs), Job("wrong", wrong, inputs)]
    layers = [plain_reference.layers(raw, [i[v] for i in inputs]) for v in range(6)]
    found = run(jobs, HOST, kernels, tmp_path)
    (line,) = differences(jobs, found, [layers, layers])
    assert line.startswith("wrong, vector 0")
    assert f"op {op.number} {op.kind}" in line
