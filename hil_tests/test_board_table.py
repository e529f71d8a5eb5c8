"""docs/boards.md shows what `make boards` measured, of every board there is."""

import pytest

from einthoven.boards import resources
from einthoven.boards.board import load_board
from einthoven.errors import UsageError
from einthoven.hil_tests import board_table
from einthoven.hil_tests.board_table import Row
from einthoven.hil_tests.chips.models import MODELS


def test_the_page_shows_what_was_measured() -> None:
    page = board_table.PAGE.read_text()
    assert board_table.shown(page, board_table.read()) == page


def test_every_board_has_its_row() -> None:
    rows = {row.board: row for row in board_table.read()}
    assert list(rows) == board_table.wanted()
    for name, row in rows.items():
        assert row.flash_bytes > 0 and row.ram_bytes > 0
        runs = load_board(name).command is not None or name in MODELS
        assert (row.beats > 0) == runs
    for name in ("qemu_cortex_m33", "qemu_cortex_m55"):
        assert rows[name].beats >= board_table.BEATS


def test_the_budget_holds_what_the_table_shows() -> None:
    """Of every board, both ways: what has become less since is the budget, too."""
    budgets = resources.budgets()
    assert {row.board for row in board_table.read()} <= set(budgets)
    for row in board_table.read():
        figures = {"flash_bytes": row.flash_bytes, "ram_bytes": row.ram_bytes, **row.counts()}
        assert set(figures) <= set(budgets[row.board])
        for name, value in figures.items():
            budget = budgets[row.board][name]
            assert abs(value / budget - 1) <= resources.GROWTH, (row.board, name)


def test_a_page_without_its_marks_is_refused() -> None:
    row = Row("a", "b", 1, 2, "cycles", 3, 4, 0, "")
    with pytest.raises(UsageError, match="begin: board table"):
        board_table.shown("no table here", [row])
    page = f"x{board_table.BEGIN}old{board_table.END}y"
    assert "waits for silicon" in board_table.shown(page, [row])
    assert "old" not in board_table.shown(page, [row])


def test_what_cannot_be_named_is_said_in_a_line(capsys: pytest.CaptureFixture[str]) -> None:
    assert board_table.main(["nonsense"]) == 2
    assert "no board 'nonsense'" in capsys.readouterr().err
