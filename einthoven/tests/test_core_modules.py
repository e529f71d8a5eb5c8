"""The C tests of the signal path up to the R peak, with address and undefined-behaviour sanitizers."""

import subprocess
from pathlib import Path

import pytest

from einthoven.paths import FIRMWARE, GENERATED

CORE = FIRMWARE / "core"
FLAGS = ["-std=c99", "-O1", "-g", "-Wall", "-Wextra", "-Wconversion", "-Werror"]
SANITIZERS = ["-fsanitize=address,undefined", "-fno-sanitize-recover=all"]


@pytest.mark.parametrize("name", ["input", "level", "qrs"])
def test_c_module(name: str, tmp_path: Path) -> None:
    program = tmp_path / name
    sources = [CORE / f"test_ein_{name}.c", *sorted(CORE.glob("ein_*.c"))]
    includes = [f"-I{CORE}", f"-I{GENERATED}"]
    command = ["cc", *FLAGS, *SANITIZERS, *includes, *map(str, sources)]
    subprocess.run([*command, "-o", str(program)], check=True)
    done = subprocess.run([program], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
