"""One lead of a WFDB record: read and verified.

Formats: WFDB header(5), signal(5) and annot(5), https://physionet.org/physiotools/wag/.
The bytes are decoded by the `wfdb` package; this module adds what it leaves out: checks with
errors that say what to do.
"""

import math
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import wfdb
from numpy.typing import NDArray

from einthoven.errors import RecordError
from einthoven.records.checksums import verify_sha256
from einthoven.records.database import beside
from einthoven.records.header import (
    is_calibrated,
    known_gain,
    lead_index,
    read_header,
    units_per_mv,
)

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
    verify_sha256(folder, beside(folder, name, ".hea"))
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
    return beside(folder, name, ".hea").parent / str(header.file_name[index])


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
