"""What the tests of replay share: the command line as a process, and what a run has found."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

from einthoven.report.run import RunDir

NAMES = tuple(f"s{i}" for i in range(6))
HANG_S = 600
"""What takes so long will never end, on any machine."""


def command(*words: str | Path) -> list[str]:
    """`einthoven WORDS` as this interpreter's arguments."""
    return [sys.executable, "-c", "from einthoven.cli import main; main()", *map(str, words)]


def run(*words: str | Path, **kwargs: Any) -> subprocess.CompletedProcess[str]:
    """The command's end; `kwargs` as of `subprocess.run`."""
    return subprocess.run(
        command(*words), capture_output=True, text=True, check=False, timeout=HANG_S, **kwargs
    )


def complains(done: subprocess.CompletedProcess[str], *words: str) -> None:
    """Exit code 2 and one line that says what to do."""
    lines = done.stderr.strip().splitlines()
    assert done.returncode == 2 and len(lines) == 1, (done.returncode, done.stderr, done.stdout)
    assert lines[0].startswith("error: ")
    for word in words:
        assert word in lines[0]


def results(out: Path) -> dict[str, Any]:
    """What a run found, without what it cost."""
    summary = json.loads((out / "summary.json").read_text())
    found = {key: summary[key] for key in ("protocols", "agreement", "pipeline_sha256", "model")}
    found["annotations"] = {n: (out / f"{n}.ein").read_bytes() for n in NAMES}
    opened = RunDir.open(out)
    beats = {n: opened.read_events(n).beats for n in NAMES}
    for rows in beats.values():
        rows["count"] = 0
    found["beats"] = {n: rows.tobytes() for n, rows in beats.items()}
    found["states"] = {n: opened.read_events(n).states.tobytes() for n in NAMES}
    return found
