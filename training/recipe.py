"""Recipe files: all that decides a model, as TOML. `training/recipes/` holds the project's own."""

import difflib
import math
import re
import tomllib
from collections.abc import Iterable
from dataclasses import MISSING, dataclass, field, fields
from pathlib import Path
from typing import Any, TypeVar

from einthoven.aami import CLASSES
from einthoven.errors import UsageError

T = TypeVar("T")


def within(default: T, least: float, most: float = math.inf, *, above: bool = False) -> T:
    """A field of a recipe's table: its default, and the range of it or of each of its numbers.

    `above`: `least` itself is too small.
    """
    found: T = field(default=default, metadata={"range": (least, most, above)})
    return found


SKIPS = ("projected", "identity", "none")


@dataclass(frozen=True)
class Architecture:
    """Shape of the network, `[model]`.

    `blocks` lists the channels of each block: its convolutions with a ReLU between them, the skip
    around them, and a pooling by two behind it or, with `pool_first`, before it. `kernel` is the
    width of the convolutions in samples of the block's own rate.
    """

    stem_channels: int = within(16, 1, 1024)
    stem_kernel: int = within(9, 1, 216)
    stem_stride: int = within(3, 1, 216)
    blocks: tuple[int, ...] = within((16, 24, 32), 1, 1024)
    kernel: int = within(3, 1, 216)
    convolutions: int = within(2, 1, 8)
    """Of a block. The last one has a ReLU only where nothing but it makes the block bend."""
    skip: str = "projected"
    """Around a block: "projected", by a convolution of width 1 where channels change; "identity",
    only where they stay; or "none"."""
    pool_first: bool = False
    dense: int = within(32, 1, 4096)
    feature_dense: int = within(32, 1, 4096)
    dropout: float = within(0.3, 0.0, 0.95)


@dataclass(frozen=True)
class Sampling:
    """What an epoch is drawn from, `[sampling]`.

    `class_share` in the order of the classes. Within a class a patient is drawn with weight
    (its beats)**patient_power: 1 = every beat alike, 0 = every patient alike.
    """

    examples: int = within(60_000, 1, 100_000_000)
    class_share: tuple[float, ...] = within((0.55, 0.18, 0.18, 0.06, 0.03), 0.0, 1.0)
    patient_power: float = within(0.5, 0.0, 1.0)
    view_share: tuple[float, ...] = within((0.4, 0.15, 0.3, 0.15), 0.0, 1.0)
    """Of main leads, other leads, combined and noisy ones; what the data lacks is left out."""
    false_as_q: bool = False
    """Whether detections that are no beats are taught as Q, or not at all."""


@dataclass(frozen=True)
class Views:
    """What is made of each record besides its leads, `[views]` (training/data/views.py)."""

    combined: int = within(0, 0, 100)
    """Weighted sums of two leads."""
    noisy: int = within(0, 0, 100)
    """Copies with nstdb's noise mixed in."""
    snr_db: tuple[float, ...] = within((18.0, 12.0, 6.0, 0.0), -40.0, 80.0)
    """Levels that noise is drawn from, besides none."""


@dataclass(frozen=True)
class Strips:
    """Strips whose rhythm is known, but not their beats, `[strips]` (training/data/strips.py)."""

    share: float = within(0.0, 0.0, 0.9)
    """Of an epoch's beats; 0: none."""
    symbol_share: tuple[float, ...] = within((0.4, 0.3, 0.2, 0.1), 0.0, 1.0)
    """Of beats from strips labelled N, A, O and ~."""
    rhythm_weight: float = within(0.2, 0.0, 10.0)
    """Of telling the strip's label from a beat, beside telling the beat's class; in training only,
    so that what the network knows of a beat tells rhythms apart."""


@dataclass(frozen=True)
class Distillation:
    """A network that learns from the mean of several others, `[distillation]`.

    One training's outcome depends on its seed; the mean of several does less, and one network
    that imitates it costs the board no more than any.
    """

    teachers: int = within(0, 0, 100)
    weight: float = within(0.7, 0.0, 1.0)
    """Of the teachers' mean probabilities against the labels."""
    epochs: int = within(0, 0, 100_000)
    """Of the network that learns from them; 0: as many as `[fit]` says, which is what they get."""


@dataclass(frozen=True)
class Augmentation:
    """Random changes of the tensors, `[augmentation]`."""

    gain: float = within(0.2, 0.0, 0.99)
    """Signal times 1 ± gain, uniform."""
    shift_samples: int = within(2, 0, 90)
    """R position off by up to that."""
    signal_noise: float = within(0.06, 0.0, 10.0)
    """Standard deviation, in the model's real units (1/32 a step)."""
    feature_noise: float = within(0.05, 0.0, 10.0)
    feature_drop: float = within(0.05, 0.0, 1.0)
    """Probability of a feature being 0."""
    invert: float = within(0.0, 0.0, 1.0)
    """Probability of the signal upside down."""


@dataclass(frozen=True)
class Fit:
    """The optimizer, `[fit]`: Adam with decoupled weight decay, cosine to zero over all epochs."""

    epochs: int = within(20, 1, 100_000)
    batch: int = within(128, 1, 1_000_000)
    learning_rate: float = within(2e-3, 0.0, 10.0, above=True)
    weight_decay: float = within(1e-2, 0.0, 10.0)
    label_smoothing: float = within(0.05, 0.0, 0.99)


@dataclass(frozen=True)
class Quantization:
    """`[quantization]`: which method makes the shipped file, and its settings."""

    method: str = "ptq"
    qat_epochs: int = within(3, 1, 100_000)
    qat_learning_rate: float = within(2e-4, 0.0, 10.0, above=True)
    calibration_beats: int = within(2000, 1, 10_000_000)


@dataclass(frozen=True)
class Recipe:
    """A model from records to `.tflite`."""

    name: str
    data: tuple[dict[str, Any], ...]
    """`[[data]]`: db, records, leads ("main" or "both")."""
    seed: int = within(1, 0, 2**32 - 1)
    logit_bias: tuple[float, ...] = within((0.0,) * len(CLASSES), -100.0, 100.0)
    """Added to the logits: the operating point, chosen on held-out patients of DS1."""
    model: Architecture = field(default_factory=Architecture)
    teacher: Architecture | None = None
    """Shape of the teachers, `[teacher]`; without it they have the model's own."""
    views: Views = field(default_factory=Views)
    sampling: Sampling = field(default_factory=Sampling)
    strips: Strips = field(default_factory=Strips)
    augmentation: Augmentation = field(default_factory=Augmentation)
    fit: Fit = field(default_factory=Fit)
    distillation: Distillation = field(default_factory=Distillation)
    quantization: Quantization = field(default_factory=Quantization)


_TABLES = {
    "model": Architecture,
    "teacher": Architecture,
    "views": Views,
    "sampling": Sampling,
    "strips": Strips,
    "augmentation": Augmentation,
    "fit": Fit,
    "distillation": Distillation,
    "quantization": Quantization,
}

_OPTIONAL = ("teacher",)

_LENGTHS = {
    "class_share": len(CLASSES),
    "logit_bias": len(CLASSES),
    "view_share": 4,
    "symbol_share": 4,
}


def load(path: Path) -> Recipe:
    """Read a recipe. Raises UsageError that names the key that does not fit."""
    table = read_toml(path)
    for key, kind in _TABLES.items():
        if key in table or key not in _OPTIONAL:
            table[key] = build_table(kind, table.get(key, {}), f"[{key}] ", path)
    _check_data(table.get("data"), path)
    recipe = build_table(Recipe, table, "", path)
    for name, shape in (("model", recipe.model), ("teacher", recipe.teacher)):
        if shape is not None and shape.skip not in SKIPS:
            raise UsageError(f"recipe {path}: [{name}] skip must be one of {', '.join(SKIPS)}")
    if sum(recipe.strips.symbol_share) == 0:
        raise UsageError(f"recipe {path}: [strips] symbol_share must have a number above 0")
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
    refuse_unknown(table, known, where, path)
    missing = [
        k
        for k, f in known.items()
        if k not in table and f.default is MISSING and f.default_factory is MISSING
    ]
    if missing:
        raise UsageError(f"recipe {path}: {where}key '{missing[0]}' is missing: add it")
    values = {k: tuple(v) if isinstance(v, list) else v for k, v in table.items()}
    for key, value in values.items():
        default = known[key].default
        if default is MISSING:
            wrong = known[key].type in ("str", str) and not isinstance(value, str)
        elif isinstance(default, tuple):
            wrong = not isinstance(value, tuple) or (
                bool(default) and not all(_fits(v, default[0]) for v in value)
            )
        else:
            wrong = isinstance(default, (int, float, str)) and not _fits(value, default)
        if wrong:
            raise UsageError(f"recipe {path}: {where}{key} = {_as_toml(value)} has the wrong type")
        length = _LENGTHS.get(key)
        if length and len(value) != length:
            raise UsageError(f"recipe {path}: {where}{key} needs {length} numbers")
        _check_range(value, known[key].metadata.get("range"), f"recipe {path}: {where}{key}")
    return kind(**values)


def refuse_unknown(table: Iterable[str], known: Iterable[str], where: str, path: Path) -> None:
    """Raise UsageError for a key that there is not, with the one that was probably meant."""
    names = list(known)
    for key in sorted(set(table) - set(names)):
        near = difflib.get_close_matches(key, names, n=1)
        meant = f"did you mean '{near[0]}'?" if near else "remove it"
        raise UsageError(f"recipe {path}: {where}key '{key}' does not exist; {meant}")


def _check_data(tables: Any, path: Path) -> None:
    """Raise UsageError unless `tables` are `[[data]]` tables as a data set takes them."""
    if not isinstance(tables, list) or not tables or not all(isinstance(t, dict) for t in tables):
        raise UsageError(f"recipe {path}: give at least one [[data]] table with db and records")
    for table in tables:
        refuse_unknown(table, ("db", "records", "leads"), "[[data]] ", path)
        if "db" not in table:
            raise UsageError(f"recipe {path}: [[data]] key 'db' is missing: add it")
        for key, value in table.items():
            if not isinstance(value, str):
                raise UsageError(
                    f"recipe {path}: [[data]] {key} = {_as_toml(value)} must be a text, such as "
                    f'{key} = "{value}"'
                )
        if table.get("leads", "main") not in ("main", "both"):
            raise UsageError(f"recipe {path}: [[data]] leads must be 'main' or 'both'")


def _check_range(value: Any, limits: tuple[float, float, bool] | None, what: str) -> None:
    """Raise UsageError for a number that is not finite or not within the limits of its field."""
    for number in value if isinstance(value, tuple) else (value,):
        if isinstance(number, bool) or not isinstance(number, (int, float)):
            continue
        if not math.isfinite(number):
            raise UsageError(f"{what} = {number} is no number to compute with")
        if limits is None:
            continue
        least, most, above = limits
        if number < least or number > most or (above and number == least):
            begin = f"above {least:g}" if above else f"at least {least:g}"
            raise UsageError(f"{what} = {number:g} is out of range: {begin}, at most {most:g}")


def _as_toml(value: object) -> str:
    if isinstance(value, str):
        return f'"{value}"'
    return str(list(value) if isinstance(value, tuple) else value)


def _fits(value: object, default: object) -> bool:
    if isinstance(default, float):
        return isinstance(value, (int, float)) and not isinstance(value, bool)
    return type(value) is type(default)
