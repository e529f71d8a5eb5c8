"""A device that works without a computer, spoken to: status, mode, time, alarms."""

import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from einthoven.device.spec import load
from einthoven.errors import UsageError
from einthoven.hil_tests.harness.device import Device
from einthoven.wire.codec import Message
from einthoven.wire.schema import schema

_UNKNOWN = 255
VERDICTS = ("N", "A", "O", "~")
"""By code: codegen/spec/strip.toml."""


@dataclass(frozen=True)
class DeviceStatus:
    """What a device does now. Counts are since it was switched on."""

    mode: str
    faults: tuple[str, ...]
    """What its check found bad, by the names of `device.toml`."""
    contact: bool
    battery_percent: int | None
    battery_mv: int
    alarms_on: tuple[str, ...]
    alarms_raised: tuple[str, ...]
    alarms_silent: tuple[str, ...]
    boots: int
    uptime_s: int
    unix_s: int | None
    """Its clock; None: nobody has told it the time."""
    recordings: int
    samples: int
    samples_lost: int
    front_end_restarts: int
    log_failures: int
    verdict: str | None
    """Of its last strip: one of N, A, O, ~."""
    pattern: str | None
    """What light and buzzer show."""


def status(device: Device) -> DeviceStatus:
    """Ask for it. Raises BoardError where nothing is done alone, LinkError."""
    return _status(device.ask("device_status", "device_status_reply"))


def set_mode(device: Device, mode: str) -> DeviceStatus:
    """Begin a `strip` or a `continuous` recording, or end it (`ready`).

    Raises UsageError for another mode, BoardError when the device cannot now.
    """
    if mode not in ("ready", "strip", "continuous"):
        raise UsageError(f"no mode '{mode}' to set: choose ready, strip or continuous")
    code = schema().enums["device_mode"][mode]
    return _status(device.ask("device_mode", "device_status_reply", mode=code))


def set_time(device: Device, unix_s: float | None = None) -> float | None:
    """Tell the time, this machine's by default; returns by how many seconds its clock was moved.

    None: it knew no time. Half the round trip is taken off by neither side: some milliseconds.
    """
    now = time.time() if unix_s is None else unix_s
    fields = {"unix_s": int(now), "ms": int(now * 1000) % 1000}
    reply = device.ask("device_time", "device_time_reply", **fields)
    return reply["moved_ms"] / 1000 if reply["known"] else None


def silence(device: Device) -> tuple[str, ...]:
    """Silence what is raised; returns which alarms sounded."""
    return _alarms(device.ask("device_silence", "device_silence_reply")["alarms"])


def set_alarms(device: Device, names: Iterable[str]) -> DeviceStatus:
    """Let these alarms be raised, and no others. Raises UsageError for an unknown one."""
    known = [alarm.name for alarm in load().alarms]
    wanted = list(names)
    unknown = sorted(set(wanted) - set(known))
    if unknown:
        raise UsageError(f"no alarm {', '.join(unknown)}: there are {', '.join(known)}")
    mask = sum(1 << known.index(name) for name in set(wanted))
    return _status(device.ask("device_alarms", "device_status_reply", on=mask))


def _alarms(mask: int) -> tuple[str, ...]:
    return tuple(alarm.name for i, alarm in enumerate(load().alarms) if mask >> i & 1)


def _status(reply: Message) -> DeviceStatus:
    spec = load()
    f: Mapping[str, int] = reply.fields
    modes = {code: name for name, code in schema().enums["device_mode"].items()}
    battery, verdict, pattern = f["battery_percent"], f["verdict"], f["pattern"]
    return DeviceStatus(
        mode=modes.get(f["mode"], "unknown"),
        faults=tuple(n for n, bit in spec.numbers["check"].items() if f["faults"] & bit),
        contact=bool(f["contact"]),
        battery_percent=None if battery == _UNKNOWN else battery,
        battery_mv=f["battery_mv"],
        alarms_on=_alarms(f["alarms_on"]),
        alarms_raised=_alarms(f["alarms_raised"]),
        alarms_silent=_alarms(f["alarms_silent"]),
        boots=f["boots"],
        uptime_s=f["uptime_s"],
        unix_s=f["unix_s"] or None,
        recordings=f["recordings"],
        samples=f["samples"],
        samples_lost=f["samples_lost"],
        front_end_restarts=f["front_end_restarts"],
        log_failures=f["log_failures"],
        verdict=VERDICTS[verdict] if verdict < len(VERDICTS) else None,
        pattern=spec.patterns[pattern].name if pattern < len(spec.patterns) else None,
    )
