"""The studies' networks: stated sizes, resuming, freezing, int8 on the host (TensorFlow)."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from einthoven.codegen.network import graph_of
from einthoven.errors import ModelError, UsageError
from einthoven.native.tflm import run_tflm
from einthoven.paths import ROOT
from einthoven.training.model.loop import LOG
from einthoven.training.model.network import parameters
from einthoven.training.studies.beats import networks
from einthoven.training.studies.images.vgg import FEATURES
from einthoven.training.studies.registry import build_network
from einthoven.training.studies.shared import int8
from einthoven.training.studies.shared.examples import Labelled
from einthoven.training.studies.shared.fit import epoch_rows, fit_network, predict
from einthoven.training.studies.shared.recipe import Fit, StudyRecipe, load

LENGTH = 187
RECIPES = sorted((ROOT / "training" / "recipes" / "studies").glob("*.toml"))
SMALL = StudyRecipe(
    study="s", name="small", network="transferable", dataset="beats187", protocol="random_beats",
    seed=5, arch={"filters": 4, "blocks": 2}, fit=Fit(epochs=3, batch=32, gain=0.1, noise=0.01),
)  # fmt: skip


def made_up(n: int, n_classes: int) -> Labelled:
    """Beats whose bump moves with their class."""
    rng = np.random.default_rng(3)
    y = np.arange(n) % n_classes
    x = rng.random((n, LENGTH, 1)).astype(np.float32) * 0.2
    for i in range(n):
        x[i, 40 + 20 * y[i] : 60 + 20 * y[i]] += 0.7
    name = np.array([f"p{i % 7}" for i in range(n)])
    return Labelled(x, y, name, name, tuple("NSVFQ"[:n_classes]))


@pytest.mark.parametrize(
    ("build", "arch", "outputs", "expected"),
    [
        # 13 weight layers: 160 + 10 × 5152 + 64·32 + 32 + 32·32 + 32 + 32·5 + 5
        (networks.transferable, {}, 5, 55_013),
        (networks.baseline, {}, 5, 254_901),  # as the study states
        (networks.baseline, {}, 1, 254_641),  # as the study states
        # The study's rows with their sums as the layers' shapes have them, see docs.
        (networks.residual, {}, 5, 277_701),
    ],
)
def test_parameters(build: object, arch: dict[str, int], outputs: int, expected: int) -> None:
    assert parameters(build(arch, LENGTH, 1, outputs)) == expected  # type: ignore[operator]


def test_study_1_has_13_weight_layers() -> None:
    model = networks.transferable({}, LENGTH, 1, 5)
    kernels = [w for w in model.trainable_weights if "kernel" in w.name]
    assert len(kernels) == 13 + 1, "the study does not count the layer of the softmax"


def test_resumed_equals_uninterrupted(tmp_path: Path) -> None:
    some = made_up(128, 5)
    straight = build_network(SMALL, some)
    assert fit_network(straight, some, SMALL.fit, SMALL.seed, tmp_path / "a") == 3
    assert fit_network(build_network(SMALL, some), some, SMALL.fit, 5, tmp_path / "b", stop_after=1)
    resumed = build_network(SMALL, some)
    fit_network(resumed, some, SMALL.fit, SMALL.seed, tmp_path / "b")
    for ours, theirs in zip(straight.weights, resumed.weights, strict=True):
        assert np.array_equal(ours.numpy(), theirs.numpy())
    assert (tmp_path / "a" / LOG).read_text() == (tmp_path / "b" / LOG).read_text()


def test_classes_are_drawn_alike_only_if_asked() -> None:
    y = np.array([0] * 90 + [1] * 10)
    rng = np.random.default_rng(1)
    assert sorted(epoch_rows(y, Fit(), rng)) == list(range(100))
    drawn = y[epoch_rows(y, Fit(balance="equal"), rng)]
    assert 30 < drawn.sum() < 70


@pytest.mark.parametrize("n_classes", [5, 2])
def test_int8_engine_is_tflm_to_the_bit_and_near_float(tmp_path: Path, n_classes: int) -> None:
    """A trained network in int8: host engine = TFLite Micro; same bytes again; export's checks."""
    some = made_up(160, n_classes)
    recipe = replace(SMALL, fit=Fit(epochs=12, batch=32, learning_rate=3e-3))
    model = build_network(recipe, some)
    fit_network(model, some, recipe.fit, recipe.seed)
    content = int8.convert(model, some.x[:50])
    assert content == int8.convert(model, some.x[:50])
    engine = int8.HostEngine(content, tmp_path)
    inputs = int8.quantize_input(some.x, engine.graph)
    outputs = engine.infer(inputs)
    assert np.array_equal(outputs, run_tflm(content, [inputs], 1)[0])
    assert outputs.shape == (160, 5 if n_classes == 5 else 1)
    scale = engine.graph.outputs[0].scale
    error = np.abs(engine.logits(some.x) * scale - predict(model, some.x))
    assert error.max() < 16 * scale, "a few of int8's steps"


def test_a_transfer_trains_the_head_only(tmp_path: Path) -> None:
    base = build_network(SMALL, made_up(40, 5))
    base.save_weights(tmp_path / "float.weights.h5")
    some = made_up(40, 2)
    model = build_network(replace(SMALL, seed=6), some)
    networks.start_from(model, tmp_path / "float.weights.h5")
    fresh = model.get_layer("head_mi_0").get_weights()[0]
    assert not np.array_equal(fresh, base.get_layer("head_beats_0").get_weights()[0])
    head = [w.name for w in model.trainable_weights]
    assert len(head) == 6 and all(name.startswith(networks.HEAD) for name in head)
    fit_network(model, some, SMALL.fit, 6)
    for layer in ("stem", "block0_0", "block1_1"):
        ours, theirs = model.get_layer(layer).get_weights(), base.get_layer(layer).get_weights()
        assert all(np.array_equal(a, b) for a, b in zip(ours, theirs, strict=True))


@pytest.mark.parametrize(
    ("change", "named"),
    [
        ({"network": "x"}, "network 'x'"),
        ({"dataset": "x"}, "data set 'x'"),
        ({"data": {"view": "x"}}, "view 'x'"),
        ({"data": {"leads": "ii"}}, "leads does not exist"),
    ],
)
def test_what_a_recipe_may_name(change: dict[str, Any], named: str) -> None:
    with pytest.raises(UsageError, match=named):
        build_network(replace(SMALL, **change), made_up(10, 5))


LENGTHS = {"beats187": (187, 5), "beats187_mi": (187, 2), "windows128": (128, 2)}


@pytest.mark.parametrize("path", RECIPES, ids=lambda p: p.stem)
def test_every_recipe_builds_its_network(path: Path) -> None:
    form = load(path).quickly()
    length, n_classes = LENGTHS[form.dataset]
    shape = (n_classes, 1, FEATURES) if "view" in form.data else (n_classes, length, 1)
    name = np.full(n_classes, "p")
    some = Labelled(
        np.zeros(shape, np.float32), np.arange(n_classes), name, name, tuple("NSVFQ"[:n_classes])
    )
    outputs = 1 if n_classes == 2 else n_classes
    logits = predict(build_network(form, some), some.x)
    assert logits.shape == (n_classes, outputs)


def test_two_inputs_are_refused() -> None:
    from einthoven.paths import SHIPPED_MODEL

    with pytest.raises(ModelError, match="one input"):
        graph_of((SHIPPED_MODEL / "model.tflite").read_bytes())
