"""`make bench`: the engine beside its rivals on the same `.tflite` files, in one run.

    python -m einthoven.codegen.testing.bench [MODEL …] [--engine ENGINE]

Per model and engine: executed instructions of one inference in QEMU (`-icount shift=0`, TIM2 on
the Cortex-M4 and M3, SysTick on M0, `minstret` on rv32; `shift=7` and the FPGA's counter on M33 and
M55, by which single instructions can be told), RAM for activations and scratch, bytes of linked
functions and constants, and how many output values differ from TFLite Micro (PyPI `tflite-micro`),
40 inputs. A second table has the cycles of the Cortex-M4's fast engines by the model of
docs/performance.md, "Cycles". A model is a `.tflite` file or the name of one of the bench's own.

Every build stays in `build/bench/<model>/<engine>/`: sources, objects, bare.map, and bare.elf,
which does nothing but run the engine over the inputs and print counts and outputs.
"""

import argparse
import re
import shutil
import sys
from collections.abc import Callable, Collection
from dataclasses import dataclass
from functools import partial
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
from elftools.elf.elffile import ELFFile
from elftools.elf.sections import SymbolTableSection
from numpy.typing import NDArray

from einthoven.codegen.engine import reader
from einthoven.codegen.engine.graph import Graph
from einthoven.codegen.engine.lower import Goal, lower
from einthoven.codegen.engine.planner import plan
from einthoven.codegen.testing import bare_target
from einthoven.codegen.testing.bare_target import Result
from einthoven.codegen.testing.counted_steps import MEMORIES, cycles_of
from einthoven.codegen.testing.mlperf_tiny import ad01, streaming_wake_word
from einthoven.codegen.testing.model_r import model_r
from einthoven.codegen.testing.random_models import ConvCase, Scribe, conv_model, noise
from einthoven.native.tflm import run_tflm
from einthoven.paths import SHIPPED_MODEL, cache_dir

VECTORS = 40
HARNESS = ("bare_", "main", "mem", "put_hex", "semihost", "case_inputs", "vectors")
"""Symbols that are not the engine's: the harness, its inputs, and the C library's copies."""

QUOTED = {
    "model R": """\
quoted, not in this run (its C++ sources are on no package index; measured by others on the same
file, QEMU, GCC 12.2, its best flags, per multiply-add): TFLM of August 2026 with CMSIS-NN 7
Cortex-M4 2.69, M3 3.69, M0+ 8.76, M55 with Helium 0.43, rv32imc 5.59; on the M4 23,764 B of arena
and 46 to 50 KB of code, 0 differing values""",
    "wide model": """\
quoted, as above: Cortex-M4 3.52, M3 4.53, M0+ 10.73, M55 with Helium 0.71, rv32imc 6.38; on the M4
10,004 B of arena""",
    "ad01": """\
quoted, not in this run (MLPerf Tiny's closed division, the trained file, STM32L4R5 at 120 MHz; time
of silicon, which is no count of instructions): X-CUBE-AI 10.2, IAR 8.50 (round 1.3)
208.6 inferences a second, 575,242 cycles, 2.18 per multiply-add; Plumerai's engine, GCC 12.2
(round 1.1) 246.8 a second, 486,196 cycles, 1.84 per multiply-add""",
    "streaming wake word": """\
quoted, not in this run (MLPerf Tiny 1.3's closed division, the trained file, STM32L4R5 at 120 MHz,
features from sound included): X-CUBE-AI 10.2, IAR 8.50   55.9 inferences a second at most""",
}
"""What others measured of a model, by its name."""

SMALL_CHIP = 200_000
"""Bytes of weights and inputs that the emulated chip with a Cortex-M0 holds beside code."""

Int8 = NDArray[np.int8]
Engine = Callable[[bytes, Graph, list[Int8], Path], tuple[Result, int]]
"""Builds and runs a model's file in a folder; the result, and the bytes of RAM."""


class CannotRunError(Exception):
    """An engine does not take a model; the message says why."""


@dataclass(frozen=True)
class Size:
    """Bytes of an ELF file without the harness."""

    code: int
    constants: int


def size_of(elf: Path) -> Size:
    """Functions and constants that were linked."""
    code = constants = 0
    with elf.open("rb") as file:
        parsed = ELFFile(file)
        table = parsed.get_section_by_name(".symtab")
        assert isinstance(table, SymbolTableSection), f"{elf.name} is stripped"
        for symbol in table.iter_symbols():
            if symbol.name.startswith(HARNESS) or not isinstance(symbol["st_shndx"], int):
                continue
            kind, section = symbol["st_info"]["type"], parsed.get_section(symbol["st_shndx"])
            if kind == "STT_FUNC":
                code += int(symbol["st_size"])
            elif kind == "STT_OBJECT" and section["sh_type"] == "SHT_PROGBITS":
                constants += int(symbol["st_size"])
    return Size(code, constants)


def _ours(target: str, optimize: Goal = "speed", large: str = "") -> Engine:
    """The generated C on `target`, or on `large` where the model is too large for that chip."""

    def engine(data: bytes, graph: Graph, inputs: list[Int8], folder: Path) -> tuple[Result, int]:
        graph = lower(reader.parse(data), optimize)
        constants = graph.params + sum(i.size for i in inputs)
        place = large if large and constants > SMALL_CHIP else target
        return bare_target.run(graph, inputs, place, folder), plan(graph).size

    return engine


def _bakenn(cmsis_nn: bool) -> Engine:
    """bakenn's C with the options that its documentation gives for a Cortex-M4."""

    def engine(data: bytes, graph: Graph, inputs: list[Int8], folder: Path) -> tuple[Result, int]:
        bakenn: Any = __import__("bakenn")
        options = bakenn.CBackendOptions(
            kernel_policy=bakenn.KernelPolicy.STATIC_PRIORITY,
            enable_cmsis_nn=cmsis_nn,
            target=bakenn.CORTEX_M4,
        )
        generated = folder / "bakenn"
        try:
            bakenn.compile_tflite(
                data, generated, name="model", backend_options=options, target="cortex-m4"
            )
        except bakenn.CompileError as error:
            raise CannotRunError(str(error).splitlines()[0]) from error
        includes = [generated, *sorted(generated.glob("third_party/*/Include"))]
        bare_target.compile_objects(
            "m4", sorted(generated.rglob("*.c")), includes, folder,
            ("-O2", "-std=c11", "-DBAKENN_CMSIS_NN_BUILTIN_MEMORY"),
        )  # fmt: skip
        header = (generated / "bknn_model.h").read_text()
        found = re.search(r"BKNN_MODEL_ARENA_SIZE (\d+)u", header)
        assert found, "bakenn's header does not state its arena"
        (folder / "case.h").write_text(
            bare_target.case_header(
                "bknn_model.h",
                "BKNN_MODEL_ARENA_SIZE",
                "bknn_model_infer(arena, in, out)",
                inputs[0].reshape(len(inputs[0]), -1),
                graph.outputs[0].size,
            )
        )
        # newlib's memcpy, which is fast: the harness' own would count against bakenn
        result = bare_target.link_and_run("m4", folder, ("-O2", f"-I{generated}"), "-lc")
        return result, int(found[1])

    return engine


ENGINES: dict[str, tuple[str, Engine]] = {
    "einthoven": ("Cortex-M4", _ours("m4")),
    "einthoven-size": ("Cortex-M4", _ours("m4", "size")),
    "bakenn-cmsis": ("Cortex-M4", _bakenn(True)),
    "bakenn-portable": ("Cortex-M4", _bakenn(False)),
    "einthoven-portable": ("Cortex-M4", _ours("m4-portable")),
    "einthoven-m3": ("Cortex-M3", _ours("m3")),
    "einthoven-m3-plain": ("Cortex-M3", _ours("m3-portable")),
    "einthoven-m0": ("Cortex-M0+", _ours("m0", large="m0-on-m3")),
    "einthoven-m0-plain": ("Cortex-M0+", _ours("m0-portable", large="m0-on-m3-portable")),
    "einthoven-m33": ("Cortex-M33", _ours("m33")),
    "einthoven-helium": ("Cortex-M55", _ours("m55")),
    "einthoven-m55-dsp": ("Cortex-M55", _ours("m55-dsp")),
    "einthoven-rv32": ("rv32imc", _ours("rv32")),
    "einthoven-rv32-plain": ("rv32imc", _ours("rv32-portable")),
}


MODELLED = ("einthoven", "einthoven-size", "bakenn-cmsis")
"""Engines whose cycles are modelled; of the others a trace would fill the memory."""


def bench(name: str, data: bytes, folder: Path, engines: Collection[str] = ENGINES) -> int:
    """Print one model's table; returns how many values of ours differ from TFLite Micro's."""
    graph = lower(reader.parse(data))
    made = plan(graph)
    inputs = [noise((t.length, t.channels), VECTORS, i) for i, t in enumerate(graph.inputs)]
    expected = run_tflm(data, inputs, len(graph.outputs))[0]
    shutil.rmtree(folder, ignore_errors=True)  # nothing of an earlier run is linked
    folder.mkdir(parents=True)
    (folder / "model.tflite").write_bytes(data)
    print(f"\n{name}: {graph.params:,} parameters, {graph.macs:,} multiply-adds, {VECTORS} inputs")
    print(f"arena {made.size:,} bytes, lower bound {made.lower_bound:,}")
    print(
        f"{'engine':22}{'target':11}{'instructions':>13}{'per MAC':>9}{'RAM':>8}{'code':>8}"
        f"{'constants':>11}{'differing':>11}"
    )
    ours = 0
    for engine, (target, run) in ENGINES.items():
        if engine not in engines:
            continue
        if engine.startswith("bakenn") and find_spec("bakenn") is None:
            print(f"{engine:22}not installed: pip install -e '.[bench]', or run `make bench`")
            continue
        try:
            result, ram = run(data, graph, inputs, folder / engine)
        except CannotRunError as error:
            print(f"{engine:22}{target:11}does not take this model: {error}")
            continue
        most, differing = max(result.instructions), int((result.outputs != expected).sum())
        size = size_of(folder / engine / "bare.elf")
        print(
            f"{engine:22}{target:11}{most:13,}{most / graph.macs:9.2f}{ram:8,}{size.code:8,}"
            f"{size.constants:11,}{differing:11}"
        )
        ours += 0 if engine.startswith("bakenn") else differing
    return ours


def cycles_table(folder: Path, multiply_adds: int) -> str:
    """Of the builds that `bench` left in `folder`; empty if none of them is modelled."""
    rows = []
    for engine in MODELLED:
        elf = folder / engine / "bare.elf"
        if elf.exists():
            counts = cycles_of(elf).values()
            rows.append(
                f"{engine:33}" + "".join(f"{c:22,}{c / multiply_adds:9.2f}" for c in counts)
            )
    if not rows:
        return ""
    heads = "".join(f"{name:>22}{'per MAC':>9}" for name in MEMORIES)
    return "\n".join([f"{'cycles (model), Cortex-M4':33}{heads}", *rows])


def _depthwise(kernel: int) -> bytes:
    return conv_model(ConvCase(128, 16, 16, kernel, depth_multiplier=1), kernel)


def _dense() -> bytes:
    scribe = Scribe(0)
    source = scribe.input([1, 256])
    return scribe.b.finish([source], [scribe.dense(source, 64)])


MODELS: dict[str, Callable[[], bytes]] = {
    "model R": model_r,
    "shipped model": (SHIPPED_MODEL / "model.tflite").read_bytes,
    "wide model": Path(__file__).with_name("wide.tflite").read_bytes,
    "ad01": ad01,
    "streaming wake word": streaming_wake_word,
    "depthwise 3": partial(_depthwise, 3),
    "depthwise 5": partial(_depthwise, 5),
    "dense": _dense,
}
"""The bench's own. The wide model was shipped until November 2026; others measured rivals on
its file. The last three are networks of one layer: 128 positions of 16 channels depthwise, 256 to
64 values dense."""


def _model_of(given: str) -> tuple[str, bytes]:
    """A model's name and file; raises argparse.ArgumentTypeError, whose words say what to give."""
    if given in MODELS:
        return given, MODELS[given]()
    try:
        return Path(given).stem, Path(given).read_bytes()
    except OSError as error:
        raise argparse.ArgumentTypeError(
            f"no file '{given}' ({error.strerror}); the bench's own models are {', '.join(MODELS)}"
        ) from error


def main(argv: list[str] | None = None) -> int:
    """Print the tables; exit code 1 when an output of ours differs."""
    parser = argparse.ArgumentParser(
        prog="python -m einthoven.codegen.testing.bench", description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )  # fmt: skip
    parser.add_argument(
        "model",
        nargs="*",
        type=_model_of,
        help=f".tflite files, or names of the bench's own: {', '.join(MODELS)} [all of these]",
    )
    parser.add_argument(
        "--engine", action="append", choices=ENGINES, help="one of the rows, again for more [all]"
    )
    parser.add_argument(
        "--out", type=Path, default=cache_dir() / "bench", help="folder for the builds"
    )
    args = parser.parse_args(argv)
    print("instructions: the longest of all inputs; RAM: activations and scratch; bytes")
    differing = 0
    for name, data in args.model or [_model_of(name) for name in MODELS]:
        folder = args.out / name.replace(" ", "_")
        differing += bench(name, data, folder, args.engine or ENGINES)
        for text in (cycles_table(folder, lower(reader.parse(data)).macs), QUOTED.get(name)):
            if text:
                print(text)
    return 1 if differing else 0


if __name__ == "__main__":
    sys.exit(main())
