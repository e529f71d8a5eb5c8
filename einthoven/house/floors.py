"""The C side of the house: which folder may know which, checked by `#include`s and by symbols.

    python -m einthoven.house.floors

Core, engine and wire know nothing of the application, the application nothing of boards, and no two
files of a folder need each other. Headers are read as text; symbols are those of the compiled
objects (`nm`), which also finds what is declared by hand instead of included.
"""

import re
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

from einthoven import third_party
from einthoven.no_arguments import no_arguments
from einthoven.paths import ROOT

PLAIN = frozenset(
    {
        "arm_mve.h",
        "assert.h",
        "immintrin.h",
        "limits.h",
        "stdbool.h",
        "stddef.h",
        "stdint.h",
        "string.h",
    }
)
"""Headers of C and of the compiler that need neither a heap nor an operating system."""

_ON_A_PORT = ("firmware/front_ends", "firmware/keys", "firmware/log")
"""Folders whose own port contract no floor below defines."""

_CORES = ("boards/cortex_m", "boards/riscv", "boards/rp_cortex_m", "boards/rp_hazard3")
"""Folders of what begins at a core's vectors, and goes up from there."""

_INCLUDE = re.compile(r'^\s*#\s*include\s+([<"])([^>"]+)[>"]', re.MULTILINE)
_LIBRARY = re.compile(r"mem(cpy|move|set|cmp)|str(len|cmp|ncmp)|__\w+|_GLOBAL_OFFSET_TABLE_")
"""Symbols that the compiler and its library bring."""
_ANYBODYS = frozenset({"main", "memcpy", "memmove", "memset", "memcmp", "strlen"})
"""What several floors may define: a program begins in main, a port may bring the library's own."""


@dataclass(frozen=True)
class Floor:
    """A folder of C and what it stands on. Paths are relative to the repository."""

    folder: str
    holds: str = ""
    """In a few words, for the picture."""
    below: tuple[str, ...] = ()
    """Folders, or single headers, that it may include."""
    generated: tuple[str, ...] = ()
    """Files of `firmware/generated` that belong to it."""
    freestanding: bool = True
    """Nothing of C's library but PLAIN; a port may use what its system has."""
    compiler: tuple[str, ...] = ("cc",)
    """Without include folders, which follow from `below`."""
    monocypher: bool = False
    """Whether it stands on the library of `einthoven/third_party.py`, too."""


@dataclass(frozen=True)
class _Object:
    """What a compiled file gives and takes."""

    own: set[str]
    foreign: set[str]


PIPELINE = "firmware/generated/ein_pipeline.h"
DEVICE_SPEC = "firmware/generated/ein_device_spec.h"
CALLED = ("firmware/app/ein_app.h", "firmware/app/ein_port.h", "firmware/app/ein_memory_port.h")
"""All that a board sees of the application: what it calls, and what it provides."""

DEVICE = (
    *("firmware/device/ein_device_port.h", "firmware/keys"),
    "firmware/log/ein_log_port.h",
)
"""And what it provides to be a device."""

_RISCV = (
    *("riscv64-unknown-elf-gcc", "-march=rv32imc_zicsr", "-mabi=ilp32"),
    *("--specs=picolibc.specs", "-Wno-main"),
)

FLOORS = (
    Floor("firmware/core", "sample in, beat and tensor out", (PIPELINE,)),
    Floor(
        "firmware/engine",
        "int8 kernels, and the model",
        (PIPELINE,),
        # The second is there in a build that carries a study's network.
        generated=(
            "ein_model.c",
            "ein_model.h",
            "ein_network.h",
            "ein_gate_net.c",
            "ein_gate_net.h",
        ),
    ),
    Floor(
        "firmware/rhythm",
        "beats in, episodes, alarms and the verdict on a strip out",
        ("firmware/core", PIPELINE),
        generated=("ein_rhythm_spec.h", "ein_strip_table.h"),
    ),
    Floor(
        "firmware/wire", "frames, messages, samples", generated=("ein_wire_gen.c", "ein_wire_gen.h")
    ),
    Floor(
        "firmware/keys",
        "the device's key, signed images, the slots they lie in",
        ("firmware/wire",),
        generated=("ein_image_spec.h",),
        monocypher=True,
    ),
    Floor(
        "firmware/log",
        "records that survive a cut of the power; and the contract with its flash",
        ("firmware/wire",),
        generated=("ein_log_spec.h",),
    ),
    Floor(
        "firmware/front_ends",
        "electrodes to samples: three parts' drivers, their clock, the decimator; the bus contract",
        generated=("ein_decimator_table.h",),
    ),
    Floor(
        "firmware/app",
        "the loop, a handler per request, session, vote, confidence, head; and the port contract",
        ("firmware/core", "firmware/engine", "firmware/rhythm", "firmware/wire", PIPELINE),
        generated=("ein_confidence_table.h", "ein_gate_table.h"),
    ),
    Floor(
        "firmware/diary",
        "what a recording leaves in the log, and the log over the wire",
        (
            *("firmware/app", "firmware/core", "firmware/log"),
            *("firmware/rhythm", "firmware/wire", PIPELINE),
        ),
    ),
    Floor(
        "firmware/logger",
        "a log on a board that is no device",
        (
            *("firmware/app", "firmware/core", "firmware/diary", "firmware/log"),
            *("firmware/rhythm", "firmware/wire", PIPELINE),
        ),
    ),
    Floor(
        "firmware/device",
        "what a device does alone: modes, patterns, alarms",
        (
            *("firmware/app", "firmware/core", "firmware/diary", "firmware/front_ends"),
            *("firmware/keys", "firmware/log", "firmware/rhythm", "firmware/wire", PIPELINE),
        ),
        generated=("ein_device_spec.h", "ein_device_table.h", "ein_device_font.h", "ein_golden.h"),
    ),
    Floor(
        "boards/models",
        "the front ends' parts, register by register, and a bus to them",
        ("firmware/front_ends",),
    ),
    Floor(
        "boards/bare",
        "what ports without a system share",
        CALLED,
        compiler=("arm-none-eabi-gcc", "-mcpu=cortex-m0plus", "-mthumb"),
    ),
    Floor(
        "boards/cortex_m",
        "what every Cortex-M has beside its core; faults",
        (*CALLED, "boards/bare"),
        compiler=("arm-none-eabi-gcc", "-mcpu=cortex-m3", "-mthumb"),
    ),
    Floor(
        "boards/riscv",
        "what every RISC-V has in machine mode; faults",
        (*CALLED, "boards/bare"),
        compiler=_RISCV,
    ),
    Floor(
        "boards/mps",
        "Arm's boards for its cores, as QEMU has them",
        (*CALLED, PIPELINE, "boards/bare", "boards/cortex_m", "boards/qemu_cortex_m33"),
        compiler=("arm-none-eabi-gcc", "-mcpu=cortex-m33+nofp", "-mthumb", "-Wno-main"),
    ),
    Floor(
        "boards/host",
        "the application as a process",
        (*CALLED, PIPELINE, DEVICE_SPEC),
        freestanding=False,
    ),
    Floor(
        "boards/stm32",
        "what the STM32F1 and the STM32F4 have alike",
        (*CALLED, "boards/bare"),
    ),
    Floor(
        "boards/stm32f1",
        "registers of the STM32F1",
        (*CALLED, PIPELINE, "boards/bare", "boards/cortex_m", "boards/stm32", "boards/blue_pill"),
        compiler=(
            *("arm-none-eabi-gcc", "-mcpu=cortex-m3", "-mthumb", "-Wno-main"),
            "-DEIN_SLOT_BYTES=2048u",
        ),
    ),
    Floor(
        "boards/stm32f4",
        "registers of the STM32F4",
        (
            *(*CALLED, PIPELINE, "boards/bare", "boards/cortex_m", "boards/stm32"),
            *("boards/qemu_stm32f405", "boards/stm32f4_device/emulated.h"),
        ),
        compiler=("arm-none-eabi-gcc", "-mcpu=cortex-m4", "-mthumb", "-Wno-main"),
    ),
    Floor(
        "boards/beside",
        "the models as a process beside an emulated chip",
        ("boards/models", "firmware/front_ends", PIPELINE),
        freestanding=False,
    ),
    Floor(
        "boards/beside_flash",
        "flash as a process beside an emulated chip",
        ("firmware/log",),
        freestanding=False,
    ),
    Floor(
        "boards/host_device",
        "the device as a process",
        (
            *(*CALLED, *DEVICE, PIPELINE, "boards/host"),
            *("boards/beside", "boards/models", "firmware/front_ends"),
        ),
        freestanding=False,
    ),
    Floor(
        "boards/stm32f4_device",
        "front end, button, light, sound, battery of the STM32F4",
        (
            *(*CALLED, *DEVICE, PIPELINE, "firmware/front_ends", "boards/models/ein_beside.h"),
            *("boards/stm32f4", "boards/stm32", "boards/bare", "boards/feather_f405", DEVICE_SPEC),
        ),
        compiler=("arm-none-eabi-gcc", "-mcpu=cortex-m4", "-mthumb", "-Wno-main"),
    ),
    Floor(
        "boards/stm32f4_beside_flash",
        "the log's port to that process",
        ("firmware/log/ein_log_port.h", "boards/beside_flash", "boards/stm32f4_device"),
        compiler=("arm-none-eabi-gcc", "-mcpu=cortex-m4", "-mthumb"),
    ),
    Floor(
        "boards/stm32f1_logger",
        "the log's pages of the STM32F1",
        ("firmware/log/ein_log_port.h", "firmware/logger/ein_logger_port.h", "boards/stm32f1"),
        compiler=("arm-none-eabi-gcc", "-mcpu=cortex-m3", "-mthumb"),
    ),
    Floor(
        "boards/rp_cortex_m",
        "the Arm cores of RP2040 and RP2350: start-up, cycles",
        ("boards/bare", "boards/cortex_m", "boards/rp/cycles.h", "boards/rp2350/chip.h"),
        compiler=("arm-none-eabi-gcc", "-mcpu=cortex-m33+nofp", "-mthumb", "-Wno-main"),
    ),
    Floor(
        "boards/rp_hazard3",
        "the RP2350's RISC-V cores: start-up, interrupts, cycles",
        (
            *("firmware/app/ein_port.h", "boards/bare", "boards/riscv"),
            *("boards/rp/cycles.h", "boards/rp2350/chip.h"),
        ),
        compiler=_RISCV,
    ),
    Floor(
        "boards/rp2040",
        "registers and flash of the RP2040",
        ("boards/rp_cortex_m", "boards/rp/flash.h"),
        compiler=("arm-none-eabi-gcc", "-mcpu=cortex-m0plus", "-mthumb"),
    ),
    Floor(
        "boards/rp2350",
        "registers and flash of the RP2350, and what its boot ROM looks for",
        ("boards/rp_cortex_m", "boards/rp/flash.h"),
        compiler=("arm-none-eabi-gcc", "-mcpu=cortex-m33+nofp", "-mthumb"),
    ),
    Floor(
        "boards/rp",
        "what RP2040 and RP2350 share: clocks, UART, ADC, watchdog",
        (
            *(*CALLED, PIPELINE, "boards/bare", "boards/rp_cortex_m"),
            *("boards/rp2040", "boards/pico"),
        ),
        compiler=("arm-none-eabi-gcc", "-mcpu=cortex-m0plus", "-mthumb", "-Wno-main"),
    ),
    Floor(
        "boards/stm32f4_boot",
        "the first stage: chooses a slot",
        (
            *("firmware/keys", PIPELINE, "boards/stm32f4", "boards/stm32f4_device"),
            *("boards/bare", "boards/stm32", "boards/qemu_stm32f405"),
        ),
        compiler=("arm-none-eabi-gcc", "-mcpu=cortex-m4", "-mthumb", "-Wno-main"),
    ),
    Floor(
        "boards/esp_direct",
        "registers of the ESP32-C3, without ESP-IDF",
        (*CALLED, PIPELINE, "boards/bare", "boards/riscv", "boards/esp32c3"),
        compiler=_RISCV,
    ),
    Floor(
        "boards/qemu_lx106",
        "QEMU's Xtensa simulator, and what its core lacks",
        (*CALLED, PIPELINE, "boards/bare"),
        compiler=(
            *("xtensa-lx106-elf-gcc", "-mlongcalls", "-Wno-main"),
            "--specs=/usr/lib/xtensa-lx106-elf/picolibc.specs",
        ),
    ),
    Floor(
        "boards/rv32_virt",
        "QEMU's RISC-V machine",
        (*CALLED, PIPELINE, "boards/bare", "boards/riscv", "boards/qemu_rv32"),
        compiler=_RISCV,
    ),
)


def check(root: Path = ROOT, floors: Sequence[Floor] = FLOORS) -> list[str]:
    """A line for everything that is not as the floors say; empty: all is well.

    Raises CalledProcessError when something does not compile.
    """
    defined: dict[str, set[str]] = {}
    objects: dict[str, dict[str, _Object]] = {}
    with tempfile.TemporaryDirectory() as scratch:
        for floor in floors:
            for source in _sources(root, floor):
                own, foreign = _symbols(root, floors, floor, source, Path(scratch))
                objects.setdefault(floor.folder, {})[source.name] = _Object(own, foreign)
                for symbol in own - _ANYBODYS:
                    defined.setdefault(symbol, set()).add(floor.folder)
    found = [line for floor in floors for line in _include_faults(root, floor, floors)]
    for floor in floors:
        found += _symbol_faults(floor, objects.get(floor.folder, {}), defined)
    return found


def _sources(root: Path, floor: Floor) -> list[Path]:
    """The C files of a floor; its tests and fuzz targets may use what they like."""
    own = [
        path
        for path in sorted((root / floor.folder).glob("*.c"))
        if not path.name.startswith(("test_", "fuzz_"))
    ]
    made = root / "firmware" / "generated"
    return own + [made / name for name in floor.generated if name.endswith(".c")]


def _include_faults(root: Path, floor: Floor, floors: Sequence[Floor]) -> Iterable[str]:
    may = {floor.folder, *floor.below}
    own = {name for f in floors if f.folder in may for name in f.generated}
    made = (root / "firmware" / "generated" / n for n in floor.generated if n.endswith(".h"))
    files = [*_sources(root, floor), *sorted((root / floor.folder).glob("*.h"))]
    files += [path for path in made if path.is_file()]
    for path in files:
        text = path.read_text(encoding="utf-8")
        for kind, name in _INCLUDE.findall(text):
            where = path.relative_to(root).as_posix()
            if kind == "<":
                if floor.freestanding and name not in PLAIN:
                    yield f"{where} includes <{name}>, which needs a system under it"
            elif floor.monocypher and name == "monocypher.h":
                continue
            elif name not in own and not _is_below(root, name, may):
                yield f"{where} includes {name}, which {floor.folder} may not know"


def _is_below(root: Path, header: str, may: set[str]) -> bool:
    return any(
        place.endswith(f"/{header}") if place.endswith(".h") else (root / place / header).is_file()
        for place in may
    )


def _symbols(
    root: Path, floors: Sequence[Floor], floor: Floor, source: Path, scratch: Path
) -> tuple[set[str], set[str]]:
    """What a compiled file defines and what it needs from others."""
    by_folder = {f.folder: f for f in floors}
    places = [floor.folder, *floor.below]
    for place in floor.below:  # what a floor below includes is found, too
        places += by_folder[place].below if place in by_folder else ()
    folders = {str((root / p).parent if p.endswith(".h") else root / p) for p in places}
    folders.add(str(root / "firmware" / "generated"))
    if floor.monocypher:
        folders.add(str(third_party.monocypher()))
    output = scratch / f"{source.stem}.o"
    flags = [
        "-std=gnu99",
        "-O1",
        "-w",
        "-DEIN_DEVICE",
        "-DEIN_EXTENSION",
        *(f"-I{f}" for f in sorted(folders)),
    ]
    subprocess.run([*floor.compiler, *flags, "-c", str(source), "-o", str(output)], check=True)
    listed = subprocess.run(
        ["nm", "--format=posix", "-g", str(output)], capture_output=True, text=True, check=True
    )
    own: set[str] = set()
    foreign: set[str] = set()
    for line in listed.stdout.splitlines():
        name, kind = line.split()[:2]
        (foreign if kind in "Uwv" else own).add(name)
    return own, foreign


def _symbol_faults(
    floor: Floor, files: Mapping[str, _Object], defined: Mapping[str, set[str]]
) -> Iterable[str]:
    home = {symbol: name for name, file in files.items() for symbol in file.own}
    may = {floor.folder, *floor.below}
    graph: dict[str, set[str]] = {}
    for name, file in files.items():
        for symbol in sorted(file.foreign):
            if symbol in home:
                graph.setdefault(name, set()).add(home[symbol])
            elif symbol in defined and not defined[symbol] & may and not _called(floor, symbol):
                yield f"{floor.folder}/{name} needs {symbol} of {min(defined[symbol])}"
            elif symbol not in defined and floor.freestanding and not _outside(floor, symbol):
                yield f"{floor.folder}/{name} needs {symbol}, which nothing below it defines"
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as error:
        yield f"{floor.folder}: {' needs '.join(error.args[1])}"


def _called(floor: Floor, symbol: str) -> bool:
    """A port's functions go up to who asks for them by his own header, and the other way round."""
    if floor.folder == "firmware/app":
        return symbol.startswith(("ein_port_", "ein_memory_port", "ein_extension_"))
    if floor.folder == "firmware/log":
        return symbol.startswith("ein_log_port_")
    if floor.folder == "firmware/front_ends":
        return symbol.startswith("ein_bus_")
    if floor.folder == "firmware/logger":
        return symbol.startswith(("ein_port_", "ein_logger_port_"))
    if floor.folder == "firmware/device":
        return symbol.startswith(("ein_port_", "ein_device_port_", "ein_slots_port_"))
    if floor.folder == "firmware/keys":
        return symbol.startswith(("ein_keys_port_", "ein_slots_port_"))
    if floor.folder == "boards/beside_flash":  # the flash of the log's tests, behind the log's port
        return symbol.startswith("ein_log_port_")
    if floor.folder in _CORES and symbol.startswith(("ein_port_", "ein_restart")):
        return True
    if floor.folder in _CORES and symbol.endswith("_Handler"):  # of an interrupt
        return True
    return floor.folder.startswith("boards/") and symbol.startswith(
        ("ein_app_", "ein_bus_", "ein_emulated_", "ein_stream_", "EXTI")
    )


def _outside(floor: Floor, symbol: str) -> bool:
    """Of the compiler, its library, or a linker script."""
    if _LIBRARY.fullmatch(symbol) or symbol.startswith("_"):
        return True
    if floor.monocypher and symbol.startswith("crypto_"):
        return True
    if floor.folder in _ON_A_PORT and _called(floor, symbol):
        return True
    return floor.folder.startswith("boards/") and symbol == "main"


def main() -> int:
    """Command line: a line a fault, exit code 1 if there is any."""
    found = check()
    for line in found:
        print(f"error: {line}")
    return 1 if found else 0


if __name__ == "__main__":
    no_arguments(__doc__)
    sys.exit(main())
