"""The Raspberry Pi Pico's image on an emulated RP2040, beside whatever board is under test."""

import subprocess
from pathlib import Path

import pytest

from einthoven.boards.board import build, load_board
from einthoven.paths import BOARDS

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
