"""What a device's log says, in types: the one description that reader and all exports stand on.

Times are a `Moment` of the device: which boot, and seconds since. What o'clock that was is
`einthoven.device_log.times`' business, which may not know.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from einthoven.aami import CLASSES
from einthoven.native.strip import Raw

BEAT = np.dtype(
    [
        ("sample", "<u4"),  # R, in samples from the strip's first
        ("label", "u1"),  # index into CLASSES
        ("confidence", "u1"),  # of the class, in 1/255
        ("unsure", "?"),
    ]
)


@dataclass(frozen=True, order=True)
class Moment:
    """A time of the device: boots are counted from 1, seconds since that boot."""

    boot: int
    seconds: float


@dataclass(frozen=True)
class TimeSet:
    """A host told the device the time."""

    at: Moment
    unix_s: float
    """Seconds since 1970-01-01 UTC."""
    drift_ppm: float | None = None
    """By how much the device's clock is fast, as it estimated itself; None: not known."""


@dataclass(frozen=True)
class Device:
    """Who wrote the log; empty texts where it does not say."""

    board: str = ""
    serial: str = ""
    firmware: str = ""
    model: str = ""
    front_end: str = ""
    rails: tuple[int, int] = (-32768, 32767)
    """Counts at which its ADC saturates."""
    lsb_per_mv: int = 200
    """Its gain, for a strip that does not say its own."""

    @property
    def name(self) -> str:
        """Fit for a file's name: letters, digits and hyphens, never empty."""
        text = "-".join(part for part in (self.board, self.serial) if part)
        plain = "".join(c if c.isascii() and c.isalnum() else "-" for c in text)
        return plain.strip("-") or "device"


@dataclass(frozen=True)
class Minute:
    """A summary of `seconds`, a minute or less."""

    at: Moment
    seconds: float
    beats: tuple[int, ...]
    """By class, in the order of `aami.CLASSES`."""
    rr_mean_ms: float | None
    rr_spread_ms: float | None
    readable: float
    """Share of the time with a signal that can be judged, 0 to 1."""
    fibrillation: float
    """Share of the time in an episode of atrial fibrillation, 0 to 1: of the log's episodes."""
    lead_off: float = 0.0
    """Share of the time without contact, 0 to 1."""
    alarm: str | None = None
    """The worst one of the minute, by its name in rhythm.toml."""

    @property
    def rate_bpm(self) -> float | None:
        """Mean heart rate; None where no interval was measured."""
        return 60_000 / self.rr_mean_ms if self.rr_mean_ms else None


@dataclass(frozen=True)
class Episode:
    """An episode of rhythm, or an alarm, by its name in rhythm.toml."""

    kind: str
    begin: Moment
    end: Moment | None
    """None: the log does not say when it ended."""

    @property
    def seconds(self) -> float | None:
        """How long it lasted; None where the end is not known or lies in another boot."""
        if self.end is None or self.end.boot != self.begin.boot:
            return None
        return self.end.seconds - self.begin.seconds

    @property
    def is_alarm(self) -> bool:
        """Whether the device sounded."""
        return self.kind.startswith("alarm: ")


@dataclass(frozen=True)
class Span:
    """An episode within a strip: samples `begin` up to `end`, not included."""

    kind: str
    begin: int
    end: int


@dataclass(frozen=True)
class Strip:
    """Some seconds of ECG with what the device made of them."""

    number: int
    """Which of the device's strips: with its boot the name of its files."""
    at: Moment
    """Of its first sample."""
    rate_hz: float
    lsb_per_mv: float
    samples: NDArray[np.int16]
    """[n] as the core took them."""
    verdict: Raw | None = None
    """None: the log holds none, since the strip was cut off or is a piece of a long recording."""
    beats: NDArray[np.void] = field(default_factory=lambda: np.zeros(0, dtype=BEAT))
    """[m] of type BEAT, in order: computed again (`einthoven.device_log.beats`)."""
    rhythm: tuple[Span, ...] = ()
    """Episodes, computed with the beats."""
    confirmed: bool | None = None
    """Whether the verdict came out the same when it was computed again; None: not tried."""
    lost: tuple[tuple[int, int], ...] = ()
    """(first, number) of samples that never came or cannot be read; they are 0 in `samples`."""
    complete: bool = True
    """False: the device was cut off, or a piece of the strip is torn."""

    @property
    def name(self) -> str:
        """Of its files, the same in every export of this log."""
        return f"strip_{self.at.boot:05d}_{self.number:05d}"

    @property
    def seconds(self) -> float:
        """Its length."""
        return len(self.samples) / self.rate_hz

    def counted(self) -> dict[str, int]:
        """Beats by class, of those that there are."""
        numbers = np.bincount(self.beats["label"], minlength=len(CLASSES))
        return {c: int(n) for c, n in zip(CLASSES, numbers, strict=True) if n}


@dataclass(frozen=True)
class Happening:
    """Something that happened to the device: boot, brown-out, fault, time set, battery ..."""

    at: Moment
    kind: str
    """By its name in log.toml."""
    text: str
    """In plain words."""


@dataclass(frozen=True)
class Skipped:
    """A part of the log that could not be read."""

    offset: int
    """Byte of the image at which it begins."""
    size: int
    why: str


@dataclass(frozen=True)
class DeviceLog:
    """All that a log says, each list in order of the device's time."""

    device: Device
    minutes: Sequence[Minute] = ()
    episodes: Sequence[Episode] = ()
    strips: Sequence[Strip] = ()
    happenings: Sequence[Happening] = ()
    times: Sequence[TimeSet] = ()
    skipped: Sequence[Skipped] = ()
    given_up: int = 0
    """Records that the device erased to make room for newer ones."""
    notes: Mapping[str, str] = field(default_factory=dict)
    """What else the log says of itself, by name."""

    @property
    def alarms(self) -> list[Episode]:
        """The alarms among the episodes."""
        return [e for e in self.episodes if e.is_alarm]
