"""The application as C: its modules, its template, and all of it under sanitizers on a bad link."""

import subprocess
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from einthoven.boards.patience import watching
from einthoven.hil_tests.faults import TO_BOARD, TO_HOST, Fault, FaultyLink
from einthoven.hil_tests.harness.device import Device
from einthoven.paths import BOARDS, FIRMWARE

INCLUDES = [f"-I{FIRMWARE / d}" for d in ("app", "core", "engine", "rhythm", "wire", "generated")]
FLAGS = ["-std=c99", "-g", "-Wall", "-Wextra", "-Wconversion", "-Werror", *INCLUDES]
SANITIZERS = ["-fsanitize=address,undefined", "-fno-sanitize-recover=all"]
SOURCES = [
    path
    for path in sorted(FIRMWARE.glob("*/ein_*.c"))
    if path.parent.name in ("app", "core", "engine", "rhythm", "wire", "generated")
    and path.name != "ein_model_tflite.c"
]


def compiled(output: Path, *arguments: str | Path) -> Path:
    command = ["cc", *FLAGS, *map(str, arguments), "-o", str(output)]
    subprocess.run(command, check=True)
    return output


def test_outbox(tmp_path: Path) -> None:
    app = FIRMWARE / "app"
    sources = (app / "test_ein_outbox.c", app / "ein_outbox.c")
    program = compiled(tmp_path / "test_ein_outbox", *SANITIZERS, *sources)
    done = subprocess.run([program], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (0, "outbox: good\n")


def test_trace(tmp_path: Path) -> None:
    app, wire = FIRMWARE / "app", FIRMWARE / "wire"
    coder = (wire / "ein_samples.c", wire / "ein_samples_encoder.c")
    sources = (app / "test_ein_trace.c", app / "ein_trace.c", *coder)
    program = compiled(tmp_path / "test_ein_trace", *SANITIZERS, *sources)
    done = subprocess.run([program], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (0, "trace: good\n")


def test_ram_test(tmp_path: Path) -> None:
    source = FIRMWARE / "app" / "test_ein_ram_test.c"
    program = compiled(tmp_path / "test_ein_ram_test", *SANITIZERS, source)
    done = subprocess.run([program], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (0, "ram: good\n")


def test_template_links_into_a_program(tmp_path: Path) -> None:
    port = BOARDS / "template" / "port.c"
    compiled(tmp_path / "template", "-O1", *SOURCES, port, FIRMWARE / "app" / "main.c")


@pytest.fixture(scope="module")
def sanitized(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """URL of the host board with ASan, UBSan and its assertions."""
    host = BOARDS / "host"
    program = compiled(
        tmp_path_factory.mktemp("host") / "einthoven-host",
        "-O1",
        f"-I{host}",
        *SANITIZERS,
        *SOURCES,
        *sorted(host.glob("*.c")),
    )
    with subprocess.Popen(
        [program, "--listen", "0"], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None and process.stderr is not None
        try:
            url = process.stdout.readline().strip()
            with watching(url, process):
                yield url
            assert process.poll() is None, process.stderr.read()
        finally:
            process.kill()


def extreme_tensor(device: Device) -> tuple[NDArray[np.int8], NDArray[np.int8]]:
    who = device.hello
    shape = (who.window_samples, who.channels)
    return np.full(shape, -128, np.int8), np.full(who.features, 127, np.int8)


def test_nothing_undefined_on_a_bad_link(sanitized: str, signal: NDArray[np.int16]) -> None:
    with Device(sanitized) as device:
        good = device.replay(signal)
        result = device.bench(*extreme_tensor(device))
        assert result.logits.shape == (5,)
    faults = [
        Fault("flip", TO_BOARD, 1500, 3),
        Fault("double", TO_HOST, 2000, 100),
        Fault("reset", TO_BOARD, 3000),
        Fault("drop", TO_BOARD, 5000, 200),
        Fault("cut", TO_BOARD, 7000),
    ]
    with FaultyLink(sanitized, faults) as link, Device(link.url) as device:
        again = device.replay(signal)
        assert link.faults_left == 0
    keys = ("t_samples", "flags")
    assert [[e[k] for k in keys] for e in again.events] == [
        [e[k] for k in keys] for e in good.events
    ]
