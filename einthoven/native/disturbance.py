"""Mains hum and motion, told apart: `firmware/rhythm/ein_disturbance` by cffi, to the bit."""

from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import Any

import cffi
import numpy as np
from numpy.typing import NDArray

from einthoven.c_library import build_library
from einthoven.errors import UsageError
from einthoven.native import core
from einthoven.native.events import SIGNAL_STATE
from einthoven.paths import FIRMWARE, GENERATED

HUM, MOTION = core.FLAG_HUM, core.FLAG_MOTION
"""The bits of `flags` that are told here."""
_CDEF = """
size_t ein_host_disturbance(const int16_t *samples, size_t n, uint16_t gain_lsb_per_mv,
                            int16_t rail_lo, int16_t rail_hi, const uint32_t *gaps, size_t n_gaps,
                            uint32_t *at, uint16_t *flags);
"""


@cache
def _library() -> tuple[cffi.FFI, Any]:
    rhythm, core = FIRMWARE / "rhythm", FIRMWARE / "core"
    sources = [rhythm / "ein_disturbance.c", core / "ein_fixed.c"]
    shim = Path(__file__).parent / "disturbance_host.c"
    ffi = cffi.FFI()
    ffi.cdef(_CDEF)
    folders = [rhythm, core, GENERATED]
    path = build_library("ein_disturbance", [*sources, shim], folders, ["-DNDEBUG"])
    return ffi, ffi.dlopen(str(path))


def states(
    samples: NDArray[np.int16],
    gain_lsb_per_mv: int = 200,
    rails: tuple[int, int] = (-2048, 2047),
    gaps: Sequence[tuple[int, int]] = (),
) -> NDArray[np.void]:
    """Changes of HUM and MOTION (dtype SIGNAL_STATE), in order.

    `samples` [n] int16 counts at the core's rate; `gaps`: (first, number) of those that never
    came. Raises UsageError for samples of another type.
    """
    if samples.dtype != np.int16 or samples.ndim != 1:
        raise UsageError(f"samples must be int16[n], not {samples.dtype}{samples.shape}")
    ffi, lib = _library()
    counts = np.ascontiguousarray(samples)
    lost = np.array(gaps, dtype=np.uint32).reshape(-1, 2)
    at = np.zeros(len(counts), dtype=np.uint32)
    flags = np.zeros(len(counts), dtype=np.uint16)
    found = lib.ein_host_disturbance(
        ffi.cast("const int16_t *", counts.ctypes.data),
        len(counts),
        gain_lsb_per_mv,
        *rails,
        ffi.cast("const uint32_t *", lost.ctypes.data),
        len(lost),
        ffi.cast("uint32_t *", at.ctypes.data),
        ffi.cast("uint16_t *", flags.ctypes.data),
    )
    rows = np.zeros(found, dtype=SIGNAL_STATE)
    rows["t_samples"], rows["flags"] = at[:found], flags[:found]
    return rows


def joined(left: NDArray[np.void], right: NDArray[np.void]) -> NDArray[np.void]:
    """One list of changes (dtype SIGNAL_STATE) of two: at each time the flags of both."""
    rows = np.zeros(len(np.union1d(left["t_samples"], right["t_samples"])), dtype=SIGNAL_STATE)
    rows["t_samples"] = np.union1d(left["t_samples"], right["t_samples"])
    for part in (left, right):
        latest = np.searchsorted(part["t_samples"], rows["t_samples"], side="right")
        rows["flags"] |= np.concatenate([[0], part["flags"]]).astype(np.uint16)[latest]
    return rows
