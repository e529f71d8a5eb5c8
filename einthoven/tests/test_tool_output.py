"""Quiet tools, and a word while something waits."""

import os
import subprocess
import sys
import threading

import pytest

from einthoven.tool_output import quiet, waiting


def run(code: str, **variables: str) -> subprocess.CompletedProcess[str]:
    """A Python program's end; C code's stderr is a process's own."""
    words = [sys.executable, "-c", code]
    env = {**os.environ, **variables}
    return subprocess.run(words, capture_output=True, text=True, check=False, env=env)


NOISY = (
    "import os\nfrom einthoven.tool_output import quiet\nwith quiet():\n    os.write(2, b'noise')\n"
)


def test_what_c_code_writes_to_stderr_is_kept() -> None:
    done = run(NOISY + "os.write(2, b'after')")
    assert (done.returncode, done.stderr) == (0, "after")


def test_it_is_shown_when_asked_for() -> None:
    assert run(NOISY, EINTHOVEN_VERBOSE="1").stderr == "noise"


def test_it_is_shown_when_the_block_fails() -> None:
    done = run(NOISY + "    raise RuntimeError('broken')")
    assert done.stderr.startswith("noise") and "broken" in done.stderr


def test_the_block_may_be_nested_and_stderr_comes_back() -> None:
    before = os.fstat(2).st_ino
    with quiet(), quiet():
        pass
    assert os.fstat(2).st_ino == before


def test_a_wait_is_told_once_and_only_when_it_lasts(capsys: pytest.CaptureFixture[str]) -> None:
    with waiting("never said: this is no terminal", after_s=0.0):
        threading.Event().wait(0.05)
    assert capsys.readouterr().err == ""
    done = threading.Event()

    class Told:
        def write(self, text: str) -> int:
            if text.strip():
                heard.append(text)
                done.set()
            return len(text)

        def flush(self) -> None:
            pass

        def isatty(self) -> bool:
            return True

    heard: list[str] = []
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sys, "stderr", Told())
        with waiting("waiting for the registry", after_s=0.0):
            assert done.wait(600)
    assert heard == ["waiting for the registry"]


def test_tensorflow_starts_without_a_word() -> None:
    done = run("import einthoven.training.model.network")
    assert (done.returncode, done.stderr) == (0, "")
