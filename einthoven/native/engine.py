"""The two ways to run a model on the host: the generated C, and TFLite Micro itself.

Both take the core's tensors and give the model's int8 logits, and must agree to the bit.
"""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import cffi
import numpy as np
from numpy.typing import NDArray

from einthoven.c_library import build_library
from einthoven.errors import ModelError
from einthoven.paths import FIRMWARE, GENERATED, SHIPPED_MODEL, model_c

Int8 = NDArray[np.int8]
Progress = Callable[[int], None]
"""Called now and then with the number of beats done so far."""

ENGINE = FIRMWARE / "engine"
ENGINE_SOURCES = tuple(sorted(p for p in ENGINE.glob("ein_nn_*.c")))
"""The kernels; tests beside them are named test_*.c."""


class HostModel:
    """The generated engine in `folder` (default: the firmware's), compiled for this machine."""

    def __init__(
        self, folder: Path | None = None, trace: bool = False, flags: Sequence[str] = ()
    ) -> None:
        """`trace` compiles the debug build that `layers` needs; `flags`: of the compiler, besides.

        Raises ModelError, BuildError.
        """
        folder = folder or model_c()
        source, header = folder / "ein_model.c", folder / "ein_model.h"
        if not source.exists() or not header.exists():
            raise ModelError(f"no generated engine in {folder}: run `python -m einthoven.codegen`")
        flags = [*flags, *(["-DEIN_MODEL_TRACE"] if trace else [])]
        library = build_library(
            "ein_model", [source, *ENGINE_SOURCES], [folder, GENERATED, ENGINE], flags
        )
        self._ffi = cffi.FFI()
        self._ffi.cdef(
            "void ein_model_infer(void *arena, const int8_t *signal, const int8_t *features,"
            " int8_t *logits);"
        )
        self.macros = header_macros(header)
        self.head_bytes = int(self.macros.get("EIN_MODEL_HEAD_BYTES", "0"))
        if self.head_bytes:
            self._ffi.cdef(
                "void ein_model_embed(void *arena, const int8_t *signal, const int8_t *features,"
                " int8_t *embedding);"
                "void ein_model_head(void *arena, const int8_t *head, const int8_t *embedding,"
                " int8_t *logits);"
                "int ein_model_head_fits(const int8_t *head);"
            )
        if trace:
            self._ffi.cdef("extern void (*ein_model_trace)(int32_t, const int8_t *, int32_t);")
        self._lib: Any = self._ffi.dlopen(str(library))
        self.outputs = int(self.macros["EIN_MODEL_OUTPUTS"])
        self.arena_bytes = int(self.macros["EIN_MODEL_ARENA_BYTES"])
        self._trace = trace

    def infer(self, signal: Int8, features: Int8, progress: Progress | None = None) -> Int8:
        """int8[n, outputs] logits of int8[n, 216, 3] and int8[n, F]. Raises ValueError."""
        signal, features = _checked(signal, features)
        return self._each(self._lib.ein_model_infer, (signal, features), self.outputs, progress)

    def embed(self, signal: Int8, features: Int8, progress: Progress | None = None) -> Int8:
        """int8[n, E]: what the model's last dense layers read of each beat; for `head`.

        Raises ModelError when the model does not end in such layers, ValueError.
        """
        self._need_head()
        signal, features = _checked(signal, features)
        size = int(self.macros["EIN_MODEL_EMBEDDING"])
        return self._each(self._lib.ein_model_embed, (signal, features), size, progress)

    def head(self, embedding: Int8, parameters: bytes | None = None) -> Int8:
        """int8[n, outputs] logits of embeddings [n, E], by a patient's head or the model's own.

        `parameters`: what `einthoven.codegen.head.pack` made; None: the model's. Raises ModelError.
        """
        self._need_head()
        given = self._ffi.NULL
        if parameters is not None:
            aligned = self._ffi.new("int32_t[]", self.head_bytes // 4 + 1)
            given = self._ffi.cast("int8_t *", aligned)
            self._ffi.memmove(given, parameters, min(self.head_bytes, len(parameters)))
            if len(parameters) != self.head_bytes or not self._lib.ein_model_head_fits(given):
                raise ModelError("this head is not one of the model's: adapt again")
        embedding = np.ascontiguousarray(embedding)

        def step(arena: Any, source: Any, logits: Any) -> None:
            self._lib.ein_model_head(arena, given, source, logits)

        return self._each(step, (embedding,), self.outputs, None)

    def _need_head(self) -> None:
        if not self.head_bytes:
            raise ModelError("the model does not end in dense layers: it cannot be adapted")

    def _each(
        self,
        step: Callable[..., None],
        inputs: tuple[Int8, ...],
        outputs: int,
        progress: Progress | None,
    ) -> Int8:
        """Call `step` for every beat: arena, a row of each input, the row of outputs to fill."""
        n = len(inputs[0])
        out = np.empty((n, outputs), dtype=np.int8)
        arena = self._ffi.new("int32_t[]", self.arena_bytes // 4 + 1)
        rows = [
            (self._ffi.cast("int8_t *", a.ctypes.data), a[0].size if len(a) else 0)
            for a in (*inputs, out)
        ]
        for i in range(n):
            step(arena, *(at + i * size for at, size in rows))
            if progress is not None and i % 256 == 255:
                progress(i + 1)
        return out

    def layers(self, signal: Int8, features: Int8) -> dict[int, Int8]:
        """Every op's output for one beat, flat, by the tensor's number in the `.tflite`."""
        if not self._trace:
            raise ValueError("layers() needs HostModel(trace=True)")
        seen: dict[int, Int8] = {}

        @self._ffi.callback("void(int32_t, const int8_t *, int32_t)")  # type: ignore[untyped-decorator]
        def keep(tensor: int, data: Any, size: int) -> None:
            rows = np.frombuffer(self._ffi.buffer(data, size), dtype=np.int8)
            seen[tensor] = np.concatenate([seen.get(tensor, rows[:0]), rows])

        self._lib.ein_model_trace = keep
        try:
            self.infer(signal[np.newaxis], features[np.newaxis])
        finally:
            self._lib.ein_model_trace = self._ffi.NULL
        return seen


class TflmModel:
    """TFLite Micro (the PyPI package `tflite-micro`) on a `.tflite`: the oracle."""

    ARENA_BYTES = 1 << 20

    def __init__(
        self, model: Path | bytes = SHIPPED_MODEL / "model.tflite", trace: bool = False
    ) -> None:
        """`model`: a `.tflite` or its content. `trace` keeps every tensor, for `layers`.

        Raises ModelError when TFLM refuses.
        """
        from tflite_micro import runtime

        config = runtime.InterpreterConfig
        kind = config.kPreserveAllTensors if trace else config.kAllocationRecording
        try:
            content = model if isinstance(model, bytes) else model.read_bytes()
            self._interpreter = runtime.Interpreter.from_bytes(
                content, arena_size=self.ARENA_BYTES, intrepreter_config=kind
            )
        except (OSError, RuntimeError, ValueError) as error:
            named = "the model" if isinstance(model, bytes) else model
            raise ModelError(f"TFLite Micro cannot load {named}: {error}") from error
        shapes = [self._interpreter.get_input_details(i)["shape"] for i in range(2)]
        self._signal = 0 if len(shapes[0]) == 4 else 1
        self._shapes = [tuple(int(n) for n in shape) for shape in shapes]

    def infer(self, signal: Int8, features: Int8, progress: Progress | None = None) -> Int8:
        """int8[n, outputs] logits of int8[n, 216, 3] and int8[n, F]. Raises ValueError."""
        signal, features = _checked(signal, features)
        logits = []
        for n in range(len(signal)):
            logits.append(self._one(signal[n], features[n]))
            if progress is not None and n % 256 == 255:
                progress(n + 1)
        outputs = int(np.prod(self._interpreter.get_output_details(0)["shape"]))
        return np.array(logits, dtype=np.int8).reshape(len(logits), outputs)

    def layers(self, signal: Int8, features: Int8, tensors: list[int]) -> dict[int, Int8]:
        """The named tensors after one beat, flat, by their number in the `.tflite`."""
        self._one(signal, features)
        return {
            t: np.ravel(self._interpreter.GetTensor(t, 0)["tensor_data"]).copy() for t in tensors
        }

    def _one(self, signal: Int8, features: Int8) -> Int8:
        self._interpreter.set_input(signal.reshape(self._shapes[self._signal]), self._signal)
        self._interpreter.set_input(
            features.reshape(self._shapes[1 - self._signal]), 1 - self._signal
        )
        self._interpreter.invoke()
        out: Int8 = self._interpreter.get_output(0)[0].copy()
        return out


def first_differing_layer(
    host: HostModel, tflm: TflmModel, signal: Int8, features: Int8
) -> tuple[int, int] | None:
    """(tensor number, differing values) of the first op whose output differs; None when none does.

    Both models must have been opened with `trace`.
    """
    ours = host.layers(signal, features)
    theirs = tflm.layers(signal, features, list(ours))
    for tensor, values in ours.items():
        differing = int(np.count_nonzero(values != theirs[tensor]))
        if differing:
            return tensor, differing
    return None


def _checked(signal: Int8, features: Int8) -> tuple[Int8, Int8]:
    if signal.dtype != np.int8 or features.dtype != np.int8 or len(signal) != len(features):
        raise ValueError("signal and features must be int8 arrays of the same number of beats")
    return np.ascontiguousarray(signal), np.ascontiguousarray(features)


def header_macros(header: Path) -> dict[str, str]:
    """`#define`s of a generated header that have a value on the same line, as text."""
    pairs = (
        line.split(None, 2)[1:]
        for line in header.read_text().splitlines()
        if line.startswith("#define")
    )
    return {p[0]: p[1].split("/*")[0].strip() for p in pairs if len(p) == 2}
