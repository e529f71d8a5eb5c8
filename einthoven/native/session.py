"""A record through the whole firmware on the host: `firmware/app`'s session by cffi.

Core, engine, vote, confidence, gate, rhythm and verdict in one pass, as on a board and to the bit;
what a board needs besides, link and clock, is left out. The other modules of this folder call the
parts one by one, for those who want to see tensors or to judge with other tables.
"""

from collections.abc import Iterable, Iterator, Sequence
from functools import cache
from pathlib import Path
from typing import Any

import cffi
import numpy as np
from numpy.typing import NDArray

from einthoven.aami import CLASSES
from einthoven.c_library import build_library
from einthoven.errors import UsageError
from einthoven.native.events import BEAT, RHYTHM, SIGNAL_STATE, Events
from einthoven.native.strip import Raw
from einthoven.paths import FIRMWARE, GENERATED, model_c

_APP = (
    "ein_session.c",
    "ein_outbox.c",
    "ein_vote.c",
    "ein_confidence.c",
    "ein_gate.c",
    "ein_head.c",
)
_SHIM = Path(__file__).parent / "session_host.c"
_CDEF = """
uint32_t ein_host_session_room(void);
int ein_host_session_start(uint16_t gain_lsb_per_mv, int16_t rail_lo, int16_t rail_hi);
size_t ein_host_session_push(const int16_t *samples, size_t n, size_t *used, void *events,
                             size_t room);
size_t ein_host_session_gap(uint32_t lost, void *events);
size_t ein_host_session_finish(void *events, uint32_t *verdict);
"""
_TOLD = np.dtype(
    [
        *((n, "<u4") for n in ("kind", "t_samples", "t_emitted", "flags")),
        *((n, "<u4") for n in ("rr_prev", "rr_next", "tensor_crc")),
        *((n, "u1") for n in ("label", "confidence", "unsure")),
        *((n, "i1", (len(CLASSES),)) for n in ("logits", "unadapted")),
        ("unused", "u1", (3,)),
    ]
)
_KINDS = range(3)
"""A beat, a state of the signal, a rhythm event: as session_host.c tells them apart."""
_EVENTS = 4096
"""Events that a call may bring: about an hour's."""


def includes(folder: Path) -> list[Path]:
    """Where the session's headers are, with the generated files of `folder`."""
    rooms = (FIRMWARE / name for name in ("app", "core", "engine", "rhythm", "wire"))
    return [folder, GENERATED, *rooms]


def sources(folder: Path) -> list[Path]:
    """The session's C, with the generated files of `folder`, and the face by which it is called."""
    rooms = (FIRMWARE / name for name in ("core", "engine", "rhythm"))
    return [
        *(FIRMWARE / "app" / name for name in _APP),
        *(path for room in rooms for path in sorted(room.glob("ein_*.c"))),
        FIRMWARE / "wire" / "ein_crc32.c",
        folder / "ein_gate_net.c",
        folder / "ein_model.c",
        _SHIM,
    ]


@cache
def _library(folder: Path) -> tuple[cffi.FFI, Any]:
    """The session with the generated files of `folder`. Raises BuildError."""
    library = build_library("ein_session", sources(folder), includes(folder), ["-DNDEBUG"])
    ffi = cffi.FFI()
    ffi.cdef(_CDEF)
    return ffi, ffi.dlopen(str(library))


Samples = NDArray[np.int16] | Iterable[NDArray[np.int16]]
"""[n] counts at the core's rate, or the same in pieces, which need not be in memory at a time."""


def run(
    samples: Samples,
    gain_lsb_per_mv: int = 200,
    rails: tuple[int, int] = (-2048, 2047),
    gaps: Sequence[tuple[int, int]] = (),
) -> tuple[Events, Raw]:
    """What a board would say to a record, and its verdict (`strip.NONE` when it is no strip).

    `gaps`: (first, number) of samples that never came, in order. The counts of events are 0. One
    record at a time in a process. Raises UsageError for samples of another type than int16 and
    for a gain or rails that the core refuses.
    """
    rows, verdict = told(samples, gain_lsb_per_mv, rails, gaps)
    return _events(rows), verdict


def told(
    samples: Samples,
    gain_lsb_per_mv: int = 200,
    rails: tuple[int, int] = (-2048, 2047),
    gaps: Sequence[tuple[int, int]] = (),
) -> tuple[NDArray[np.void], Raw]:
    """The same, and events of all kinds in one table, in the order in which they were told."""
    ffi, lib = _library(model_c())
    if lib.ein_host_session_start(gain_lsb_per_mv, *rails) != 0:
        raise UsageError(f"no ECG of {gain_lsb_per_mv} counts per mV with rails {rails}")
    parts: list[NDArray[np.void]] = []
    buffer = np.zeros(_EVENTS, dtype=_TOLD)
    at = ffi.cast("void *", buffer.ctypes.data)
    used = ffi.new("size_t *")

    def keep(count: int) -> None:
        parts.append(buffer[:count].copy())

    for piece in _between([samples] if isinstance(samples, np.ndarray) else samples, gaps):
        if isinstance(piece, int):
            keep(lib.ein_host_session_gap(piece, at))
            continue
        if piece.dtype != np.int16 or piece.ndim != 1:
            raise UsageError(f"samples must be int16[n], not {piece.dtype}{piece.shape}")
        while len(piece):
            piece = np.ascontiguousarray(piece)
            pointer = ffi.cast("const int16_t *", piece.ctypes.data)
            keep(lib.ein_host_session_push(pointer, len(piece), used, at, _EVENTS))
            piece = piece[used[0] :]
    verdict = ffi.new("uint32_t[7]")
    keep(lib.ein_host_session_finish(at, verdict))
    return np.concatenate(parts), Raw(*(int(v) for v in verdict))


def _between(
    pieces: Iterable[NDArray[np.int16]], gaps: Sequence[tuple[int, int]]
) -> Iterator[NDArray[np.int16] | int]:
    """The pieces without the samples of gaps, and where a gap begins how many it is."""
    ahead = list(reversed(gaps))
    at = lost = 0  # the next sample's number; so many from there on never came
    for piece in pieces:
        while len(piece):
            if not lost and ahead and ahead[-1][0] == at:
                lost = ahead.pop()[1]
                yield lost
            end = lost or (ahead[-1][0] - at if ahead else len(piece))
            n = min(end, len(piece))
            if lost:
                lost -= n
            else:
                yield piece[:n]
            piece = piece[n:]
            at += n
    yield from (number for _, number in reversed(ahead))


def _events(told: NDArray[np.void]) -> Events:
    """One pass's events as a board's tables."""
    beats, states, rhythms = (told[told["kind"] == kind] for kind in _KINDS)
    rows = np.zeros(len(beats), dtype=BEAT)
    for name in BEAT.names or ():
        if name != "count":
            rows[name] = beats[name]
    changes = np.zeros(len(states), dtype=SIGNAL_STATE)
    changes["t_samples"], changes["flags"] = states["t_samples"], states["flags"]
    found = np.zeros(len(rhythms), dtype=RHYTHM)
    found["kind"], found["phase"] = rhythms["label"], rhythms["flags"]
    found["begin_samples"], found["end_samples"] = rhythms["t_samples"], rhythms["rr_next"]
    found["t_emitted"] = rhythms["t_emitted"]
    return Events(rows, changes, found)
