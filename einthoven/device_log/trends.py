"""Trends over a log: heart rate, ectopic beats, fibrillation and quality, binned and drawn."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import matplotlib as mpl
import matplotlib.dates
import numpy as np
from matplotlib.figure import Figure
from numpy.typing import NDArray

from einthoven.aami import CLASSES
from einthoven.components.charts import INK, STYLE, bare, caption, render
from einthoven.device_log.description import Minute
from einthoven.device_log.times import Clock

_DATES: Any = matplotlib.dates  # not typed
BINS = 360
"""Most points of a trend: a month has 43,200 minutes."""
_S, _V = CLASSES.index("S"), CLASSES.index("V")


@dataclass(frozen=True)
class Totals:
    """What a number of minutes come to."""

    seconds: float
    beats: tuple[int, ...]
    """By class, in the order of `aami.CLASSES`."""
    rate_bpm: float | None
    """Mean over all beats' intervals."""
    slowest_bpm: float | None
    fastest_bpm: float | None
    """Of the slowest and the fastest minute."""
    readable: float | None
    """Share of the time, 0 to 1."""
    fibrillation: float | None
    """AF burden: share of the readable time in an episode, 0 to 1."""

    def share(self, label: str) -> float | None:
        """Of all beats those of a class."""
        n = sum(self.beats)
        return self.beats[CLASSES.index(label)] / n if n else None


def totals(minutes: Sequence[Minute]) -> Totals:
    """The sum over some minutes."""
    seconds = sum(m.seconds for m in minutes)
    readable_s = sum(m.seconds * m.readable for m in minutes)
    rated = [(m.rr_mean_ms, sum(m.beats)) for m in minutes if m.rr_mean_ms]
    weight = sum(n for _, n in rated)
    mean_ms = sum(rr * n for rr, n in rated) / weight if weight else None
    rates = [60_000 / rr for rr, n in rated if n >= 20]
    return Totals(
        seconds=seconds,
        beats=tuple(sum(m.beats[i] for m in minutes) for i in range(len(CLASSES))),
        rate_bpm=60_000 / mean_ms if mean_ms else None,
        slowest_bpm=min(rates, default=None),
        fastest_bpm=max(rates, default=None),
        readable=readable_s / seconds if seconds else None,
        fibrillation=min(1.0, sum(m.seconds * m.fibrillation for m in minutes) / readable_s)
        if readable_s
        else None,
    )


@dataclass(frozen=True)
class Line:
    """Minutes on one axis of time."""

    title: str
    minutes: Sequence[Minute]
    times: NDArray[np.float64]
    """Days since 1970 where `dated`, else hours since the start."""
    dated: bool


def lines(minutes: Sequence[Minute], clock: Clock) -> list[Line]:
    """All minutes whose time is known on one axis, each other boot's on its own; the long first."""
    dated: list[tuple[datetime, Minute]] = []
    others: dict[int, list[Minute]] = {}
    for minute in minutes:
        when = clock.at(minute.at)
        if when is None:
            others.setdefault(minute.at.boot, []).append(minute)
        else:
            dated.append((when, minute))
    dated.sort(key=lambda pair: pair[0])
    found = []
    if dated:
        at = np.array([_DATES.date2num(when.replace(tzinfo=None)) for when, _ in dated])
        found.append(Line(f"By date, {clock.zone_name}", [m for _, m in dated], at, True))
    for boot, group in others.items():
        hours = np.array([m.at.seconds / 3600 for m in group])
        found.append(Line(f"Start {boot}, hours since switched on", group, hours, False))
    return sorted(found, key=lambda line: (not line.dated, -len(line.minutes)))


def draw(line: Line) -> str:
    """Four panels over one axis of time, as an `<svg>`."""
    unit_s = 86400.0 if line.dated else 3600.0
    bins = _binned(line, unit_s)
    with mpl.rc_context(STYLE):
        figure = Figure(figsize=(7.4, 4.6))
        low, high = float(bins.edges[0]), float(bins.edges[-1])
        panels = [figure.add_axes((0.085, bottom, 0.9, h)) for bottom, h in _PANELS]
        for axes in panels:
            axes.set_xlim(low, high)
            bare(axes)
            axes.tick_params(axis="y", length=0, labelsize=8)
            axes.grid(axis="y", color=INK["rule"], linewidth=0.6)
            axes.set_axisbelow(True)
        rate, ectopic, af, quality = panels
        rate.fill_between(
            bins.middle, bins.slowest, bins.fastest, color=INK["accent"], alpha=0.25, linewidth=0
        )
        rate.plot(bins.middle, bins.rate, color=INK["accent"], linewidth=1.1)
        caption(rate, "Heart rate, beats a minute (band: slowest and fastest minute)")
        width = (high - low) / len(bins.middle)
        ectopic.bar(bins.middle, bins.v, width, color=INK["V"], linewidth=0)
        ectopic.bar(bins.middle, bins.s, width, bottom=bins.v, color=INK["S"], linewidth=0)
        ectopic.set_ylim(0, max(1.0, float(np.nanmax(bins.v + bins.s, initial=0)) * 1.25))
        caption(ectopic, "Extra beats a minute: V ventricular, S from above the ventricles")
        for axes, values, text, color in (
            (af, bins.af, "Time in atrial fibrillation, %", "bad"),
            (quality, bins.readable, "Readable signal, %", "muted"),
        ):
            axes.bar(bins.middle, 100 * values, width, color=INK[color], linewidth=0)
            axes.set_ylim(0, 100)
            axes.set_yticks([0, 50, 100])
            caption(axes, text)
        for axes in panels[:-1]:
            axes.set_xticklabels([])
            axes.tick_params(axis="x", length=0)
        if line.dated:
            locator = _DATES.AutoDateLocator(minticks=3, maxticks=8)
            for axes in panels:
                axes.xaxis.set_major_locator(locator)
            quality.xaxis.set_major_formatter(
                _DATES.ConciseDateFormatter(locator, show_offset=False)
            )
        return render(figure, f"Trends. {line.title}")


_PANELS = ((0.70, 0.24), (0.46, 0.16), (0.26, 0.12), (0.065, 0.12))
"""Bottom and height of each."""


@dataclass(frozen=True)
class _Bins:
    edges: NDArray[np.float64]
    middle: NDArray[np.float64]
    rate: NDArray[np.float64]
    slowest: NDArray[np.float64]
    fastest: NDArray[np.float64]
    v: NDArray[np.float64]
    s: NDArray[np.float64]
    af: NDArray[np.float64]
    readable: NDArray[np.float64]


def _binned(line: Line, unit_s: float) -> _Bins:
    """Totals of up to BINS bins of whole minutes each; NaN where there is no minute."""
    first = float(line.times[0])
    last = float(line.times[-1]) + line.minutes[-1].seconds / unit_s
    whole = max(1, int(np.ceil((last - first) * unit_s / 60 - 1e-6)))
    per_bin = -(-whole // BINS)
    n = -(-whole // per_bin)
    edges = first + np.arange(n + 1) * per_bin * 60 / unit_s
    where = np.clip(np.searchsorted(edges, line.times, side="right") - 1, 0, n - 1)
    groups: list[list[Minute]] = [[] for _ in range(n)]
    for at, minute in zip(where.tolist(), line.minutes, strict=True):
        groups[at].append(minute)
    nan = float("nan")
    rows = []
    for group in groups:
        t = totals(group)
        minutes = t.seconds / 60
        rows.append(
            (
                *(nan if x is None else x for x in (t.rate_bpm, t.slowest_bpm, t.fastest_bpm)),
                t.beats[_V] / minutes if minutes else nan,
                t.beats[_S] / minutes if minutes else nan,
                nan if t.fibrillation is None else t.fibrillation,
                nan if t.readable is None else t.readable,
            )
        )
    columns = np.array(rows, dtype=np.float64).T
    return _Bins(edges, (edges[:-1] + edges[1:]) / 2, *columns)
