"""EDF, EDF+ (continuous or not) and BDF files: one lead, its gain, and its gaps.

Formats: Kemp & Olivan 2003 (EDF+), https://www.edfplus.info/specs/edfplus.html, and BioSemi's
24-bit BDF. Read by the package `edfio`, which has the samples of a discontinuous file follow
each other: where the time in between belongs is read from the data records' own onsets here.
"""

import re
import warnings
from pathlib import Path
from typing import Any

import edfio
import numpy as np
from numpy.typing import NDArray

from einthoven.errors import RecordError
from einthoven.records.header import RATES_HZ
from einthoven.records.leads import choose_lead, require_units
from einthoven.records.placing import place
from einthoven.records.recording import Known, Record, upright

_ONSET = re.compile(rb"([+-]\d+(?:\.\d*)?)(?:\x15[\d.]*)?\x14")
_FIRST_HOURS = 24.0 * 31
"""A gap that is longer is a wrong onset, not a pause."""


def read_edf(path: Path, name: str, lead: str | None, known: Known) -> Record:
    """One lead of an EDF, EDF+ or BDF file. Raises RecordError."""
    file = _opened(path, name)
    signals = file.signals
    names = [s.label.strip() for s in signals]
    units = [known.units or s.physical_dimension.strip() for s in signals]
    if not signals:
        raise RecordError(f"record {name}: {path.name} has no signals, only annotations")
    index = choose_lead(names, units, name, lead)
    signal = signals[index]
    rate_hz = float(signal.sampling_frequency)
    if not RATES_HZ[0] <= rate_hz <= RATES_HZ[1]:
        raise RecordError(
            f"record {name}: {names[index]} has {rate_hz:g} Hz in {path.name}, which is no ECG's "
            "sampling rate: choose another lead"
        )
    (low, high), (bottom, top) = signal.physical_range, signal.digital_range
    stated = (top - bottom) / (high - low) if high != low and top != bottom else 0.0
    gain = known.gain if known.gain is not None else stated
    if not gain or not np.isfinite(gain):
        raise RecordError(
            f"record {name}: {names[index]} is not calibrated in {path.name} (a range of 0): say "
            "what it is with --gain and --units"
        )
    per_mv = require_units(units[index], names[index], name)
    samples = np.asarray(signal.digital, dtype=np.int32)
    onsets = _onsets(file, name, path)
    gaps: tuple[tuple[int, int], ...] = ()
    if onsets is not None:
        samples, gaps = _spread(samples, onsets, signal.samples_per_data_record, rate_hz, name)
    baseline = round(top - high * gain) if stated else 0
    gain_per_mv, baseline, samples, _ = upright(gain * per_mv, baseline, samples, None)
    return Record(
        name=name,
        lead=names[index],
        rate_hz=rate_hz,
        gain_lsb_per_mv=gain_per_mv,
        baseline_lsb=baseline,
        samples=samples,
        invalid_lsb=None,
        gaps=gaps,
    )


def _opened(path: Path, name: str) -> Any:
    """The file as edfio gives it; RecordError if it is damaged or cut off."""
    try:
        with path.open("rb") as head:
            announced = int(head.read(244)[236:].decode("ascii").strip() or "-1")
        with warnings.catch_warnings(record=True) as said:
            warnings.simplefilter("always")
            # Names and units are ASCII by the standard, and in practice whatever the maker used.
            if path.suffix.lower() == ".bdf":
                file: Any = edfio.read_bdf(path, header_encoding="latin-1")
            else:
                file = edfio.read_edf(path, header_encoding="latin-1")
    except Exception as error:  # edfio raises whatever its decoder stumbles over
        kind = path.suffix[1:].upper()
        raise RecordError(f"record {name}: {path.name} is no {kind} file ({error})") from error
    # -1: the recorder did not know yet how long it would go on.
    if announced >= 0 and any("record" in str(w.message) for w in said):
        raise RecordError(
            f"record {name}: {path.name} is truncated ({file.num_data_records} of {announced} data "
            "records): copy it again"
        )
    return file


def _onsets(file: Any, name: str, path: Path) -> NDArray[np.float64] | None:
    """Second at which each data record begins, from the first on; None if the file tells none."""
    try:
        keeper = file._timekeeping_signal  # edfio's public face only says whether there are gaps
    except StopIteration:
        return None
    rows = keeper.digital.reshape(file.num_data_records, -1)
    found = [_ONSET.match(row.tobytes()) for row in rows]
    if not all(found):
        raise RecordError(
            f"record {name}: data record {found.index(None) + 1} of {path.name} does not say when "
            "it begins: write the file anew"
        )
    onsets = np.array([float(m[1]) for m in found if m])
    since: NDArray[np.float64] = onsets - onsets[0]
    return since


def _spread(
    samples: NDArray[np.int32],
    onsets: NDArray[np.float64],
    per_record: int,
    rate_hz: float,
    name: str,
) -> tuple[NDArray[np.int32], tuple[tuple[int, int], ...]]:
    """The data records where they belong in time, and the gaps between them."""
    if (np.diff(onsets) < 0).any():
        at = int(np.argmax(np.diff(onsets) < 0)) + 2
        raise RecordError(f"record {name}: data record {at} begins before the one before it")
    ahead = onsets * rate_hz - np.arange(len(onsets)) * per_record
    # Onsets are rounded: half a sample is no gap.
    behind = np.maximum.accumulate(np.maximum(np.ceil(ahead - 0.75), 0)).astype(np.int64)
    where = np.arange(len(samples)) + np.repeat(behind, per_record)[: len(samples)]
    return place(samples, where, _FIRST_HOURS * 3600 * rate_hz, name)
