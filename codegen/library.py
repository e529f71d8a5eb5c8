"""`einthoven export FILE.tflite --out DIR`: any int8 model as a C library of its own.

Header, generated source, the kernels that it calls, a small program as an example, and what CMake
and PlatformIO want to know. Nothing else of this project is needed to build it: any C99 compiler
does. The text depends on the file and its name only.
"""

import hashlib
import json
import re
from pathlib import Path

from einthoven.codegen.engine import reader
from einthoven.codegen.engine.emit import Description, argument_names, emit
from einthoven.codegen.engine.graph import Graph
from einthoven.codegen.engine.lower import Goal, lower
from einthoven.codegen.engine.planner import plan
from einthoven.errors import ModelError
from einthoven.paths import FIRMWARE

ENGINE = FIRMWARE / "engine"
_LICENSE = Path(__file__).parent / "templates" / "LICENSE.j2"
"""A copy of the repository's, where an installed package has it, too."""
MAX_SYMBOL = 32
_KEYWORDS = (
    "auto break case char const continue default do double else enum extern float for goto if "
    "inline int long register restrict return short signed sizeof static struct switch typedef "
    "union unsigned void volatile while main"
)
_VARIANTS = ("", "_dsp", "_mve", "_avx2", "_rv32", "_thumb")
"""Sources of a kernel that has some for certain chips, by what follows its header's name."""


def symbol_of(name: str) -> str:
    """A C identifier for a model's file name: my-Model.v2 gives my_model_v2."""
    text = re.sub(r"[^a-z0-9]+", "_", name.lower()).strip("_")[:MAX_SYMBOL].rstrip("_")
    if not text or text[0].isdigit() or text in _KEYWORDS.split() or text.startswith("ein_"):
        text = f"model_{text}".rstrip("_")
    return text


def read(path: Path, optimize: Goal = "speed") -> tuple[bytes, Graph]:
    """The content of a `.tflite` and its graph. Raises ModelError."""
    try:
        data = path.read_bytes()
    except OSError as error:
        raise ModelError(f"{path}: {error.strerror}: give a .tflite file") from error
    return data, lower(reader.parse(data), optimize)


def files(path: Path, optimize: Goal = "speed") -> dict[str, str]:
    """Path below the library's folder to text of all its files. Raises ModelError."""
    data, graph = read(path, optimize)
    symbol = symbol_of(path.stem)
    name = "".join(c if c.isascii() and (c.isalnum() or c in "-_.") else "_" for c in path.stem)
    description = Description(
        name[:64], hashlib.sha256(data).hexdigest(), symbol=symbol, standalone=True
    )
    made = emit(graph, plan(graph), description)
    texts = {f"{symbol}.h": made[f"{symbol}.h"], f"{symbol}.c": made[f"{symbol}.c"]}
    texts |= _kernels(made[f"{symbol}.c"])
    sources = sorted(f"src/{n}" for n in texts if n.endswith(".c"))
    found = {
        (f"include/{n}" if n == f"{symbol}.h" else f"src/{n}"): text for n, text in texts.items()
    }
    found["examples/infer/main.c"] = _example(symbol, graph)
    found["CMakeLists.txt"] = _cmake(symbol, sources)
    found["library.json"] = _platformio(symbol, name)
    found["LICENSE"] = _LICENSE.read_text()
    return found


def export(path: Path, out: Path, optimize: Goal = "speed") -> list[Path]:
    """Write the library of the model `path` to the folder `out`; returns what it wrote.

    Raises ModelError when the model cannot be read or `out` cannot be written.
    """
    written = []
    texts = files(path, optimize)
    try:
        for name, text in texts.items():
            to = out / name
            to.parent.mkdir(parents=True, exist_ok=True)
            to.write_text(text)
            written.append(to)
    except OSError as error:
        raise ModelError(f"cannot write the library to {out}: {error.strerror}") from error
    return written


def _kernels(source: str) -> dict[str, str]:
    """The engine's files that `source` needs, by following what includes what."""
    found: dict[str, str] = {}
    waiting = re.findall(r'#include "(ein_nn_\w+)\.h"', source)
    while waiting:
        stem = waiting.pop()
        names = [f"{stem}.h", *(f"{stem}{variant}.c" for variant in _VARIANTS)]
        for name in names:
            if name in found or not (ENGINE / name).exists():
                continue
            found[name] = (ENGINE / name).read_text()
            waiting += re.findall(r'#include "(ein_nn_\w+)\.h"', found[name])
    return found


def _example(symbol: str, graph: Graph) -> str:
    """A program that infers once, on zeros, and prints every output."""
    macro = symbol.upper()
    ins, outs = argument_names(graph)
    order = sorted(ins, key=lambda n: n == "features")
    zeros = {n: t.zero_point for n, t in zip(ins, graph.inputs, strict=True)}
    lines = [
        "/* One inference on inputs that mean 0. */",
        "#include <stdio.h>",
        "#include <string.h>",
        "",
        f'#include "{symbol}.h"',
        "",
        f"static int32_t arena[{macro}_ARENA_BYTES / 4 + 1];",
        *(f"static int8_t {n}[{macro}_{n.upper()}_BYTES];" for n in (*order, *outs)),
        "",
        "int main(void)",
        "{",
        *(f"    memset({n}, {zeros[n]}, sizeof {n});" for n in order),
        f"    {symbol}_infer({', '.join(('arena', *order, *outs))});",
    ]
    for n, tensor in zip(outs, graph.outputs, strict=True):
        byte = f"(uint8_t){n}[i]" if tensor.unsigned else f"{n}[i]"
        value = f"({byte} - {macro}_{n.upper()}_ZERO_POINT)"
        lines += [
            f"    for (int i = 0; i < {macro}_{n.upper()}_BYTES; i++)",
            f'        printf("{n}[%d] = %g\\n", i, (double){macro}_{n.upper()}_SCALE * {value});',
        ]
    return "\n".join([*lines, "    return 0;", "}", ""])


def _cmake(symbol: str, sources: list[str]) -> str:
    listed = "\n".join(f"    {source}" for source in sources)
    return (
        f"# add_subdirectory(...), then target_link_libraries(your_program {symbol})\n"
        "cmake_minimum_required(VERSION 3.13)\n"
        f"project({symbol} C)\n\n"
        f"add_library({symbol} STATIC\n{listed})\n"
        f"target_include_directories({symbol} PUBLIC include PRIVATE src)\n"
        f"set_target_properties({symbol} PROPERTIES C_STANDARD 99)\n"
        f"target_compile_options({symbol} PRIVATE -O2 -ffunction-sections -fdata-sections)\n\n"
        f"add_executable({symbol}_example EXCLUDE_FROM_ALL examples/infer/main.c)\n"
        f"target_link_libraries({symbol}_example {symbol})\n"
    )


def _platformio(symbol: str, name: str) -> str:
    about = {
        "name": symbol,
        "version": "1.0.0",
        "description": f"int8 inference of the model '{name}': plain C, no heap, no interpreter",
        "license": "MIT",
        "frameworks": "*",
        "platforms": "*",
        "headers": f"{symbol}.h",
        "build": {"includeDir": "include", "srcDir": "src", "flags": ["-O2"]},
    }
    return json.dumps(about, indent=2) + "\n"
