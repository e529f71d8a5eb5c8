import re
from html.parser import HTMLParser
from pathlib import Path

import pytest

from einthoven.device_log import words
from einthoven.device_log.beats import with_beats
from einthoven.device_log.description import Device, DeviceLog
from einthoven.device_log.page import page, write_page
from einthoven.device_log.testing import made_up_log
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
    assert "default-src 'none'; script-src 'sha256-" in text.replace("&#39;", "'")
    assert text.count("<script") == 1 and "<link" not in text and "<img" not in text
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
