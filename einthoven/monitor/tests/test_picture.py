"""What the monitor knows and says of a board, of items made by hand."""

import io
from collections.abc import Mapping
from typing import Any

import numpy as np
import pytest
from rich.console import Console

from einthoven.hil_tests.harness.channel import LinkStatistics
from einthoven.hil_tests.harness.device import Hello
from einthoven.hil_tests.harness.watching import Began, Missing, Samples
from einthoven.monitor import words
from einthoven.monitor.picture import KEEP_S, Picture
from einthoven.monitor.screen import COLUMNS, ROWS, Screen
from einthoven.monitor.strip import characters, dots, span_mv
from einthoven.monitor.testing import hello
from einthoven.native import core
from einthoven.native.rhythm import BEGIN, END, kinds
from einthoven.wire.codec import Message

RATE = 180


@pytest.fixture
def who() -> Hello:
    return hello()


def message(name: str, **fields: Any) -> Message:
    return Message(name, 0, fields)


def beat(at: int, label: int = 0, unsure: int = 0) -> Message:
    return message("beat", t_samples=at, label=label, confidence=255, unsure=unsure)


def signal(flags: int) -> Message:
    return message("signal", t_samples=0, flags=flags)


def samples(start: int, values: Any) -> Samples:
    return Samples(start, np.asarray(values, np.int16))


def test_the_last_minute_is_kept_and_no_more(who: Hello) -> None:
    picture = Picture(who)
    ramp = np.arange(RATE * KEEP_S + 500) % 1000
    picture.take([Began(7, 0)])
    for first in range(0, len(ramp), 60):
        picture.take([samples(first, ramp[first : first + 60])])
    end = len(ramp)
    assert picture.end == end
    np.testing.assert_allclose(picture.mv(end - 300, end) * 200, ramp[-300:], atol=1e-3)
    assert np.isnan(picture.mv(0, 500)).all() and not np.isnan(picture.mv(500, end)).any()
    assert np.isnan(picture.mv(end, end + 5)).all()


def test_what_is_missing_is_a_gap(who: Hello) -> None:
    picture = Picture(who)
    picture.take([Began(7, 0), samples(0, [1] * 10), Missing(10, 5, "link"), samples(15, [2] * 3)])
    assert np.isnan(picture.mv(0, 18)).tolist() == [False] * 10 + [True] * 5 + [False] * 3
    picture.take([Missing(18, 10**6, "board")])
    assert picture.end == 18 + 10**6 and picture.missing == 10**6 + 5


def test_rate_is_of_the_last_intervals(who: Hello) -> None:
    picture = Picture(who)
    picture.take([Began(7, 0), samples(0, [0] * 1800)])
    assert picture.rate_bpm is None
    picture.take([beat(at) for at in range(0, 1800, 135)])
    assert picture.rate_bpm == pytest.approx(80)
    picture.take([samples(1800, [0] * 3600)])
    assert picture.rate_bpm is None  # nothing for twenty seconds


@pytest.mark.parametrize(
    ("flags", "told"),
    [
        (0, "good"),
        (core.FLAG_LEAD_OFF | core.FLAG_SATURATED | core.FLAG_FLAT, "electrode off"),
        (core.FLAG_SATURATED, "saturated"),
        (core.FLAG_MOTION | core.FLAG_NOISY, "motion; noise: beats are doubtful"),
        (core.FLAG_LEARNING, "finding its levels"),
    ],
)
def test_quality_in_words(who: Hello, flags: int, told: str) -> None:
    picture = Picture(who)
    picture.take([Began(7, 0), signal(flags)])
    assert words.quality(picture) == told


@pytest.mark.parametrize(("hz", "mv"), [(50, 0.4), (60, 1.2)])
def test_hum_is_measured_where_the_board_names_it(who: Hello, hz: int, mv: float) -> None:
    picture = Picture(who)
    t = np.arange(3 * RATE)
    wave = 200 * (mv * np.sin(2 * np.pi * hz * t / RATE + 1) + 0.3 * np.sin(2 * np.pi * t / RATE))
    picture.take([Began(7, 0), samples(0, np.rint(wave)), signal(0)])
    assert picture.hum is None
    picture.take([signal(core.FLAG_HUM)])
    assert words.quality(picture) == f"mains hum {hz} Hz, {mv} mV"
    picture.take([Missing(3 * RATE, 1, "link")])
    assert words.quality(picture) == "mains hum"  # no whole second to measure


def test_episodes_begin_last_and_end(who: Hello) -> None:
    picture, vt = Picture(who), kinds().index("alarm: ventricular tachycardia")
    af = kinds().index("atrial fibrillation")
    picture.take([Began(7, 0), samples(0, [0] * 1800)])
    assert words.rhythm(picture) == "no episode"
    for kind in (af, vt):
        picture.take([message("rhythm", kind=kind, phase=BEGIN, begin_samples=900, end_samples=0)])
    assert words.rhythm(picture) == f"{kinds()[vt]}, {kinds()[af]}"
    for kind in (vt, af):
        picture.take([message("rhythm", kind=kind, phase=END, begin_samples=900, end_samples=1440)])
    assert words.rhythm(picture) == f"{kinds()[af]}, over for 2 s"
    picture.take([samples(1800, [0] * 1800)])
    assert words.rhythm(picture) == "no episode"


def test_a_reset_forgets_the_session_but_not_the_counts(who: Hello) -> None:
    picture = Picture(who)
    picture.take([Began(7, 0), samples(0, [5] * 400), beat(100, 2), signal(1)])
    picture.mark()
    picture.take([Began(8, 0)])
    assert (picture.session, picture.end, picture.flags) == (8, 0, 0)
    assert not picture.beats and not picture.marks and picture.counts["V"] == 1


def test_a_curve_is_joined_and_has_its_extremes() -> None:
    values = np.array([0.0, 0.0, 1.0, 1.0, np.nan, np.nan, 0.5, 0.5])
    canvas = dots(values, 4, 8, 0.0, 1.0)
    assert canvas[:, 0].nonzero()[0].tolist() == [7]
    assert canvas[:, 1].all()  # from the value before up to the new one
    assert not canvas[:, 2].any()
    assert canvas.any(axis=0).tolist() == [True, True, False, True]
    assert [len(line) for line in characters(canvas)] == [2, 2]
    assert characters(np.ones((4, 2), bool)) == ["\u28ff"]
    assert characters(np.eye(4, 2, dtype=bool), plain=True) == ["'"]
    # Beyond the edge is at the edge.
    assert dots(np.array([9.0]), 1, 4, 0.0, 1.0)[0, 0]


def test_scale_holds_the_signal() -> None:
    ecg = np.concatenate([np.zeros(500), np.full(10, 1.4), np.full(10, -0.6)])
    low, high = span_mv(ecg)
    assert low < -0.6 and high > 1.4 and (high - low) % 0.5 == 0
    assert span_mv(np.full(9, np.nan)) == (-0.5, 0.5)
    assert span_mv(np.zeros(9)) == (-0.5, 0.5)


def rendered(screen: Screen, width: int, height: int) -> list[str]:
    console = Console(file=io.StringIO(), width=width, height=height)
    options = console.options.update(width=width, height=height)
    lines = console.render_lines(screen, options, pad=False)
    return ["".join(segment.text for segment in line) for line in lines]


STATUS: Mapping[str, Any] = {"battery_percent": 87, "battery_mv": 3912}


@pytest.mark.parametrize(("width", "height"), [(COLUMNS, ROWS), (80, 24), (200, 60)])
def test_screen_fits_any_window(who: Hello, width: int, height: int) -> None:
    picture = Picture(who)
    wave = np.rint(100 * np.sin(np.arange(20 * RATE) / 20))
    picture.take([Began(7, 0), samples(0, wave), beat(19 * RATE, 2), beat(19 * RATE + 90, 1, 1)])
    picture.mark()
    screen = Screen(picture, LinkStatistics(bytes_received=123_456), "own ADC", status=STATUS)
    screen.shown = picture.end
    lines = rendered(screen, width, height)
    assert len(lines) == height and all(len(line) <= width for line in lines)
    assert lines[0] == "testboard  own ADC".ljust(width - 4) + "0:20"
    labels = lines[3].ljust(width)
    assert labels.index("V") == pytest.approx(width - 15, abs=1)  # a second before the edge
    assert labels.index("s") == pytest.approx(width - 7.5, abs=1)
    assert "battery 87 %, 3.91 V   link  123.5 kB, nothing lost" in lines[-3]
    assert "V 1" in lines[-4] and "last S 100 %, unsure" in lines[-4]


def test_link_says_what_was_lost() -> None:
    told = words.link(LinkStatistics(bytes_received=2000, retries=3, events_lost=1), 17, 360)
    assert told == "2.0 kB, 17 B damaged, 3 repeated, 360 samples missing, 1 events lost"
    assert words.battery({"battery_percent": 255, "battery_mv": 0}) == "unknown"
    assert [words.clock(s) for s in (0, 61.9, 3723)] == ["0:00", "1:01", "1:02:03"]
