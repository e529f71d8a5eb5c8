"""Headers of WFDB records, read as WFDB's own C library reads them.

Format: header(5) of the WFDB Applications Guide, https://physionet.org/physiotools/wag/header-5.htm,
and `readheader` of the library (lib/signal.c, 10.7), whose tolerance is copied: fields are
separated by blanks, what is missing has a default, lines after the last signal are ignored.
The `wfdb` package (4.3.1) decodes samples but is not asked for the text: it drops what is not
ASCII (µV becomes V), refuses dots in a record's name, folders and dates, and turns a gain of 0
into 200 without a word.
"""

import re
from dataclasses import dataclass
from pathlib import Path

from einthoven.errors import RecordError

DEFAULT_RATE_HZ = 250.0
RATES_HZ = (20.0, 100_000.0)
"""Sampling rates of signals that make sense for an ECG; others are a header's mistake."""

_NUMBER = re.compile(r"[-+]?(\d+\.?\d*|\.\d+)(e[-+]?\d+)?", re.IGNORECASE)
_RATE = re.compile(r"(\d+\.?\d*|\.\d+)(/.*)?")
"""Sampling rate of a header's record line, perhaps with a counter's."""
_FORMAT = re.compile(r"(\d+)((?:x\d+|:\d+|\+\d+)*)")
_NULL = "~"
"""Name of a segment, or of a signal file, that holds nothing."""


@dataclass(frozen=True)
class Signal:
    """One signal line of a header."""

    file_name: str
    """Relative to the header's folder."""
    fmt: str
    samples_per_frame: int
    skew_frames: int
    """The signal is stored so many frames late."""
    byte_offset: int
    gain: float | None
    """Counts per unit, perhaps negative; None where the header says 0 or nothing."""
    baseline: int
    units: str
    adc_resolution: int | None
    """Bits; None where the header does not say."""
    initial_value: int | None
    checksum: int | None
    """None where the header ends before it."""
    name: str


@dataclass(frozen=True)
class Header:
    """A header: the record's line, its signals or segments, and its comments."""

    name: str
    rate_hz: float
    """Frames per second: the rate of annotations, and of signals with one sample a frame."""
    n_frames: int | None
    """None: unstated."""
    signals: tuple[Signal, ...]
    segments: tuple[tuple[str, int], ...]
    """Name and length in frames of each segment; empty for a plain record."""
    comments: tuple[str, ...]

    @property
    def sig_name(self) -> list[str]:
        """Names of the signals, in order."""
        return [s.name for s in self.signals]

    @property
    def layout(self) -> str | None:
        """Name of the layout segment, by which a record of variable layout is known."""
        return self.segments[0][0] if self.segments and self.segments[0][1] == 0 else None


def is_null(name: str) -> bool:
    """Whether a segment or a signal file is only a place holder."""
    return name == _NULL


def read_text(path: Path) -> str:
    """A text file, in whatever encoding it was saved.

    UTF-8 (with or without a mark), UTF-16 with a mark, else ISO 8859-1, in which every byte has
    a character: `leads.units_of` knows what the µ of other encodings looks like then.
    """
    return _decoded(path.read_bytes())


def read_text_start(path: Path, most: int = 1 << 16) -> str:
    """`read_text` of the first `most` bytes, whole lines."""
    with path.open("rb") as file:
        data = file.read(most)
    return _decoded(data.rpartition(b"\n")[0] if len(data) == most else data)


def _decoded(data: bytes) -> str:
    if data.startswith((b"\xff\xfe", b"\xfe\xff")):
        return data.decode("utf-16", errors="replace")
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError:
        return data.decode("latin-1")


def read_header(folder: Path, name: str) -> Header:
    """The header `<name>.hea` of `folder`; it may describe no signals. Raises RecordError."""
    path = folder / f"{name}.hea"
    if not path.is_file():
        raise RecordError(f"record {name} is not in {folder}: there is no {path.name}")
    lines, comments = _lines(read_text(path))
    if not lines or len(lines[0].split()) < 2:
        raise RecordError(f"record {name}: {path.name} is not a WFDB header (no record line)")
    fields = lines[0].split()
    title, _, segments = fields[0].partition("/")
    n_signals = _whole(fields[1], "the number of signals", name, path)
    rate_hz = _rate(fields[2] if len(fields) > 2 else None, name, path)
    n_frames = _whole(fields[3], "the number of samples", name, path) if len(fields) > 3 else 0
    parsed: tuple[Signal, ...] = ()
    parts: tuple[tuple[str, int], ...] = ()
    if segments:
        count = _whole(segments, "the number of segments", name, path)
        parts = tuple(_segment(s, name, path) for s in lines[1 : 1 + count])
        _require(len(parts), count, "segments", name, path)
        n_frames = n_frames or sum(length for _, length in parts)
    else:
        parsed = tuple(_signal(s, i, name, path) for i, s in enumerate(lines[1 : 1 + n_signals]))
        _require(len(parsed), n_signals, "signals", name, path)
    if n_signals:
        _check_rate(rate_hz * max((s.samples_per_frame for s in parsed), default=1), name, path)
    return Header(title, rate_hz, n_frames or None, parsed, parts, tuple(comments))


def master_segments(path: Path) -> list[str]:
    """Names of the segments that the header at `path` is made of; none for a plain record."""
    lines, _ = _lines(read_text(path))
    count = lines[0].split()[0].partition("/")[2] if lines else ""
    if not count.isdigit():
        return []
    return [s.split()[0] for s in lines[1 : 1 + int(count)]]


def _lines(text: str) -> tuple[list[str], list[str]]:
    """The lines that say something, and the comments without their `#`."""
    stripped = [s.strip() for s in text.split("\n")]
    comments = [s[1:].strip() for s in stripped if s.startswith("#")]
    return [s for s in stripped if s and not s.startswith("#")], comments


def _segment(line: str, name: str, path: Path) -> tuple[str, int]:
    fields = line.split()
    if len(fields) < 2:
        raise RecordError(
            f"record {name}: segment {fields[0]} has no length in {path.name}: correct the header"
        )
    return fields[0], _whole(fields[1], f"the length of segment {fields[0]}", name, path)


def _signal(line: str, index: int, name: str, path: Path) -> Signal:
    """One signal line; what is missing has the default that header(5) gives it."""
    fields = line.split(None, 8)
    layout = _FORMAT.fullmatch(fields[1]) if len(fields) > 1 else None
    if layout is None:
        said = fields[1] if len(fields) > 1 else "missing"
        raise RecordError(
            f"record {name}: the format of signal {index} is {said} in {path.name}: "
            "correct the header"
        )
    extra = {m[0]: int(m[1:]) for m in re.findall(r"[x:+]\d+", layout[2])}
    per_frame = max(extra.get("x", 1), 1)
    gain, baseline, units = _gain(fields[2] if len(fields) > 2 else "", index, name, path)
    adc_zero = _int(fields, 4) or 0
    return Signal(
        file_name=fields[0],
        fmt=layout[1],
        samples_per_frame=per_frame,
        # The library lines signals up by whole frames.
        skew_frames=int(extra.get(":", 0) / per_frame + 0.5),
        byte_offset=extra.get("+", 0),
        gain=gain,
        baseline=adc_zero if baseline is None else baseline,
        units=units,
        adc_resolution=_int(fields, 3),
        initial_value=_int(fields, 5),
        checksum=_int(fields, 6),
        name=fields[8].strip() if len(fields) > 8 else f"record {name}, signal {index}",
    )


def _gain(field: str, index: int, name: str, path: Path) -> tuple[float | None, int | None, str]:
    """Counts per unit, baseline and units of a gain field such as `200(1024)/mV`."""
    number = _NUMBER.match(field)
    rest = field[number.end() :] if number else field
    gain = float(number[0]) if number else 0.0
    if gain in (float("inf"), float("-inf")):
        raise RecordError(
            f"record {name}: the gain of signal {index} is {field} in {path.name}: "
            "correct the header"
        )
    baseline = re.search(r"\((-?\d+)", rest)
    units = rest.partition("/")[2]
    return gain or None, int(baseline[1]) if baseline else None, units or "mV"


def _int(fields: list[str], index: int) -> int | None:
    """A whole number as C's `strtol` takes it; None where the line ends before."""
    if len(fields) <= index:
        return None
    number = re.match(r"[-+]?\d+", fields[index])
    return int(number[0]) if number else 0


def _whole(field: str, what: str, name: str, path: Path) -> int:
    if not field.isdecimal():
        raise RecordError(f"record {name}: {path.name} is not a WFDB header ({what} is {field})")
    return int(field)


def _rate(field: str | None, name: str, path: Path) -> float:
    """Frames per second of the record line. Raises RecordError for -5, nan, 1e30 …"""
    if field is None:
        return DEFAULT_RATE_HZ
    number = _RATE.fullmatch(field)
    rate = float(number[1]) if number else -1.0
    if rate <= 0:
        raise RecordError(
            f"record {name}: the sampling rate is {field} in {path.name}: "
            "correct the header (Hz, above 0)"
        )
    return rate


def _check_rate(rate_hz: float, name: str, path: Path) -> None:
    if not RATES_HZ[0] <= rate_hz <= RATES_HZ[1]:
        raise RecordError(
            f"record {name}: {rate_hz:g} Hz in {path.name} is no ECG's sampling rate "
            f"({RATES_HZ[0]:g} to {RATES_HZ[1]:g} Hz): correct the header"
        )


def _require(found: int, announced: int, what: str, name: str, path: Path) -> None:
    if found != announced:
        raise RecordError(
            f"record {name}: {path.name} announces {announced} {what} and describes {found}: "
            "fetch it again or correct the header"
        )
