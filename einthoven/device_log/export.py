"""A log exported in one call: page, WFDB, EDF+ and CSV below one folder, or sealed in one file."""

import io
import zipfile
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import tzinfo
from pathlib import Path
from tempfile import TemporaryDirectory

from einthoven.device_log.beats import with_beats
from einthoven.device_log.csv_export import write_csv
from einthoven.device_log.description import DeviceLog
from einthoven.device_log.edf_export import write_edf
from einthoven.device_log.files import whole_files
from einthoven.device_log.page import write_page
from einthoven.device_log.times import Clock
from einthoven.device_log.wfdb_export import write_wfdb
from einthoven.errors import UsageError
from einthoven.fleet import operator

FORMATS = ("page", "wfdb", "edf", "csv")
_ZIP_TIME = (1980, 1, 1, 0, 0, 0)


@dataclass(frozen=True)
class Options:
    """What is exported, and how."""

    formats: Sequence[str] = FORMATS
    patient: str = ""
    zone: tzinfo | None = None
    """Times are told in it; None: in this computer's."""


def parse_formats(text: str) -> tuple[str, ...]:
    """`page,edf` as names. Raises UsageError."""
    names = tuple(dict.fromkeys(name.strip().lower() for name in text.split(",") if name.strip()))
    unknown = [name for name in names if name not in FORMATS]
    if unknown or not names:
        raise UsageError(
            f"no format '{unknown[0] if unknown else text}': name some of {', '.join(FORMATS)}"
        )
    return names


def export(log: DeviceLog, folder: Path, options: Options) -> list[Path]:
    """Write a log's exports below `folder`; returns what to look at, the page first.

    Each format appears whole or not at all. Raises RecordError, BuildError, OSError.
    """
    log = with_beats(log)
    clock = Clock.of(log, options.zone)
    made = []
    if "page" in options.formats:
        made.append(write_page(log, folder, clock, options.patient))
    if "wfdb" in options.formats:
        write_wfdb(log, folder / "wfdb", clock)
        made.append(folder / "wfdb")
    if "edf" in options.formats:
        write_edf(log, folder / "edf", clock, options.patient)
        made.append(folder / "edf")
    if "csv" in options.formats:
        write_csv(log, folder / "csv", clock)
        made.append(folder / "csv")
    return made


def export_sealed(log: DeviceLog, path: Path, options: Options, to: Path) -> Path:
    """Write the same as one zip file that only the operator can open: `to` is his public key.

    Nothing that can be read is left on the disk. Raises KeysError, and as `export`.
    """
    operator.seal(b"", to)  # a wrong key is told before the work
    with TemporaryDirectory() as scratch:
        export(log, Path(scratch), options)
        content = operator.seal(_zipped(Path(scratch)), to)
    with whole_files(path.parent) as half:
        (half / path.name).write_bytes(content)
    return path


def _zipped(folder: Path) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for path in sorted(p for p in folder.rglob("*") if p.is_file()):
            entry = zipfile.ZipInfo(path.relative_to(folder).as_posix(), _ZIP_TIME)
            entry.compress_type = zipfile.ZIP_DEFLATED
            archive.writestr(entry, path.read_bytes())
    return buffer.getvalue()
