"""A strip's beats: computed again from its samples by the device's own C.

The log keeps a strip's ECG and its verdict, not its beats, since both can be had of it: the
firmware's session on the host (`einthoven.native.session`) is the device's to the bit. If the
verdict that comes out is the logged one, the beats are those that the device saw. It may be
another where the device had other firmware, or where the strip is a piece of a long recording.
"""

from dataclasses import replace

import numpy as np

from einthoven.device_log.description import BEAT, DeviceLog, Span, Strip
from einthoven.errors import UsageError
from einthoven.native.rhythm import BEGIN, END, kinds
from einthoven.native.session import run


def with_beats(log: DeviceLog) -> DeviceLog:
    """The log with beats and rhythm in each strip. Raises BuildError where there is no compiler."""
    return replace(log, strips=[_with_beats(strip, log.device.rails) for strip in log.strips])


def _with_beats(strip: Strip, rails: tuple[int, int]) -> Strip:
    if not len(strip.samples):
        return strip
    try:
        events, verdict = run(strip.samples, round(strip.lsb_per_mv), rails, strip.lost)
    except UsageError:  # a gain that no front end has: the log is the user's, and may be anything
        return strip
    n = len(strip.samples)
    here = events.beats[events.beats["t_samples"] < n]
    beats = np.zeros(len(here), dtype=BEAT)
    beats["sample"], beats["label"] = here["t_samples"], here["label"]
    beats["confidence"], beats["unsure"] = here["confidence"], here["unsure"]
    open_at: dict[int, int] = {}
    found: list[Span] = []
    for event in events.rhythm:
        kind, begin = int(event["kind"]), int(event["begin_samples"])
        if event["phase"] == BEGIN:
            open_at[kind] = begin
        elif event["phase"] == END:
            open_at.pop(kind, None)
            found.append(Span(kinds()[kind], begin, min(int(event["end_samples"]), n)))
    found += [Span(kinds()[kind], begin, n) for kind, begin in open_at.items()]
    return replace(
        strip,
        beats=beats,
        rhythm=tuple(s for s in sorted(found, key=lambda s: s.begin) if s.begin < s.end),
        confirmed=None if strip.verdict is None else strip.verdict == verdict,
    )
