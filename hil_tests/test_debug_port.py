"""OpenOCD and pyOCD themselves write a model of the Blue Pill's chip, over the chip's debug port
(hil_tests/chips/debug/); and it then runs what was written.
"""

import dataclasses
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from einthoven.boards.board import Board, build, load_board
from einthoven.fleet import lock, usb
from einthoven.fleet.firmware import as_built
from einthoven.fleet.flashers import openocd, pyocd, run
from einthoven.fleet.flashers.job import Job
from einthoven.fleet.flashers.registry import choose
from einthoven.fleet.flashers.trouble import FlashError, Trouble
from einthoven.fleet.flashing import Flashing, plan
from einthoven.fleet.inventory import Entry, Fleet
from einthoven.fleet.ledger import Ledger
from einthoven.fleet.testing.machine import Machine
from einthoven.fleet.usb import UsbDevice
from einthoven.hil_tests.chips.debug import pyocd_probe, stm32f4
from einthoven.hil_tests.chips.debug.access_port import (
    CTRL_STAT,
    DRW,
    SELECT,
    STICKY_ERROR,
    TAR,
    DebugPort,
)
from einthoven.hil_tests.chips.debug.jtag import on_a_socket
from einthoven.hil_tests.chips.debug.stm32f103 import Debugged
from einthoven.hil_tests.chips.served import serving
from einthoven.hil_tests.chips.stm32f103 import chip as f1
from einthoven.hil_tests.chips.stm32f103.flash import PAGE_BYTES
from einthoven.hil_tests.harness.introduce import introduce

UID = "".join(f"{word:08x}" for word in f1.IDENTITY)
FORMER = b"\xa5" * f1.FLASH_BYTES
BOARD = load_board("blue_pill")


@pytest.fixture(scope="module")
def program() -> Path:
    return build(BOARD)


@contextmanager
def _probe(
    chip: Debugged | stm32f4.Stm32f4, folder: Path, board: Board = BOARD
) -> Iterator[dict[str, Any]]:
    """What board.toml says of OpenOCD, with that chip's port in place of the probe."""
    with on_a_socket(chip.chain) as port:
        config = folder / f"probe-{port}.cfg"
        config.write_text(
            "adapter driver remote_bitbang\nremote_bitbang host localhost\n"
            f"remote_bitbang port {port}\ntransport select jtag\n"
        )
        settings = dict(choose(board, "openocd")[1])
        probe, *target = settings["config"]
        assert probe == "interface/stlink.cfg"
        yield {**settings, "config": [str(config), *target]}


@pytest.fixture
def piece(tmp_path: Path) -> Path:
    """An image that is written in no time."""
    path = tmp_path / "piece.bin"
    path.write_bytes(bytes(range(1, 256)) * 8)
    return path


@contextmanager
def _pyocd(chip: Debugged, folder: Path) -> Iterator[Job]:
    """The job for pyOCD: the larger chip is one that it knows without a package."""
    probe = pyocd_probe.Probe(chip.port, chip.chain, chip.core.pull_reset)
    with pyocd_probe.on_a_port(probe) as number:
        settings = {**choose(BOARD, "pyocd")[1], "target": "stm32f103rc"}
        usb_device = UsbDevice("9-9", "0483:374b", number, "probe", folder)
        yield Job("clinic-01", BOARD.name, folder, folder, settings, probe=usb_device)


@contextmanager
def _openocd(chip: Debugged, folder: Path) -> Iterator[Job]:
    with _probe(chip, folder) as settings:
        yield Job("clinic-01", BOARD.name, folder, folder, settings)


TOOLS = {"openocd": (openocd.TOOL, _openocd), "pyocd": (pyocd.TOOL, _pyocd)}


def _flash(tool: str, chip: Debugged, image: Path, device: str = "") -> str:
    flasher, of_chip = TOOLS[tool]
    with of_chip(chip, image.parent) as job:
        full = dataclasses.replace(job, program=image, image=image, id=device, scratch=image.parent)
        return run.flash(flasher, full, lambda done: None, threading.Event())


def _fails(tool: str, chip: Debugged, image: Path, device: str = "") -> FlashError:
    with pytest.raises(FlashError) as caught:
        _flash(tool, chip, image, device)
    assert "\n" not in str(caught.value)
    return caught.value


def _chip(tool: str, program: Path, **fault: Any) -> Debugged:
    chip = Debugged(program, big_pages=tool == "pyocd", **fault)
    chip.flash_anew(FORMER)
    return chip


each_tool = pytest.mark.parametrize("tool", TOOLS)


@each_tool
def test_the_chip_that_is_meant_is_written(tool: str, program: Path, piece: Path) -> None:
    chip = _chip(tool, program)
    _flash(tool, chip, piece, UID)
    image = piece.read_bytes()
    written = -(-len(image) // PAGE_BYTES) * PAGE_BYTES
    assert chip.flashed()[:written] == image.ljust(written, b"\xff")
    assert chip.flashed()[written:] == FORMER[written:]


@each_tool
@pytest.mark.parametrize(
    ("fault", "device", "trouble", "says"),
    [
        ({"identity": 0x20036414}, "", Trouble.WRONG_CHIP, "kind 0x414 .* has 0x410"),
        ({}, UID[:-1] + "0", Trouble.WRONG_CHIP, f"chip there is {UID}, and the fleet"),
        ({"locked": True}, UID, Trouble.LOCKED, "unlocking erases all of it"),
    ],
    ids=["kind", "id", "locked"],
)
def test_another_chip_and_a_locked_one_are_left_as_they_are(
    fault: dict[str, Any],
    device: str,
    trouble: Trouble,
    says: str,
    tool: str,
    program: Path,
    piece: Path,
) -> None:
    chip = _chip(tool, program, **fault)
    failure = _fails(tool, chip, piece, device)
    assert failure.trouble is trouble
    with pytest.raises(FlashError, match=says):
        raise failure
    assert chip.flashed() == FORMER


@each_tool
@pytest.mark.parametrize(
    ("when", "trouble"),
    [
        (lambda chip: True, Trouble.NOT_THERE),
        (lambda chip: chip.flash.erased > 0, Trouble.LINK_LOST),
        (lambda chip: chip.flash.programmed > 200, Trouble.LINK_LOST),
    ],
    ids=["before", "erasing", "writing"],
)
def test_a_cable_that_is_pulled(
    when: Callable[[Debugged], bool], trouble: Trouble, tool: str, program: Path, piece: Path
) -> None:
    chip = _chip(tool, program)
    chip.chain.pulled = lambda: when(chip)
    assert _fails(tool, chip, piece).trouble is trouble


def test_a_cable_that_is_pulled_while_openocd_verifies(program: Path, piece: Path) -> None:
    """The second code that the core runs is the one that verifies, which then fails, too."""
    chip = _chip("openocd", program)
    chip.chain.pulled = lambda: chip.core.started == 2
    assert _fails("openocd", chip, piece).trouble is Trouble.LINK_LOST


@each_tool
def test_a_half_word_that_does_not_take(tool: str, program: Path, piece: Path) -> None:
    chip = _chip(tool, program, worn=700)
    assert _fails(tool, chip, piece).trouble is Trouble.NOT_VERIFIED


def test_a_chip_is_flashed_at_the_second_try_and_says_who_it_is(
    program: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """All of `einthoven flash`: another one beside it is locked, and no business of its."""
    machine = Machine(tmp_path / "machine")
    monkeypatch.setattr(usb, "SYSFS", machine.sys)
    monkeypatch.setattr(usb, "DEV", machine.dev)
    monkeypatch.setattr(lock, "FOLDER", tmp_path / "locks")
    chip, locked = _chip("openocd", program), _chip("openocd", program, locked=True)
    chip.chain.pulled = lambda: chip.flash.programmed > 1000

    def told(name: str, done: float, what: str) -> None:
        if name == "clinic-01" and "second try" in what:
            chip.chain.pulled = lambda: False

    with (
        serving(chip) as url,
        _probe(chip, tmp_path) as settings,
        _probe(locked, tmp_path) as others,
    ):
        devices = tuple(
            Entry(name, board=BOARD.name, flasher="openocd", probe=f"serial:{name}", port=port)
            for name, port in (("clinic-01", url), ("clinic-02", ""))
        )
        for number, device in enumerate(devices, 1):
            machine.plug(f"1-{number}", "0483:374b", serial=device.name)
        fleet = Fleet(tmp_path / "fleet.toml", devices)
        plans = [
            dataclasses.replace(plan(fleet, device, BOARD, as_built(BOARD)), settings=its)
            for device, its in zip(devices, (settings, others), strict=True)
        ]
        flashing = Flashing(fleet, Ledger(fleet.path), introduce, told)
        good, other = flashing.run(plans, 2)
    assert (good.outcome, good.tries, good.id) == ("flashed", 2, UID), good.message
    image = as_built(BOARD).image.read_bytes()
    assert chip.flashed()[: len(image)] == image
    assert good.verified == "read back by OpenOCD"
    assert other.outcome == Trouble.LOCKED.value


F4 = load_board("blackpill_f411ce")


@pytest.mark.parametrize(
    ("fault", "trouble"),
    [
        ({}, None),
        ({"identity": 0x10006421}, Trouble.WRONG_CHIP),
        ({"locked": True}, Trouble.LOCKED),
        ({"worn": 700}, Trouble.NOT_VERIFIED),
        ({"pulled": True}, Trouble.LINK_LOST),
    ],
    ids=["good", "kind", "locked", "worn", "pulled"],
)
def test_a_black_pill(
    fault: dict[str, Any], trouble: Trouble | None, piece: Path, tmp_path: Path
) -> None:
    """OpenOCD has another driver for it, with another loader."""
    pulled = "pulled" in fault
    chip = stm32f4.Stm32f4(**{name: value for name, value in fault.items() if name != "pulled"})
    chip.chain.pulled = lambda: pulled and chip.programmed > 200
    with _probe(chip, tmp_path, F4) as settings:
        job = Job("clinic-01", F4.name, piece, piece, settings, id=UID, scratch=tmp_path)
        if trouble is None:
            run.flash(openocd.TOOL, job, lambda done: None, threading.Event())
            assert chip.flashed().startswith(piece.read_bytes()) and chip.core.alone
            return
        with pytest.raises(FlashError) as caught:
            run.flash(openocd.TOOL, job, lambda done: None, threading.Event())
    assert caught.value.trouble is trouble, caught.value
    assert (chip.erased == chip.programmed == 0) == (
        trouble in (Trouble.WRONG_CHIP, Trouble.LOCKED)
    )


class _Words:
    """A bus of 8 KB."""

    def __init__(self) -> None:
        self.held = bytearray(8192)

    def load(self, address: int, size: int) -> int:
        return int.from_bytes(self.held[address : address + size], "little")

    def store(self, address: int, size: int, value: int) -> None:
        self.held[address : address + size] = value.to_bytes(size, "little")


def test_the_access_port_s_lanes_and_count() -> None:
    """IHI 0031: a byte lies in the lane of its address; TAR counts on within its block."""
    bus = _Words()
    port = DebugPort(bus, 0)
    port.write(False, SELECT, 0)
    port.write(True, 0, 0x10)  # bytes, counting
    port.write(True, TAR, 0xFFE)
    for value in (0x00AA0000, 0xBB000000, 0x000000CC):
        port.write(True, DRW, value)
    assert (bus.held[0xFFE], bus.held[0xFFF], bus.held[0]) == (0xAA, 0xBB, 0xCC)
    port.write(True, 0, 0x02)
    port.write(True, TAR, 0xFFC)
    assert port.read(True, DRW) == 0xBBAA0000
    assert port.read(True, TAR) == 0xFFC
    assert port.read(False, CTRL_STAT) & STICKY_ERROR == 0
