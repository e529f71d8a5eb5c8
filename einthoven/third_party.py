"""Sources of others that are compiled into firmware: fetched once, pinned by hash, never committed.

    python -m einthoven.third_party

Monocypher (Loup Vaillant and others; 2-clause BSD or CC-0, its LICENSE.txt lies beside it) comes in
the source distribution of pymonocypher, which pip fetches from wherever it fetches all else. Of it
the device links keyed BLAKE2b, constant-time comparison and wiping; the boot stage the equation of
Ed25519. Its authors' claims, audit and test vectors: https://monocypher.org.
"""

import hashlib
import subprocess
import sys
import tarfile
import tempfile
from dataclasses import dataclass
from pathlib import Path

from einthoven.errors import BuildError, EinthovenError
from einthoven.no_arguments import no_arguments
from einthoven.paths import IN_CHECKOUT, ROOT, cache_dir


@dataclass(frozen=True)
class Sources:
    """Files of a source distribution."""

    package: str
    version: str
    sha256: str
    """Of the archive, which pip compares."""
    files: tuple[tuple[str, str], ...]
    """Those that are kept, and their SHA-256."""


MONOCYPHER = Sources(
    package="pymonocypher",
    version="4.0.3.4",
    sha256="5e56e3d3eb770a53e0b9f6274146663c11a11f3d0de5cd48e3be0428d1b07a4a",
    files=(
        ("LICENSE.txt", "d3a6d889033e22c8ee30bb2891f0787a3288fc594994cd04c885761c4475e30f"),
        ("monocypher.c", "57eb914fc88136119bd41655cccb8c250048bf54d470540625186f8ab16f64be"),
        ("monocypher.h", "c494da712122da7ff679fdcf318a5317e84972b6c950fe9d896212947797facd"),
    ),
)


def monocypher() -> Path:
    """The folder that holds `monocypher.c` and `monocypher.h`, fetched if they are not there yet.

    Raises BuildError when pip cannot fetch them, or when they are not what is pinned.
    """
    return fetched(MONOCYPHER)


def fetched(sources: Sources) -> Path:
    """The folder of `sources`: every file compared with its sum, whenever it is asked for.

    Raises BuildError.
    """
    home = (ROOT / ".cache" if IN_CHECKOUT else cache_dir()) / "third_party"
    folder = home / f"{sources.package}-{sources.version}"
    if _is_whole(folder, sources):
        return folder
    home.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=home) as scratch:
        archive = _download(sources, Path(scratch))
        folder.mkdir(exist_ok=True)
        with tarfile.open(archive) as tar:
            for name, _ in sources.files:
                member = tar.extractfile(f"{sources.package}-{sources.version}/{name}")
                assert member is not None  # the archive is the pinned one
                made = Path(scratch) / name
                made.write_bytes(member.read())
                made.replace(folder / name)  # at once: others may be building
    if not _is_whole(folder, sources):
        raise BuildError(f"{folder} is not what is pinned: remove it, and try again")
    return folder


def _is_whole(folder: Path, sources: Sources) -> bool:
    return all(
        (folder / name).is_file()
        and hashlib.sha256((folder / name).read_bytes()).hexdigest() == sha256
        for name, sha256 in sources.files
    )


def _download(sources: Sources, scratch: Path) -> Path:
    pinned = f"{sources.package}=={sources.version}"
    wanted = scratch / "requirements.txt"
    wanted.write_text(f"{pinned} --hash=sha256:{sources.sha256}\n")
    words = ["download", "--quiet", "--disable-pip-version-check", "--no-deps", "--no-binary=:all:"]
    words += ["--no-build-isolation", "--require-hashes", "--dest", str(scratch), "-r", str(wanted)]
    done = subprocess.run(
        [sys.executable, "-m", "pip", *words], capture_output=True, text=True, check=False
    )
    found = list(scratch.glob("*.tar.gz"))
    if done.returncode != 0 or len(found) != 1:
        said = [line for line in done.stderr.splitlines() if line.startswith("ERROR")]
        raise BuildError(
            f"pip could not fetch the sources of {pinned}, which a device's keys are built with: "
            f"{said[0] if said else 'check the network'}; then run "
            "`python -m einthoven.third_party`"
        )
    return found[0]


def main() -> int:
    """Command line: fetch them, and say where they are."""
    try:
        print(monocypher())
    except EinthovenError as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    no_arguments(__doc__)
    sys.exit(main())
