"""The boards there are: what they are, how they are built, flashed, found and run.

Einthoven's own are in `boards/`; a user's are in `boards/` of the folder that they stand in, or in
the one that `--boards` (`$EINTHOVEN_BOARDS`) names, with a `platformio.ini` beside.

`docs/SPEC.md`, section 6, says what a `board.toml` holds. An emulator is a board like any other.
"""

import fcntl
import os
import re
import shutil
import socket
import subprocess
import sys
import tempfile
import time
import tomllib
from collections.abc import Iterator, Mapping, Sequence, Set
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from string import Formatter
from typing import IO, Any

from serial.tools import list_ports

from einthoven.boards import project, unchanged
from einthoven.boards.patience import LOOK_S, BoardProcess, Patience, watching
from einthoven.boards.workspace import is_plain, plain_firmware, plain_folder, workspace
from einthoven.errors import BoardError, BuildError, LinkError, TooLargeError
from einthoven.paths import BOARDS, FIRMWARE, GENERATED, model_c
from einthoven.tool_output import first_error, waiting

BANNER = b"Not a medical device."
"""What every board prints when it starts."""

PLACEHOLDERS = frozenset({"program", "image", "firmware", "folder", "python"})
"""What any command of a `board.toml` may name in braces (docs/SPEC.md, section 6)."""

WEIGHTS = ("flash", "ram", "ccm")
"""What `weights` of a `board.toml` may be; the last is an STM32's core-coupled memory."""

START_TIMEOUT_S = 20.0
"""Patience with a process until its banner; it takes some 0.2 s on an idle machine."""


@dataclass(frozen=True)
class Slots:
    """Where a board keeps signed images (docs/security.md)."""

    boot: str
    """Environment of its boot stage."""
    boot_address: int
    images: tuple[tuple[str, int], ...]
    """Environment and address of each slot's image, header included."""


@dataclass(frozen=True)
class Play:
    """How a board that is a process samples a file in place of a patient (docs/monitor.md)."""

    words: tuple[str, ...]
    """More words for its command, with `{samples}`, a file of int16, and perhaps `{speed}`."""
    environment: str | None
    """Of the program that can do it; None: the board's own."""

    @property
    def at_any_speed(self) -> bool:
        """Whether it plays faster than real time, too."""
        return any("{speed}" in word for word in self.words)


@dataclass(frozen=True)
class Board:
    """A board as its `board.toml` describes it."""

    name: str
    title: str
    mcu: str
    tested: str
    """What it was run on, or `no: ` and why."""
    count_unit: str
    """What its counter counts: none, instructions, cycles or nanoseconds."""
    adc_bits: int
    gain_lsb_per_mv: int
    project: Path | None
    """Folder of the `platformio.ini` that builds it; None if it has none."""
    environment: str
    """Its environment there."""
    program: Path
    """What the build makes."""
    compiler: tuple[str, str]
    """Its compiler and the Debian packages that bring it; empty where PlatformIO fetches it."""
    command: tuple[str, ...] | None
    """Starts it, if it is a process; None if it is on a serial port."""
    baud: int
    usb: tuple[str, ...]
    """`vendor:product` of its serial port, hexadecimal."""
    flash_command: tuple[str, ...] | None
    """What flashes it, if board.toml has a command of its own for that."""
    packages: tuple[tuple[str, str], ...]
    """Command and the Debian package that has it."""
    slots: Slots | None = None
    """None: it starts what lies at the begin of its flash."""
    is_device: bool = False
    """Its image works without a computer (docs/device.md)."""
    flash_tools: Mapping[str, Mapping[str, Any]] = field(default_factory=dict, hash=False)
    """Flashers by name (docs/fleet.md), the board's usual one first, and what each is told."""
    flash_settings: Mapping[str, Any] = field(default_factory=dict, hash=False)
    """What all of them are told: about the chip."""
    device_words: tuple[str, ...] = ()
    """More of `command`, with which the process is one certain device and keeps its flash."""
    play: Play | None = None
    """None: nothing can be played to it."""
    has_watchdog: bool = True
    """A program that stands still is restarted, by its watchdog or by what stands in for one."""
    network: Path | None = None
    """Folder of a second network that its firmware carries, as of `einthoven.codegen.network`."""
    weights: str = "flash"
    """Where the model lies when it runs, and on some chips the engine: one of `WEIGHTS`
    (docs/boards.md)."""


def board_folders() -> dict[str, Path]:
    """The folders of all boards by name; of two with one name the one that counts.

    A project's boards come first, then Einthoven's own: a folder `boards` that the user happens to
    stand beside hides none of those unless a `platformio.ini` says that it is a project's.
    """
    named = os.environ.get("EINTHOVEN_BOARDS")
    here = Path("boards").absolute()
    in_project = (here.parent / "platformio.ini").is_file()
    roots = [Path(named).absolute()] if named else []
    roots += [here, BOARDS] if in_project else [BOARDS, here]
    found: dict[str, Path] = {}
    for root in roots:
        for path in root.glob("*/board.toml"):
            found.setdefault(path.parent.name, path.parent)
    return found


def own_boards(folder: Path) -> None:
    """Look for boards in `folder` first, here and in programs that are started from here.

    Raises BoardError if there are none.
    """
    if not any(folder.glob("*/board.toml")):
        raise BoardError(f"{folder} has no boards: name with --boards a folder of NAME/board.toml")
    os.environ["EINTHOVEN_BOARDS"] = str(folder.absolute())


def list_boards() -> list[str]:
    """Names of all boards, sorted."""
    return sorted(board_folders())


def load_board(name: str) -> Board:
    """Read `<name>/board.toml`; raises BoardError if it is missing or incomplete."""
    folders = board_folders()
    if name not in folders:
        raise BoardError(f"no board '{name}': choose one of {', '.join(sorted(folders))}")
    try:
        return _parse(folders[name], tomllib.loads((folders[name] / "board.toml").read_text()))
    except (KeyError, TypeError, ValueError) as error:
        raise BoardError(
            f"boards/{name}/board.toml: {error!r} (docs/SPEC.md, section 6)"
        ) from error


def _project_of(folder: Path) -> Path | None:
    if folder.resolve().parent == BOARDS:
        return FIRMWARE
    above = folder.parents[:2]
    return next((p for p in above if (p / "platformio.ini").is_file()), None)


def _parse(folder: Path, table: dict[str, Any]) -> Board:
    if ("run" in table) == ("serial" in table):
        raise ValueError("needs either [run] or [serial]")
    run, serial, flash = (table.get(key, {}) for key in ("run", "serial", "flash"))
    build = table["build"]
    source = _project_of(folder)
    board = Board(
        name=folder.name,
        title=table["title"],
        mcu=table["mcu"],
        tested=table["tested"],
        count_unit=table["count_unit"],
        adc_bits=table["adc"]["bits"],
        gain_lsb_per_mv=table["adc"]["gain_lsb_per_mv"],
        project=source,
        environment=build["environment"],
        program=_build_dir(source or folder) / build["environment"] / build["program"],
        compiler=(build.get("compiler", ""), build.get("package", "")),
        command=_command(run["command"], {*PLACEHOLDERS, "fd"}) if run else None,
        device_words=_command(run.get("device", ()), {"id", "state"}),
        baud=serial.get("baud", 115200),
        usb=tuple(serial.get("usb", ())),
        flash_command=_command(flash["command"], {*PLACEHOLDERS, "port", "probe"})
        if "command" in flash
        else None,
        flash_tools={name: told for name, told in flash.items() if isinstance(told, dict)},
        flash_settings={
            key: value
            for key, value in flash.items()
            if not isinstance(value, dict) and key not in ("command", "package")
        },
        is_device=build.get("device", False),
        has_watchdog=table.get("watchdog", True),
        slots=_slots(table["slots"]) if "slots" in table else None,
        play=_play(table["play"]) if "play" in table else None,
        packages=tuple((t["command"][0], t["package"]) for t in (run, flash) if "package" in t),
    )
    return with_weights(board, build.get("weights", WEIGHTS[0]))


def _play(table: dict[str, Any]) -> Play:
    return Play(_command(table["words"], {"samples", "speed"}), table.get("image"))


def _slots(table: dict[str, Any]) -> Slots:
    images = zip(table["images"], table["addresses"], strict=True)
    return Slots(table["boot"], table["boot_address"], tuple(images))


def _build_dir(source: Path) -> Path:
    """Each model has its own, so that a board with another one is not built over this one."""
    if model_c() == GENERATED:
        return workspace(source) / "build"
    return workspace(source) / workspace(model_c()).name


def _network_dir(folder: Path) -> Path:
    real = folder.resolve()
    return real / "build" if is_plain(real) else _build_dir(real)


def _command(words: Sequence[str], known: Set[str]) -> tuple[str, ...]:
    named = {name for word in words for _, name, _, _ in Formatter().parse(word) if name}
    if unknown := sorted(named - known):
        raise ValueError(f"command: {{{unknown[0]}}} is none of {', '.join(sorted(known))}")
    return tuple(words)


def one_of_many(board: Board, identity: str, state: Path, words: Sequence[str] = ()) -> Board:
    """A board that is a process, as one certain device: it says who it is, and `state`, a folder
    of its own, is its flash. A program of the board's that lies in there is the one that runs.

    `words` are added to its command. One whose `[run]` has no `device` is like all others.
    """
    assert board.command is not None
    values = {"id": identity, "state": str(state)}
    own = [word.format(**values) for word in board.device_words]
    plain = tuple(word.replace("{", "{{").replace("}", "}}") for word in (*own, *words))
    program = state / board.program.name
    return replace(
        board,
        command=(*board.command, *plain),
        program=program if program.exists() else board.program,
    )


def with_network(board: Board, folder: Path) -> Board:
    """`board` with the network in `folder` in its firmware, which is built in there, too, if every
    tool can take its path.

    Raises BuildError for a board that PlatformIO's own packages build.
    """
    if not board.compiler[0]:
        raise BuildError(
            f"{board.name} with a second network is not built here: only boards of this "
            "checkout's own builder are (einthoven boards), such as qemu_stm32f405"
        )
    program = _network_dir(folder) / board.environment / board.program.name
    return replace(board, network=folder.resolve(), program=program)


def with_weights(board: Board, where: str) -> Board:
    """`board` with the model in one of `WEIGHTS`, for chips whose flash is slow; its linker script
    says whether the engine goes there, too. Unless it stays in flash, the program stands beside the
    usual one, of the same objects.

    Raises ValueError for another place, and for a board that PlatformIO's own packages build.
    """
    if where not in WEIGHTS:
        raise ValueError(f"weights: {where} is none of {', '.join(WEIGHTS)}")
    if where == board.weights:
        return board
    if not board.compiler[0]:
        raise ValueError(f'weights: "{where}" is for boards that have a compiler in [build]')
    stem = board.program.stem.removesuffix(f"_{board.weights}")
    name = stem if where == WEIGHTS[0] else f"{stem}_{where}"
    return replace(board, weights=where, program=board.program.with_stem(name))


def build(board: Board) -> Path:
    """Build the board's program with PlatformIO, without a network; returns its path.

    All that is made is in the user's cache. Boards that need packages from PlatformIO's registry
    (ESP32) fetch them on the first build.
    Raises BuildError with the compiler's first error, TooLargeError when an image does not fit.
    """
    compiler, package = board.compiler
    if compiler and shutil.which(compiler) is None:
        raise BuildError(f"no '{compiler}', which {board.name} needs (apt-get install {package})")
    home = workspace(board.project or FIRMWARE)
    home.mkdir(parents=True, exist_ok=True)
    with (home / "lock").open("w") as lock:
        # Two builds in one folder would harm each other.
        fcntl.flock(lock, fcntl.LOCK_EX)
        sources = _sources(board)
        variables = platformio_variables(board)
        state = _state(board, sources, variables)
        if unchanged.stands(board.program, state):
            return board.program
        _run_build(board, variables, str(FIRMWARE / "tools" / "pio_offline.py"))
        words = ("-m", "platformio", "run", "-d", str(sources), "-e", board.environment)
        _run_build(board, variables, *words)
        if not board.program.exists():
            raise BuildError(f"the build of {board.name} made no {board.program}")
        unchanged.keep(board.program, state)
    return board.program


def _state(board: Board, sources: Path, variables: Mapping[str, str]) -> str:
    """Digest of what the board's program depends on. Of a user's project, whose scripts may read
    anything, and of PlatformIO's own compilers nobody knows that: another one each time."""
    if sources != plain_firmware() or not board.compiler[0]:
        return os.urandom(16).hex()
    models = (variables.get("EIN_MODEL"), variables.get("EIN_NETWORK"))
    folders = (sources, sources.parent / BOARDS.name, *(Path(m) for m in models if m))
    return unchanged.of_sources(folders, board.environment, board.compiler[0], variables)


def platformio_variables(board: Board) -> dict[str, str]:
    """The environment in which PlatformIO builds the board: it writes into the cache alone."""
    home = workspace(board.project or FIRMWARE)
    variables = {
        **os.environ,
        "PLATFORMIO_CORE_DIR": str(home / "platformio"),
        "PLATFORMIO_WORKSPACE_DIR": str(home / "pio"),
        "PLATFORMIO_BUILD_DIR": str(board.program.parent.parent),
    }
    variables.pop("EIN_MODEL", None)
    variables["EIN_WEIGHTS"] = board.weights
    if model_c() != GENERATED:
        if not board.compiler[0]:
            raise BuildError(
                f"{board.name} is built by PlatformIO's own packages, which cannot replace the "
                f"firmware's model by the one in {model_c()}"
            )
        variables["EIN_MODEL"] = str(plain_folder(model_c()))
    if board.network is not None:
        variables["EIN_NETWORK"] = str(plain_folder(board.network))
    return variables


def _sources(board: Board) -> Path:
    """The folder of the board's `platformio.ini` as tools may see it."""
    if board.project is None:
        raise BuildError(
            f"no platformio.ini beside the folder of {board.name} says how to build it: see what "
            "`einthoven new` lays out, or name the --port of a board that runs already"
        )
    if board.project == FIRMWARE:
        return plain_firmware()
    project.say_where(board.project, plain_firmware())
    return plain_folder(board.project)


def _run_build(board: Board, variables: dict[str, str], *arguments: str) -> None:
    with waiting(f"building {board.name}: waiting for PlatformIO, which may be fetching packages"):
        done = subprocess.run(
            [sys.executable, *arguments], capture_output=True, text=True, check=False, env=variables
        )
    if done.returncode == 0:
        return
    output = done.stdout + "\n" + done.stderr
    if re.search(r"No module named '?(platformio|SCons)", output):
        raise BuildError("PlatformIO is not installed: pip install platformio==6.2.0 scons==4.11.1")
    if "HTTPClientError" in output or "InternetConnectionError" in output:
        raise BuildError(
            "the build needs packages from PlatformIO's registry, which cannot be reached: "
            "check the network and try again"
        )
    over = re.findall(r"region `(\w+)' overflowed by (\d+) bytes", done.stderr)
    if over:
        missing = {region: int(n) for region, n in over}
        each = " and ".join(f"{region} by {n:,} bytes" for region, n in missing.items())
        raise TooLargeError(f"the image is too large for {board.name}: {each}", missing)
    raise BuildError(f"the build of {board.name} failed: {first_error(done.stderr, done.stdout)}")


def filled(board: Board, command: tuple[str, ...], values: dict[str, str]) -> list[str]:
    """A command of its board.toml with all that it names. `values`: beside the board's own.

    Raises BoardError if the board is not built, or if the command's tool is missing.
    """
    if not board.program.exists():
        raise BoardError(f"{board.name} is not built: run `einthoven build {board.name}`")
    values = {
        "program": str(board.program),
        "image": str(board.program.with_suffix(".bin")),
        "firmware": str(_sources(board)) if any("{firmware}" in w for w in command) else "",
        "folder": str(board_folders().get(board.name, "")),
        "python": sys.executable,
    } | values
    words = [word.format(**values) for word in command]
    if shutil.which(words[0]) is None:
        package = dict(board.packages).get(command[0])
        hint = f" (apt-get install {package})" if package else ""
        raise BoardError(f"'{words[0]}', which {board.name} needs, is not installed{hint}")
    return words


def find_port(board: Board) -> str:
    """Name of the one serial port whose USB id is the board's.

    Raises BoardError if there is none, or more than one.
    """
    found = [
        p.device
        for p in list_ports.comports()
        if p.vid is not None and f"{p.vid:04x}:{p.pid:04x}" in board.usb
    ]
    if not found:
        ids = ", ".join(board.usb)
        raise BoardError(f"no {board.name} found (USB {ids}): plug it in, or name its --port")
    if len(found) > 1:
        raise BoardError(f"several boards: choose with --port one of {', '.join(sorted(found))}")
    return str(found[0])


@contextmanager
def running(board: Board, port: str | None = None) -> Iterator[str]:
    """Yield the URL (for pyserial) of a board that has started.

    A board that is a process is started for the block and ended after it, whatever happens in it;
    two at once never meet. A board on a serial port is found by its USB id. `port`, any URL or name
    that pyserial opens, is used as it is. Raises BoardError.
    """
    if port is not None:
        yield port
    elif board.command is None:
        yield find_port(board)
    else:
        with socket.socket() as listener, tempfile.TemporaryFile() as log:
            listener.bind(("127.0.0.1", 0))
            listener.listen(1)
            host, number = listener.getsockname()
            url = f"socket://{host}:{number}"
            process = _start(board, listener, log)
            try:
                watched = BoardProcess(process, log)
                with watching(url, watched):
                    _await_banner(board, watched, url, (host, number))
                    listener.close()  # when the board ends, nobody listens any more
                    yield url
            finally:
                _end(process)


def _start(board: Board, listener: socket.socket, log: IO[bytes]) -> subprocess.Popen[bytes]:
    assert board.command is not None
    command = filled(board, board.command, {"fd": str(listener.fileno())})
    if shutil.which("setpriv"):
        # Ended by the kernel if this program is killed and cannot do it.
        command = ["setpriv", "--pdeathsig", "TERM", *command]
    return subprocess.Popen(
        command,
        stdin=subprocess.DEVNULL,
        stdout=log,
        stderr=log,
        pass_fds=[listener.fileno()],
        start_new_session=True,  # Ctrl-C in the terminal is this program's to handle
    )


def _await_banner(board: Board, process: BoardProcess, url: str, address: tuple[str, int]) -> None:
    patience = Patience(url, START_TIMEOUT_S)
    seen = b""
    with socket.create_connection(address) as link:
        while BANNER not in seen:
            try:
                patience.look()
            except LinkError as error:
                reason = process.last_words() or process.ending()
                raise BoardError(f"{board.name} did not start: {reason}") from error
            if patience.over:
                raise BoardError(
                    f"{board.name} printed no banner within {START_TIMEOUT_S:.0f} s: build it anew "
                    f"(`einthoven build {board.name}`)"
                )
            link.settimeout(LOOK_S)
            try:
                chunk = link.recv(256)
            except TimeoutError:
                continue
            except OSError:
                chunk = b""
            if not chunk:  # it hung up: it is about to end
                time.sleep(LOOK_S)
            seen += chunk


def _end(process: subprocess.Popen[bytes]) -> None:
    process.terminate()
    try:
        process.wait(timeout=5)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
