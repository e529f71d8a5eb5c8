"""The pictures of a run's report."""

from collections.abc import Sequence
from typing import Any

import matplotlib as mpl
import numpy as np
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator
from numpy.typing import NDArray

from einthoven.aami import CLASSES
from einthoven.components.charts import INK, STYLE, bare, caption, keep_inside, render
from einthoven.components.millimetre import Letter, Trace
from einthoven.report.description import Strip
from einthoven.report.overview import ReliabilityBin

_UV = 1000
"""Steps a millivolt in which a strip is drawn: it is kept to a microvolt."""


def strip_trace(strip: Strip) -> Trace:
    """A strip as it is drawn: the board's beats above, the reference's below."""

    def letters(marks: Sequence[tuple[float, str]]) -> list[Letter]:
        return [Letter((at - strip.start_s) * strip.rate_hz, label) for at, label in marks]

    return Trace(
        samples=np.rint(_UV * np.asarray(strip.mv, dtype=np.float64)).astype(np.int64),
        rate_hz=strip.rate_hz,
        lsb_per_mv=_UV,
        beats=letters(strip.events),
        reference=letters(strip.reference),
        differ=[(at - strip.start_s) * strip.rate_hz for at in strip.differ],
        start_s=strip.start_s,
    )


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
        caption(axes, title)
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
        for i, (value, text) in enumerate(marks):
            axes.axvline(value, color=INK["ink"], linewidth=0.8, linestyle=(0, (3, 2)))
            right = value > (low + high) / 2
            axes.annotate(
                text,
                (value, top * (0.97 - 0.13 * i)),
                xytext=(-4 if right else 4, 0),
                textcoords="offset points",
                ha="right" if right else "left",
                va="top",
                size=8.5,
            )
        axes.set_xlabel(xlabel)
        axes.set_yticks([])
        caption(axes, title, 10)
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
        caption(axes, "Share of right beats", 10)
        bare(axes)
        keep_inside(figure, axes)
        return render(figure, "Share of right beats by confidence")
