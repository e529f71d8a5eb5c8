"""The gate's generator: what it makes, what it refuses, and the same bits on every target."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from einthoven.codegen import gate
from einthoven.codegen.engine import reader
from einthoven.codegen.engine.lower import lower
from einthoven.codegen.testing import bare_target
from einthoven.codegen.testing.random_models import noise
from einthoven.errors import ModelError
from einthoven.native.tflm import run_tflm
from einthoven.paths import SHIPPED_MODEL

TFLITE = SHIPPED_MODEL / gate.TFLITE
MOST_INSTRUCTIONS = {"m4": 3000, "m4-portable": 9000, "rv32": 9000}
"""A score's, so that it stays a small part of the network's."""


def about(**changes: Any) -> dict[str, Any]:
    entry = json.loads((SHIPPED_MODEL / "model.json").read_text())["gate"]
    return {"gate": {**entry, **changes}}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / gate.TFLITE).write_bytes(TFLITE.read_bytes())
    return tmp_path


def test_a_model_has_one_or_none(folder: Path) -> None:
    found = gate.of(folder, about())
    assert found is not None
    assert f"#define EIN_GATE_MOST ({found.most})" in gate.files(found, "m")["ein_gate_table.h"]
    assert gate.of(folder, {}) is None
    assert "#define EIN_GATE 0" in gate.files(None, "m")["ein_gate_table.h"]
    assert gate.files(None, "m").keys() == gate.files(found, "m").keys()


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"sha256": "0" * 64}, "SHA-256 differs"),
        ({"most": 128}, "out of range"),
        ({"most": "many"}, "gate is damaged"),
        ({"logits": [1, 2, 3]}, "out of range"),
        ({"logits": [0, 1, 0, 0, 0]}, "out of range"),
        ({"logits": None}, "gate is damaged"),
    ],
)
def test_an_entry_that_makes_no_sense(folder: Path, changes: dict[str, Any], said: str) -> None:
    with pytest.raises(ModelError, match=f"{said}.*fit it again"):
        gate.of(folder, about(**changes))


def test_a_file_that_is_missing(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="take both from the same training"):
        gate.of(tmp_path, about())


@pytest.mark.parametrize("target", sorted(MOST_INSTRUCTIONS))
def test_scores_are_tflite_micros_on_every_target(target: str, tmp_path: Path) -> None:
    data = TFLITE.read_bytes()
    graph = lower(reader.parse(data))
    inputs = [noise((t.length, t.channels), 12, seed=4) for t in graph.inputs]
    found = bare_target.run(graph, inputs, target, tmp_path)
    (expected,) = run_tflm(data, [np.asarray(inputs[0]).reshape(12, -1)], 1)
    assert (found.outputs == expected).all()
    assert max(found.instructions) <= MOST_INSTRUCTIONS[target]
