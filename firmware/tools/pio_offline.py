"""Prepare PlatformIO's folder so that nothing has to be fetched from its registry.

PlatformIO wants SCons as its package `tool-scons`; pip's SCons stands in for it. Run once before
`pio run -d firmware` (`einthoven build` does it); harmless to repeat.
"""

import json
import os
import sys
from pathlib import Path

import SCons
from platformio.dependencies import get_core_dependencies

CORE_DIR = Path(
    os.environ.get("PLATFORMIO_CORE_DIR")
    or Path(__file__).resolve().parents[2] / ".cache" / "platformio"
)
"""What PlatformIO takes: the environment's, else `core_dir` in firmware/platformio.ini."""


def prepare(core_dir: Path) -> None:
    """Write the stand-in package and the settings below `core_dir`.

    Raises RuntimeError when pip's SCons is not the one this PlatformIO asks for.
    """
    wanted = get_core_dependencies()["tool-scons"].lstrip("~^=")
    # 4.41101.0 is SCons 4.11.1.
    major, packed, _ = wanted.split(".")
    version = f"{major}.{int(packed[1:3])}.{int(packed[3:5])}"
    if SCons.__version__ != version:
        raise RuntimeError(f"PlatformIO needs scons=={version}, not {SCons.__version__}")
    package = core_dir / "packages" / "tool-scons"
    files = {
        package / "package.json": json.dumps(
            {"name": "tool-scons", "version": wanted, "description": "SCons as pip installed it"}
        ),
        package / ".piopm": json.dumps(
            {
                "type": "tool",
                "name": "tool-scons",
                "version": wanted,
                # Without this owner PlatformIO takes it for another package.
                "spec": {
                    "owner": "platformio",
                    "id": None,
                    "name": "tool-scons",
                    "requirements": None,
                    "uri": None,
                },
            }
        ),
        package / "scons.py": "from SCons.Script import main\n\nmain()\n",
        # Both would wait a minute for a network that may not be there.
        core_dir / "appstate.json": json.dumps(
            {"settings": {"enable_telemetry": False, "check_platformio_interval": 9999}}
        ),
    }
    for path, text in files.items():
        if not path.exists() or (path.name != "appstate.json" and path.read_text() != text):
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)


if __name__ == "__main__":
    try:
        prepare(CORE_DIR)
    except RuntimeError as error:
        sys.exit(f"error: {error}: pip install Einthoven anew")
