"""Signal files of WFDB records: one signal decoded, and checked against its header.

Format: signal(5) of the WFDB Applications Guide, https://physionet.org/physiotools/wag/signal-5.htm.
Formats whose samples lie where their number says stay in their file (`decoding.py`); the bytes of
the others are decoded by the `wfdb` package, whole, which is given a plain header made for the
purpose: it cannot read all that WFDB's C library reads (`header.py`). Checks, skew and what a
header's 0 means are this module's.
"""

import math
import tempfile
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import numpy as np

from einthoven.errors import RecordError
from einthoven.records import decoding
from einthoven.records.checksums import verify_sha256
from einthoven.records.header import Header, Signal, is_null
from einthoven.records.recording import Read, pieces

INVALID_LSB = {
    **dict.fromkeys(("80", "508"), -(1 << 7)),
    **dict.fromkeys(("310", "311"), -(1 << 9)),
    "212": -(1 << 11),
    **dict.fromkeys(("16", "61", "160", "516"), -(1 << 15)),
    **dict.fromkeys(("24", "524"), -(1 << 23)),
    "32": -(1 << 31),
}
"""The count that stands for "no value" in a format."""

# Bytes per sample of the formats with a fixed size.
_BYTES = {
    **dict.fromkeys(("8", "80"), Fraction(1)),
    **dict.fromkeys(("310", "311"), Fraction(4, 3)),
    "212": Fraction(3, 2),
    **dict.fromkeys(("16", "61", "160"), Fraction(2)),
    "24": Fraction(3),
    "32": Fraction(4),
}


@dataclass(frozen=True)
class Opened:
    """One signal of a plain record, checked."""

    n_samples: int
    read: Read
    """Samples in counts, lined up with the other signals."""
    invalid_lsb: int | None
    """The count that stands for "no value"; None if the format has none."""
    absent: int
    """So many of the last samples are not in the file, since the signal is skewed."""
    unchecked: bool
    """The header's checksum is 0 or missing where the samples' is not: it was not computed."""


def open_signal(
    root: Path | None, folder: Path, header: Header, index: int, name: str, check: bool = True
) -> Opened:
    """Signal `index` of a plain record whose header lies in `folder`.

    Checks the size of the file, the SHA-256 if a list in `root` has one, and with `check` the
    header's 16-bit checksum. Raises RecordError.
    """
    signal = header.signals[index]
    path = folder / signal.file_name
    n_frames = _check_present(header, signal, name, path)
    if root is not None:
        verify_sha256(root, path)
    n_samples, read = _in_file(path, header, index, name, n_frames)
    unchecked = _check_sum(signal, n_samples, read, name, path) if check else False
    late = min(signal.skew_frames * signal.samples_per_frame, n_samples)
    if late:
        read = _earlier(read, late, n_samples)
    return Opened(n_samples, read, INVALID_LSB.get(signal.fmt), late, unchecked)


def _earlier(read: Read, late: int, n: int) -> Read:
    """A signal that is stored `late` samples late, at its place; the last one goes on."""

    def lined_up(begin: int, end: int) -> decoding.Counts:
        there = read(min(begin + late, n), min(end + late, n))
        missing = end - begin - len(there)
        return np.concatenate([there, np.repeat(read(n - 1, n), missing)]) if missing else there

    return lined_up


def _check_sum(signal: Signal, n_samples: int, read: Read, name: str, path: Path) -> bool:
    """Whether the header's checksum was never computed; RecordError if it is another one.

    A header that says 0 or ends before has none. Its initial value proves nothing then: all
    headers of the 2017 challenge say 0, and 279 of 4,263 begin with another sample than they state.
    """
    if signal.checksum is None:
        return False
    found = sum(int(piece.sum(dtype=np.int64)) for piece in pieces(read, n_samples))
    if (found - signal.checksum) % 65536 == 0:
        return False
    if signal.checksum == 0:
        return True
    raise RecordError(
        f"record {name}: checksum of lead {signal.name} is wrong, {path.name} is corrupt: fetch "
        "it again (einthoven data fetch), or read it all the same with --no-checksum"
    )


def _check_present(header: Header, signal: Signal, name: str, path: Path) -> int | None:
    """Frames of the record, None if only the decoder can tell.

    Raises RecordError if the file is missing, too short or laid out as we cannot read.
    """
    if is_null(signal.file_name):
        raise RecordError(f"record {name}: lead {signal.name} has no signal file, only its name")
    if not path.is_file():
        raise RecordError(
            f"record {name}: signal file {path.name} is missing: fetch it again "
            "(einthoven data fetch)"
        )
    if signal.fmt not in _BYTES | INVALID_LSB:
        raise RecordError(
            f"record {name}: signal format {signal.fmt} of {path.name} is not "
            "supported: convert it with PhysioNet's xform"
        )
    bytes_per_sample = _BYTES.get(signal.fmt)
    if bytes_per_sample is None:
        return header.n_frames  # compressed: the decoder and the checksum decide
    per_frame = sum(s.samples_per_frame for s in _group(header, signal))
    size = path.stat().st_size - signal.byte_offset
    if header.n_frames is None:
        return int(max(size, 0) / (bytes_per_sample * per_frame))
    needed = math.ceil(bytes_per_sample * per_frame * header.n_frames)
    if size < needed:
        raise RecordError(
            f"record {name}: {path.name} is truncated ({size} of {needed} bytes): "
            "fetch it again (einthoven data fetch)"
        )
    return header.n_frames


def _group(header: Header, signal: Signal) -> list[Signal]:
    """The signals that share a file, in order."""
    return [s for s in header.signals if s.file_name == signal.file_name]


def _in_file(
    path: Path, header: Header, index: int, name: str, n_frames: int | None
) -> tuple[int, Read]:
    """How many samples a signal has in its file, and how they are read, as they are stored."""
    signal = header.signals[index]
    per_frame = [s.samples_per_frame for s in _group(header, signal)]
    if n_frames is not None and decoding.can_read(signal.fmt):
        own = _position(header, index)
        stored = decoding.Stored(path, signal.fmt, signal.byte_offset, per_frame, own)
        return n_frames * signal.samples_per_frame, stored.read
    whole = _decoded(path, header, index, name, n_frames)
    if header.n_frames and len(whole) != header.n_frames * signal.samples_per_frame:
        raise RecordError(
            f"record {name}: {path.name} holds {len(whole)} samples where the header says "
            f"{header.n_frames * signal.samples_per_frame}: fetch it again (einthoven data fetch)"
        )
    return len(whole), lambda begin, end: whole[begin:end]


def _decoded(
    path: Path, header: Header, index: int, name: str, n_frames: int | None
) -> decoding.Counts:
    """All samples of a signal whose format has to be read from its beginning."""
    import wfdb  # takes half a second, and few records are in such a format

    group = _group(header, header.signals[index])
    if n_frames == 0:
        return np.zeros(0, dtype=np.int32)
    lines = [f"r {len(group)} 250{'' if n_frames is None else f' {n_frames}'}"]
    for s in group:
        offset = f"+{s.byte_offset}" if s.byte_offset else ""
        start = 0 if s.initial_value is None else s.initial_value
        lines.append(f"s.dat {s.fmt}x{s.samples_per_frame}{offset} 1/mV 16 0 {start} 0 0 s")
    try:
        with tempfile.TemporaryDirectory() as scratch:
            (Path(scratch) / "r.hea").write_text("\n".join(lines) + "\n", encoding="ascii")
            (Path(scratch) / "s.dat").symlink_to(path.resolve())
            record = wfdb.rdrecord(
                f"{scratch}/r",
                channels=[_position(header, index)],
                physical=False,
                smooth_frames=False,
                return_res=32,
            )
    except Exception as error:  # wfdb raises whatever its decoder stumbles over
        raise RecordError(f"record {name} cannot be decoded: {error}") from error
    return np.asarray(record.e_d_signal[0], dtype=np.int32)


def _position(header: Header, index: int) -> int:
    """Which signal of its file signal `index` is."""
    own = header.signals[index].file_name
    return sum(s.file_name == own for s in header.signals[:index])
