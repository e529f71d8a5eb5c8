"""What a board says about a record, as tables: beats, states of the signal, rhythm events.

The same for a board's messages, for the firmware's session run on the host, and for its parts.
"""

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from einthoven.aami import CLASSES

BEAT = np.dtype(
    [
        ("t_samples", "<u4"),  # R, in samples of the board
        ("t_emitted", "<u4"),  # sample at which the event left the core
        ("label", "u1"),  # index into CLASSES
        ("confidence", "u1"),  # of the class, in 1/255
        ("unsure", "u1"),  # 1: below the model's limit, or the signal was bad
        ("logits", "i1", (len(CLASSES),)),
        ("unadapted", "i1", (len(CLASSES),)),  # without the patient's head; else the same
        ("flags", "<u2"),
        ("rr_prev", "<u4"),
        ("rr_next", "<u4"),
        ("tensor_crc", "<u4"),  # CRC-32 of the model's inputs, signal then features
        ("count", "<u4"),  # instructions or cycles of the inference, 0 where there is no counter
    ]
)
"""One row a beat: what a board reports, and what the host computes for comparison."""

SIGNAL_STATE = np.dtype([("t_samples", "<u4"), ("flags", "<u2")])
"""One row a change of the signal's state (lead off, saturated, noisy ...)."""

RHYTHM = np.dtype(
    [
        ("kind", "u1"),  # index into rhythm.kinds()
        ("phase", "u1"),  # 1: it has begun and lasts, 2: it is over
        ("begin_samples", "<u4"),
        ("end_samples", "<u4"),  # 0 while it lasts
        ("t_emitted", "<u4"),
    ]
)
"""One row what the rhythm stage told: episodes and alarms."""


@dataclass(frozen=True)
class Events:
    """What a board said about one record: `beats` (BEAT), `states` (SIGNAL_STATE), `rhythm`."""

    beats: NDArray[np.void]
    states: NDArray[np.void]
    rhythm: NDArray[np.void] = field(default_factory=lambda: np.zeros(0, dtype=RHYTHM))
