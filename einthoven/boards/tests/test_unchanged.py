"""A program is built anew when anything that it was made from, or it itself, is another."""

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from einthoven.boards import board as boards
from einthoven.boards import unchanged
from einthoven.boards.board import Board, build, load_board


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """Sources in `c/`, a compiler in `bin/`, a program in `made/`, as a build leaves them."""
    for name, text in (
        ("c/a.c", "int a;"),
        ("c/deeper/b.c", "int b;"),
        ("c/build/old.o", "left by another"),
        ("bin/cc", "#!/bin/sh"),
        ("made/program.elf", "a program"),
        ("made/program.bin", "its image"),
    ):
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    (tmp_path / "bin" / "cc").chmod(0o755)
    unchanged.keep(tmp_path / "made" / "program.elf", sources(tmp_path))
    return tmp_path


def sources(tree: Path, environment: str = "host", **more: str) -> str:
    variables = {"PATH": str(tree / "bin"), **more}
    return unchanged.of_sources([tree / "c"], environment, "cc", variables)


def stands(tree: Path, environment: str = "host", **more: str) -> bool:
    return unchanged.stands(tree / "made" / "program.elf", sources(tree, environment, **more))


def same_size_and_time(path: Path) -> None:
    before = path.stat()
    path.write_text(path.read_text()[::-1])
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))


@pytest.mark.parametrize(
    "change",
    [
        lambda tree: (tree / "c/deeper/b.c").write_text("int b = 1;"),
        lambda tree: same_size_and_time(tree / "c/a.c"),
        lambda tree: (tree / "c/a.c").rename(tree / "c/z.c"),
        lambda tree: (tree / "c/deeper/new.h").touch(),
        lambda tree: (tree / "c/a.c").unlink(),
        lambda tree: (tree / "bin/cc").write_text("#!/bin/sh -e"),
        lambda tree: (tree / "made/program.elf").unlink(),
        lambda tree: (tree / "made/program.elf").write_text("another"),
        lambda tree: (tree / "made/program.bin").unlink(),
        lambda tree: (tree / "made/program").with_suffix(unchanged.STAMP).unlink(),
        lambda tree: (tree / "made/program").with_suffix(unchanged.STAMP).write_text(""),
    ],
)
def test_any_change_is_seen(tree: Path, change: Callable[[Path], object]) -> None:
    assert stands(tree)
    change(tree)
    assert not stands(tree)


def test_variables_that_tools_read_count_and_others_do_not(tree: Path) -> None:
    assert stands(tree, HOME="/elsewhere")
    assert not stands(tree, environment="another")
    for name in ("EIN_MODEL", "PLATFORMIO_BUILD_FLAGS", "CPATH"):
        assert not stands(tree, **{name: "other"})


def test_what_others_leave_beside_the_sources_does_not_count(tree: Path) -> None:
    (tree / "c/build/old.o").write_text("compiled anew")
    (tree / "c/.hidden").mkdir()
    (tree / "c/.hidden/file").touch()
    assert stands(tree)


def test_a_board_is_built_once(monkeypatch: pytest.MonkeyPatch) -> None:
    board = load_board("host")
    build(board)
    ran = []
    run = boards._run_build

    def seen(board: Board, variables: dict[str, str], *arguments: str) -> None:
        ran.append(arguments)
        run(board, variables, *arguments)

    monkeypatch.setattr(boards, "_run_build", seen)
    assert build(board) == board.program
    assert not ran
    board.program.with_suffix(unchanged.STAMP).unlink()
    build(board)
    assert len(ran) == 2
