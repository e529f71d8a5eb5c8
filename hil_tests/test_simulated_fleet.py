"""`make fleet` in small: six boards from the box to the label, three of them bad as planned."""

from pathlib import Path

from rich.console import Console

from einthoven.fleet.ledger import FLASHED
from einthoven.hil_tests.simulated.boards import planned
from einthoven.hil_tests.simulated.fleet import from_box_to_label, write_signals

STORIES = ("corrupt weights", "dead", "another's key")


def test_six_boards_from_the_box_to_the_label(tmp_path: Path) -> None:
    write_signals(tmp_path)
    whole = planned(tmp_path)
    assert len(whole) == 30 and len({board.name for board in whole}) == 30
    processes = [board for board in whole if board.board in ("host", "host_device")]
    bad = [next(b for b in processes if b.story == story) for story in STORIES]
    good = [b for b in processes if not b.story]
    dies = next(b for b in good if b.dies_in_replay)
    device = next(b for b in good if b.has_key)
    boards = [good[0], device, dies, *bad]
    # Records long enough for the one that dies; whether it is given one before it does is chance.
    outcome = from_box_to_label(tmp_path, boards, Console(quiet=True), 4, 400.0, 2.0)
    assert outcome.surprises == []
    assert [note.outcome for note in outcome.flashed] == [FLASHED] * len(boards)
    assert [found.passed for found in outcome.checks] == [not b.story for b in boards]
    assert outcome.checks[1].key and not outcome.checks[5].key
    assert outcome.run is not None and len(outcome.run.records) == 4
    assert (tmp_path / "run" / "report.html").is_file()
    page = (tmp_path / "labels.html").read_text(encoding="utf-8")
    assert page.count("NOT<br>GOOD") == len(bad)
