"""Beats of 187 samples at 125 Hz, the input of studies 1 and 3, from records or Kaggle's files.

The study's way: the signal at 125 Hz in 10-s windows, each scaled to [0, 1]; T is the median RR of
the window; a beat is the 1.2 T that follow an R peak, padded with zeros to 187 samples. R peaks are
either the local maxima above 0.9 of the scaled window (`r_peaks = "maxima"`), which is what the
study writes and all that PTB allows, or the reference annotations (`"reference"`), which is what
its published beats must have used: a threshold of 0.9 does not find 109,446 of 109,494 beats.

M. Kachuee, S. Fazeli, M. Sarrafzadeh, "ECG Heartbeat Classification: A Deep Transferable
Representation", 2018, doi:10.1109/ICHI.2018.00092.
"""

from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from einthoven.aami import CLASSES, literature_class
from einthoven.errors import RecordError, UsageError
from einthoven.no_arguments import no_arguments
from einthoven.provenance import patient
from einthoven.records.adc import to_board
from einthoven.records.annotations import read_annotations
from einthoven.records.database import locate_database, record_names
from einthoven.records.download import find_database
from einthoven.records.record import Record, read_record
from einthoven.training.data.dataset import match
from einthoven.training.studies.shared.examples import Floats, Labelled

RATE_HZ = 125
LENGTH = 187
WINDOW = 10 * RATE_HZ
SETTINGS = {"db", "records", "r_peaks"}
INFARCTION_SETTINGS = {"db", "lead", "whole"}
"""Keys of `[data]`."""
PTB_RECORDS = 549
"""Of the PTB Diagnostic ECG Database 1.0.0, https://physionet.org/content/ptbdb/."""
THRESHOLD = 0.9
PERIODS = 1.2


def window_starts(n_samples: int) -> NDArray[np.int64]:
    """First sample of each window: side by side, the last one reaching back over its neighbour.

    A signal shorter than a window is one window.
    """
    starts = np.arange(0, max(1, n_samples - WINDOW + 1), WINDOW)
    if starts[-1] + WINDOW < n_samples:
        starts = np.append(starts, n_samples - WINDOW)
    return starts


def maxima(window: Floats) -> NDArray[np.int64]:
    """R candidates of a scaled window: zero crossings of its first difference, above 0.9.

    Of candidates within 0.2 s, which a notched or noisy R gives, the highest: no heart beats again
    so soon.
    """
    slope = np.diff(window)
    peaks = np.flatnonzero((slope[:-1] > 0) & (slope[1:] <= 0)) + 1
    peaks = peaks[window[peaks] > THRESHOLD]
    kept: list[int] = []
    for peak in peaks[np.argsort(-window[peaks], kind="stable")].tolist():
        if all(abs(peak - other) > RATE_HZ // 5 for other in kept):
            kept.append(peak)
    return np.array(sorted(kept), dtype=np.int64)


def cut_beat(signal: Floats, r: int, period: float) -> Floats | None:
    """[187]: 1.2 `period` samples of `signal` from R, the rest zero; None at the signal's end."""
    n = min(LENGTH, round(PERIODS * period))
    if r + n > len(signal):
        return None
    beat = np.zeros(LENGTH, dtype=np.float32)
    beat[:n] = signal[r : r + n]
    return beat


def record_beats(
    record: Record, r_samples: NDArray[np.int64] | None = None
) -> tuple[Floats, NDArray[np.int64]]:
    """Beats [n, 187] of a record, and their R positions [n] in samples of 125 Hz.

    `r_samples`: the R positions, ascending; None: found as the study does. A beat that ends after
    its window goes on in the next samples, scaled as its window is and cut to [0, 1]; one that ends
    after the record is left out.
    """
    # Microvolts in 16 bits: finer than any of these recorders, and wide enough for their offsets.
    signal = to_board(record, RATE_HZ, 1000, 16).astype(np.float32)
    beats: list[Floats] = []
    at: list[int] = []
    done = 0  # windows overlap at the record's end only
    for start in window_starts(len(signal)).tolist():
        reach = signal[start : start + WINDOW + LENGTH]
        low, high = reach[:WINDOW].min(), reach[:WINDOW].max()
        scaled = np.clip((reach - low) / max(high - low, 1.0), 0, 1)
        if r_samples is None:
            peaks = maxima(scaled[:WINDOW])
        else:
            peaks = r_samples[(r_samples >= start) & (r_samples < start + WINDOW)] - start
        if len(peaks) < 2:
            continue  # a window without two beats has no period
        period = float(np.median(np.diff(peaks)))
        for r in peaks[peaks + start >= done].tolist():
            beat = cut_beat(scaled, r, period)
            if beat is not None:
                beats.append(beat)
                at.append(start + r)
        done = start + WINDOW
    shape = (len(beats), LENGTH)
    return np.array(beats, dtype=np.float32).reshape(shape), np.array(at, dtype=np.int64)


def arrhythmia(settings: dict[str, Any], data: Path | None) -> Labelled:
    """Beats of MIT-BIH with their literature class. `settings` is the recipe's `[data]`:

    `db`, `records` ("all"), `r_peaks` ("reference" or "maxima"), `per_class` (at most so many of a
    class, for `--quick`). The lead is MLII, else the first. Raises RecordError, UsageError.
    """
    db = settings.get("db", "mitdb")
    folder = find_database(data, db)
    parts = [
        _labelled_record(folder, db, name, settings.get("r_peaks", "reference"))
        for name in record_names(folder, settings.get("records", "all"))
    ]
    return Labelled.join(parts)


def _labelled_record(folder: Path, db: str, name: str, r_peaks: str) -> Labelled:
    record = read_record(folder, name)
    annotations = read_annotations(folder, name)
    classes = [literature_class(s) for s in annotations.symbols]
    is_beat = np.array([c is not None for c in classes], dtype=bool)
    label = np.array([CLASSES.index(c) for c in classes if c is not None], dtype=np.int64)
    reference_s = annotations.times_s(record.rate_hz)[is_beat]
    if r_peaks == "reference":
        positions = np.rint(reference_s * RATE_HZ).astype(np.int64)
        x, at = record_beats(record, positions)
    elif r_peaks == "maxima":
        x, at = record_beats(record)
    else:
        raise UsageError(f"[data] r_peaks = '{r_peaks}' is neither 'reference' nor 'maxima'")
    found = match(reference_s, at / RATE_HZ)
    x, y = x[found >= 0], label[found[found >= 0]]
    full = f"{db}/{name}"
    return Labelled(
        x[..., np.newaxis], y, np.full(len(y), full), np.full(len(y), patient(full)), CLASSES
    )


def infarction(settings: dict[str, Any], data: Path | None) -> Labelled:
    """Beats of lead II of PTB's records of infarction and of healthy controls.

    `settings`: `db`, a list of databases ("ptbdb", "ptbdb_10s"), of which those are read that are
    there; `lead` ("ii"); `whole`: whether less than the whole PTB is refused. Raises RecordError,
    DownloadError, UsageError.
    """
    parts = []
    for db, folder, name, label in _diagnosed(settings, data):
        record = read_record(folder, name, settings.get("lead", "ii"))
        x, _ = record_beats(record)
        person = name.replace("_", "/").split("/")[0]  # patient001/s0010_re, patient200_s0405lre
        columns = (np.full(len(x), f"{db}/{name}"), np.full(len(x), f"ptbdb/{person}"))
        y = np.full(len(x), label, dtype=np.int64)
        parts.append(Labelled(x[..., np.newaxis], y, *columns, DIAGNOSES))
    if not parts:
        raise UsageError("no record of PTB with an infarction or a healthy control: see [data] db")
    return Labelled.join(parts)


DIAGNOSES = ("healthy", "MI")
_ADMISSION = {"healthy control": 0, "myocardial infarction": 1}


def _diagnosed(settings: dict[str, Any], data: Path | None) -> Iterator[tuple[str, Path, str, int]]:
    """Database, folder, record and label of every record that has one of the two diagnoses."""
    for folder, db in _databases(settings.get("db", ["ptbdb"]), data).items():
        names = record_names(folder, "all")
        if settings.get("whole") and len(names) < PTB_RECORDS:
            raise UsageError(
                f"{folder} has {len(names)} of PTB's {PTB_RECORDS} records, and this recipe is for "
                "all of them: einthoven data fetch ptbdb (or set whole = false in its [data])"
            )
        for name in names:
            comments = (folder / f"{name}.hea").read_text(encoding="utf-8", errors="replace")
            for line in comments.splitlines():
                key, _, value = line.lstrip("# ").partition(":")
                label = _ADMISSION.get(value.strip().lower())
                if key.strip().lower() == "reason for admission" and label is not None:
                    yield db, folder, name, label


def _databases(names: list[str], data: Path | None) -> dict[Path, str]:
    """Folder to name of those databases that are there; where none is, the first, downloaded."""
    found: dict[Path, str] = {}
    for name in names:
        with suppress(RecordError):  # raised again below, if there is none
            folder = locate_database(data, name)
            if folder is not None:
                found.setdefault(folder, name)
    return found or {find_database(data, names[0]): names[0]}


def main() -> None:
    """Count MIT-BIH's beats by both ways of finding R."""
    for r_peaks in ("reference", "maxima"):
        found = arrhythmia({"r_peaks": r_peaks}, None)
        print(f"{r_peaks}: {len(found):,} beats, {found.counts()}")


if __name__ == "__main__":
    no_arguments(__doc__)
    main()
