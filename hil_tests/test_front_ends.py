"""A device on each front end: driver, model of the part, and whatever goes wrong between them."""

import dataclasses
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from einthoven.boards.board import Board, build, load_board, running
from einthoven.errors import BoardError
from einthoven.hil_tests.harness.alone import DeviceStatus, set_mode, status
from einthoven.hil_tests.harness.beside import PARTS, image_for, with_front_end
from einthoven.hil_tests.harness.device import Device
from einthoven.records.synth import make_record

pytestmark = pytest.mark.board

FAULTS = ("20000 late 400", "30000 glitch", "40000 reset", "50000 spi 600", "60000 lead_p 900")
PATIENCE_S = 120.0


def device_on(part: str, folder: Path, faults: tuple[str, ...]) -> Board:
    """The process whose front end is the model of `part`, which sees 40 s of sinus rhythm."""
    board = load_board("host_device")
    build(board)
    # Halved: an AD8232 with a gain of 1100 saturates at 1.5 mV.
    (make_record(11, 40.0, 180.0).samples // 2).astype("<i2").tofile(folder / "ecg.bin")
    (folder / "faults.txt").write_text("\n".join(faults) + "\n" if faults else "")
    assert board.command is not None
    words = ("--fast", "--front-end", part, "--adc", str(folder / "ecg.bin"))
    return dataclasses.replace(
        board, command=(*board.command, *words, "--faults", str(folder / "faults.txt"))
    )


@pytest.mark.parametrize("part", PARTS)
def test_the_emulated_chip_reads_the_same_models(part: str, tmp_path: Path) -> None:
    """Self-test, a strip, and what goes wrong in between, on the drivers that the chip has."""
    board = image_for(load_board("qemu_stm32f405_device"), part)
    build(board)
    samples = make_record(11, 40.0, 180.0).samples // 2
    with (
        with_front_end(board, part, samples, tmp_path) as beside,
        running(beside) as url,
        Device(url) as device,
    ):
        assert until(device, lambda now: now.mode != "check").faults == ()
        set_mode(device, "strip")
        done = until(device, lambda now: now.mode == "ready")
        assert (done.samples, done.samples_lost, done.recordings) == (30 * 180, 0, 1)
        assert done.verdict == "O" and done.front_end_restarts == 0


def test_a_part_that_fails_its_self_test_records_nothing(tmp_path: Path) -> None:
    """The supply of an ADS1292R drops again and again while its noise is measured."""
    board = load_board("qemu_stm32f405_device")
    build(board)
    faults = [f"{500 + 200 * i} stuck 150" for i in range(100)]
    samples = make_record(11, 40.0, 180.0).samples // 2
    with (
        with_front_end(board, "ads1292r", samples, tmp_path, faults) as beside,
        running(beside) as url,
        Device(url) as device,
    ):
        now = until(device, lambda now: now.mode != "check")
        assert now.mode == "fault" and now.faults == ("front_end",)
        with pytest.raises(BoardError, match="not from this mode"):
            set_mode(device, "strip")


def until(device: Device, holds: Callable[[DeviceStatus], bool]) -> DeviceStatus:
    end = time.monotonic() + PATIENCE_S
    while not holds(now := status(device)):
        assert time.monotonic() < end, now
    return now


def until_samples(device: Device, n: int) -> DeviceStatus:
    return until(device, lambda now: now.samples >= n)


@pytest.mark.parametrize("part", PARTS)
def test_a_strip_loses_nothing(part: str, tmp_path: Path) -> None:
    with running(device_on(part, tmp_path, ())) as url, Device(url) as device:
        assert until(device, lambda now: now.mode != "check").faults == ()
        set_mode(device, "strip")
        done = until(device, lambda now: now.mode == "ready")
        assert (done.samples, done.samples_lost, done.recordings) == (30 * 180, 0, 1)
        assert done.verdict == "O"  # the record has ventricular beats


@pytest.mark.parametrize("part", PARTS)
def test_through_every_fault_it_records_on(part: str, tmp_path: Path) -> None:
    with running(device_on(part, tmp_path, FAULTS)) as url, Device(url) as device:
        until(device, lambda now: now.mode != "check")
        set_mode(device, "continuous")
        now = until_samples(device, 80 * 180)
        assert now.mode == "continuous" and now.contact
        # A silent part is set up anew after 0.25 s, which takes up to 0.2 s more.
        # An AD8232's conversions wait for a late interrupt, and there is no SPI that could fail.
        assert now.samples_lost == 0 if part == "ad8232" else 0 < now.samples_lost <= 3 * 180
        assert now.front_end_restarts == 0
        reply = device.ask("poll", "status", events_acked=0)
        assert reply["next_event"] > 60
