"""One lead of a recording: found, read and verified, whatever it is stored in.

WFDB records (plain, or of segments), EDF, EDF+ and BDF files, and CSV tables. What is read is
counts with a gain, where the ECG is and where it is not; what had to be assumed is said.
"""

from collections.abc import Sequence
from pathlib import Path

from einthoven.errors import RecordError
from einthoven.records.checksums import verify_sha256
from einthoven.records.database import beside, recording_path, require_name
from einthoven.records.header import Header, Signal, is_null, read_header
from einthoven.records.leads import choose_lead, require_units
from einthoven.records.recording import (
    INVALID,
    NOTHING_KNOWN,
    Filed,
    Known,
    Read,
    Record,
    turned_over,
)
from einthoven.records.segments import open_segments
from einthoven.records.signal_file import open_signal

__all__ = [
    "NOTHING_KNOWN",
    "Filed",
    "Known",
    "Record",
    "open_record",
    "rate_and_length",
    "read_record",
    "record_files",
    "verify_record",
]

DEFAULT_GAIN = 200.0
"""Counts per mV of a signal that is not calibrated, as header(5) says."""


def read_record(
    folder: Path,
    name: str,
    lead: str | None = None,
    *,
    uncalibrated_gain: float | None = None,
    known: Known = NOTHING_KNOWN,
) -> Record:
    """Read one lead of a recording into memory and verify it; arguments and errors as of
    `open_record`."""
    found = open_record(folder, name, lead, uncalibrated_gain=uncalibrated_gain, known=known)
    return found.whole() if isinstance(found, Filed) else found


def open_record(
    folder: Path,
    name: str,
    lead: str | None = None,
    *,
    uncalibrated_gain: float | None = None,
    known: Known = NOTHING_KNOWN,
) -> Record | Filed:
    """Verify one lead of a recording; a WFDB record's samples stay in their files if they can.

    `lead`: name as in the file, in any case; default as of `leads.choose_lead`.
    `uncalibrated_gain` (LSB per mV) is taken where the header says gain 0, that is, not
    calibrated (nstdb's noises), instead of what is known of the database (svdb) or 200. Checks
    the size of the signal file, the header's 16-bit checksum of the lead, and the SHA-256 of
    the files where the folder lists it. Raises RecordError.
    """
    require_name(name)
    path = recording_path(folder, name)
    if path.suffix.lower() in (".edf", ".bdf"):
        from einthoven.records.edf import read_edf  # edfio, which few commands need

        verify_sha256(folder, path)
        return read_edf(path, name, lead, known)
    if path.suffix.lower() == ".csv":
        from einthoven.records.table import read_table

        verify_sha256(folder, path)
        return read_table(path, name, lead, known)
    return _open_wfdb(folder, name, lead, uncalibrated_gain, known)


def rate_and_length(folder: Path, name: str) -> tuple[float, int | None]:
    """Rate in Hz of a recording's annotations and its length at it (None: unstated).

    A header without signals will do. Raises RecordError.
    """
    path = recording_path(folder, name)
    if path.suffix.lower() != ".hea":
        record = read_record(folder, name)
        return record.rate_hz, record.n_samples
    header = read_header(folder, name)
    return header.rate_hz, header.n_frames


def record_files(folder: Path, name: str) -> list[Path]:
    """Every file that a recording is made of, in order: header, signals, segments, annotations.

    Those that are missing are left out. Raises RecordError.
    """
    path = recording_path(folder, name)
    found = [path]
    if path.suffix.lower() == ".hea":
        found += _files_of(folder, name, read_header(folder, name))
    found.append(beside(folder, name, ".atr"))
    return [p for p in dict.fromkeys(found) if p.is_file()]


def _files_of(folder: Path, name: str, header: Header) -> list[Path]:
    here = beside(folder, name, ".hea").parent
    found = [here / s.file_name for s in header.signals if not is_null(s.file_name)]
    for segment in dict.fromkeys(segment for segment, _ in header.segments):
        if not is_null(segment) and (here / f"{segment}.hea").is_file():
            found.append(here / f"{segment}.hea")
            found += _files_of(here, segment, read_header(here, segment))
    return found


def verify_record(folder: Path, name: str) -> None:
    """Check size and header checksum of every signal of a record. Raises RecordError."""
    header = read_header(folder, name)
    here = beside(folder, name, ".hea").parent
    if not header.signals and not header.segments:
        raise RecordError(f"record {name} has no signals")
    for index, signal in enumerate(header.signals):
        if not is_null(signal.file_name):
            open_signal(None, here, header, index, name)
    for segment, length in header.segments:
        if length and not is_null(segment):
            verify_record(here, segment)


def known_gain(header: Header) -> float | None:
    """Gain of a database whose headers lack it, recognised by their layout; None if unknown.

    Half of the MIT-BIH Supraventricular Arrhythmia Database's headers say 0, the others 200
    for what the same recorder delivered (doi:10.13026/C2V30W).
    """
    resolutions = [s.adc_resolution for s in header.signals]
    svdb = (header.rate_hz, header.sig_name, resolutions) == (128, ["ECG1", "ECG2"], [10, 10])
    return 200.0 if svdb else None


def _open_wfdb(
    folder: Path, name: str, lead: str | None, uncalibrated_gain: float | None, known: Known
) -> Filed:
    header = read_header(folder, name)
    verify_sha256(folder, beside(folder, name, ".hea"))
    here = beside(folder, name, ".hea").parent
    if header.segments:
        described, index, opened, gaps = open_segments(folder, here, name, header, lead, known)
    else:
        if not header.signals:
            raise RecordError(
                f"record {name} has no signals, only annotations: score them (einthoven score)"
            )
        described, gaps = header, ()
        index = choose_lead(header.sig_name, _units(header.signals, known), name, lead)
        opened = open_signal(folder, here, header, index, name, known.checksum)
    signal = described.signals[index]
    per_mv = require_units(known.units or signal.units, signal.name, name)
    stated = known.gain if known.gain is not None else signal.gain
    # Not calibrated: what is assumed is counts per mV, whatever the unit.
    assumed = uncalibrated_gain or known_gain(described) or DEFAULT_GAIN
    gain = assumed if stated is None else stated * per_mv
    invalid, n_samples = opened.invalid_lsb, opened.n_samples
    late = ((n_samples - opened.absent, opened.absent),) if opened.absent else ()
    down = gain < 0
    return Filed(
        name=name,
        lead=signal.name,
        rate_hz=header.rate_hz * signal.samples_per_frame,
        gain_lsb_per_mv=abs(gain),
        baseline_lsb=-signal.baseline if down else signal.baseline,
        n_samples=n_samples,
        read=_upside_down(opened.read, invalid) if down else opened.read,
        invalid_lsb=INVALID if down and invalid is not None else invalid,
        comments=header.comments,
        gain_assumed=stated is None,
        gaps=(*gaps, *late),
        unchecked=opened.unchecked,
    )


def _upside_down(read: Read, invalid: int | None) -> Read:
    return lambda begin, end: turned_over(read(begin, end), invalid)


def _units(signals: Sequence[Signal], known: Known) -> list[str]:
    """The signals' units, or the one that the user knows them to be in."""
    return [known.units or s.units for s in signals]
