"""Whether a program is still what its sources make, so that PlatformIO is not asked for nothing.

It takes two seconds to say so, and a command that needs a board would wait for them each time.
"""

import hashlib
import os
import shutil
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

STAMP = ".built_from"
"""Suffix of a file beside a program: what it was built from, and as what."""
_LEFT_OUT = frozenset({"__pycache__", "build", "node_modules", "runs"})
_IMAGE = ".bin"
"""Suffix of what a build makes of the program, for some boards."""
_READ = frozenset({"PATH", "CPATH", "C_INCLUDE_PATH", "LIBRARY_PATH"})
_READ_PREFIXES = ("EIN_", "PLATFORMIO_")
"""Variables that a build's tools read."""


def of_sources(
    folders: Iterable[Path], environment: str, compiler: str, variables: Mapping[str, str]
) -> str:
    """A digest of all that a build reads: files by path, size and times, and variables.

    `environment`: of PlatformIO; `compiler`: by name; `variables`: what the build runs in.
    """
    tool = Path(shutil.which(compiler, path=variables.get("PATH")) or compiler).resolve()
    read = sorted(n for n in variables if n in _READ or n.startswith(_READ_PREFIXES))
    return _digest(
        (tool, *(path for folder in folders for path in _files(folder))),
        "\n".join([environment, *(f"{name}={variables[name]}" for name in read)]),
    )


def _files(folder: Path) -> Iterator[Path]:
    for parent, folders, files in os.walk(folder):
        folders[:] = sorted(f for f in folders if not f.startswith(".") and f not in _LEFT_OUT)
        yield from (Path(parent, name) for name in sorted(files))


def _digest(paths: Iterable[Path], more: str = "") -> str:
    digest = hashlib.sha256(os.fsencode(more))
    for path in paths:
        stat = path.stat()
        # A tool that copies may set the first of both times, but not the other.
        facts = (stat.st_size, stat.st_mtime_ns, stat.st_ctime_ns)
        digest.update(os.fsencode(path) + repr(facts).encode())
    return digest.hexdigest()


def stands(program: Path, sources: str) -> bool:
    """Whether `program` is as it was built, from `sources`, a digest."""
    try:
        return program.with_suffix(STAMP).read_text() == _stamp(program, sources)
    except OSError:
        return False


def keep(program: Path, sources: str) -> None:
    """Note that `program` has been built from `sources`, a digest of before the build began."""
    program.with_suffix(STAMP).write_text(_stamp(program, sources))


def _stamp(program: Path, sources: str) -> str:
    image = program.with_suffix(_IMAGE)
    return f"{sources}\n{_digest([program, image] if image.exists() else [program])}\n"
