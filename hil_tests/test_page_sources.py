"""The page's TypeScript and what is built of it."""

import os
import subprocess
from pathlib import Path

from einthoven.hil_tests import page_vectors
from einthoven.page import PAGE
from einthoven.paths import WEB


def npm(*words: str, **environment: str) -> None:
    command = ["npm", "--prefix", str(WEB), "run", "--silent", *words]
    done = subprocess.run(
        command, capture_output=True, text=True, check=False, env={**os.environ, **environment}
    )
    assert done.returncode == 0, done.stdout[-4000:] + done.stderr[-2000:]


def test_the_vectors_are_what_c_and_python_say() -> None:
    assert page_vectors.FILE.read_text(encoding="ascii") == page_vectors.text(), (
        "run `python -m einthoven.hil_tests.page_vectors`"
    )


def test_the_typescript_end() -> None:
    """Vitest: the wire's case table, the log's vectors, proofs; fast-check's any bytes."""
    npm("test")


def test_the_page_that_is_kept_is_what_the_sources_build(tmp_path: Path) -> None:
    built = tmp_path / "page.html"
    npm("bundle", EINTHOVEN_PAGE_OUT=str(built))
    assert built.read_bytes() == PAGE.read_bytes(), "run `make page` and commit"
    assert PAGE.stat().st_size < 300_000
