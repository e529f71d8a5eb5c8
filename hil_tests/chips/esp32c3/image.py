"""What an image of direct boot puts into the flash, and where the model has to look at it."""

import struct
from collections.abc import Iterator
from pathlib import Path

from elftools.elf.elffile import ELFFile

CODE = 0x42000000
"""Where the flash's begin appears as instructions."""
SELF_JUMP, SETS_MSTATUS = 0xA001, 0x30002073
"""c.j to itself; csrs and csrsi without their source."""


def loaded(program: Path) -> bytes:
    """What the flash holds, by where the program is loaded."""
    content = bytearray()
    with program.open("rb") as file:
        for segment in ELFFile(file).iter_segments("PT_LOAD"):
            if segment["p_filesz"] and segment["p_paddr"] >= CODE:
                at = segment["p_paddr"] - CODE
                content = content.ljust(at + segment["p_filesz"], b"\xff")
                content[at : at + segment["p_filesz"]] = segment.data()
    return bytes(content)


def watched(content: bytes) -> Iterator[tuple[int, str]]:
    """Where instructions stand at which the core is stopped, and why; also where only such bits do,
    which does no harm.
    """
    for at in range(0, len(content) - 3, 2):
        (word,) = struct.unpack_from("<I", content, at)
        if word & 0xFFFF == SELF_JUMP:
            yield at, "stands"
        elif word & 0xFFF0307F == SETS_MSTATUS and word >> 15 & 31:
            yield at + 4, "unmasked"
