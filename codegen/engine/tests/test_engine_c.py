"""The kernels' own C test, and that they compile without a warning wherever they may run."""

import subprocess
from pathlib import Path

import pytest

from einthoven.codegen.testing.bare_target import ENGINE, WARNINGS
from einthoven.codegen.testing.host_target import SANITIZE


@pytest.mark.parametrize("flags", [[], ["-DEIN_NN_SHORT_MULTIPLY=1"]], ids=["", "by halves"])
def test_fixed_point_arithmetic(flags: list[str], tmp_path: Path) -> None:
    program = tmp_path / "test"
    source = str(ENGINE / "test_ein_nn_fixed.c")
    compiled(["gcc", *SANITIZE, *flags, source, "-o", str(program)])
    done = subprocess.run([str(program)], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("cpu", ["m0plus", "m3", "m4", "m7", "m33", "m55", "m55+nofp"])
def test_compiles_for_cortex(cpu: str, tmp_path: Path) -> None:
    sources = sorted(map(str, ENGINE.glob("ein_nn_*.c")))
    flags = [f"-mcpu=cortex-{cpu}", "-mthumb", "-O2", "-c"]
    if cpu == "m55+nofp":  # Helium for integers takes the registers of the hard ABI
        flags.append("-mfloat-abi=hard")
    compiled(["arm-none-eabi-gcc", *flags, *sources], tmp_path)


@pytest.mark.parametrize("compiler", ["gcc", "clang"])
@pytest.mark.parametrize("level", ["-O0", "-O3"])
def test_compiles_for_the_host(compiler: str, level: str, tmp_path: Path) -> None:
    compiled([compiler, level, "-c", *map(str, sorted(ENGINE.glob("ein_nn_*.c")))], tmp_path)


def compiled(command: list[str], folder: Path | None = None) -> None:
    command = [command[0], *WARNINGS, f"-I{ENGINE}", *command[1:]]
    done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=folder)
    assert done.returncode == 0, done.stderr
