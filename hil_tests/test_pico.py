"""What the boot ROMs of Raspberry Pi Pico, Pico 2 and ESP32-C3 ask of an image."""

import struct
import subprocess
import tomllib
from pathlib import Path

import pytest
from elftools.elf.elffile import ELFFile
from elftools.elf.sections import SymbolTableSection

from einthoven.boards import resources, uf2
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


def test_ram_counts_the_code_that_is_copied_there(pico: str) -> None:
    """`.data` has nothing else here, so its segment is not writable."""
    board = load_board(pico)
    image = resources.measure(board)
    assert image is not None
    with board.program.open("rb") as file:
        sections = {s.name: s for s in ELFFile(file).iter_sections()}
        assert sections[".data"]["sh_size"] > 200 and not sections[".data"]["sh_flags"] & 1
        sizes = [sections[name]["sh_size"] for name in (".stack", ".data", ".bss")]
    assert image.ram_bytes == sum(sizes)


def test_the_rp2350s_boot_rom_would_take_the_image() -> None:
    """PICOBIN's block in the first 4 KB (data sheet, 5.9.5.1), the vectors at the begin."""
    board = load_board("pico2")
    build(board)
    assert resources.image_problems(board) == []
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


def test_the_rp2350s_boot_rom_would_enter_the_image_for_its_risc_v_cores() -> None:
    """The least block of 5.9.5.2, and code at the begin, where the ROM then enters."""
    board = load_board("pico2_riscv")
    build(board)
    assert resources.image_problems(board) == []
    image = board.program.with_suffix(".bin").read_bytes()
    words = struct.unpack("<1024I", image[:4096])
    at = words.index(0xFFFFDED3)
    assert words[at : at + 5] == (0xFFFFDED3, 0x11010142, 0x000001FF, 0, 0xAB123579)
    assert words.count(0xFFFFDED3) == 1
    with board.program.open("rb") as file:
        elf = ELFFile(file)
        assert elf.header.e_entry == 0x10000000 and elf["e_machine"] == "EM_RISCV"
        table = elf.get_section_by_name(".symtab")
        assert isinstance(table, SymbolTableSection)
        places = {s.name: s["st_value"] - 0x10000000 for s in table.iter_symbols()}
    # mtvec's table (3.8.4.2) on 64 bytes: jumps for exceptions and for cause 11, the chip's lines.
    vectors = 0x40
    entries = {0: "ein_on_exception", 7: "ein_on_exception", 11: "ein_on_external"}
    for cause, name in entries.items():
        at = vectors + 4 * cause
        assert at + _jump(words[at // 4]) == places[name]


def _jump(word: int) -> int:
    """How far a JAL goes (RISC-V unprivileged specification, 2.5: J-type)."""
    assert word & 0x7F == 0x6F and word >> 7 & 0x1F == 0  # and links nothing
    far = (word >> 21 & 0x3FF) << 1 | (word >> 20 & 1) << 11 | (word >> 12 & 0xFF) << 12
    return far - (word >> 31 << 20)


@pytest.mark.parametrize(
    ("board", "family", "number"),
    [("pico2", "rp2350", 0xE48BFF59), ("pico2_riscv", "rp2350-riscv", 0xE48BFF5A)],
)
def test_the_pico_2s_file_is_for_its_cores(board: str, family: str, number: int) -> None:
    """By the families of the data sheet's 5.5.3."""
    block = uf2.encode(bytes(300), uf2.FAMILIES[family])[:512]
    assert struct.unpack_from("<I", block, 12)[0] == 0x10000000
    assert struct.unpack_from("<I", block, 28)[0] == number
    flash = tomllib.loads((BOARDS / board / "board.toml").read_text())["flash"]
    assert flash["uf2"]["family"] == family and flash["address"] == 0x10000000


def test_the_esp32_c3s_boot_rom_would_start_the_image() -> None:
    """Direct boot: two words of magic, then instructions; data at the same distance elsewhere; and
    what start-up copies to RAM, code first."""
    board = load_board("esp32c3")
    build(board)
    assert resources.image_problems(board) == []
    image = board.program.with_suffix(".bin").read_bytes()
    assert struct.unpack("<2I", image[:8]) == (0xAEDB041D, 0xAEDB041D)
    with board.program.open("rb") as file:
        elf = ELFFile(file)
        assert elf.header.e_entry == 0x42000008
        sections = {s.name: s for s in elf.iter_sections()}
        names = (".text", ".rodata", ".ram_code", ".data")
        text, rodata, code, data = (sections[name] for name in names)
        table = sections[".symtab"]
        assert isinstance(table, SymbolTableSection)
        found = table.get_symbol_by_name("_data_load")
        assert found is not None
        (load,) = found
        at = rodata["sh_addr"] - 0x3C000000
        assert at == text["sh_size"]
        assert image[at : at + rodata["sh_size"]] == rodata.data()
        at = load["st_value"] - 0x3C000000
        copied = code.data() + data.data()
        assert image[at:] == copied
        assert code["sh_addr"] - 0x40380000 == sections[".ram_code_room"]["sh_addr"] - 0x3FC80000
