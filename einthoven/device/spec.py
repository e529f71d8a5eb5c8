"""`codegen/spec/device.toml` in types: modes, patterns of LED and buzzer, alarms, thresholds.

The one reader of that file: `codegen.device` makes the device's C from it, `device.card` the card.
"""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from einthoven.errors import UsageError
from einthoven.paths import DEVICE_SPEC, RHYTHM_SPEC

SLOT_MS = 50
"""A character of a pattern's `led` and `buzzer`."""

TONES = {".": 0, "l": 1, "m": 2, "h": 3}
"""Characters of `buzzer`, and what the device calls them."""

MAX_TEXT = 16
"""Characters that a line of the display has."""


@dataclass(frozen=True)
class Pattern:
    """What LED and buzzer do, in slots of SLOT_MS."""

    name: str
    rank: int
    """The highest one that holds is shown."""
    led: str
    buzzer: str
    """As long as `led`."""
    times: int
    """0: as long as it holds."""
    text: str
    says: str

    @property
    def steps(self) -> tuple[tuple[int, bool, int], ...]:
        """Runs of equal slots: how many, whether the LED is on, the tone (`TONES`)."""
        runs: list[tuple[int, bool, int]] = []
        for led, tone in zip(self.led, self.buzzer, strict=True):
            state = (led == "#", TONES[tone])
            if runs and runs[-1][1:] == state:
                runs[-1] = (runs[-1][0] + 1, *state)
            else:
                runs.append((1, *state))
        return tuple(runs)


@dataclass(frozen=True)
class Alarm:
    """What makes the device call somebody, and for how long. Times in seconds."""

    name: str
    says: str
    raised_by: tuple[str, ...]
    """Kinds of `rhythm.toml`."""
    on: bool
    """By default."""
    evidence: str
    """Row of `docs/results/rhythm/alarms.json`; empty if nothing was measured."""
    urgent: bool
    delay_s: int
    release_s: int
    latch: bool
    silence_s: int


@dataclass(frozen=True)
class DeviceSpec:
    """The whole table."""

    numbers: Mapping[str, Mapping[str, int]]
    """Section to key to integer: modes, thresholds, tones, goals."""
    patterns: tuple[Pattern, ...]
    alarms: tuple[Alarm, ...]

    def pattern(self, name: str) -> Pattern:
        """The pattern of that name."""
        return next(p for p in self.patterns if p.name == name)


def load(path: Path = DEVICE_SPEC) -> DeviceSpec:
    """Read and check `device.toml`. Raises UsageError that names what is wrong."""
    try:
        table = tomllib.loads(path.read_text(encoding="utf-8"))
        kinds = tomllib.loads(RHYTHM_SPEC.read_text(encoding="utf-8"))["kinds"]
    except (OSError, tomllib.TOMLDecodeError) as error:
        raise UsageError(f"cannot read {path.name}: {error}") from error
    try:
        patterns = tuple(_pattern(entry) for entry in table.pop("pattern"))
        alarms = tuple(_alarm(entry, kinds) for entry in table.pop("alarm"))
    except (KeyError, TypeError, AttributeError) as error:
        raise UsageError(f"{path.name}: a pattern or an alarm is incomplete: {error!r}") from error
    for names in ([p.name for p in patterns], [a.name for a in alarms]):
        if len(set(names)) < len(names):
            raise UsageError(f"{path.name}: a name is there twice among {', '.join(names)}")
    for section, values in table.items():
        for key, value in values.items():
            if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value < 2**31:
                raise UsageError(f"{path.name}: {section}.{key} = {value!r} is no whole number")
    return DeviceSpec(table, patterns, alarms)


def _pattern(entry: Mapping[str, Any]) -> Pattern:
    values = {**entry, "buzzer": entry["buzzer"].ljust(len(entry["led"]), ".")}
    made = Pattern(**values)
    if not made.led or set(made.led) - set("#.") or set(made.buzzer) - set(TONES):
        raise UsageError(f"device.toml: {made.name}: led is of # and ., buzzer of {''.join(TONES)}")
    if len(made.buzzer) > len(made.led):
        raise UsageError(f"device.toml: {made.name}: its buzzer goes on when its led has ended")
    if len(made.text) > MAX_TEXT or not made.text.isascii():
        raise UsageError(f"device.toml: {made.name}: text has more than {MAX_TEXT} characters")
    if not 1 <= made.rank <= 255 or not 0 <= made.times <= 255:
        raise UsageError(f"device.toml: {made.name}: rank is 1 to 255, times 0 to 255")
    return made


def _alarm(entry: Mapping[str, Any], kinds: Mapping[str, str]) -> Alarm:
    made = Alarm(**{**entry, "raised_by": tuple(entry["raised_by"])})
    unknown = set(made.raised_by) - set(kinds)
    if unknown:
        raise UsageError(f"device.toml: alarm {made.name}: rhythm.toml knows no {sorted(unknown)}")
    for seconds in (made.delay_s, made.release_s, made.silence_s):
        if not 0 <= seconds <= 65535:
            raise UsageError(f"device.toml: alarm {made.name}: times are 0 to 65535 s")
    return made


def load_font() -> list[list[int]]:
    """Glyphs of the display from the space on: five columns each, bit 0 at the top."""
    lines = DEVICE_SPEC.with_name("font.txt").read_text(encoding="utf-8").splitlines()
    return [[int(word, 16) for word in line.split()] for line in lines if not line.startswith("#")]
