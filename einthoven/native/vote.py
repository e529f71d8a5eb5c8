"""What a kind of beat was called before, for the next one: `firmware/app/ein_vote.c` by cffi."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import cffi
import numpy as np
from numpy.typing import NDArray

from einthoven.aami import CLASSES
from einthoven.c_library import build_library
from einthoven.errors import ModelError
from einthoven.paths import FIRMWARE, GENERATED, model_c

_SHIM = Path(__file__).parent / "vote_host.c"
_FINE = 1 << 12
"""Steps per logit of a float network: its answers are rounded to these."""


class HasKinds(Protocol):
    """What is known of the kinds of n successive beats, as `core.Beats` has it."""

    @property
    def slot(self) -> NDArray[np.uint8]:
        """[n] template that each joined."""

    @property
    def slot_beats(self) -> NDArray[np.uint16]:
        """[n] beats in it by then, 1 for the first: records may follow one another."""


@dataclass(frozen=True)
class Kinds:
    """That, and nothing else."""

    slot: NDArray[np.uint8]
    slot_beats: NDArray[np.uint16]


class Vote:
    """The vote with the limit of the model that was generated into `folder`."""

    def __init__(self, folder: Path | None = None) -> None:
        """Raises ModelError when nothing was generated there, BuildError."""
        folder = folder or model_c()
        if not (folder / "ein_confidence_table.h").exists():
            raise ModelError(f"no confidence table in {folder}: run `python -m einthoven.codegen`")
        app = FIRMWARE / "app"
        library = build_library(
            "ein_vote",
            [app / "ein_vote.c", _SHIM],
            [folder, GENERATED, app, FIRMWARE / "core"],
        )
        ffi = cffi.FFI()
        ffi.cdef(
            "void ein_vote(void *vote, uint8_t slot, uint16_t slot_beats, int8_t *logits);"
            "void ein_vote_weigh(void *vote, uint8_t slot, uint16_t slot_beats, int32_t limit,"
            " int32_t *logits);"
            "unsigned ein_vote_host_size(void);"
        )
        self._ffi = ffi
        self._lib: Any = ffi.dlopen(str(library))

    def of(self, logits: NDArray[np.int8], beats: HasKinds) -> NDArray[np.int8]:
        """int8 [n, 5]: a record's logits, in the order of its beats, with what their kinds say.

        `logits`: int8 [n, 5], of the model. Raises ValueError for anything else.
        """
        if logits.dtype != np.int8:
            raise ValueError(f"logits must be int8, not {logits.dtype}")
        voted = np.array(logits, order="C")
        self._each(voted, beats, lambda vote, s, n, row: self._lib.ein_vote(vote, s, n, row))
        return voted

    def of_float(self, logits: NDArray[Any], beats: HasKinds, limit: float) -> NDArray[np.float64]:
        """[n, 5]: the same of a network whose logits [n, 5] are real numbers.

        `limit`: the most that one beat says of its kind, in logits. Raises ValueError.
        """
        voted = np.rint(np.asarray(logits, dtype=np.float64) * _FINE).astype(np.int32)
        fine = round(limit * _FINE)
        weigh = self._lib.ein_vote_weigh
        self._each(voted, beats, lambda vote, s, n, row: weigh(vote, s, n, fine, row))
        return voted / _FINE

    def _each(self, logits: NDArray[Any], beats: HasKinds, step: Any) -> None:
        if logits.shape != (len(beats.slot), len(CLASSES)):
            raise ValueError(f"logits must be [{len(beats.slot)}, {len(CLASSES)}]")
        # A zeroed ein_vote_t knows nothing; its fields are int32_t.
        state = self._ffi.new("int32_t[]", self._lib.ein_vote_host_size() // 4)
        kind = "int8_t *" if logits.dtype == np.int8 else "int32_t *"
        first, width = self._ffi.cast(kind, logits.ctypes.data), len(CLASSES)
        known = zip(beats.slot.tolist(), beats.slot_beats.tolist(), strict=True)
        for i, (slot, count) in enumerate(known):
            step(state, slot, count, first + i * width)
