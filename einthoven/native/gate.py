"""Which beats the network is not run for: `firmware/app/ein_gate.c` by cffi, to the bit."""

from pathlib import Path
from typing import Any

import cffi
import numpy as np
from numpy.typing import NDArray

from einthoven.aami import CLASSES
from einthoven.c_library import build_library
from einthoven.errors import ModelError
from einthoven.native.core import Beats
from einthoven.native.engine import ENGINE, ENGINE_SOURCES
from einthoven.native.tflm import run_tflm
from einthoven.paths import FIRMWARE, GENERATED, model_c

_SHIM = Path(__file__).parent / "gate_host.c"
_CDEF = """
void ein_host_gate_open(uint32_t n, const uint32_t *t_emitted, const uint16_t *flags,
                        uint8_t *opened);
void ein_host_gate_score(uint32_t n, const int8_t *features, int8_t *scores);
int ein_host_gate_table(int32_t *most, int8_t *logits);
"""


class Gate:
    """The gate of the model that was generated into `folder` (default: the firmware's)."""

    def __init__(self, folder: Path | None = None) -> None:
        """Raises ModelError when nothing was generated there, BuildError."""
        folder = folder or model_c()
        net = folder / "ein_gate_net.c"
        if not net.exists():
            raise ModelError(f"no gate in {folder}: generate the model there again")
        app, core = FIRMWARE / "app", FIRMWARE / "core"
        library = build_library(
            "ein_gate",
            [app / "ein_gate.c", net, *ENGINE_SOURCES, _SHIM],
            [folder, GENERATED, app, core, ENGINE],
        )
        self._ffi = cffi.FFI()
        self._ffi.cdef(_CDEF)
        self._lib: Any = self._ffi.dlopen(str(library))
        self.logits = np.zeros(len(CLASSES), dtype=np.int8)
        """int8 [5] of a beat that passes."""
        most = self._ffi.new("int32_t *")
        self.exists = bool(self._lib.ein_host_gate_table(most, self._at(self.logits, "int8_t *")))
        """Whether the model has a gate; else no beat passes."""
        self.most = int(most[0])
        """The largest score that passes."""

    def open(self, beats: Beats) -> NDArray[np.bool_]:
        """[n] for which beats of a whole record the gate is open."""
        emitted = np.ascontiguousarray(beats.t_emitted, dtype=np.uint32)
        flags = np.ascontiguousarray(beats.flags, dtype=np.uint16)
        opened = np.zeros(len(beats), dtype=np.uint8)
        arrays = (emitted, "uint32_t *"), (flags, "uint16_t *"), (opened, "uint8_t *")
        self._lib.ein_host_gate_open(len(beats), *(self._at(a, kind) for a, kind in arrays))
        return opened.astype(np.bool_)

    def score(self, features: NDArray[np.int8]) -> NDArray[np.int8]:
        """int8 [n] of int8 [n, F]: the lower the more normal. Raises ValueError."""
        if features.dtype != np.int8 or features.ndim != 2:
            raise ValueError(f"features must be int8[n, F], not {features.dtype}{features.shape}")
        rows, scores = np.ascontiguousarray(features), np.zeros(len(features), dtype=np.int8)
        at = (self._at(array, "int8_t *") for array in (rows, scores))
        self._lib.ein_host_gate_score(len(rows), *at)
        return scores

    def passes(self, beats: Beats) -> NDArray[np.bool_]:
        """[n] beats of a whole record, played without a patient's head, that pass."""
        return self.open(beats) & (self.score(beats.features) <= self.most)

    def _at(self, array: NDArray[Any], kind: str) -> Any:
        return self._ffi.cast(kind, array.ctypes.data)


def tflm_scores(tflite: bytes, features: NDArray[np.int8]) -> NDArray[np.int8]:
    """int8 [n]: what TFLite Micro makes of a `gate.tflite` and int8 [n, F]."""
    if not len(features):
        return np.zeros(0, dtype=np.int8)
    return run_tflm(tflite, [features], 1)[0][:, 0]
