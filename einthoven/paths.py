"""Where things are: the one home of folder names.

The same in a checkout and in an installed package: what is not Python is reached through the
package's own folder. There `einthoven/tree/` holds firmware and boards side by side; in a checkout
those are links to the folders at the top.
"""

import os
from pathlib import Path

import platformdirs

from einthoven.errors import UsageError

PACKAGE = Path(__file__).resolve().parent
ROOT = PACKAGE.parent
"""The checkout; of an installed package, the folder that it lies in, which is not ours."""

IN_CHECKOUT = (ROOT / "pyproject.toml").is_file() and (PACKAGE / "codegen").is_symlink()

FIRMWARE = (PACKAGE / "tree" / "firmware").resolve()
GENERATED = FIRMWARE / "generated"
WEB = ROOT / "web"
"""The page's TypeScript; in a checkout only."""
BOARDS = (PACKAGE / "tree" / "boards").resolve()
SPEC = (PACKAGE / "codegen" / "spec").resolve()
RHYTHM_SPEC = SPEC / "rhythm.toml"
DEVICE_SPEC = SPEC / "device.toml"
LOG_SPEC = SPEC / "log.toml"
TRAINING = (PACKAGE / "training").resolve()
RECIPES = TRAINING / "recipes"
SHIPPED_MODEL = TRAINING / "shipped"


def runs_dir() -> Path:
    """Where results go when no folder is named: below the folder that the user stands in."""
    return Path.cwd() / "runs"


def cache_dir() -> Path:
    """Per-user cache: downloaded records and whatever is compiled."""
    base = os.environ.get("XDG_CACHE_HOME")  # platformdirs heeds it on some systems only
    return Path(base) / "einthoven" if base else platformdirs.user_cache_path("einthoven", False)


def extra(name: str) -> str:
    """What to tell pip to install, to add an extra to this installation."""
    return f"-e '.[{name}]'" if IN_CHECKOUT else f"'einthoven[{name}]'"


def require_checkout(what: str) -> None:
    """Raise UsageError where Einthoven is an installed package: `what` is in a checkout only."""
    if not IN_CHECKOUT:
        raise UsageError(
            f"{what} is in a checkout of Einthoven only, and this is an installed package: "
            "run the command there"
        )


MODEL_C = "EINTHOVEN_MODEL_C"
"""Environment variable that names another generated engine, for worker processes, too."""


def model_c() -> Path:
    """The generated engine that firmware and host are built with: the one that a command was told
    to use (`--model`), else `generated/` of the folder that the user stands in, if `einthoven
    export` has written one there, else the firmware's own.
    """
    if named := os.environ.get(MODEL_C):
        return Path(named)
    own = Path.cwd() / "generated"
    return own if (own / "ein_model.h").is_file() else GENERATED


def recipe_file(name: Path) -> Path:
    """A recipe by its path or, where there is no such file, by the name of one of Einthoven's own
    (`quick`, `studies/deep_inter`).
    """
    own = (RECIPES / name).with_suffix(".toml")
    return own if not name.exists() and own.is_file() else name


def export_dir() -> Path:
    """Where `einthoven export` writes: what is installed stays, so does a project's library."""
    in_project = Path("einthoven.ini").is_file()
    return GENERATED if IN_CHECKOUT and not in_project else Path.cwd() / "generated"
