"""The computed duty cycles and currents: by hand for round figures."""

import pytest

from einthoven.codegen.testing.duty_cycle import (
    BEATS_PER_MINUTE,
    CHIPS,
    Chip,
    Work,
    currents,
    duty,
    lowest_clock,
    mean_ma,
    rows,
)
from einthoven.native import core

CHIP = Chip("X", "m4", 2.0, (16.0, 4.0, 1.0), {16.0: (1.9, 0.4), 1.0: (0.4, 0.1)}, 0.05, "none")
WORK = Work({75: 500.0, 200: 1000.0}, 480_000)


def test_duty_is_cycles_per_cycles() -> None:
    a_second = 500 * core.rate_hz() + 480_000 * 75 / 60
    assert duty(CHIP, WORK, 4.0, 75) == pytest.approx(a_second * 2 / 4e6)
    assert duty(CHIP, WORK, 1.0, 200) > 1


def test_the_lowest_clock_that_leaves_a_quarter() -> None:
    busy = duty(CHIP, WORK, 1.0, 200)
    assert lowest_clock(CHIP, WORK) == min(c for c in CHIP.clocks_mhz if busy / c <= 0.75)
    assert lowest_clock(CHIP, Work(WORK.per_sample, 100_000_000)) == 16.0


def test_currents_lie_on_the_line_between_the_rows() -> None:
    assert currents(CHIP, 16.0) == pytest.approx((1.9, 0.4))
    assert currents(CHIP, 4.0) == pytest.approx((0.7, 0.16))
    assert mean_ma(0.25, 2.0, 0.4) == pytest.approx(0.8)


def test_every_chip_has_a_source_and_lines() -> None:
    for chip in CHIPS:
        assert "DS" in chip.source or "data sheet" in chip.source
        lines = rows(chip, WORK)
        assert len(lines) % len(BEATS_PER_MINUTE) == 0
        assert ("–" in lines[0]) == (not chip.currents_ma)
