"""Key files: 64 hexadecimal digits each, which nobody but their owner may read.

`fleet.toml` says whose they are (`einthoven.fleet.inventory`).
"""

import os
import re
import stat
from pathlib import Path

from einthoven.errors import KeysError
from einthoven.fleet.proof import KEY_BYTES

_SECRET_MODE = 0o600


def write_key(path: Path, key: bytes) -> None:
    """Keep a key in a new file that only its owner can read. Raises KeysError if it is there."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    try:
        made = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, _SECRET_MODE)
    except FileExistsError:
        raise KeysError(
            f"{path} is there already, and may be the only copy of a device's key: move it away "
            "first"
        ) from None
    with os.fdopen(made, "w") as out:
        out.write(key.hex() + "\n")


def read_key(path: Path) -> bytes:
    """A key from its file. Raises KeysError if it is missing, readable by others, or no key."""
    require_secret(path)
    return parse(path.read_text(encoding="ascii", errors="replace"), str(path))


def require_secret(path: Path) -> None:
    """Raise KeysError unless `path` is a file that nobody but its owner may read."""
    try:
        mode = path.stat().st_mode
    except FileNotFoundError:
        raise KeysError(
            f"no key file {path}: restore it from where the operator keeps keys"
        ) from None
    if not stat.S_ISREG(mode):
        raise KeysError(f"{path} is no file")
    if mode & 0o077:
        raise KeysError(f"{path} may be read by others: chmod 600 {path}")


def parse(text: str, where: str) -> bytes:
    """The key that `text` holds; `where` says what it was. Raises KeysError."""
    digits = text.strip()
    if not re.fullmatch(f"[0-9a-fA-F]{{{2 * KEY_BYTES}}}", digits):
        raise KeysError(f"{where} holds no key: it must be {2 * KEY_BYTES} hexadecimal digits")
    return bytes.fromhex(digits)
