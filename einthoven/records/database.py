"""Databases of WFDB records on this machine, and which of their records are meant."""

import os
import re
from pathlib import Path

from einthoven.aami import DS1, DS2
from einthoven.errors import RecordError
from einthoven.paths import ROOT, cache_dir

DEFAULT_DATABASE = "mitdb"
_NAME = re.compile(r"[\w-]{1,100}(/[\w-]{1,100})*")


def locate_database(data: Path | None, db: str = DEFAULT_DATABASE) -> Path | None:
    """Folder of database `db`, without downloading: None if it is nowhere.

    Looked for in `data` and nowhere else if that is given; then in `$EINTHOVEN_DATA`, in
    `../shared/data` beside the checkout, and in the user's cache if it is there as a whole.
    The first two are a folder of WFDB records, or one that holds databases by name. Raises
    RecordError when `data` has no records.
    """
    if data is not None:
        found = _database_in(data, db)
        if found is None:
            what = "has no WFDB records" if data.is_dir() else "is not a folder"
            raise RecordError(
                f"{data} {what}: name a folder of *.hea files or one that holds {db}/ with --data"
            )
        return found
    env = os.environ.get("EINTHOVEN_DATA")
    if env:
        found = _database_in(Path(env), db)
        # A folder of records without a database's name is taken for the default one.
        if found is not None and (found.name == db or db == DEFAULT_DATABASE):
            return found
    for folder in (ROOT.parent / "shared" / "data" / db, cached_database(db)):
        names = all_records(folder) if folder.is_dir() else []
        if names and all(beside(folder, n, ".hea").is_file() for n in names):
            return folder
    return None


def cached_database(db: str) -> Path:
    """Where a database is downloaded to."""
    return cache_dir() / "records" / db


def _database_in(folder: Path, db: str) -> Path | None:
    if (folder / db).is_dir() and all_records(folder / db):
        return folder / db
    # Only a folder's own headers count: one that holds other databases is not a database.
    has_own = (folder / "RECORDS").is_file() or any(folder.glob("*.hea"))
    return folder if has_own else None


def record_names(folder: Path, selection: str) -> list[str]:
    """Names of the records that `selection` means, each of which has a header in `folder`.

    `selection`: names with commas between ("100,119"), "ds1", "ds2" (de Chazal's split of
    MIT-BIH), or "all": the records of the folder's RECORDS file, else every `*.hea`, sorted.
    Raises RecordError if there are none or if one that was named is not there.
    """
    names = selected_names(selection) or all_records(folder)
    if not names:
        raise RecordError(f"{folder} has no WFDB records (*.hea)")
    for name in names:
        # What is made of a record is filed under its name, by the rules for WFDB's names.
        if not _NAME.fullmatch(name):
            raise RecordError(
                f"{name[:60]!r} is no record's name (letters, digits, - and _): name records as "
                f"100,119 and their folder with --data"
            )
    missing = [n for n in names if not beside(folder, n, ".hea").is_file()]
    if missing:
        there = all_records(folder)
        span = (
            f"{there[0]} to {there[-1]} ({len(there)} record{'' if len(there) == 1 else 's'})"
            if there
            else "no records"
        )
        raise RecordError(f"record {', '.join(missing)} is not in {folder}, which has {span}")
    return names


def selected_names(selection: str) -> list[str] | None:
    """The names that `selection` means, as of `record_names`; None for "all"."""
    chosen = selection.strip()
    if chosen.lower() == "all":
        return None
    if chosen.lower() in ("ds1", "ds2"):
        return list(DS1 if chosen.lower() == "ds1" else DS2)
    names = list(dict.fromkeys(s.strip() for s in chosen.split(",") if s.strip()))
    if not names:
        raise RecordError("no record named: give 100,119 or ds1, ds2, all")
    return names


def all_records(folder: Path) -> list[str]:
    """Names of all records of `folder`: those of its RECORDS file, else of its headers."""
    listing = folder / "RECORDS"
    if listing.is_file():
        return listing.read_text(encoding="utf-8", errors="replace").split()
    return headers(folder)


def headers(folder: Path) -> list[str]:
    """Names of the records whose headers are in `folder`, sorted."""
    # Some databases (ptbdb) keep their records in a folder per patient.
    found = (p.relative_to(folder) for p in folder.rglob("*.hea") if not p.name.startswith("."))
    return sorted(p.with_suffix("").as_posix() for p in found)


def beside(folder: Path, name: str, suffix: str) -> Path:
    """The file of record `name` with that suffix; a name may hold folders."""
    return folder / f"{name}{suffix}"
