"""The Raspberry Pi Pico's image on an emulated RP2040, beside whatever board is under test."""

import subprocess
from dataclasses import asdict
from pathlib import Path

import numpy as np
import pytest

from einthoven.boards import resources
from einthoven.boards.board import build, load_board, running
from einthoven.hil_tests.harness.device import Device
from einthoven.hil_tests.harness.host import Host
from einthoven.hil_tests.harness.record import board_events
from einthoven.paths import BOARDS, SHIPPED_MODEL
from einthoven.records.synth import make_record

BOARD = "rp2040js_pico"


@pytest.fixture(scope="module")
def pico() -> str:
    board = load_board(BOARD)
    build(board)
    return BOARD


def _crc32(data: bytes) -> int:
    """As the boot ROM computes it: polynomial 04C11DB7, not reflected, begun with ones."""
    crc = 0xFFFFFFFF
    for byte in data:
        crc ^= byte << 24
        for _ in range(8):
            crc = (crc << 1 ^ 0x04C11DB7 if crc >> 31 else crc << 1) & 0xFFFFFFFF
    return crc


def test_the_boot_rom_would_take_the_boot_stage(pico: str, tmp_path: Path) -> None:
    """Assembled on its own and as it stands in the image: 252 bytes and their checksum."""
    assert _crc32(b"123456789") == 0x0376E6E7  # CRC-32/MPEG-2's check value
    source, made = BOARDS / "rp2040" / "boot2.S", tmp_path / "boot2.bin"
    command = ["arm-none-eabi-gcc", "-c", str(source), "-o", str(tmp_path / "boot2.o")]
    subprocess.run(command, check=True)
    command = ["arm-none-eabi-objcopy", "-O", "binary", "-j", ".boot2", str(tmp_path / "boot2.o")]
    subprocess.run([*command, str(made)], check=True)
    stage = made.read_bytes()
    assert len(stage) == 256
    assert int.from_bytes(stage[252:], "little") == _crc32(stage[:252])
    image = load_board(pico).program.with_suffix(".bin").read_bytes()
    assert image[:256] == stage
    stack, entry = (int.from_bytes(image[at : at + 4], "little") for at in (256, 260))
    assert stack == 0x20000800  # 2 KB at the bottom of RAM
    assert 0x10000100 < entry < 0x10000000 + len(image)
    assert entry % 2 == 1


def test_it_stays_within_the_limits_of_every_image(pico: str) -> None:
    image = resources.measure(load_board(pico))
    assert image is not None
    assert resources.check(pico, asdict(image)) == []
    assert image.stack_bound_bytes < image.stack_bytes
    assert load_board("pico").environment == "pico"  # the same sources under another name


def test_it_says_of_half_a_minute_what_the_host_says(pico: str) -> None:
    samples = make_record(3, 20.0, 180.0).samples
    expected, verdict, wrong = Host(SHIPPED_MODEL / "model.tflite", every=1).check(
        samples, 200, (-2048, 2047)
    )
    with running(load_board(pico)) as url, Device(url) as device:
        assert device.hello.count_unit == "cycles"
        replayed = device.replay(samples)
        told = board_events(replayed.events)
        info = device.info()
        device.reset()
        assert device.hello.reset_reason == "software"
    assert wrong is not None and wrong.differences == []
    rows = told.beats.copy()
    assert (rows["count"] > 1_000_000).all()
    rows["count"] = 0
    assert len(rows) > 15
    assert rows.tobytes() == expected.beats.tobytes()
    assert told.rhythm.tobytes() == expected.rhythm.tobytes()
    assert replayed.verdict == verdict
    assert info["rx_overruns"] == 0
    assert info["stack_used_bytes"] < info["stack_bytes"]
    counts = told.beats["count"].astype(np.int64)
    assert np.ptp(counts) < 0.01 * counts.max()  # clamps are branches there, and little else
