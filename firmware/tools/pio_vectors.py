"""PlatformIO script: makes the `vectors.h` of a suite of firmware/test before it compiles."""

import subprocess
import sys
from pathlib import Path

Import("env")  # type: ignore[name-defined]  # noqa: F821

suite = env.get("PIOTEST_RUNNING_NAME", "").removeprefix("test_")  # type: ignore[name-defined]  # noqa: F821
if suite in ("core", "engine", "strip", "rhythm"):
    script = Path(env.subst("$PROJECT_DIR")) / "tools" / "vectors.py"  # type: ignore[name-defined]  # noqa: F821
    folder = Path(env.subst("$BUILD_DIR")) / "vectors" / suite  # type: ignore[name-defined]  # noqa: F821
    subprocess.run([sys.executable, script, suite, folder / "vectors.h"], check=True)
    env.Append(CPPPATH=[str(folder)])  # type: ignore[name-defined]  # noqa: F821
