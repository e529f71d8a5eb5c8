"""What an inference and an hour of ECG take on this machine, plain C beside its vectors.

    python -m einthoven.codegen.testing.host_bench [BEATS]

One run, in turns, the best of five each: a machine that does other things gives other figures, so
only their ratio is worth keeping. The outputs are compared first.
"""

import argparse
import sys
import time
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from einthoven.c_library import simd_flags
from einthoven.native import core, session
from einthoven.native.engine import HostModel, TflmModel
from einthoven.records.synth import make_record

ROUNDS = 5
HOUR_S = 3600.0
TFLM_BEATS = 200
"""The reference kernels are slow: of fewer beats."""


def beats(n: int) -> tuple[NDArray[np.int8], NDArray[np.int8]]:
    """int8 [n, 216, 3] and [n, 28]: tensors of a synthetic record, again and again."""
    found = core.analyze(make_record(1, 600.0, float(core.rate_hz())).samples)
    rows = np.arange(n) % len(found.signal)
    return found.signal[rows], found.features[rows]


def best_s(*works: Callable[[], object]) -> list[float]:
    """The shortest time of each work, in seconds; they take turns."""
    shortest = [float("inf")] * len(works)
    for _ in range(ROUNDS):
        for i, work in enumerate(works):
            begin = time.perf_counter()
            work()
            shortest[i] = min(shortest[i], time.perf_counter() - begin)
    return shortest


def main(argv: list[str] | None = None) -> int:
    """Print the figures; exit code 1 if the builds differ."""
    parser = argparse.ArgumentParser(
        prog="python -m einthoven.codegen.testing.host_bench", description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )  # fmt: skip
    parser.add_argument("beats", nargs="?", type=int, default=2000, help="[2000]")
    n: int = parser.parse_args(argv).beats
    signal, features = beats(n)
    plain, vectors, tflm = HostModel(flags=["-DEIN_NN_PORTABLE"]), HostModel(), TflmModel()
    expected = plain.infer(signal, features)
    some = slice(0, TFLM_BEATS)
    if not (
        np.array_equal(expected, vectors.infer(signal, features))
        and np.array_equal(expected[some], tflm.infer(signal[some], features[some]))
    ):
        print("the builds do not give the same integers")
        return 1
    hour = make_record(2, HOUR_S, float(core.rate_hz())).samples
    session.run(hour[:1000])
    slow, fast, other, all_of_it = best_s(
        lambda: plain.infer(signal, features),
        lambda: vectors.infer(signal, features),
        lambda: tflm.infer(signal[some], features[some]),
        lambda: session.run(hour),
    )
    print(f"{'plain C':34}{slow / n * 1e6:9.1f} us a beat")
    how = " ".join(simd_flags()) or "no vectors for this processor"
    print(f"{f'as the library is built ({how})':34}{fast / n * 1e6:9.1f} us a beat")
    print(f"{'TFLite Micro, reference kernels':34}{other / TFLM_BEATS * 1e6:9.1f} us a beat")
    print(f"{'plain C / as built':34}{slow / fast:9.1f}")
    print(f"{'an hour of ECG, whole session':34}{all_of_it * 1e3:9.1f} ms")
    return 0


if __name__ == "__main__":
    sys.exit(main())
