import re
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pytest

from einthoven.device_log import millimetre, words
from einthoven.device_log.beats import with_beats
from einthoven.device_log.description import Device, DeviceLog, Strip
from einthoven.device_log.page import page, write_page
from einthoven.device_log.testing import RATE_HZ, made_up_log
from einthoven.device_log.times import Clock
from einthoven.native.rhythm import kinds
from einthoven.native.strip import symbols


@pytest.fixture(scope="module")
def log() -> DeviceLog:
    return with_beats(made_up_log(days=0.8))


@pytest.fixture(scope="module")
def text(log: DeviceLog) -> str:
    return page(log, Clock.of(log), "P-017 <b>")


class _Balanced(HTMLParser):
    """Every element that is opened is closed."""

    VOID = frozenset({"meta", "br", "path", "rect", "line"})

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []

    def handle_starttag(self, tag: str, attrs: object) -> None:
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: object) -> None:
        pass

    def handle_endtag(self, tag: str) -> None:
        if tag not in self.VOID:
            assert self.open.pop() == tag


def test_page_is_whole_and_asks_the_network_for_nothing(text: str) -> None:
    parser = _Balanced()
    parser.feed(text)
    assert parser.open == []
    assert "default-src 'none'; style-src 'unsafe-inline'" in text
    assert "<script" not in text and "<link" not in text and "<img" not in text
    foreign = {u for u in re.findall(r"(?:https?:)?//[\w.]+[^\"' <]*", text) if "w3.org" not in u}
    assert foreign == set()
    assert "P-017 &lt;b&gt;" in text


def test_page_says_what_it_must(text: str) -> None:
    for sentence in (
        "Not a medical device.",
        "It is not a diagnosis",
        "irregular, as in atrial fibrillation",
        "extreme tachycardia",
        "The device gave up 17 older records",
        "1 part could not be read",
        "nobody told the device the time",
        "the device&#39;s clock runs 23 ppm fast",
        "Computed again from this ECG, the verdict is the same.",
        "ADS1292R",
        "battery low, 3.54 V",
    ):
        assert sentence in text


def test_same_log_same_page(log: DeviceLog, text: str) -> None:
    assert page(log, Clock.of(log), "P-017 <b>") == text


def test_an_empty_log_has_a_page(tmp_path: Path) -> None:
    log = DeviceLog(Device())
    path = write_page(log, tmp_path, Clock.of(log))
    assert "a device that does not say its name" in path.read_text(encoding="utf-8")


def test_every_verdict_and_every_kind_has_words() -> None:
    assert set(words.VERDICTS) == set(symbols())
    assert set(words.KINDS) == set(kinds())


def test_strip_is_true_to_scale_and_to_the_sample(log: DeviceLog) -> None:
    strip = log.strips[0]
    rows = millimetre.rows(strip)
    assert len(rows) == 4
    assert not millimetre.is_cut(strip)
    taken: list[int] = []
    for row in rows:
        width, height = (float(v) for v in re.findall(r'(?:width|height)="([\d.]+)mm"', row)[:2])
        assert f'viewBox="0 0 {width} {height:g}"' in row  # so a unit is a millimetre
        across, up = re.findall(r"scale\(([-\d.]+) ([-\d.]+)\)", row)[0]
        assert float(across) * RATE_HZ == pytest.approx(25.0, rel=1e-4)
        assert -float(up) * strip.lsb_per_mv == pytest.approx(10.0, rel=1e-4)
        path = re.findall(r' d="(M0 [^"]*)"', row)[0]
        first, steps = path.removeprefix("M0 ").split("l")
        values = np.cumsum([int(first), *map(int, steps.split()[1::2])])
        taken += values.tolist()[: round(7.5 * RATE_HZ)]
    assert taken == strip.samples.tolist()


def test_lost_samples_leave_a_gap(log: DeviceLog) -> None:
    strip = replace(log.strips[0], lost=((10, 5), (20, 1), (5399, 1)))
    first, *_, last = millimetre.rows(strip)
    assert re.findall(r"M\d+", re.findall(r' d="(M0 [^"]*)"', first)[0]) == ["M0", "M15", "M21"]
    assert last.endswith("</svg></svg>")
    gone = replace(strip, lost=((0, 5400),))
    assert all(' d=""' in row for row in millimetre.rows(gone))


@pytest.mark.parametrize("values", [[0], [32767, -32768] * 50, [5] * 2000])
def test_any_strip_is_drawn(values: list[int]) -> None:
    base = made_up_log(days=0.01).strips[0]
    strip: Strip = replace(base, samples=np.array(values, dtype=np.int16))
    for row in millimetre.rows(strip):
        assert float(re.findall(r'height="([\d.]+)mm"', row)[0]) < 60


def test_no_strip_no_rows() -> None:
    base = made_up_log(days=0.01).strips[0]
    assert millimetre.rows(replace(base, samples=np.zeros(0, dtype=np.int16))) == []
