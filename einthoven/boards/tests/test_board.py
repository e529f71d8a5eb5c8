import dataclasses
import os
import re
import shutil
import signal
import subprocess
import sys
import tomllib
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import serial
from serial.tools import list_ports

from einthoven.boards import board as boards
from einthoven.boards.board import Board, find_port, list_boards, load_board, running
from einthoven.boards.resources import image_problems
from einthoven.errors import BoardError, BuildError
from einthoven.paths import BOARDS, FIRMWARE, ROOT

PROCESSES = [n for n in list_boards() if load_board(n).command and not load_board(n).is_device]
WITH_HEADER = [n for n in list_boards() if (BOARDS / n / "board.h").exists()]
BARE = [n for n in WITH_HEADER if load_board(n).compiler[0]]
"""Built with the system's compilers; an ESP32's comes from PlatformIO's registry."""


@pytest.fixture(scope="session")
def host() -> Board:
    board = load_board("host")
    boards.build(board)
    return board


def _alive(pattern: str) -> bool:
    """Is there a process with `pattern` in its arguments? From /proc: not every system has ps."""
    for arguments in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            if pattern in arguments.read_text(errors="replace").replace("\0", " "):
                return True
        except OSError:  # it has ended meanwhile
            continue
    return False


def _scripted(host: Board, script: str) -> Board:
    """A board whose process is a shell script."""
    return dataclasses.replace(host, command=("sh", "-c", script))


@pytest.mark.parametrize("name", list_boards())
def test_every_board_is_described(name: str) -> None:
    board = load_board(name)
    assert board.title and board.mcu and board.tested
    assert board.count_unit in ("none", "instructions", "cycles", "nanoseconds")
    assert f"[env:{board.environment}]" in (FIRMWARE / "platformio.ini").read_text()


@pytest.mark.parametrize("name", WITH_HEADER)
def test_description_and_header_agree(name: str) -> None:
    board = load_board(name)
    text = (BOARDS / name / "board.h").read_text()
    above = re.search(
        r'#include "(\.\./\w+/board\.h)"', text
    )  # a device is another board, and more
    text = (BOARDS / name / above[1]).read_text() + text if above else text
    macros = dict(re.findall(r"#define (EIN_BOARD_\w+) \"?(\w+)\"?", text))
    assert macros["EIN_BOARD_NAME"] == name
    assert macros["EIN_BOARD_GAIN_LSB_PER_MV"] == f"{board.gain_lsb_per_mv}u"
    if board.command is None:
        assert macros["EIN_BOARD_BAUD"] == f"{board.baud}u"
    sampled = (BOARDS / "bare" / "oversample.h").read_text()
    assert board.mcu[:6] != "STM32F" or f"EIN_OVERSAMPLE_BITS {board.adc_bits}u\n" in sampled


def test_unknown_board_names_the_others() -> None:
    with pytest.raises(BoardError, match=r"no board 'nonsense': choose one of .*host.*"):
        load_board("nonsense")
    with pytest.raises(BoardError, match=r"no board '../boards/host'"):
        load_board("../boards/host")


@pytest.mark.parametrize(
    ("text", "what"),
    [
        ("title = 3", "needs either"),
        ("[run]\ncommand = ['x']", "build"),
        ("[run]\ncommand = ['x']\n[serial]\nbaud = 1", "needs either"),
        ("title =", "Invalid value"),
    ],
)
def test_incomplete_description(
    text: str, what: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "odd").mkdir()
    (tmp_path / "odd" / "board.toml").write_text(text)
    monkeypatch.setattr(boards, "BOARDS", tmp_path)
    with pytest.raises(BoardError, match=f"boards/odd/board.toml: .*{what}"):
        load_board("odd")


def _described() -> str:
    """The `board.toml` of docs/SPEC.md, section 6: every key that there is."""
    (block,) = re.findall(r"```toml\n(.*?)```", (ROOT / "docs" / "SPEC.md").read_text(), re.DOTALL)
    return str(block)


@pytest.mark.parametrize("other", ["serial", "run|play"])
def test_a_board_as_the_specification_describes_it(
    other: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It has `[run]` or `[serial]`; the page shows both."""
    text = re.sub(rf"^\[(?:{other})\].*?(?=^\[)", "", _described(), flags=re.DOTALL | re.MULTILINE)
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "board.toml").write_text(text)
    monkeypatch.setattr(boards, "BOARDS", tmp_path)
    board = load_board("mine")
    assert (board.mcu, board.adc_bits, board.gain_lsb_per_mv) == ("STM32F405RG", 12, 200)
    assert board.is_device and board.has_watchdog and board.weights == "ram"
    assert board.slots and [at for _, at in board.slots.images] == [0x08020000, 0x08040000]
    assert set(board.flash_tools) == {"dfu-util"}
    assert set(board.flash_settings) == {"address", "device_id", "unique_id_address"}
    if other == "serial":
        assert board.command == ("…", "{program}", "{fd}") and board.play
        assert board.play.words == ("…", "{samples}") and board.device_words[0] == "--serial"
    else:
        assert (board.command, board.play, board.usb) == (None, None, ("0483:374b",))


def test_the_specification_has_every_key_of_our_boards() -> None:
    """But the pins of a front end, and what only one flasher is told (docs/fleet.md)."""

    def keys(table: dict[str, Any], above: str = "") -> set[str]:
        found = set()
        for key, value in table.items():
            if not isinstance(value, dict) or key == "front_end":
                found.add(above + key)
            elif not above:  # below: a flasher's own table
                found |= keys(value, f"{key}.")
        return found

    used = set[str]()
    for folder in BOARDS.glob("*/board.toml"):
        used |= keys(tomllib.loads(folder.read_text()))
    described = keys(tomllib.loads(_described()))
    apart = {"flash.command", "flash.package", "watchdog"}  # the sentences below the table
    assert used - apart <= described
    assert described - used <= {"build.weights"}


@pytest.mark.parametrize(
    ("name", "weights", "why"),
    [
        ("pico", "rom", "weights: rom is none of flash, ram, ccm"),
        ("esp32dev", "ram", 'weights: "ram" is for boards that have a compiler in'),
    ],
)
def test_weights_that_lie_nowhere(
    name: str, weights: str, why: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _with_weights(name, weights, tmp_path, monkeypatch)
    with pytest.raises(BoardError, match=f"boards/{name}/board.toml: .*{why}"):
        load_board(name)


@pytest.mark.parametrize(("name", "where"), [("pico", "ram"), ("feather_f405", "ccm")])
def test_weights_elsewhere_have_a_program_of_their_own(
    name: str, where: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    usual = load_board(name)
    _with_weights(name, where, tmp_path, monkeypatch)
    board = load_board(name)
    assert (usual.weights, board.weights) == ("flash", where)
    assert (usual.program.name, board.program.name) == ("firmware.elf", f"firmware_{where}.elf")
    assert boards.platformio_variables(board)["EIN_WEIGHTS"] == where
    assert boards.with_weights(board, "flash").program.name == usual.program.name


@pytest.mark.parametrize(
    ("name", "where"),
    [
        ("blackpill_f411ce", "ccm"),
        ("nucleo_f446re", "ccm"),
        ("pico", "ccm"),
        ("blue_pill", "ram"),
        ("host", "ram"),
    ],
)
def test_weights_stay_where_the_chip_has_no_other_place(name: str, where: str) -> None:
    """The build says so, in a line, and nothing is linked."""
    board = boards.with_weights(load_board(name), where)
    wanted = f'weights = "{where}" is for chips with such a memory whose linker script .* {name}$'
    with pytest.raises(BuildError, match=wanted) as caught:
        boards.build(board)
    assert "\n" not in str(caught.value)
    assert not board.program.exists()


def _with_weights(name: str, where: str, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The board as it were with another line in [build]."""
    text = (BOARDS / name / "board.toml").read_text()
    (folder / name).mkdir()
    (folder / name / "board.toml").write_text(
        text.replace("[build]\n", f'[build]\nweights = "{where}"\n')
    )
    monkeypatch.setattr(boards, "BOARDS", folder)


def test_a_command_that_names_what_there_is_not(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    text = (BOARDS / "esp32dev" / "board.toml").read_text()
    (tmp_path / "odd").mkdir()
    (tmp_path / "odd" / "board.toml").write_text(text.replace("{firmware}", "{place}"))
    monkeypatch.setattr(boards, "BOARDS", tmp_path)
    with pytest.raises(BoardError, match=r"\{place\} is none of firmware, folder, image"):
        load_board("odd")


@pytest.mark.parametrize("name", PROCESSES)
def test_process_boards_run_and_end(name: str) -> None:
    board = load_board(name)
    boards.build(board)
    with running(board) as first, running(board) as second:
        assert first != second, "two at once must not meet"
        assert _alive(str(board.program.with_suffix("")))
        for url in (first, second):
            serial.serial_for_url(url, timeout=1).close()
    # Another worker's tests may run this board, too; this one's port is free again.
    for url in (first, second):
        with pytest.raises(serial.SerialException):
            serial.serial_for_url(url)


def test_process_ends_after_interrupt(host: Board) -> None:
    with pytest.raises(KeyboardInterrupt), running(host) as url:
        raise KeyboardInterrupt
    with pytest.raises(serial.SerialException):
        serial.serial_for_url(url)


@pytest.mark.skipif(shutil.which("setpriv") is None, reason="needs Linux's setpriv")
def test_process_ends_when_its_starter_is_killed(host: Board) -> None:
    code = (
        "from einthoven.boards.board import *; import time\n"
        "with running(load_board('host')) as url: print(url, flush=True); time.sleep(3600)"
    )
    starter = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True)
    assert starter.stdout is not None
    url = starter.stdout.readline().strip()
    starter.send_signal(signal.SIGKILL)
    starter.wait()
    with pytest.raises(serial.SerialException):  # else the board's process outlived its starter
        for _ in range(200):  # a minute: closing takes 0.3 s
            serial.serial_for_url(url).close()


def test_program_that_ends_at_once_tells_why(host: Board) -> None:
    board = _scripted(host, "echo first >&2; echo no such machine >&2; exit 3")
    with pytest.raises(BoardError, match="host did not start: no such machine"), running(board):
        pass


def test_program_without_banner(host: Board, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(boards, "START_TIMEOUT_S", 0.3)
    nap = f"sleep 3600.{os.getpid()}"  # of this test run, not of another
    board = _scripted(host, f"exec {nap}")
    with pytest.raises(BoardError, match="printed no banner"), running(board):
        pass
    assert not _alive(nap)


def test_missing_emulator_names_its_package(host: Board) -> None:
    board = dataclasses.replace(
        host,
        command=("nonsense-emulator", "{fd}"),
        packages=(("nonsense-emulator", "emulator-pack"),),
    )
    with (
        pytest.raises(BoardError, match=r"not installed .apt-get install emulator-pack"),
        running(board),
    ):
        pass


def test_board_that_is_not_built(host: Board) -> None:
    board = dataclasses.replace(host, program=Path("nonsense"))
    with pytest.raises(BoardError, match="not built: run `einthoven build host`"), running(board):
        pass


def test_build_failure_is_one_line(host: Board) -> None:
    board = dataclasses.replace(host, environment="nonsense")
    with pytest.raises(BuildError, match="nonsense") as caught:
        boards.build(board)
    assert "\n" not in str(caught.value)


def test_missing_compiler_names_its_package(host: Board) -> None:
    board = dataclasses.replace(host, compiler=("nonsense-gcc", "gcc-nonsense"))
    with pytest.raises(BuildError, match=r"no 'nonsense-gcc'.*apt-get install gcc-nonsense"):
        boards.build(board)


def _ports(monkeypatch: pytest.MonkeyPatch, *ids: tuple[str, int | None, int | None]) -> None:
    found = [SimpleNamespace(device=d, vid=vid, pid=pid) for d, vid, pid in ids]
    monkeypatch.setattr(list_ports, "comports", lambda: found)


def test_serial_board_is_found_by_its_usb_id(monkeypatch: pytest.MonkeyPatch) -> None:
    board = load_board("nucleo_f446re")
    other = ("/dev/ttyUSB0", 0x10C4, 0xEA60)
    _ports(monkeypatch, other, ("/dev/ttyS0", None, None))
    with pytest.raises(BoardError, match=r"no nucleo_f446re found .USB 0483:374b"):
        find_port(board)
    _ports(monkeypatch, other, ("/dev/ttyACM0", 0x0483, 0x374B))
    with running(board) as url:
        assert url == "/dev/ttyACM0"
    _ports(monkeypatch, ("/dev/ttyACM1", 0x0483, 0x374B), ("/dev/ttyACM0", 0x0483, 0x374B))
    with pytest.raises(BoardError, match="--port one of /dev/ttyACM0, /dev/ttyACM1"):
        find_port(board)


def test_port_is_used_as_given() -> None:
    master, slave = os.openpty()
    try:
        with running(load_board("nucleo_f446re"), os.ttyname(slave)) as url:
            assert url == os.ttyname(slave)
    finally:
        os.close(master)
        os.close(slave)


@pytest.mark.parametrize("name", BARE)
def test_image_fits_its_row_and_holds_no_floats_heap_or_stdio(name: str) -> None:
    board = load_board(name)
    boards.build(board)
    assert image_problems(board) == []
    prefix = board.compiler[0].removesuffix("gcc")
    listing = subprocess.run(
        [prefix + "nm", board.program], capture_output=True, text=True, check=True
    ).stdout
    # Across files the linker's optimization makes clones, main.isra.0, or leaves none over.
    symbols = {line.split()[-1].partition(".")[0] for line in listing.splitlines()}
    assert {"main", "ein_session_push", "ein_model_embed"} <= symbols
    floats = r"__aeabi_[fd](?!iv)|__aeabi_\w*2[fd]$|__(add|sub|mul|div|float\w*|fix\w*)[sd]f"
    forbidden = floats + r"|.*(printf|malloc|sbrk|_fopen|_write_r)"
    assert not [s for s in symbols if re.match(forbidden, s)]


def test_suites_pass_on_emulated_chips(host: Board) -> None:
    """`pio test`: core, engine, wire and port as they run on a Cortex-M4, an M0+ and on rv32imc.

    Other cores run them by `make boards`; here they run the application (hil_tests/test_cores.py).
    """
    boards_here = ("qemu_stm32f405", "qemu_rv32", "rp2040js_pico")
    chosen = [word for name in boards_here for word in ("-e", name)]
    # What PlatformIO needs is there since `host` was built, which two at once must not prepare.
    environment = boards.platformio_variables(host)
    environment["PLATFORMIO_BUILD_DIR"] = str(host.program.parents[2] / "test")
    done = subprocess.run(
        [sys.executable, "-m", "platformio", "test", "-d", FIRMWARE, *chosen],
        env=environment,
        capture_output=True,
        text=True,
        check=False,
        timeout=1500,
    )
    assert done.returncode == 0, done.stdout[-3000:]
    match = re.search(r"(\d+) test cases: (\d+) succeeded", done.stdout)
    assert match is not None and int(match[1]) == int(match[2]) >= 120
    for board in boards_here:
        # The port's ends in a stack overflow, which rp2040js does not notice.
        port = () if board == "rp2040js_pico" else ("port",)
        for suite in ("core", "engine", "log", *port, "rhythm", "strip", "wire"):
            assert re.search(rf"{board}\s+test_{suite}\s+PASSED", done.stdout)
