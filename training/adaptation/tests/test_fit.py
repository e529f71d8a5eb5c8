"""Fitting a patient's head: it learns what it is shown, forgets nothing else, fits the board."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from einthoven.codegen import model
from einthoven.codegen.head import Head, own_head, pack, units
from einthoven.errors import ModelError, RecordError, UsageError
from einthoven.native.engine import HostModel
from einthoven.paths import SHIPPED_MODEL
from einthoven.training.adaptation.fit import (
    MEMORY,
    Memory,
    Settings,
    _Chain,
    adapt_record,
    first_minutes,
    fit,
)  # fmt: skip
from einthoven.training.data.dataset import RATE_HZ, load_record

N, V = 0, 2


@pytest.fixture(scope="module")
def shipped() -> model.ModelFolder:
    return model.load(SHIPPED_MODEL)


@pytest.fixture(scope="module")
def host() -> HostModel:
    return HostModel()


@pytest.fixture(scope="module")
def memory(shipped: model.ModelFolder) -> Memory:
    return Memory.read(shipped)


def classes(
    shipped: model.ModelFolder, host: HostModel, embedding: NDArray[np.int8], head: Head | None
) -> NDArray[np.int64]:
    parameters = None if head is None else pack(shipped, head)
    found: NDArray[np.int64] = host.head(embedding, parameters).argmax(axis=1)
    return found


def test_the_real_chain_is_the_engine_but_for_rounding(
    shipped: model.ModelFolder, host: HostModel, memory: Memory
) -> None:
    chain = _Chain(own_head(shipped).layers, units(shipped))
    last = units(shipped)[-1]
    real = chain.forward(chain.start, chain.real(memory.embedding))[-1]
    exact = last.out_scale * (host.head(memory.embedding).astype(float) - last.out_zero)
    low, high = (last.out_scale * (end - last.out_zero) for end in (-128, 127))
    assert np.abs(np.clip(real, low, high) - exact).max() < 4 * last.out_scale


def test_the_gradient_is_the_slope(shipped: model.ModelFolder, memory: Memory) -> None:
    """Against central differences, in random directions."""
    chain = _Chain(own_head(shipped).layers, units(shipped))
    rng = np.random.default_rng(1)
    inputs = chain.real(memory.embedding[:50])
    target, weight = rng.dirichlet(np.ones(5), 50), rng.uniform(0.1, 2, 50)
    at = chain.start + rng.normal(0, 0.02, chain.start.shape)
    _, gradient = chain.cross_entropy(at, inputs, target, weight)
    for _ in range(5):
        step = 1e-6 * rng.normal(size=at.shape)
        there, back = (
            chain.cross_entropy(at + s, inputs, target, weight)[0] for s in (step, -step)
        )
        assert (there - back) / 2 == pytest.approx(gradient @ step, rel=1e-4, abs=1e-12)


def test_it_learns_the_patient_and_keeps_the_rest(
    shipped: model.ModelFolder, host: HostModel, memory: Memory
) -> None:
    """Beats that the model calls N are this patient's V: learnt, and the memory hardly moves."""
    usual = classes(shipped, host, memory.embedding, None)
    normal = memory.embedding[usual == N]
    centre = normal[0].astype(int)
    near = np.argsort(np.abs(normal.astype(int) - centre).sum(axis=1))
    odd, others = normal[near[:40]], normal[near[-200:]]
    embedding = np.concatenate([odd[::2], others[::2]])
    label = np.array([V] * len(odd[::2]) + [N] * len(others[::2]))
    kept = []
    for weight in (0.0, Settings.memory_weight, 3000.0):
        settings = Settings(memory_weight=weight)
        head = Head(shipped.sha256, fit(shipped, embedding, label, memory, settings))
        kept.append((classes(shipped, host, memory.embedding, head) == usual).mean())
        if weight == Settings.memory_weight:
            assert (classes(shipped, host, odd[1::2], None) == V).sum() == 0
            assert (classes(shipped, host, odd[1::2], head) == V).mean() > 0.6
            assert (classes(shipped, host, others[1::2], head) == N).mean() > 0.95
    assert kept == sorted(kept) and kept[-1] > 0.95


def test_nothing_new_changes_little(
    shipped: model.ModelFolder, host: HostModel, memory: Memory
) -> None:
    usual = classes(shipped, host, memory.embedding, None)
    head = Head(
        shipped.sha256, fit(shipped, memory.embedding[:300], usual[:300], memory, Settings())
    )
    assert (classes(shipped, host, memory.embedding, head) == usual).mean() > 0.93
    pack(shipped, head)


def test_the_same_beats_give_the_same_head(shipped: model.ModelFolder, memory: Memory) -> None:
    label = np.arange(200) % 3
    first, second = (
        fit(shipped, memory.embedding[:200], label, memory, Settings()) for _ in range(2)
    )
    assert pack(shipped, Head(shipped.sha256, first)) == pack(shipped, Head(shipped.sha256, second))


def test_no_weight_leaves_int8_however_hard_it_is_pulled(
    shipped: model.ModelFolder, memory: Memory
) -> None:
    label = np.random.default_rng(3).integers(0, 5, 400)
    free = Settings(penalty=0.0, memory_weight=0.0, iterations=300)
    layers = fit(shipped, memory.embedding[:400], label, memory, free)
    assert max(int(np.abs(layer.weights.astype(int)).max()) for layer in layers) <= 128
    pack(shipped, Head(shipped.sha256, layers))


def test_memory_files(shipped: model.ModelFolder, memory: Memory, tmp_path: Path) -> None:
    folder = replace(shipped, path=tmp_path)
    with pytest.raises(ModelError, match=r"memory\.npz is missing"):
        Memory.read(folder)
    written = memory.write(tmp_path, shipped.sha256)
    first = written.read_bytes()
    assert len(first) < 300_000
    np.testing.assert_array_equal(Memory.read(folder).embedding, memory.embedding)
    assert memory.write(tmp_path, shipped.sha256).read_bytes() == first
    memory.write(tmp_path, "0" * 64)
    with pytest.raises(ModelError, match="made for another model"):
        Memory.read(folder)
    (tmp_path / MEMORY).write_bytes(first[:1000])
    with pytest.raises(ModelError, match="damaged"):
        Memory.read(folder)


@pytest.mark.records
def test_a_records_first_minutes(shipped: model.ModelFolder, host: HostModel, mitdb: Path) -> None:
    """Of DS1, which the model was trained on: the plumbing, not a figure."""
    head = adapt_record(shipped, host, mitdb, "223", minutes=5)
    assert head.about["record"] == "mitdb/223" and head.about["beats"]["V"] > 10
    beats = load_record(mitdb, "223", "mitdb")
    early = first_minutes(beats, 5)
    assert early.t_samples.max() < 298 * RATE_HZ and (early.label >= 0).all()
    assert sum(head.about["beats"].values()) == len(early)
    late = beats.where((beats.t_samples > 300 * RATE_HZ) & (beats.label >= 0))
    embedding = host.embed(late.signal, late.features)
    right = [(classes(shipped, host, embedding, one) == late.label).mean() for one in (None, head)]
    assert right[1] > right[0] - 0.01
    with pytest.raises(UsageError, match="at most 5"):
        adapt_record(shipped, host, mitdb, "223", minutes=6)
    with pytest.raises(RecordError, match="no labelled beats"):
        adapt_record(shipped, host, mitdb, "223", minutes=0.01)
