"""Generate `ein_confidence_table.h`: what turns a model's int8 logits into a verdict.

The confidence is a softmax at the temperature that `training/model/calibrate.py` found on held-out
patients. As the class's own logit is the largest, all that is needed is the table of
exp(-d·scale/temperature) for the distances d = 0, 1, … of the others from it. The limit of a
beat's vote (firmware/app/ein_vote.h) is in the model's steps, too.
"""

import math
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import jinja2

from einthoven.errors import ModelError

ONE_Q15 = 1 << 15
"""exp(0) in the table. Five of them, times 255, fit 32 bits."""

VOTE_LIMIT = 2.0
"""Logits: the most that one beat says of its kind. Chosen on held-out patients."""

_TEMPLATE = Path(__file__).parent / "templates" / "ein_confidence_table.h.j2"


@dataclass(frozen=True)
class Calibration:
    """`confidence` of a model.json."""

    temperature: float = 1.0
    unsure_below: int = 0
    """In 1/255; 0: the model is not calibrated, and every beat is unsure."""

    @classmethod
    def of(cls, about: dict[str, Any]) -> "Calibration":
        """From a model.json's content; a model that was never calibrated has temperature 1.

        Raises ModelError when the entry is there and makes no sense.
        """
        entry = about.get("confidence")
        if entry is None:
            return cls()
        try:
            found = cls(float(entry["temperature"]), int(entry["unsure_below"]))
        except (KeyError, TypeError, ValueError) as error:
            raise ModelError(f"model.json: confidence is damaged ({error}): ship again") from error
        if not 0.01 <= found.temperature <= 100.0 or not 0 <= found.unsure_below <= 255:
            raise ModelError("model.json: confidence is out of range: ship again")
        return found


def weights_q15(scale: float, temperature: float) -> list[int]:
    """exp(-d·scale/temperature) · 2^15, rounded, for d = 0 … 255; cut where it becomes 0."""
    values = [round(ONE_Q15 * math.exp(-d * scale / temperature)) for d in range(256)]
    return [value for value in values if value > 0]


def table(name: str, scale: float, calibration: Calibration) -> str:
    """Text of the header for a model whose logits have that scale."""
    values = weights_q15(scale, calibration.temperature)
    rows = [", ".join(map(str, values[i : i + 12])) for i in range(0, len(values), 12)]
    template = jinja2.Template(
        _TEMPLATE.read_text(), undefined=jinja2.StrictUndefined, keep_trailing_newline=True
    )
    text: str = template.render(
        name=name,
        scale=f"{scale:.9g}",
        temperature=f"{calibration.temperature:.9g}",
        unsure_below=calibration.unsure_below,
        vote_limit=round(VOTE_LIMIT / scale),
        count=len(values),
        rows=rows,
    )
    return text
