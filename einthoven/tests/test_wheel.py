"""The wheel in an environment without the checkout, at places that tools like to trip over.

What the README says of it, in its words: `pip install .`, then `README`'s commands.
"""

import hashlib
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from einthoven.paths import ROOT
from einthoven.records.synth import make_record

SOURCES = ("boards", "codegen", "einthoven", "firmware", "hil_tests", "training")
FILES = ("LICENSE", "MANIFEST.in", "README.md", "pyproject.toml")
README = (
    "einthoven new my-device --like host",
    "einthoven build my_board --boards my-device/boards",
)
ODD = "o'dd $place (1)"

Command = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Built from a source distribution that is built from a copy of what git would have."""
    copy = tmp_path_factory.mktemp("checkout")
    unwanted = shutil.ignore_patterns("__pycache__", ".*", "*.egg-info", "build")
    for name in SOURCES:
        shutil.copytree(ROOT / name, copy / name, symlinks=True, ignore=unwanted)
    for name in FILES:
        shutil.copy(ROOT / name, copy)
    done = subprocess.run(
        [sys.executable, "-m", "build", "--no-isolation", str(copy)],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-2000:]
    assert "deprecat" not in (done.stdout + done.stderr).lower()
    return next((copy / "dist").glob("*.whl"))


@pytest.fixture(scope="module")
def site(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """site-packages of a new environment with the wheel, and this one's other packages."""
    folder = tmp_path_factory.mktemp("environment") / "user's own (1)"
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(folder)], check=True)
    install = ["install", "--quiet", "--no-deps", "--no-index", "--disable-pip-version-check"]
    pip = [sys.executable, "-m", "pip", "--python", str(folder / "bin" / "python")]
    subprocess.run([*pip, *install, str(wheel)], check=True)
    site = next(folder.glob("lib/python*/site-packages"))
    packages = [p for p in sys.path if p.endswith("site-packages")]
    (site / "others.pth").write_text("\n".join(packages) + "\n")
    return site


@pytest.fixture(scope="module")
def run(site: Path, tmp_path_factory: pytest.TempPathFactory) -> Command:
    """`einthoven ARGUMENTS` of that environment, without a network and without records."""
    cache = tmp_path_factory.mktemp("cache") / ODD
    outside = {
        k: v for k, v in os.environ.items() if k not in ("PYTHONPATH", "EINTHOVEN_DATA", "CI")
    }
    outside |= {"XDG_CACHE_HOME": str(cache), "EINTHOVEN_PHYSIONET": "http://127.0.0.1:9"}

    def run(
        where: Path, *words: object, program: str = "einthoven", code: int = 0
    ) -> subprocess.CompletedProcess[str]:
        command = [str(site.parents[2] / "bin" / program), *map(str, words)]
        done = subprocess.run(
            command, cwd=where, env=outside, capture_output=True, text=True, check=False
        )
        assert done.returncode == code, f"{words}\n{done.stdout}\n{done.stderr}"
        return done

    return run


@pytest.fixture
def empty(tmp_path: Path) -> Path:
    """Where a user stands."""
    (tmp_path / ODD).mkdir()
    return tmp_path / ODD


def _digest(folder: Path) -> str:
    digest = hashlib.sha256()
    for path in sorted(p for p in folder.rglob("*") if p.is_file()):
        digest.update(str(path.relative_to(folder)).encode() + path.read_bytes())
    return digest.hexdigest()


def test_one_name_and_no_tests(site: Path) -> None:
    names = {p.name for p in site.iterdir() if not p.name.endswith((".dist-info", ".pth"))}
    assert names == {"einthoven"}
    files = [p.relative_to(site) for p in site.rglob("*") if p.suffix in (".py", ".c")]
    assert len(files) > 200
    assert not [p for p in files if p.name.startswith(("test_", "conftest", "fuzz_"))]


def test_demo_replay_and_report_from_an_empty_folder(site: Path, run: Command, empty: Path) -> None:
    before = _digest(site)
    assert "qemu_stm32f405" in run(empty, "boards").stdout
    demo = run(empty, "demo", "--board", "host")
    assert "SYNTHETIC" in demo.stdout
    make_record(2, 120.0).write(empty / "records", "short")
    run(empty, "replay", "--board", "host", "--records", "short", "--data", "records")
    runs = sorted((empty / "runs").iterdir())
    assert len(runs) == 2
    for folder in runs:
        agreement = json.loads((folder / "summary.json").read_text())["agreement"]
        assert agreement["beats"] > 80
        assert not agreement["device_vs_host_int8"] and not agreement["host_int8_vs_tflm"]
        assert (folder / "report.html").stat().st_size > 10_000
    assert sorted(p.name for p in empty.iterdir()) == ["records", "runs"]
    assert _digest(site) == before, "nothing is written beside the user's packages"


def test_project_with_a_board_and_a_model_of_its_own(site: Path, run: Command, empty: Path) -> None:
    before = _digest(site)
    for command in README:
        run(empty, *command.split()[1:])
    project = empty / "my-device"
    assert "my_board" in run(project, "info", "my_board").stdout
    assert "no board 'my_board'" in run(empty, "build", "my_board", code=2).stderr
    shipped = site / "einthoven" / "training" / "shipped"
    assert str(project / "generated") in run(project, "export", shipped).stdout
    model = project / "generated" / "ein_model.c"
    model.write_text("#error this model is taken\n" + model.read_text())
    failed = run(project, "build", "my_board", code=2).stderr
    assert "this model is taken" in failed and len(failed.splitlines()) == 1
    assert _digest(site) == before


def test_what_needs_a_checkout_says_so(run: Command, empty: Path) -> None:
    for module in ("codegen", "training.evidence", "training.studies.page"):
        said = run(empty, "-m", f"einthoven.{module}", program="python", code=2).stderr
        assert "checkout" in said and len(said.splitlines()) == 1, said
