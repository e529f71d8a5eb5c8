"""The verdict on a strip and the quality gate before it: `firmware/rhythm` by cffi, to the bit."""

import tomllib
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import cffi
import numpy as np
from numpy.typing import NDArray

from einthoven.c_library import build_library
from einthoven.errors import ModelError, UsageError
from einthoven.native.core import Beats
from einthoven.native.engine import header_macros
from einthoven.paths import FIRMWARE, GENERATED, SPEC

_SHIM = Path(__file__).parent / "strip_host.c"
NONE = 0xFF
"""`Raw.verdict` of a recording that is too long to be a strip."""
_CDEF = """
uint32_t ein_host_strip_bytes(void);
void ein_host_quality(uint32_t n, uint32_t end_samples, void *beats);
void ein_host_strip(uint32_t n, const void *beats, const int8_t *signal, const int8_t *inputs,
                    const int8_t *logits, const int8_t *embedding, const void *templates,
                    uint32_t samples, uint32_t *out, int8_t *features);
"""
_BEAT = np.dtype(
    [
        *((name, "<u4") for name in ("flags", "t_samples", "rr_prev")),
        *((name, "u1") for name in ("label", "confidence", "unsure", "spare")),
    ]
)


@dataclass(frozen=True)
class Raw:
    """A verdict as the device gives it: `ein_strip_verdict_t`, the fields of the wire's message."""

    verdict: int
    """Index into `[verdicts]` of codegen/spec/strip.toml; NONE: there is none."""
    probability: int
    """That it is right, in 1/255."""
    reasons: int
    """Bits, in the order of `[reasons] words`."""
    ventricular: int
    supraventricular: int
    rate_bpm: int
    longest_ms: int


@cache
def spec() -> dict[str, Any]:
    """`codegen/spec/strip.toml`. Raises UsageError when it cannot be read."""
    try:
        return tomllib.loads((SPEC / "strip.toml").read_text(encoding="utf-8"))
    except (OSError, tomllib.TOMLDecodeError) as error:
        raise UsageError(f"cannot read codegen/spec/strip.toml: {error}") from error


def symbols() -> tuple[str, ...]:
    """The verdicts as the CinC 2017 Challenge writes them, in the order of `Raw.verdict`."""
    return tuple(spec()["verdicts"]["symbols"])


def symbol(raw: Raw) -> str | None:
    """N, A, O or ~; None: no strip."""
    return None if raw.verdict == NONE else symbols()[raw.verdict]


def reasons(raw: Raw) -> list[str]:
    """The reasons in words, in the order of the spec: "irregular", "fast, 120 a minute"."""
    told = [
        words.format(
            ventricular=raw.ventricular,
            supraventricular=raw.supraventricular,
            rate=raw.rate_bpm,
            longest_s=f"{raw.longest_ms / 1000:.1f}",
        )
        for bit, (_, words) in enumerate(spec()["reasons"]["words"])
        if raw.reasons >> bit & 1
    ]
    return [
        text.replace("extra beats", "extra beat") if text.startswith("1 ") else text
        for text in told
    ]


class Strip:
    """Gate and verdict with the table that was generated into `folder`."""

    def __init__(self, folder: Path = GENERATED) -> None:
        """Raises ModelError when nothing was generated there, BuildError."""
        header = folder / "ein_strip_table.h"
        if not header.exists():
            raise ModelError(f"no strip table in {folder}: run `python -m einthoven.codegen`")
        rhythm, core = FIRMWARE / "rhythm", FIRMWARE / "core"
        sources = sorted([*rhythm.glob("ein_strip*.c"), rhythm / "ein_quality.c"])
        library = build_library(
            "ein_strip",
            [*sources, core / "ein_fixed.c", _SHIM],
            [folder, *([] if folder == GENERATED else [GENERATED]), rhythm, core],
        )
        self._ffi = cffi.FFI()
        self._ffi.cdef(_CDEF)
        self._lib: Any = self._ffi.dlopen(str(library))
        macros = header_macros(header)
        self.features = int(macros["EIN_STRIP_FEATURES"])
        """Number of a strip's features."""
        self.ram_bytes = int(self._lib.ein_host_strip_bytes())
        """RAM that it takes on a device, but for the size of pointers, of which it has none."""

    def gate(
        self,
        t_samples: NDArray[Any],
        labels: NDArray[Any],
        confidence: NDArray[np.uint8],
        unsure: NDArray[np.bool_],
        end_samples: int,
    ) -> tuple[NDArray[np.uint8], NDArray[np.bool_]]:
        """Classes [n] and whether unsure [n], of a record's beats from the first one on.

        `t_samples`: R [n]; `labels`: indices of the classes [n]; `confidence` in 1/255 [n], as
        `ein_confidence` gave them; `end_samples`: the record's length.
        """
        rows = np.zeros(len(t_samples), dtype=_BEAT)
        rows["t_samples"], rows["label"] = t_samples, labels
        rows["confidence"], rows["unsure"] = confidence, unsure
        self._lib.ein_host_quality(len(rows), end_samples, self._at(rows))
        return rows["label"].copy(), rows["unsure"].astype(np.bool_)

    def verdict(
        self,
        beats: Beats,
        logits: NDArray[np.int8],
        embedding: NDArray[np.int8],
        labels: NDArray[Any],
        unsure: NDArray[np.bool_],
        templates: bytes,
        samples: int,
    ) -> tuple[Raw, NDArray[np.int8]]:
        """The verdict on a strip of `samples`, and the features int8 [F] that it was made from.

        `logits`: int8 [n, 5], voted; `embedding`: int8 [n, E] of the model; `labels`, `unsure` of
        `gate`; `templates` of `Core.templates` at the end. Raises ValueError.
        """
        n = len(beats)
        if not n == len(logits) == len(embedding) == len(labels) == len(unsure):
            raise ValueError("beats, logits, embedding, labels and unsure must be of equal length")
        rows = np.zeros(n, dtype=_BEAT)
        rows["flags"], rows["t_samples"] = beats.flags, beats.t_samples
        rows["rr_prev"] = beats.rr_prev_samples
        rows["label"], rows["unsure"] = labels, unsure
        tables = [
            np.ascontiguousarray(table, dtype=np.int8)
            for table in (beats.signal, beats.features, logits, embedding)
        ]
        out = self._ffi.new("uint32_t[7]")
        features = np.zeros(self.features, dtype=np.int8)
        self._lib.ein_host_strip(
            n,
            self._at(rows),
            *(self._at(table, "int8_t *") for table in tables),
            self._ffi.from_buffer(templates),
            samples,
            out,
            self._at(features, "int8_t *"),
        )
        return Raw(*(int(value) for value in out)), features

    def _at(self, array: NDArray[Any], kind: str = "void *") -> Any:
        return self._ffi.cast(kind, array.ctypes.data)
