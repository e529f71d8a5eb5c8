"""Strips of the CinC 2017 Challenge as the device sees them: features, and classes of beats.

What they are: `training.data.strips`. Who was recorded twice is not known, so a person may be on
both sides of a split.
"""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from einthoven.codegen import strip as strip_spec
from einthoven.errors import RecordError
from einthoven.native.confidence import Confidence
from einthoven.native.core import Core, join
from einthoven.native.engine import HostModel
from einthoven.native.strip import Strip
from einthoven.native.vote import Vote
from einthoven.paths import FIRMWARE, GENERATED, cache_dir
from einthoven.records.adc import to_board
from einthoven.scoring.strips import SYMBOLS, read_labels
from einthoven.training.data.dataset import ADC_BITS, GAIN_LSB_PER_MV, RATE_HZ
from einthoven.training.data.strips import read_strip

CLAIMS = ("beats", "called_s", "called_v", "sure_s", "sure_v")
"""Columns of `Strips.before` and `Strips.after`."""
_COLUMNS = ("features", "label", "before", "after", "seconds")


@dataclass(frozen=True)
class Strips:
    """n strips; a row each."""

    names: tuple[str, ...]
    features: NDArray[np.int8]
    """[n, F], of firmware/rhythm/ein_strip_features.c."""
    label: NDArray[np.int64]
    """[n] index into `scoring.strips.SYMBOLS`."""
    before: NDArray[np.int64]
    """[n, 5] beats by `CLAIMS`, as the model, vote and confidence tell them, and"""
    after: NDArray[np.int64]
    """[n, 5] behind the quality gate."""
    seconds: NDArray[np.float64]
    """[n] length."""


class Chain:
    """What a device computes of a recording before trees judge it: core to gate, and features."""

    def __init__(self) -> None:
        """Measures by the spec as it stands, whatever trees are shipped: it asks for none."""
        self.model, self.vote, self.confidence = HostModel(), Vote(), Confidence()
        self.strip = Strip(_blank_table())

    def run(self, samples: NDArray[np.int16]) -> dict[str, Any]:
        """`beats`, `logits`, `confidence`, labels and `unsure` `before` and `after` the gate,
        and the strip's `features`, of a recording as the board samples it."""
        core = Core(GAIN_LSB_PER_MV)
        beats = join([core.push(samples), core.finish()])
        embedding = self.model.embed(beats.signal, beats.features)
        logits = self.vote.of(self.model.head(embedding), beats)
        confidence, unsure = self.confidence.of(logits, beats.flags)
        label = logits.argmax(axis=1)
        after = self.strip.gate(beats.t_samples, label, confidence, unsure, len(samples))
        _, features = self.strip.verdict(
            beats, logits, embedding, *after, core.templates(), len(samples)
        )
        return {
            **{"beats": beats, "logits": logits, "confidence": confidence},
            **{"before": (label, unsure), "after": after, "features": features},
        }


def _blank_table() -> Path:
    folder = cache_dir() / "verdict" / f"blank-{strip_spec.digest()[:24]}"
    header = folder / "ein_strip_table.h"
    if not header.exists():
        folder.mkdir(parents=True, exist_ok=True)
        scratch = folder / "scratch.h.tmp"
        scratch.write_text(strip_spec.blank())
        scratch.replace(header)
    return folder


def load(folder: Path, chain: Chain, progress: Callable[[int, int], None]) -> Strips:
    """All labelled strips of `folder` through the chain; kept in the user's cache.

    Takes about two minutes the first time. Raises RecordError.
    """
    labels = read_labels(folder)
    if not labels:
        raise RecordError(f"{folder} has no REFERENCE-v3.csv: name CinC 2017's folder with --data")
    names = tuple(labels)
    cached = cache_dir() / "verdict" / f"{_digest(labels, chain)}.npz"
    if not cached.exists():
        rows: dict[str, list[Any]] = {column: [] for column in _COLUMNS}
        for i, name in enumerate(names):
            record = read_strip(folder, name)
            samples = to_board(record, RATE_HZ, GAIN_LSB_PER_MV, ADC_BITS)
            found = chain.run(samples)
            rows["features"].append(found["features"])
            rows["label"].append(SYMBOLS.index(labels[name]))
            rows["before"].append(_claims(*found["before"]))
            rows["after"].append(_claims(*found["after"]))
            rows["seconds"].append(len(samples) / RATE_HZ)
            progress(i + 1, len(names))
        cached.parent.mkdir(parents=True, exist_ok=True)
        scratch = cached.with_suffix(".tmp.npz")
        columns: dict[str, Any] = {key: np.array(rows[key]) for key in _COLUMNS}
        np.savez_compressed(scratch, **columns)
        scratch.replace(cached)
    with np.load(cached) as kept:
        return Strips(names, *(kept[column] for column in _COLUMNS))


def _claims(labels: NDArray[Any], unsure: NDArray[np.bool_]) -> list[int]:
    s, v = labels == 1, labels == 2
    return [len(labels), *(int(np.sum(c)) for c in (s, v, s & ~unsure, v & ~unsure))]


def _digest(labels: dict[str, str], chain: Chain) -> str:
    """Of all that features depend on: the C, the spec, the model, the strips' names."""
    total = hashlib.sha256(repr(sorted(labels.items())).encode())
    total.update(strip_spec.digest().encode())
    total.update(chain.model.macros["EIN_MODEL_SHA256"].encode())
    tables = [GENERATED / "ein_pipeline.h", GENERATED / "ein_confidence_table.h"]
    for path in [*sorted((FIRMWARE / "core").glob("ein_*.[ch]")), *tables]:
        total.update(path.read_bytes())
    for path in [*sorted((FIRMWARE / "rhythm").glob("ein_strip_*.[ch]"))]:
        total.update(path.read_bytes())
    for name in ("ein_quality.c", "../app/ein_vote.c", "../app/ein_confidence.c"):
        total.update((FIRMWARE / "rhythm" / name).read_bytes())
    return total.hexdigest()[:24]
