"""A signal at another rate, piece by piece: a day of ECG needs no more memory than an hour.

What `scipy.signal.resample_poly` computes, to the bit (a test holds it), without its import, which
takes longer than an hour of ECG, and in a third of its time.
"""

import math
from collections.abc import Iterable, Iterator
from fractions import Fraction
from functools import cache
from pathlib import Path
from typing import Any

import cffi
import numpy as np
from numpy.typing import NDArray

from einthoven.c_library import build_library

Signal = NDArray[np.float64]
REACH = 10
"""The filter reaches as many samples of the slower rate to each side."""
KAISER_BETA = 5.0

_SOURCE = Path(__file__).parent / "resampling_host.c"
_CDEF = """
void ein_host_resample(const double *x, const double *taps, size_t per_phase, size_t up,
                       size_t down, size_t offset, double *y, size_t n);
"""


@cache
def _library() -> tuple[cffi.FFI, Any]:
    ffi = cffi.FFI()
    ffi.cdef(_CDEF)
    return ffi, ffi.dlopen(str(build_library("ein_resampling", [_SOURCE], flags=["-O3"])))


def resampled(pieces: Iterable[Signal], ratio: Fraction) -> Iterator[Signal]:
    """All `pieces` as one signal at `ratio` times its rate, piece by piece.

    Without delay: value k lies at k / ratio of the signal, which goes on with its first and last
    value beyond its ends, so that there is no step. ceil(n × ratio) values. Raises BuildError
    without a C compiler.
    """
    if ratio == 1:
        yield from pieces
        return
    up, down = ratio.numerator, ratio.denominator
    taps = _phases(up, down)
    before = taps.shape[1]
    # Where in `held` the first value's filter begins, on the grid where both rates meet.
    offset = REACH * max(up, down) + up
    held: Signal = np.zeros(0)
    total = done = 0
    for piece in pieces:
        if not len(piece):
            continue
        head = held if total else np.full(before, piece[0])
        held = np.concatenate([head, piece])
        total += len(piece)
        # The last sample that a value needs is the filter's length from where it begins.
        count = max(0, -(-((len(held) - before + 1) * up - offset) // down))
        yield _filtered(held, taps, up, down, offset, count)
        done += count
        offset += count * down
        passed = offset // up
        held, offset = held[passed:], offset % up
    if total:
        rest = -(-total * up // down) - done
        held = np.concatenate([held, np.full(2 * before, held[-1])])
        yield _filtered(held, taps, up, down, offset, rest)


def _filtered(x: Signal, taps: Signal, up: int, down: int, offset: int, n: int) -> Signal:
    ffi, lib = _library()
    y: Signal = np.empty(n)
    pointers = [ffi.cast("double *", a.ctypes.data) for a in (x, taps, y)]
    lib.ein_host_resample(*pointers[:2], taps.shape[1], up, down, offset, pointers[2], n)
    return y


@cache
def _phases(up: int, down: int) -> Signal:
    """[up, taps] the low-pass before the slower rate, each phase's taps in the order of samples.

    As `scipy.signal.firwin` designs it: a sinc, cut to REACH by a Kaiser window, with gain 1.
    """
    slower = max(up, down)
    half = REACH * slower
    place = np.arange(2 * half + 1, dtype=np.float64) - half
    window = _i0(KAISER_BETA * np.sqrt(1 - (place / half) ** 2.0)) / _i0(np.array([KAISER_BETA]))
    taps = np.sinc(place * (1.0 / slower)) * (1.0 / slower) * window
    taps = taps / taps.sum() * up
    per_phase = -(-len(taps) // up)
    padded = np.concatenate([taps, np.zeros(per_phase * up - len(taps))])
    return np.ascontiguousarray(padded.reshape(per_phase, up).T[:, ::-1])


_I0 = (
    *(-4.41534164647933937950e-18, 3.33079451882223809783e-17, -2.43127984654795469359e-16),
    *(1.71539128555513303061e-15, -1.16853328779934516808e-14, 7.67618549860493561688e-14),
    *(-4.85644678311192946090e-13, 2.95505266312963983461e-12, -1.72682629144155570723e-11),
    *(9.67580903537323691224e-11, -5.18979560163526290666e-10, 2.65982372468238665035e-9),
    *(-1.30002500998624804212e-8, 6.04699502254191894932e-8, -2.67079385394061173391e-7),
    *(1.11738753912010371815e-6, -4.41673835845875056359e-6, 1.64484480707288970893e-5),
    *(-5.75419501008210370398e-5, 1.88502885095841655729e-4, -5.76375574538582365885e-4),
    *(1.63947561694133579842e-3, -4.32430999505057594430e-3, 1.05464603945949983183e-2),
    *(-2.37374148058994688156e-2, 4.93052842396707084878e-2, -9.49010970480476444210e-2),
    *(1.71620901522208775349e-1, -3.04682672343198398683e-1, 6.76795274409476084995e-1),
)
"""Chebyshev coefficients of exp(-x) I0(x) for x of 0 to 8 (S. L. Moshier's Cephes, i0.c)."""


def _i0(x: Signal) -> Signal:
    """The modified Bessel function of order 0, as scipy has it; numpy's has another exp."""
    y = x / 2.0 - 2.0
    b0, b1, b2 = np.full_like(x, _I0[0]), np.zeros_like(x), np.zeros_like(x)
    for coefficient in _I0[1:]:
        b0, b1, b2 = y * b0 - b1 + coefficient, b0, b1
    return np.array([math.exp(value) for value in x.tolist()]) * (0.5 * (b0 - b2))
