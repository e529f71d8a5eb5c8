"""An image as its ELF file has it: what lies in the flash, and what runs where."""

from pathlib import Path

from elftools.elf.elffile import ELFFile
from elftools.elf.sections import SymbolTableSection


class Program:
    """Of a file. Raises AssertionError for one that a linker has not made whole."""

    def __init__(self, path: Path) -> None:
        self.loaded: list[tuple[int, bytes]] = []
        """Address in the flash, and content."""
        self.code: list[tuple[int, bytes]] = []
        """The same by the address that it runs from."""
        self._functions: dict[str, range] = {}
        with path.open("rb") as file:
            elf = ELFFile(file)
            self.riscv = elf["e_machine"] == "EM_RISCV"
            for segment in elf.iter_segments("PT_LOAD"):
                if segment["p_filesz"]:
                    self.loaded.append((int(segment["p_paddr"]), bytes(segment.data())))
                    self.code.append((int(segment["p_vaddr"]), bytes(segment.data())))
            table = elf.get_section_by_name(".symtab")
            assert isinstance(table, SymbolTableSection)
            for symbol in table.iter_symbols():
                begin, size = symbol["st_value"] & ~1, symbol["st_size"]
                if symbol["st_info"]["type"] == "STT_FUNC" and size:
                    self._functions[f"{symbol.name} {begin:x}"] = range(begin, begin + size, 2)

    @property
    def functions(self) -> list[tuple[int, bytes]]:
        """Address and code of each."""
        found = {}
        for part in self._functions.values():
            for begin, content in self.code:
                if begin <= part.start and part.start + len(part) * 2 <= begin + len(content):
                    at = part.start - begin
                    found[part.start] = content[at : at + 2 * len(part)]
        return list(found.items())

    def waits(self, names: tuple[str, ...]) -> list[range]:
        """Where functions of these names lie, in steps of half-words."""
        return [part for name, part in self._functions.items() if name.split()[0] in names]
