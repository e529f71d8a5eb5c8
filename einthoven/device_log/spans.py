"""Which rhythm a strip shows when, and how PhysioNet's programs write it."""

from collections.abc import Iterable, Sequence

from einthoven.device_log.description import Episode, Span, Strip

RHYTHMS = {
    "ventricular tachycardia": "(VT",
    "slow ventricular run": "(IVR",
    "atrial fibrillation": "(AFIB",
    "supraventricular run": "(SVTA",
    "bigeminy": "(B",
    "trigeminy": "(T",
}
"""Kinds of episode that WFDB has a rhythm annotation for, the one that is told of two first.

https://archive.physionet.org/physiobank/annotations.shtml, aux field of `+`.
"""
FLUTTER = "ventricular flutter or fibrillation"
"""Between `[` and `]`, as MIT-BIH writes it."""


def spans(strip: Strip, episodes: Iterable[Episode]) -> list[Span]:
    """The episodes that the strip shows, cut to it, in order of their begin.

    The log's own, told of the whole recording; where it has none, those computed from the strip.
    """
    found = []
    n = len(strip.samples)
    for episode in episodes:
        if episode.begin.boot != strip.at.boot:
            continue
        begin = round((episode.begin.seconds - strip.at.seconds) * strip.rate_hz)
        seconds = episode.seconds
        end = n if seconds is None else begin + round(seconds * strip.rate_hz)
        if begin < n and end > 0 and end > begin:
            found.append(Span(episode.kind, max(begin, 0), min(end, n)))
    return sorted(found or strip.rhythm, key=lambda s: (s.begin, s.kind))


def rhythm_changes(found: Sequence[Span]) -> list[tuple[int, str]]:
    """(sample, text of a WFDB rhythm annotation) wherever it changes; `(N` after an episode."""
    rank = list(RHYTHMS)
    told = [s for s in found if s.kind in RHYTHMS]
    changes: list[tuple[int, str]] = []
    for at in sorted({edge for s in told for edge in (s.begin, s.end)}):
        now = [s.kind for s in told if s.begin <= at < s.end]
        text = RHYTHMS[min(now, key=rank.index)] if now else "(N"
        if not changes or changes[-1][1] != text:
            changes.append((at, text))
    return changes
