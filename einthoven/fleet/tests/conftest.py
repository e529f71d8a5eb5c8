"""What tests of the fleet share."""

from pathlib import Path

import pytest

from einthoven.fleet import lock, usb
from einthoven.fleet.testing.machine import Machine


@pytest.fixture
def machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Machine:
    """This machine, with nothing plugged in and no locks of others."""
    made = Machine(tmp_path / "machine")
    monkeypatch.setattr(usb, "SYSFS", made.sys)
    monkeypatch.setattr(usb, "DEV", made.dev)
    monkeypatch.setattr(lock, "FOLDER", tmp_path / "locks")
    return made
