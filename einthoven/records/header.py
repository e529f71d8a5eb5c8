"""Headers of WFDB records: read, checked, and what they say about a lead.

Format: header(5) of the WFDB Applications Guide, https://physionet.org/physiotools/wag/header-5.htm.
The text is parsed by the `wfdb` package, which misreads some of it without a word.
"""

import re
from pathlib import Path
from typing import Any

import wfdb

from einthoven.errors import RecordError

DEFAULT_LEAD = "MLII"

_ECG_LEAD = re.compile(
    r"(ECG|EKG).*|(ML|MV|CM|CC)\w+|(MOD\.)?V[1-9]R?|I{1,3}|D[1-3]|AV[RLF]|V?[XYZ]",
    re.IGNORECASE,
)
_RATE = re.compile(r"\d*\.?\d+\.?(/.*)?")
"""Sampling rate of a header's record line, perhaps with a counter's (header(5))."""


def read_header(folder: Path, name: str) -> Any:
    """Header of a record of one segment with signals, as `wfdb` gives it. Raises RecordError."""
    path = folder / f"{name}.hea"
    if not path.is_file():
        raise RecordError(f"record {name} is not in {folder}: there is no {path.name}")
    try:
        header = wfdb.rdheader(str(folder / name))
    except Exception as error:  # wfdb raises whatever its parser stumbles over
        raise RecordError(f"record {name}: {path.name} is not a WFDB header ({error})") from error
    if isinstance(header, wfdb.MultiRecord):
        raise RecordError(f"record {name} is made of segments: name one of {header.seg_name}")
    _check_rate(path, name)
    if not header.fs or header.fs < 0:
        raise RecordError(
            f"record {name}: the sampling rate is 0 in {path.name}: correct the header"
        )
    if not header.n_sig:
        raise RecordError(f"record {name} has no signals")
    if len(header.sig_name or ()) != header.n_sig:
        raise RecordError(
            f"record {name}: {path.name} announces {header.n_sig} signals and describes "
            f"{len(header.sig_name or ())}: fetch it again or correct the header"
        )
    return header


def _check_rate(path: Path, name: str) -> None:
    """Raise RecordError for a rate that `wfdb` would misread without a word, such as -5 or 1e3."""
    record_line = next(iter(_header_lines(path)), "").split()
    if len(record_line) > 2 and not _RATE.fullmatch(record_line[2]):
        raise RecordError(
            f"record {name}: the sampling rate is {record_line[2]} in {path.name}: "
            "correct the header (Hz, above 0)"
        )


def _header_lines(path: Path) -> list[str]:
    """The record line and the signal lines of a header."""
    text = path.read_text(encoding="utf-8", errors="replace")
    return [s for s in map(str.strip, text.splitlines()) if s and not s.startswith("#")]


def lead_index(header: Any, name: str, lead: str | None) -> int:
    """Number of the signal named `lead`, in any case; None: MLII, else the first ECG signal.

    Raises RecordError, naming the leads there are.
    """
    leads = [s or "" for s in header.sig_name]
    by_upper: dict[str, int] = {s.upper(): i for i, s in reversed(list(enumerate(leads)))}
    if lead is not None:
        if lead.upper() not in by_upper:
            raise RecordError(f"record {name} has no lead {lead}: it has {', '.join(leads)}")
        return by_upper[lead.upper()]
    if DEFAULT_LEAD in by_upper:
        return by_upper[DEFAULT_LEAD]
    return next((i for i, s in enumerate(leads) if _ECG_LEAD.fullmatch(s)), 0)


def is_calibrated(folder: Path, name: str, index: int) -> bool:
    """Whether the header states a gain other than 0 (`wfdb` turns none and 0 into 200)."""
    fields = _header_lines(folder / f"{name}.hea")[1 + index].split()
    number = re.match(r"[-+]?[\d.]+(e[-+]?\d+)?", fields[2], re.IGNORECASE) if fields[2:] else None
    return number is not None and float(number[0]) != 0


def known_gain(header: Any) -> float | None:
    """Gain of a database whose headers lack it, recognised by their layout; None if unknown.

    Half of the MIT-BIH Supraventricular Arrhythmia Database's headers say 0, the others 200
    for what the same recorder delivered (doi:10.13026/C2V30W).
    """
    svdb = (header.fs, header.sig_name, header.adc_res) == (128, ["ECG1", "ECG2"], [10, 10])
    return 200.0 if svdb else None


def units_per_mv(units: str | None, name: str) -> float:
    """How many of `units` make a millivolt. Raises RecordError where it is no voltage."""
    per_mv = {None: 1.0, "mv": 1.0, "uv": 1000.0, "µv": 1000.0, "v": 0.001}
    key = units.lower() if units else None
    if key not in per_mv:
        raise RecordError(f"record {name}: the lead is in {units}, not in mV: choose an ECG lead")
    return per_mv[key]
