"""The card that lies in a device's box: what its LED and buzzer say, drawn from `device.toml`.

Nothing here knows a pattern: `device.spec` reads them from the table of the device's C.
"""

from collections.abc import Iterable
from dataclasses import replace
from html import escape
from itertools import groupby

from einthoven.components.documents import document
from einthoven.device.spec import SLOT_MS, Alarm, DeviceSpec, Pattern

NOTICE = "Not a medical device. It makes no diagnosis."
TITLE = "What the device says"

_SCALE = 2.4
"""Units of the drawing per slot."""
_BARS = {"l": 3.0, "m": 5.0, "h": 7.0}
"""Height of a tone."""
_HIDDEN = frozenset({"check"})
"""Patterns that pass before anybody reads the card."""


def shown(spec: DeviceSpec) -> list[Pattern]:
    """The patterns of the card, the most urgent one first."""
    kept = [p for p in spec.patterns if p.name not in _HIDDEN]
    return sorted(kept, key=lambda p: -p.rank)


def alarm_cells(alarm: Alarm) -> tuple[str, str, str, str, str]:
    """An alarm in words: what it is, whether it is on, raised when, ended when, silent how long."""
    return (
        alarm.says + (" (urgent)" if alarm.urgent else ""),
        "on" if alarm.on else "off",
        f"after {alarm.delay_s} s" if alarm.delay_s else "at once",
        f"{alarm.release_s} s after it" + (", once seen" if alarm.latch else ""),
        f"{alarm.silence_s} s",
    )


ALARM_HEADINGS = ("Alarm", "By default", "Raised", "Ends", "Silenced for")


def _runs(marks: str) -> Iterable[tuple[int, int, str]]:
    """Where runs of one character begin, how long they are, and the character."""
    at = 0
    for mark, run in groupby(marks):
        length = len(list(run))
        yield at, length, mark
        at += length


def draw(pattern: Pattern, width_slots: int) -> str:
    """The pattern as SVG: light above, tone below, time to the right, one grey line a second."""
    width, per_second = width_slots * _SCALE, 1000 / SLOT_MS * _SCALE
    marks: list[str] = []
    for second in range(width_slots * SLOT_MS // 1000 + 1):
        marks.append(_line("s", second * per_second))
    for at, length, mark in _runs(pattern.led):
        if mark == "#":
            marks.append(_bar("l", at, length, 1.0, 9.0))
    for at, length, mark in _runs(pattern.buzzer):
        if mark in _BARS:
            marks.append(_bar("t", at, length, 21.0 - _BARS[mark], _BARS[mark]))
    marks.append(_line("e", len(pattern.led) * _SCALE))
    return (
        f'<svg class="drawing" viewBox="-1 0 {width + 2:.0f} 22" width="{width + 2:.0f}" '
        f'height="22" role="img" aria-label="{escape(pattern.name)}">{"".join(marks)}</svg>'
    )


def _line(kind: str, x: float) -> str:
    return f'<line class="{kind}" x1="{x:.1f}" x2="{x:.1f}" y1="0" y2="22"/>'


def _bar(kind: str, at: int, length: int, y: float, height: float) -> str:
    place = f'x="{at * _SCALE:.1f}" y="{y:.1f}" width="{length * _SCALE:.1f}"'
    return f'<rect class="{kind}" {place} height="{height:.1f}"/>'


def html(spec: DeviceSpec) -> str:
    """The card as one self-contained page that prints on A5."""
    patterns = shown(spec)
    slots = min(max(len(p.led) for p in patterns), 60)
    return document(
        "einthoven.device",
        "card.html.j2",
        title=TITLE,
        notice=NOTICE,
        buttons=button_lines(spec),
        tones=spec.numbers["tones"],
        patterns=[
            {"drawing": draw(_cut(p, slots), slots), "says": p.says, "text": p.text}
            for p in patterns
        ],
        headings=ALARM_HEADINGS,
        alarms=[alarm_cells(a) for a in spec.alarms],
    )


def _cut(pattern: Pattern, slots: int) -> Pattern:
    """A pattern whose rest is dark beyond the card's width."""
    return replace(pattern, led=pattern.led[:slots], buzzer=pattern.buzzer[:slots])


def button_lines(spec: DeviceSpec) -> tuple[str, ...]:
    """What the one button does."""
    long_s = spec.numbers["button"]["long_ms"] / 1000
    seconds = spec.numbers["strip"]["seconds"]
    return (
        f"Short press: a strip of {seconds} s with a verdict. Again: gives it up.",
        f"Held for {long_s:g} s: a continuous recording. Held again: ends it. "
        "Short press meanwhile: silences an alarm, else sets a mark.",
    )


def text_rows(spec: DeviceSpec) -> Iterable[tuple[str, str, str]]:
    """Light, tone and meaning of each pattern for a terminal: a character is 100 ms."""
    for pattern in shown(spec):
        pairs = range(0, min(len(pattern.led), 40), 2)
        light = "".join(_LIGHT[pattern.led[i : i + 2].ljust(2, ".")] for i in pairs)
        tone = "".join(_tone(pattern.buzzer[i : i + 2]) for i in pairs)
        yield light.rstrip("·") or "·", tone.rstrip("·"), pattern.says


_LIGHT = {"##": "█", "#.": "▌", ".#": "▐", "..": "·"}


def _tone(slots: str) -> str:
    return next((c for c in "hml" if c in slots), "·")
