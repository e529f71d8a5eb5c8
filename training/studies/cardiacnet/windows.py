"""CardiacNet's data: one-second windows of a lead, each normal or abnormal.

Vavekanand et al. 2024 (doi:10.48185/smhs.v1i2.1188), section 3.2. What the text leaves open is as
in its authors' first publication of the code (github.com/ChryssaNab/ECG-Heartbeat-Classification,
src/data_processing.py): third-order filter forwards and backwards, Fourier resampling, and a
window without any beat is dropped.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.signal import butter, resample, sosfiltfilt

from einthoven.aami import BEAT_SYMBOLS
from einthoven.errors import RecordError
from einthoven.provenance import patient
from einthoven.records.annotations import at_rate, read_annotations
from einthoven.records.database import record_names
from einthoven.records.download import find_database
from einthoven.records.record import read_record
from einthoven.training.studies.shared.examples import Labelled

RECORDS = (
    *("100", "102", "104", "105", "106", "108", "114", "116", "119", "200", "201", "202", "203"),
    *("205", "208", "209", "210", "212", "213", "215", "217", "219", "220", "221", "222", "223"),
    *("228", "231", "233"),
)
"""The study's: those of MIT-BIH in which either label makes up at least 0.9 % of the windows."""

RATE_HZ = 360
SAMPLES = 128
BAND_HZ = (0.4, 30.0)
FILTER_ORDER = 3
NORMAL = frozenset("N")
UNCLASSIFIED = frozenset("Q?")
ABNORMAL = BEAT_SYMBOLS - NORMAL - UNCLASSIFIED
"""The authors' code leaves out J, of which the 29 records have three; we do not."""
CLASSES = ("normal", "abnormal")


@dataclass(frozen=True)
class Windows:
    """Windows of many records; row i of every array is one second."""

    signal: NDArray[np.float32]
    """[n, 128] in shares of the record's range, filtered (so around 0)."""
    label: NDArray[np.int8]
    """[n] 0 normal, 1 at least one abnormal beat."""
    second: NDArray[np.int64]
    """[n] when in its record the window begins, s."""
    record: NDArray[np.str_]
    """[n] name."""

    def __len__(self) -> int:
        return len(self.label)

    def where(self, rows: NDArray[np.bool_] | NDArray[np.int64]) -> "Windows":
        """The chosen rows (mask or indices)."""
        return Windows(*(getattr(self, f)[rows] for f in self.__dataclass_fields__))

    @property
    def patient(self) -> NDArray[np.str_]:
        """[n] the patient's first record: 201 and 202 are one patient's."""
        names, back = np.unique(self.record, return_inverse=True)
        found: NDArray[np.str_] = np.array([patient(f"mitdb/{n}").split("/")[1] for n in names])
        return found[back]


def load(folder: Path, names: tuple[str, ...] = RECORDS) -> Windows:
    """Windows of MIT-BIH records in `folder` (MLII, else the first lead). Raises RecordError."""
    parts = [_record(folder, name) for name in names]
    columns = Windows.__dataclass_fields__
    return Windows(*(np.concatenate([getattr(p, f) for p in parts]) for f in columns))


def labelled(settings: dict[str, Any], data: Path | None) -> Labelled:
    """The windows as any study's examples. `settings`: `records`, "100,119"; default the study's.

    Raises RecordError, DownloadError.
    """
    folder = find_database(data, "mitdb")
    names = record_names(folder, settings["records"]) if "records" in settings else RECORDS
    return labelled_of(load(folder, tuple(names)))


def labelled_of(windows: Windows) -> Labelled:
    """Windows as any study's examples."""
    return Labelled(
        windows.signal[:, :, np.newaxis],
        windows.label.astype(np.int64),
        np.char.add("mitdb/", windows.record),
        np.char.add("mitdb/", windows.patient),
        CLASSES,
    )


def _record(folder: Path, name: str) -> Windows:
    record = read_record(folder, name)
    if record.rate_hz != RATE_HZ:
        raise RecordError(
            f"record {name} has {record.rate_hz:g} Hz, CardiacNet's windows are made of "
            f"{RATE_HZ} Hz: give MIT-BIH's records with --data"
        )
    annotations = at_rate(read_annotations(folder, name), record.rate_hz)
    n = record.n_samples // RATE_HZ
    label = np.full(n, -1, dtype=np.int8)
    window = annotations.samples // RATE_HZ
    for value, symbols in enumerate((NORMAL, ABNORMAL)):  # abnormal second: it overrules
        chosen = np.isin(annotations.symbols, list(symbols)) & (window < n)
        label[window[chosen]] = value
    kept = np.flatnonzero(label >= 0)
    signal = _prepared(record.samples)[: n * RATE_HZ].reshape(n, RATE_HZ)[kept]
    return Windows(
        signal=resample(signal, SAMPLES, axis=1).astype(np.float32),
        label=label[kept],
        second=kept,
        record=np.full(len(kept), name),
    )


def _prepared(samples: NDArray[np.int32]) -> NDArray[np.float64]:
    """[n] scaled to [0, 1] over the record, then band-passed without delay."""
    low, high = int(samples.min()), int(samples.max())
    scaled = (samples - low) / max(1, high - low)
    sections = butter(FILTER_ORDER, BAND_HZ, "bandpass", fs=RATE_HZ, output="sos")
    filtered: NDArray[np.float64] = sosfiltfilt(sections, scaled)
    return filtered


# Splits

TRAIN, VALIDATION, TEST = 0, 1, 2
TEST_SHARE = 0.2
CHRONOLOGICAL_TRAIN_S = 24 * 60


def split_random(windows: Windows, seed: int) -> NDArray[np.int8]:
    """[n] TRAIN, VALIDATION or TEST: 80/20, then 80/20, stratified by record and label.

    A window's role depends on its record and the seed only, so that it is the same whichever
    records are loaded: what is tested in one phase was trained on in none.
    """
    role = np.zeros(len(windows), dtype=np.int8)
    for rows, rng in _strata(windows, seed):
        order = rng.permutation(rows)
        test = round(TEST_SHARE * len(rows))
        role[order[:test]] = TEST
        role[order[test : test + round(TEST_SHARE * (len(rows) - test))]] = VALIDATION
    return role


def split_chronological(windows: Windows, seed: int) -> NDArray[np.int8]:
    """[n] the first 24 minutes of a record are TRAIN and VALIDATION (80/20), the rest is TEST."""
    role = np.full(len(windows), TEST, dtype=np.int8)
    early = windows.second < CHRONOLOGICAL_TRAIN_S
    for rows, rng in _strata(windows, seed):
        order = rng.permutation(rows[early[rows]])
        role[order] = TRAIN
        role[order[: round(TEST_SHARE * len(order))]] = VALIDATION
    return role


def _strata(windows: Windows, seed: int) -> list[tuple[NDArray[np.int64], np.random.Generator]]:
    found = []
    for name in np.unique(windows.record):
        for value in range(len(CLASSES)):
            rows = np.flatnonzero((windows.record == name) & (windows.label == value))
            found.append((rows, np.random.default_rng([seed, int(name), value])))
    return found
