"""What o'clock a moment of the device was: boots joined to wall time where a host set the time.

Within a boot in which the time was set, a moment is counted from the nearest time set, by the
device's clock corrected for its drift: between two settings of one boot the drift is what lies
between them, outside it is that of the nearest two, or else what the device itself estimated.
A boot without a setting has no wall time. It lies between its neighbours, and that is all that is
said of it.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, tzinfo

import numpy as np

from einthoven.device_log.description import DeviceLog, Moment, TimeSet

MOST_PPM = 1000.0
"""A clock that seems to run faster or slower than this was set wrong: it is not corrected."""
LEAST_S = 60.0
"""Two settings nearer to each other say nothing of a drift."""


@dataclass(frozen=True)
class _Boot:
    """A boot whose time is known: its settings in order."""

    settings: tuple[TimeSet, ...]

    def unix(self, seconds: float) -> float:
        mono = [s.at.seconds for s in self.settings]
        at = int(np.searchsorted(mono, seconds))
        if 0 < at < len(mono):  # between two settings
            a, b = self.settings[at - 1], self.settings[at]
            if abs(_ppm(a, b)) <= MOST_PPM:
                share = (seconds - a.at.seconds) / (b.at.seconds - a.at.seconds)
                return a.unix_s + share * (b.unix_s - a.unix_s)
        # Outside, or across a time that was set wrong: on from the last setting before.
        nearest = self.settings[max(at - 1, 0)]
        away = seconds - nearest.at.seconds
        return nearest.unix_s + away / (1 + self.drift_ppm() * 1e-6)

    def drift_ppm(self) -> float:
        """How much faster than true the device's clock runs; 0 where nothing is known."""
        first, last = self.settings[0], self.settings[-1]
        if last.at.seconds - first.at.seconds >= LEAST_S and abs(_ppm(first, last)) <= MOST_PPM:
            return _ppm(first, last)
        told = [s.drift_ppm for s in self.settings if s.drift_ppm is not None]
        return told[-1] if told and abs(told[-1]) <= MOST_PPM else 0.0


def _ppm(a: TimeSet, b: TimeSet) -> float:
    true_s = b.unix_s - a.unix_s
    clock_s = b.at.seconds - a.at.seconds
    return (clock_s / true_s - 1) * 1e6 if true_s > 0 else float("inf")


class Clock:
    """Wall times of a log. `zone`: in which they are told; None: in this computer's."""

    def __init__(self, settings: Sequence[TimeSet], zone: tzinfo | None = UTC) -> None:
        self.zone = zone
        by_boot: dict[int, list[TimeSet]] = {}
        for setting in sorted(settings, key=lambda s: s.at):
            by_boot.setdefault(setting.at.boot, []).append(setting)
        self._boots = {boot: _Boot(tuple(group)) for boot, group in by_boot.items()}

    @classmethod
    def of(cls, log: DeviceLog, zone: tzinfo | None = UTC) -> "Clock":
        """The clock of a log."""
        return cls(log.times, zone)

    def at(self, moment: Moment) -> datetime | None:
        """The wall time; None if it is not known."""
        boot = self._boots.get(moment.boot)
        if boot is None:
            return None
        try:
            unix_s = boot.unix(moment.seconds)
            return datetime.fromtimestamp(unix_s, self.zone).astimezone(self.zone)
        except (ValueError, OverflowError, OSError):
            return None  # set to a year that no calendar has

    def bounds(self, boot: int) -> tuple[datetime | None, datetime | None]:
        """Between when a boot without a time must lie: the settings before and after it."""
        before = [b for b in self._boots if b < boot]
        after = [b for b in self._boots if b > boot]
        low = self.at(self._boots[max(before)].settings[-1].at) if before else None
        high = self.at(self._boots[min(after)].settings[0].at) if after else None
        return low, high

    def text(self, moment: Moment) -> str:
        """`2026-11-28 14:03:11`, or `start 3, 0:12:05` of a boot whose time nobody set."""
        known = self.at(moment)
        if known is not None:
            return known.strftime("%Y-%m-%d %H:%M:%S")
        return f"start {moment.boot}, {hours(moment.seconds)}"

    def statements(self, boots: Sequence[int]) -> list[str]:
        """What has to be said of the times of these boots, a line a fact."""
        lines = []
        for boot in sorted(set(boots)):
            known = self._boots.get(boot)
            if known is not None:
                drift = known.drift_ppm()
                if drift:
                    way = "fast" if drift > 0 else "slow"
                    lines.append(
                        f"Start {boot}: the device's clock runs {abs(drift):.0f} ppm {way}, "
                        f"{abs(drift) * 0.0864:.1f} s a day; the times are corrected for it."
                    )
                continue
            low, high = (t and t.strftime("%Y-%m-%d %H:%M") for t in self.bounds(boot))
            between = {
                (True, True): f": it was after {low} and before {high}",
                (True, False): f": it was after {low}",
                (False, True): f": it was before {high}",
                (False, False): "",
            }[low is not None, high is not None]
            lines.append(
                f"Start {boot}: nobody told the device the time, so its times count from when it "
                f"was switched on{between}."
            )
        return lines

    @property
    def zone_name(self) -> str:
        """`UTC`, or the zone's distance from it: `UTC+05:30`."""
        settings = [s for b in self._boots.values() for s in b.settings]
        known = self.at(settings[-1].at) if settings else None
        when = known or datetime(2026, 1, 1, tzinfo=self.zone).astimezone(self.zone)
        away = when.isoformat()[-6:]
        return "UTC" if away == "+00:00" else f"UTC{away}"


def hours(seconds: float) -> str:
    """`h:mm:ss`."""
    whole = int(seconds)
    return f"{whole // 3600}:{whole // 60 % 60:02d}:{whole % 60:02d}"
