"""Recipe files: all that decides a model, as TOML. `training/recipes/` holds the project's own."""

import re
import tomllib
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any, TypeVar

from einthoven.aami import CLASSES
from einthoven.errors import UsageError

T = TypeVar("T")


@dataclass(frozen=True)
class Architecture:
    """Sizes of the network, `[model]`.

    `blocks` lists the channels of each residual block (conv, ReLU, conv, skip, pool by two);
    `kernel` is the width of their convolutions in samples of the block's own rate.
    """

    stem_channels: int = 16
    stem_kernel: int = 9
    stem_stride: int = 3
    blocks: tuple[int, ...] = (16, 24, 32)
    kernel: int = 3
    dense: int = 32
    feature_dense: int = 32
    dropout: float = 0.3


@dataclass(frozen=True)
class Sampling:
    """What an epoch is drawn from, `[sampling]`.

    `class_share` in the order of the classes. Within a class a patient is drawn with weight
    (its beats)**patient_power: 1 = every beat alike, 0 = every patient alike.
    """

    examples: int = 60_000
    class_share: tuple[float, ...] = (0.55, 0.18, 0.18, 0.06, 0.03)
    patient_power: float = 0.5
    view_share: tuple[float, ...] = (0.4, 0.15, 0.3, 0.15)
    """Of main leads, other leads, combined and noisy ones; what the data lacks is left out."""
    false_as_q: bool = False
    """Whether detections that are no beats are taught as Q, or not at all."""


@dataclass(frozen=True)
class Views:
    """What is made of each record besides its leads, `[views]` (training/data/views.py)."""

    combined: int = 0
    """Weighted sums of two leads."""
    noisy: int = 0
    """Copies with nstdb's noise mixed in."""
    snr_db: tuple[float, ...] = (18.0, 12.0, 6.0, 0.0)
    """Levels that noise is drawn from, besides none."""


@dataclass(frozen=True)
class Distillation:
    """A network that learns from the mean of several others, `[distillation]`.

    One training's outcome depends on its seed; the mean of several does less, and one network
    that imitates it costs the board no more than any.
    """

    teachers: int = 0
    weight: float = 0.7
    """Of the teachers' mean probabilities against the labels."""


@dataclass(frozen=True)
class Augmentation:
    """Random changes of the tensors, `[augmentation]`."""

    gain: float = 0.2
    """Signal times 1 ± gain, uniform."""
    shift_samples: int = 2
    """R position off by up to that."""
    signal_noise: float = 0.06
    """Standard deviation, in the model's real units (1/32 a step)."""
    feature_noise: float = 0.05
    feature_drop: float = 0.05
    """Probability of a feature being 0."""
    invert: float = 0.0
    """Probability of the signal upside down."""


@dataclass(frozen=True)
class Fit:
    """The optimizer, `[fit]`: Adam with decoupled weight decay, cosine to zero over all epochs."""

    epochs: int = 20
    batch: int = 128
    learning_rate: float = 2e-3
    weight_decay: float = 1e-2
    label_smoothing: float = 0.05


@dataclass(frozen=True)
class Quantization:
    """`[quantization]`: which method makes the shipped file, and its settings."""

    method: str = "ptq"
    qat_epochs: int = 3
    qat_learning_rate: float = 2e-4
    calibration_beats: int = 2000


@dataclass(frozen=True)
class Recipe:
    """A model from records to `.tflite`."""

    name: str
    data: tuple[dict[str, Any], ...]
    """`[[data]]`: db, records, leads ("main" or "both")."""
    seed: int = 1
    logit_bias: tuple[float, ...] = (0.0,) * len(CLASSES)
    """Added to the logits: the operating point, chosen on held-out patients of DS1."""
    model: Architecture = field(default_factory=Architecture)
    views: Views = field(default_factory=Views)
    sampling: Sampling = field(default_factory=Sampling)
    augmentation: Augmentation = field(default_factory=Augmentation)
    fit: Fit = field(default_factory=Fit)
    distillation: Distillation = field(default_factory=Distillation)
    quantization: Quantization = field(default_factory=Quantization)


_TABLES = {
    "model": Architecture,
    "views": Views,
    "sampling": Sampling,
    "augmentation": Augmentation,
    "fit": Fit,
    "distillation": Distillation,
    "quantization": Quantization,
}

_LENGTHS = {"class_share": len(CLASSES), "logit_bias": len(CLASSES), "view_share": 4}


def load(path: Path) -> Recipe:
    """Read a recipe. Raises UsageError that names the key that does not fit."""
    table = read_toml(path)
    for key, kind in _TABLES.items():
        table[key] = build_table(kind, table.get(key, {}), f"[{key}] ", path)
    if not isinstance(table.get("data"), list) or not table["data"]:
        raise UsageError(f"recipe {path}: give at least one [[data]] table with db and records")
    recipe = build_table(Recipe, table, "", path)
    if recipe.quantization.method not in ("ptq", "qat"):
        raise UsageError(f"recipe {path}: [quantization] method must be 'ptq' or 'qat'")
    return recipe


def with_seed(text: str, seed: int) -> str:
    """A recipe's text with this seed in it."""
    stated, n = re.subn(r"(?m)^seed\s*=.*$", f"seed = {seed}", text, count=1)
    return stated if n else f"seed = {seed}\n{text}"


def read_toml(path: Path) -> dict[str, Any]:
    """A recipe's file as it stands. Raises UsageError."""
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise UsageError(f"no recipe {path}: training/recipes/ has the project's own") from None
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise UsageError(f"recipe {path} cannot be read: {error}") from error


def build_table(kind: type[T], table: Any, where: str, path: Path) -> T:
    """`table` as the dataclass `kind`. Raises UsageError that names the key that does not fit."""
    if not isinstance(table, dict):
        raise UsageError(f"recipe {path}: {where}must be a table")
    known = {f.name: f for f in fields(kind)}  # type: ignore[arg-type]
    unknown = sorted(table.keys() - known.keys())
    if unknown:
        raise UsageError(f"recipe {path}: {where}key '{unknown[0]}' does not exist; remove it")
    values = {k: tuple(v) if isinstance(v, list) else v for k, v in table.items()}
    for key, value in values.items():
        default = known[key].default
        if isinstance(default, (int, float, str)) and not _fits(value, default):
            raise UsageError(f"recipe {path}: {where}{key} = {value!r} has the wrong type")
        length = _LENGTHS.get(key)
        if length and (not isinstance(value, tuple) or len(value) != length):
            raise UsageError(f"recipe {path}: {where}{key} needs {length} numbers")
    try:
        return kind(**values)
    except TypeError as error:
        raise UsageError(f"recipe {path}: {where}{error}") from error


def _fits(value: object, default: object) -> bool:
    if isinstance(default, float):
        return isinstance(value, (int, float)) and not isinstance(value, bool)
    return type(value) is type(default)
