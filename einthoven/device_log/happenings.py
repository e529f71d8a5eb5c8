"""A device's events in plain words: codes of `[events]` in codegen/spec/log.toml."""

from functools import cache

from einthoven.device.spec import load as device_spec
from einthoven.native.log_spec import load
from einthoven.native.rhythm import kinds
from einthoven.wire.schema import schema

RESETS = {
    "unknown": "switched on, or started again: why is not known",
    "power": "switched on",
    "pin": "started again by its reset button",
    "software": "started again on demand",
    "watchdog": "started again by its watchdog: it had hung",
    "fault": "started again after a fault of its program",
}
"""Of `reset_reason` in codegen/spec/wire.toml."""


@cache
def _names() -> dict[int, str]:
    return {code: name for name, code in load().events.items()}


def happening_text(event: int, detail: int, value: int, battery_mv: int) -> tuple[str, str]:
    """The event's name in log.toml and its sentence; younger firmware may know more."""
    name = _names().get(event, f"event_{event}")
    sentence = _sentence(name, detail, value)
    if battery_mv:
        sentence += f"; battery {battery_mv / 1000:.2f} V"
    return name, sentence


def _sentence(name: str, detail: int, value: int) -> str:
    rhythm = kinds()[detail] if detail < len(kinds()) else f"rhythm {detail}"
    sentences = {
        "boot": _of("reset_reason", detail, RESETS),
        "brown_out": "the supply fell too low",
        "fault": f"a fault of its program, kind {detail} at 0x{value:08x}",
        "battery_low": "the battery is low",
        "power_off": "switched off by its button",
        "mode": _mode(detail),
        "contact_lost": "contact with the electrodes lost",
        "contact": f"contact is back after {value} s",
        "samples_lost": f"{value} samples lost",
        "front_end_error": f"the front end's self-test failed (code {value})",
        "self_test": _self_test(detail, value),
        "alarm_silenced": f"an alarm was silenced: {rhythm.removeprefix('alarm: ')}",
        "key_set": "was given a key",
        "update": f"its firmware was updated to {_version(value)}",
        "locked_out": f"wrong keys, {value} in a row",
        "mark": "its button was pressed to mark the moment",
        "settings": _settings(detail, value),
    }
    return sentences.get(name, f"an event that this version does not know ({detail}, {value})")


def _of(enum: str, code: int, words: dict[str, str]) -> str:
    name = {v: k for k, v in schema().enums[enum].items()}.get(code, "unknown")
    return words[name]


def _mode(code: int) -> str:
    modes = {code: name for name, code in device_spec().numbers["mode"].items()}
    words = {
        "check": "tests itself",
        "ready": "ready",
        "strip": "records a strip",
        "continuous": "records without end",
        "fault": "records nothing: its self-test failed",
    }
    name = modes.get(code, "")
    return words.get(name, name or f"mode {code}")


def _settings(not_kept: int, on: int) -> str:
    names = [alarm.name for i, alarm in enumerate(device_spec().alarms) if on >> i & 1]
    until = ", until it is switched off" if not_kept else ""
    return f"alarms that may be raised: {', '.join(names) or 'none'}{until}"


def _self_test(faults: int, measured: int) -> str:
    """`measured`: of the front end, noise in microvolts and gain in thousandths; 0: nothing was."""
    noise_uv, gain = measured & 0xFFFF, measured >> 16
    if not faults:
        told = f": noise {noise_uv} uV, gain {gain / 10:.1f} %" if measured else ""
        return f"its self-test was passed{told}"
    checks = device_spec().numbers["check"]
    bad = [name.replace("_", " ") for name, bit in checks.items() if faults & bit]
    return f"its self-test failed: {', '.join(bad) or faults}"


def _version(value: int) -> str:
    return f"{value >> 24}.{value >> 16 & 0xFF}.{value & 0xFFFF}"
