"""Databases of WFDB records on this machine, and which of their records are meant."""

import os
import re
from collections.abc import Callable, Sequence
from fnmatch import fnmatchcase
from functools import cache
from itertools import product
from pathlib import Path

from einthoven.aami import DS1, DS2
from einthoven.errors import RecordError
from einthoven.paths import IN_CHECKOUT, ROOT, cache_dir
from einthoven.records.header import master_segments
from einthoven.records.table_layout import is_signal_table

DEFAULT_DATABASE = "mitdb"
OTHER_SUFFIXES = (".edf", ".bdf", ".csv")
"""What a record without a header may be, in order of preference."""

_DEPTH = 5
"""RECORDS files that list folders with RECORDS files: no deeper than this."""
_NAME = re.compile(r"[\w-][\w.-]{0,99}(/[\w-][\w.-]{0,99})*")


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
            if data.is_file() and (one := named_recording(data)) is not None:
                raise RecordError(f"{data} is a file: say --data {one[0]} --records {one[1]}")
            what = "has no WFDB records" if data.is_dir() else "is not a folder"
            raise RecordError(
                f"{data} {what}: name a folder of *.hea (or EDF, BDF, CSV) files or one that holds "
                f"{db}/ with --data"
            )
        return found
    env = os.environ.get("EINTHOVEN_DATA")
    if env:
        found = _database_in(Path(env), db)
        # A folder of records without a database's name is taken for the default one.
        if found is not None and (found.name == db or db == DEFAULT_DATABASE):
            return found
    shared = [ROOT.parent / "shared" / "data" / db] if IN_CHECKOUT else []
    for folder in (*shared, cached_database(db)):
        names = all_records(folder) if folder.is_dir() else []
        if names and all(recording_path(folder, n).is_file() for n in names):
            return folder
    return None


def cached_database(db: str) -> Path:
    """Where a database is downloaded to."""
    return cache_dir() / "records" / db


def _database_in(folder: Path, db: str) -> Path | None:
    if (folder / db).is_dir() and all_records(folder / db):
        return folder / db
    # Only a folder's own headers count: one that holds other databases is not a database.
    if not folder.is_dir():
        return None
    has_own = (folder / "RECORDS").is_file() or any(
        p.suffix.lower() in (".hea", *OTHER_SUFFIXES) for p in folder.iterdir()
    )
    return folder if has_own else None


def record_names(folder: Path, selection: str) -> list[str]:
    """Names of the records that `selection` means, each of which is in `folder`.

    `selection`, with commas between: names ("100,119"), their files ("x.edf"), patterns of names
    ("1*", "p0?/*"), "@FILE" (a file with a selection a line), "ds1", "ds2" (de Chazal's split of
    MIT-BIH), or "all": the records of the folder's RECORDS file, which may list folders, else
    every recording in it, sorted. Raises RecordError if there are none or if one that was named
    is not there.
    """
    chosen = selected_names(selection)
    everything = cache(lambda: all_records(folder))
    names = everything() if chosen is None else fitting(chosen, everything, folder)
    if chosen is not None:
        names = list(dict.fromkeys(_without_ending(folder, name) for name in names))
    if not names:
        raise RecordError(f"{folder} has no WFDB records (*.hea), EDF, BDF or CSV files")
    # A file that is there but has no record's name is one bad record among the others.
    found = chosen is None and not (folder / "RECORDS").is_file()
    for name in [] if found else names:
        # What is made of a record is filed under its name, by the rules for WFDB's names.
        if not _NAME.fullmatch(name):
            raise RecordError(
                f"{name[:60]!r} is no record's name (letters, digits, . - and _): name records as "
                f"100,119 and their folder with --data"
            )
    missing = [n for n in names if not recording_path(folder, n).is_file()]
    if missing:
        there = everything()
        number = "1 record" if len(there) == 1 else f"{len(there)} records"
        span = f"{there[0]} to {there[-1]} ({number})" if there else "no records"
        raise RecordError(f"record {_listed(missing)} is not in {folder}, which has {span}")
    return names


def _without_ending(folder: Path, name: str) -> str:
    """The record that `name` means where it is a file's (`x.edf`), else `name`."""
    if not _NAME.fullmatch(name) or recording_path(folder, name).is_file():
        return name
    found = named_recording(folder / name)
    return name if found is None else (found[0] / found[1]).relative_to(folder).as_posix()


def _listed(names: list[str], most: int = 10) -> str:
    more = f" and {len(names) - most} more" if len(names) > most else ""
    return ", ".join(names[:most]) + more


def selected_names(selection: str) -> list[str] | None:
    """The names and patterns that `selection` means, as of `record_names`; None for "all"."""
    chosen = _items(selection)
    return None if chosen == ["all"] else chosen


def _items(selection: str) -> list[str]:
    """The parts of a selection, each once, with files and splits replaced by what they list."""
    items: list[str] = []
    for part in (s.strip() for s in selection.split(",")):
        if part.startswith("@"):
            items += _listed_in(Path(part[1:]))
        elif part.lower() in ("ds1", "ds2"):
            items += DS1 if part.lower() == "ds1" else DS2
        elif part:
            items.append("all" if part.lower() == "all" else part)
    if not items:
        raise RecordError("no record named: give 100,119 or ds1, ds2, all")
    return ["all"] if "all" in items else list(dict.fromkeys(items))


def _listed_in(path: Path) -> list[str]:
    """The selection in a file: names and patterns by line or comma; `#` starts a comment."""
    try:
        text = path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or "it is no text"
        raise RecordError(f"the list of records {path} cannot be read: {reason}") from None
    lines = [line.partition("#")[0] for line in text.splitlines()]
    return [name.strip() for line in lines for name in line.split(",") if name.strip()]


def is_pattern(item: str) -> bool:
    """Whether part of a selection stands for several names."""
    return any(c in item for c in "*?[")


def fitting(items: Sequence[str], there: Callable[[], Sequence[str]], where: object) -> list[str]:
    """Names, with each pattern replaced by those of `there()` that fit it. Raises RecordError."""
    names: list[str] = []
    for item in items:
        if not is_pattern(item):
            names.append(item)
            continue
        fit = [name for name in there() if fnmatchcase(name, item)]
        if not fit:
            raise RecordError(f"no record in {where} fits {item}")
        names += fit
    return list(dict.fromkeys(names))


def all_records(folder: Path) -> list[str]:
    """Names of all records of `folder`: those of its RECORDS file, else all recordings in it."""
    listing = folder / "RECORDS"
    return _of_listing(folder, listing, 0) if listing.is_file() else recordings(folder)


def _of_listing(folder: Path, listing: Path, depth: int) -> list[str]:
    """What a RECORDS file lists; of a folder in it the RECORDS file, else the recordings."""
    names: list[str] = []
    here = listing.parent.relative_to(folder)
    for entry in listing.read_text(encoding="utf-8", errors="replace").split():
        name = (here / entry).as_posix()
        inner = folder / name
        if not inner.is_dir() or recording_path(folder, name).is_file():
            names.append(name)
        elif (inner / "RECORDS").is_file() and depth < _DEPTH:
            names += _of_listing(folder, inner / "RECORDS", depth + 1)
        else:
            names += [f"{name}/{found}" for found in recordings(inner)]
    return list(dict.fromkeys(names))


def headers(folder: Path) -> list[str]:
    """Names of the records whose headers are in `folder`, sorted."""
    # Some databases (ptbdb) keep their records in a folder per patient.
    found = (p.relative_to(folder) for p in folder.rglob("*.hea") if not p.name.startswith("."))
    return sorted(p.with_suffix("").as_posix() for p in found)


def recordings(folder: Path) -> list[str]:
    """Names of all recordings in `folder`, sorted: headers, EDF, BDF and CSV files.

    Left out: the segments that a record is made of, and tables that are no signals.
    """
    names = headers(folder)
    parts: set[str] = set()
    for name in names:
        path = beside(folder, name, ".hea")
        parent = Path(name).parent
        parts.update((parent / s).as_posix() for s in master_segments(path))
    found = {name for name in names if name not in parts}
    for path in sorted(folder.rglob("*.*")):
        suffix = path.suffix.lower()
        if suffix not in OTHER_SUFFIXES or path.name.startswith("."):
            continue
        if suffix != ".csv" or is_signal_table(path):
            found.add(path.relative_to(folder).with_suffix("").as_posix())
    return sorted(found)


def require_name(name: str) -> None:
    """Raise RecordError if what is made of a recording could not be filed under its name."""
    if not _NAME.fullmatch(name):
        raise RecordError(
            f"record {name!r}: rename its files to letters, digits, . - and _, without blanks"
        )


def recording_path(folder: Path, name: str) -> Path:
    """The file that record `name` is read from: its header, else an EDF, BDF or CSV file.

    Endings of the latter count in any case. Its header's path if there is none of them.
    """
    header = beside(folder, name, ".hea")
    if not header.is_file():
        for suffix in OTHER_SUFFIXES:
            for written in (suffix, suffix.upper(), *_also_written(suffix)):
                path = beside(folder, name, written)
                if path.is_file():
                    return path
    return header


@cache
def _also_written(suffix: str) -> tuple[str, ...]:
    """An ending in all mixtures of cases: recorders and people write `.Edf`, too."""
    mixed = map("".join, product(*((c, c.upper()) for c in suffix[1:])))
    return tuple(f".{letters}" for letters in mixed if not letters.islower() | letters.isupper())


def named_recording(path: Path) -> tuple[Path, str] | None:
    """Folder and name of the recording that a path means; None if it means none that is there.

    A path is a record's name ("folder/100"), its header or signal file, or an EDF, BDF or CSV file.
    Raises RecordError for a file that is not read, as another of its name is.
    """
    suffix = path.suffix.lower()
    if suffix in (".hea", ".dat") and beside(path.parent, path.stem, ".hea").is_file():
        return path.parent, path.stem
    if suffix in OTHER_SUFFIXES and path.is_file():
        read = recording_path(path.parent, path.stem)
        if not read.samefile(path):
            raise RecordError(
                f"{path} is not read, {read.name} beside it is, which has the same name: name "
                f"{path.with_suffix('')} for that, or rename one"
            )
        return path.parent, path.stem
    return (path.parent, path.name) if recording_path(path.parent, path.name).is_file() else None


def find_recording(path: Path) -> tuple[Path, str] | None:
    """The same; and where nothing is there, `mitdb/100` means a record of that database."""
    found = named_recording(path)
    if found is None and len(path.parts) > 1 and not path.parent.exists():
        below = below_database(path)
        found = None if below is None else named_recording(below)
    return found


def below_database(path: Path) -> Path | None:
    """Where `mitdb` or `mitdb/100.atr` is; None for what does not begin with a database's name."""
    first = path.parts[0] if path.parts else ""
    folder = locate_database(None, first) if _NAME.fullmatch(first) else None
    return None if folder is None else folder.joinpath(*path.parts[1:])


def beside(folder: Path, name: str, suffix: str) -> Path:
    """Path of a record's file with that suffix."""
    return folder / f"{name}{suffix}"
