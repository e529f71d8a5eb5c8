"""Where things are: the one home of folder names."""

import os
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
"""The checkout. Einthoven runs from it (editable install): it compiles C from `firmware/`."""

FIRMWARE = ROOT / "firmware"
GENERATED = FIRMWARE / "generated"
BOARDS = ROOT / "boards"
SPEC = ROOT / "codegen" / "spec"
SHIPPED_MODEL = ROOT / "training" / "shipped"
RUNS = ROOT / "runs"


def cache_dir() -> Path:
    """Per-user cache: downloaded records and compiled host libraries."""
    base = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(base) / "einthoven"
