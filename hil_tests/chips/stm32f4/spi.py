"""SPI2 of an STM32F4 as the master of one part. RM0090 28.5, RM0383 20.5, RM0390 26.7.

`part` is what hangs on it: a byte to it, one back. Without one MISO is as its pull, or low.
"""

from collections.abc import Callable

from einthoven.hil_tests.chips import NS_PER_S
from einthoven.hil_tests.chips.armv7m import MistakeError

SPI2 = 0x40003800
CR1, CR2, SR, DR = 0x00, 0x04, 0x08, 0x0C
MSTR, SPE, SSI, SSM = 1 << 2, 1 << 6, 1 << 8, 1 << 9
RXNE, TXE, OVR = 1 << 0, 1 << 1, 1 << 6
MAX_HZ = 1_000_000
"""What the parts let a bus of this firmware have."""
FUNCTION, PINS = 5, (0x1D, 0x1E, 0x1F)


class Spi:
    """`require`: raises MistakeError where its pins are not its own."""

    def __init__(
        self,
        now_ns: Callable[[], int],
        bus_hz: Callable[[], int],
        require: Callable[[], None],
    ) -> None:
        self._now_ns, self._bus_hz, self._require = now_ns, bus_hz, require
        self.part: Callable[[int], int] = lambda byte: 0
        self.reset()

    def reset(self) -> None:
        """As after any reset: off."""
        self._reg = {CR1: 0, CR2: 0}
        self._received: int | None = None
        self._last = 0
        self._pending: tuple[int, int] | None = None

    @property
    def mode(self) -> int:
        """CPHA and CPOL."""
        return self._reg[CR1] & 3

    def read(self, offset: int) -> int | None:
        """None: not modelled."""
        self._finish()
        if offset == SR:
            return TXE | (self._received is not None) | (self._pending is not None) << 7
        if offset == DR:
            self._last = self._last if self._received is None else self._received
            self._received = None
            return self._last
        return self._reg.get(offset)

    def write(self, offset: int, value: int) -> bool:
        """False: not modelled. Raises MistakeError."""
        self._finish()
        if offset == DR:
            self._exchange(value & 0xFF)
        elif offset in self._reg:
            if offset == CR1 and self._pending is not None:
                raise MistakeError("SPI2 is set up while a byte is under way [BSY]")
            self._reg[offset] = value
        else:
            return False
        return True

    def _exchange(self, byte: int) -> None:
        self._require()
        control = self._reg[CR1]
        if control & (MSTR | SPE | SSM | SSI) != MSTR | SPE | SSM | SSI or control & 0xF880:
            raise MistakeError(f"SPI2 {control:#x}: no master of eight bits, both ways")
        hz = self._bus_hz() >> (control >> 3 & 7) + 1
        if hz > MAX_HZ:
            raise MistakeError(f"SPI2 at {hz} Hz")
        if self._pending is not None or self._received is not None:
            raise MistakeError("a byte to SPI2, and the one before was not fetched [28.3.8]")
        self._pending = self.part(byte), self._now_ns() + 8 * NS_PER_S // hz

    def _finish(self) -> None:
        if self._pending is not None and self._now_ns() >= self._pending[1]:
            self._received, self._pending = self._pending[0], None
