"""Compile Einthoven's C sources into a shared library that cffi can open.

The library's name holds a digest of everything that goes into it, so a change of a source
or a header is compiled anew and processes that build at the same time cannot harm each other.
"""

import hashlib
import os
import platform
import shutil
import subprocess
import tempfile
from collections.abc import Sequence
from functools import cache
from pathlib import Path

from einthoven.errors import DISK_FULL, BuildError
from einthoven.paths import cache_dir
from einthoven.tool_output import first_error

CFLAGS = ("-std=c99", "-O2", "-fPIC", "-shared", "-Wall", "-Wextra", "-Wconversion", "-Werror")

CPU_INFO = Path("/proc/cpuinfo")


@cache
def simd_flags() -> tuple[str, ...]:
    """What the compiler may take for granted of this machine's processor beyond its family: AVX2.

    Only the engine's kernels are written for it (firmware/engine/ein_nn_avx2.h); a machine that
    does not say that it has it gets their plain C, which gives the same integers. `-march=native`
    would say more, and GCC 12 makes slower code of it (docs/performance.md).
    """
    if platform.machine().lower() not in ("x86_64", "amd64") or not CPU_INFO.exists():
        return ()
    words = set(CPU_INFO.read_text(errors="replace").split())
    return ("-mavx2",) if "avx2" in words else ()


def build_library(
    name: str,
    sources: Sequence[Path],
    include_dirs: Sequence[Path] = (),
    flags: Sequence[str] = (),
) -> Path:
    """Return the path of a shared library built from `sources`, compiling it if needed.

    `include_dirs` are searched for headers; all `*.h` in them count for the digest.
    Raises BuildError when there is no C compiler, when it fails, or without a cache to write to.
    """
    compiler = os.environ.get("CC", "cc")
    flags = [*simd_flags(), *flags]
    digest = hashlib.sha256(repr((compiler, CFLAGS, tuple(flags))).encode())
    headers = [h for d in include_dirs for h in sorted(d.glob("*.h"))]
    for path in [*sources, *headers]:
        digest.update(path.name.encode() + path.read_bytes())
    library = cache_dir() / "native" / f"{name}-{digest.hexdigest()[:16]}.so"
    if library.exists():
        return library
    if shutil.which(compiler) is None:
        raise BuildError(f"no C compiler '{compiler}': install gcc (apt-get install gcc) or set CC")
    try:
        library.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        if error.errno in DISK_FULL:
            raise
        raise BuildError(
            f"nothing can be kept in {library.parent} ({error.strerror}): name another folder with "
            "$XDG_CACHE_HOME"
        ) from None
    with tempfile.TemporaryDirectory(dir=library.parent) as scratch:
        output = Path(scratch) / library.name
        includes = [f"-I{d}" for d in include_dirs]
        command = [compiler, *CFLAGS, *flags, *includes, *map(str, sources), "-o", str(output)]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode != 0:
            raise BuildError(f"compiling {name} failed: {first_error(done.stderr)}")
        output.replace(library)
    return library
