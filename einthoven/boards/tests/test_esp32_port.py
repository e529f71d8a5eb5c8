"""The ESP32's port, as far as a compiler for its instruction set can judge it without ESP-IDF.

Types, fields and arguments, by declarations of what it uses (`esp_idf/`); nothing is linked or run.
What the port stands on (core, engine, application) runs as `qemu_lx106`.
"""

import configparser
import shlex
import subprocess
from pathlib import Path

import pytest

from einthoven.paths import BOARDS, FIRMWARE

DECLARED = Path(__file__).parent / "esp_idf"
PORT, MAIN = BOARDS / "esp32" / "port.c", BOARDS / "esp32" / "main.cpp"
COMPILER = "xtensa-lx106-elf-"
LIBRARY = "--specs=/usr/lib/xtensa-lx106-elf/picolibc.specs"


def _own_folders() -> list[str]:
    """Where the environment in platformio.ini looks for headers, and the board's own."""
    ini = configparser.ConfigParser(interpolation=None)
    ini.read_string((FIRMWARE / "platformio.ini").read_text())
    words = [*shlex.split(ini.get("esp32", "build_flags")), "-I", "../boards/esp32dev"]
    return [words[i + 1] for i, word in enumerate(words) if word == "-I"]


def _complaints(version: int, source: Path, language: str = "c") -> str:
    """What the compiler says, with warnings as the environment's `build_src_flags` has them."""
    compiler = COMPILER + ("gcc" if language == "c" else "g++")
    standard = "-std=gnu99" if language == "c" else "-std=gnu++11"
    words = [compiler, LIBRARY, "-fsyntax-only", "-x", language, standard, "-Wall", "-Wextra"]
    words += ["-Werror", f"-DESP_IDF_VERSION_MAJOR={version}", f"-I{DECLARED}"]
    words += [f"-I{FIRMWARE / folder}" for folder in _own_folders()]
    done = subprocess.run([*words, str(source)], capture_output=True, text=True, check=False)
    assert (done.returncode == 0) == (done.stderr == "")
    return done.stderr


@pytest.mark.parametrize("version", [4, 5])
def test_the_port_calls_what_is_declared(version: int) -> None:
    assert _complaints(version, PORT) == ""
    assert _complaints(version, MAIN, "c++") == ""


@pytest.mark.parametrize(
    ("before", "after", "words"),
    [
        ("bytes, (uint32_t)n, 0)", "bytes, (uint32_t)n)", "too few arguments"),
        (".stop_bits = UART_STOP_BITS_1", ".stops = UART_STOP_BITS_1", "no member named 'stops'"),
        ("esp_restart();", "esp_reset();", "implicit declaration of function 'esp_reset'"),
        (".callback = take_sample", ".callback = start_watchdog", "incompatible pointer type"),
        ("hal/cpu_hal.h", "esp_cpu.h", "before version 5"),
    ],
)
def test_a_call_that_is_wrong_is_found(tmp_path: Path, before: str, after: str, words: str) -> None:
    text = PORT.read_text()
    assert text.count(before) == 1
    wrong = tmp_path / "port.c"
    wrong.write_text(text.replace(before, after))
    assert words in _complaints(4, wrong)
