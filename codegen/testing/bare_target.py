"""Build a generated model for a bare target, run it in QEMU, and bring back outputs and counts.

No board and no firmware application: only the engine, so that what is measured is the engine.
"""

import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from einthoven.codegen.engine.emit import Description, argument_names, emit
from einthoven.codegen.engine.graph import Graph
from einthoven.codegen.engine.planner import Plan, plan
from einthoven.paths import FIRMWARE

BARE = Path(__file__).parent / "bare"
ENGINE = FIRMWARE / "engine"
BARE_LIBRARY = str(BARE / "bare_libc.c")
SECTIONS = ("-ffunction-sections", "-fdata-sections")
WARNINGS = ("-std=c99", "-Wall", "-Wextra", "-Wconversion", "-Werror")
HANG_S = 600
"""What takes so long, even on a busy machine, will never end."""


@dataclass(frozen=True)
class Target:
    """A compiler, its flags, and the emulator that runs what it makes."""

    machine: str
    compiler: tuple[str, ...]
    emulator: tuple[str, ...]


_M4 = ("arm-none-eabi-gcc", "-mcpu=cortex-m4", "-mthumb")
_SEMIHOSTING = (
    "-nographic", "-monitor", "none", "-serial", "none", "-chardev", "stdio,id=out",
    "-semihosting-config", "enable=on,target=native,chardev=out",
)  # fmt: skip


def _qemu(machine: str, shift: int) -> tuple[str, ...]:
    """QEMU with an instruction every 2^shift ns."""
    return (
        "qemu-system-arm", "-M", machine, *_SEMIHOSTING, "-icount", f"shift={shift}", "-kernel"
    )  # fmt: skip


_M4_QEMU = _qemu("netduinoplus2", 0)
_M3_QEMU = _qemu("netduino2", 0)
_M0_QEMU = (*_qemu("lm3s6965evb", 0)[:-1], "-cpu", "cortex-m0", "-kernel")
_M3 = ("arm-none-eabi-gcc", "-mcpu=cortex-m3", "-mthumb")
_M0 = ("arm-none-eabi-gcc", "-mcpu=cortex-m0plus", "-mthumb")
_M0_PLAIN = (*_M0, "-DEIN_NN_PORTABLE", "-DEIN_NN_SHORT_MULTIPLY=1")
_RV32 = (
    "riscv64-unknown-elf-gcc", "-march=rv32imc", "-mabi=ilp32", "-misa-spec=2.2",
    "--specs=picolibc.specs",
)  # fmt: skip
_RV32_QEMU = (
    "qemu-system-riscv32", "-M", "virt", "-cpu", "rv32,f=false,d=false,a=false", "-bios", "none",
    "-nographic", "-monitor", "none", "-icount", "shift=0", "-kernel",
)  # fmt: skip
TARGETS = {
    "m4": Target("stm32", _M4, _M4_QEMU),
    "m4-portable": Target("stm32", (*_M4, "-DEIN_NN_PORTABLE"), _M4_QEMU),
    "m33": Target(
        "m33", ("arm-none-eabi-gcc", "-mcpu=cortex-m33+nofp", "-mthumb"), _qemu("mps2-an505", 7)
    ),
    "m55": Target(
        "m55",
        ("arm-none-eabi-gcc", "-mcpu=cortex-m55+nofp", "-mthumb", "-mfloat-abi=hard"),
        _qemu("mps3-an547", 7),
    ),
    "m55-dsp": Target(
        "m55",
        ("arm-none-eabi-gcc", "-mcpu=cortex-m55+nomve+nofp", "-mthumb"),
        _qemu("mps3-an547", 7),
    ),
    "m3": Target("stm32", _M3, _M3_QEMU),
    "m3-portable": Target("stm32", (*_M3, "-DEIN_NN_PORTABLE"), _M3_QEMU),
    "m3-small": Target("stm32", (*_M3, "-DEIN_NN_PORTABLE", "-DEIN_NN_SMALL"), _M3_QEMU),
    "m0": Target("lm3s", _M0, _M0_QEMU),
    "m0-portable": Target("lm3s", _M0_PLAIN, _M0_QEMU),
    "m0-on-m3": Target("stm32", _M0, _M3_QEMU),
    "m0-on-m3-portable": Target("stm32", _M0_PLAIN, _M3_QEMU),
    "rv32": Target("rv32", _RV32, _RV32_QEMU),
    "rv32-portable": Target("rv32", (*_RV32, "-DEIN_NN_PORTABLE"), _RV32_QEMU),
}
"""QEMU has a Cortex-M0, which has the M0+'s instructions, on a chip of 256 KB only; `m0-on-m3` runs
the same code where there is a megabyte, on a core that has those instructions and more, and would
not notice a word that lies at an odd address."""
TESTED = ("m4", "m4-portable", "rv32")
"""What runs every kind of model in the tests; the others share its sources, but for loops that have
tests of their own."""


@dataclass(frozen=True)
class Result:
    """`outputs` int8[n, bytes]; `instructions` of each inference."""

    outputs: NDArray[np.int8]
    instructions: list[int]


def run(
    graph: Graph,
    inputs: Sequence[NDArray[np.int8]],
    target: str,
    folder: Path,
    flags: Sequence[str] = ("-O2",),
    made: Plan | None = None,
) -> Result:
    """Infer `inputs` (one array [n, ...] per model input) on `target`; builds in `folder`."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in emit(graph, made or plan(graph), Description("bare", "0" * 64)).items():
        (folder / name).write_text(text)
    (folder / "case.h").write_text(case_of(graph, inputs))
    compile_objects(target, [folder / "ein_model.c", *sorted(ENGINE.glob("ein_nn_*.c"))],
                    (folder, ENGINE), folder, (*flags, *WARNINGS))  # fmt: skip
    return link_and_run(target, folder, flags)


def compile_objects(
    target: str, sources: Sequence[Path], includes: Sequence[Path], folder: Path,
    flags: Sequence[str],
) -> None:  # fmt: skip
    """Compile `sources` to `folder`/objects."""
    objects = folder / "objects"
    objects.mkdir(exist_ok=True)
    _checked([
        *TARGETS[target].compiler, *flags, *SECTIONS, *(f"-I{d}" for d in includes), "-c",
        *map(str, sources),
    ], objects)  # fmt: skip


def link_and_run(
    target: str, folder: Path, flags: Sequence[str] = ("-O2",), library: str = BARE_LIBRARY
) -> Result:
    """Link `folder`/objects with the harness and case.h to bare.elf (and bare.map), and run it.

    `library` brings memcpy and memset: the harness' small ones, or a C library's.
    """
    lines = printed(target, folder, flags, library)
    counts = [int(word, 16) for word in lines[0::2]]
    rows = [np.frombuffer(bytes.fromhex(word), dtype=np.int8) for word in lines[1::2]]
    return Result(np.stack(rows), counts)


def printed(
    target: str, folder: Path, flags: Sequence[str] = ("-O2",), library: str = BARE_LIBRARY,
    main: str = "bare_main.c",
) -> list[str]:  # fmt: skip
    """The same with any main program of the harness; the words that it prints."""
    chosen = TARGETS[target]
    elf = folder / "bare.elf"
    _checked([
        *chosen.compiler, *flags, *WARNINGS, *SECTIONS, "-nostdlib",
        # -Wl, would take a comma of a model's name for its own
        "-Wl,--gc-sections,--no-warn-rwx-segments", "-Xlinker", f"-Map={folder / 'bare.map'}",
        f"-T{BARE / f'bare_{chosen.machine}.ld'}", *(f"-I{d}" for d in (BARE, folder, ENGINE)),
        str(BARE / main), str(BARE / f"bare_{chosen.machine}.c"),
        *map(str, sorted((folder / "objects").glob("*.o"))), library, "-o", str(elf), "-lgcc",
    ])  # fmt: skip
    return _checked([*chosen.emulator, str(elf)]).split()


def _checked(command: list[str], cwd: Path | None = None) -> str:
    done = subprocess.run(
        command, capture_output=True, text=True, check=False, timeout=HANG_S, cwd=cwd,
        stdin=subprocess.DEVNULL,
    )  # fmt: skip
    assert done.returncode == 0, f"{command[0]} failed:\n{done.stderr}"
    return done.stdout


def case_of(graph: Graph, inputs: Sequence[NDArray[np.int8]]) -> str:
    """case.h: every vector's inputs one after the other, and how to call the model on them."""
    names = argument_names(graph)[0]
    order = sorted(range(len(names)), key=lambda i: names[i] == "features")
    flat = [np.asarray(inputs[i]).reshape(len(inputs[i]), -1) for i in order]
    starts = np.cumsum([0, *(f.shape[1] for f in flat)])[:-1]
    outputs = np.cumsum([0, *(t.size for t in graph.outputs)])
    arguments = [f"(in) + {s}" for s in starts] + [f"(out) + {s}" for s in outputs[:-1]]
    call = f"ein_model_infer(arena, {', '.join(arguments)})"
    return case_header(
        "ein_model.h", "EIN_MODEL_ARENA_BYTES", call, np.concatenate(flat, axis=1), int(outputs[-1])
    )


def case_header(
    header: str, arena: str, call: str, vectors: NDArray[np.int8], output_bytes: int
) -> str:
    """What bare_main.c includes; `call` says how to infer in terms of arena, in and out."""
    rows = ",\n".join("    {" + ", ".join(map(str, row)) + "}" for row in vectors.tolist())
    return (
        f'#include "{header}"\n'
        f"#define CASE_ARENA_BYTES {arena}\n"
        f"#define CASE_VECTORS {len(vectors)}\n#define CASE_OUTPUT_BYTES {output_bytes}\n"
        f"#define CASE_INFER(arena, in, out) {call}\n"
        f"static const int8_t case_inputs[{len(vectors)}][{vectors.shape[1]}] = {{\n{rows}\n}};\n"
    )
