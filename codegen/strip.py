"""Generate `ein_strip_table.h`: what a strip is measured by, and the trees that judge it.

The first comes from `codegen/spec/strip.toml`, the trees from `training/shipped/strip.json`, which
`python -m einthoven.training.verdict fit` writes.
"""

import hashlib
import json
import math
import tomllib
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import jinja2

from einthoven.codegen.pipeline import load as load_pipeline
from einthoven.errors import ModelError, UsageError
from einthoven.paths import SHIPPED_MODEL, SPEC

SPEC_FILE = SPEC / "strip.toml"
TREES_FILE = SHIPPED_MODEL / "strip.json"
SCORE_ONE = 32
"""Steps of a tree's leaf per logit."""
SHARPEST, FLATTEST = 0.2, 5.0
"""Temperatures that are believed."""
_TEMPLATE = Path(__file__).parent / "templates" / "ein_strip_table.h.j2"
_SEEN = ("strip", "quality", "rhythm", "beats", "wave", "inputs", "verdicts")
"""Sections that change what trees see."""


@dataclass(frozen=True)
class Layout:
    """Features and inputs of a strip by name, in the order of their numbers."""

    features: tuple[str, ...]
    """As `rhythm.median`, `mean.rate`, `top0.margin_s`; a tree asks them by place."""
    inputs: tuple[str, ...]
    sums: tuple[int, ...]
    """Inputs that are summed: those of `mean` in their order, then what only `spread` needs."""
    spreads: tuple[int, ...]
    """Places in `sums`."""
    lasts: tuple[int, ...]
    tops: tuple[int, ...]
    starts: dict[str, int]
    """Where each group of features begins."""


def load(path: Path = SPEC_FILE) -> dict[str, Any]:
    """The parsed `strip.toml`. Raises UsageError when it is missing or no TOML."""
    try:
        return tomllib.loads(path.read_text())
    except (OSError, tomllib.TOMLDecodeError) as error:
        raise UsageError(f"cannot read {path.name}: {error}") from error


@cache
def _shipped_spec() -> dict[str, Any]:
    return load()


TOP = 3
"""Largest values that are kept of an input."""


def layout(spec: dict[str, Any] | None = None) -> Layout:
    """What is measured. Raises UsageError for an input that no beat has."""
    spec = _shipped_spec() if spec is None else spec
    classes = load_pipeline()["classes"]["names"]
    inputs = [
        *load_pipeline()["features"]["names"],
        *(f"embedding_{i}" for i in range(spec["inputs"]["embedding"])),
        *(f"margin_{name.lower()}" for name in classes[1:]),
        "unrest",
    ]
    chosen = spec["inputs"]
    for kind in ("mean", "spread", "last", "top"):
        unknown = [name for name in chosen[kind] if name not in inputs]
        if unknown:
            raise UsageError(f"strip.toml: no beat has the input {unknown[0]}, named in {kind}")
    place = {name: i for i, name in enumerate(inputs)}
    summed = list(dict.fromkeys([*chosen["mean"], *chosen["spread"]]))
    groups = {
        "rhythm": [f"rhythm.{name}" for name in spec["rhythm"]["names"]],
        "beats": [f"beats.{name}" for name in spec["beats"]["names"]],
        "wave": [f"wave.{i}" for i in spec["wave"]["at"]],
        "mean": [f"mean.{name}" for name in chosen["mean"]],
        "spread": [f"spread.{name}" for name in chosen["spread"]],
        "last": [f"last.{name}" for name in chosen["last"]],
        "top": [f"top{k}.{name}" for name in chosen["top"] for k in range(TOP)],
    }
    starts: dict[str, int] = {}
    features: list[str] = []
    for group, names in groups.items():
        starts[group] = len(features)
        features += names
    if len(features) > 256:
        raise UsageError(
            "strip.toml: a node holds the number of its feature in a byte, 256 at most"
        )
    return Layout(
        features=tuple(features),
        inputs=tuple(inputs),
        sums=tuple(place[name] for name in summed),
        spreads=tuple(summed.index(name) for name in chosen["spread"]),
        lasts=tuple(place[name] for name in chosen["last"]),
        tops=tuple(place[name] for name in chosen["top"]),
        starts=starts,
    )


def digest(spec: dict[str, Any] | None = None) -> str:
    """SHA-256, hex, of what of the spec the trees see."""
    spec = _shipped_spec() if spec is None else spec
    seen = {section: spec[section] for section in _SEEN}
    return hashlib.sha256(json.dumps(seen, sort_keys=True).encode()).hexdigest()


def read_trees(path: Path = TREES_FILE) -> dict[str, Any]:
    """The fitted trees. Raises ModelError when they are not there or damaged."""
    try:
        fitted: dict[str, Any] = json.loads(path.read_text())
        if not isinstance(fitted["trees"], list) or not all(
            isinstance(fitted[key], list) for key in ("start", "favour")
        ):
            raise TypeError
        if not SHARPEST <= float(fitted["temperature"]) <= FLATTEST:
            raise ValueError
        _ = fitted["spec_sha256"], fitted["model_sha256"]
    except (OSError, ValueError, KeyError, TypeError):
        raise ModelError(
            f"{path.name} has no trees for a strip's verdict: "
            "fit them with `python -m einthoven.training.verdict fit`"
        ) from None
    return fitted


def generate() -> dict[str, str]:
    """File name to text: `ein_strip_table.h`.

    Raises UsageError for a spec, ModelError for trees that cannot be used: those of another spec
    or another model among them.
    """
    spec, fitted = load(), read_trees()
    if fitted["spec_sha256"] != digest(spec):
        raise ModelError(
            "training/shipped/strip.json was fitted for another codegen/spec/strip.toml: "
            "`python -m einthoven.training.verdict fit`"
        )
    return {"ein_strip_table.h": header(spec, fitted)}


def blank(spec: dict[str, Any] | None = None) -> str:
    """Text of a header whose trees say nothing: to measure strips before any are fitted."""
    spec = _shipped_spec() if spec is None else spec
    nodes, verdicts = (1 << spec["strip"]["depth"]) - 1, len(spec["verdicts"]["names"])
    silent = [[0] * nodes, [0] * nodes, [0] * (nodes + 1)]
    zeros = [0] * verdicts
    return header(
        spec,
        {
            **{"trees": [silent] * verdicts, "start": zeros, "favour": zeros},
            **{"temperature": 1.0, "model_sha256": "none"},
        },
    )


def header(spec: dict[str, Any], fitted: dict[str, Any]) -> str:
    """Text of the header for a spec and trees that were fitted for it."""
    known = layout(spec)
    verdicts = spec["verdicts"]["names"]
    constants: list[tuple[str, object]] = [
        (f"STRIP_{key.upper()}", spec["strip"][key])
        for key in ("beats", "min_beats", "min_seconds", "max_seconds", "depth")
    ]
    constants += [(f"QUALITY_{key.upper()}", value) for key, value in spec["quality"].items()]
    reasons = spec["reasons"]
    constants += [
        (f"STRIP_{key.upper()}", value) for key, value in reasons.items() if key != "words"
    ]
    constants += [
        (f"STRIP_REASON_{name.upper()}", f"0x{1 << bit:04x}u")
        for bit, (name, _) in enumerate(reasons["words"])
    ]
    constants += [("STRIP_VERDICTS", len(verdicts))]
    constants += [(f"STRIP_VERDICT_{name.upper()}", i) for i, name in enumerate(verdicts)]
    constants += [
        ("STRIP_EMBEDDING", spec["inputs"]["embedding"]),
        ("STRIP_INPUTS", len(known.inputs)),
        ("STRIP_INPUT_EMBEDDING", known.inputs.index("embedding_0")),
        ("STRIP_INPUT_MARGIN_S", known.inputs.index("margin_s")),
        ("STRIP_INPUT_UNREST", known.inputs.index("unrest")),
        ("STRIP_RR_FEATURES", len(spec["rhythm"]["names"])),
        ("STRIP_WAVES", len(spec["wave"]["at"])),
        ("STRIP_WAVE_STEP", spec["wave"]["step_samples"]),
        ("STRIP_MEANS", len(spec["inputs"]["mean"])),
        ("STRIP_SUMS", len(known.sums)),
        ("STRIP_SPREADS", len(known.spreads)),
        ("STRIP_LASTS", len(known.lasts)),
        ("STRIP_TOPS", len(known.tops)),
        ("STRIP_TOP", TOP),
        ("STRIP_FEATURES", len(known.features)),
        ("STRIP_SCORE_ONE", SCORE_ONE),
    ]
    places = [(f"RR_{name.upper()}", i) for i, name in enumerate(spec["rhythm"]["names"])]
    places += [
        (name.upper(), known.starts["beats"] + i) for i, name in enumerate(spec["beats"]["names"])
    ]
    places += [
        (f"{group.upper()}_FIRST", known.starts[group])
        for group in ("wave", "mean", "spread", "last", "top")
    ]
    lists = [
        ("WAVE_AT", spec["wave"]["at"]),
        ("SUM_OF", known.sums),
        ("SPREAD_OF", known.spreads),
        ("LAST_OF", known.lasts),
        ("TOP_OF", known.tops),
        ("START", fitted["start"]),
        ("FAVOUR", fitted["favour"]),
        ("WEIGHTS_Q15", weights_q15(float(fitted["temperature"]))),
    ]
    template = jinja2.Template(
        _TEMPLATE.read_text(), undefined=jinja2.StrictUndefined, keep_trailing_newline=True
    )
    text: str = template.render(
        model_sha256=fitted["model_sha256"],
        constants=constants,
        features=places,
        lists=[(name, _rows(values)) for name, values in lists],
        trees=_trees(fitted["trees"], len(known.features), spec["strip"]["depth"], len(verdicts)),
        score_one=SCORE_ONE,
    )
    return text


def weights_q15(temperature: float) -> list[int]:
    """exp(-d / (32 temperature)) in Q15 of a distance of 4 d between scores, 64 of them."""
    return [round((1 << 15) * math.exp(-4 * d / SCORE_ONE / temperature)) for d in range(64)]


def _rows(values: Any) -> list[str]:
    listed = list(values)
    return [", ".join(map(str, listed[i : i + 16])) for i in range(0, len(listed), 16)]


def _trees(
    trees: list[Any], features: int, depth: int, verdicts: int
) -> list[tuple[list[int], list[int], list[int]]]:
    nodes = (1 << depth) - 1
    for feature, above, leaf in trees:
        whole = len(feature) == len(above) == nodes and len(leaf) == nodes + 1
        if not whole or not all(0 <= f < features for f in feature):
            raise ModelError("strip.json: a tree is damaged: fit them anew")
        if not all(-128 <= v <= 127 for v in (*above, *leaf)):
            raise ModelError("strip.json: a tree's values do not fit a byte: fit them anew")
    if len(trees) % verdicts:
        raise ModelError("strip.json: there are not as many trees for each verdict: fit them anew")
    return [tuple(tree) for tree in trees]
