"""A strip on millimetre paper as SVG, true to scale: 25 mm/s and 10 mm/mV when printed.

A strip is cut into rows of at most 7.5 s, 187.5 mm, which fit an upright A4 page. The trace is the
samples themselves, as whole numbers in the path; a transformation scales them, so nothing is
rounded. The paper's lines are drawn once in a page (`PAPER`), and every row shows a piece of them.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from html import escape
from typing import Any

import numpy as np
from numpy.typing import NDArray

MM_PER_S = 25.0
MM_PER_MV = 10.0
ROW_S = 7.5
"""Most of a row."""
LETTERS_MM = 5.0
"""Room above the trace for the beats' letters, and below it where there is a reference."""
CLOCK_MM = 4.0
"""Room below it for the seconds."""
LEAST_MV = 2.0
MOST_MV = 4.0
"""Height of a row, to the next half millivolt: what exceeds it is cut off, and the page says so."""
_FLAW_S = 0.12
"""To each side of a beat that is marked as one that differs."""


def _lines(every_mm: int) -> str:
    """Lines over a row's greatest size, and a large box more: where it begins in one differs."""
    width, height = int(ROW_S * MM_PER_S) + 6, int((MOST_MV + 1) * MM_PER_MV)
    across = "".join(f"M{x} 0v{height}" for x in range(0, width + 1, every_mm))
    return across + "".join(f"M0 {y}h{width}" for y in range(0, height + 1, every_mm))


PAPER = (
    '<svg width="0" height="0" class="paper" aria-hidden="true"><defs><g id="mm">'
    f'<path class="fine" d="{_lines(1)}"/><path class="bold" d="{_lines(5)}"/>'
    "</g></defs></svg>"
)
"""Goes into the page before the first strip."""


@dataclass(frozen=True)
class Letter:
    """A beat's class over or under its R peak."""

    at: float
    """In samples from the first."""
    label: str
    """A class of `aami.CLASSES`, whose colour it takes, or another letter."""
    unsure: bool = False


@dataclass(frozen=True)
class Trace:
    """A strip as it is drawn."""

    samples: NDArray[np.integer[Any]]
    """[n]"""
    rate_hz: float
    lsb_per_mv: float
    beats: Sequence[Letter] = ()
    """Above the trace."""
    reference: Sequence[Letter] | None = None
    """Below it; None: there is none."""
    spans: Sequence[tuple[str, int, int]] = ()
    """Episodes as bars below the trace: name, first sample, the one after the last."""
    differ: Sequence[float] = ()
    """Where it is shaded, in samples."""
    lost: Sequence[tuple[int, int]] = ()
    """(first, number) of samples that leave a gap."""
    start_s: float | None = None
    """What the clock says at the first sample, told as m:ss; None: seconds from 0."""


def rows(trace: Trace) -> list[str]:
    """The strip's rows, an `<svg>` each, in order and of equal length; none without samples."""
    n = len(trace.samples)
    seconds = n / trace.rate_hz
    per_row = max(1, round(seconds / np.ceil(seconds / ROW_S) * trace.rate_hz)) if n else 1
    low_mv, high_mv = _range(trace) if n else (0.0, 0.0)
    return [
        _row(trace, first, min(first + per_row, n), low_mv, high_mv)
        for first in range(0, n, per_row)
    ]


def _range(trace: Trace) -> tuple[float, float]:
    """Voltages at the lower and the upper edge of all rows, multiples of 0.5 mV."""
    mv = trace.samples / trace.lsb_per_mv
    middle = float(np.median(mv))
    low, high = min(float(mv.min()), middle - 0.5) - 0.1, max(float(mv.max()), middle + 1.0) + 0.1
    if high - low > MOST_MV:  # a pop of an electrode may be large: what the trace mostly does
        centre = float(np.percentile(mv, (0.5, 99.5)).mean())
        low, high = centre - MOST_MV / 2, centre + MOST_MV / 2
    low, high = np.floor(2 * low) / 2, np.ceil(2 * high) / 2
    return float(low), float(max(high, low + LEAST_MV))


def is_cut(trace: Trace) -> bool:
    """Whether the trace leaves its rows."""
    if not len(trace.samples):
        return False
    low, high = _range(trace)
    mv = trace.samples / trace.lsb_per_mv
    return float(mv.min()) < low or float(mv.max()) > high


def _row(trace: Trace, first: int, end: int, low_mv: float, high_mv: float) -> str:
    rate = trace.rate_hz
    begin_s = first / rate
    width = (end - first) / rate * MM_PER_S
    paper = (high_mv - low_mv) * MM_PER_MV
    below = LETTERS_MM if trace.reference is not None else 0.0
    height = LETTERS_MM + paper + below + CLOCK_MM

    def x(sample: float) -> float:
        return (sample - first) / rate * MM_PER_S

    def letters(marks: Iterable[Letter], y: float) -> str:
        return "".join(
            f'<text class="c{escape(mark.label)}{" unsure" * mark.unsure}" x="{x(mark.at):.2f}" '
            f'y="{y:g}" text-anchor="middle">{escape(mark.label)}</text>'
            for mark in marks
            if first <= mark.at < end
        )

    def bar(kind: str, a: float, b: float, y: float, tall: float, title: str) -> str:
        a, b = max(a, first), min(b, end)
        return (
            f'<rect class="{kind}" x="{x(a):.2f}" y="{y:g}" width="{x(b) - x(a):.2f}" '
            f'height="{tall:g}"><title>{escape(title)}</title></rect>'
            if a < b
            else ""
        )

    flaw = _FLAW_S * rate
    marks = [
        *(bar("flaw", at - flaw, at + flaw, 0, paper, "differs") for at in trace.differ),
        *(bar("span", a, b, paper - 1, 1, name) for name, a, b in trace.spans),
    ]
    return (
        f'<svg class="row" width="{width:g}mm" height="{height:g}mm" '
        f'style="--w:{width:g};--h:{height:g}" viewBox="0 0 {width:g} {height:g}" role="img" '
        f'aria-label="ECG from second {begin_s:.1f} to {end / rate:.1f}" '
        f'data-begin="{begin_s:g}" data-rate="{rate:g}" data-top="{LETTERS_MM:g}" '
        f'data-low="{low_mv:g}" data-high="{high_mv:g}">'
        f'<svg y="{LETTERS_MM:g}" width="{width:g}" height="{paper:g}" overflow="hidden">'
        f'<use href="#mm" x="{-(begin_s * MM_PER_S % 5):g}"/>{"".join(marks)}'
        f'<path class="trace" transform="translate(0 {high_mv * MM_PER_MV:g}) '
        f'scale({MM_PER_S / rate:.6g} {-MM_PER_MV / trace.lsb_per_mv:.6g})" '
        f'd="{_path(trace, first, end)}"/></svg>'
        f"{letters(trace.beats, LETTERS_MM - 1.2)}"
        f"{letters(trace.reference or (), LETTERS_MM + paper + 3.4)}"
        f"{_clock(trace, first, end, height - 0.8)}</svg>"
    )


def _clock(trace: Trace, first: int, end: int, y: float) -> str:
    """The seconds of a row. What does not fit at its right edge stands in the next one."""
    start_s = trace.start_s or 0.0
    begin_s, end_s = start_s + first / trace.rate_hz, start_s + end / trace.rate_hz
    parts = []
    for at in range(int(np.ceil(begin_s)), int(np.ceil(end_s))):
        x = (at - begin_s) * MM_PER_S
        anchor = "start" if x < 3 else "end" if x > (end_s - begin_s) * MM_PER_S - 3 else "middle"
        text = f"{at} s" if trace.start_s is None else f"{at // 60}:{at % 60:02d}"
        parts.append(
            f'<text class="clock" x="{x:.2f}" y="{y:.2f}" text-anchor="{anchor}">{text}</text>'
        )
    return "".join(parts)


def _path(trace: Trace, first: int, end: int) -> str:
    """The samples, and the one after them, as relative steps of one sample; lost ones are a gap."""
    end = min(end + 1, len(trace.samples))
    lost = np.zeros(len(trace.samples), dtype=bool)
    for begin, number in trace.lost:
        lost[begin : begin + number] = True
    values = trace.samples.astype(np.int64)
    parts: list[str] = []
    for a, b in _stretches(lost[first:end]):
        piece = values[first + a : first + b]
        parts.append(f"M{a} {piece[0]}")
        if len(piece) > 1:
            parts.append("l" + " ".join(f"1 {d}" for d in np.diff(piece).tolist()))
        else:
            parts.append("h1")
    return "".join(parts)


def _stretches(lost: NDArray[np.bool_]) -> Iterable[tuple[int, int]]:
    edges = np.flatnonzero(np.diff(np.concatenate([[True], lost, [True]]).astype(np.int8)))
    return zip(edges[::2].tolist(), edges[1::2].tolist(), strict=True)
