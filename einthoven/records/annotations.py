"""WFDB annotation files: what is marked at which sample of a record.

Format: annot(5) of the WFDB Applications Guide, https://physionet.org/physiotools/wag/annot-5.htm.
"""

import re
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import ArrayLike, NDArray

from einthoven.errors import RecordError
from einthoven.records.annotation_file import Columns, decode, encode
from einthoven.records.checksums import verify_sha256
from einthoven.records.header import read_header
from einthoven.records.rates import rational_ratio, rescale_times

ANNOTATOR = "ein"
"""Suffix of the annotation files that Einthoven writes."""
_RESOLUTION = re.compile(rb"## time resolution: (\d+\.?\d*(?:e[-+]?\d+)?)")
_AHA_CODES = b"NVFEPQURO"
_LONGEST_NOTE = 255
"""Characters: a note's length is a byte of the file."""


@dataclass(frozen=True)
class Annotations:
    """A WFDB annotation file: arrays of equal length, in order of time."""

    samples: NDArray[np.int64]
    """[n] sample numbers at `rate_hz`."""
    symbols: NDArray[np.str_]
    """[n] WFDB mnemonics, one character each (`N`, `V`, `+`, `~` …)."""
    subtype: NDArray[np.int16]
    chan: NDArray[np.int16]
    num: NDArray[np.int16]
    aux: tuple[str, ...]
    """[n] texts, such as `(AFIB` at a rhythm change; empty for most."""
    rate_hz: float | None = None
    """Rate of `samples`: the file's own time resolution, else the frames of the record's header;
    None if unknown. It need not be the rate of any signal."""

    def __len__(self) -> int:
        return len(self.samples)

    def times_s(self, record_rate_hz: float) -> NDArray[np.float64]:
        """[n] times in seconds; `record_rate_hz` is meant where the file states no other rate."""
        return self.samples / (self.rate_hz or record_rate_hz)

    @classmethod
    def of(
        cls, samples: ArrayLike, symbols: Sequence[str], rate_hz: float | None = None
    ) -> "Annotations":
        """Plain annotations: everything but time and symbol empty."""
        times = np.asarray(samples, dtype=np.int64)
        zero = np.zeros(len(times), dtype=np.int16)
        aux = ("",) * len(times)
        return cls(times, np.array(list(symbols), dtype=np.str_), zero, zero, zero, aux, rate_hz)


def read_annotations(folder: Path, name: str, annotator: str = "atr") -> Annotations:
    """Read the annotation file `<name>.<annotator>` of `folder`. Raises RecordError."""
    path = folder / f"{name}.{annotator}"
    if not path.is_file():
        raise RecordError(f"record {name} has no annotations {path.name} in {folder}")
    verify_sha256(folder, path)
    data = path.read_bytes()
    if _is_aha(data):
        raise RecordError(
            f"{path} is in the AHA's format, which is not supported: convert it with PhysioNet's "
            "programs (rdann | wrann)"
        )
    if not data.endswith(b"\0\0"):
        raise RecordError(f"{path} is truncated or not a WFDB annotation file")
    columns = decode(data) or _decode_unusual(path, annotator)
    return Annotations(*columns, rate_hz=_own_rate(data) or _header_rate(folder, name))


def _decode_unusual(path: Path, annotator: str) -> Columns:
    import wfdb  # takes half a second

    try:
        read = wfdb.rdann(str(path).removesuffix(f".{annotator}"), annotator)
    except Exception as error:  # wfdb raises whatever its decoder stumbles over
        raise RecordError(f"{path} is not a WFDB annotation file ({error})") from error
    return Columns(
        samples=np.asarray(read.sample, dtype=np.int64),
        symbols=np.array(read.symbol, dtype=np.str_),
        subtype=np.asarray(read.subtype, dtype=np.int16),
        chan=np.asarray(read.chan, dtype=np.int16),
        num=np.asarray(read.num, dtype=np.int16),
        aux=tuple(s.rstrip("\0") for s in read.aux_note),
    )


def _is_aha(data: bytes) -> bool:
    """By the first two bytes, as WFDB's `annopen` tells them: a null, and a code of the AHA's."""
    return len(data) >= 2 and data[0] == 0 and data[1] in _AHA_CODES


def _own_rate(data: bytes) -> float | None:
    """Time resolution in Hz that a note at the beginning of the file states."""
    stated = _RESOLUTION.search(data[:1024])
    return float(stated[1]) or None if stated else None


def _header_rate(folder: Path, name: str) -> float | None:
    if not (folder / f"{name}.hea").is_file():
        return None
    try:
        return read_header(folder, name).rate_hz
    except RecordError:
        return None


def at_rate(annotations: Annotations, rate_hz: float) -> Annotations:
    """The same annotations with their times at another rate; as they are if theirs is unknown."""
    if annotations.rate_hz in (None, rate_hz):
        return annotations
    ratio = rational_ratio(rate_hz, annotations.rate_hz)
    return replace(annotations, samples=rescale_times(annotations.samples, ratio), rate_hz=rate_hz)


def write_annotations(
    folder: Path,
    name: str,
    annotator: str,
    samples: ArrayLike,
    symbols: Sequence[str],
    rate_hz: float,
    *,
    subtype: ArrayLike | None = None,
    num: ArrayLike | None = None,
    aux: Sequence[str] | None = None,
) -> Path:
    """Write `<name>.<annotator>` in MIT format, with its rate in it, whole or not at all.

    PhysioNet's programs read it (`bxb -r 100 -a atr ein`). Times must not decrease. `subtype`,
    `num` (0 to 127) and `aux` as in Annotations, empty by default. Returns the path.
    Raises RecordError, also for a note that the format cannot hold.
    """
    path = folder / f"{name}.{annotator}"
    for note in aux or ():
        # The writer takes a longer one's length modulo 256, and moves what comes after it.
        if len(note) > _LONGEST_NOTE or any(ord(c) > 255 for c in note):
            raise RecordError(
                f"cannot write {path}: a note may have {_LONGEST_NOTE} characters of Latin-1, not "
                f"{note!r}; shorten or spell it otherwise"
            )
    times = np.asarray(samples, dtype=np.int64)
    zero = np.zeros(len(times), dtype=np.int64)
    kinds, numbers = (
        zero if field is None else np.asarray(field, dtype=np.int64) for field in (subtype, num)
    )
    notes = [""] * len(times) if aux is None else list(aux)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=path.parent) as scratch:
            written = Path(scratch) / f"r.{annotator}"
            if not len(times):  # an annotation file without annotations is its end mark
                written.write_bytes(b"\0\0")
            elif data := encode(times, symbols, rate_hz, kinds, numbers, notes):
                written.write_bytes(data)
            else:
                _encode_unusual(written, times, symbols, rate_hz, kinds, numbers, notes)
            written.replace(path)
    except OSError as error:
        raise RecordError(f"cannot write {path}: {error.strerror or error}") from error
    except ValueError as error:
        raise RecordError(f"cannot write {path}: {error}") from error
    return path


def _encode_unusual(
    path: Path,
    samples: NDArray[np.int64],
    symbols: Sequence[str],
    rate_hz: float,
    subtype: NDArray[np.int64],
    num: NDArray[np.int64],
    aux: Sequence[str],
) -> None:
    """Raises ValueError for what cannot be written."""
    import wfdb

    wfdb.wrann(
        path.stem,  # it allows no dot in it
        path.suffix[1:],
        samples,
        symbol=list(symbols),
        subtype=subtype,
        num=num,
        aux_note=list(aux),
        fs=rate_hz,
        write_dir=str(path.parent),
    )
