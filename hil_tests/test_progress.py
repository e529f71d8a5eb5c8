"""The remaining time is honest: records are not split, and the last one takes its time."""

import pytest

from einthoven.hil_tests.harness.progress import Remaining, duration


def test_nothing_is_said_before_anything_is_known() -> None:
    left = Remaining({"a": 1000, "b": 1000}, 2)
    assert left.seconds() is None
    left.update("a", 0, 0.0)
    assert left.seconds() is None


def test_one_board_at_a_steady_pace() -> None:
    left = Remaining({"a": 1000, "b": 1000}, 1)
    left.update("a", 0, 10.0)
    left.update("a", 500, 15.0)
    assert left.seconds() == pytest.approx(15.0)
    left.update("a", 1000, 20.0, done=True)
    assert left.seconds() == pytest.approx(10.0)


def test_the_last_record_of_three_keeps_one_of_two_boards_busy() -> None:
    left = Remaining({"a": 1000, "b": 1000, "c": 1000}, 2)
    for record in "ab":
        left.update(record, 0, 0.0)
    for record in "ab":
        left.update(record, 500, 5.0)
    # 100 samples/s a board: 5 s for what runs, then 10 s for c alone; the sum over 2 says 10.
    assert left.seconds() == pytest.approx(15.0)


def test_it_ends_at_zero() -> None:
    left = Remaining({"a": 1000}, 1)
    left.update("a", 0, 0.0)
    left.update("a", 1000, 4.0, done=True)
    assert left.seconds() == 0.0
    assert left.acked == left.total


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(None, "…"), (7.4, "7 s"), (61, "1 min 01 s"), (3599, "59 min 59 s"), (7260, "2 h 01 min")],
)
def test_durations_read_well(seconds: float | None, text: str) -> None:
    assert duration(seconds) == text
