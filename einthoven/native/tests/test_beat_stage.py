"""The C tests of the beat stage, with address and undefined-behaviour sanitizers."""

import subprocess
from pathlib import Path

import pytest

from einthoven.paths import FIRMWARE, GENERATED

CORE = FIRMWARE / "core"
SOURCES = [CORE / f"ein_{name}.c" for name in ("beat", "features", "template", "rr", "fixed")]
FLAGS = ["-std=c99", "-O1", "-g", "-Wall", "-Wextra", "-Wconversion", "-Werror"]
SANITIZERS = ["-fsanitize=address,undefined", "-fno-sanitize-recover=all"]


@pytest.mark.parametrize("name", ["fixed", "rr", "template", "beat"])
def test_c_module(name: str, tmp_path: Path) -> None:
    program = tmp_path / name
    test = CORE / f"test_ein_{name}.c"
    includes = [f"-I{CORE}", f"-I{GENERATED}"]
    command = ["cc", *FLAGS, *SANITIZERS, *includes, str(test), *map(str, SOURCES)]
    subprocess.run([*command, "-lm", "-o", str(program)], check=True)
    done = subprocess.run([program], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
