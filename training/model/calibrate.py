"""Calibrate a model's confidence on patients that its like has not seen.

`python -m einthoven.training.model.calibrate MODEL HELD_OUT`: HELD_OUT is the `held_out.npz` of a
cross-validation of MODEL's recipe
(`python -m einthoven.training.model.crossval RECIPE --out FOLDER`): what its folds' networks say of
the patients that they were not trained on. With the recipe's logit bias, and in MODEL's int8 units,
one temperature is chosen by likelihood, then the limit below which a beat is unsure, so that a
given share of the detections is. Both go into MODEL's model.json, from where the firmware's table
is generated.
"""

import argparse
import json
import math
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize_scalar
from scipy.special import log_softmax

from einthoven.aami import CLASSES, DS2
from einthoven.codegen import confidence as tables
from einthoven.codegen.confidence import Calibration
from einthoven.codegen.model import load as load_model
from einthoven.errors import EinthovenError, UsageError
from einthoven.native.confidence import Confidence
from einthoven.native.vote import Kinds, Vote
from einthoven.report.run import write_json
from einthoven.scoring import reliability
from einthoven.training.recipe import load as load_recipe

UNSURE_SHARE = 0.05
"""Of the held-out detections: what a user would have to look at again."""
RANGE = (0.1, 10.0)
"""Of the temperature."""


@dataclass(frozen=True)
class HeldOut:
    """A recipe's answer to the main-lead detections of patients it was not trained on."""

    logits: NDArray[np.int8]
    """[n, 5], with the vote of their kinds"""
    scale: float
    """Of the logits."""
    label: NDArray[np.int8]
    """[n], -1 where no reference beat is."""
    patients: int


@contextmanager
def generated(scale: float, temperature: float = 1.0) -> Iterator[Path]:
    """A folder with the table of a model whose logits have that scale."""
    with tempfile.TemporaryDirectory() as scratch:
        text = tables.table("held out", scale, Calibration(temperature, 1))
        (Path(scratch) / "ein_confidence_table.h").write_text(text)
        yield Path(scratch)


@dataclass(frozen=True)
class Predictions:
    """What a cross-validation's networks said of held-out beats, in a model's int8 units."""

    logits: NDArray[np.int8]
    """[n, 5], before any vote"""
    label: NDArray[np.int8]
    """[n], -1 where no reference beat is."""
    record: NDArray[np.str_]
    """[n] database/record."""
    patient: NDArray[np.str_]
    """[n] database/record of the patient's first record."""
    kinds: Kinds


def read_predictions(
    path: Path, bias: tuple[float, ...], scale: float, zero_point: int
) -> Predictions:
    """Read a cross-validation's predictions and quantize them as the model would.

    Raises UsageError for what is no such file, or has patients of DS2 in it.
    """
    names = ("logits", "label", "record", "patient", "slot", "slot_beats")
    try:
        with np.load(path) as arrays:
            logits, label, record, patient, *kinds = (arrays[k] for k in names)
    except (OSError, ValueError, KeyError) as error:
        raise UsageError(
            f"{path} is no result of cross-validation ({error}): "
            "python -m einthoven.training.model.crossval RECIPE --out FOLDER"
        ) from None
    if np.isin(patient, [f"mitdb/{name}" for name in DS2]).any():
        raise UsageError(f"{path} has patients of DS2, which choose nothing")
    if logits.shape != (len(label), len(CLASSES)) or not len(label) or np.isnan(logits).any():
        raise UsageError(f"{path} is incomplete: run all folds of the cross-validation")
    steps = np.rint((logits + np.array(bias)) / scale) + zero_point
    steps = np.clip(steps, -128, 127).astype(np.int8)
    return Predictions(steps, label, record, patient, Kinds(*kinds))


def held_out(path: Path, bias: tuple[float, ...], scale: float, zero_point: int) -> HeldOut:
    """The same after the vote of their kinds. Raises UsageError."""
    found = read_predictions(path, bias, scale, zero_point)
    with generated(scale) as folder:
        voted = Vote(folder).of(found.logits, found.kinds)
    return HeldOut(voted, scale, found.label, len(np.unique(found.patient)))


def loss(beats: HeldOut, temperature: float) -> float:
    """Mean negative log likelihood of the labelled beats' classes."""
    known = beats.label >= 0
    real = beats.logits[known].astype(np.float64) * (beats.scale / temperature)
    picked = log_softmax(real, axis=1)[np.arange(len(real)), beats.label[known]]
    return float(-picked.mean())


def best_temperature(beats: HeldOut) -> float:
    """The temperature of the highest likelihood within `RANGE`."""
    found = minimize_scalar(
        lambda x: loss(beats, math.exp(x)), bounds=(math.log(RANGE[0]), math.log(RANGE[1]))
    )
    return round(math.exp(float(found.x)), 4)


def counts(beats: HeldOut, temperature: float) -> reliability.Counts:
    """Right and wrong detections by the confidence that the firmware would give them."""
    with generated(beats.scale, temperature) as folder:
        no_flags = np.zeros(len(beats.label), np.uint16)
        found, unsure = Confidence(folder).of(beats.logits, no_flags)
    return reliability.count(found, unsure, beats.logits.argmax(axis=1) != beats.label)


def unsure_limit(table: reliability.Counts, share: float = UNSURE_SHARE) -> int:
    """The highest limit, in 1/255, below which at most `share` of the detections lie."""
    below = np.concatenate([[0], table.sum(axis=(1, 2)).cumsum()[:-1]])
    return int(np.flatnonzero(below <= share * table.sum())[-1])


def split(table: reliability.Counts, limit: int) -> reliability.Counts:
    """The same counts with what lies below `limit` called unsure."""
    called = np.zeros_like(table)
    called[:limit, 1] = table[:limit].sum(axis=1)
    called[limit:, 0] = table[limit:].sum(axis=1)
    return called


def calibrate(model: Path, predictions: Path) -> dict[str, Any]:
    """Choose temperature and limit, write them into `model`'s model.json; returns the entry."""
    output = load_model(model).graph.outputs[0]
    bias = load_recipe(model / "recipe.toml").logit_bias
    beats = held_out(predictions, bias, float(output.scale), output.zero_point)
    temperature = best_temperature(beats)
    table = counts(beats, temperature)
    limit = unsure_limit(table)
    entry = {
        "temperature": temperature,
        "unsure_below": limit,
        "chosen_on": f"the likelihood of {int((beats.label >= 0).sum()):,} beats of "
        f"{beats.patients} held-out patients of the training data, "
        f"{100 * UNSURE_SHARE:.0f} % of whose detections are unsure",
        "loss_at_1": loss(beats, 1.0),
        "loss": loss(beats, temperature),
        "held_out": reliability.summary(split(table, limit)),
    }
    path = model / "model.json"
    write_json(path, {**json.loads(path.read_text()), "confidence": entry})
    return entry


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(
        prog="python -m einthoven.training.model.calibrate", description=__doc__
    )
    parser.add_argument("model", type=Path)
    parser.add_argument("held_out", type=Path)
    args = parser.parse_args()
    try:
        found = calibrate(args.model, args.held_out)
    except EinthovenError as error:
        print(f"error: {error}", file=sys.stderr)
        sys.exit(2)
    print(
        f"temperature {found['temperature']}, unsure below {found['unsure_below']}/255: wrong "
        f"{100 * found['held_out']['error_all']:.2f} % of all held-out detections, "
        f"{100 * found['held_out']['error_sure']:.2f} % of the sure; loss {found['loss_at_1']:.4f} "
        f"-> {found['loss']:.4f}"
    )


if __name__ == "__main__":
    main()
