"""Modes, alarms, patterns, button and battery tick by tick: the C's own test, with sanitizers."""

import subprocess
from pathlib import Path

from einthoven.paths import FIRMWARE, GENERATED

FLAGS = ["-std=c99", "-O1", "-g", "-Wall", "-Wextra", "-Wconversion", "-Werror"]
SANITIZERS = ["-fsanitize=address,undefined", "-fno-sanitize-recover=all"]
PARTS = ("", "_alarm", "_battery", "_button", "_pattern")


def test_modes(tmp_path: Path) -> None:
    device = FIRMWARE / "device"
    sources = [device / "test_ein_device.c", *(device / f"ein_device{part}.c" for part in PARTS)]
    folders = (device, FIRMWARE / "core", FIRMWARE / "rhythm", GENERATED)
    includes = [f"-I{folder}" for folder in folders]
    program = tmp_path / "test_ein_device"
    command = ["cc", *FLAGS, *SANITIZERS, *includes, *map(str, sources), "-o", str(program)]
    subprocess.run(command, check=True)
    done = subprocess.run([program], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
