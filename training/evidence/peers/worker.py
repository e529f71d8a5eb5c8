"""Runs a detector of somebody else's on signals: a process in its package's environment.

`python worker.py SEARCH_PATH MODULE DETECTOR`: MODULE's `DETECTORS[DETECTOR]` is called as
`detector(Signal) -> sample numbers`. Requests come as JSON lines on standard input
(`{"signal": "x.npz"}`), an answer goes out as one JSON line each: `samples` and `seconds` of
processor time, or `exception` and `message`. Whatever a package prints goes to standard error, so
that it cannot be taken for an answer. Needs numpy alone; imports nothing of the project.
"""

import importlib
import json
import os
import sys
import time
import traceback
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

WARM_UP_S = 30
"""The detector sees so much of the first signal before anything is timed: imports that a package
puts off until the first call, and compilers (numba), are not the detector's time."""


class Signal(NamedTuple):
    """What a detector may look at: one lead, in millivolts and in counts."""

    mv: NDArray[np.float64]
    counts: NDArray[np.int64]
    gain: float
    """Counts per mV."""
    baseline: int
    """Count at 0 mV."""
    fs: float

    def copy(self) -> "Signal":
        """For a detector that writes into what it is given."""
        return self._replace(mv=self.mv.copy(), counts=self.counts.copy())

    def head(self, seconds: float) -> "Signal":
        """The first seconds."""
        n = int(seconds * self.fs)
        return self._replace(mv=self.mv[:n].copy(), counts=self.counts[:n].copy())


Detector = Callable[[Signal], Any]


def read(path: str) -> Signal:
    """A signal as the other side has written it."""
    with np.load(path) as kept:
        counts = kept["counts"].astype(np.int64)
        gain, baseline, fs = float(kept["gain"]), int(kept["baseline"]), float(kept["fs"])
    fs = int(fs) if fs == int(fs) else fs  # ecgdetectors takes whole rates only
    return Signal((counts - baseline) / gain, counts, gain, baseline, fs)


def answer(detector: Detector, signal: Signal) -> dict[str, Any]:
    """What the detector says of a signal, or how it failed."""
    given = signal.copy()
    start = time.process_time()
    try:
        found = detector(given)
        seconds = time.process_time() - start
        samples = np.asarray(found, dtype=np.float64).reshape(-1)
        if not np.isfinite(samples).all():
            raise ValueError("a sample number is not finite")
    except Exception as error:  # whatever a package raises is what is to be told
        message = " ".join(str(error).split())
        where = traceback.extract_tb(error.__traceback__)[-1]
        return {
            "exception": type(error).__name__,
            "message": message[:300],
            "where": f"{os.path.basename(where.filename)}:{where.name}",  # noqa: PTH119
            "seconds": time.process_time() - start,
        }
    whole = np.rint(samples).astype(np.int64)
    inside = whole[(whole >= 0) & (whole < len(signal.mv))]
    kept = np.unique(inside)
    return {
        "samples": kept.tolist(),
        "seconds": seconds,
        "outside": len(whole) - len(inside),
        "repeated": len(inside) - len(kept),
        "disordered": int((np.diff(whole) < 0).sum()),
        "overwrote_input": not (
            np.array_equal(given.mv, signal.mv) and np.array_equal(given.counts, signal.counts)
        ),
    }


def main() -> None:
    """Answer requests until standard input ends."""
    search_path, module, name = sys.argv[1:4]
    channel = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)
    sys.path.insert(0, search_path)
    detector: Detector = importlib.import_module(module).DETECTORS[name]
    warm = False
    for line in sys.stdin:
        signal = read(json.loads(line)["signal"])
        if not warm:
            answer(detector, signal.head(WARM_UP_S))
            warm = True
        channel.write(json.dumps(answer(detector, signal)) + "\n")
        channel.flush()


if __name__ == "__main__":
    main()
