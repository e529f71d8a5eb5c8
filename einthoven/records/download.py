"""Fetch databases from PhysioNet and verify what was fetched.

A file appears under its name only when its SHA-256 is right; until then it is `<name>.part`,
which a later call goes on with (HTTP Range). The digests of mitdb and nstdb are pinned in
`einthoven/records/sums/`; those of other databases are PhysioNet's own SHA256SUMS.txt.
"""

import fcntl
import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import requests
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    TextColumn,
    TimeRemainingColumn,
)
from urllib3.exceptions import NewConnectionError

from einthoven.errors import DISK_FULL, DownloadError, RecordError
from einthoven.records.checksums import folder_sums, parse_sums, sha256_file
from einthoven.records.database import (
    DEFAULT_DATABASE,
    cached_database,
    fitting,
    headers,
    locate_database,
    selected_names,
)
from einthoven.records.record import verify_record

BASE_URL = "https://physionet.org/files"
SUMS_NAME = "SHA256SUMS.txt"

_PINNED = Path(__file__).parent / "sums"
# The header comes last: a record that has one is complete.
_SUFFIXES = (".dat", ".xyz", ".atr", ".hea")
_LISTS = ("RECORDS", "ANNOTATORS")
_ATTEMPTS = 5
_TIMEOUT_S = (10, 30)
# What a broken connection loses at most; small, so that a bad line makes progress too.
_CHUNK_BYTES = 4096
_BROKEN = (
    requests.ConnectionError,
    requests.Timeout,
    requests.exceptions.ChunkedEncodingError,
)


@dataclass(frozen=True)
class Database:
    """A database of PhysioNet that Einthoven knows how to fetch."""

    name: str
    title: str
    records: int
    rate_hz: int
    doi: str
    version: str = "1.0.0"


_DATABASES = (
    Database("mitdb", "MIT-BIH Arrhythmia Database", 48, 360, "10.13026/C2F305"),
    Database("nstdb", "MIT-BIH Noise Stress Test Database", 15, 360, "10.13026/C2HS3T"),
    Database("svdb", "MIT-BIH Supraventricular Arrhythmia Database", 78, 128, "10.13026/C2V30W"),
    Database("incartdb", "St Petersburg INCART Arrhythmia Database", 75, 257, "10.13026/C2V88N"),
    Database("ptbdb", "PTB Diagnostic ECG Database", 549, 1000, "10.13026/C28C71"),
)


def list_databases() -> tuple[Database, ...]:
    """The databases that `fetch` knows, mitdb first."""
    return _DATABASES


def find_database(data: Path | None, db: str = DEFAULT_DATABASE, selection: str = "all") -> Path:
    """Folder that holds the records of database `db`, downloading them if there is none.

    Looked for as `locate_database` does; else `selection` of it (see `record_names`) is
    downloaded from PhysioNet to the user's cache. Raises RecordError when `data` has none,
    DownloadError.
    """
    found = locate_database(data, db)
    if found is not None:
        return found
    return fetch(db, cached_database(db), selection)


def fetch(
    db: str,
    dest: Path,
    selection: str = "all",
    *,
    progress: bool = True,
    retry_wait_s: float = 1.0,
) -> Path:
    """Make sure that the records that `selection` means are in `dest`, complete and verified.

    `selection` as of `database.record_names`. What is there already is verified and kept, so a
    call that has nothing to do needs no network. `$EINTHOVEN_PHYSIONET` replaces PhysioNet's
    address. Returns `dest`. Raises DownloadError; what was fetched so far stays and is gone on
    with next time.
    """
    known = {d.name: d for d in _DATABASES}
    if db not in known:
        raise DownloadError(f"unknown database {db}: there are {', '.join(known)}")
    server = os.environ.get("EINTHOVEN_PHYSIONET", BASE_URL).rstrip("/")
    url = f"{server}/{db}/{known[db].version}"
    try:
        dest.mkdir(parents=True, exist_ok=True)
        with _only_one(dest), requests.Session() as session:
            if pinned := _pinned(db):
                _write_sums(dest, pinned)
            sums = pinned or folder_sums(dest) or _fetch_sums(session, url, dest, retry_wait_s)
            wanted = _files_of(db, sums, selection)
            todo = [f for f in wanted if not _is_good(dest / f, sums[f])]
            _fetch_files(session, url, dest, {f: sums[f] for f in todo}, progress, retry_wait_s)
    except OSError as error:
        raise _as_download_error(error, dest) from error
    for name in sorted({f.removesuffix(".hea") for f in todo if f.endswith(".hea")}):
        try:
            verify_record(dest, name)
        except RecordError as error:
            raise DownloadError(f"{db} as fetched does not verify: {error}") from error
    return dest


@dataclass(frozen=True)
class Verification:
    """What `verify` looked at and what it found."""

    folder: Path
    files: int
    """Files whose SHA-256 was compared."""
    records: int
    """Records whose header checksums were compared."""
    problems: tuple[str, ...]
    """One line each; empty: all is well."""


def verify(folder: Path) -> Verification:
    """Check the SHA-256 of every file that a list knows, and each record's WFDB checksums.

    The list is the pinned one if the folder is named after a database that has one, else the
    folder's own. Records that are not there are not a problem, those that are half there are.
    Raises RecordError if there are none.
    """
    sums = _pinned(folder.name) or folder_sums(folder)
    there = [f for f in sorted(sums) if (folder / f).is_file()]
    problems = [
        f"{f}: SHA-256 differs: delete it and fetch it again (einthoven data fetch)"
        for f in there
        if sha256_file(folder / f) != sums[f]
    ]
    names = headers(folder)
    if not names:
        what = "has no WFDB records (*.hea)" if folder.is_dir() else "is not a folder of records"
        raise RecordError(f"{folder} {what}")
    for name in names:
        try:
            verify_record(folder, name)
        except RecordError as error:
            problems.append(str(error))
    return Verification(folder, len(there), len(names), tuple(problems))


def _pinned(db: str) -> dict[str, str]:
    path = _PINNED / f"{db}.sha256"
    return parse_sums(path.read_text(encoding="ascii")) if path.is_file() else {}


def _write_sums(dest: Path, sums: dict[str, str]) -> None:
    """Put a pinned list beside the records, so that each reading of one checks its digest."""
    part = dest / f"{SUMS_NAME}.part"
    part.write_text("".join(f"{digest}  {name}\n" for name, digest in sums.items()))
    part.replace(dest / SUMS_NAME)


def _fetch_sums(
    session: requests.Session, url: str, dest: Path, retry_wait_s: float
) -> dict[str, str]:
    part = dest / f"{SUMS_NAME}.part"
    part.unlink(missing_ok=True)  # with no digest to check, it cannot be gone on with
    _download(session, f"{url}/{SUMS_NAME}", part, None, retry_wait_s)
    sums = parse_sums(part.read_text(encoding="utf-8", errors="replace"))
    if not any(f.endswith(".hea") for f in sums):
        raise DownloadError(f"{url}/{SUMS_NAME} lists no records: is this PhysioNet's address?")
    part.replace(dest / SUMS_NAME)
    return sums


def _files_of(db: str, sums: dict[str, str], selection: str) -> list[str]:
    """The files that the selected records are made of, each record's together."""
    names = sorted(f.removesuffix(".hea") for f in sums if f.endswith(".hea"))
    items = selected_names(selection)
    chosen = names if items is None else fitting(items, lambda: names, db)
    unknown = sorted(set(chosen) - set(names))
    if unknown:
        raise DownloadError(f"{db} has no record {', '.join(unknown)}")
    files = [f"{n}{suffix}" for n in chosen for suffix in _SUFFIXES]
    return [f for f in [*_LISTS, *files] if f in sums]


def _is_good(path: Path, digest: str) -> bool:
    return path.is_file() and sha256_file(path) == digest


def _fetch_files(
    session: requests.Session,
    url: str,
    dest: Path,
    sums: dict[str, str],
    progress: bool,
    retry_wait_s: float,
) -> None:
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("files"),
        TimeRemainingColumn(),
    )
    with Progress(*columns, disable=not (progress and sums)) as bar:
        task = bar.add_task("", total=len(sums))
        for done, (name, digest) in enumerate(sums.items()):
            bar.update(task, completed=done, description=f"fetching {dest.name}/{name}")
            final = dest / name
            final.parent.mkdir(parents=True, exist_ok=True)
            part = final.with_name(f"{final.name}.part")

            def show(fraction: float, done: int = done) -> None:
                bar.update(task, completed=done + fraction)

            _download(session, f"{url}/{name}", part, digest, retry_wait_s, show)
            part.replace(final)
        bar.update(task, completed=len(sums))


def _download(
    session: requests.Session,
    url: str,
    part: Path,
    digest: str | None,
    retry_wait_s: float,
    show: Callable[[float], None] = lambda _fraction: None,
) -> None:
    """Complete `part`; on return its SHA-256 is `digest`.

    A broken connection is tried again from where it broke, as long as that brings bytes; a
    wrong digest is tried once more from the start.
    """
    failures, corrupt = 0, False
    while True:
        size_before = _size(part)
        try:
            _transfer(session, url, part, show)
        except _BROKEN as error:
            failures = 1 if _size(part) > size_before else failures + 1
            if failures >= _ATTEMPTS or _never_connected(error):
                raise DownloadError(
                    f"cannot fetch {url} ({_reason(error)}): check the network and try again, "
                    "what was fetched is kept; or name a folder of records with --data"
                ) from error
            time.sleep(retry_wait_s * failures)
            continue
        if digest is None or sha256_file(part) == digest:
            return
        part.unlink()
        if corrupt:
            raise DownloadError(
                f"{url} does not have the SHA-256 it should have, twice: the server or the way "
                "to it is corrupt; try later or name a folder of records with --data"
            )
        corrupt = True


def _transfer(
    session: requests.Session, url: str, part: Path, show: Callable[[float], None]
) -> None:
    """Append what is missing of `url` to `part`. Raises DownloadError, or one of _BROKEN."""
    have = _size(part)
    # Compressed transfer would make the ranges those of the compressed bytes.
    headers = {"Accept-Encoding": "identity"} | ({"Range": f"bytes={have}-"} if have else {})
    with session.get(url, headers=headers, stream=True, timeout=_TIMEOUT_S) as answer:
        if answer.status_code == requests.codes.requested_range_not_satisfiable:
            return  # nothing is missing, or what is there is wrong: the digest decides
        if answer.status_code >= 500:
            raise requests.ConnectionError(f"HTTP {answer.status_code}")
        if not answer.ok:
            raise DownloadError(
                f"{url} is not to be had (HTTP {answer.status_code}): is the address right?"
            )
        resumed = answer.status_code == requests.codes.partial_content
        have = have if resumed else 0
        total = have + int(answer.headers.get("Content-Length", 0))
        with part.open("ab" if resumed else "wb") as file:
            for chunk in answer.iter_content(_CHUNK_BYTES):
                file.write(chunk)
                have += len(chunk)
                show(have / max(total, have))


def _size(path: Path) -> int:
    return path.stat().st_size if path.exists() else 0


def _never_connected(error: requests.RequestException) -> bool:
    """Whether not even a connection came about: then waiting a second does not help."""
    cause = getattr(error.args[0] if error.args else None, "reason", None)
    return isinstance(error, requests.ConnectTimeout) or isinstance(cause, NewConnectionError)


def _reason(error: requests.RequestException) -> str:
    if _never_connected(error):
        return "no connection to the server"
    if isinstance(error, requests.Timeout):
        return "the server does not answer"
    text = str(error)
    return text if text.startswith("HTTP") else "the connection broke off"


def _as_download_error(error: OSError, dest: Path) -> DownloadError:
    if error.errno in DISK_FULL:
        return DownloadError(
            f"the disk of {dest} is full: free some space (mitdb needs 100 MB) and try again, or "
            "put the cache elsewhere with $XDG_CACHE_HOME; what was fetched is kept"
        )
    return DownloadError(f"cannot write to {dest}: {error.strerror or error}")


@contextmanager
def _only_one(dest: Path) -> Iterator[None]:
    """Let one process at a time fetch to a folder; others wait and then find it done."""
    with (dest / ".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield
