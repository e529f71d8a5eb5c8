"""What a watched board says, as JSON objects: one a line."""

from typing import Any

from einthoven.hil_tests.harness.watching import Began, Item, Missing, Samples
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
