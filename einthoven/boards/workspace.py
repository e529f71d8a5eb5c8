"""Where firmware is built: in the user's cache, a folder for each tree of sources.

Neither sources nor an installed package are written to. Compilers, linkers and PlatformIO cut or
expand paths that have more than letters, digits and `._+@-` in them, each in its own way and at its
own place; so none of them ever sees one: sources that lie there are copied into the workspace, and
a cache that lies there is replaced by a folder below the system's for temporary files.
"""

import hashlib
import os
import re
import shutil
import stat
import tempfile
from pathlib import Path

from einthoven.errors import BuildError
from einthoven.paths import FIRMWARE, cache_dir

_PLAIN = re.compile(r"[\w./+@-]+")
_LEFT_OUT = frozenset({"runs", "build", "__pycache__"})
"""Folders of a project, besides hidden ones, that its firmware is not made of."""


def is_plain(path: Path) -> bool:
    """Whether every tool of a build takes the path as it is."""
    return _PLAIN.fullmatch(str(path)) is not None


def workspace(sources: Path) -> Path:
    """The folder for all that is built of `sources`; it need not be there yet.

    Raises BuildError if there is no place whose path the tools can take.
    """
    real = sources.resolve()
    digest = hashlib.sha256(os.fsencode(real)).hexdigest()[:12]
    name = re.sub(r"[^\w.+@-]", "_", real.name) or "_"
    return _home() / f"{name}-{digest}"


def plain_firmware() -> Path:
    """`firmware/`, with `boards/` beside it, where the tools can read them."""
    if is_plain(FIRMWARE):
        return FIRMWARE
    copy = workspace(FIRMWARE) / "tree"
    for name in ("firmware", "boards"):
        mirror(FIRMWARE.parent / name, copy / name)
    return copy / "firmware"


def plain_folder(folder: Path) -> Path:
    """Any folder of sources, or a copy of it where the tools can read it."""
    if is_plain(folder.resolve()):
        return folder.resolve()
    copy = workspace(folder) / "copy"
    mirror(folder, copy)
    return copy


def mirror(source: Path, target: Path) -> None:
    """Make `target` hold the files of `source`, and no others; what is the same is not touched."""
    wanted: set[Path] = set()
    for parent, folders, files in os.walk(source):
        folders[:] = [f for f in folders if not f.startswith(".") and f not in _LEFT_OUT]
        for name in files:
            path = Path(parent, name)
            copy = target / path.relative_to(source)
            wanted.add(copy)
            if not copy.is_file() or copy.read_bytes() != path.read_bytes():
                copy.parent.mkdir(parents=True, exist_ok=True)
                shutil.copyfile(path, copy)
    for old in [p for p in target.rglob("*") if p.is_file() and p not in wanted]:
        old.unlink()


def _home() -> Path:
    home = (cache_dir() / "firmware").absolute()
    if is_plain(home):
        return home
    home = Path(tempfile.gettempdir()).absolute() / f"einthoven-{os.getuid()}"
    if not is_plain(home):
        raise BuildError(
            f"nothing can be built in {home.parent}: compilers cut or expand such a path; name "
            "another folder with $XDG_CACHE_HOME or $TMPDIR"
        )
    home.mkdir(mode=0o700, exist_ok=True)
    found = home.lstat()
    if not stat.S_ISDIR(found.st_mode) or found.st_uid != os.getuid() or found.st_mode & 0o022:
        raise BuildError(f"{home} is not this user's own folder: name another with $TMPDIR")
    return home
