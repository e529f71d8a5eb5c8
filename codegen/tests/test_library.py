"""Any model as a C library of its own, and what it costs."""

import json
import re
import shutil
import subprocess
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

from einthoven.cli import app
from einthoven.codegen import library
from einthoven.codegen.engine import reader
from einthoven.codegen.profile import CHIPS, profile
from einthoven.codegen.testing.bare_target import TARGETS
from einthoven.codegen.testing.counted_steps import MEMORIES
from einthoven.codegen.testing.op_models import GROUPS, OpScribe
from einthoven.codegen.testing.random_models import residual_model
from einthoven.native.tflm import run_tflm
from einthoven.paths import ROOT, SHIPPED_MODEL

STRICT = ("-std=c99", "-Wall", "-Wextra", "-Werror")


def op_model(group: str) -> bytes:
    scribe = OpScribe(1)
    return scribe.b.finish(*GROUPS[group](scribe))


def example_outputs(folder: Path, compiler: str = "gcc") -> list[float]:
    """What the library's own example prints, built as anybody would."""
    program = folder / "example"
    sources = [*sorted((folder / "src").glob("*.c")), folder / "examples" / "infer" / "main.c"]
    command = [compiler, *STRICT, f"-I{folder / 'include'}", *map(str, sources), "-o", str(program)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    lines = subprocess.run([str(program)], capture_output=True, text=True, check=True).stdout
    return [float(value) for value in re.findall(r"= (\S+)", lines)]


@pytest.mark.parametrize("name", [*GROUPS, "residual", "shipped"])
def test_a_library_builds_and_infers_as_tflite_micro(name: str, tmp_path: Path) -> None:
    """By plain gcc, every warning an error; on inputs that mean 0."""
    if name == "shipped":
        data = (SHIPPED_MODEL / "model.tflite").read_bytes()
    else:
        data = residual_model(4) if name == "residual" else op_model(name)
    path = tmp_path / f"{name}.tflite"
    path.write_bytes(data)
    library.export(path, tmp_path / "lib")
    raw = reader.parse(data)
    tensors = [raw.tensors[i] for i in raw.inputs]
    zeros = [
        np.full((1, *t.shape[1:]), t.zero_points[0]).astype(np.uint8).view(np.int8) for t in tensors
    ]
    expected = []
    for i, values in zip(raw.outputs, run_tflm(data, zeros, len(raw.outputs)), strict=True):
        out = raw.tensors[i]
        q = values.ravel().view(np.uint8 if out.type_name == "UINT8" else np.int8).astype(int)
        expected += (out.scales[0] * (q - out.zero_points[0])).tolist()
    found = example_outputs(tmp_path / "lib")
    np.testing.assert_allclose(found, expected, rtol=1e-4, atol=1e-6)


@pytest.mark.parametrize("core", ["m0", "m3", "m4", "m33", "m55", "rv32", "avx2"])
def test_a_library_has_what_each_core_chooses(core: str, tmp_path: Path) -> None:
    """Linked for the core, no function of the engine is missing."""
    path = tmp_path / "net.tflite"
    path.write_bytes((SHIPPED_MODEL / "model.tflite").read_bytes())
    library.export(path, tmp_path / "lib")
    compiler = ("gcc", "-mavx2") if core == "avx2" else TARGETS[core].compiler
    sources = sorted(map(str, (tmp_path / "lib" / "src").glob("*.c")))
    flags = [*STRICT, "-O1", f"-I{tmp_path / 'lib' / 'include'}", "-c"]
    subprocess.run([*compiler, *flags, *sources], check=True, cwd=tmp_path)
    listing = [compiler[0].replace("gcc", "nm"), "-P", *map(str, tmp_path.glob("*.o"))]
    table = subprocess.run(listing, capture_output=True, text=True, check=True).stdout
    symbols = [line.split()[:2] for line in table.splitlines() if " " in line]
    asked, there = ({n for n, kind in symbols if (kind == "U") == u} for u in (True, False))
    assert {name for name in asked - there if name.startswith("ein_")} == set() < there


def test_a_library_holds_only_what_its_model_calls(tmp_path: Path) -> None:
    path = tmp_path / "net.tflite"
    path.write_bytes(op_model("moves"))
    texts = library.files(path)
    assert texts == library.files(path)
    kernels = {n.rpartition("/")[2] for n in texts if n.endswith(".c") and "ein_nn" in n}
    assert kernels == {"ein_nn_move.c", "ein_nn_copy.c", "ein_nn_pair.c", "ein_nn_lookup.c",
                       "ein_nn_requantize.c", "ein_nn_mean.c"}  # fmt: skip
    assert texts["LICENSE"] == (ROOT / "LICENSE").read_text()
    about = json.loads(texts["library.json"])
    assert (about["name"], about["headers"]) == ("net", "net.h")
    assert all(name in texts["CMakeLists.txt"] for name in texts if name.startswith("src/") and
               name.endswith(".c"))  # fmt: skip


@pytest.mark.skipif(shutil.which("cmake") is None, reason="no cmake")
def test_cmake_builds_it(tmp_path: Path) -> None:
    path = tmp_path / "my-Net.v2.tflite"
    path.write_bytes(op_model("functions"))
    library.export(path, tmp_path / "lib")
    for command in (
        ["cmake", "-S", "lib", "-B", "out"],
        ["cmake", "--build", "out", "--target", "my_net_v2_example"],
    ):
        done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=tmp_path)
        assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize(
    ("name", "symbol"),
    [("my-Net.v2", "my_net_v2"), ("2leads", "model_2leads"), ("Wärme", "w_rme"), ("--", "model"),
     ("for", "model_for"), ("ein_model", "model_ein_model"), ("n" * 50, "n" * 32)],
)  # fmt: skip
def test_symbols(name: str, symbol: str) -> None:
    assert library.symbol_of(name) == symbol


def test_profile_adds_up(tmp_path: Path) -> None:
    """The ops' instructions and cycles are the inference's, but for the calls between them."""
    path = tmp_path / "net.tflite"
    path.write_bytes(residual_model(4))
    found = profile(path)
    assert set(found.instructions) == {"m4", "rv32"}
    assert sum(op.multiply_adds for op in found.ops) == found.multiply_adds > 0
    for target, whole in found.instructions.items():
        parts = sum(op.instructions[target] for op in found.ops)
        assert abs(parts - whole) < 0.02 * whole
        assert found.code_bytes[target] > 500
        assert found.constant_bytes[target] > found.parameters
    assert list(found.cycles) == list(MEMORIES)
    for memory, whole in found.cycles.items():
        assert abs(sum(op.cycles[memory] for op in found.ops) - whole) < 0.05 * whole
        assert whole > 1.2 * found.instructions["m4"]
    assert found.fits == dict.fromkeys([chip.name for chip in CHIPS], True)
    assert json.loads(json.dumps(found.to_dict()))["arena_bytes"] == found.arena_bytes
    instructions, cycles = found.text().split("cycles (model), Cortex-M4")
    for table, figures in ((instructions, found.instructions), (cycles, found.cycles)):
        assert all(f"{figure:,}" in table for figure in figures.values())


def test_what_is_too_large_is_said_to_be(tmp_path: Path) -> None:
    scribe = OpScribe(2)
    source = scribe.input([1, 1, 4, 20_000])
    data = scribe.b.finish([source], [scribe.function("RELU", scribe.pair("ADD", source, source))])
    (tmp_path / "big.tflite").write_bytes(data)
    result = CliRunner().invoke(app, ["profile", str(tmp_path / "big.tflite")])
    assert result.exit_code == 2
    assert "does not fit the emulated Cortex-M4's RAM" in result.output


def test_commands(tmp_path: Path) -> None:
    path = tmp_path / "net.tflite"
    path.write_bytes(residual_model(4))
    run = CliRunner().invoke
    done = run(app, ["export", str(path), "--out", str(tmp_path / "lib")])
    assert done.exit_code == 0, done.output
    assert (tmp_path / "lib" / "include" / "net.h").exists()
    for arguments, words in (
        (["export", str(path)], "--out"),
        (["export", str(tmp_path / "none.tflite"), "--out", "x"], "No such file"),
        (["profile", str(tmp_path / "none.tflite")], "No such file"),
    ):
        done = run(app, arguments)
        assert done.exit_code == 2
        assert words in done.output
        assert "Traceback" not in done.output
