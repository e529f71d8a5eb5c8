"""What tools print: of one that failed the line that names the cause, of others nothing."""

import os
import re
import shutil
import sys
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager

_CAUSE = re.compile(
    r"\berror: |\bError: |undefined reference to|multiple definition of|cannot find |"
    r"No such file or directory|not found|overflowed by|Permission denied|No space left"
)
_AFTERMATH = re.compile(
    # Said of a failure that an earlier line has explained.
    r"collect2: error: ld returned|\*\*\* |linker command failed|"
    r"compilation terminated|^scons: |^make(\[\d+\])?: |^=+ \["
)


def first_error(*texts: str) -> str:
    """The first line of `texts` that gives a cause; else the first that is about an error, else
    the last one. Never empty.
    """
    lines = [line.strip() for text in texts for line in text.splitlines() if line.strip()]
    causes = [s for s in lines if _CAUSE.search(s) and not _AFTERMATH.search(s)]
    about = [s for s in lines if "error" in s.lower() and "no error" not in s.lower()]
    return (causes or about or lines[-1:] or ["no message"])[0]


def verbose() -> bool:
    """Whether the user asked for everything that tools print (`einthoven -v`)."""
    return bool(os.environ.get("EINTHOVEN_VERBOSE"))


@contextmanager
def quiet() -> Iterator[None]:
    """Keep what is written to stderr in the block, by C code too, unless it fails or with -v.

    TensorFlow reports at its start what it has not found, in words that read like errors.
    """
    if verbose():
        yield
        return
    sys.stderr.flush()
    kept = os.dup(2)
    with tempfile.TemporaryFile() as said:
        os.dup2(said.fileno(), 2)
        try:
            yield
        except BaseException:
            sys.stderr.flush()
            said.seek(0)
            with os.fdopen(os.dup(kept), "wb") as stderr:
                shutil.copyfileobj(said, stderr)
            raise
        finally:
            sys.stderr.flush()
            os.dup2(kept, 2)
            os.close(kept)


@contextmanager
def waiting(text: str, after_s: float = 3.0) -> Iterator[None]:
    """Say on a terminal what is waited for, once, if the block takes longer than that.

    Elsewhere nobody waits, and what is on stderr must not depend on how busy the machine is.
    """
    if not sys.stderr.isatty():
        yield
        return
    timer = threading.Timer(after_s, print, (text,), {"file": sys.stderr, "flush": True})
    timer.daemon = True
    timer.start()
    try:
        yield
    finally:
        timer.cancel()
