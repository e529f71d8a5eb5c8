"""WFDB annotation files: what is marked at which sample of a record.

Format: annot(5) of the WFDB Applications Guide, https://physionet.org/physiotools/wag/annot-5.htm.
"""

import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import numpy as np
import wfdb
from numpy.typing import ArrayLike, NDArray

from einthoven.errors import RecordError
from einthoven.records.checksums import verify_sha256


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
    """Rate of `samples`, from the file itself or else its record's header; None if unknown."""

    def __len__(self) -> int:
        return len(self.samples)

    @classmethod
    def of(
        cls, samples: ArrayLike, symbols: Sequence[str], rate_hz: float | None = None
    ) -> "Annotations":
        """Plain annotations: everything but time and symbol empty."""
        times = np.asarray(samples, dtype=np.int64)
        zero = np.zeros(len(times), dtype=np.int16)
        aux = ("",) * len(times)
        return cls(times, np.array(list(symbols), dtype=np.str_), zero, zero, zero, aux, rate_hz)


def rescale_times(times: NDArray[np.int64], ratio: Fraction) -> NDArray[np.int64]:
    """times × ratio, rounded to the nearest integer (halves up), in exact arithmetic."""
    return (2 * times * ratio.numerator + ratio.denominator) // (2 * ratio.denominator)


def read_annotations(folder: Path, name: str, annotator: str = "atr") -> Annotations:
    """Read the annotation file `<name>.<annotator>` of `folder`. Raises RecordError."""
    path = folder / f"{name}.{annotator}"
    if not path.is_file():
        raise RecordError(f"record {name} has no annotations {path.name} in {folder}")
    verify_sha256(folder, path)
    if not path.read_bytes().endswith(b"\0\0"):
        raise RecordError(f"{path} is truncated or not a WFDB annotation file")
    try:
        read = wfdb.rdann(str(folder / name), annotator)
    except Exception as error:  # wfdb raises whatever its decoder stumbles over
        raise RecordError(f"{path} is not a WFDB annotation file ({error})") from error
    return Annotations(
        samples=np.asarray(read.sample, dtype=np.int64),
        symbols=np.array(read.symbol, dtype=np.str_),
        subtype=np.asarray(read.subtype, dtype=np.int16),
        chan=np.asarray(read.chan, dtype=np.int16),
        num=np.asarray(read.num, dtype=np.int16),
        aux=tuple(s.rstrip("\0") for s in read.aux_note),
        rate_hz=float(read.fs) if read.fs else None,
    )


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
    `num` (-128 to 127 each) and `aux` as in Annotations, empty by default. Returns the path.
    Raises RecordError.
    """
    path = folder / f"{name}.{annotator}"
    times = np.asarray(samples, dtype=np.int64)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=path.parent) as scratch:
            if len(times):
                wfdb.wrann(
                    path.stem,
                    annotator,
                    times,
                    symbol=list(symbols),
                    subtype=None if subtype is None else np.asarray(subtype, dtype=np.int64),
                    num=None if num is None else np.asarray(num, dtype=np.int64),
                    aux_note=None if aux is None else list(aux),
                    fs=rate_hz,
                    write_dir=scratch,
                )
            else:  # an annotation file without annotations is its end mark
                (Path(scratch) / path.name).write_bytes(b"\0\0")
            (Path(scratch) / path.name).replace(path)
    except OSError as error:
        raise RecordError(f"cannot write {path}: {error.strerror or error}") from error
    except ValueError as error:
        raise RecordError(f"cannot write {path}: {error}") from error
    return path
