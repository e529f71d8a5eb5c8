"""The C signal path (`firmware/core`) by cffi: samples in, beats and the model's tensors out.

No arithmetic of its own: what comes out is what the firmware computes, to the bit.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, fields
from functools import cache
from pathlib import Path
from typing import Any

import cffi
import numpy as np
from numpy.typing import NDArray

from einthoven.c_library import build_library
from einthoven.errors import UsageError
from einthoven.paths import FIRMWARE, GENERATED

FLAG_SATURATED = 0x0001
FLAG_FLAT = 0x0002
FLAG_LEAD_OFF = 0x0004
FLAG_GAP = 0x0008
FLAG_NOISY = 0x0010
FLAG_LEARNING = 0x0020
FLAG_SEARCH_BACK = 0x0040
FLAG_BREAK = 0x0080
FLAG_HUM = 0x0100
FLAG_MOTION = 0x0200
FLAG_PASSED = 0x0400
"""Bits of `flags`, as in `firmware/core/ein_types.h` (which says what each means)."""

NO_SLOT = 0xFF
"""`Beats.slot` of a beat that nothing was learnt from."""

_KIND_BEAT = 1
_EVENTS_PER_CALL = 1024

_CDEF = """
void ein_host_sizes(uint32_t sizes[4]);
const char *ein_host_pipeline_sha256(void);
uint32_t ein_host_rate_hz(void);
int ein_host_init(void *core, uint16_t gain, int16_t rail_lo, int16_t rail_hi);
void ein_host_gap(void *core, uint32_t lost_samples);
void ein_host_finish(void *core);
uint32_t ein_host_templates_bytes(void);
void ein_host_templates(const void *core, void *templates);
size_t ein_host_run(void *core, const int16_t *samples, size_t n, size_t *used,
                    void *events, int8_t *signal, int8_t *features, size_t room);
"""

_EVENT = np.dtype(
    [
        (name, "<u4")
        for name in (
            *("kind", "flags", "t_samples", "t_emitted", "rr_prev", "rr_next"),
            *("slot", "slot_beats"),
        )
    ]
)


@dataclass(frozen=True)
class Beats:
    """What the core emitted, in the order of emission; n beats, one row each.

    Times are samples of the core's rate (`rate_hz()`), from the first sample = 0.
    """

    t_samples: NDArray[np.int64]
    """[n] R positions."""
    t_emitted: NDArray[np.int64]
    """[n] sample at which the beat left the core."""
    flags: NDArray[np.uint16]
    """[n] `FLAG_*` bits."""
    rr_prev_samples: NDArray[np.int64]
    """[n] RR interval before the beat; 0: none known."""
    rr_next_samples: NDArray[np.int64]
    """[n] RR interval after the beat; 0: none known."""
    slot: NDArray[np.uint8]
    """[n] template that the beat joined; `NO_SLOT`: none."""
    slot_beats: NDArray[np.uint16]
    """[n] beats in that template by then, this one included."""
    signal: NDArray[np.int8]
    """[n, 216, 3] the model's first input."""
    features: NDArray[np.int8]
    """[n, F] the model's second input."""
    signal_events: NDArray[np.int64]
    """[m, 2] changes of the signal's state: time, `FLAG_*` bits from then on."""

    def __len__(self) -> int:
        return len(self.t_samples)


@cache
def _library(generated: Path = GENERATED) -> tuple[cffi.FFI, Any]:
    core = FIRMWARE / "core"
    sources = sorted(p for p in core.glob("ein_*.c"))
    shim = Path(__file__).parent / "core_host.c"
    ffi = cffi.FFI()
    ffi.cdef(_CDEF)
    path = build_library("ein_core", [*sources, shim], [core, generated], ["-DNDEBUG"])
    return ffi, ffi.dlopen(str(path))


@cache
def _sizes(generated: Path = GENERATED) -> tuple[int, int, int, int]:
    ffi, lib = _library(generated)
    sizes = ffi.new("uint32_t[4]")
    lib.ein_host_sizes(sizes)
    return int(sizes[0]), int(sizes[1]), int(sizes[2]), int(sizes[3])


def rate_hz() -> int:
    """Sample rate that the core was generated for."""
    return int(_library()[1].ein_host_rate_hz())


def pipeline_sha256() -> str:
    """Hash of the pipeline that the core was generated from, hex."""
    ffi, lib = _library()
    return bytes(ffi.string(lib.ein_host_pipeline_sha256())).decode()


class Core:
    """One running signal path. Push samples as they come, any number at a time."""

    def __init__(
        self,
        gain_lsb_per_mv: int = 200,
        rails: tuple[int, int] = (-2048, 2047),
        generated: Path = GENERATED,
    ) -> None:
        """`gain_lsb_per_mv` 1..32767; at or beyond `rails` (counts) a sample is no signal.

        `generated`: folder of the `ein_pipeline.h` to compile with, to try other constants.

        Raises UsageError for a gain or rails that the core refuses.
        """
        self._ffi, self._lib = _library(generated)
        size, *self._shape = _sizes(generated)
        self._state = self._ffi.new("uint64_t[]", (size + 7) // 8)
        limits = np.iinfo(np.int16)
        fits = all(limits.min <= v <= limits.max for v in (*rails, gain_lsb_per_mv))
        if (
            not fits
            or gain_lsb_per_mv < 1
            or self._lib.ein_host_init(self._state, gain_lsb_per_mv, *rails) != 0
        ):
            raise UsageError(
                f"gain {gain_lsb_per_mv} LSB/mV with rails {rails[0]}..{rails[1]}: the gain must "
                "be 1 to 32767 and the lower rail below the upper one, both int16"
            )

    def push(self, samples: NDArray[np.int16]) -> Beats:
        """The beats that become due while `samples` [n] int16 counts are consumed."""
        if samples.dtype != np.int16 or samples.ndim != 1:
            raise UsageError(f"samples must be int16[n], not {samples.dtype}{samples.shape}")
        return self._run(np.ascontiguousarray(samples))

    def gap(self, lost_samples: int) -> Beats:
        """`lost_samples` (0 .. 2**32 - 1) never came: the beats that become due in the gap."""
        self._lib.ein_host_gap(self._state, lost_samples)
        return self._run(np.empty(0, np.int16))

    def finish(self) -> Beats:
        """The record has ended: the beats still pending. Later pushes are ignored."""
        self._lib.ein_host_finish(self._state)
        return self._run(np.empty(0, np.int16))

    def whole(self, samples: NDArray[np.int16], gaps: Sequence[tuple[int, int]] = ()) -> Beats:
        """All beats of a record, which ends with it: see `analyze`."""
        parts = []
        at = 0
        for first, number in gaps:
            parts += [self.push(samples[at:first]), self.gap(number)]
            at = first + number
        return join([*parts, self.push(samples[at:]), self.finish()])

    def templates(self) -> bytes:
        """What is known by now of the patient's kinds of beats: an `ein_templates_t`."""
        copy = self._ffi.new("uint8_t[]", int(self._lib.ein_host_templates_bytes()))
        self._lib.ein_host_templates(self._state, copy)
        return bytes(self._ffi.buffer(copy))

    def _run(self, samples: NDArray[np.int16]) -> Beats:
        ffi = self._ffi
        window, channels, features = self._shape
        used = ffi.new("size_t *")
        parts = []
        done = 0
        while True:
            events = np.zeros(_EVENTS_PER_CALL, _EVENT)
            signal = np.zeros((_EVENTS_PER_CALL, window, channels), np.int8)
            feature = np.zeros((_EVENTS_PER_CALL, features), np.int8)
            rest = samples[done:]
            count = self._lib.ein_host_run(
                self._state,
                ffi.cast("const int16_t *", rest.ctypes.data),
                len(rest),
                used,
                ffi.cast("void *", events.ctypes.data),
                ffi.cast("int8_t *", signal.ctypes.data),
                ffi.cast("int8_t *", feature.ctypes.data),
                _EVENTS_PER_CALL,
            )
            done += used[0]
            parts.append(_beats(events[:count], signal[:count], feature[:count]))
            if count < _EVENTS_PER_CALL:
                return join(parts)


def _beats(events: NDArray[Any], signal: NDArray[np.int8], features: NDArray[np.int8]) -> Beats:
    beat = events["kind"] == _KIND_BEAT
    of_beats, changes = events[beat], events[~beat]
    return Beats(
        t_samples=of_beats["t_samples"].astype(np.int64),
        t_emitted=of_beats["t_emitted"].astype(np.int64),
        flags=of_beats["flags"].astype(np.uint16),
        rr_prev_samples=of_beats["rr_prev"].astype(np.int64),
        rr_next_samples=of_beats["rr_next"].astype(np.int64),
        slot=of_beats["slot"].astype(np.uint8),
        slot_beats=of_beats["slot_beats"].astype(np.uint16),
        signal=signal[beat],
        features=features[beat],
        signal_events=np.stack([changes["t_samples"], changes["flags"]], axis=1).astype(np.int64),
    )


def join(parts: Iterable[Beats]) -> Beats:
    """The beats of consecutive pushes as one."""
    listed = list(parts)
    return Beats(*(np.concatenate([getattr(p, f.name) for p in listed]) for f in fields(Beats)))


def analyze(
    samples: NDArray[np.int16],
    gain_lsb_per_mv: int = 200,
    rails: tuple[int, int] = (-2048, 2047),
    generated: Path = GENERATED,
    gaps: Sequence[tuple[int, int]] = (),
) -> Beats:
    """All beats of a whole record: `samples` [n] int16 counts at `rate_hz()`, else as for Core.

    `gaps`: (first, number) of the samples that never came, in order. Raises UsageError for
    samples that are not int16, or a gain or rails out of range.
    """
    return Core(gain_lsb_per_mv, rails, generated).whole(samples, gaps)
