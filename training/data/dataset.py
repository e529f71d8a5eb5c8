"""Data sets: the core's tensors with the reference's labels.

A record goes through the same C core as on a board; the detections it makes are matched to the
reference annotations within 150 ms (EC57's window) and get their literature class as label.
Detections that match nothing have no label. For training there can be more views of a record than
its main lead: see `VIEWS`.
"""

import hashlib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from einthoven.aami import CLASSES, literature_class
from einthoven.codegen.pipeline import load as load_pipeline
from einthoven.codegen.pipeline import sha256 as pipeline_sha256
from einthoven.errors import RecordError
from einthoven.native.core import analyze
from einthoven.paths import GENERATED
from einthoven.provenance import SAME_PATIENT
from einthoven.records.adc import to_board
from einthoven.records.annotations import Annotations, read_annotations
from einthoven.records.database import record_names
from einthoven.records.download import find_database
from einthoven.records.header import read_header
from einthoven.records.record import Record, read_record
from einthoven.training.data.views import Counts, NoiseMixer, combined
from einthoven.training.recipe import Views

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
VIEWS = ("main", "other", "combined", "noisy")
"""Main lead (MLII, else the first ECG signal), the record's other leads, sums of two of its leads,
and a lead with noise mixed in. Scores are of main leads only."""


@dataclass(frozen=True)
class Examples:
    """Beats of many records; row i of every array is one detection."""

    signal: NDArray[np.int8]
    """[n, 216, 3], as the core quantized it."""
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
    view: NDArray[np.int8]
    """[n] index into VIEWS."""
    slot: NDArray[np.uint8]
    """[n] `core.Beats.slot`, and"""
    slot_beats: NDArray[np.uint16]
    """[n] `core.Beats.slot_beats`, for the vote that follows the model."""

    @property
    def main(self) -> NDArray[np.bool_]:
        """[n] whether it was detected in the record's main lead as it stands."""
        main: NDArray[np.bool_] = self.view == 0
        return main

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
        """SHA-256 over all but the slots, hex: what a model was trained on."""
        total = hashlib.sha256()
        for field in self.__dataclass_fields__:
            if not field.startswith("slot"):
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


def load_record(folder: Path, name: str, db: str, lead: str | None = None) -> Examples:
    """One lead (default: the main one) of one record through the core. Raises RecordError."""
    source = _Source.read(folder, name, db)
    return source.examples(source.counts(lead), "main" if lead is None else "other")


@dataclass(frozen=True)
class _Source:
    """A record, its reference, and its leads as the board samples them."""

    folder: Path
    db: str
    main: Record
    annotations: Annotations
    generated: Path = GENERATED

    @classmethod
    def read(cls, folder: Path, name: str, db: str, generated: Path = GENERATED) -> "_Source":
        record, annotations = read_record(folder, name), read_annotations(folder, name)
        return cls(folder, db, record, annotations, generated)

    def counts(self, lead: str | None = None) -> NDArray[np.int16]:
        record = self.main if lead is None else read_record(self.folder, self.main.name, lead)
        return to_board(record, RATE_HZ, GAIN_LSB_PER_MV, ADC_BITS)

    def other_leads(self) -> list[str]:
        leads: list[str] = read_header(self.folder, self.main.name).sig_name
        return [lead for lead in leads if lead != self.main.lead]

    def beats(self) -> tuple[NDArray[np.float64], NDArray[np.int8]]:
        """Times in seconds and classes (index into CLASSES) of the reference beats."""
        classes = [literature_class(s) for s in self.annotations.symbols]
        is_beat = np.array([c is not None for c in classes], dtype=bool)
        index = np.array([CLASSES.index(c) for c in classes if c is not None], dtype=np.int8)
        return self.annotations.times_s(self.main.rate_hz)[is_beat], index

    def examples(self, counts: NDArray[np.int16], view: str) -> Examples:
        beats = analyze(counts, GAIN_LSB_PER_MV, generated=self.generated)
        t_samples = beats.t_samples.astype(np.int64)
        reference_s, index = self.beats()
        found = match(reference_s, t_samples / RATE_HZ)
        label = np.full(len(t_samples), -1, dtype=np.int8)
        label[found >= 0] = index[found[found >= 0]]
        full = f"{self.db}/{self.main.name}"
        return Examples(
            signal=beats.signal,
            features=beats.features,
            label=label,
            t_samples=t_samples,
            record=np.full(len(label), full),
            patient=np.full(len(label), SAME_PATIENT.get(full, full)),
            view=np.full(len(label), VIEWS.index(view), dtype=np.int8),
            slot=beats.slot,
            slot_beats=beats.slot_beats,
        )

    def further(self, views: Views, mixer: NoiseMixer | None) -> Iterator[Examples]:
        """Combined and noisy views, the same for a record wherever it stands in a recipe."""
        seed = int.from_bytes(hashlib.sha256(f"{self.db}/{self.main.name}".encode()).digest()[:8])
        rng = np.random.default_rng(seed)
        leads = [self.counts(lead).astype(np.float64) for lead in (None, *self.other_leads())]
        for _ in range(views.combined if len(leads) > 1 else 0):
            other = leads[rng.integers(1, len(leads))]
            yield self.examples(_clipped(combined(leads[0], other, rng)), "combined")
        if mixer is None:
            return
        at = np.rint(self.beats()[0] * RATE_HZ).astype(np.int64)
        for _ in range(views.noisy):
            lead = leads[rng.integers(len(leads))]
            yield self.examples(_clipped(mixer.noisy(lead, at, rng)), "noisy")


def _clipped(counts: Counts) -> NDArray[np.int16]:
    top = 1 << (ADC_BITS - 1)
    return np.clip(np.rint(counts), -top, top - 1).astype(np.int16)


def load(
    sources: Sequence[dict[str, Any]],
    data: Path | None = None,
    views: Views | None = None,
    generated: Path = GENERATED,
) -> Examples:
    """All records of a recipe's `[[data]]` tables: `db`, `records`, `leads`.

    `leads` is "main" (MLII, else the first ECG signal) or "both": each signal of a record
    becomes a record of its own, of the same patient. `views`: what more is made of each record;
    `generated`: a folder with another `ein_pipeline.h`, to try other constants.
    Raises RecordError, UsageError.
    """
    mixer = None
    if views is not None and views.noisy > 0:
        mixer = NoiseMixer(find_database(data, "nstdb"), views.snr_db, RATE_HZ)
    parts = []
    for table in sources:
        both = table.get("leads", "main") == "both"
        folder = find_database(data, table["db"])
        for name in record_names(folder, table.get("records", "all")):
            source = _Source.read(folder, name, table["db"], generated)
            parts.append(source.examples(source.counts(), "main"))
            for lead in source.other_leads() if both else []:
                parts.append(source.examples(source.counts(lead), "other"))
            if views is not None:
                parts.extend(source.further(views, mixer))
    if not parts:
        raise RecordError("recipe: no [[data]] table names a record")
    return Examples.join(parts)
