"""What a log says, in words that need no training: the one home of the exports' sentences."""

from einthoven.device_log.description import Device, Strip
from einthoven.native.strip import NONE, reasons, symbol

NOTICE = (
    "Not a medical device. What the device says is a hint for whoever judges the ECG. It is not a "
    "diagnosis, and nothing here may be used for one or for treatment."
)
VERDICTS = {
    "N": "regular",
    "A": "irregular, as in atrial fibrillation",
    "O": "neither plainly regular nor as in atrial fibrillation",
    "~": "too noisy to say",
}
"""Verdict on a strip, as the CinC 2017 Challenge writes it, in words."""
CLASSES = {
    "N": "normal beat",
    "S": "early beat from above the ventricles",
    "V": "beat from the ventricles",
    "F": "normal and ventricular beat at once",
    "Q": "cannot be told",
}
KINDS = {
    "couplet": "two ventricular beats in a row",
    "ventricular tachycardia": "three or more ventricular beats in a row, faster than 100 a minute",
    "slow ventricular run": "three or more ventricular beats in a row, not fast",
    "supraventricular run": "three or more early beats from above the ventricles in a row",
    "bigeminy": "every second beat is a ventricular one",
    "trigeminy": "every third beat is a ventricular one",
    "pause": "two seconds or more without a beat",
    "bradycardia": "slower than 50 beats a minute",
    "tachycardia": "faster than 100 beats a minute",
    "atrial fibrillation": "irregular beats without P waves, as in atrial fibrillation",
    "ventricular flutter or fibrillation": "waves instead of beats",
    "asystole": "four seconds or more without a beat",
    "alarm: ventricular tachycardia": "ventricular beats in a row: the device sounded its alarm",
    "alarm: extreme bradycardia": "slower than 40 beats a minute: the device sounded its alarm",
    "alarm: extreme tachycardia": "faster than 125 beats a minute: the device sounded its alarm",
}
"""Kinds of rhythm.toml, by their names, in words."""


def verdict_words(strip: Strip) -> str:
    """`irregular, as in atrial fibrillation (94 % sure)`; empty where there is no verdict."""
    raw = strip.verdict
    if raw is None or raw.verdict == NONE:
        return ""
    told = symbol(raw)
    assert told is not None
    return f"{VERDICTS[told]} ({100 * raw.probability / 255:.0f} % sure)"


def verdict_symbol(strip: Strip) -> str:
    """N, A, O or ~; empty where there is no verdict."""
    return (symbol(strip.verdict) or "") if strip.verdict is not None else ""


def verdict_reasons(strip: Strip) -> list[str]:
    """Why, in the order of strip.toml."""
    raw = strip.verdict
    return [] if raw is None or raw.verdict == NONE else reasons(raw)


def device_words(device: Device) -> str:
    """Board, serial number, front end, firmware and model, as far as the log says."""
    parts = (
        device.board,
        device.serial and f"serial number {device.serial}",
        device.front_end and f"front end {device.front_end}",
        device.firmware and f"firmware {device.firmware}",
        device.model and f"model {device.model}",
    )
    return ", ".join(part for part in parts if part) or "a device that does not say its name"
