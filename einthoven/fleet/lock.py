"""One program at a time speaks to a device: a lock with its holder, and since when.

The kernel frees it when its holder ends, however it ends. Locks are files in a folder of the
machine's, so that users who share a bench heed each other.
"""

import fcntl
import getpass
import hashlib
import json
import os
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass
from pathlib import Path

from einthoven.errors import BoardError
from einthoven.fleet.inventory import Entry, Fleet

FOLDER = Path(tempfile.gettempdir()) / "einthoven-locks"


class InUseError(BoardError):
    """Another program has the device."""


@dataclass(frozen=True)
class Holder:
    """Who has a device."""

    device: str
    user: str
    process: int
    doing: str
    since: str
    """Local time, ISO 8601."""

    @property
    def words(self) -> str:
        """For people."""
        return f"'{self.doing}' of {self.user} (process {self.process}) since {self.since}"


def _path(fleet: Fleet, device: Entry) -> Path:
    # Without an id of its own it is what this fleet calls so; a board that no file names, where.
    where = f"{device.port}#{device.probe}"
    who = device.id or f"{fleet.path.resolve()}#{device.name}#{where}"
    return FOLDER / f"{hashlib.sha256(os.fsencode(who)).hexdigest()[:24]}.lock"


def _open(path: Path) -> int:
    with suppress(FileExistsError):
        FOLDER.mkdir(mode=0o777)
        FOLDER.chmod(0o1777)
    with suppress(FileNotFoundError):  # another user's, which must not be opened to be created
        return os.open(path, os.O_RDWR | os.O_NOFOLLOW | os.O_CLOEXEC)
    made = os.open(path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o666)
    with suppress(OSError):
        os.fchmod(made, 0o666)
    return made


def _user() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return str(os.getuid())


@contextmanager
def held(fleet: Fleet, device: Entry, doing: str = "") -> Iterator[None]:
    """Keep others from the device during the block. `doing`: in words, for them.

    Raises InUseError with the holder if somebody has it.
    """
    path = _path(fleet, device)
    lock = _open(path)
    try:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            holder = _read(lock)
            who = holder.words if holder else "another program"
            raise InUseError(
                f"{device.name} is in use by {who}: wait for it, or end that program"
            ) from None
        words = doing or " ".join([Path(sys.argv[0]).name, *sys.argv[1:]])[:200]
        since = time.strftime("%Y-%m-%dT%H:%M:%S")
        os.ftruncate(lock, 0)
        mine = Holder(device.name, _user(), os.getpid(), words, since)
        os.pwrite(lock, json.dumps(asdict(mine)).encode(), 0)
        yield
    finally:
        os.close(lock)


def _read(lock: int) -> Holder | None:
    try:
        return Holder(**json.loads(os.pread(lock, 4096, 0)))
    except (ValueError, TypeError):  # its holder is about to write it
        return None


def holders() -> list[Holder]:
    """Who has devices now, of this machine's users."""
    found = []
    for path in sorted(FOLDER.glob("*.lock")):
        try:
            lock = os.open(path, os.O_RDWR | os.O_NOFOLLOW | os.O_CLOEXEC)
        except OSError:
            continue
        try:
            fcntl.flock(lock, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            holder = _read(lock)
            found += [holder] if holder else []
        finally:
            os.close(lock)
    return found
