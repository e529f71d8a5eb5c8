"""Ways in which a simulated board is bad."""

from pathlib import Path

from elftools.elf.elffile import ELFFile
from elftools.elf.sections import SymbolTableSection

_WEIGHTS = "ein_model.c"
_CONSTANT = (".rodata", ".text")
"""Sections of constants, on this machine and on a chip."""
_STRIDE = 97


def with_corrupt_weights(program: Path, to: Path) -> Path:
    """A copy of an ELF program, some bits of whose largest table of the model are flipped.

    Raises ValueError if it has no such table.
    """
    data = bytearray(program.read_bytes())
    with program.open("rb") as file:
        elf = ELFFile(file)
        symbols = elf.get_section_by_name(".symtab")
        if not isinstance(symbols, SymbolTableSection):
            raise ValueError(f"{program} has no symbols")
        inside, best = False, None
        for symbol in symbols.iter_symbols():
            if symbol["st_info"]["type"] == "STT_FILE":
                inside = symbol.name == _WEIGHTS
            elif inside and symbol["st_info"]["type"] == "STT_OBJECT":
                place = symbol["st_shndx"]
                constant = isinstance(place, int) and elf.get_section(place).name in _CONSTANT
                if constant and (best is None or symbol["st_size"] > best["st_size"]):
                    best = symbol
        if best is None:
            raise ValueError(f"{program} has no tables of {_WEIGHTS}")
        section = elf.get_section(best["st_shndx"])
        at = section["sh_offset"] + best["st_value"] - section["sh_addr"]
        for i in range(0, best["st_size"], _STRIDE):
            data[at + i] ^= 0x40
    to.parent.mkdir(parents=True, exist_ok=True)
    to.write_bytes(bytes(data))
    to.chmod(0o755)
    return to
