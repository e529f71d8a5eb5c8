"""What the boot ROMs of Raspberry Pi Pico, Pico 2 and ESP32-C3 ask of an image."""

import struct
import subprocess
import tomllib
from pathlib import Path

import pytest
from elftools.elf.elffile import ELFFile
from elftools.elf.sections import SymbolTableSection

from einthoven.boards import uf2
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


def test_the_rp2350s_boot_rom_would_take_the_image() -> None:
    """PICOBIN's block in the first 4 KB (data sheet, 5.9.5.1), the vectors at the begin."""
    board = load_board("pico2")
    build(board)
    image = board.program.with_suffix(".bin").read_bytes()
    words = struct.unpack("<1024I", image[:4096])
    assert words.count(0xFFFFDED3) == 1
    at = words.index(0xFFFFDED3)
    kind, last, following, end = words[at + 1 : at + 5]
    assert kind == 0x10210142  # one word: an executable for the Secure Arm cores of an RP2350
    assert last == 0x000001FF  # after one word of items
    assert following == 0  # a loop of this block alone
    assert end == 0xAB123579
    assert words[0] == 0x20000800  # 2 KB of stack at the bottom of RAM
    assert 0x10000000 < words[1] < 0x10000000 + len(image) and words[1] % 2 == 1


def test_the_pico_2s_file_is_for_its_arm_cores() -> None:
    block = uf2.encode(bytes(300), uf2.FAMILIES["rp2350"])[:512]
    address, family = (struct.unpack_from("<I", block, at)[0] for at in (12, 28))
    assert (address, family) == (0x10000000, 0xE48BFF59)
    flash = tomllib.loads((BOARDS / "pico2" / "board.toml").read_text())["flash"]
    assert flash["uf2"]["family"] == "rp2350" and flash["address"] == address


def test_the_esp32_c3s_boot_rom_would_start_the_image() -> None:
    """Direct boot: two words of magic, then instructions; data at the same distance elsewhere."""
    board = load_board("esp32c3")
    build(board)
    image = board.program.with_suffix(".bin").read_bytes()
    assert struct.unpack("<2I", image[:8]) == (0xAEDB041D, 0xAEDB041D)
    with board.program.open("rb") as file:
        elf = ELFFile(file)
        assert elf.header.e_entry == 0x42000008
        sections = {s.name: s for s in elf.iter_sections()}
        text, rodata, data = (sections[name] for name in (".text", ".rodata", ".data"))
        table = sections[".symtab"]
        assert isinstance(table, SymbolTableSection)
        found = table.get_symbol_by_name("_data_load")
        assert found is not None
        (load,) = found
        at = rodata["sh_addr"] - 0x3C000000
        assert at == text["sh_size"]
        assert image[at : at + rodata["sh_size"]] == rodata.data()
        at = load["st_value"] - 0x3C000000
        assert image[at : at + data["sh_size"]] == data.data()
        assert len(image) == at + data["sh_size"]
