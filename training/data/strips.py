"""Strips of the CinC 2017 Challenge, as they are read and as a network is taught with them.

Source: Clifford et al., AF Classification from a Short Single Lead ECG Recording: the PhysioNet/
Computing in Cardiology Challenge 2017, doi:10.22489/CinC.2017.065-469; records of a hand-held
device, 9 to 61 s, labelled N, A, O or ~ (`REFERENCE-v3.csv`). Nobody has marked their beats. What
is known of them: every beat of a normal strip is N, none of a strip in fibrillation is S, and each
is of the rhythm that its strip is labelled with.

Half of the strips is never taught (`taught`): what is told of them is told of strips unseen.
"""

import zlib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from einthoven.aami import CLASSES
from einthoven.errors import RecordError
from einthoven.native.core import analyze
from einthoven.paths import GENERATED
from einthoven.records.adc import to_board
from einthoven.records.database import locate_database
from einthoven.records.record import Record
from einthoven.scoring.strips import SYMBOLS, read_labels
from einthoven.training.data.dataset import ADC_BITS, GAIN_LSB_PER_MV, RATE_HZ
from einthoven.training.recipe import Recipe

DATABASE = "cinc2017"
PLAYS = 3
"""In a row: the first begins with templates that know nothing, in the last they know the heart."""
SEAM_S = 1.0
"""A beat so near to where one play ends and the next begins may have two halves."""


@dataclass(frozen=True)
class StripBeats:
    """Beats of many strips; row i of every array is one detection."""

    signal: NDArray[np.int8]
    """[n, 216, 3], as the core quantized it."""
    features: NDArray[np.int8]
    """[n, F]"""
    rhythm: NDArray[np.int8]
    """[n] index into `scoring.strips.SYMBOLS`: what its strip is labelled with."""
    strip: NDArray[np.int32]
    """[n] number of its strip."""

    def __len__(self) -> int:
        return len(self.rhythm)

    def where(self, rows: NDArray[Any]) -> "StripBeats":
        """The chosen rows (mask or indices)."""
        return StripBeats(*(getattr(self, f)[rows] for f in self.__dataclass_fields__))


def taught(name: str) -> bool:
    """Whether a strip may be taught; every other one, drawn by a hash of its name, never is."""
    return zlib.crc32(name.encode()) % 2 == 0


def beats_for(recipe: Recipe, data: Path | None = None) -> StripBeats | None:
    """What `recipe` is taught of strips; None if nothing. Raises as `load` does."""
    return load(data) if recipe.strips.share > 0 else None


def load(data: Path | None = None, generated: Path = GENERATED) -> StripBeats:
    """The beats of all strips that may be taught, from their first and their last play.

    Takes about a minute. Raises RecordError, UsageError.
    """
    folder = locate_database(data, DATABASE)
    if folder is None:
        raise RecordError("CinC 2017 is not at hand: name its folder with --data")
    labels = {name: label for name, label in read_labels(folder).items() if taught(name)}
    if not labels:
        raise RecordError(f"{folder} has no REFERENCE-v3.csv: it labels the records")
    parts = [
        _beats(read_strip(folder, name), SYMBOLS.index(label), number, generated)
        for number, (name, label) in enumerate(labels.items())
    ]
    columns = StripBeats.__dataclass_fields__
    return StripBeats(*(np.concatenate([getattr(p, f) for p in parts]) for f in columns))


def _beats(record: Record, rhythm: int, number: int, generated: Path) -> StripBeats:
    once = to_board(record, RATE_HZ, GAIN_LSB_PER_MV, ADC_BITS)
    beats = analyze(np.tile(once, PLAYS), GAIN_LSB_PER_MV, generated=generated)
    play, at = np.divmod(beats.t_samples.astype(np.int64), len(once))
    seam = SEAM_S * RATE_HZ
    whole = ((at >= seam) | (play == 0)) & (at < len(once) - seam)
    rows = whole & ((play == 0) | (play == PLAYS - 1))
    n = int(rows.sum())
    return StripBeats(
        beats.signal[rows],
        beats.features[rows],
        np.full(n, rhythm, dtype=np.int8),
        np.full(n, number, dtype=np.int32),
    )


def labels(beats: StripBeats) -> NDArray[np.int64]:
    """[n] class to be learnt of each beat: N of normal strips and of those in fibrillation, -1 of
    the others, where anything may be."""
    known = beats.rhythm <= SYMBOLS.index("A")
    return np.where(known, CLASSES.index("N"), -1)


def draw_weights(beats: StripBeats, symbol_share: tuple[float, ...]) -> NDArray[np.float64]:
    """Probability of each beat to be drawn: rhythms by their share, the strips of one alike."""
    _, strip, in_strip = np.unique(beats.strip, return_inverse=True, return_counts=True)
    weights = 1.0 / in_strip[strip]
    for rhythm, share in enumerate(symbol_share):
        rows = beats.rhythm == rhythm
        if rows.any():
            weights[rows] *= share / weights[rows].sum()
    total: NDArray[np.float64] = weights / weights.sum()
    return total


def read_strip(folder: Path, name: str) -> Record:
    """A record of the Challenge: one signal of format 16 behind a MATLAB header of 24 bytes.

    Its headers' checksums were never computed; the size is checked. Raises RecordError.
    """
    try:
        lines = (folder / f"{name}.hea").read_text(encoding="ascii").splitlines()
        _, _, rate, n = lines[0].split()[:4]
        file, layout, gain = lines[1].split()[:3]
        if layout != "16+24" or not gain.endswith("/mV"):
            raise ValueError
        samples = np.fromfile(folder / file, dtype="<i2", offset=24).astype(np.int32)
        record = Record(name, "ECG", float(rate), float(gain[:-3]), 0, samples, -(1 << 15))
    except (OSError, ValueError, IndexError):
        raise RecordError(f"record {name} in {folder} is none of CinC 2017's") from None
    if len(samples) != int(n):
        raise RecordError(f"record {name}: {file} holds {len(samples)} of {n} samples")
    return record
