"""The drivers on the models of their parts (`boards/models/test_front_ends.c`), with sanitizers."""

import subprocess
from pathlib import Path

from einthoven.paths import BOARDS, FIRMWARE, GENERATED


def test_every_fault_is_a_counted_gap(tmp_path: Path) -> None:
    folders = (BOARDS / "models", FIRMWARE / "front_ends")
    sources = [str(path) for folder in folders for path in sorted(folder.glob("*.c"))]
    includes = [f"-I{folder}" for folder in (*folders, GENERATED)]
    program = tmp_path / "test_front_ends"
    flags = (
        *("-std=c99", "-g", "-O1", "-Wall", "-Wextra", "-Wconversion", "-Werror"),
        *("-Wno-float-conversion", "-fsanitize=address,undefined", "-fno-sanitize-recover=all"),
    )
    subprocess.run(["cc", *flags, *includes, *sources, "-lm", "-o", str(program)], check=True)
    done = subprocess.run([str(program)], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (0, "ok\n", "")
