"""Write a one-lead WFDB record with its reference annotations."""

import tempfile
from pathlib import Path

import numpy as np
import wfdb

from einthoven.errors import RecordError
from einthoven.records.annotations import Annotations, write_annotations
from einthoven.records.record import Record


def write_record(
    record: Record, reference: Annotations, folder: Path, name: str, fmt: str = "16"
) -> None:
    """Write `<name>.hea`, `.dat` in WFDB format `fmt`, and `.atr`: all of them or none.

    Raises RecordError.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix=".", dir=folder) as half:
            _write(record, reference, Path(half), name, fmt)
            for suffix in (".dat", ".atr", ".hea"):  # the header last: it announces the others
                (Path(half) / f"{name}{suffix}").replace(folder / f"{name}{suffix}")
    except OSError as error:
        raise RecordError(f"cannot write {folder / name}: {error.strerror}") from error


def _write(record: Record, reference: Annotations, folder: Path, name: str, fmt: str) -> None:
    wfdb.wrsamp(
        name,
        fs=record.rate_hz,
        units=["mV"],
        sig_name=[record.lead],
        d_signal=record.samples.astype(np.int64).reshape(-1, 1),
        fmt=[fmt],
        adc_gain=[record.gain_lsb_per_mv],
        baseline=[record.baseline_lsb],
        comments=list(record.comments),
        write_dir=str(folder),
    )
    write_annotations(
        folder,
        name,
        "atr",
        reference.samples,
        reference.symbols.tolist(),
        record.rate_hz,
        subtype=reference.subtype,
        aux=reference.aux,
    )
