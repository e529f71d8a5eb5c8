"""The functions of the ESP32-C3's boot ROM that the image calls, and the flash that they write.

Addresses: ESP-IDF's components/esp_rom/esp32c3/ld/esp32c3.rom.ld; what they take and give:
rom/cache.h, rom/rtc.h, esp_rom_spiflash.h. The flash is a W25Q32JV by its data sheet, 9.6: 45 ms to
erase a sector, 0.4 ms to program some bytes. Interrupts are taken meanwhile. While the cache is
suspended the flash is not there.
"""

from collections.abc import Callable

FLASH_BYTES, SECTOR_BYTES, PAGE_BYTES = 0x400000, 0x1000, 0x100
SEEN_AT = 0x3C000000
ERASE_NS, PROGRAM_NS = 45_000_000, 400_000
WRITE_REG, WRITE_REG_MASK, UPDATE_CPU = 0x4000195C, 0x40001960, 0x40000588
SUSPEND, RESUME, INVALIDATE = 0x40000524, 0x40000528, 0x400004D4
CONFIG_PARAM, ERASE_SECTOR, WRITE = 0x40000134, 0x40000128, 0x4000012C
FUNCTIONS = (
    WRITE_REG,
    WRITE_REG_MASK,
    UPDATE_CPU,
    SUSPEND,
    RESUME,
    INVALIDATE,
    CONFIG_PARAM,
    ERASE_SECTOR,
    WRITE,
)
AUTOLOAD = 0x5A
"""What suspending tells, and resuming is to be told."""
PARAMETERS = (0, FLASH_BYTES, 0x10000, SECTOR_BYTES, PAGE_BYTES, 0xFFFF)


class Rom:
    """`flash`: what it holds; `put`: a write to the analogue parts, told as `Bus.put` is; `ram`:
    reads bytes of RAM, None where there is none; `show`: whether the flash is there from now on;
    `stop`: told a mistake of the firmware's.
    """

    def __init__(
        self,
        flash: bytearray,
        put: Callable[[int, int, int, int, int, int], str],
        ram: Callable[[int, int], bytes | None],
        show: Callable[[bool], None],
        stop: Callable[[str], None],
    ) -> None:
        self._flash, self._put, self._ram, self._show, self._stop = flash, put, ram, show, stop
        self.erased = self.programmed = 0
        """Sectors, calls that wrote some bytes."""
        self.reset()

    def reset(self) -> None:
        """As a start leaves it: the cache works, nobody has said how large the flash is."""
        self._parameters: tuple[int, ...] = ()
        self._suspended = False
        self.stale: list[tuple[int, int]] = []
        """Places and bytes that were written, and that the cache was not told to read anew."""
        self._until_ns: int | None = None
        self.cpu_mhz = 0
        self._show(True)

    def call(self, at: int, a: list[int], now_ns: int) -> int | None:
        """A function is entered with eight arguments; its result, or None: it takes longer."""
        if at == WRITE_REG:
            return self._analogue([*a[:3], 7, 0, a[3]])
        if at == WRITE_REG_MASK:
            return self._analogue(a[:6])
        if at == UPDATE_CPU:
            self.cpu_mhz = a[0]
            return 0
        if at == SUSPEND:
            self._suspended = True
            self._show(False)
            return AUTOLOAD
        if at == RESUME:
            return self._resume(a[0])
        if at == INVALIDATE:
            first, last = a[0] - SEEN_AT, a[0] - SEEN_AT + a[1]
            self.stale = [(b, n) for b, n in self.stale if b < first or b + n > last]
            return 0
        if at == CONFIG_PARAM:
            self._parameters = tuple(a[:6])
            return 0
        return self._command(at, a, now_ns)

    def _analogue(self, a: list[int]) -> int:
        if wrong := self._put(*a):
            self._stop(wrong)
        return 0

    def _resume(self, autoload: int) -> int:
        if autoload != AUTOLOAD:
            self._stop(f"the cache is resumed with {autoload:#x}")
        self._suspended = False
        self._show(True)
        return 0

    def _command(self, at: int, a: list[int], now_ns: int) -> int | None:
        if not self._suspended or self._parameters != PARAMETERS:
            self._stop(f"the flash is written with the cache on, or as {self._parameters}")
            return 1
        if self._until_ns is None:
            self._until_ns = now_ns + (ERASE_NS if at == ERASE_SECTOR else PROGRAM_NS)
        if now_ns < self._until_ns:
            return None
        self._until_ns = None
        if at == ERASE_SECTOR:
            return self._erase(a[0] * SECTOR_BYTES)
        return self._write(a[0], a[1], a[2])

    def _erase(self, begin: int) -> int:
        if begin >= FLASH_BYTES:
            self._stop(f"the sector at {begin:#x} is erased, which the flash does not have")
            return 1
        self._flash[begin : begin + SECTOR_BYTES] = b"\xff" * SECTOR_BYTES
        self.stale.append((begin, SECTOR_BYTES))
        self.erased += 1
        return 0

    def _write(self, at: int, source: int, n: int) -> int:
        content = self._ram(source, n)
        if content is None or (at | source | n) & 3 or at + n > FLASH_BYTES:
            self._stop(f"{n} bytes at {source:#x} are written to {at:#x} of the flash")
            return 1
        if self._flash[at : at + n] != b"\xff" * n:
            self._stop(f"{at:#x} of the flash is programmed twice")
        self._flash[at : at + n] = content
        self.stale.append((at, n))
        self.programmed += 1
        return 0
