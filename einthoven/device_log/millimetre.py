"""A strip on millimetre paper as SVG, true to scale: 25 mm/s and 10 mm/mV when printed.

A strip is cut into rows of 7.5 s, 187.5 mm, which fit an upright A4 page. The trace is the samples
themselves, as whole numbers in the path; a transformation scales them, so nothing is rounded. The
paper is a pattern that the page defines once (`PAPER`).
"""

from collections.abc import Iterable, Sequence

import numpy as np
from numpy.typing import NDArray

from einthoven.aami import CLASSES
from einthoven.device_log.description import Span, Strip

MM_PER_S = 25.0
MM_PER_MV = 10.0
ROW_S = 7.5
LETTERS_MM = 5.0
"""Room above the trace for the beats' letters."""
CLOCK_MM = 4.0
"""Room below it for the seconds."""
LEAST_MV = 2.0
MOST_MV = 4.0
"""Height of a row: what exceeds it is cut off, and the page says so."""

PAPER = (
    '<svg width="0" height="0" class="hidden" aria-hidden="true"><defs>'
    '<pattern id="mm" width="1" height="1" patternUnits="userSpaceOnUse">'
    '<path d="M1 0H0V1" class="fine"/></pattern>'
    '<pattern id="mm5" width="5" height="5" patternUnits="userSpaceOnUse">'
    '<rect width="5" height="5" fill="url(#mm)"/><path d="M5 0H0V5" class="bold"/></pattern>'
    "</defs></svg>"
)
"""Goes into the page before the first strip."""


def rows(strip: Strip, found: Sequence[Span] = ()) -> list[str]:
    """The strip's rows, an `<svg>` each, in order; none of a strip without samples."""
    n = len(strip.samples)
    if n == 0:
        return []
    per_row = max(1, round(ROW_S * strip.rate_hz))
    low_mv, high_mv = _range(strip)
    return [
        _row(strip, found, first, min(first + per_row, n), low_mv, high_mv)
        for first in range(0, n, per_row)
    ]


def _range(strip: Strip) -> tuple[float, float]:
    """Voltages at the lower and the upper edge of all rows, multiples of 0.5 mV."""
    mv = strip.samples / strip.lsb_per_mv
    middle = float(np.median(mv))
    low, high = min(float(mv.min()), middle - 0.5) - 0.1, max(float(mv.max()), middle + 1.0) + 0.1
    if high - low > MOST_MV:  # a pop of an electrode may be large: what the trace mostly does
        centre = float(np.percentile(mv, (0.5, 99.5)).mean())
        low, high = centre - MOST_MV / 2, centre + MOST_MV / 2
    low, high = np.floor(2 * low) / 2, np.ceil(2 * high) / 2
    return float(low), float(max(high, low + LEAST_MV))


def is_cut(strip: Strip) -> bool:
    """Whether the trace leaves its rows."""
    low, high = _range(strip)
    mv = strip.samples / strip.lsb_per_mv
    return bool(len(mv)) and (float(mv.min()) < low or float(mv.max()) > high)


def _row(
    strip: Strip, found: Sequence[Span], first: int, end: int, low_mv: float, high_mv: float
) -> str:
    rate, gain = strip.rate_hz, strip.lsb_per_mv
    width = ROW_S * MM_PER_S
    trace = (high_mv - low_mv) * MM_PER_MV
    height = LETTERS_MM + trace + CLOCK_MM
    zero = LETTERS_MM + high_mv * MM_PER_MV
    used = (end - first) / rate * MM_PER_S
    parts = [
        f'<svg class="row" width="{width}mm" height="{height:g}mm" '
        f'viewBox="0 0 {width} {height:g}" role="img" aria-label="ECG from second '
        f'{first / rate:.1f} to {end / rate:.1f}">',
        f'<g transform="translate(0 {LETTERS_MM:g})">'
        f'<rect width="{used:.2f}" height="{trace:g}" fill="url(#mm5)"/></g>',
    ]
    for span in found:
        a, b = max(span.begin, first), min(span.end, end)
        if a < b:
            x, w = (a - first) / rate * MM_PER_S, (b - a) / rate * MM_PER_S
            parts.append(
                f'<rect class="span" x="{x:.2f}" y="{LETTERS_MM + trace - 1:g}" '
                f'width="{w:.2f}" height="1"><title>{span.kind}</title></rect>'
            )
    for at in range(int(np.ceil(first / rate)), int(end / rate) + 1):
        x = (at * rate - first) / rate * MM_PER_S
        anchor = "start" if x < 3 else "end" if x > width - 3 else "middle"
        parts.append(
            f'<text class="clock" x="{x:.2f}" y="{height - 0.8:.2f}" '
            f'text-anchor="{anchor}">{at} s</text>'
        )
    for beat in strip.beats:
        if first <= beat["sample"] < end:
            label = CLASSES[beat["label"]]
            x = (int(beat["sample"]) - first) / rate * MM_PER_S
            unsure = ' class="unsure"' if beat["unsure"] else ""
            parts.append(
                f'<g{unsure}><text class="beat c{label}" x="{x:.2f}" y="{LETTERS_MM - 1.2:g}" '
                f'text-anchor="middle">{label}</text></g>'
            )
    parts.append(
        f'<svg y="{LETTERS_MM:g}" width="{width}" height="{trace:g}" overflow="hidden">'
        f'<path class="trace" transform="translate(0 {zero - LETTERS_MM:g}) '
        f'scale({MM_PER_S / rate:.6g} {-MM_PER_MV / gain:.6g})" d="{_path(strip, first, end)}"/>'
        "</svg></svg>"
    )
    return "".join(parts)


def _path(strip: Strip, first: int, end: int) -> str:
    """The samples, and the one after them, as relative steps of one sample; lost ones are a gap."""
    end = min(end + 1, len(strip.samples))
    lost = np.zeros(len(strip.samples), dtype=bool)
    for begin, number in strip.lost:
        lost[begin : begin + number] = True
    values = strip.samples.astype(np.int64)
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
