"""A device on each front end: driver, model of the part, and whatever goes wrong between them."""

import dataclasses
import time
from pathlib import Path

import pytest

from einthoven.boards.board import Board, build, load_board, running
from einthoven.hil_tests.harness.alone import DeviceStatus, set_mode, status
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


def until_samples(device: Device, n: int) -> DeviceStatus:
    end = time.monotonic() + PATIENCE_S
    now = status(device)
    while now.samples < n:
        assert time.monotonic() < end, now
        now = status(device)
    return now


@pytest.mark.parametrize("part", ["ad8232", "ads1292r", "max30003"])
def test_a_strip_loses_nothing(part: str, tmp_path: Path) -> None:
    with running(device_on(part, tmp_path, ())) as url, Device(url) as device:
        set_mode(device, "strip")
        until_samples(device, 30 * 180)
        end = time.monotonic() + PATIENCE_S
        while (done := status(device)).mode != "ready":
            assert time.monotonic() < end, done
        assert (done.samples, done.samples_lost, done.recordings) == (30 * 180, 0, 1)
        assert done.verdict == "O"  # the record has ventricular beats


@pytest.mark.parametrize("part", ["ad8232", "ads1292r", "max30003"])
def test_through_every_fault_it_records_on(part: str, tmp_path: Path) -> None:
    with running(device_on(part, tmp_path, FAULTS)) as url, Device(url) as device:
        set_mode(device, "continuous")
        now = until_samples(device, 80 * 180)
        assert now.mode == "continuous" and now.contact
        # A silent part is set up anew after 0.25 s, which takes up to 0.2 s more.
        assert 0 < now.samples_lost <= 3 * 180
        assert now.front_end_restarts == 0
        reply = device.ask("poll", "status", events_acked=0)
        assert reply["next_event"] > 60
