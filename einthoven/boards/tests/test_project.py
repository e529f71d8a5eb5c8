"""Boards of one's own: where they are found, and the project that `einthoven new` lays out."""

import re
from pathlib import Path

import pytest

from einthoven.boards import board as boards
from einthoven.boards.board import list_boards, load_board, own_boards
from einthoven.boards.project import lay_out, say_where
from einthoven.errors import BoardError, BuildError, UsageError
from einthoven.paths import BOARDS, FIRMWARE

OURS = sorted(path.parent.name for path in BOARDS.glob("*/board.toml"))


@pytest.fixture
def elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder that the user stands in."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setenv("EINTHOVEN_BOARDS", "")
    return tmp_path


def _board(folder: Path, title: str) -> None:
    folder.mkdir(parents=True)
    text = (BOARDS / "host" / "board.toml").read_text()
    head = text.index("title = ")
    (folder / "board.toml").write_text(f'title = "{title}"' + text[text.index("\n", head) :])


def test_own_boards_are_found_here_and_where_said(elsewhere: Path) -> None:
    assert list_boards() == OURS
    _board(elsewhere / "boards" / "mine", "here")
    _board(elsewhere / "far" / "theirs", "there")
    assert list_boards() == sorted([*OURS, "mine"])
    own_boards(Path("far"))
    assert list_boards() == sorted([*OURS, "mine", "theirs"])
    assert load_board("theirs").title == "there"
    with pytest.raises(BoardError, match="nothing has no boards"):
        own_boards(Path("nothing"))


def test_of_two_of_one_name_a_projects_counts(elsewhere: Path) -> None:
    _board(elsewhere / "boards" / "host", "mine")
    assert load_board("host").project == FIRMWARE, "a folder of that name may be anything"
    (elsewhere / "platformio.ini").touch()
    assert (load_board("host").title, load_board("host").project) == ("mine", elsewhere)
    _board(elsewhere / "far" / "host", "named")
    own_boards(Path("far"))
    assert load_board("host").title == "named"


def test_a_board_that_nothing_builds_says_so(elsewhere: Path) -> None:
    _board(elsewhere / "boards" / "mine", "here")
    with pytest.raises(BuildError, match=r"no platformio.ini beside .*`einthoven new`.*--port"):
        boards.build(load_board("mine"))


@pytest.mark.parametrize("like", OURS)
def test_project_like_each_board(like: str, elsewhere: Path) -> None:
    lay_out(elsewhere / "p", "mine", like)
    own_boards(elsewhere / "p" / "boards")
    mine, theirs = load_board("mine"), load_board(like)
    assert (mine.project, mine.environment) == (elsewhere / "p", "mine")
    assert (mine.mcu, mine.command, mine.usb) == (theirs.mcu, theirs.command, theirs.usb)
    ini = (elsewhere / "p" / "platformio.ini").read_text()
    assert "[env:mine]" in ini and "../" not in ini and "EIN_TEST" not in ini
    folders = re.findall(r"^ +-I (boards/\S+)$", ini, re.MULTILINE)
    assert folders and all((elsewhere / "p" / folder).is_dir() for folder in folders)
    assert f"firmware = {FIRMWARE}\n" in (elsewhere / "p" / "einthoven.ini").read_text()
    say_where(elsewhere / "p", Path("/moved"))
    assert "firmware = /moved\n" in (elsewhere / "p" / "einthoven.ini").read_text()


def test_what_cannot_be_laid_out(elsewhere: Path) -> None:
    with pytest.raises(BoardError, match="no board 'nonsense' of Einthoven's"):
        lay_out(elsewhere / "p", "mine", "nonsense")
    for name in ("host", "template", "Mine", "a b", "../x", ""):
        with pytest.raises(UsageError, match="cannot be the new board's name"):
            lay_out(elsewhere / "p", name, "host")
    (elsewhere / "p").mkdir()
    (elsewhere / "p" / "file").touch()
    with pytest.raises(UsageError, match="p is not empty"):
        lay_out(elsewhere / "p", "mine", "host")


@pytest.fixture(scope="module")
def image() -> Path:
    """Einthoven's own, built in the user's cache."""
    return boards.build(load_board("qemu_stm32f405")).with_suffix(".bin")


def test_project_builds_the_same_image(image: Path, elsewhere: Path) -> None:
    """As a library the firmware costs what it costs in its own tree, but for the board's name."""
    lay_out(elsewhere / "p", "mine", "qemu_stm32f405")
    own_boards(elsewhere / "p" / "boards")
    mine = boards.build(load_board("mine")).with_suffix(".bin")
    assert abs(mine.stat().st_size - image.stat().st_size) < 100
    made = {p.name for p in (elsewhere / "p").iterdir()}
    assert made == {".gitignore", "boards", "einthoven.ini", "platformio.ini", "recipes"}
