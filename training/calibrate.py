"""Calibrate a model's confidence on patients that its like has not seen.

`python -m training.calibrate MODEL FOLD …`: each FOLD is a folder of cross-validation with
`held_out.json` (a list of patients) and an int8 model (itself or in `ptq/`) of MODEL's recipe that
was trained without them. Over all folds' held-out beats, main leads, one temperature is chosen by
likelihood, then the limit below which a beat is unsure, so that a given share of the detections
is. Both go into MODEL's model.json, from where the firmware's table is generated.
"""

import argparse
import json
import math
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize_scalar
from scipy.special import log_softmax

from codegen import confidence as tables
from codegen.confidence import Calibration
from codegen.model import export
from codegen.model import load as load_model
from einthoven import reliability
from einthoven.aami import DS2
from einthoven.confidence import Confidence
from einthoven.engine import HostModel
from einthoven.errors import EinthovenError, UsageError
from einthoven.rundir import write_json
from training import dataset
from training.dataset import Examples

UNSURE_SHARE = 0.05
"""Of the held-out detections: what a user would have to look at again."""
RANGE = (0.1, 10.0)
"""Of the temperature."""


@dataclass(frozen=True)
class HeldOut:
    """A fold model's answer to the beats of its held-out patients."""

    logits: NDArray[np.int8]
    """[n, 5]"""
    scale: float
    """Of the logits."""
    label: NDArray[np.int8]
    """[n], -1 where no reference beat is."""


def held_out(fold: Path, examples: Examples) -> HeldOut:
    """Run a fold's model on its held-out patients. Raises UsageError, ModelError."""
    try:
        patients = json.loads((fold / "held_out.json").read_text())
    except (OSError, ValueError) as error:
        raise UsageError(
            f"{fold} is no fold of cross-validation (held_out.json: {error})"
        ) from None
    if any(p in patients for p in (f"mitdb/{name}" for name in DS2)):
        raise UsageError(f"{fold} holds out patients of DS2, which choose nothing")
    rows = examples.main & np.isin(examples.patient, patients)
    if not rows.any():
        raise UsageError(f"none of the patients that {fold} holds out is in the model's data")
    folder = fold / "ptq" if (fold / "ptq").exists() else fold
    model = load_model(folder)
    with tempfile.TemporaryDirectory() as scratch:
        export(folder, Path(scratch))
        engine = HostModel(Path(scratch))
    logits = engine.infer(examples.signal[rows], examples.features[rows])
    return HeldOut(logits, float(model.graph.outputs[0].scale), examples.label[rows])


def loss(parts: Sequence[HeldOut], temperature: float) -> float:
    """Mean negative log likelihood of the labelled beats' classes."""
    losses = []
    for part in parts:
        known = part.label >= 0
        real = part.logits[known].astype(np.float64) * (part.scale / temperature)
        picked = log_softmax(real, axis=1)[np.arange(len(real)), part.label[known]]
        losses.append(-picked)
    return float(np.concatenate(losses).mean())


def best_temperature(parts: Sequence[HeldOut]) -> float:
    """The temperature of the highest likelihood within `RANGE`."""
    found = minimize_scalar(
        lambda x: loss(parts, math.exp(x)), bounds=(math.log(RANGE[0]), math.log(RANGE[1]))
    )
    return round(math.exp(float(found.x)), 4)


def counts(parts: Sequence[HeldOut], temperature: float) -> reliability.Counts:
    """Right and wrong held-out detections by the confidence that the firmware would give them."""
    total = np.zeros(reliability.SHAPE, dtype=np.int64)
    for part in parts:
        with tempfile.TemporaryDirectory() as scratch:
            header = Path(scratch) / "ein_confidence_table.h"
            header.write_text(tables.table("fold", part.scale, Calibration(temperature)))
            found, unsure = Confidence(Path(scratch)).of(
                part.logits, np.zeros(len(part.label), np.uint16)
            )
        wrong = part.logits.argmax(axis=1) != part.label
        total += reliability.count(found, unsure, wrong)
    return total


def unsure_limit(table: reliability.Counts, share: float = UNSURE_SHARE) -> int:
    """The highest limit, in 1/255, below which at most `share` of the detections lie."""
    below = np.concatenate([[0], table.sum(axis=(1, 2)).cumsum()[:-1]])
    return int(np.flatnonzero(below <= share * table.sum())[-1])


def calibrate(model: Path, folds: Sequence[Path], data: Path | None = None) -> dict[str, Any]:
    """Choose temperature and limit, write them into `model`'s model.json; returns the entry."""
    path = model / "model.json"
    try:
        about = json.loads(path.read_text())
    except (OSError, ValueError) as error:
        raise UsageError(f"{model} is no model's folder ({error})") from None
    examples = dataset.load([{**s, "leads": "main"} for s in about["training_data"]], data)
    parts = [held_out(fold, examples) for fold in folds]
    temperature = best_temperature(parts)
    table = counts(parts, temperature)
    limit = unsure_limit(table)
    beats = sum(int((p.label >= 0).sum()) for p in parts)
    sure, all_of_them = table[limit:], table
    entry = {
        "temperature": temperature,
        "unsure_below": limit,
        "chosen_on": f"likelihood of {beats:,} beats of held-out patients in {len(folds)} folds "
        f"over the training data, {100 * UNSURE_SHARE:.0f} % of whose detections are unsure",
        "loss_at_1": loss(parts, 1.0),
        "loss": loss(parts, temperature),
        "held_out": reliability.summary(table),
        "wrong_share_all": float(all_of_them[:, :, 1].sum() / all_of_them.sum()),
        "wrong_share_sure": float(sure[:, :, 1].sum() / sure.sum()),
    }
    about["confidence"] = entry
    write_json(path, about)
    return entry


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(prog="python -m training.calibrate", description=__doc__)
    parser.add_argument("model", type=Path)
    parser.add_argument("folds", type=Path, nargs="+")
    parser.add_argument("--data", type=Path)
    args = parser.parse_args()
    try:
        found = calibrate(args.model, args.folds, args.data)
    except EinthovenError as error:
        print(f"error: {error}", file=sys.stderr)
        sys.exit(2)
    print(
        f"temperature {found['temperature']}, unsure below {found['unsure_below']}/255: wrong "
        f"{100 * found['wrong_share_all']:.2f} % of all held-out detections, "
        f"{100 * found['wrong_share_sure']:.2f} % of the sure; loss {found['loss_at_1']:.4f} "
        f"-> {found['loss']:.4f}"
    )


if __name__ == "__main__":
    main()
