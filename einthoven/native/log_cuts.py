"""Power cuts at every operation of long random histories of the device's log.

    python -m einthoven.native.log_cuts [CUTS] [--pages]

Compiles `firmware/log` with a flash that behaves as badly as flash may (firmware/log/test_flash.h)
and cuts the power at every word and every erase (firmware/log/test_cuts.c).
"""

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path

from einthoven.errors import BuildError, EinthovenError
from einthoven.paths import FIRMWARE, GENERATED
from einthoven.tool_output import first_error

LOG = FIRMWARE / "log"
WIRE = FIRMWARE / "wire"
SOURCES = (
    *(LOG / name for name in ("ein_log.c", "ein_log_scan.c", "ein_log_store.c")),
    *(LOG / name for name in ("ein_log_ecg.c", "ein_log_ecg_read.c", "test_flash.c")),
    WIRE / "ein_crc32.c",
)
FLAGS = ("-std=c99", "-O2", "-g", "-Wall", "-Wextra", "-Wconversion", "-Werror")
SUITE_CUTS = 10_000


def build(
    main: str,
    folder: Path,
    flags: Sequence[str] = FLAGS,
    changed: Mapping[str, tuple[str, str]] | None = None,
) -> Path:
    """The program of `firmware/log/MAIN.c` on the emulated flash, compiled into `folder`.

    `changed`: name of a source to (text, other text), for tests of the tests. Raises BuildError.
    """
    compiler = os.environ.get("CC", "cc")
    if shutil.which(compiler) is None:
        raise BuildError(f"no C compiler '{compiler}': install gcc (apt-get install gcc) or set CC")
    sources = [LOG / f"{main}.c", *SOURCES]
    for name, (old, new) in (changed or {}).items():
        text = (LOG / name).read_text(encoding="utf-8")
        if text.count(old) != 1:
            raise BuildError(f"{name} has {text.count(old)} places that read '{old}'")
        (folder / name).write_text(text.replace(old, new), encoding="utf-8")
        sources = [folder / name if path.name == name else path for path in sources]
    program = folder / main
    includes = [f"-I{path}" for path in (LOG, WIRE, GENERATED)]
    command = [compiler, *flags, *includes, *map(str, sources), "-o", str(program)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise BuildError(f"compiling {main} failed: {first_error(done.stderr)}")
    return program


def main(argv: Sequence[str] | None = None) -> int:
    """Command line: exit code 1 when a record was lost."""
    parser = argparse.ArgumentParser(
        prog="python -m einthoven.native.log_cuts", description=__doc__.splitlines()[0]
    )
    parser.add_argument("cuts", nargs="?", type=int, default=SUITE_CUTS)
    parser.add_argument("--seed", type=int, default=1, help="of the first history")
    parser.add_argument("--pages", action="store_true", help="on an STM32F103's pages alone")
    parser.add_argument("--sizes", action="store_true", help="instead: what each board's log holds")
    args = parser.parse_args(argv)
    try:
        if args.cuts < 1:
            raise BuildError(f"{args.cuts} cuts: 1 or more")
        with tempfile.TemporaryDirectory() as scratch:
            program = build("test_ein_log" if args.sizes else "test_cuts", Path(scratch))
            arguments = [str(args.cuts), str(args.seed), *(["pages"] if args.pages else [])]
            command = [str(program), *(["sizes"] if args.sizes else arguments)]
            return subprocess.run(command, check=False).returncode
    except EinthovenError as error:
        print(f"error: {error}", file=sys.stderr)
        return 2


if __name__ == "__main__":
    sys.exit(main())
