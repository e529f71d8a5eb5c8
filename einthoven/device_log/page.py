"""A patient's page: the log as one HTML file without requests, to read and to print.

Strips stand on millimetre paper true to scale, and are measured with calipers.
"""

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import einthoven
from einthoven.aami import CLASSES
from einthoven.components import millimetre
from einthoven.components.documents import document, tile
from einthoven.components.millimetre import Letter, Trace
from einthoven.components.words import count, percent
from einthoven.device_log import trends, words
from einthoven.device_log.description import DeviceLog, Episode, Minute, Moment, Span, Strip
from einthoven.device_log.files import whole_files
from einthoven.device_log.spans import spans
from einthoven.device_log.times import Clock, hours

MAX_EPISODES = 200
MAX_LINES = 6
"""Trends that are drawn: the dated one, and those of the longest starts without a date."""


def write_page(log: DeviceLog, folder: Path, clock: Clock, patient: str = "") -> Path:
    """Write `log.html` and return its path. Raises OSError."""
    with whole_files(folder) as scratch:
        (scratch / "log.html").write_text(page(log, clock, patient), encoding="utf-8")
    return folder / "log.html"


def page(log: DeviceLog, clock: Clock, patient: str = "") -> str:
    """The page. `patient`: the code or name to print at the top."""
    drawn = trends.lines(log.minutes, clock)
    strips = sorted(log.strips, key=lambda s: s.at, reverse=True)
    episodes = [e for e in log.episodes if not e.is_alarm]
    return document(
        "einthoven.device_log",
        "patient.html.j2",
        measured=bool(strips),
        patient=patient,
        device=words.device_words(log.device),
        log=log,
        notice=words.NOTICE,
        period=_period(log, clock),
        zone=clock.zone_name,
        time_notes=clock.statements([m.boot for m in _moments(log)]),
        tiles=_tiles(log),
        alarms=_episodes(log.alarms, clock),
        strips=[_strip(s, log, clock) for s in strips],
        told=sorted({words.verdict_symbol(s) for s in strips} - {""}, key="NAO~".index),
        verdicts=words.VERDICTS,
        trends=[(line.title, trends.draw(line)) for line in drawn[:MAX_LINES]],
        more_trends=len(drawn) - MAX_LINES,
        days=_days(log.minutes, clock),
        episodes=_episodes(episodes[:MAX_EPISODES], clock),
        more_episodes=len(episodes) - MAX_EPISODES,
        kinds={k: v for k, v in words.KINDS.items() if any(e.kind == k for e in log.episodes)},
        happenings=[(clock.text(h.at), h.text) for h in log.happenings],
        class_words=words.CLASSES,
        version=einthoven.__version__,
    )


def _moments(log: DeviceLog) -> list[Moment]:
    """Of everything in the log."""
    return [
        *(m.at for m in log.minutes),
        *(e.begin for e in log.episodes),
        *(s.at for s in log.strips),
        *(h.at for h in log.happenings),
    ]


def _period(log: DeviceLog, clock: Clock) -> str:
    dated = [t for t in map(clock.at, _moments(log)) if t is not None]
    if not dated:
        return "dates not known" if _moments(log) else "nothing recorded"
    first, last = (f"{t:%Y-%m-%d}" for t in (min(dated), max(dated)))
    return first if first == last else f"{first} to {last}"


def _tiles(log: DeviceLog) -> list[dict[str, str]]:
    sum_ = trends.totals(log.minutes)
    tiles = []
    told = [words.verdict_symbol(s) for s in log.strips]
    if log.strips:
        parts = [f"{told.count(v)} {v}" for v in words.VERDICTS if v in told]
        tiles.append(tile("Strips", count(len(log.strips)), "", " · ".join(parts)))
    if log.minutes:
        if sum_.rate_bpm is not None:
            more = f"minutes from {_rate(sum_.slowest_bpm)} to {_rate(sum_.fastest_bpm)}"
            tiles.append(tile("Heart rate", _rate(sum_.rate_bpm), "a minute, mean", more))
        n = sum(sum_.beats)
        v, s = (sum_.beats[CLASSES.index(c)] for c in "VS")
        more = f"V {percent(sum_.share('V'))} %, S {percent(sum_.share('S'))} % of {count(n)} beats"
        tiles.append(tile("Extra beats", count(v + s), "V and S", more))
        tiles.append(
            tile(
                *("Time in fibrillation", percent(sum_.fibrillation, 1), "%"),
                "of the readable time, as the device judged it",
            )
        )
        more = f"{percent(sum_.readable, 1)} % readable"
        tiles.append(tile("Recorded", _duration(sum_.seconds), "", more))
    alarms = log.alarms
    tiles.append(
        tile("Alarms", count(len(alarms)), "", "see below" if alarms else "none was given")
    )
    return tiles


def _rate(bpm: float | None) -> str:
    return "–" if bpm is None else f"{bpm:.0f}"


def _duration(seconds: float | None) -> str:
    if seconds is None:
        return "–"
    if seconds < 60:
        return f"{seconds:.1f} s" if seconds < 10 else f"{seconds:.0f} s"
    if seconds < 86400:
        return f"{hours(seconds)} h" if seconds >= 3600 else f"{seconds / 60:.0f} min"
    return f"{seconds / 86400:.1f} days"


def _strip(strip: Strip, log: DeviceLog, clock: Clock) -> dict[str, Any]:
    found = spans(strip, log.episodes)
    counted = strip.counted()
    notes = []
    if strip.lost:
        lost_s = sum(n for _, n in strip.lost) / strip.rate_hz
        notes.append(f"{_duration(lost_s)} of it was lost.")
    if not strip.complete:
        notes.append("It is not complete: the device was cut off, or a part cannot be read.")
    if strip.confirmed is not None:
        notes.append(
            "Computed again from this ECG, the verdict is the same."
            if strip.confirmed
            else "Computed again from this ECG, the verdict is another: the device had other "
            "firmware, or saw more than is stored."
        )
    trace = _trace(strip, found)
    if millimetre.is_cut(trace):
        notes.append("The trace leaves the paper where it is cut off.")
    raw = strip.verdict
    return {
        "name": strip.name,
        "time": clock.text(strip.at),
        "seconds": f"{strip.seconds:.0f}",
        "symbol": words.verdict_symbol(strip),
        "verdict": words.verdict_words(strip),
        "reasons": words.verdict_reasons(strip),
        "rate": raw.rate_bpm if raw is not None and words.verdict_symbol(strip) else 0,
        "beats": ", ".join(f"{n} {c}" for c, n in counted.items()) or "none found",
        "spans": sorted({s.kind for s in found}),
        "notes": notes,
        "rows": millimetre.rows(trace),
    }


def _trace(strip: Strip, found: Sequence[Span]) -> Trace:
    """As it is drawn, with its beats and with the episodes that it shows."""
    return Trace(
        samples=strip.samples,
        rate_hz=strip.rate_hz,
        lsb_per_mv=strip.lsb_per_mv,
        beats=[
            Letter(int(beat["sample"]), CLASSES[beat["label"]], bool(beat["unsure"]))
            for beat in strip.beats
        ],
        spans=[(span.kind, span.begin, span.end) for span in found],
        lost=strip.lost,
    )


def _episodes(episodes: Iterable[Episode], clock: Clock) -> list[dict[str, str]]:
    return [
        {
            "time": clock.text(e.begin),
            "kind": e.kind.removeprefix("alarm: "),
            "lasted": _duration(e.seconds) if e.end is not None else "end not known",
            "words": words.KINDS.get(e.kind, ""),
        }
        for e in episodes
    ]


def _days(minutes: Sequence[Minute], clock: Clock) -> list[tuple[str, trends.Totals, str]]:
    """Totals by date, or by start where the date is not known; with the recorded time in words."""
    groups: dict[str, list[Minute]] = {}
    for minute in minutes:
        when = clock.at(minute.at)
        name = f"{when:%Y-%m-%d}" if when is not None else f"start {minute.at.boot}"
        groups.setdefault(name, []).append(minute)
    found = [(name, trends.totals(group)) for name, group in groups.items()]
    return [(name, t, _duration(t.seconds)) for name, t in sorted(found, key=lambda p: p[0])]
