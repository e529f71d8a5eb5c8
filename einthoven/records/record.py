"""WFDB records and databases: find, read, verify, and turn into what a board's ADC would deliver.

Formats: WFDB header(5), signal(5) and annot(5), https://physionet.org/physiotools/wag/.
The bytes are decoded by the `wfdb` package; this module adds what it leaves out: checks with
errors that say what to do, and resampling with an exact time mapping.
"""

import math
import os
import re
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import wfdb
from numpy.typing import ArrayLike, NDArray

from einthoven.aami import DS1, DS2
from einthoven.errors import RecordError
from einthoven.paths import ROOT, cache_dir
from einthoven.records.annotations import (
    Annotations,
    read_annotations,
    rescale_times,
    write_annotations,
)
from einthoven.records.checksums import verify_sha256
from einthoven.records.header import (
    is_calibrated,
    known_gain,
    lead_index,
    read_header,
    units_per_mv,
)

__all__ = [
    "Annotations",
    "Record",
    "board_to_record_time",
    "find_database",
    "read_annotations",
    "read_record",
    "record_names",
    "to_board",
    "write_annotations",
]

DEFAULT_DATABASE = "mitdb"
_NAME = re.compile(r"[\w-]{1,100}(/[\w-]{1,100})*")
_INVALID_LSB = {
    **dict.fromkeys(("80", "508"), -(1 << 7)),
    **dict.fromkeys(("310", "311"), -(1 << 9)),
    "212": -(1 << 11),
    **dict.fromkeys(("16", "160", "516"), -(1 << 15)),
    **dict.fromkeys(("24", "524"), -(1 << 23)),
    "32": -(1 << 31),
}
# Bytes per sample of the formats with a fixed size, to notice a truncated file (signal(5)).
_BYTES = {
    **dict.fromkeys(("8", "80"), Fraction(1)),
    **dict.fromkeys(("310", "311"), Fraction(4, 3)),
    "212": Fraction(3, 2),
    **dict.fromkeys(("16", "160"), Fraction(2)),
    "24": Fraction(3),
    "32": Fraction(4),
}


@dataclass(frozen=True)
class Record:
    """One lead of a WFDB record, in counts as the file has them."""

    name: str
    lead: str
    rate_hz: float
    gain_lsb_per_mv: float
    baseline_lsb: int
    """Count at 0 mV."""
    samples: NDArray[np.int32]
    """[n_samples] counts; `invalid_lsb` where the recorder had no value."""
    invalid_lsb: int | None
    comments: tuple[str, ...] = ()
    gain_assumed: bool = False
    """The header says "not calibrated" and the gain is the one its database is known to have."""

    @property
    def n_samples(self) -> int:
        """Length in samples of `rate_hz`."""
        return len(self.samples)


# Databases


def find_database(data: Path | None, db: str = DEFAULT_DATABASE, selection: str = "all") -> Path:
    """Folder that holds the records of database `db`, downloading them if there is none.

    Looked for as `locate_database` does; else `selection` of it (see `record_names`) is
    downloaded from PhysioNet to the user's cache. Raises RecordError when `data` has none,
    DownloadError.
    """
    found = locate_database(data, db)
    if found is not None:
        return found
    from einthoven.records import download  # imports this module to verify what it fetched

    return download.fetch(db, cached_database(db), selection)


def locate_database(data: Path | None, db: str = DEFAULT_DATABASE) -> Path | None:
    """Folder of database `db`, without downloading: None if it is nowhere.

    Looked for in `data` and nowhere else if that is given; then in `$EINTHOVEN_DATA`, in
    `../shared/data` beside the checkout, and in the user's cache if it is there as a whole.
    The first two are a folder of WFDB records, or one that holds databases by name. Raises
    RecordError when `data` has no records.
    """
    if data is not None:
        found = _database_in(data, db)
        if found is None:
            what = "has no WFDB records" if data.is_dir() else "is not a folder"
            raise RecordError(
                f"{data} {what}: name a folder of *.hea files or one that holds {db}/ with --data"
            )
        return found
    env = os.environ.get("EINTHOVEN_DATA")
    if env:
        found = _database_in(Path(env), db)
        # A folder of records without a database's name is taken for the default one.
        if found is not None and (found.name == db or db == DEFAULT_DATABASE):
            return found
    for folder in (ROOT.parent / "shared" / "data" / db, cached_database(db)):
        names = _all_records(folder) if folder.is_dir() else []
        if names and all(_beside(folder, n, ".hea").is_file() for n in names):
            return folder
    return None


def cached_database(db: str) -> Path:
    """Where a database is downloaded to."""
    return cache_dir() / "records" / db


def _database_in(folder: Path, db: str) -> Path | None:
    if (folder / db).is_dir() and _all_records(folder / db):
        return folder / db
    # Only a folder's own headers count: one that holds other databases is not a database.
    has_own = (folder / "RECORDS").is_file() or any(folder.glob("*.hea"))
    return folder if has_own else None


def record_names(folder: Path, selection: str) -> list[str]:
    """Names of the records that `selection` means, each of which has a header in `folder`.

    `selection`: names with commas between ("100,119"), "ds1", "ds2" (de Chazal's split of
    MIT-BIH), or "all": the records of the folder's RECORDS file, else every `*.hea`, sorted.
    Raises RecordError if there are none or if one that was named is not there.
    """
    names = selected_names(selection) or _all_records(folder)
    if not names:
        raise RecordError(f"{folder} has no WFDB records (*.hea)")
    for name in names:
        # What is made of a record is filed under its name, by the rules for WFDB's names.
        if not _NAME.fullmatch(name):
            raise RecordError(
                f"{name[:60]!r} is no record's name (letters, digits, - and _): name records as "
                f"100,119 and their folder with --data"
            )
    missing = [n for n in names if not _beside(folder, n, ".hea").is_file()]
    if missing:
        there = _all_records(folder)
        span = f"{there[0]} to {there[-1]} ({len(there)} records)" if there else "no records"
        raise RecordError(f"record {', '.join(missing)} is not in {folder}, which has {span}")
    return names


def selected_names(selection: str) -> list[str] | None:
    """The names that `selection` means, as of `record_names`; None for "all"."""
    chosen = selection.strip()
    if chosen.lower() == "all":
        return None
    if chosen.lower() in ("ds1", "ds2"):
        return list(DS1 if chosen.lower() == "ds1" else DS2)
    names = list(dict.fromkeys(s.strip() for s in chosen.split(",") if s.strip()))
    if not names:
        raise RecordError("no record named: give 100,119 or ds1, ds2, all")
    return names


def _all_records(folder: Path) -> list[str]:
    listing = folder / "RECORDS"
    if listing.is_file():
        return listing.read_text(encoding="utf-8", errors="replace").split()
    return headers(folder)


def headers(folder: Path) -> list[str]:
    """Names of the records whose headers are in `folder`, sorted."""
    # Some databases (ptbdb) keep their records in a folder per patient.
    found = (p.relative_to(folder) for p in folder.rglob("*.hea") if not p.name.startswith("."))
    return sorted(p.with_suffix("").as_posix() for p in found)


def _beside(folder: Path, name: str, suffix: str) -> Path:
    return folder / f"{name}{suffix}"


# Signals


def read_record(
    folder: Path, name: str, lead: str | None = None, *, uncalibrated_gain: float | None = None
) -> Record:
    """Read one lead of a record and verify it.

    `lead`: name as in the header, in any case; default MLII, else the first ECG signal.
    `uncalibrated_gain` (LSB per mV) is taken where the header says gain 0, that is, not
    calibrated (nstdb's noises); the headers of svdb that do so need none. Checks the size of
    the signal file, the header's 16-bit checksum of the lead, and the SHA-256 of header and
    signal file where the folder lists it. A skew between signals is ignored. Raises RecordError.
    """
    header = read_header(folder, name)
    index = lead_index(header, name, lead)
    verify_sha256(folder, _beside(folder, name, ".hea"))
    verify_sha256(folder, _signal_file(folder, name, header, index))
    samples = _checked_samples(folder, name, header, index)
    calibrated = is_calibrated(folder, name, index)
    gain = header.adc_gain[index] if calibrated else uncalibrated_gain or known_gain(header)
    if gain is None or not 0 < gain < math.inf:
        raise RecordError(
            f"record {name}: gain of lead {header.sig_name[index]} is {gain or 0:g} in {name}.hea, "
            "so its counts cannot be turned into mV: choose another lead or correct the header"
        )
    return Record(
        name=name,
        lead=header.sig_name[index] or "",
        rate_hz=float(header.fs),
        gain_lsb_per_mv=gain * units_per_mv(header.units[index], name),
        baseline_lsb=int(header.baseline[index] or 0),
        samples=samples.astype(np.int32),
        invalid_lsb=_INVALID_LSB.get(header.fmt[index]),
        comments=tuple(header.comments),
        gain_assumed=not calibrated,
    )


def rate_and_length(folder: Path, name: str) -> tuple[float, int | None]:
    """Sampling rate in Hz and number of samples (None: unstated). Raises RecordError."""
    header = read_header(folder, name)
    return float(header.fs), header.sig_len or None


def verify_record(folder: Path, name: str) -> None:
    """Check size and header checksum of every signal of a record. Raises RecordError."""
    header = read_header(folder, name)
    for index in range(header.n_sig):
        _checked_samples(folder, name, header, index)


def _signal_file(folder: Path, name: str, header: Any, index: int) -> Path:
    return _beside(folder, name, ".hea").parent / str(header.file_name[index])


def _checked_samples(folder: Path, name: str, header: Any, index: int) -> NDArray[np.int64]:
    """One signal of a record; its size and checksum are those of the header."""
    signal_file = _signal_file(folder, name, header, index)
    _check_present(header, index, name, signal_file)
    samples = _read_signal(folder, name, index)
    if header.sig_len and len(samples) != header.sig_len:
        raise RecordError(
            f"record {name}: {signal_file.name} holds {len(samples)} samples where the header says "
            f"{header.sig_len}: fetch it again (einthoven data fetch)"
        )
    expected = header.checksum[index]
    if expected is not None and (int(samples.sum()) - expected) % 65536 != 0:
        raise RecordError(
            f"record {name}: checksum of lead {header.sig_name[index]} is wrong, "
            f"{signal_file.name} is corrupt: fetch it again (einthoven data fetch)"
        )
    return samples


def _check_present(header: Any, index: int, name: str, signal_file: Path) -> None:
    """Raise RecordError if the lead's file is missing, too short or laid out as we cannot read."""
    if not signal_file.is_file():
        raise RecordError(
            f"record {name}: signal file {signal_file.name} is missing: fetch it again "
            "(einthoven data fetch)"
        )
    in_file = [i for i, f in enumerate(header.file_name) if f == header.file_name[index]]
    if any((header.samps_per_frame[i] or 1) != 1 for i in in_file):
        raise RecordError(
            f"record {name} has signals of several rates, which are not supported: "
            "convert it to one rate with PhysioNet's xform"
        )
    if header.fmt[index] not in _BYTES | _INVALID_LSB:
        raise RecordError(
            f"record {name}: signal format {header.fmt[index]} of {signal_file.name} is not "
            "supported: convert it with PhysioNet's xform"
        )
    bytes_per_sample = _BYTES.get(header.fmt[index])
    if bytes_per_sample is None or not header.sig_len:
        return  # compressed, or of unknown length: the decoder and the checksum decide
    needed = math.ceil(bytes_per_sample * len(in_file) * header.sig_len)
    size = signal_file.stat().st_size - (header.byte_offset[index] or 0)
    if size < needed:
        raise RecordError(
            f"record {name}: {signal_file.name} is truncated ({size} of {needed} bytes): "
            "fetch it again (einthoven data fetch)"
        )


def _read_signal(folder: Path, name: str, index: int) -> NDArray[np.int64]:
    try:
        record = wfdb.rdrecord(
            str(folder / name),
            channels=[index],
            physical=False,
            smooth_frames=False,
            ignore_skew=True,
            return_res=64,
        )
    except Exception as error:  # wfdb raises whatever its decoder stumbles over
        raise RecordError(f"record {name} cannot be decoded: {error}") from error
    samples: NDArray[np.int64] = record.e_d_signal[0]
    return samples


# What a board's ADC delivers


def rational_ratio(to_hz: float, from_hz: float) -> Fraction:
    """to_hz / from_hz as a fraction small enough to resample by; exact for every sane rate."""
    if to_hz <= 0 or from_hz <= 0:
        raise RecordError(f"cannot resample from {from_hz:g} Hz to {to_hz:g} Hz: rates must be > 0")
    return (Fraction(to_hz) / Fraction(from_hz)).limit_denominator(10_000)


def to_board(
    record: Record, rate_hz: float, gain_lsb_per_mv: float, bits: int
) -> NDArray[np.int16]:
    """The record as a board's bipolar ADC of `bits` bits would have sampled it, 0 mV at count 0.

    Anti-aliased and without delay: sample k belongs to time k / rate_hz exactly, however long
    the record. Clips to the ADC's range; samples without a value become its low rail, as a
    lead that came off does. Returns counts [ceil(n_samples × rate_hz / record.rate_hz)].
    """
    low, high = -(1 << (bits - 1)), (1 << (bits - 1)) - 1
    ratio = rational_ratio(rate_hz, record.rate_hz)
    invalid = (
        record.samples == record.invalid_lsb
        if record.invalid_lsb is not None
        else np.zeros(record.n_samples, dtype=np.bool_)
    )
    if record.n_samples == 0:
        return np.zeros(0, dtype=np.int16)
    counts = record.samples.astype(np.float64)
    if invalid.any():
        # Hold the last value, so that the marker does not ring through the filter.
        valid = np.where(invalid, 0, np.arange(record.n_samples))
        counts = counts[np.maximum.accumulate(valid)]
        if invalid[0]:
            counts[: int(np.argmin(invalid))] = record.baseline_lsb
    scaled = (counts - record.baseline_lsb) * (gain_lsb_per_mv / record.gain_lsb_per_mv)
    if ratio != 1:
        from scipy.signal import resample_poly  # takes a second, which not every command has

        # padtype "edge" goes on with the first and last value: no step at the record's ends.
        scaled = resample_poly(scaled, ratio.numerator, ratio.denominator, padtype="edge")
    board = np.clip(np.rint(scaled), low, high)
    if invalid.any():
        nearest = (
            np.arange(len(board)) * ratio.denominator + ratio.numerator // 2
        ) // ratio.numerator
        board[invalid[np.minimum(nearest, record.n_samples - 1)]] = low
    return board.astype(np.int16)


def board_to_record_time(t_samples: ArrayLike, record: Record, rate_hz: float) -> NDArray[np.int64]:
    """Sample numbers at the board's `rate_hz` as the nearest ones at the record's own rate."""
    ratio = rational_ratio(rate_hz, record.rate_hz)
    return rescale_times(np.asarray(t_samples, dtype=np.int64), 1 / ratio)
