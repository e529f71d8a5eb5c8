"""Recipes of the reference studies: `training/recipes/studies/*.toml`."""

import tomllib
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from einthoven.errors import UsageError
from einthoven.training.recipe import build_table, read_toml, refuse_unknown, within

INTER_PATIENT, PATIENT_SPECIFIC = "inter_patient", "patient_specific"
PROTOCOLS = {
    "random_beats": "random split of beats: intra-patient, a patient's beats are on both sides",
    INTER_PATIENT: "de Chazal's DS1 → DS2: inter-patient",
    "patient_folds": "cross-validation by patient: every beat is scored by a model that never saw "
    "its patient",
    PATIENT_SPECIFIC: "a classifier per patient, trained on their own earlier or other windows: "
    "intra-patient",
}
"""What is tested on what."""


@dataclass(frozen=True)
class Fit:
    """The optimizer, `[fit]`: Adam 0.9/0.999, cross-entropy.

    The learning rate is multiplied by `decay` every `decay_steps` batches, smoothly, so that a
    training may be stopped after any epoch and gone on with later.
    """

    epochs: int = within(15, 1, 100_000)
    batch: int = within(128, 1, 1_000_000)
    learning_rate: float = within(1e-3, 0.0, 10.0, above=True)
    weight_decay: float = within(0.0, 0.0, 10.0)
    decay: float = within(1.0, 0.0, 1.0, above=True)
    decay_steps: int = within(10_000, 1, 1_000_000_000)
    balance: str = "none"
    """"none": every beat once an epoch. "equal": beats are drawn, every class alike."""
    gain: float = within(0.0, 0.0, 0.99)
    """Augmentation: signal times 1 ± gain, uniform."""
    noise: float = within(0.0, 0.0, 10.0)
    """Augmentation: standard deviation of white noise, in the input's units."""


@dataclass(frozen=True)
class StudyRecipe:
    """One training of one study's network on one data set under one protocol."""

    study: str
    """Short name of the study; the recipes of one share a section of the page."""
    name: str
    network: str
    """A network of `registry.NETWORKS`."""
    dataset: str
    """A data set of `registry.DATASETS`."""
    protocol: str
    """A key of PROTOCOLS."""
    seed: int = within(1, 0, 2**32 - 1)
    calibration: int = within(2000, 1, 10_000_000)
    """Training examples that post-training quantization sees."""
    data: dict[str, Any] = field(default_factory=dict)
    """`[data]`: settings of the data set."""
    arch: dict[str, Any] = field(default_factory=dict)
    """`[arch]`: settings of the network."""
    own: dict[str, Any] = field(default_factory=dict)
    """`[own]`: settings of a protocol that only one study has."""
    fit: Fit = field(default_factory=Fit)
    quick: dict[str, Any] = field(default_factory=dict)
    """`[quick]`: what `--quick` changes: `data`, `arch`, `own`, `fit` tables, `calibration`."""

    def quickly(self) -> "StudyRecipe":
        """The `--quick` form: same code, little data; its figures mean nothing."""
        changes: dict[str, Any] = {
            k: {**getattr(self, k), **self.quick.get(k, {})} for k in ("data", "arch", "own")
        }
        return replace(
            self,
            name=f"{self.name}-quick",
            fit=replace(self.fit, **self.quick.get("fit", {})),
            calibration=self.quick.get("calibration", self.calibration),
            quick={},
            **changes,
        )


def is_study(path: Path) -> bool:
    """Whether the recipe at `path` is a reference study's."""
    try:
        return "study" in tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return False  # whoever loads it says what is wrong with it


def load(path: Path) -> StudyRecipe:
    """Read a study's recipe. Raises UsageError that names the key that does not fit."""
    table = read_toml(path)
    for key in ("data", "arch", "own", "quick"):
        if not isinstance(table.get(key, {}), dict):
            raise UsageError(f"recipe {path}: [{key}] must be a table")
    quick = table.get("quick", {})
    table["fit"] = build_table(Fit, table.get("fit", {}), "[fit] ", path)
    build_table(Fit, quick.get("fit", {}), "[quick.fit] ", path)
    refuse_unknown(quick, ("data", "arch", "own", "fit", "calibration"), "[quick] ", path)
    recipe = build_table(StudyRecipe, table, "", path)
    if recipe.protocol not in PROTOCOLS:
        raise UsageError(f"recipe {path}: protocol must be one of {', '.join(PROTOCOLS)}")
    if recipe.fit.balance not in ("none", "equal"):
        raise UsageError(f"recipe {path}: [fit] balance must be 'none' or 'equal'")
    return recipe
