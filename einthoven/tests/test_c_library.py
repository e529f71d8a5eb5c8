"""C for this machine, compiled once into the user's cache."""

from pathlib import Path

import pytest

from einthoven.c_library import build_library
from einthoven.errors import BuildError


def test_a_cache_that_cannot_be_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    source = tmp_path / "a.c"
    source.write_text("int a(void) { return 1; }\n")
    (tmp_path / "file").touch()
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "file"))
    with pytest.raises(
        BuildError, match=r"file/einthoven/native .*another folder with \$XDG_CACHE"
    ):
        build_library("a", [source])
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    assert build_library("a", [source]).is_file()
