"""Does a board say of samples what the host says, to the bit?"""

import numpy as np
from numpy.typing import NDArray

from einthoven.errors import BoardError
from einthoven.hil_tests.harness.device import Device, Replayed
from einthoven.hil_tests.harness.host import Host
from einthoven.hil_tests.harness.record import board_events
from einthoven.native.events import Events
from einthoven.paths import SHIPPED_MODEL


def replayed_alike(device: Device, samples: NDArray[np.int16]) -> tuple[Replayed, Events]:
    """Replay `samples`, at the board's own gain, with the model that ships; and what it told.

    Raises BoardError unless every bit of its beats, episodes and verdict is the host's.
    """
    replayed = device.replay(samples)
    who = device.hello
    expected, verdict, _ = Host(SHIPPED_MODEL / "model.tflite").check(
        samples, who.gain_lsb_per_mv, (who.rail_lo, who.rail_hi)
    )
    told = board_events(replayed.events)
    rows = told.beats.copy()
    rows["count"] = 0
    same = (
        rows.tobytes() == expected.beats.tobytes()
        and told.rhythm.tobytes() == expected.rhythm.tobytes()
        and replayed.verdict == verdict
    )
    if not same:
        n = min(len(rows), len(expected.beats))
        first = int(np.argmax(rows[:n] != expected.beats[:n])) if n else 0
        raise BoardError(f"{who.board} differs from the host, first near beat {first}")
    return replayed, told
