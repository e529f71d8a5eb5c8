"""The serial flash behind the XIP window, by what the boot ROM's functions do to it.

Sectors of 4 KB, pages of 256 bytes, bits that only fall (W25Q16JV and W25Q32RV, 9.6: 400 ms a
sector, 3 ms a page at most, which are taken). Nothing can be read from the window between leaving
it and setting it up again, as the ROM's functions ask for (RP2350's data sheet, 5.4.8; RP2040's
2.8.3.1.3); what of the cache is stale is a mistake of the firmware's, which ends the run.
"""

import ctypes
from collections.abc import Callable

from unicorn import UC_PROT_EXEC, UC_PROT_NONE, UC_PROT_READ, Uc

from einthoven.hil_tests.chips.rp.block import Stop

WINDOW = 0x10000000
SECTOR, PAGE, BLOCK = 4096, 256, 65536
BLOCK_COMMAND = 0xD8
SECTOR_NS, PAGE_NS = 400_000_000, 3_000_000


class Flash:
    """Of so many bytes. `spend`: told the nanoseconds that the core waits."""

    def __init__(self, uc: Uc, size: int, spend: Callable[[int], None], stop: Stop) -> None:
        self._uc, self.size, self._spend, self._stop = uc, size, spend, stop
        memory = ctypes.create_string_buffer(size)
        self.window = memoryview(memory).cast("B")
        """What is read through the XIP window."""
        uc.mem_map_ptr(WINDOW, size, UC_PROT_READ | UC_PROT_EXEC, ctypes.addressof(memory))
        self.content = bytearray(b"\xff" * size)
        self.erased = self.programmed = 0
        """Sectors and pages, so far."""
        self._changed: list[tuple[int, int]] = [(0, size)]
        """Where the window does not show yet what the flash holds: place and bytes."""
        self.reset()

    def put(self, at: int, content: bytes) -> None:
        """By a programmer, from outside."""
        self.content[at : at + len(content)] = content
        self._changed.append((at, len(content)))

    def reset(self) -> None:
        """The window as a boot ROM leaves it."""
        self._connected = self.out = False
        self._uc.mem_protect(WINDOW, self.size, UC_PROT_READ | UC_PROT_EXEC)
        for at, n in self._changed:  # code, too
            self._uc.ctl_remove_cache(WINDOW + at, WINDOW + at + n)
        self.flush_cache()

    def connect(self) -> None:
        """The pins are the flash interface's."""
        self._connected = True

    def exit_xip(self) -> None:
        """The flash takes commands from now on; nobody reads from the window."""
        if not self._connected:
            self._stop("the flash is spoken to before it is connected")
        self.out = True
        self._uc.mem_protect(WINDOW, self.size, UC_PROT_NONE)

    def enter_xip(self) -> None:
        """The window can be read again."""
        if self._changed:
            self._stop("the window is set up, and the cache is stale: flash_flush_cache first")
        self.out = self._connected = False
        self._uc.mem_protect(WINDOW, self.size, UC_PROT_READ | UC_PROT_EXEC)

    def flush_cache(self) -> None:
        """What is read from now on is the flash's."""
        for at, n in self._changed:
            self.window[at : at + n] = bytes(self.content[at : at + n])
        self._changed.clear()

    def erase(self, at: int, n: int, block: int, command: int) -> None:
        """Whole sectors; blocks where one fits, by their own command."""
        if (at | n) % SECTOR or at + n > self.size or not n:
            self._stop(f"{n} bytes are erased at {at:#x}: no sectors of this flash")
            return
        if (block, command) != (BLOCK, BLOCK_COMMAND):
            self._stop(f"{command:#x} is no erase command for {block} bytes")
        self._require_out("erased", at, n)
        self.content[at : at + n] = b"\xff" * n
        self.erased += n // SECTOR
        self._spend(n // SECTOR * SECTOR_NS)

    def program(self, at: int, content: bytes) -> None:
        """Whole pages."""
        n = len(content)
        if (at | n) % PAGE or at + n > self.size or not n:
            self._stop(f"{n} bytes are programmed at {at:#x}: no pages of this flash")
            return
        self._require_out("programmed", at, n)
        before = self.content[at : at + n]
        self.content[at : at + n] = bytes(a & b for a, b in zip(before, content, strict=True))
        self.programmed += n // PAGE
        self._spend(n // PAGE * PAGE_NS)

    def _require_out(self, what: str, at: int, n: int) -> None:
        if not self.out:
            self._stop(f"the flash is {what} while it is read from")
        self._changed.append((at, n))
