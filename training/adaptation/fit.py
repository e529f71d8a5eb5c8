"""Fit a patient's head: the model's last dense layers, on a few minutes of the patient's beats.

Labels are few (five minutes are about 400 beats, S and V among them often none), so the fit starts
at the model's own parameters and is held there by two means, whose strengths were chosen on
held-out patients (docs/adaptation.md): a penalty on every change, and a memory of training beats on
which the head must go on saying what the model says. Everything is computed in the model's own
units; what cannot be said in them is not tried: no weight leaves int8. numpy and scipy only, about
a second.
"""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any
from zipfile import BadZipFile

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize
from scipy.special import log_softmax, softmax
from threadpoolctl import threadpool_limits

from einthoven.aami import CLASSES
from einthoven.codegen.head import Head, Layer, Units, own_head, units
from einthoven.codegen.model import ModelFolder
from einthoven.errors import ModelError, RecordError, UsageError
from einthoven.native.engine import HostModel
from einthoven.training.data.dataset import PIPELINE, RATE_HZ, Examples, load_record

MEMORY = "memory.npz"
"""In a model's folder: what `einthoven.training.adaptation.memory` chose of its training beats."""
MAX_MINUTES = 5.0
"""EC57 does not score them, and AAMI allows a patient-adaptive algorithm to learn from them."""

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Settings:
    """How strongly a head is held to the model; chosen by `training/adaptation/crossval.py`."""

    penalty: float = 3.0
    """Times the squared change of every parameter, in real units."""
    memory_weight: float = 30.0
    """The memory counts as this many beats."""
    iterations: int = 100


@dataclass(frozen=True)
class Memory:
    """Training beats as the last layers see them: `embedding` int8 [m, E], without any label."""

    embedding: NDArray[np.int8]

    @classmethod
    def read(cls, model: ModelFolder) -> "Memory":
        """Of the model's folder. Raises ModelError when it is missing, or another model's."""
        path = model.path / MEMORY
        try:
            with np.load(path, allow_pickle=False) as stored:
                embedding, sha256 = stored["embedding"], str(stored["model_sha256"])
        except OSError as error:
            raise ModelError(
                f"{path} is missing, which adaptation needs: "
                f"python -m einthoven.training.adaptation.memory {model.path}"
            ) from error
        except (ValueError, KeyError, BadZipFile) as error:
            raise ModelError(
                f"{path} is damaged: python -m einthoven.training.adaptation.memory makes it"
            ) from error
        if sha256 != model.sha256 or embedding.dtype != np.int8 or embedding.ndim != 2:
            raise ModelError(
                f"{path} was made for another model: python -m einthoven.training.adaptation.memory"
            )
        return cls(embedding)

    def write(self, folder: Path, model_sha256: str) -> Path:
        """Into a model's folder; the same content gives the same bytes."""
        path = folder / MEMORY
        with path.open("wb") as file:
            np.savez_compressed(file, embedding=self.embedding, model_sha256=model_sha256)
        return path


def adapt_record(
    model: ModelFolder,
    host: HostModel,
    folder: Path,
    name: str,
    lead: str | None = None,
    minutes: float = MAX_MINUTES,
    settings: Settings | None = None,
) -> Head:
    """The head for the patient of record `name`, from its labelled beats before `minutes`.

    `host` must be the engine of `model`. Raises RecordError, ModelError, UsageError.
    """
    require_minutes(minutes)
    beats = first_minutes(load_record(folder, name, folder.name, lead), minutes)
    if len(beats) == 0:
        raise RecordError(f"record {name} has no labelled beats in its first {minutes:g} minutes")
    settings = settings or Settings()
    embedding = host.embed(beats.signal, beats.features)
    layers = fit(model, embedding, beats.label, Memory.read(model), settings)
    about = {
        "record": f"{folder.name}/{name}",
        "minutes": minutes,
        "beats": beats.counts(),
        "settings": asdict(settings),
    }
    return Head(model.sha256, layers, about)


def require_minutes(minutes: float) -> None:
    """Raise UsageError for more than EC57 leaves out of the score, or none."""
    if not 0 < minutes <= MAX_MINUTES:
        raise UsageError(
            f"a head learns from at most {MAX_MINUTES:g} minutes, which are not scored: give "
            f"more than 0 and no more than that, not {minutes:g}"
        )


def first_minutes(beats: Examples, minutes: float) -> Examples:
    """The labelled beats of one record that a board has told before `minutes` are over."""
    told = beats.t_samples < 60 * minutes * RATE_HZ - PIPELINE["rr"]["max_samples"]
    return beats.where(told & (beats.label >= 0))


def fit(
    model: ModelFolder,
    embedding: NDArray[np.int8],
    label: NDArray[Any],
    memory: Memory,
    settings: Settings,
) -> tuple[Layer, ...]:
    """The head's layers for int8 [n, E] embeddings with their classes, [n] indices into CLASSES.

    Raises ModelError when the model's last layers cannot be replaced.
    """
    chain = _Chain(own_head(model).layers, units(model))
    patient, past = chain.real(embedding), chain.real(memory.embedding)
    alike = np.ones(len(patient))
    target = np.eye(len(CLASSES))[label]
    start = chain.start
    usual = softmax(chain.forward(start, past)[-1], axis=1)
    each = np.full(len(past), settings.memory_weight / max(1, len(past)))

    def loss(parameters: Floats) -> tuple[float, Floats]:
        change = parameters - start
        of_patient, there = chain.cross_entropy(parameters, patient, target, alike)
        of_past, then = chain.cross_entropy(parameters, past, usual, each)
        total = of_patient + of_past + settings.penalty * float(change @ change)
        return total, there + then + 2 * settings.penalty * change

    # More threads than one cost more than they gain, and would change the last bits of sums.
    with threadpool_limits(limits=1):
        found = minimize(
            loss, start, jac=True, method="L-BFGS-B", bounds=chain.bounds,
            options={"maxiter": settings.iterations},
        )  # fmt: skip
    return chain.quantized(found.x)


class _Chain:
    """Dense layers in real units, their parameters as one vector: weights, bias, weights, …"""

    def __init__(self, layers: Sequence[Layer], layer_units: Sequence[Units]) -> None:
        self.layers, self.units = layers, layer_units
        parts, low, high = [], [], []
        for layer, unit in zip(layers, layer_units, strict=True):
            scale = unit.weight_scale[:, np.newaxis]
            weights = layer.weights * scale
            bias = layer.bias * scale[:, 0] * unit.in_scale
            widest = np.broadcast_to(127 * scale, weights.shape)
            dead = np.broadcast_to(unit.dead[:, np.newaxis], weights.shape)
            parts += [weights.ravel(), bias]
            low += [np.where(dead, weights, -widest).ravel(), np.where(unit.dead, bias, -np.inf)]
            high += [np.where(dead, weights, widest).ravel(), np.where(unit.dead, bias, np.inf)]
        self.start: Floats = np.concatenate(parts)
        # The model itself may use -128.
        low_end = np.minimum(np.concatenate(low), self.start)
        self.bounds = list(zip(low_end, np.concatenate(high), strict=True))

    def real(self, embedding: NDArray[np.int8]) -> Floats:
        """What the first layer reads, in real units."""
        first = self.units[0]
        values: Floats = first.in_scale * (embedding.astype(np.float64) - first.in_zero)
        return values

    def split(self, parameters: Floats) -> list[tuple[Floats, Floats]]:
        """Weights [out, in] and bias [out] of each layer."""
        found, at = [], 0
        for layer in self.layers:
            size, out = layer.weights.size, len(layer.bias)
            weights = parameters[at : at + size].reshape(layer.weights.shape)
            found.append((weights, parameters[at + size : at + size + out]))
            at += size + out
        return found

    def forward(self, parameters: Floats, inputs: Floats) -> list[Floats]:
        """The inputs, then each layer's outputs [n, out], within their activation bounds.

        The last layer's are not bounded: a logit that saturates has no gradient.
        """
        values = [inputs]
        for i, (weights, bias) in enumerate(self.split(parameters)):
            unit, out = self.units[i], values[-1] @ weights.T + bias
            if i + 1 < len(self.units):
                low, high = (
                    unit.out_scale * (end - unit.out_zero) for end in (unit.act_min, unit.act_max)
                )
                out = np.clip(out, low, high)
            values.append(out)
        return values

    def cross_entropy(
        self, parameters: Floats, inputs: Floats, target: Floats, weight: Floats
    ) -> tuple[float, Floats]:
        """Σ weight · cross-entropy to the target distributions [n, classes], and its gradient."""
        values = self.forward(parameters, inputs)
        logits = values[-1]
        loss = -float(weight @ (target * log_softmax(logits, axis=1)).sum(axis=1))
        slope = (softmax(logits, axis=1) - target) * weight[:, np.newaxis]
        parts: list[Floats] = []
        for i, (weights, _) in reversed(list(enumerate(self.split(parameters)))):
            parts = [(slope.T @ values[i]).ravel(), slope.sum(axis=0), *parts]
            if i > 0:
                unit = self.units[i - 1]
                low, high = (
                    unit.out_scale * (end - unit.out_zero) for end in (unit.act_min, unit.act_max)
                )
                slope = (slope @ weights) * ((values[i] > low) & (values[i] < high))
        return loss, np.concatenate(parts)

    def quantized(self, parameters: Floats) -> tuple[Layer, ...]:
        """The nearest integers in the model's scales; a dead channel's stay as they are."""
        found = []
        for (weights, bias), unit, own in zip(
            self.split(parameters), self.units, self.layers, strict=True
        ):
            scale = unit.weight_scale[:, np.newaxis]
            near = np.clip(np.rint(weights / scale), -128, 127).astype(np.int8)
            near_bias = np.rint(bias / (scale[:, 0] * unit.in_scale)).astype(np.int32)
            found.append(
                Layer(
                    np.where(unit.dead[:, np.newaxis], own.weights, near),
                    np.where(unit.dead, own.bias, near_bias),
                )
            )
        return tuple(found)
