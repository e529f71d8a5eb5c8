"""The monitor's screen, drawn with rich from a `Picture`: 60 columns wide and up."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from rich.console import Console, ConsoleOptions, RenderResult
from rich.text import Text

from einthoven.hil_tests.harness.channel import LinkStatistics
from einthoven.monitor import words
from einthoven.monitor.picture import Picture
from einthoven.monitor.strip import DOTS_X, DOTS_Y, characters, dots, span_mv

COLUMNS, ROWS = 60, 14
"""The least that it is drawn in."""
DOTS_PER_S = 30
"""Of the strip: 60 columns show four seconds, 200 show thirteen."""
_OTHER_ROWS = 9
KEYS = (("m", "mark"), ("r", "record"), ("space", "freeze"), ("q", "quit"))
_CLASS_STYLE = {"N": "green", "S": "bold yellow", "V": "bold red", "F": "bold magenta"}
"""Each has its letter, too: colour alone says nothing."""


@dataclass
class Screen:
    """What is shown now; a rich renderable."""

    picture: Picture
    link: LinkStatistics
    source: str
    """Where the signal comes from: `ADC`, `recording synthetic`."""
    plain: bool = False
    """In ASCII, for a terminal that has no braille."""
    shown: int = 0
    """The strip's right edge: a sample of the session."""
    frozen: bool = False
    rejected_bytes: int = 0
    status: Mapping[str, Any] | None = None
    """`device_status_reply`, of a device that works alone."""
    recording: str = ""
    """`r1 0:12`; empty: nothing is recorded."""
    note: str = ""
    """The last thing that a key did."""
    _drawn: tuple[tuple[int, int], list[Text]] = ((0, 0), [])  # size of the strip, and its lines

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        """The lines, each cut to the width."""
        width, height = options.max_width, options.height or console.size.height
        if width < COLUMNS or height < ROWS:
            yield Text(f"needs {COLUMNS} x {ROWS} characters, has {width} x {height}")
            return
        for line in self._lines(width, height):
            line.no_wrap, line.overflow = True, "crop"
            line.truncate(width)
            yield line

    def _lines(self, width: int, height: int) -> list[Text]:
        picture = self.picture
        return [
            self._sides(
                width,
                Text.assemble((picture.hello.board, "bold"), f"  {self.source}"),
                Text(words.clock(picture.end / picture.hello.rate_hz)),
            ),
            self._sides(width, self._vitals(), self._recording()),
            self._quality(),
            *self._strip_or_frozen(width, max(3, height - _OTHER_ROWS)),
            self._counts(),
            Text(self._link()),
            Text(self.note, "bold"),
            self._sides(width, self._keys(), Text("not a medical device", "dim")),
        ]

    @staticmethod
    def _keys() -> Text:
        keys = [Text.assemble((key, "reverse"), f" {what}") for key, what in KEYS]
        return Text("  ").join(keys)

    def _vitals(self) -> Text:
        rate = self.picture.rate_bpm
        number = "--" if rate is None else f"{rate:.0f}"
        alarm = any(kind.startswith("alarm") for kind in self.picture.lasting)
        told = (words.rhythm(self.picture), "bold red" if alarm else "")
        return Text.assemble((f"{number} /min", "bold"), "   ", told)

    def _recording(self) -> Text:
        if self.recording:
            return Text(f"REC {self.recording}", "bold red")
        return Text("FROZEN", "bold") if self.frozen else Text("")

    def _quality(self) -> Text:
        told = words.quality(self.picture)
        return Text("signal  ").append(told, "" if told == words.GOOD else "bold yellow")

    def _strip_or_frozen(self, width: int, rows: int) -> list[Text]:
        if not self.frozen or self._drawn[0] != (width, rows):
            self._drawn = ((width, rows), self._strip(width, rows))
        return [line.copy() for line in self._drawn[1]]

    def _strip(self, width: int, rows: int) -> list[Text]:
        picture, per_s = self.picture, self.picture.hello.rate_hz
        columns = width * DOTS_X
        first = self.shown - columns * per_s // DOTS_PER_S
        values = picture.mv(first, self.shown)
        low, high = span_mv(values)
        canvas = dots(values, columns, rows * DOTS_Y, low, high)
        beats = {b.at: b.label.lower() if b.unsure else b.label for b in picture.beats}
        labels = Text("")
        for letter in self._placed(beats, first, width, " "):
            labels.append(letter, _CLASS_STYLE.get(letter.upper(), "dim"))
        tick, line = ("+", "-") if self.plain else ("┴", "─")
        seconds = range(-(-max(first, 0) // per_s) * per_s, self.shown, per_s)
        told = dict.fromkeys(seconds, tick) | dict.fromkeys(picture.marks, "m")
        scale = f" {high - low:.1f} mV, {columns / DOTS_PER_S:.0f} s"
        axis = "".join(self._placed(told, first, width, line))[: width - len(scale)] + scale
        return [
            labels,
            *(Text(row) for row in characters(canvas, self.plain)),
            Text(axis, "dim"),
        ]

    def _placed(self, letters: Mapping[int, str], first: int, width: int, empty: str) -> list[str]:
        """A row with each letter at its time."""
        row = [empty] * width
        for at, letter in letters.items():
            if first <= at < self.shown:
                row[(at - first) * width // (self.shown - first)] = letter
        return row

    def _counts(self) -> Text:
        counts = self.picture.counts
        line = Text("beats  ")
        for label in self.picture.hello.classes:
            style = _CLASS_STYLE.get(label, "") if counts[label] else "dim"
            line.append(f"{label} {counts[label]}  ", style)
        last = self.picture.beats[-1:]
        for beat in last:
            line.append(f" last {beat.label} {100 * beat.sure:.0f} %", "bold")
            line.append(", unsure" if beat.unsure else "")
        return line

    def _link(self) -> str:
        told = words.link(self.link, self.rejected_bytes, self.picture.missing)
        power = f"battery {words.battery(self.status)}   " if self.status is not None else ""
        return f"{power}link  {told}"

    @staticmethod
    def _sides(width: int, left: Text, right: Text) -> Text:
        left.truncate(max(0, width - right.cell_len - 1))
        return left.append(" " * (width - left.cell_len - right.cell_len)).append(right)
