"""Generate the C engine of a trained model: `ein_model.{h,c}`, `ein_model_tflite.{h,c}`,
`ein_confidence_table.h`, `ein_golden.h`, and its gate (codegen/gate.py).

`generate()` does so for the shipped model, as part of `python -m einthoven.codegen`; `export()` for
any model folder, as `einthoven export`. Both check that the folder's `.tflite` is the one its
`model.json` describes. A model for another pipeline is generated (or nobody could train the next
one) but the firmware refuses to compile with it; `export` refuses it at once.
"""

import hashlib
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from einthoven.codegen import confidence, gate, golden, pipeline
from einthoven.codegen.confidence import Calibration
from einthoven.codegen.engine import reader
from einthoven.codegen.engine.emit import Description, argument_names, emit, emit_tflite
from einthoven.codegen.engine.graph import Graph
from einthoven.codegen.engine.lower import Goal, lower
from einthoven.codegen.engine.planner import plan
from einthoven.codegen.gate import Gate
from einthoven.errors import ModelError
from einthoven.paths import SHIPPED_MODEL

MODEL = "model.tflite"
SMALL = "generated_small"
"""Folder of `firmware/` for images that have less flash to spare than time: devices."""


@dataclass(frozen=True)
class ModelFolder:
    """A trained model: the `.tflite` and what `model.json` says of it (SPEC section 3)."""

    path: Path
    tflite: bytes
    name: str
    sha256: str
    pipeline_sha256: str
    graph: Graph
    calibration: Calibration
    gate: Gate | None = None
    """What is asked before the model is run; None: it is run for every beat."""


def int8_folder(folder: Path) -> Path:
    """The folder of the int8 model that `folder` means: itself, or what a training's quantization
    put below it. Raises ModelError when there are two to choose from.
    """
    if (folder / MODEL).exists():
        return folder
    found = [folder / kind for kind in ("ptq", "qat") if (folder / kind / MODEL).exists()]
    if len(found) > 1:
        raise ModelError(f"{folder} holds two int8 models: name {found[0]} or {found[1]}")
    return found[0] if found else folder


def load(folder: Path, optimize: Goal = "speed") -> ModelFolder:
    """Read and check a model's folder, or a training's that holds one int8 model.

    Raises ModelError if anything is missing or unfit.
    """
    folder = int8_folder(folder)
    try:
        data = (folder / "model.tflite").read_bytes()
        about: Any = json.loads((folder / "model.json").read_text())
    except OSError as error:
        raise ModelError(
            f"no model in {folder}: {Path(error.filename).name} is missing; "
            "train one (einthoven train) or give another folder"
        ) from error
    except ValueError as error:
        raise ModelError(f"{folder / 'model.json'} is no JSON: train or export it again") from error
    name, sha256, pipeline_sha256 = (
        str(about.get(key)) if isinstance(about, dict) and key in about else ""
        for key in ("name", "sha256", "pipeline_sha256")
    )
    if not name or not _is_sha256(sha256) or not _is_sha256(pipeline_sha256):
        raise ModelError(f"{folder / 'model.json'} lacks name, sha256 or pipeline_sha256")
    if sha256 != hashlib.sha256(data).hexdigest():
        raise ModelError(
            f"{folder / 'model.tflite'} is not the file that its model.json describes "
            "(SHA-256 differs): take both from the same training"
        )
    graph = lower(reader.parse(data), optimize)
    names = argument_names(graph)
    if sorted(names[0]) != ["features", "signal"] or names[1] != ["logits"]:
        raise ModelError(
            f"{folder / 'model.tflite'} has inputs {[t.name for t in graph.inputs]}: a beat model "
            "has one signal [1, 1, length, channels], one features [1, n] and one output"
        )
    parts = Calibration.of(about), gate.of(folder, about)
    return ModelFolder(folder, data, c_safe(name), sha256, pipeline_sha256, graph, *parts)


def files(model: ModelFolder) -> dict[str, str]:
    """File name to text of all that is generated for `model`."""
    description = Description(model.name, model.sha256, model.pipeline_sha256)
    scale = float(model.graph.outputs[0].scale)
    return (
        emit(model.graph, plan(model.graph), description)
        | emit_tflite(model.tflite, model.name)
        | {"ein_confidence_table.h": confidence.table(model.name, scale, model.calibration)}
        | {"ein_golden.h": golden.table(model.graph, model.tflite, model.name)}
        | gate.files(model.gate, model.name)
    )


def generate() -> dict[str, str]:
    """File name to text for `firmware/generated/`, from the shipped model, and for `SMALL` beside
    it the same engine with no weight stored twice. Raises ModelError.
    """
    small = files(load(SHIPPED_MODEL, "size"))
    return files(load(SHIPPED_MODEL)) | {
        f"{SMALL}/{name}": small[name] for name in ("ein_model.h", "ein_model.c")
    }


def export(model_folder: Path, out: Path, optimize: Goal = "speed") -> list[Path]:
    """Write the engine of the model in `model_folder` to the folder `out`; returns what it wrote.

    `optimize` for speed costs a second byte per weight of most convolutions (DSP builds only).

    Raises ModelError when the model cannot be read or was trained for another pipeline than this
    checkout's, and when `out` cannot be written.
    """
    model = load(model_folder, optimize)
    current = pipeline.sha256(pipeline.load())
    if model.pipeline_sha256 != current:
        raise ModelError(
            f"the model '{model.name}' was trained for pipeline {model.pipeline_sha256[:8]}, this "
            f"checkout has {current[:8]}: train it anew, or restore codegen/spec/pipeline.toml"
        )
    written = []
    try:
        out.mkdir(parents=True, exist_ok=True)
        for name, text in files(model).items():
            (out / name).write_text(text)
            written.append(out / name)
    except OSError as error:
        raise ModelError(f"cannot write the engine to {out}: {error.strerror}") from error
    return written


def _is_sha256(text: str) -> bool:
    return len(text) == 64 and all(c in "0123456789abcdef" for c in text)


def c_safe(name: str) -> str:
    """A name that can stand in a C string, a comment and the protocol's text, which is ASCII."""
    return "".join(c if c.isascii() and (c.isalnum() or c in "-_. ") else "_" for c in name)[:64]
