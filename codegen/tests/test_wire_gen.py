"""The board's side of the protocol: generated code, the case table in C, short fuzzing."""

import subprocess
from pathlib import Path

import numpy as np
import pytest

from einthoven.codegen import wire as generator
from einthoven.paths import FIRMWARE, GENERATED, SPEC
from einthoven.records.synth import make_record
from einthoven.wire import codec
from einthoven.wire.samples import encode_pieces
from einthoven.wire.schema import SchemaError, parse, schema

WIRE = FIRMWARE / "wire"
SOURCES = [*sorted(WIRE.glob("ein_*.c")), GENERATED / "ein_wire_gen.c"]
FLAGS = ["-std=c99", "-O1", "-g", "-Wall", "-Wextra", "-Wconversion", "-Werror", f"-I{WIRE}"]
FLAGS += [f"-I{GENERATED}", "-fno-sanitize-recover=all"]
SANITIZERS = "address,undefined"
MEMORY = "-rss_limit_mb=0", "-malloc_limit_mb=64"
"""libFuzzer reads the peak of resident memory, which a process inherits from the one that started
it: that of pytest, whatever its other tests did. What the fuzzed code may take is one allocation's
limit, and it takes none."""


def run(program: Path, *arguments: str) -> str:
    done = subprocess.run([program, *arguments], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-4000:]
    return done.stdout


def test_committed_files_are_what_the_generator_makes() -> None:
    for name, text in generator.generate().items():
        assert (GENERATED / name).read_text() == text, f"{name}: run `python -m einthoven.codegen`"


@pytest.mark.parametrize("compiler", ["gcc", "clang"])
def test_case_table_in_c(compiler: str, tmp_path: Path) -> None:
    program = tmp_path / "test_ein_wire"
    test = WIRE / "test_ein_wire.c"
    sources = [str(path) for path in (test, *SOURCES)]
    command = [compiler, *FLAGS, f"-fsanitize={SANITIZERS}", *sources, "-o", str(program)]
    subprocess.run(command, check=True)
    out = run(program)
    cases, samples = len(schema().cases), len(schema().sample_cases)
    assert out == f"{cases} frame cases, {samples} sample cases, 0 failures\n"


def test_fuzz_decoder(tmp_path: Path) -> None:
    """libFuzzer, seeded, from the case table on: a short run of `make fuzz`."""
    program = tmp_path / "fuzz_wire"
    sources = [str(path) for path in (WIRE / "fuzz_wire.c", *SOURCES)]
    command = ["clang", *FLAGS, f"-fsanitize=fuzzer,{SANITIZERS}", *sources, "-o", str(program)]
    subprocess.run(command, check=True)
    corpus = tmp_path / "corpus"
    corpus.mkdir()
    for i, case in enumerate(schema().cases):
        (corpus / f"case{i}").write_bytes(bytes.fromhex(case["bytes"]))
    run(program, *MEMORY, "-seed=1", "-runs=25000", "-len_control=0", "-max_len=600", str(corpus))


APP = [
    *sorted((FIRMWARE / "app").glob("ein_*.c")),
    *sorted((FIRMWARE / "core").glob("ein_*.c")),
    *sorted((FIRMWARE / "rhythm").glob("ein_*.c")),
    *sorted((FIRMWARE / "engine").glob("ein_nn_*.c")),
    GENERATED / "ein_gate_net.c",
    GENERATED / "ein_model.c",
]


def test_fuzz_application(tmp_path: Path) -> None:
    """The whole application, hostile messages with a right CRC: a short, seeded run."""
    program = tmp_path / "fuzz_app"
    includes = [f"-I{FIRMWARE / name}" for name in ("app", "core", "engine", "rhythm")]
    sources = [str(path) for path in (FIRMWARE / "app" / "fuzz_app.c", *SOURCES, *APP)]
    command = ["clang", *FLAGS, *includes, f"-fsanitize=fuzzer,{SANITIZERS}", *sources]
    subprocess.run([*command, "-o", str(program)], check=True)
    corpus = tmp_path / "corpus"
    corpus.mkdir()
    for mode in (0, 1):
        (corpus / f"session{mode}").write_bytes(_conversation(mode))
    out = subprocess.run(
        [program, *MEMORY, "-seed=1", "-runs=250", "-len_control=0", "-max_len=6000", corpus],
        capture_output=True,
        text=True,
        check=False,
    )
    assert out.returncode == 0, out.stderr[-4000:]


def _conversation(mode: int) -> bytes:
    """A session in the input format of fuzz_app.c: type, size, contents."""

    def message(name: str, **fields: object) -> bytes:
        payload = codec.encode_payload(name, fields)
        return bytes((schema().message(name).code, len(payload))) + payload

    samples = make_record(3, 15.0, 180.0).samples
    rails = {"rail_lo": -2048, "rail_hi": 2047}
    out = message("hello", protocol=1)
    out += message("start", session=5, mode=mode, gain_lsb_per_mv=200, **rails)
    for p in encode_pieces(samples):
        out += message("samples", start=p.start, events_acked=0, count=p.count, code=p.code)
    out += message("poll", events_acked=2) + message("info")
    out += message("tensor", offset=100, bytes=bytes(200)) + message("bench", tensor_crc=0)
    out += message("finish", samples=len(samples), events_acked=3)
    return out + message("finish", samples=len(samples), events_acked=9) + message("reset")


@pytest.mark.parametrize(
    ("old", "new", "what"),
    [
        ('["protocol", "u8"]', '["protocol", "u9"]', "hello.protocol has the unknown type 'u9'"),
        ("code = 0x02", "code = 0x01", "two messages have the same code"),
        ('name = "info"', 'name = "hello"', "two messages have the same name"),
        ('["count", "u16"],\n    ["code", "rest"]', '["code", "rest"], ["count", "u16"]', "fixed"),
        ("max_payload = 248", "max_payload = 100", "hello_reply can exceed max_payload"),
    ],
)
def test_contradictions_are_refused(old: str, new: str, what: str, tmp_path: Path) -> None:
    text = (SPEC / "wire.toml").read_text()
    assert old in text
    changed = tmp_path / "wire.toml"
    changed.write_text(text.replace(old, new))
    with pytest.raises(SchemaError, match=what):
        parse(changed)


def test_codes_and_limits_agree_with_the_spec() -> None:
    s = schema()
    assert 1 + 2 + s.max_payload + 4 == 255  # one COBS block
    assert np.iinfo(np.uint8).max >= s.max_payload  # sizes are uint8_t on the board
