"""The pictures of a run's report."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import matplotlib as mpl
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator
from numpy.typing import NDArray

from einthoven.aami import CLASSES
from einthoven.report.description import Strip
from einthoven.report.overview import ReliabilityBin
from einthoven.report.svg import INK, STYLE, bare, keep_inside, render

PAPER_SHARE = 0.885
"""Of a strip's height, from above; its clock is below."""


@dataclass(frozen=True)
class Frame:
    """What a strip's paper shows: its edges, and what the trace itself needs of the height."""

    begin_s: float
    end_s: float
    low_mv: float
    high_mv: float
    room_mv: float
    """Above and below the trace, for the labels."""

    @property
    def height_mv(self) -> float:
        """Of the whole paper."""
        return self.high_mv - self.low_mv + 2 * self.room_mv


def strip_frame(strip: Strip) -> Frame:
    """The edges within which a strip is drawn, and by which it is measured."""
    mv = np.asarray(strip.mv, dtype=np.float64)
    middle = float(np.median(mv))
    low = min(float(mv.min()), middle - 0.6) - 0.15
    high = max(float(mv.max()), middle + 0.9) + 0.15
    last = max(mv.size - 1, 1)  # a record may have one sample only
    end_s = strip.start_s + last / strip.rate_hz
    return Frame(strip.start_s, end_s, low, high, 0.15 * (high - low))


def strip_svg(strip: Strip) -> str:
    """Draw one strip of ECG, with the board's beats above and the reference below.

    Drawn on ECG paper: 40 ms and 0.1 mV a small box, 200 ms and 0.5 mV a large one.
    """
    mv = np.asarray(strip.mv, dtype=np.float64)
    start_s, rate_hz = strip.start_s, strip.rate_hz
    time_s = start_s + np.arange(mv.size) / rate_hz
    frame = strip_frame(strip)
    low, high, room = frame.low_mv, frame.high_mv, frame.room_mv
    with mpl.rc_context(STYLE):
        figure = Figure(figsize=(10.0, 2.5))
        axes = figure.add_axes((0.0, 1.0 - PAPER_SHARE, 1.0, PAPER_SHARE))
        first, last = float(time_s[0]), float(time_s[-1])
        axes.set_xlim(frame.begin_s, frame.end_s)
        axes.set_ylim(low - room, high + room)
        axes.set_xticks(np.arange(np.ceil(first + 0.2), last - 0.2))
        _paper(axes, first, last, low - room, high + room)
        axes.plot(time_s, mv, color=INK["trace"], linewidth=1.0, zorder=3)
        for marks, y, align, weight in (
            (strip.events, high + room * 0.8, "top", "bold"),
            (strip.reference, low - room * 0.85, "bottom", "normal"),
        ):
            for when, label in marks:
                color = INK.get(label, INK["muted"])
                axes.text(
                    when,
                    y,
                    label,
                    color=color,
                    ha="center",
                    va=align,
                    weight=weight,
                    size=10,
                    zorder=4,
                    clip_on=True,
                )
        for when, label in strip.events:
            near = mv[int(np.clip(round((when - start_s) * rate_hz), 0, mv.size - 1))]
            color = INK.get(label, INK["muted"])
            axes.plot([when, when], [near, high], color=color, linewidth=0.8, alpha=0.55, zorder=2)
        for when in strip.differ:
            axes.axvspan(when - 0.12, when + 0.12, color=INK["bad"], alpha=0.18, zorder=1)
        axes.set_yticks([])
        axes.xaxis.set_major_formatter(lambda value, _: _clock(value))
        axes.tick_params(axis="x", length=0, pad=3, labelsize=8)
        for spine in axes.spines.values():
            spine.set_visible(False)
        keep_inside(figure, axes)
        return render(figure, f"Record {strip.record} from {_clock(start_s)}")


def _paper(axes: Axes, x0: float, x1: float, y0: float, y1: float) -> None:
    """ECG paper behind the trace, as four paths."""
    for step_s, step_mv, name, width in (
        (0.04, 0.1, "paper-fine", 0.35),
        (0.2, 0.5, "paper-bold", 0.6),
    ):
        xs = np.arange(np.ceil(x0 / step_s), np.floor(x1 / step_s) + 1) * step_s
        ys = np.arange(np.ceil(y0 / step_mv), np.floor(y1 / step_mv) + 1) * step_mv
        if ys.size > 80:  # a strip at the rails: fine lines would be a grey wall
            continue
        color = INK[name]
        axes.plot(*_segments(xs, y0, y1), color=color, linewidth=width, zorder=0)
        axes.plot(*_segments(ys, x0, x1)[::-1], color=color, linewidth=width, zorder=0)


def _segments(
    at: NDArray[np.float64], begin: float, end: float
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Parallel lines as one path, broken by NaN: a tenth of the bytes of a path each."""
    across = np.repeat(at, 3)
    along = np.tile([begin, end, np.nan], at.size)
    return across, along


def _clock(seconds: float) -> str:
    """`m:ss` of a time in the record."""
    whole = round(seconds)
    return f"{whole // 60}:{whole % 60:02d}"


def _number(value: float) -> str:
    return f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.6g}"


def trend_svg(
    times_s: NDArray[np.float64],
    labels: NDArray[np.integer[Any]],
    shaded: Sequence[tuple[float, float]],
    seconds: float,
    title: str,
) -> str:
    """Draw a record's heart rate over time, V and S beats as ticks, `shaded` spans behind.

    `times_s` [n] R in seconds, `labels` [n] indices of CLASSES; a bin is 10 s or more: its median.
    """
    rr_s = np.diff(times_s)
    bins = int(np.clip(seconds // 10, 1, 360))
    edges = np.linspace(0, seconds, bins + 1)
    where = np.clip(np.searchsorted(edges, times_s[1:], side="right") - 1, 0, bins - 1)
    rate = np.full(bins, np.nan)
    for at in np.unique(where):
        rate[at] = 60 / np.median(rr_s[where == at])
    with mpl.rc_context(STYLE):
        figure = Figure(figsize=(7.4, 1.7))
        axes = figure.add_axes((0.06, 0.17, 0.93, 0.66))
        for begin, end in shaded:
            axes.axvspan(begin, end, color=INK["bad"], alpha=0.15, linewidth=0)
        low = np.nanmin(rate) if np.isfinite(rate).any() else 0.0
        high = np.nanmax(rate) if np.isfinite(rate).any() else 1.0
        room = max(0.25 * (high - low), 5.0)
        axes.set_ylim(low - 1.6 * room, high + 0.3 * room)
        axes.plot((edges[:-1] + edges[1:]) / 2, rate, color=INK["accent"], linewidth=1.1)
        for row, label in enumerate("VS"):
            at_s = times_s[labels == CLASSES.index(label)]
            top = low - (0.35 + 0.6 * row) * room
            axes.vlines(at_s, top - 0.45 * room, top, color=INK[label], linewidth=0.7)
            axes.text(seconds, top, label, color=INK[label], size=8, va="top", weight="bold")
        axes.set_xlim(0, seconds)
        axes.yaxis.set_major_locator(MaxNLocator(3, integer=True))
        axes.tick_params(axis="y", length=0, labelsize=8)
        axes.xaxis.set_major_locator(MaxNLocator(7))
        axes.xaxis.set_major_formatter(lambda value, _: _clock(value))
        axes.set_title(title, loc="left", size=9, color=INK["ink"], weight="bold", pad=3)
        bare(axes)
        keep_inside(figure, axes)
        return render(figure, f"{title}: heart rate over time")


def histogram_svg(
    values: NDArray[np.float64], xlabel: str, title: str, marks: Sequence[tuple[float, str]]
) -> str:
    """Draw a histogram; `marks` are `(value, caption)` lines such as the median."""
    low, high = float(values.min()), float(values.max())
    if high - low < 1e-9 * max(abs(high), 1.0):
        low, high = low - 0.5 * max(abs(low) * 0.01, 1.0), high + 0.5 * max(abs(high) * 0.01, 1.0)
    with mpl.rc_context(STYLE):
        figure = Figure(figsize=(5.0, 2.3))
        axes = figure.add_axes((0.02, 0.2, 0.96, 0.66))
        axes.hist(values, bins=48, range=(low, high), color=INK["accent"], rwidth=0.88)
        top = 1.3 * axes.get_ylim()[1]  # room for the captions
        axes.set_ylim(0, top)
        for i, (value, caption) in enumerate(marks):
            axes.axvline(value, color=INK["ink"], linewidth=0.8, linestyle=(0, (3, 2)))
            right = value > (low + high) / 2
            axes.annotate(
                caption,
                (value, top * (0.97 - 0.13 * i)),
                xytext=(-4 if right else 4, 0),
                textcoords="offset points",
                ha="right" if right else "left",
                va="top",
                size=8.5,
            )
        axes.set_xlabel(xlabel)
        axes.set_yticks([])
        axes.set_title(title, loc="left", size=10, color=INK["ink"], weight="bold")
        axes.xaxis.set_major_formatter(lambda value, _: _number(value))
        axes.xaxis.set_major_locator(MaxNLocator(6))
        bare(axes)
        keep_inside(figure, axes)
        return render(figure, title)


def reliability_svg(bins: Sequence[ReliabilityBin]) -> str:
    """Draw the share of right beats over the confidence claimed for them."""
    claimed, right = [b.claimed for b in bins], [b.right for b in bins]
    with mpl.rc_context(STYLE):
        figure = Figure(figsize=(5.0, 2.9))
        axes = figure.add_axes((0.1, 0.17, 0.87, 0.72))
        axes.plot([0, 1], [0, 1], color=INK["muted"], linewidth=0.8, linestyle=(0, (3, 2)))
        axes.plot(claimed, right, color=INK["accent"], linewidth=1.2, marker="o")
        low = min([*claimed, *right])
        axes.set_xlim(max(0.0, min(claimed) - 0.03), 1.02)
        axes.set_ylim(max(0.0, low - 0.06), 1.03)
        axes.set_xlabel("confidence")
        axes.set_title("Share of right beats", loc="left", size=10, weight="bold")
        bare(axes)
        keep_inside(figure, axes)
        return render(figure, "Share of right beats by confidence")
