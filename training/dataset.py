"""Data sets: the core's tensors with the reference's labels.

A record goes through the same C core as on a board; the detections it makes are matched to the
reference annotations within 150 ms (EC57's window) and get their literature class as label.
Detections that match nothing have no label and are left out of training.
"""

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from codegen.pipeline import load as load_pipeline
from codegen.pipeline import sha256 as pipeline_sha256
from einthoven.aami import CLASSES, literature_class
from einthoven.core import analyze
from einthoven.errors import RecordError, UsageError
from einthoven.provenance import SAME_PATIENT
from einthoven.records import (
    find_database,
    read_annotations,
    read_record,
    record_names,
    to_board,
)

PIPELINE = load_pipeline()
PIPELINE_SHA256 = pipeline_sha256(PIPELINE)
RATE_HZ = int(PIPELINE["pipeline"]["rate_hz"])
GAIN_LSB_PER_MV = 200
ADC_BITS = 12
MATCH_S = 0.150
SIGNAL_SCALE = 2.0 ** PIPELINE["tensor"]["signal_scale_log2"]
FEATURE_SCALE = 2.0 ** PIPELINE["tensor"]["feature_scale_log2"]
WINDOW = PIPELINE["window"]["before_samples"] + PIPELINE["window"]["after_samples"]
CHANNELS = int(PIPELINE["window"]["channels"])
FEATURES = len(PIPELINE["features"]["names"])


@dataclass(frozen=True)
class Examples:
    """Beats of many records; row i of every array is one detection."""

    signal: NDArray[np.int8]
    """[n, 216, 2], as the core quantized it."""
    features: NDArray[np.int8]
    """[n, F]"""
    label: NDArray[np.int8]
    """[n] index into CLASSES, -1 where no reference beat is within 150 ms."""
    t_samples: NDArray[np.int64]
    """[n] R position at the core's rate."""
    record: NDArray[np.str_]
    """[n] database/record."""
    patient: NDArray[np.str_]
    """[n] database/record of the patient's first record."""
    main: NDArray[np.bool_]
    """[n] whether it is the record's main lead (MLII, else the first ECG signal)."""

    def __len__(self) -> int:
        return len(self.label)

    def where(self, rows: NDArray[Any]) -> "Examples":
        """The chosen rows (mask or indices)."""
        return Examples(*(getattr(self, f)[rows] for f in self.__dataclass_fields__))

    @classmethod
    def join(cls, parts: Sequence["Examples"]) -> "Examples":
        """Several sets behind one another."""
        columns = cls.__dataclass_fields__
        return cls(*(np.concatenate([getattr(p, f) for p in parts]) for f in columns))

    def counts(self) -> dict[str, int]:
        """Beats per class name, labelled ones only."""
        return {name: int(np.sum(self.label == i)) for i, name in enumerate(CLASSES)}

    def digest(self) -> str:
        """SHA-256 over everything, hex: what a model was trained on."""
        total = hashlib.sha256()
        for field in self.__dataclass_fields__:
            total.update(np.ascontiguousarray(getattr(self, field)).tobytes())
        return total.hexdigest()


def reference_counts(folder: Path, names: Iterable[str]) -> dict[str, int]:
    """Beats per literature class in the reference annotations of the records."""
    counts = dict.fromkeys(CLASSES, 0)
    for name in names:
        for symbol in read_annotations(folder, name).symbols:
            found = literature_class(symbol)
            if found is not None:
                counts[found] += 1
    return counts


def match(
    reference_s: NDArray[np.float64], test_s: NDArray[np.float64], window_s: float = MATCH_S
) -> NDArray[np.int64]:
    """Index of the reference beat of each test beat, or -1: mutually nearest and within `window_s`.

    Times in seconds, both ascending.
    """
    if len(reference_s) == 0 or len(test_s) == 0:
        return np.full(len(test_s), -1, dtype=np.int64)
    to_reference = _nearest(reference_s, test_s)
    back = _nearest(test_s, reference_s)[to_reference]
    apart = np.abs(reference_s[to_reference] - test_s)
    good = (back == np.arange(len(test_s))) & (apart <= window_s)
    return np.where(good, to_reference, -1)


def _nearest(sorted_s: NDArray[np.float64], query_s: NDArray[np.float64]) -> NDArray[np.int64]:
    right = np.clip(np.searchsorted(sorted_s, query_s), 1, max(1, len(sorted_s) - 1))
    right = np.minimum(right, len(sorted_s) - 1)
    left = np.maximum(right - 1, 0)
    nearer_left = np.abs(sorted_s[left] - query_s) <= np.abs(sorted_s[right] - query_s)
    return np.where(nearer_left, left, right).astype(np.int64)


def load_record(
    folder: Path, name: str, db: str, lead: str | None = None, main: bool = True
) -> Examples:
    """One lead of one record through the core. Raises RecordError."""
    record = read_record(folder, name, lead)
    beats = analyze(to_board(record, RATE_HZ, GAIN_LSB_PER_MV, ADC_BITS), GAIN_LSB_PER_MV)
    annotations = read_annotations(folder, name)
    classes = [literature_class(s) for s in annotations.symbols]
    is_beat = np.array([c is not None for c in classes], dtype=bool)
    index = np.array([CLASSES.index(c) for c in classes if c is not None], dtype=np.int8)
    t_samples = beats.t_samples.astype(np.int64)
    found = match(annotations.samples[is_beat] / record.rate_hz, t_samples / RATE_HZ)
    label = np.full(len(t_samples), -1, dtype=np.int8)
    label[found >= 0] = index[found[found >= 0]]
    full = f"{db}/{name}"
    return Examples(
        signal=beats.signal,
        features=beats.features,
        label=label,
        t_samples=t_samples,
        record=np.full(len(label), full),
        patient=np.full(len(label), SAME_PATIENT.get(full, full)),
        main=np.full(len(label), main),
    )


def load(sources: Sequence[dict[str, Any]], data: Path | None = None) -> Examples:
    """All records of a recipe's `[[data]]` tables: `db`, `records`, `leads`.

    `leads` is "main" (MLII, else the first ECG signal) or "both": each signal of a record
    becomes a record of its own, of the same patient. Raises RecordError, UsageError.
    """
    parts = []
    for source in sources:
        unknown = sorted(source.keys() - {"db", "records", "leads"})
        if unknown:
            raise UsageError(f"recipe: [[data]] has no key '{unknown[0]}'; remove it")
        db = source["db"]
        folder = find_database(data, db)
        for name in record_names(folder, source.get("records", "all")):
            parts.append(load_record(folder, name, db))
            for lead in _other_leads(folder, name, source.get("leads", "main")):
                parts.append(load_record(folder, name, db, lead, main=False))
    if not parts:
        raise RecordError("recipe: no [[data]] table names a record")
    return Examples.join(parts)


def _other_leads(folder: Path, name: str, which: str) -> list[str]:
    if which == "main":
        return []
    if which == "both":
        main = read_record(folder, name).lead
        return [lead for lead in lead_names(folder, name) if lead != main]
    raise UsageError(f"recipe: leads = '{which}' is neither 'main' nor 'both'")


def lead_names(folder: Path, name: str) -> list[str]:
    """Names of a record's signals, as its header has them."""
    lines = (folder / f"{name}.hea").read_text(encoding="utf-8", errors="replace").splitlines()
    signals = [s for s in lines if s.strip() and not s.startswith("#")][1:]
    return [s.split(maxsplit=8)[8].strip() for s in signals]
