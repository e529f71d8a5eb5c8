"""Beats as images, and as what VGG16's frozen convolutions make of them, cached on disk.

The convolutions do not change while the dense layers are trained, so each image goes through them
once. Both caches are filled piece by piece and named by their content: a piece that is there is not
computed again, whatever recipe asks for it, and what was broken off goes on.
"""

import hashlib
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray
from rich.progress import track

from einthoven.errors import UsageError
from einthoven.paths import cache_dir
from einthoven.report.text import console
from einthoven.training.studies.images import draw as images_draw
from einthoven.training.studies.images.draw import Images, draw
from einthoven.training.studies.images.vgg import FEATURES, FLOAT32, convolutions
from einthoven.training.studies.shared.examples import Floats, Fold, Labelled
from einthoven.training.studies.shared.fit import decide, predict

PIECE = 256
"""Images of a piece."""


def as_images(beats: Floats) -> Iterator[Images]:
    """Pieces [≤ 256, 128, 128] of grey images of [n, length, 1] beats, from the cache or drawn."""
    how = repr([images_draw.DRAWN, images_draw.PEN, images_draw.MARGIN, images_draw.SECTIONS])
    for piece in _pieces(beats):
        yield _cached("images", piece[:, :, 0], how, draw)


def vgg16_features(examples: Labelled, settings: dict[str, Any]) -> Labelled:
    """The examples with `x` = [n, 1, 8192], the output of VGG16's convolutions on their images.

    `settings` is the recipe's `[data]`: `weights` and `arithmetic`, as of
    `images_vgg.convolutions`. Raises UsageError when there are no such weights.
    """
    infer, digest = convolutions(
        settings.get("weights", "imagenet"), settings.get("arithmetic", FLOAT32)
    )
    x: NDArray[Any] = np.empty(
        (len(examples), 1, FEATURES), dtype=np.float16
    )  # 0.9 GB of all beats
    at = 0
    pieces = -(-len(examples) // PIECE)
    bar = console(stderr=True)  # standard output is the results'
    for piece in track(as_images(examples.x), "images through VGG16", pieces, console=bar):
        found = _cached("vgg16", piece, digest, infer)
        x[at : at + len(found), 0] = found
        at += len(found)
    return replace(examples, x=x)


def context(model: Any, examples: Labelled, fold: Fold, settings: dict[str, Any]) -> dict[str, Any]:
    """What the test accuracy of a trained head is to be held against, for the result's `extra`.

    `majority_accuracy`: on the test images, of answering the training's most frequent class;
    `train_accuracy`: the head's on the images that it was trained on.
    """
    train, test = examples.where(fold.train), examples.where(fold.test)
    majority = np.bincount(train.y).argmax()
    return {
        "majority_accuracy": float(np.mean(test.y == majority)),
        "train_accuracy": float(np.mean(decide(predict(model, train.x)) == train.y)),
        "frozen_arithmetic": settings.get("arithmetic", FLOAT32),
    }


def _pieces(beats: Floats) -> Iterator[Floats]:
    for start in range(0, len(beats), PIECE):
        yield beats[start : start + PIECE]


def _cached(
    kind: str, piece: NDArray[Any], how: str, compute: Callable[[NDArray[Any]], NDArray[Any]]
) -> NDArray[Any]:
    """What `compute` makes of `piece` in the way of `how`, from `kind`'s cache if it is there."""
    digest = hashlib.sha256(how.encode() + np.ascontiguousarray(piece).tobytes()).hexdigest()[:32]
    path = cache_dir() / "studies" / kind / f"{digest}.npy"
    if path.exists():
        kept: NDArray[Any] = np.load(path)
        return kept
    made = compute(piece)
    part = path.with_suffix(".part")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with part.open("wb") as file:
            np.save(file, made)
        part.replace(path)
    except OSError as error:
        raise UsageError(
            f"cannot write to the cache {path.parent} ({error.strerror}): free some space, or name "
            "another place with XDG_CACHE_HOME"
        ) from error
    return made
