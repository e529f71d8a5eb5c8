"""A watched board's state in words: the signal, the rhythm, the link."""

from collections.abc import Mapping
from typing import Any

from einthoven.hil_tests.harness.channel import LinkStatistics
from einthoven.monitor.picture import Picture
from einthoven.native import core

_STATES = {
    core.FLAG_LEAD_OFF: "electrode off",
    core.FLAG_SATURATED: "saturated",
    core.FLAG_FLAT: "flat: no signal",
    core.FLAG_GAP: "samples lost",
    core.FLAG_HUM: "mains hum",
    core.FLAG_MOTION: "motion",
    core.FLAG_NOISY: "noise: beats are doubtful",
    core.FLAG_LEARNING: "finding its levels",
}
"""In order of what to mend first."""
GOOD = "good"
UNKNOWN = 255
"""`battery_percent` of a device that cannot measure it."""


def quality(picture: Picture) -> str:
    """`electrode off`, `mains hum 50 Hz, 0.4 mV; motion`, `good`: the hum by its amplitude."""
    told = []
    for flag, words in _STATES.items():
        if picture.flags & flag:
            hum = picture.hum if flag == core.FLAG_HUM else None
            told.append(f"{words} {hum[0]} Hz, {hum[1]:.1f} mV" if hum else words)
    if "electrode off" in told:  # whose input lies at a rail and does not move
        told = [words for words in told if words not in ("saturated", _STATES[core.FLAG_FLAT])]
    return "; ".join(told) or GOOD


def rhythm(picture: Picture) -> str:
    """What lasts, alarms first; else what ended in the last seconds; `no episode`."""
    if picture.lasting:
        return ", ".join(sorted(picture.lasting, key=lambda kind: not kind.startswith("alarm")))
    if picture.over:
        ago = (picture.end - picture.over[-1].end) / picture.hello.rate_hz
        return f"{picture.over[-1].kind}, over for {ago:.0f} s"
    return "no episode"


def battery(status: Mapping[str, Any]) -> str:
    """`87 %, 3.91 V`, of a `device_status_reply`; `unknown` where nothing measures it."""
    percent, mv = status["battery_percent"], status["battery_mv"]
    return "unknown" if percent == UNKNOWN else f"{percent} %, {mv / 1000:.2f} V"


def link(statistics: LinkStatistics, rejected_bytes: int, missing: int) -> str:
    """`12.3 kB, nothing lost`, or what was."""
    lost = {
        "B damaged": rejected_bytes,
        "repeated": statistics.retries,
        "samples missing": missing,
        "events lost": statistics.events_lost,
    }
    told = [f"{n:,} {what}" for what, n in lost.items() if n]
    return ", ".join([f"{statistics.bytes_received / 1000:,.1f} kB", *(told or ["nothing lost"])])


def clock(seconds: float) -> str:
    """`m:ss`, `h:mm:ss`."""
    whole = int(seconds)
    hours = f"{whole // 3600}:" if whole >= 3600 else ""
    minutes = whole // 60 % 60
    return f"{hours}{minutes:02d}:{whole % 60:02d}" if hours else f"{minutes}:{whole % 60:02d}"
