"""How much of a record a board could read, from the states of the signal that it reported.

Each moment counts once, as the first of KINDS that applied: noise whose cause is
known is told as that. A record of which more than UNREADABLE was one of the first four has no
signal to score; noise is told, but scored: to find beats in it is what detectors are compared by.
"""

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from einthoven.native import core, disturbance

KINDS = {
    "lost": core.FLAG_GAP,
    "lead_off": core.FLAG_LEAD_OFF,
    "clipped": core.FLAG_SATURATED,
    "flat": core.FLAG_FLAT,
    "hum": disturbance.HUM,
    "motion": disturbance.MOTION,
    "noisy": core.FLAG_NOISY,
}
"""Name in summary.json and the flag that says so, in order of precedence."""
UNREADABLE = 0.5
"""A record with a larger share of its time without a signal is not scored."""


def shares(states: NDArray[np.void], n_samples: int) -> dict[str, float]:
    """Share of a record's time, 0 to 1, by KINDS.

    `states`: changes of the signal's state (`t_samples`, `flags`), in order; `n_samples`: the
    record's length at the board's rate.
    """
    found = dict.fromkeys(KINDS, 0.0)
    if n_samples <= 0:
        return found
    begins = np.minimum(states["t_samples"].astype(np.int64), n_samples)
    lengths = np.diff(np.append(begins, n_samples))
    left = np.ones(len(lengths), dtype=bool)
    for name, flag in KINDS.items():
        now = left & ((states["flags"] & flag) != 0)
        found[name] = float(lengths[now].sum() / n_samples)
        left &= ~now
    return found


def without_signal(found: Mapping[str, float]) -> float:
    """Share of the time in which there was nothing to read."""
    return sum(found[name] for name in ("lost", "lead_off", "clipped", "flat"))


def is_unreadable(found: Mapping[str, float]) -> bool:
    """Whether a record with these shares has too little signal to be scored."""
    return without_signal(found) > UNREADABLE
