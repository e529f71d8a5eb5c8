"""Score a model over whole records: the core's own detections, EC57's rules, float beside int8.

int8 is computed by the engine that is generated from the model's file, as on a board. Float needs
TensorFlow and a finished training's folder.
"""

import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from codegen.model import export
from einthoven import ec57
from einthoven.aami import CLASSES
from einthoven.annotations import Annotations
from einthoven.core import analyze
from einthoven.ec57_text import beat_table
from einthoven.engine import HostModel
from einthoven.errors import ModelError
from einthoven.records import (
    board_to_record_time,
    find_database,
    read_annotations,
    read_record,
    record_names,
    to_board,
)
from training.dataset import ADC_BITS, GAIN_LSB_PER_MV, RATE_HZ
from training.recipe import load as load_recipe
from training.train import FLOAT_MODEL

Infer = Callable[[NDArray[np.int8], NDArray[np.int8]], NDArray[Any]]

AF_RECORDS = ("202", "210", "219", "221", "222")
"""DS2's records with atrial fibrillation or flutter, which cost S its precision."""


@dataclass(frozen=True)
class Variant:
    """One arithmetic of a model over the records."""

    name: str
    """float, ptq, qat or int8"""
    whole: dict[str, ec57.Comparison]
    ec57: dict[str, ec57.Comparison]
    """Record to scores: over the whole record, and without its first five minutes."""
    classes: NDArray[np.int64]
    """[n] class index of every detection of all records."""


@dataclass(frozen=True)
class Evaluation:
    """Scores of a model's variants over the same records."""

    records: tuple[str, ...]
    variants: tuple[Variant, ...]

    def to_dict(self) -> dict[str, Any]:
        """For JSON: per variant gross and per record, both protocols, both label mappings."""
        return {
            "records": list(self.records),
            "variants": {v.name: self._variant(v) for v in self.variants},
            "agreement": {
                f"{v.name}_vs_{self.variants[0].name}": float(
                    np.mean(v.classes == self.variants[0].classes)
                )
                for v in self.variants[1:]
            },
        }

    def _variant(self, variant: Variant) -> dict[str, Any]:
        table: dict[str, Any] = {"literature": {}}
        for protocol, scores in (("whole", variant.whole), ("ec57", variant.ec57)):
            table[protocol] = {
                "gross": ec57.gross(scores.values()).to_dict(),
                "records": [{"record": r, **s.to_dict()} for r, s in scores.items()],
            }
            table["literature"][protocol] = literature(list(scores.values()))
        table["literature"]["whole_without_232"] = literature(
            [s for r, s in variant.whole.items() if r != "232"]
        )
        table["literature"]["whole_without_232_and_af"] = literature(
            [s for r, s in variant.whole.items() if r not in ("232", *AF_RECORDS)]
        )
        table["intervals_95"] = intervals(list(variant.whole.values()))
        return table

    def text(self, detail: str | None = None) -> str:
        """Tables to read: F1 by class side by side, then EC57's lines of one variant.

        `detail` names it; default the last.
        """
        lines = [
            f"{len(self.records)} records, own detections, literature mapping "
            "(Se/+P/F1 in %; e, j are N)",
            f"{'':24}" + "".join(f"{name:>21}" for name in ("N", "S", "V")) + f"{'macro-F1':>10}",
        ]
        for variant in self.variants:
            for label, table in self._variant(variant)["literature"].items():
                cells = "".join(_cell(table[name]) for name in ("N", "S", "V"))
                lines.append(f"{variant.name + ' ' + label:24}{cells}{table['macro_f1']:10.3f}")
        last = next((v for v in self.variants if v.name == detail), self.variants[-1])
        spans = self._variant(last)["intervals_95"]
        cells = ", ".join(f"{name} {low:.3f}–{high:.3f}" for name, (low, high) in spans.items())
        lines.append(f"{last.name}, F1 over whole records, 95 % by resampling records: {cells}")
        for pair, share in self.to_dict()["agreement"].items():
            lines.append(f"{pair}: same class on {100 * share:.2f} % of detections")
        lines += ["", f"{last.name}, EC57 (first five minutes not scored):"]
        lines.append(beat_table(list(last.ec57.items())))
        return "\n".join(lines)


def _cell(rate: dict[str, Any]) -> str:
    values = (rate["se"], rate["ppv"], rate["f1"])
    return "  " + "/".join("   –" if v is None else f"{100 * v:5.1f}" for v in values).rjust(19)


def literature(scores: Sequence[ec57.Scores]) -> dict[str, Any]:
    """Se, +P and F1 of N, S, V, F by the literature's mapping, and macro-F1 over N, S, V.

    A beat that was missed counts against its class, a false detection against the class that
    it was given.
    """
    total = ec57.gross(scores)
    rates = {name: total.literature_rate(name).to_dict() for name in ("N", "S", "V", "F")}
    macro = float(np.mean([rates[name]["f1"] or 0.0 for name in ("N", "S", "V")]))
    return {**rates, "macro_f1": macro}


def intervals(scores: Sequence[ec57.Scores], draws: int = 2000) -> dict[str, tuple[float, float]]:
    """95 % intervals of the F1 of N, S, V and of their mean, by resampling records (seeded).

    Records and not beats, since the beats of a patient are alike.
    """
    tables = np.stack([s.literature for s in scores])
    rng = np.random.default_rng(1)
    drawn = tables[rng.integers(0, len(tables), (draws, len(tables)))].sum(axis=1)
    hits = np.diagonal(drawn, axis1=1, axis2=2)
    total = drawn.sum(axis=1) + drawn.sum(axis=2)
    f1 = np.divide(2.0 * hits, total, out=np.zeros(hits.shape), where=total > 0)[:, :3]
    columns = {"N": f1[:, 0], "S": f1[:, 1], "V": f1[:, 2], "macro-F1": f1.mean(axis=1)}
    return {
        name: (float(np.quantile(values, 0.025)), float(np.quantile(values, 0.975)))
        for name, values in columns.items()
    }


def evaluate(
    folder: Path, db: str = "mitdb", records: str = "ds2", data: Path | None = None
) -> Evaluation:
    """Score a training's folder (float, ptq, qat: what is there) or a model folder (int8).

    Raises ModelError when there is no model, RecordError.
    """
    models = _models(folder)
    database = find_database(data, db, records)
    names = record_names(database, records)
    whole: dict[str, dict[str, ec57.Comparison]] = {m: {} for m in models}
    scored: dict[str, dict[str, ec57.Comparison]] = {m: {} for m in models}
    classes: dict[str, list[NDArray[np.int64]]] = {m: [] for m in models}
    for name in names:
        record = read_record(database, name)
        reference = read_annotations(database, name)
        beats = analyze(to_board(record, RATE_HZ, GAIN_LSB_PER_MV, ADC_BITS), GAIN_LSB_PER_MV)
        times = board_to_record_time(beats.t_samples, record, RATE_HZ)
        for model, infer in models.items():
            found = infer(beats.signal, beats.features).argmax(axis=1)
            classes[model].append(found)
            test = Annotations.of(times, [CLASSES[i] for i in found], record.rate_hz)
            arguments = (reference, test, record.rate_hz, record.n_samples)
            whole[model][name] = ec57.compare(*arguments, start_s=0.0)
            scored[model][name] = ec57.compare(*arguments)
    return Evaluation(
        tuple(names),
        tuple(Variant(m, whole[m], scored[m], np.concatenate(classes[m])) for m in models),
    )


def _models(folder: Path) -> dict[str, Infer]:
    found: dict[str, Infer] = {}
    if (folder / FLOAT_MODEL).exists():
        found["float"] = _float(folder)
    for name, place in (("ptq", folder / "ptq"), ("qat", folder / "qat"), ("int8", folder)):
        if (place / "model.tflite").exists():
            found[name] = _int8(place)
    if not found:
        raise ModelError(f"{folder} holds no model: neither {FLOAT_MODEL} nor model.tflite")
    return found


def _int8(folder: Path) -> Infer:
    with tempfile.TemporaryDirectory() as scratch:
        export(folder, Path(scratch))
        return HostModel(Path(scratch)).infer


def _float(folder: Path) -> Infer:
    from training.quantize import load_float
    from training.sampling import real_inputs

    model = load_float(folder, load_recipe(folder / "recipe.toml"))

    def infer(signal: NDArray[np.int8], features: NDArray[np.int8]) -> NDArray[Any]:
        logits: NDArray[Any] = model.predict(
            list(real_inputs(signal, features)), batch_size=2048, verbose=0
        )
        return logits

    return infer
