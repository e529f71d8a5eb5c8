"""What a watched board says, as JSON objects: one a line."""

import json
import sys
from typing import Any

from einthoven.hil_tests.harness.device import Device
from einthoven.hil_tests.harness.watching import Began, Item, Missing, Samples, Watcher
from einthoven.native.rhythm import kinds


def line_of(item: Item, classes: tuple[str, ...], samples: bool) -> dict[str, Any] | None:
    """The object for an item; None for samples that are not wanted. Times are sample indices."""
    if isinstance(item, Began):
        return {"type": "session", "session": item.session, "at": item.at}
    if isinstance(item, Samples):
        values = item.values.tolist()
        return {"type": "samples", "start": item.start, "values": values} if samples else None
    if isinstance(item, Missing):
        return {"type": "missing", "start": item.start, "count": item.count, "by": item.by}
    if item.name == "beat":
        return {
            "type": "beat",
            "t": item["t_samples"],
            "class": classes[item["label"]],
            "confidence": round(item["confidence"] / 255, 3),
            "unsure": bool(item["unsure"]),
            "rr": item["rr_prev_samples"],
        }
    if item.name == "signal":
        return {"type": "signal", "t": item["t_samples"], "flags": item["flags"]}
    over = item["phase"] == 2
    return {
        "type": "rhythm",
        "kind": kinds()[item["kind"]],
        "begin": item["begin_samples"],
        "end": item["end_samples"] if over else None,
    }


def print_lines(device: Device, seconds: float | None, samples: bool) -> None:
    """Watch `device` and print the lines as they come, for so much signal, or without an end.

    Raises LinkError, BoardError, KeyboardInterrupt.
    """
    watcher, taken = Watcher(device), 0
    while seconds is None or taken < seconds * device.hello.rate_hz:
        for item in watcher.take():
            taken += len(item.values) if isinstance(item, Samples) else 0
            line = line_of(item, device.hello.classes, samples)
            if line is not None:
                print(json.dumps(line))
        sys.stdout.flush()
    watcher.stop()
