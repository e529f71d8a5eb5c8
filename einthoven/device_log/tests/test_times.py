from datetime import UTC, datetime

import pytest

from einthoven.device_log.description import Moment, TimeSet
from einthoven.device_log.times import Clock

SET = datetime(2026, 9, 21, 12, 0, tzinfo=UTC).timestamp()


def test_a_boot_without_a_time_is_never_given_one() -> None:
    clock = Clock([TimeSet(Moment(2, 50.0), SET), TimeSet(Moment(5, 10.0), SET + 9000)])
    for boot in (1, 3, 4, 6):
        assert clock.at(Moment(boot, 0.0)) is None
        assert clock.text(Moment(boot, 3725.0)) == f"start {boot}, 1:02:05"
    said = clock.statements([1, 2, 3, 6])
    assert [line.split(":")[0] for line in said] == ["Start 1", "Start 3", "Start 6"]
    assert said[0].endswith("it was before 2026-09-21 12:00.")
    assert said[1].endswith("it was after 2026-09-21 12:00 and before 2026-09-21 14:30.")
    assert said[2].endswith("it was after 2026-09-21 14:30.")


def test_before_and_after_one_setting_the_devices_own_drift_is_applied() -> None:
    clock = Clock([TimeSet(Moment(1, 1000.0), SET, drift_ppm=100.0)])
    for seconds in (0.0, 1000.0, 101_000.0):
        when = clock.at(Moment(1, seconds))
        assert when is not None
        assert when.timestamp() == pytest.approx(SET + (seconds - 1000) / 1.0001, abs=1e-5)
    assert clock.statements([1]) == [
        "Start 1: the device's clock runs 100 ppm fast, 8.6 s a day; the times are corrected for "
        "it."
    ]


def test_between_two_settings_the_time_is_drawn_between_them() -> None:
    # 50 ppm fast: the device counts 5 s more in a true 100,000.
    clock = Clock(
        [TimeSet(Moment(1, 0.0), SET), TimeSet(Moment(1, 100_005.0), SET + 100_000, drift_ppm=-3)]
    )
    middle, after = clock.at(Moment(1, 50_002.5)), clock.at(Moment(1, 200_010.0))
    assert middle is not None and after is not None
    assert middle.timestamp() == pytest.approx(SET + 50_000, abs=1e-3)
    assert after.timestamp() == pytest.approx(SET + 200_000, abs=1e-2)


def test_a_time_that_was_set_wrong_is_no_drift() -> None:
    # An hour wrong, put right a minute later.
    clock = Clock([TimeSet(Moment(1, 0.0), SET + 3600), TimeSet(Moment(1, 60.0), SET + 60)])
    before, after = clock.at(Moment(1, 30.0)), clock.at(Moment(1, 90.0))
    assert before is not None and after is not None
    assert before.timestamp() == pytest.approx(SET + 3630)
    assert after.timestamp() == pytest.approx(SET + 90)
    assert clock.statements([1]) == []


def test_a_year_that_no_calendar_has_is_not_known() -> None:
    clock = Clock([TimeSet(Moment(1, 0.0), 1e15)])
    assert clock.at(Moment(1, 1.0)) is None
    assert clock.text(Moment(1, 1.0)) == "start 1, 0:00:01"
