"""SHA-256 lists, as PhysioNet puts them beside its records (`SHA256SUMS.txt`)."""

import hashlib
from functools import lru_cache
from pathlib import Path

from einthoven.errors import RecordError

LIST_NAMES = ("SHA256SUMS", "SHA256SUMS.txt")


def sha256_file(path: Path) -> str:
    """SHA-256 of a file's bytes, as lower-case hex."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def parse_sums(text: str) -> dict[str, str]:
    """File name (relative, `/` between folders) to hex digest, from `sha256sum`'s output."""
    sums = {}
    for line in text.splitlines():
        digest, _, name = line.strip().partition(" ")
        name = name.strip().removeprefix("*").removeprefix("./")
        if len(digest) == 64 and name:
            sums[name] = digest.lower()
    return sums


def folder_sums(folder: Path) -> dict[str, str]:
    """The list that lies in `folder`, or an empty one."""
    for name in LIST_NAMES:
        path = folder / name
        if path.is_file():
            return _read_sums(path, path.stat().st_mtime_ns)
    return {}


def verify_sha256(folder: Path, path: Path) -> None:
    """Raise RecordError if `folder` lists a SHA-256 for `path` that its bytes do not have."""
    if not path.is_relative_to(folder):
        return  # a header may name a file elsewhere, of which the list knows nothing
    expected = folder_sums(folder).get(path.relative_to(folder).as_posix())
    if expected is not None and sha256_file(path) != expected:
        raise RecordError(
            f"{path} does not have the SHA-256 that {folder.name}'s list says, it is corrupt: "
            "fetch it again (einthoven data fetch)"
        )


@lru_cache(maxsize=16)
def _read_sums(path: Path, _mtime_ns: int) -> dict[str, str]:
    return parse_sums(path.read_text(encoding="utf-8", errors="replace"))
