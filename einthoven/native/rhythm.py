"""The rhythm stage (`firmware/rhythm`) by cffi: a record's beats in, episodes out, to the bit."""

import tomllib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import cffi
import numpy as np
from numpy.typing import NDArray

from einthoven.c_library import build_library
from einthoven.errors import UsageError
from einthoven.paths import FIRMWARE, GENERATED, RHYTHM_SPEC

BEGIN, END = 1, 2
"""Phases of an event, as in `firmware/rhythm/ein_rhythm_types.h`."""

_ROOM = 4096
_CDEF = """
size_t ein_host_rhythm_bytes(void);
size_t ein_host_rhythm_run(const uint32_t *t_samples, const uint8_t *labels, const uint16_t *flags,
                           const int8_t *signal, size_t n, uint32_t end_samples,
                           void *events, size_t room);
size_t ein_host_rhythm_record(const int16_t *samples, size_t n, uint16_t gain_lsb_per_mv,
                              int16_t rail_lo, int16_t rail_hi, const uint8_t *labels,
                              const uint8_t *confidence, size_t n_labels,
                              const uint32_t *gaps, size_t n_gaps, void *events, size_t room);
"""
FIELDS = ("kind", "phase", "begin_samples", "end_samples", "t_emitted")
"""Of an event, in the order of `RhythmEvents`."""
_EVENT = np.dtype([(name, "<u4") for name in FIELDS])


@cache
def kinds() -> tuple[str, ...]:
    """What each kind of event is called; its code is the place in the list."""
    return tuple(tomllib.loads(RHYTHM_SPEC.read_text())["kinds"].values())


@dataclass(frozen=True)
class RhythmEvents:
    """What the stage told, in order; n events. Times in samples of the core's rate."""

    kind: NDArray[np.int64]
    """[n] codes, see `kinds`."""
    phase: NDArray[np.int64]
    """[n] BEGIN: it lasts; END: it is over, and `end_samples` says since when."""
    begin_samples: NDArray[np.int64]
    end_samples: NDArray[np.int64]
    t_emitted: NDArray[np.int64]
    """[n] when it was told: the sample, or from beats alone the R of the beat that told it."""

    def __len__(self) -> int:
        return len(self.kind)


@cache
def _library(generated: Path = GENERATED) -> tuple[cffi.FFI, Any]:
    rhythm, core = FIRMWARE / "rhythm", FIRMWARE / "core"
    sources = [*sorted(rhythm.glob("ein_*.c")), *sorted(core.glob("ein_*.c"))]
    shim = Path(__file__).parent / "rhythm_host.c"
    ffi = cffi.FFI()
    ffi.cdef(_CDEF)
    path = build_library("ein_rhythm", [*sources, shim], [rhythm, core, generated], ["-DNDEBUG"])
    return ffi, ffi.dlopen(str(path))


def state_bytes() -> int:
    """Size of the stage's state on this machine."""
    return int(_library()[1].ein_host_rhythm_bytes())


def episodes(
    t_samples: NDArray[np.integer[Any]],
    labels: NDArray[np.integer[Any]],
    flags: NDArray[np.integer[Any]],
    end_samples: int,
    signal: NDArray[np.int8] | None = None,
    generated: Path = GENERATED,
) -> RhythmEvents:
    """All events of a record from its beats.

    `t_samples` [n] R positions at the core's rate, in order; `labels` [n] indices of
    `aami.CLASSES`; `flags` [n] `core.FLAG_*`; `end_samples` the record's length; `signal`
    int8 [n, 216, 3] the core's windows: without them nothing is known of P waves, and no atrial
    fibrillation is told. `generated`: folder of the `ein_rhythm_spec.h` to compile with. Raises
    UsageError for arrays that do not fit together.
    """
    n = len(t_samples)
    if len(labels) != n or len(flags) != n or (signal is not None and len(signal) != n):
        raise UsageError("times, labels, flags and windows must be as many as the beats")
    ffi, lib = _library(generated)
    times = np.ascontiguousarray(t_samples, dtype=np.uint32)
    kind = np.ascontiguousarray(labels, dtype=np.uint8)
    flag = np.ascontiguousarray(flags, dtype=np.uint16)
    window = None if signal is None else np.ascontiguousarray(signal, dtype=np.int8)
    return _taken(
        lambda events, room: lib.ein_host_rhythm_run(
            ffi.cast("const uint32_t *", times.ctypes.data),
            ffi.cast("const uint8_t *", kind.ctypes.data),
            ffi.cast("const uint16_t *", flag.ctypes.data),
            ffi.NULL if window is None else ffi.cast("const int8_t *", window.ctypes.data),
            n,
            end_samples,
            events,
            room,
        )
    )


def record(
    samples: NDArray[np.int16],
    labels: NDArray[np.integer[Any]],
    confidence: NDArray[np.integer[Any]],
    gain_lsb_per_mv: int = 200,
    rails: tuple[int, int] = (-2048, 2047),
    generated: Path = GENERATED,
    gaps: Sequence[tuple[int, int]] = (),
) -> RhythmEvents:
    """All events of a record as the firmware tells them, those of the signal's shape included.

    `samples` [n] int16 counts at the core's rate, `labels` indices of `aami.CLASSES`, one a beat of
    `core.analyze` of the same samples, in order, and `confidence` that they are right in 1/255;
    `gaps` as there, each of a sample or more. Raises UsageError for samples of another type and
    for labels and confidences that are not as many.
    """
    if samples.dtype != np.int16 or samples.ndim != 1:
        raise UsageError(f"samples must be int16[n], not {samples.dtype}{samples.shape}")
    if len(labels) != len(confidence):
        raise UsageError("labels and confidences must be as many")
    ffi, lib = _library(generated)
    counts = np.ascontiguousarray(samples)
    kind = np.ascontiguousarray(labels, dtype=np.uint8)
    certain = np.ascontiguousarray(confidence, dtype=np.uint8)
    lost = np.array(gaps, dtype=np.uint32).reshape(-1, 2)
    return _taken(
        lambda events, room: lib.ein_host_rhythm_record(
            ffi.cast("const int16_t *", counts.ctypes.data),
            len(counts),
            gain_lsb_per_mv,
            *rails,
            ffi.cast("const uint8_t *", kind.ctypes.data),
            ffi.cast("const uint8_t *", certain.ctypes.data),
            len(kind),
            ffi.cast("const uint32_t *", lost.ctypes.data),
            len(lost),
            events,
            room,
        )
    )


def _taken(call: Callable[[Any, int], int]) -> RhythmEvents:
    """What a call wrote, called again if there was not room enough."""
    room = _ROOM
    while True:
        events = np.zeros(room, dtype=_EVENT)
        count = int(call(_library()[0].cast("void *", events.ctypes.data), room))
        if count <= room:
            columns = (events[name][:count].astype(np.int64) for name in FIELDS)
            return RhythmEvents(*columns)
        room = count
