"""Score a model over whole records: the core's own detections, EC57's rules, float beside int8.

int8 is computed by the engine that is generated from the model's file, as on a board. Float needs
TensorFlow and a finished training's folder.
"""

import tempfile
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from einthoven.aami import CLASSES
from einthoven.codegen.confidence import VOTE_LIMIT
from einthoven.codegen.model import export
from einthoven.components.words import number
from einthoven.errors import ModelError
from einthoven.native import core
from einthoven.native.confidence import Confidence
from einthoven.native.engine import HostModel
from einthoven.native.vote import Vote
from einthoven.records.adc import board_to_record_time, to_board
from einthoven.records.annotations import Annotations, at_rate, read_annotations
from einthoven.records.database import record_names
from einthoven.records.download import find_database
from einthoven.records.record import Record, read_record
from einthoven.scoring import reliability, rhythm
from einthoven.scoring.comparison import Comparison, compare, gross
from einthoven.scoring.runs import RunScores, compare_runs
from einthoven.scoring.score import learning_note, start_times
from einthoven.scoring.text import beat_table, literature_table, run_table
from einthoven.training.data.dataset import ADC_BITS, GAIN_LSB_PER_MV, RATE_HZ
from einthoven.training.model import scorecard
from einthoven.training.model.train import FLOAT_MODEL
from einthoven.training.recipe import load as load_recipe

__all__ = ["Evaluation", "Findings", "Variant", "evaluate", "float_beside", "float_network"]

Infer = Callable[[NDArray[np.int8], NDArray[np.int8]], NDArray[Any]]


@dataclass(frozen=True)
class Findings:
    """What an int8 model says of one record beyond its scores."""

    times_s: NDArray[np.float64]
    """[n] R positions of the detections."""
    labels: tuple[str, ...]
    """[n] their classes."""
    confidence: NDArray[np.uint8]
    """[n] in 1/255."""
    unsure: NDArray[np.bool_]
    judged: NDArray[np.int64]
    """[m] indices of the detections that whole-record scoring counts."""
    wrong: NDArray[np.bool_]
    """[m] whether the class of each of these is wrong, or there is no beat."""
    ventricular_runs: RunScores
    supraventricular_runs: RunScores
    rhythm: dict[str, Any]
    """`rhythm.to_dict` of the comparison with the reference."""

    @property
    def reliability(self) -> reliability.Counts:
        """Right and wrong detections by confidence."""
        confidence, unsure = self.confidence[self.judged], self.unsure[self.judged]
        return reliability.count(confidence, unsure, self.wrong)


@dataclass
class Variant:
    """One arithmetic of a model over the records."""

    name: str
    """float, ptq, qat or int8"""
    whole: dict[str, Comparison] = field(default_factory=dict)
    ec57: dict[str, Comparison] = field(default_factory=dict)
    """Record to scores: over the whole record, and without its first five minutes."""
    classes: dict[str, NDArray[np.int64]] = field(default_factory=dict)
    """Record to [n] class index of every detection."""
    findings: dict[str, Findings] = field(default_factory=dict)
    """Record to the rest; empty for float, which has no confidence."""


@dataclass(frozen=True)
class Evaluation:
    """Scores of a model's variants over the same records."""

    records: tuple[str, ...]
    variants: tuple[Variant, ...]

    def agreement(self) -> dict[str, float]:
        """Share of detections on which a variant gives the first one's class."""
        first, *others = ({r: v.classes[r] for r in self.records} for v in self.variants)
        same = [
            np.concatenate([other[r] == first[r] for r in self.records]).mean() for other in others
        ]
        return {
            f"{v.name}_vs_{self.variants[0].name}": float(share)
            for v, share in zip(self.variants[1:], same, strict=True)
        }

    def to_dict(self) -> dict[str, Any]:
        """For JSON: per variant gross and per record, both protocols, both label mappings."""
        return {
            "records": list(self.records),
            "variants": {v.name: self._variant(v) for v in self.variants},
            "agreement": self.agreement(),
        }

    def _variant(self, variant: Variant) -> dict[str, Any]:
        table: dict[str, Any] = {"literature": scorecard.ways(variant.whole, variant.ec57)}
        for protocol, scores in (("whole", variant.whole), ("ec57", variant.ec57)):
            table[protocol] = {
                "gross": gross(scores.values()).to_dict(),
                "records": [{"record": r, **s.to_dict()} for r, s in scores.items()],
            }
        table["intervals_95"] = scorecard.intervals(list(variant.whole.values()))
        if variant.findings:
            findings = variant.findings.values()
            counts = sum((f.reliability for f in findings), np.zeros(reliability.SHAPE, np.int64))
            table["confidence"] = reliability.summary(counts)
            totals = rhythm.total(f.rhythm for f in findings)
            table["rhythm"] = {kind: rate.to_dict() for kind, rate in totals.items()}
        return table

    def text(self, detail: str | None = None) -> str:
        """Tables to read: F1 by class side by side, then EC57's lines of one variant.

        `detail` names it; default the last.
        """
        lines = [
            f"{number(len(self.records), 'record')}, own detections, literature mapping "
            "(Se/+P/F1 in %; e, j are N)",
            f"{'':30}" + "".join(f"{name:>21}" for name in ("N", "S", "V")) + f"{'macro-F1':>10}",
        ]
        for variant in self.variants:
            for label, table in scorecard.ways(variant.whole, variant.ec57).items():
                cells = "".join(
                    "  " + scorecard.rate_cell(table[name]).rjust(19) for name in ("N", "S", "V")
                )
                lines.append(
                    f"{variant.name + ' ' + label:30}{cells}"
                    f"{scorecard.f1_text(table['macro_f1']):>10}"
                )
        absent = scorecard.absent(list(self.variants[-1].whole.values()))
        if absent:
            lines.append(f"left out of macro-F1, since the reference has none: {', '.join(absent)}")
        last = next((v for v in self.variants if v.name == detail), self.variants[-1])
        spans = scorecard.intervals(list(last.whole.values()))
        cells = ", ".join(f"{name} {low:.3f}–{high:.3f}" for name, (low, high) in spans.items())
        lines.append(f"{last.name}, F1 over whole records, 95 % by resampling records: {cells}")
        for pair, share in self.agreement().items():
            lines.append(f"{pair}: same class on {100 * share:.2f} % of detections")
        note = learning_note({name: scores.start_s for name, scores in last.ec57.items()})
        lines += ["", f"{last.name}, EC57 ({note}):"]
        lines.append(beat_table(list(last.ec57.items())))
        lines += [f"{last.name}, whole records, classes as the literature maps them:"]
        lines.append(literature_table(gross(last.whole.values())))
        return "\n".join([*lines, *self._findings_text(last)])

    def _findings_text(self, variant: Variant) -> list[str]:
        if not variant.findings:
            return []
        found = variant.findings
        lines = [f"{variant.name}, EC57, ventricular runs:"]
        lines.append(run_table([(r, f.ventricular_runs) for r, f in found.items()]))
        lines.append(f"{variant.name}, EC57, supraventricular runs:")
        runs = [(r, f.supraventricular_runs) for r, f in found.items()]
        lines.append(run_table(runs, supraventricular=True))
        table = self._variant(variant)
        parts = []
        for name in ("sure", "unsure"):
            part = table["confidence"][name]
            parts.append(f"{part['wrong']:,} of {part['beats']:,} {name} ones")
        lines.append(f"{variant.name}, confidence: wrong are {' and '.join(parts)}")
        lines.append(f"{variant.name}, rhythm events: reference's found, missed, invented")
        for kind, rate in table["rhythm"].items():
            lines.append(f"{kind:>26} {rate['tp']:6d} {rate['fn']:6d} {rate['fp']:6d}")
        return lines


def evaluate(
    folder: Path, db: str = "mitdb", records: str = "ds2", data: Path | None = None
) -> Evaluation:
    """Score a training's folder (float, ptq, qat: what is there) or a model folder (int8).

    Raises ModelError when there is no model, RecordError.
    """
    models = _models(folder)
    database = find_database(data, db, records)
    names = record_names(database, records)
    variants = {name: Variant(name) for name in models}
    for name in names:
        record = read_record(database, name)
        reference = at_rate(read_annotations(database, name), record.rate_hz)
        samples = to_board(record, RATE_HZ, GAIN_LSB_PER_MV, ADC_BITS)
        beats = core.analyze(samples, GAIN_LSB_PER_MV)
        times = board_to_record_time(beats.t_samples, record, RATE_HZ)
        for variant, model in models.items():
            logits = model.answer(beats)
            into = variants[variant]
            found = logits.argmax(axis=1)
            into.classes[name] = found
            test = Annotations.of(times, [CLASSES[i] for i in found], record.rate_hz)
            arguments = (reference, test, record.rate_hz, record.n_samples)
            starts = start_times(record.rate_hz, record.n_samples)
            into.whole[name] = compare(*arguments, start_s=starts["whole"])
            into.ec57[name] = compare(*arguments, start_s=starts["ec57"])
            if model.confidence is not None:
                certainty = model.confidence.of(logits, beats.flags)
                into.findings[name] = _findings(
                    record, reference, test, into.whole[name], certainty, beats.flags
                )
    return Evaluation(tuple(names), tuple(variants.values()))


def _findings(
    record: Record,
    reference: Annotations,
    test: Annotations,
    whole: Comparison,
    certainty: tuple[NDArray[np.uint8], NDArray[np.bool_]],
    flags: NDArray[np.uint16],
) -> Findings:
    labels = test.symbols.tolist()
    times_s = test.samples / record.rate_hz
    judged, wrong = reliability.judge(whole, reference, labels)
    sequence = rhythm.BeatSequence(times_s, labels, (flags & core.FLAG_BREAK) != 0)
    events = rhythm.compare(rhythm.of_reference(reference, record.rate_hz), sequence)
    both = (reference, test, record.rate_hz, record.n_samples)
    start_s = start_times(record.rate_hz, record.n_samples)["ec57"]
    return Findings(
        times_s=times_s,
        labels=tuple(labels),
        confidence=certainty[0],
        unsure=certainty[1],
        judged=judged,
        wrong=wrong,
        ventricular_runs=compare_runs(*both, "V", start_s),
        supraventricular_runs=compare_runs(*both, "S", start_s),
        rhythm=rhythm.to_dict(events),
    )


@dataclass(frozen=True)
class _Model:
    infer: Infer
    vote: Callable[[NDArray[Any], core.Beats], NDArray[Any]]
    confidence: Confidence | None = None

    def answer(self, beats: core.Beats) -> NDArray[Any]:
        """[n, 5] logits of a record's beats, with their kinds' vote."""
        return self.vote(self.infer(beats.signal, beats.features), beats)


def _models(folder: Path) -> dict[str, _Model]:
    found: dict[str, _Model] = {}
    if (folder / FLOAT_MODEL).exists():
        found["float"] = _Model(float_network(folder), partial(Vote().of_float, limit=VOTE_LIMIT))
    for name, place in (("ptq", folder / "ptq"), ("qat", folder / "qat"), ("int8", folder)):
        if (place / "model.tflite").exists():
            found[name] = _int8(place)
    if not found:
        raise ModelError(f"{folder} holds no model: neither {FLOAT_MODEL} nor model.tflite")
    return found


def _int8(folder: Path) -> _Model:
    with tempfile.TemporaryDirectory() as scratch:
        place = Path(scratch)
        export(folder, place)
        return _Model(HostModel(place).infer, Vote(place).of, Confidence(place))


def float_beside(model: Path) -> Path | None:
    """The training's folder that holds the float network of an int8 model's folder, if any."""
    for folder in (model, model.resolve().parent):
        if (folder / FLOAT_MODEL).exists() and (folder / "recipe.toml").exists():
            return folder
    return None


def float_network(folder: Path) -> Infer:
    """The float network of a finished training: the core's tensors to logits. Needs TensorFlow."""
    from einthoven.training.data.sampling import real_inputs
    from einthoven.training.model.quantize import load_float

    model = load_float(folder, load_recipe(folder / "recipe.toml"))

    def infer(signal: NDArray[np.int8], features: NDArray[np.int8]) -> NDArray[Any]:
        logits: NDArray[Any] = model.predict(
            list(real_inputs(signal, features)), batch_size=2048, verbose=0
        )
        return logits

    return infer
