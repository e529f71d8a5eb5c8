"""Fixtures that the whole suite shares."""

import os
from pathlib import Path

import pytest

from einthoven.records import locate_database


def require_database(name: str) -> Path:
    """Folder of a database; skips where there is none, but fails in CI, where there must be."""
    folder = locate_database(None, name)
    if folder is None:
        label = "MIT-BIH" if name == "mitdb" else name
        if os.environ.get("CI"):
            pytest.fail(f"no {label} records, and CI must have them")
        pytest.skip(f"no {label} records")
    return folder


@pytest.fixture(scope="session")
def mitdb() -> Path:
    """Folder of the MIT-BIH Arrhythmia Database."""
    return require_database("mitdb")


@pytest.fixture(scope="session")
def nstdb() -> Path:
    """Folder of the MIT-BIH Noise Stress Test Database."""
    return require_database("nstdb")
