"""Rhythm events built on classified beats: what a ward or a Holter report lists.

The device's own code (`firmware/rhythm`) finds them in a board's beats and in the reference's
alike, so the comparison shows what wrong and missed beats do to the events; EC57 itself counts runs
only (`runs`). Thresholds are those of `codegen/spec/rhythm.toml`; times are rounded to the core's
rate, 1/180 s.

| event | definition |
|---|---|
| couplet | exactly two ventricular beats (V or F, as in EC57's runs) in a row |
| ventricular tachycardia | three or more in a row, at more than 100 a minute |
| slow ventricular run | three or more in a row, at up to 100 a minute |
| supraventricular run | three or more S beats in a row, at more than 100 a minute |
| bigeminy | every second beat is a single V or F, three of them or more |
| trigeminy | every third beat is a single V or F, three of them or more |
| pause | two seconds or more between two beats |
| bradycardia | eight RR intervals whose mean rate is below 50 a minute |
| tachycardia | eight RR intervals whose mean rate is above 100 a minute |

Three beats and 100 a minute: Al-Khatib et al., 2017 AHA/ACC/HRS guideline on ventricular
arrhythmias (doi:10.1161/CIR.0000000000000549); 50 a minute: Kusumoto et al., 2018 ACC/AHA/HRS
guideline on bradycardia (doi:10.1161/CIR.0000000000000628), whose sinus pause is 3 s where
Holter reports list pauses from 2 s on. Three cycles of bigeminy and eight intervals are our own.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from einthoven.aami import CLASSES, literature_class
from einthoven.native import core
from einthoven.native import rhythm as native
from einthoven.records.annotations import Annotations
from einthoven.scoring.comparison import MATCH_S, Rate

KINDS = native.kinds()[:9]
"""Those that follow from times and classes of beats, in the order of reports."""

Seconds = NDArray[np.float64]
Flags = NDArray[np.bool_]


@dataclass(frozen=True)
class RhythmEvent:
    """One event: from its first to its last beat, in s."""

    kind: str
    begin_s: float
    end_s: float


@dataclass(frozen=True)
class BeatSequence:
    """Beats in order of time, as a board reports them or the reference marks them."""

    times_s: Seconds
    labels: Sequence[str]
    """[n] classes."""
    broken: Flags
    """[n] no rhythm is known since the beat before: lost signal, flutter, the record's start."""
    excluded_s: Sequence[tuple[float, float]] = ()
    """Periods in which no event can be judged: flutter, or marked as unreadable."""


def of_reference(reference: Annotations, rate_hz: float) -> BeatSequence:
    """The reference's beats, classes of the literature; flutter and unreadable parts break them."""
    times, labels, broken = [], [], []
    excluded: list[tuple[float, float]] = []
    hidden_since: float | None = None
    interrupted = True
    rows = zip(
        reference.times_s(rate_hz).tolist(),
        reference.symbols.tolist(),
        reference.subtype.tolist(),
        strict=True,
    )
    for time, symbol, subtype in rows:
        unreadable = symbol == "~" and subtype & 0x30 == 0x30  # annot(5): neither signal
        if symbol == "[" or unreadable:
            hidden_since = time if hidden_since is None else hidden_since
        elif (symbol in "]~") and hidden_since is not None:
            excluded.append((hidden_since, time))
            hidden_since = None
        interrupted = interrupted or symbol in "[!" or unreadable
        label = literature_class(symbol)
        if label is not None:
            times.append(time)
            labels.append(label)
            broken.append(interrupted)
            interrupted = False
    if hidden_since is not None:
        excluded.append((hidden_since, np.inf))
    return BeatSequence(np.array(times), labels, np.array(broken, dtype=bool), excluded)


def find(beats: BeatSequence) -> list[RhythmEvent]:
    """All events of a record, in order of their beginning."""
    rate_hz = float(core.rate_hz())
    times = np.rint(np.asarray(beats.times_s) * rate_hz).astype(np.int64)
    labels = np.array([CLASSES.index(label) for label in beats.labels], dtype=np.int64)
    flags = np.where(beats.broken, core.FLAG_BREAK, 0)
    told = native.episodes(times, labels, flags, int(times[-1]) if len(times) else 0)
    over = (told.phase == native.END) & (told.kind < len(KINDS))
    rows = zip(
        told.kind[over].tolist(),
        (told.begin_samples[over] / rate_hz).tolist(),
        (told.end_samples[over] / rate_hz).tolist(),
        strict=True,
    )
    events = [RhythmEvent(KINDS[kind], begin, end) for kind, begin, end in rows]
    return sorted(events, key=lambda e: (e.begin_s, KINDS.index(e.kind)))


def compare(reference: BeatSequence, test: BeatSequence) -> dict[str, Rate]:
    """Per kind how many events were found, missed and invented.

    An event is found (or true) if the other side has one of its kind that overlaps it, give or
    take 150 ms. The test's events in periods that the reference excludes do not count.
    """
    ours, theirs = find(test), find(reference)
    judged = [
        e
        for e in ours
        if not any(e.begin_s <= end and e.end_s >= begin for begin, end in reference.excluded_s)
    ]
    rates = {}
    for kind in KINDS:
        wanted = [e for e in theirs if e.kind == kind]
        given = [e for e in judged if e.kind == kind]
        found = sum(_overlaps(e, [o for o in ours if o.kind == kind]) for e in wanted)
        false = sum(not _overlaps(e, wanted) for e in given)
        rates[kind] = Rate(found, len(wanted) - found, false)
    return rates


def to_dict(rates: dict[str, Rate]) -> dict[str, Any]:
    """For JSON: kinds that occur on either side, with `tp`, `fn`, `fp` of `Rate`."""
    return {
        kind: {"tp": rate.tp, "fn": rate.fn, "fp": rate.fp}
        for kind, rate in rates.items()
        if rate.tp + rate.fn + rate.fp
    }


def total(entries: Iterable[dict[str, Any]]) -> dict[str, Rate]:
    """Sum of `to_dict`s over records, all kinds."""
    listed = list(entries)
    return {
        kind: Rate(*(sum(e.get(kind, {}).get(c, 0) for e in listed) for c in ("tp", "fn", "fp")))
        for kind in KINDS
    }


def _overlaps(event: RhythmEvent, others: Iterable[RhythmEvent]) -> bool:
    return any(
        event.begin_s <= o.end_s + MATCH_S and event.end_s >= o.begin_s - MATCH_S for o in others
    )
