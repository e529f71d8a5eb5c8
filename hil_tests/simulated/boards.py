"""Which boards a simulated fleet has, and what is wrong with some of them, as planned."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from einthoven.boards.board import load_board
from einthoven.fleet.keys import write_key
from einthoven.fleet.proof import new_key
from einthoven.hil_tests.simulated.faults import with_corrupt_weights

Spoil = Callable[[Path, Path, str], None]
"""Makes a board bad: of its folder, of its key's file, and of the kind of board that it is."""


@dataclass(frozen=True)
class Planned:
    """A board of the fleet. `fails`: the items that its check must find; empty: it is good."""

    name: str
    board: str
    words: tuple[str, ...] = ()
    story: str = ""
    """What is wrong with it."""
    fails: frozenset[str] = frozenset()
    spoil: Spoil | None = None
    """Done to it after it was flashed."""
    unflashable: bool = False
    has_key: bool = False
    own_id: bool = False
    """Whether the fleet file has its id: an emulated chip has none."""
    dies_in_replay: bool = False


def _wrong_firmware(folder: Path, key: Path, board: str) -> None:
    other = load_board("host_device").program
    program = folder / load_board(board).program.name
    program.unlink()
    program.write_bytes(other.read_bytes())
    program.chmod(0o755)


def _corrupt_weights(folder: Path, key: Path, board: str) -> None:
    program = folder / load_board(board).program.name
    with_corrupt_weights(program, folder / "corrupt").replace(program)


def _dead(folder: Path, key: Path, board: str) -> None:
    _script(folder / load_board(board).program.name, "exit 1")


def _silent(folder: Path, key: Path, board: str) -> None:
    _script(folder / load_board(board).program.name, "exec sleep 600")


def _script(program: Path, line: str) -> None:
    program.unlink()
    program.write_text(f"#!/bin/sh\n{line}\n")
    program.chmod(0o755)


def _foreign_key(folder: Path, key: Path, board: str) -> None:
    key.unlink()
    write_key(key, new_key())


def _full_log(folder: Path, key: Path, board: str) -> None:
    log = folder / "log"
    log.unlink(missing_ok=True)
    log.symlink_to("/dev/full")


def _played(board: str, samples: str) -> tuple[str, ...]:
    play = load_board(board).play
    return tuple(word.format(samples=samples) for word in play.words) if play else ()


def planned(folder: Path) -> list[Planned]:
    """The thirty. `folder` has the files of signals: ecg.bin, ecg_chip.bin, flat.bin."""
    ecg, chip, flat = (str(folder / f"{name}.bin") for name in ("ecg", "ecg_chip", "flat"))
    adc, cell = ("--adc", ecg), ("--battery", "3900")
    device = (*adc, *cell)
    made: list[Planned] = []

    def add(board: str, words: tuple[str, ...] = (), **more: object) -> None:
        number = sum(p.board == board for p in made) + 1
        made.append(
            Planned(f"{board.replace('_', '-')}-{number:02d}", board, words, **more)  # type: ignore[arg-type]
        )

    for _ in range(7):
        add("host", adc, own_id=True)
    for _ in range(4):
        add("host_device", device, own_id=True, has_key=True)
    for _ in range(4):
        add("qemu_stm32f405")
    for _ in range(2):
        add("qemu_rv32")
    add("qemu_stm32f405_device", _played("qemu_stm32f405_device", chip))
    # Good, until the first long record: its record goes to another.
    add("host", (*adc, "--end-after", "60000"), own_id=True, dies_in_replay=True)

    def bad(story: str, board: str, words: tuple[str, ...], *fails: str, **more: object) -> None:
        add(board, words, story=story, fails=frozenset(fails), **more)

    bad("another board's firmware", "host", adc, "board", "flash", spoil=_wrong_firmware)
    bad("corrupt weights", "host", adc, "flash", "engine", "rhythm", spoil=_corrupt_weights)
    bad(
        "corrupt weights", "qemu_stm32f405", (), "flash", "engine", "rhythm", spoil=_corrupt_weights
    )
    bad("dead", "host", adc, "answers", spoil=_dead)
    bad("silent", "host", adc, "answers", spoil=_silent)
    bad("its flash cannot be written", "host", adc, "answers", unflashable=True)
    bad(
        "says another's id",
        "host",
        (*adc, "--serial", "513f"),
        "board",
        own_id=True,
        unflashable=True,
    )
    bad("clock 5 % fast", "host", (*adc, "--adc-ppm", "50000"), "sample clock")
    bad("sensor stuck", "host_device", ("--adc", flat, *cell), "signal")
    bad("flat cell", "host_device", (*adc, "--battery", "3200"), "battery", "own check")
    bad("another's key", "host_device", device, "key", "answers", spoil=_foreign_key, has_key=True)
    return made
