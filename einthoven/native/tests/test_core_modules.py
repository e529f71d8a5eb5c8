"""The C tests of the signal path up to the R peak, with address and UB sanitizers."""

import subprocess
from pathlib import Path

import pytest

from einthoven.paths import FIRMWARE, GENERATED

CORE = FIRMWARE / "core"
FLAGS = ["-std=c99", "-O1", "-g", "-Wall", "-Wextra", "-Wconversion", "-Werror"]
SANITIZERS = ["-fsanitize=address,undefined", "-fno-sanitize-recover=all"]


MODULES = {
    "input": ["ein_input.c"],
    "level": ["ein_level.c"],
    "qrs": ["ein_qrs.c", "ein_peak.c", "ein_level.c"],
    "core": [path.name for path in sorted(CORE.glob("ein_*.c"))],
}


@pytest.mark.parametrize("name", MODULES)
def test_c_module(name: str, tmp_path: Path) -> None:
    program = tmp_path / name
    sources = [CORE / f"test_ein_{name}.c", *(CORE / source for source in MODULES[name])]
    includes = [f"-I{CORE}", f"-I{GENERATED}"]
    command = ["cc", *FLAGS, *SANITIZERS, *includes, *map(str, sources)]
    subprocess.run([*command, "-o", str(program)], check=True)
    done = subprocess.run([program], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
