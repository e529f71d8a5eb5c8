"""The history's chart: every board and commit is in it, and the same rows give the same bytes."""

import csv
from pathlib import Path

from einthoven.boards.history_chart import CHART, PANELS, draw
from einthoven.boards.resources import HISTORY


def test_chart_is_of_the_history(tmp_path: Path) -> None:
    draw(HISTORY, tmp_path / "a.svg")
    draw(HISTORY, tmp_path / "b.svg")
    assert (tmp_path / "a.svg").read_bytes() == (tmp_path / "b.svg").read_bytes()
    with HISTORY.open(newline="") as file:
        rows = list(csv.DictReader(file))
    for text in ((tmp_path / "a.svg").read_text(), CHART.read_text()):
        for row in rows:
            assert row["commit"][:7] in text and row["board"] in text, "run einthoven size --record"
        assert all(title in text for title in PANELS.values())


def test_chart_follows_the_figures(tmp_path: Path) -> None:
    changed = tmp_path / "resources.csv"
    changed.write_text(HISTORY.read_text().replace(",443", ",543"))
    assert changed.read_text() != HISTORY.read_text()
    draw(HISTORY, tmp_path / "a.svg")
    draw(changed, tmp_path / "b.svg")
    assert (tmp_path / "a.svg").read_bytes() != (tmp_path / "b.svg").read_bytes()
