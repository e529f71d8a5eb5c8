import os
import tempfile
from pathlib import Path

import pytest

from einthoven.boards.workspace import is_plain, mirror, plain_folder, workspace
from einthoven.errors import BuildError

ODD = ["a b", "a(b", "a'b", "a$b", 'a"b', "a;b", "a,b", "a:b", "a\\b", "a&b", "a#b", "a=b"]


@pytest.mark.parametrize("name", ODD)
def test_what_a_tool_may_cut_or_expand_is_not_plain(name: str) -> None:
    assert not is_plain(Path("/tmp") / name)
    assert is_plain(Path("/tmp/gr\u00fcn-1.0_x+y@z"))


@pytest.mark.parametrize("name", ODD)
def test_workspace_is_plain_whatever_cache_and_sources_are(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / name))
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    sources = tmp_path / name
    (sources / "app").mkdir(parents=True)
    (sources / "app" / "main.c").write_text("int x;\n")
    assert is_plain(workspace(sources)) and workspace(sources) != workspace(tmp_path / f"{name}2")
    copy = plain_folder(sources)
    assert is_plain(copy) and (copy / "app" / "main.c").read_text() == "int x;\n"


def test_plain_sources_are_built_where_they_are(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    assert plain_folder(tmp_path) == tmp_path
    assert workspace(tmp_path).is_relative_to(tmp_path / "cache" / "einthoven")


def test_a_copy_follows_its_source(tmp_path: Path) -> None:
    source, copy = tmp_path / "source", tmp_path / "copy"
    for name in ("kept.c", "changed.c", "gone.c", ".git/x", "runs/x"):
        (source / name).parent.mkdir(parents=True, exist_ok=True)
        (source / name).write_text("old")
    mirror(source, copy)
    before = (copy / "kept.c").stat().st_mtime_ns
    (source / "changed.c").write_text("new")
    (source / "gone.c").unlink()
    mirror(source, copy)
    assert {p.name: p.read_text() for p in copy.rglob("*") if p.is_file()} == {
        "kept.c": "old",
        "changed.c": "new",
    }
    assert (copy / "kept.c").stat().st_mtime_ns == before, "it would be compiled anew"


def test_no_place_at_all_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "a b"))
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "c d"))
    with pytest.raises(BuildError, match=r"c d: compilers cut .* \$XDG_CACHE_HOME or \$TMPDIR"):
        workspace(tmp_path)


def test_another_users_folder_is_not_built_in(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "a b"))
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    shared = tmp_path / f"einthoven-{os.getuid()}"
    shared.mkdir()
    shared.chmod(0o777)
    with pytest.raises(BuildError, match="not this user's own folder"):
        workspace(tmp_path)
    shared.rmdir()
    shared.symlink_to(tmp_path)
    with pytest.raises(BuildError, match="not this user's own folder"):
        workspace(tmp_path)
