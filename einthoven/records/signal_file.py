"""Signal files of WFDB records: one signal decoded, and checked against its header.

Format: signal(5) of the WFDB Applications Guide, https://physionet.org/physiotools/wag/signal-5.htm.
The bytes are decoded by the `wfdb` package, which is given a plain header made for the purpose:
it cannot read all that WFDB's C library reads (`header.py`). Checks, skew and what a header's 0
means are this module's.
"""

import math
import tempfile
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import numpy as np
import wfdb
from numpy.typing import NDArray

from einthoven.errors import RecordError
from einthoven.records.checksums import verify_sha256
from einthoven.records.header import Header, Signal, is_null

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
class Decoded:
    """One signal of a plain record."""

    samples: NDArray[np.int32]
    """[n] counts, lined up with the other signals."""
    invalid_lsb: int | None
    """The count that stands for "no value"; None if the format has none."""
    absent: int
    """So many of the last samples are not in the file, since the signal is skewed."""
    unchecked: bool
    """The header's checksum is 0 or missing where the samples' is not: it was not computed."""


def read_signal(
    root: Path | None, folder: Path, header: Header, index: int, name: str, check: bool = True
) -> Decoded:
    """Decode signal `index` of a plain record whose header lies in `folder`.

    Checks the size of the file, the SHA-256 if a list in `root` has one, and with `check` the
    header's 16-bit checksum. Raises RecordError.
    """
    signal = header.signals[index]
    path = folder / signal.file_name
    n_frames = _check_present(header, signal, name, path)
    if root is not None:
        verify_sha256(root, path)
    raw = _decode(path, header, index, name, n_frames)
    per_frame = signal.samples_per_frame
    if header.n_frames and len(raw) != header.n_frames * per_frame:
        raise RecordError(
            f"record {name}: {path.name} holds {len(raw)} samples where the header says "
            f"{header.n_frames * per_frame}: fetch it again (einthoven data fetch)"
        )
    unchecked = _check_sum(signal, raw, name, path) if check else False
    late = min(signal.skew_frames * per_frame, len(raw))
    if late:
        raw = np.concatenate([raw[late:], np.full(late, raw[-1], dtype=np.int32)])
    return Decoded(raw, INVALID_LSB.get(signal.fmt), late, unchecked)


def _check_sum(signal: Signal, raw: NDArray[np.int32], name: str, path: Path) -> bool:
    """Whether the header's checksum was never computed; RecordError if it is another one.

    A header that says 0 (the 8,528 of the 2017 challenge do) or ends before has none; its
    initial value must fit then, if it states one.
    """
    found = int(raw.sum(dtype=np.int64))
    if signal.checksum is None:
        return False
    if (found - signal.checksum) % 65536 == 0:
        return False
    initial = signal.initial_value
    if signal.checksum == 0 and (not initial or not len(raw) or initial == raw[0]):
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


def _decode(
    path: Path, header: Header, index: int, name: str, n_frames: int | None
) -> NDArray[np.int32]:
    signal = header.signals[index]
    group = _group(header, signal)
    if n_frames == 0:
        return np.zeros(0, dtype=np.int32)
    fmt = "16" if signal.fmt == "61" else signal.fmt  # wfdb stumbles over its own byte order
    lines = [f"r {len(group)} 250{'' if n_frames is None else f' {n_frames}'}"]
    for s in group:
        offset = f"+{s.byte_offset}" if s.byte_offset else ""
        start = 0 if s.initial_value is None else s.initial_value
        lines.append(f"s.dat {fmt}x{s.samples_per_frame}{offset} 1/mV 16 0 {start} 0 0 s")
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
    decoded = record.e_d_signal[0]
    if signal.fmt == "61":
        decoded = decoded.astype(np.int16).byteswap()
    return np.asarray(decoded, dtype=np.int32)


def _position(header: Header, index: int) -> int:
    """Which signal of its file signal `index` is."""
    own = header.signals[index].file_name
    return sum(s.file_name == own for s in header.signals[:index])
