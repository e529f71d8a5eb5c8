"""A copy of a log in types: records by `codegen/spec/log.toml`, put together to what they tell.

Records are read by the device's own C (`einthoven.native.log`), which checks each one and looks on
behind what does not check. Nothing that is told here is more than the records say: a strip whose
end was cut off has no verdict, an episode whose end nobody wrote has none.
"""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cache
from typing import Any

import numpy as np

from einthoven.device_log.copy import LogCopy
from einthoven.device_log.description import (
    DeviceLog,
    Episode,
    Happening,
    Minute,
    Moment,
    Skipped,
    Strip,
    TimeSet,
)
from einthoven.device_log.happenings import happening_text
from einthoven.native import core
from einthoven.native import log as native
from einthoven.native.log_spec import load
from einthoven.native.rhythm import BEGIN, kinds
from einthoven.native.strip import NONE, Raw

_AF = "atrial fibrillation"
_BOOTS = 1 << 16
_MINUTE_S = 60.0


@dataclass
class _Pieces:
    """Of a strip, as they are found."""

    pieces: dict[int, tuple[Mapping[str, Any], bytes]] = field(default_factory=dict)
    """By first sample."""
    told: Mapping[str, Any] | None = None
    """Its own record, if there is one."""
    t_s: float = 0.0
    """When its first piece was written."""


@dataclass
class _Found:
    """What a walk through the records has found so far."""

    minutes: list[Minute] = field(default_factory=list)
    episodes: dict[tuple[int, int, float], Episode] = field(default_factory=dict)
    strips: dict[tuple[int, int], _Pieces] = field(default_factory=dict)
    happenings: list[Happening] = field(default_factory=list)
    times: list[TimeSet] = field(default_factory=list)
    skipped: list[Skipped] = field(default_factory=list)
    unknown: Counter[int] = field(default_factory=Counter)
    since: Moment = field(default_factory=lambda: Moment(0, 0.0))
    """When the minute under way may have begun: the one before it, or a mode, or the boot."""
    lost: int = 0
    given_up: int = 0


def read_log(copy: LogCopy) -> DeviceLog:
    """All that a copy says. Raises LogError only where there is no compiler; see BuildError."""
    found = _Found()
    boots = _Boots()
    sectors = []
    for sequence in sorted(copy.sectors):
        sector = native.scan(bytes(copy.sectors[sequence]))
        begins = copy.offsets.get(sequence, 0)
        if sector is None:
            size = len(copy.sectors[sequence])
            found.skipped.append(Skipped(begins, size, "a sector whose header cannot be read"))
            continue
        sectors.append((sector, begins))
    cleared = max((_cleared(sector) for sector, _ in sectors), default=0)
    for sector, begins in sectors:
        if sector.sequence < cleared:
            continue
        found.given_up = max(found.given_up, sector.given_up)
        found.skipped += [
            Skipped(begins + offset, size, "damaged, or torn when the power went")
            for offset, size in sector.damaged
        ]
        for record in sector.records:
            kind = load().kind(record.kind)
            if kind is None:
                found.unknown[record.kind] += 1
                continue
            at = Moment(boots.unwrapped(record.boot) + 1, float(record.t_s))
            _take(found, kind.name, at, record.fields(kind))
    return _together(found, copy)


class _Boots:
    """Counts of boots, which the log keeps modulo 65536, and from 0 on."""

    def __init__(self) -> None:
        self._last = 0

    def unwrapped(self, boot: int) -> int:
        turn = self._last - self._last % _BOOTS
        if boot < self._last % _BOOTS - _BOOTS // 2:
            turn += _BOOTS
        self._last = turn + boot
        return self._last


def _cleared(sector: native.Sector) -> int:
    """Sectors below this sequence were deleted on demand."""
    kind = next(k for k in load().kinds if k.name == "cleared")
    return max(
        (int(r.fields(kind)["sequence"]) for r in sector.records if r.kind == kind.code), default=0
    )


def _take(found: _Found, name: str, at: Moment, v: Mapping[str, Any]) -> None:
    if found.since.boot != at.boot:
        found.since = Moment(at.boot, 0.0)
    if name == "minute":
        found.minutes.append(_minute(at, found.since, v))
        found.since = at
    elif name == "episode":
        _take_episode(found, at.boot, v)
    elif name == "ecg":
        strip = found.strips.setdefault((at.boot, v["number"]), _Pieces(t_s=at.seconds))
        strip.pieces[v["first"]] = (v, v["code_bytes"])
    elif name == "strip":
        found.strips.setdefault((at.boot, v["number"]), _Pieces(t_s=at.seconds)).told = v
    elif name == "event":
        if v["event"] == load().events["mode"]:
            found.since = at
        event, text = happening_text(v["event"], v["detail"], v["value"], v["battery_mv"])
        found.happenings.append(Happening(at, event, text))
    elif name == "time_set":
        found.times.append(
            TimeSet(
                at=Moment(at.boot, v["device_s"] + v["device_ms"] / 1000),
                unix_s=v["unix_s"] + v["unix_ms"] / 1000,
                drift_ppm=-v["drift_ppb"] / 1000 if v["span_s"] else None,
            )
        )
        found.happenings.append(Happening(at, "time_set", "told the time"))
    elif name == "lost":
        found.lost += v["records"]
    elif name == "opened":
        found.given_up = max(found.given_up, v["given_up"])


def _minute(at: Moment, since: Moment, v: Mapping[str, Any]) -> Minute:
    """A minute, or less where a recording began or ended; `at`: when it was over."""
    rr_ms = 4.0 * v["rr_mean_4ms"]
    told_s = max(v["good_s"], v["lead_off_s"], 1)
    seconds = min(max(at.seconds - since.seconds, told_s), _MINUTE_S)
    return Minute(
        at=Moment(at.boot, max(at.seconds - seconds, 0.0)),
        seconds=seconds,
        beats=tuple(
            v[name] for name in ("normal", "supraventricular", "ventricular", "fusion", "unknown")
        ),
        rr_mean_ms=rr_ms or None,
        rr_spread_ms=4.0 * v["rr_spread_4ms"] if rr_ms else None,
        readable=min(v["good_s"] / seconds, 1.0),
        fibrillation=0.0,
        lead_off=min(v["lead_off_s"] / seconds, 1.0),
        alarm=_kind(v["alarm"] - 1) if v["alarm"] else None,
    )


def _kind(code: int) -> str:
    """A kind of rhythm by its place in rhythm.toml; younger firmware may know more."""
    return kinds()[code] if 0 <= code < len(kinds()) else f"rhythm {code}"


def _take_episode(found: _Found, boot: int, v: Mapping[str, Any]) -> None:
    begin = Moment(boot, v["begin_s"] + v["begin_ms"] / 1000)
    key = (boot, v["kind"], begin.seconds)
    end = None
    if v["phase"] != BEGIN:
        end = Moment(boot, v["end_s"] + v["end_ms"] / 1000)
    if end is not None or key not in found.episodes:
        found.episodes[key] = Episode(_kind(v["kind"]), begin, end)


def _together(found: _Found, copy: LogCopy) -> DeviceLog:
    gain = [p.told["gain_lsb_per_mv"] for p in found.strips.values() if p.told is not None]
    assumed = next((g for g in reversed(gain) if g), 0) or copy.device.lsb_per_mv
    episodes = sorted(found.episodes.values(), key=lambda e: (e.begin, e.kind))
    strips = [_strip(boot, n, p, assumed) for (boot, n), p in found.strips.items()]
    notes = {}
    if found.lost:
        notes["lost"] = f"{found.lost} records could not be kept: the flash was busy"
    if found.unknown:
        n = sum(found.unknown.values())
        notes["unknown"] = f"{n} records of a kind that this version does not know: update it"
    return DeviceLog(
        device=copy.device,
        minutes=_with_fibrillation(sorted(found.minutes, key=lambda m: m.at), episodes),
        episodes=episodes,
        strips=sorted(strips, key=lambda s: (s.at, s.number)),
        happenings=sorted(found.happenings, key=lambda h: h.at),
        times=sorted(found.times, key=lambda t: t.at),
        skipped=found.skipped,
        given_up=found.given_up,
        notes=notes,
    )


@cache
def _rate_hz() -> float:
    return float(core.rate_hz())


def _strip(boot: int, number: int, found: _Pieces, assumed_gain: int) -> Strip:
    told, rate = found.told, _rate_hz()
    decoded = {
        first: native.decode_ecg(v, code) for first, (v, code) in sorted(found.pieces.items())
    }
    announced = told["samples"] if told is not None else 0
    n = max([announced, *(first + len(samples) for first, samples in decoded.items())])
    values, here = np.zeros(n, dtype=np.int16), np.zeros(n, dtype=bool)
    for first, samples in decoded.items():
        values[first : first + len(samples)] = samples
        here[first : first + len(samples)] = True
    lost = _stretches(~here)
    if told is not None:
        begin = told["begin_s"] + told["begin_ms"] / 1000
        verdict = None
        if told["verdict"] != NONE:
            names = ("verdict", "probability", "reasons", "ventricular", "supraventricular")
            verdict = Raw(*(told[name] for name in (*names, "rate_bpm", "longest_ms")))
    else:  # cut off before its end was written: its begin is known to a second or two
        piece = next(iter(decoded.values()), values)
        begin, verdict = max(found.t_s - len(piece) / rate, 0.0), None
    return Strip(
        number=number,
        at=Moment(boot, begin),
        rate_hz=rate,
        lsb_per_mv=float((told or {}).get("gain_lsb_per_mv") or assumed_gain),
        samples=values,
        verdict=verdict,
        lost=lost,
        complete=told is not None and not lost,
    )


def _stretches(missing: "np.ndarray[Any, np.dtype[np.bool_]]") -> tuple[tuple[int, int], ...]:
    edges = np.flatnonzero(np.diff(np.concatenate([[False], missing, [False]]).astype(np.int8)))
    return tuple((int(a), int(b - a)) for a, b in zip(edges[::2], edges[1::2], strict=True))


def _with_fibrillation(minutes: list[Minute], episodes: list[Episode]) -> list[Minute]:
    """Each minute's share in an episode of fibrillation. One that never ended counts to the last
    minute of its boot, as the device itself would count it."""
    last: dict[int, float] = {}
    for m in minutes:
        last[m.at.boot] = m.at.seconds + m.seconds
    spans: dict[int, list[tuple[float, float]]] = {}
    for e in episodes:
        if e.kind == _AF and e.begin.boot in last:
            end = last[e.begin.boot] if e.end is None else e.end.seconds
            spans.setdefault(e.begin.boot, []).append((e.begin.seconds, end))

    def share(m: Minute) -> float:
        a, b = m.at.seconds, m.at.seconds + m.seconds
        overlap = sum(max(0.0, min(b, y) - max(a, x)) for x, y in spans.get(m.at.boot, ()))
        return min(overlap / m.seconds, 1.0)

    return [replace(m, fibrillation=share(m)) if m.at.boot in spans else m for m in minutes]
