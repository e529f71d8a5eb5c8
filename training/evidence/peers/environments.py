"""A virtual environment per package, with exactly the versions of `packages.toml`."""

import hashlib
import json
import re
import subprocess
import sys
import tomllib
import venv
from dataclasses import dataclass
from pathlib import Path

from einthoven.errors import EinthovenError, UsageError

HERE = Path(__file__).parent
PACKAGES = HERE / "packages.toml"
READY = "ready.json"


@dataclass(frozen=True)
class Package:
    """What an environment is made of."""

    name: str
    requires: tuple[str, ...]
    """Requirements with exact versions; the first is the package itself."""
    also: tuple[str, ...]
    """What it needs without asking for it; versions by `constraints`."""
    constraints: tuple[str, ...]
    without_dependencies: bool
    note: str

    @property
    def version(self) -> str:
        """The package's own version."""
        return self.requires[0].partition("==")[2]

    @property
    def project(self) -> str:
        """Its name in the package index."""
        return self.requires[0].partition("==")[0]

    @property
    def digest(self) -> str:
        """Changes with whatever would make another environment."""
        parts = [*self.requires, *self.also, *self.constraints, str(self.without_dependencies)]
        return hashlib.sha256("\n".join(parts).encode()).hexdigest()[:12]


def load(path: Path = PACKAGES) -> dict[str, Package]:
    """The packages by name. Raises UsageError for a version that is not pinned."""
    table = tomllib.loads(path.read_text(encoding="utf-8"))
    found = {}
    for name, entry in table["packages"].items():
        requires = tuple(entry["requires"])
        own = {_project(r) for r in requires}
        constraints = tuple(c for c in table["constraints"] if _project(c) not in own)
        unpinned = [r for r in (*requires, *constraints) if "==" not in r]
        if unpinned:
            raise UsageError(f"{path.name}: give {', '.join(unpinned)} an exact version (==)")
        found[name] = Package(
            name,
            requires,
            tuple(entry.get("also", ())),
            constraints,
            entry.get("without_dependencies", False),
            entry.get("note", ""),
        )
    return found


def _project(requirement: str) -> str:
    return re.split(r"[=<>! ]", requirement, maxsplit=1)[0]


def prepare(package: Package, work: Path) -> Path:
    """The environment's Python, made anew if it is not there as a whole. EinthovenError."""
    folder = work / "environments" / f"{package.name}-{package.version}-{package.digest}"
    python = folder / "bin" / "python"
    if (folder / READY).is_file():
        return python
    print(f"{package.name}: making its environment", file=sys.stderr)
    venv.create(folder, clear=True, with_pip=True)
    constraints = folder / "constraints.txt"
    constraints.write_text("\n".join(package.constraints) + "\n", encoding="utf-8")
    install = [str(python), "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    options = ["--no-deps"] if package.without_dependencies else []
    asked = [*package.requires, *package.also]
    done = subprocess.run(
        [*install, *options, "--constraint", str(constraints), *asked],
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode != 0:
        last = next((s for s in reversed(done.stderr.splitlines()) if "ERROR" in s), done.stderr)
        raise EinthovenError(f"{package.name} cannot be installed: {last.strip()[:300]}")
    versions = subprocess.run(
        [str(python), "-m", "pip", "freeze", "--disable-pip-version-check"],
        capture_output=True,
        text=True,
        check=True,
    ).stdout.split()
    (folder / READY).write_text(json.dumps(versions), encoding="utf-8")
    return python


def versions(python: Path) -> dict[str, str]:
    """Project to version of what an environment that `prepare` has made holds."""
    frozen: list[str] = json.loads((python.parent.parent / READY).read_text(encoding="utf-8"))
    return dict(line.split("==") for line in frozen)
