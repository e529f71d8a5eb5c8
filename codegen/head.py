"""A patient's head: weights and biases that replace those of a model's last dense layers.

A head belongs to one model file and keeps all of its scales, zero points and activation bounds, so
the same arithmetic computes it (SPEC section 4). It exists in three forms: this module's `Head`,
kept as JSON; the bytes that a board runs (`pack`); and a whole `.tflite` (`replaced`), with which
TFLite Micro gives the same logits.
"""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import tflite
from numpy.typing import NDArray

from einthoven.codegen.engine.graph import Conv
from einthoven.codegen.engine.layout import pack_weights
from einthoven.codegen.engine.reader import parse
from einthoven.codegen.model import ModelFolder
from einthoven.errors import ModelError

SCHEMA = "einthoven-head/1"
_SCALE = np.dtype(
    [("bias", "<i4"), ("multiplier", "<i4"), ("left", "u1"), ("right", "u1"), ("unused", "<u2")]
)
"""ein_nn_head_scale_t."""
_BOUND = 1 << 30
"""Of a sum in the kernels' fast path, as firmware/engine/ein_nn_head.c checks it."""


@dataclass(frozen=True, eq=False)
class Layer:
    """Parameters of a dense layer: `weights` int8 [out, in], `bias` int32 [out], as in the file."""

    weights: NDArray[np.int8]
    bias: NDArray[np.int32]


@dataclass(frozen=True, eq=False)
class Units:
    """What a layer's integers mean, and what a head cannot change.

    value = scale · (q − zero point) for activations; a weight is `weight_scale[out]` · q, a bias
    `in_scale` · `weight_scale[out]` · q. Outputs are clamped to `act_min` … `act_max`.
    """

    in_scale: float
    in_zero: int
    weight_scale: NDArray[np.float64]
    """[out]"""
    out_scale: float
    out_zero: int
    act_min: int
    act_max: int
    dead: NDArray[np.bool_]
    """[out] channels that the engine computes as constants: their parameters must stay."""


@dataclass(frozen=True, eq=False)
class Head:
    """The parameters of all replaceable layers, first to last, for the model with that SHA-256."""

    model_sha256: str
    layers: tuple[Layer, ...]
    about: Mapping[str, Any] = field(default_factory=dict)
    """Where it came from: record, minutes, beats, settings."""

    def write(self, path: Path) -> None:
        """Write it as JSON. Raises ModelError when that is not possible."""
        table = {
            "schema": SCHEMA,
            "model_sha256": self.model_sha256,
            "about": dict(self.about),
            "layers": [
                {"weights": one.weights.tolist(), "bias": one.bias.tolist()} for one in self.layers
            ],
        }
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(json.dumps(table) + "\n", encoding="utf-8")
        except OSError as error:
            raise ModelError(f"cannot write the head to {path}: {error.strerror}") from error

    @classmethod
    def read(cls, path: Path) -> "Head":
        """Read what `write` wrote. Raises ModelError when it is not there or no head."""
        try:
            table = json.loads(path.read_text(encoding="utf-8"))
            if table["schema"] != SCHEMA:
                raise ValueError("another schema")
            return cls(
                str(table["model_sha256"]),
                tuple(
                    Layer(_integers(one["weights"], np.int8), _integers(one["bias"], np.int32))
                    for one in table["layers"]
                ),
                dict(table["about"]),
            )
        except OSError as error:
            raise ModelError(f"the head {path} cannot be read: {error.strerror}") from error
        except (ValueError, KeyError, TypeError, OverflowError) as error:
            raise ModelError(
                f"{path} is no patient head ({error}): make one with einthoven adapt --out"
            ) from error


def _integers(values: Any, dtype: Any) -> NDArray[Any]:
    found = np.array(values)
    if found.dtype.kind != "i":
        raise ValueError("parameters must be integers")
    limits = np.iinfo(dtype)
    if found.size and (found.min() < limits.min or found.max() > limits.max):
        raise ValueError("parameters are out of range")
    return found.astype(dtype)


def own_head(model: ModelFolder) -> Head:
    """The head that the model itself has: what it computes with where no patient's is given."""
    raw = parse(model.tflite)
    layers = []
    for op in _layers(model):
        weights, bias = (raw.tensors[i] for i in raw.ops[op.number].inputs[1:3])
        layers.append(
            Layer(
                np.frombuffer(weights.data or b"", np.int8).reshape(len(op.bias), -1).copy(),
                np.frombuffer(bias.data or b"", "<i4").astype(np.int32),
            )
        )
    return Head(model.sha256, tuple(layers))


def units(model: ModelFolder) -> tuple[Units, ...]:
    """The units of each replaceable layer of `model`. Raises ModelError if it has none."""
    raw = parse(model.tflite)
    found = []
    for op in _layers(model):
        scales = np.array(raw.tensors[raw.ops[op.number].inputs[1]].scales)
        source, out = op.inputs[0], op.output
        found.append(
            Units(
                source.scale, source.zero_point, np.broadcast_to(scales, len(op.bias)),
                out.scale, out.zero_point, op.act_min, op.act_max,
                np.array([f.multiplier == 0 for f in op.factors]),
            )
        )  # fmt: skip
    return tuple(found)


def pack(model: ModelFolder, head: Head) -> bytes:
    """The head as a board runs it (firmware/engine/ein_nn_head.h). Raises ModelError if unfit."""
    _check(model, head)
    parts = []
    for op, layer in zip(model.graph.head, head.layers, strict=True):
        folded = _folded(op, layer)
        scales = np.zeros(len(folded) + len(folded) % 2, dtype=_SCALE)
        scales["right"] = 1  # of the channel that evens the number out, as the generator has it
        scales["bias"][: len(folded)] = folded
        for key in ("multiplier", "left", "right"):
            scales[key][: len(folded)] = [getattr(f, key) for f in op.factors]
        parts += [pack_weights(layer.weights).tobytes(), scales.tobytes()]
    return b"".join(parts)


def replaced(model: ModelFolder, head: Head) -> bytes:
    """The model's `.tflite` with the head's parameters in place of its own. Raises ModelError."""
    _check(model, head)
    raw = parse(model.tflite)
    data = bytearray(model.tflite)
    file = tflite.Model.GetRootAsModel(data, 0)
    graph = file.Subgraphs(0)
    places = [graph.Tensors(i).Buffer() for i in range(graph.TensorsLength())]
    for op, layer in zip(model.graph.head, head.layers, strict=True):
        for tensor, values in zip(
            raw.ops[op.number].inputs[1:3],
            (layer.weights.tobytes(), layer.bias.astype("<i4").tobytes()),
            strict=True,
        ):
            if places.count(places[tensor]) > 1:
                raise ModelError(
                    f"{raw.ops[op.number]} shares its parameters with another tensor: convert "
                    "the model again"
                )
            # A view into `data`: a head has the sizes of what it replaces.
            file.Buffers(places[tensor]).DataAsNumpy()[:] = np.frombuffer(values, np.uint8)
    return bytes(data)


def describe(head: Head) -> dict[str, Any]:
    """`about`, and the SHA-256 of the parameters, for reports."""
    digest = hashlib.sha256()
    for layer in head.layers:
        digest.update(layer.weights.tobytes() + layer.bias.astype("<i4").tobytes())
    return {**head.about, "sha256": digest.hexdigest()}


def _layers(model: ModelFolder) -> Sequence[Conv]:
    layers = model.graph.head
    if not layers:
        raise ModelError(
            f"the model '{model.name}' does not end in dense layers: it cannot be adapted"
        )
    raw = parse(model.tflite)
    if any(len(raw.ops[op.number].inputs) < 3 or raw.ops[op.number].inputs[2] < 0 for op in layers):
        raise ModelError(f"a last layer of '{model.name}' has no bias: it cannot be adapted")
    return layers


def _folded(op: Conv, layer: Layer) -> NDArray[np.int64]:
    """Biases with the input's zero point folded in, as the kernels want them."""
    sums: NDArray[np.int64] = layer.weights.astype(np.int64).sum(axis=1)
    return layer.bias.astype(np.int64) - op.inputs[0].zero_point * sums


def _check(model: ModelFolder, head: Head) -> None:
    if head.model_sha256 != model.sha256:
        raise ModelError(
            f"the head was made for model {head.model_sha256[:12]}…, not for "
            f"{model.sha256[:12]}… ('{model.name}'): adapt again with this model"
        )
    own = own_head(model)
    shapes = [(one.weights.shape, one.bias.shape) for one in head.layers]
    if shapes != [(one.weights.shape, one.bias.shape) for one in own.layers]:
        raise ModelError("the head's layers have other shapes than the model's: adapt again")
    for op, given, kept in zip(model.graph.head, head.layers, own.layers, strict=True):
        dead = np.array([f.multiplier == 0 for f in op.factors])
        if (given.weights != kept.weights)[dead].any() or (given.bias != kept.bias)[dead].any():
            raise ModelError("the head changes a unit that is constant in the model: adapt again")
        limit = np.array([(_BOUND >> f.left) for f in op.factors])
        depth = -(-op.weights[0].size // 8) * 8
        if (np.abs(_folded(op, given)) > limit - depth * 128 * 128).any():
            raise ModelError("a bias of the head can overflow 30 bits: adapt again")
