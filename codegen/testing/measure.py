"""`python -m codegen.testing.measure [model.tflite]`: what the generated engine costs, per target.

Instructions of one inference in QEMU, code of the functions that are linked, the arena and its
lower bound, and in how many of the outputs it differs from TFLite Micro (there must be none).
"""

import sys
import tempfile
from pathlib import Path

from elftools.elf.elffile import ELFFile
from elftools.elf.sections import SymbolTableSection

from codegen import tflite_reader
from codegen.lower import lower
from codegen.planner import plan
from codegen.testing import bare_target
from codegen.testing.host_target import run_tflm
from codegen.testing.random_models import noise
from einthoven.paths import SHIPPED_MODEL

VECTORS = 8
HARNESS = ("bare_", "main", "mem", "put_hex", "semihost")


def code_bytes(elf: Path) -> int:
    """Bytes of all functions but the harness' own."""
    with elf.open("rb") as file:
        table = ELFFile(file).get_section_by_name(".symtab")
        assert isinstance(table, SymbolTableSection), f"{elf.name} is stripped"
        return sum(
            int(s["st_size"])
            for s in table.iter_symbols()
            if s["st_info"]["type"] == "STT_FUNC" and not s.name.startswith(HARNESS)
        )


def main(argv: list[str]) -> int:
    """Print the table; exit code 1 when an output differs."""
    path = Path(argv[1]) if len(argv) > 1 else SHIPPED_MODEL / "model.tflite"
    data = path.read_bytes()
    graph = lower(tflite_reader.parse(data))
    made = plan(graph)
    inputs = [noise((t.length, t.channels), VECTORS, i) for i, t in enumerate(graph.inputs)]
    expected = run_tflm(data, inputs, len(graph.outputs))[0]
    print(f"{graph.params} parameters, {graph.macs} multiply-adds")
    print(f"arena {made.size} bytes, lower bound {made.lower_bound}")
    print("target        instructions  per multiply-add  code bytes  differing outputs")
    worst = 0
    with tempfile.TemporaryDirectory() as folder:
        for name in bare_target.TARGETS:
            result = bare_target.run(graph, inputs, name, Path(folder) / name)
            most, differing = max(result.instructions), int((result.outputs != expected).sum())
            code = code_bytes(Path(folder) / name / "bare.elf")
            print(f"{name:12}{most:14}{most / graph.macs:18.2f}{code:12}{differing:19}")
            worst = max(worst, differing)
    return 1 if worst else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv))
