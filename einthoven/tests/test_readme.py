"""The README's commands, taken from it and run, in its order.

`make demo` and `make test` are run by `.ci/run`: a test of `make test` cannot be one of its tests.
Those of an installed package are run by `test_wheel.py`, in an environment of their own.
"""

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from einthoven.paths import ROOT

README = (ROOT / "README.md").read_text()
COMMANDS = [
    line
    for block in re.findall(r"```sh\n(.*?)```", README, flags=re.DOTALL)
    for line in block.splitlines()
]
IN_CI = ("make demo", "make test", "./setup.sh dev")
INSTALLED = [c for c in COMMANDS if c.startswith(("pip ", "einthoven "))]


def run(command: str, scratch: Path) -> str:
    """Run a README command with this environment's programs and its outputs in `scratch`."""
    command = command.replace(".venv/bin/", f"{Path(sys.executable).parent}/")
    command = re.sub(r"\b(runs|build)/", lambda m: f"{scratch}/{m[1]}/", command)
    done = subprocess.run(
        command.split(), cwd=ROOT, capture_output=True, text=True, check=False, env=os.environ
    )
    assert done.returncode == 0, f"{command}\n{done.stdout}\n{done.stderr}"
    return done.stdout


def test_ci_runs_what_this_file_does_not() -> None:
    script = (ROOT / ".ci" / "run").read_text()
    made = {word for line in script.splitlines() if "make " in line for word in line.split()}
    assert set(IN_CI) < set(COMMANDS)
    for command in IN_CI:
        tool, what = command.split()
        assert what in made if tool == "make" else command in (ROOT / "Makefile").read_text()
    assert len(INSTALLED) == 3
    for command in INSTALLED:
        assert command in (Path(__file__).parent / "test_wheel.py").read_text()


@pytest.mark.records
def test_commands_do_what_the_readme_says(mitdb: Path, tmp_path: Path) -> None:
    commands = [c for c in COMMANDS if c not in (*IN_CI, *INSTALLED)]
    assert len(commands) >= 10
    printed = {c: run(c, tmp_path) for c in commands}
    for name in ("report.html", "summary.json", "events.csv", "100.ein", "119.ein"):
        assert (tmp_path / "runs" / "first" / name).stat().st_size > 0, name
    score = next(text for c, text in printed.items() if " score " in c)
    assert re.search(r"^ 100 +\d+", score, flags=re.MULTILINE)
    assert (tmp_path / "build" / "my-model" / "ein_model.c").exists()
    own = json.loads((tmp_path / "runs" / "my-replay" / "summary.json").read_text())
    assert own["model"]["name"] == "quick-ptq", "the user's model ran, not the shipped one"
    assert own["agreement"]["device_vs_host_int8"] == own["agreement"]["host_int8_vs_tflm"] == 0


def test_linked_pages_exist() -> None:
    for link in re.findall(r"\]\((?!http)([^)#]+)", README):
        assert (ROOT / link).exists(), link
