"""Compilers and emulators as the benches call them."""

import subprocess
from collections.abc import Sequence
from pathlib import Path

from elftools.elf.elffile import ELFFile
from elftools.elf.sections import Symbol, SymbolTableSection

from einthoven.errors import BuildError
from einthoven.tool_output import first_error


def run(command: Sequence[str]) -> str:
    """What a command printed. Raises BuildError."""
    try:
        done = subprocess.run(
            command, capture_output=True, text=True, check=False, stdin=subprocess.DEVNULL
        )
    except FileNotFoundError as error:
        raise BuildError(f"no '{command[0]}': run ./setup.sh dev") from error
    if done.returncode != 0:
        raise BuildError(f"{command[0]} failed: {first_error(done.stderr)}")
    return done.stdout


def symbols(elf: Path) -> list[Symbol]:
    """Of a program that was linked here, and is not stripped."""
    with elf.open("rb") as file:
        table = ELFFile(file).get_section_by_name(".symtab")
        assert isinstance(table, SymbolTableSection), f"{elf.name} is stripped"
        return list(table.iter_symbols())
