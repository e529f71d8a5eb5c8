"""How sure the model is of each beat: `firmware/app/ein_confidence.c` by cffi, to the bit."""

from pathlib import Path
from typing import Any

import cffi
import numpy as np
from numpy.typing import NDArray

from einthoven.aami import CLASSES
from einthoven.c_library import build_library
from einthoven.errors import ModelError
from einthoven.paths import FIRMWARE, GENERATED, model_c

ONE = 255
"""A confidence of 1."""


class Confidence:
    """The confidence of the model that was generated into `folder` (default: the firmware's)."""

    def __init__(self, folder: Path | None = None) -> None:
        """Raises ModelError when nothing was generated there, BuildError."""
        folder = folder or model_c()
        if not (folder / "ein_confidence_table.h").exists():
            raise ModelError(f"no confidence table in {folder}: run `python -m einthoven.codegen`")
        app = FIRMWARE / "app"
        source = app / "ein_confidence.c"
        library = build_library(
            "ein_confidence", [source], [folder, GENERATED, app, FIRMWARE / "core"]
        )
        ffi = cffi.FFI()
        ffi.cdef(
            "uint8_t ein_confidence(const int8_t *logits);"
            "bool ein_confidence_unsure(uint8_t confidence, uint16_t flags);"
        )
        self._ffi = ffi
        self._lib: Any = ffi.dlopen(str(library))

    def of(
        self, logits: NDArray[np.int8], flags: NDArray[Any]
    ) -> tuple[NDArray[np.uint8], NDArray[np.bool_]]:
        """uint8 [n] in 1/255 and bool [n] unsure, of int8 [n, 5] logits and [n] `core.FLAG_*`."""
        if logits.dtype != np.int8 or logits.shape != (len(flags), len(CLASSES)):
            raise ValueError(f"logits must be int8[{len(flags)}, {len(CLASSES)}]")
        rows = np.ascontiguousarray(logits)
        first, step = self._ffi.cast("int8_t *", rows.ctypes.data), len(CLASSES)
        confidence = np.array(
            [self._lib.ein_confidence(first + i * step) for i in range(len(rows))], dtype=np.uint8
        )
        unsure = [
            self._lib.ein_confidence_unsure(c, f)
            for c, f in zip(confidence.tolist(), flags.tolist(), strict=True)
        ]
        return confidence, np.array(unsure, dtype=np.bool_)
