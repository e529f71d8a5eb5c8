"""UF2 by the format's own words, and the drive that takes it."""

import struct
from pathlib import Path

import pytest

from einthoven.boards import uf2
from einthoven.boards.uf2 import FAMILIES, encode, find_drive, main
from einthoven.errors import BoardError

PICO = FAMILIES["rp2040"]


def test_every_block_says_where_it_belongs() -> None:
    image = bytes(range(256)) * 2 + b"end"
    data = encode(image, PICO)
    assert len(data) == 3 * 512
    for number in range(3):
        block = data[512 * number : 512 * (number + 1)]
        words = struct.unpack("<8I", block[:32])
        assert words == (
            0x0A324655, 0x9E5D5157, 0x2000, 0x10000000 + 256 * number, 256, number, 3, 0xE48BFF56,
        )  # fmt: skip
        assert block[:4] == b"UF2\n"
        assert block[32:288] == image[256 * number : 256 * (number + 1)].ljust(256, b"\xff")
        assert struct.unpack("<I", block[508:]) == (0x0AB16F30,)
    with pytest.raises(ValueError, match="without a byte"):
        encode(b"", PICO)


def _drive(folder: Path, board_id: str) -> Path:
    folder.mkdir()
    (folder / uf2.INFO).write_text(f"UF2 Bootloader v3.0\r\nModel: x\r\nBoard-ID: {board_id}\r\n")
    return folder


def test_only_the_drive_of_such_a_chip_is_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    image = tmp_path / "firmware.bin"
    image.write_bytes(b"\1" * 700)
    other, pico = _drive(tmp_path / "other", "SAMD21"), tmp_path / "my drive"
    mounts = tmp_path / "mounts"
    mounts.write_text(f"a {other} vfat rw 0 0\nb {str(pico).replace(' ', chr(92) + '040')} vfat\n")
    monkeypatch.setattr(uf2, "MOUNTS", mounts)
    assert main([str(image), "rp2040"]) == 2
    assert "hold BOOTSEL while plugging the board in" in capsys.readouterr().err
    _drive(pico, "RPI-RP2")
    assert main([str(image), "rp2040"]) == 0
    assert (pico / "einthoven.uf2").read_bytes() == encode(image.read_bytes(), PICO)
    assert not (other / "einthoven.uf2").exists()
    with pytest.raises(BoardError, match="several boards wait"):
        find_drive(PICO, [pico, _drive(tmp_path / "second", "RPI-RP2")])


def test_what_cannot_be_written_is_one_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    image = tmp_path / "firmware.bin"
    assert main([str(image), "rp2040", "--out", str(tmp_path / "x.uf2")]) == 2
    image.write_bytes(b"\1")
    assert main([str(image), "rp2040", "--out", str(tmp_path / "nowhere" / "x.uf2")]) == 2
    assert "cannot write" in capsys.readouterr().err
