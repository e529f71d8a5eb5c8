"""What the generator's tests share."""

from pathlib import Path

import pytest


@pytest.fixture(scope="session")
def kernels(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder where `many_models` keeps the compiled kernels of each place."""
    return tmp_path_factory.mktemp("many") / "kernels"
