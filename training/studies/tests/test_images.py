"""Beats as images: the drawing against an independent rasteriser, the cache, VGG16's parameters."""

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from numpy.typing import NDArray

from einthoven.aami import CLASSES
from einthoven.errors import UsageError
from einthoven.training.studies import board
from einthoven.training.studies.images import draw as images_draw
from einthoven.training.studies.images import examples, vgg
from einthoven.training.studies.images.draw import DRAWN, MARGIN, PEN, SIZE, draw
from einthoven.training.studies.shared.examples import Fold, Labelled


def beats(n: int, length: int = 187) -> NDArray[np.float32]:
    """Smooth made-up beats with steep edges, in [0, 1]."""
    rng = np.random.default_rng(3)
    t = np.arange(length)
    at, width = rng.uniform(10, 120, (n, 3, 1)), rng.uniform(1, 15, (n, 3, 1))
    waves = np.exp(-(((t - at) / width) ** 2)).sum(axis=1)
    waves /= waves.max(axis=1, keepdims=True)
    waves[:, 140:] = 0
    made: NDArray[np.float32] = waves.astype(np.float32)
    return made


def by_agg(beat: NDArray[np.float32]) -> NDArray[np.float64]:
    """The same line by matplotlib's Agg, a polygon rasteriser, at 256 pixels, halved by mean."""
    figure = Figure(figsize=(1, 1), dpi=DRAWN)
    canvas: Any = FigureCanvasAgg(figure)
    axes = figure.add_axes((0, 0, 1, 1))
    inner = DRAWN - 2 * MARGIN
    x = MARGIN + np.linspace(0, 1, len(beat)) * inner
    y = MARGIN + beat * inner
    axes.plot(
        x, y, "k", linewidth=PEN * 72 / DRAWN, solid_joinstyle="round", solid_capstyle="round",
        snap=False,
    )  # fmt: skip
    axes.set(xlim=(0, DRAWN), ylim=(0, DRAWN))
    axes.axis("off")
    canvas.draw()
    grey = np.asarray(canvas.buffer_rgba())[:, :, 0].astype(np.float64)
    halved: NDArray[np.float64] = grey.reshape(SIZE, 2, SIZE, 2).mean(axis=(1, 3))
    return halved


def test_drawing_agrees_with_matplotlib() -> None:
    some = beats(6)
    for beat, image in zip(some, draw(some), strict=True):
        theirs = by_agg(beat)
        ink = np.minimum(image, theirs) < 250
        assert 300 < ink.sum() < 4000
        assert np.abs(image - theirs)[ink].mean() < 14  # of 255; a row off would be over 100
        assert np.corrcoef(image[ink], theirs[ink])[0, 1] > 0.97
        assert (255.0 - image).sum() == pytest.approx((255 - theirs).sum(), rel=0.03)
        assert abs(int(ink.any(axis=1).argmax()) - int((theirs < 250).any(axis=1).argmax())) <= 1
        assert (image[~ink] > 245).all()


def test_a_flat_line_has_exactly_the_pen_s_area() -> None:
    for level in (0.0, 0.25, 0.5, 0.7131, 1.0):
        image = draw(np.full((1, 187), level, dtype=np.float32))[0]
        middle = 1 - image[:, SIZE // 2] / 255
        assert middle.sum() == pytest.approx(PEN * SIZE / DRAWN, abs=0.01)
        centre = float((middle * (np.arange(SIZE) + 0.5)).sum() / middle.sum())
        assert centre == pytest.approx((MARGIN + (1 - level) * (DRAWN - 2 * MARGIN)) / 2, abs=0.02)


def test_an_image_does_not_depend_on_its_neighbours() -> None:
    some = beats(images_draw.CHUNK + 3)
    assert np.array_equal(draw(some)[-1], draw(some[-1:])[0])
    assert draw(some[:0]).shape == (0, SIZE, SIZE)
    wild = draw(np.array([[-1.0, 2.0] * 50], dtype=np.float32))
    assert np.array_equal(wild, draw(np.array([[0.0, 1.0] * 50], dtype=np.float32)))


def cpu_s(work: Callable[[], object]) -> float:
    """Of this thread, the best of a few: what else the machine does hardly matters."""

    def once() -> float:
        begin = time.thread_time()
        work()
        return time.thread_time() - begin

    return min(once() for _ in range(5))


def test_an_image_takes_no_longer_than_a_few_sums_over_its_pixels() -> None:
    """Two or three, which is some thousands a second; tenfold only if the method is another."""
    some = beats(256)
    pixels = draw(some).astype(np.float32)
    assert cpu_s(lambda: draw(some)) < 25 * cpu_s(lambda: np.cumsum(pixels, axis=2))


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    return tmp_path / "einthoven" / "studies"


def labelled(n: int) -> Labelled:
    columns = (np.arange(n) % 5, np.full(n, "mitdb/1"), np.full(n, "mitdb/1"))
    return Labelled(beats(24)[:n, :, np.newaxis], *columns, CLASSES)


def test_what_is_cached_is_not_computed_again(cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    calls: list[int] = []

    def convolutions(weights: str, arithmetic: str) -> tuple[vgg.Infer, str]:
        def infer(grey: images_draw.Images) -> NDArray[np.float16]:
            calls.append(len(grey))
            return np.full((len(grey), vgg.FEATURES), grey.mean(), dtype=np.float16)

        return infer, weights

    monkeypatch.setattr(examples, "convolutions", convolutions)
    monkeypatch.setattr(examples, "PIECE", 8)
    first = examples.vgg16_features(labelled(20), {"weights": "1"})
    assert first.x.shape == (20, 1, 8192) and calls == [8, 8, 4]
    assert len(list((cache / "images").iterdir())) == 3
    again = examples.vgg16_features(labelled(24), {"weights": "1"})
    assert calls == [8, 8, 4, 8], "only the piece that has grown"
    assert np.array_equal(first.x[:16], again.x[:16])
    examples.vgg16_features(labelled(20), {"weights": "2"})
    assert calls[4:] == [8, 8, 4], "other weights"


def test_a_cache_that_cannot_be_written_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "file"))
    with pytest.raises(UsageError, match="XDG_CACHE_HOME"):
        next(examples.as_images(labelled(2).x))


def test_random_convolutions_keep_the_signal_and_are_the_same_again() -> None:
    grey = draw(beats(3))
    infer, digest = vgg.convolutions("1")
    found = infer(grey)
    assert digest == "he-1" and found.shape == (3, vgg.FEATURES)
    assert 0.01 < float(found.astype(np.float64).std()) < 100
    assert np.isfinite(found).all() and not np.array_equal(found[0], found[1])
    assert np.array_equal(found, vgg.convolutions("1")[0](grey))


def test_bfloat16_features_are_float32_s_within_a_percent() -> None:
    grey = draw(beats(4))
    (exact, digest), (rounded, other) = (
        vgg.convolutions("1", arithmetic) for arithmetic in vgg.ARITHMETIC
    )
    assert digest != other, "what is cached of one is not taken for the other's"
    wanted, found = (f(grey).astype(np.float64) for f in (exact, rounded))
    error = np.sqrt(np.mean((found - wanted) ** 2))
    assert 0 < error < 0.02 * wanted.std()
    between = np.sqrt(np.mean((wanted[1:] - wanted[:-1]) ** 2))
    assert error < between / 25, "beats stay as different as they were"
    with pytest.raises(UsageError, match="none of float32, bfloat16"):
        vgg.convolutions("1", "float8")


def test_what_an_accuracy_is_held_against() -> None:
    from einthoven.training.model.network import keras

    n = 10
    y = np.array([0, 0, 0, 0, 1, 2, 0, 1, 1, 2])
    same = np.full(n, "mitdb/1")
    x = np.eye(n, dtype=np.float32)[:, np.newaxis]
    fold = Fold(np.arange(n) < 6, np.arange(n) >= 6)
    model = keras.Sequential([keras.layers.Flatten(input_shape=(1, 1, n)), keras.layers.Dense(5)])
    model.set_weights([np.eye(5, dtype=np.float32)[np.where(np.arange(n) == 5, 3, y)], np.zeros(5)])
    found = examples.context(model, Labelled(x, y, same, same, CLASSES), fold, {})
    assert found["majority_accuracy"] == 0.25
    assert found["train_accuracy"] == pytest.approx(5 / 6), "the sixth is answered wrongly"
    assert found["frozen_arithmetic"] == "float32"


def test_parameters_are_the_study_s() -> None:
    from einthoven.training.model.network import keras

    trunk = keras.applications.VGG16(include_top=False, weights=None, input_shape=(SIZE, SIZE, 3))
    assert trunk.count_params() == vgg.FROZEN_PARAMETERS
    head = vgg.head({}, 1, vgg.FEATURES, 5)
    trained = sum(int(np.prod(v.shape)) for v in head.trainable_variables)
    assert trained == 50_360_325
    assert trained + vgg.FROZEN_PARAMETERS == 65_075_013
    multiply_adds = sum(
        int(np.prod(layer.output_shape[1:3])) * int(np.prod(layer.weights[0].shape))
        for layer in trunk.layers
        if layer.weights
    )
    assert multiply_adds == vgg.FROZEN_MULTIPLY_ADDS


def test_it_fits_no_chip() -> None:
    costs = board.by_size(65_075_013, vgg.ACTIVATIONS)
    for chip in board.CHIPS:
        assert board.goal_for(costs, chip) is None
        over = board.over(costs["size"], chip)
        assert over["flash"] > 60_000_000, "a byte a weight"
        assert over["RAM"] == 2 * 1024 * 1024 - chip.ram, "the second convolution's images"


def test_weights_that_are_not_there_are_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from einthoven.training.model.network import keras

    with pytest.raises(UsageError, match="holds no weights of VGG16"):
        vgg.convolutions(str(tmp_path / "missing.h5"))

    def unreachable(**options: object) -> None:
        raise Exception("URL fetch failure")  # as Keras does

    monkeypatch.setattr(keras.applications, "VGG16", unreachable)
    with pytest.raises(UsageError, match=r"vgg16_random\.toml"):
        vgg.convolutions("imagenet")
