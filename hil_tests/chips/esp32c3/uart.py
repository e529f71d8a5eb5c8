"""UART0 of the ESP32-C3 (technical reference manual, 26): what a host sends and hears.

Registers of the UART's own clock count from when UART_REG_UPDATE takes them over (26.5.1). Bytes
leave only over a transmitter that has clock, memory, frame and baud rate; they take no time. Bytes
come one after the other at the line's rate, into 128 bytes: what finds no room is lost, and told.
"""

from collections import deque
from collections.abc import Callable

FIFO, INT_RAW, INT_ST, INT_ENA, INT_CLR, CLKDIV = 0x00, 0x04, 0x08, 0x0C, 0x10, 0x14
STATUS, CONF0, CONF1, FSM_STATUS, CLK_CONF, ID = 0x1C, 0x20, 0x24, 0x6C, 0x78, 0x80
RX_FULL, RX_OVERFLOW, RX_TIMEOUT = 1 << 0, 1 << 4, 1 << 8
UPDATE, RX_RESET, RX_TIMEOUT_EN = 1 << 31, 1 << 17, 1 << 21
FIFO_BYTES = 128
XTAL_HZ, BAUD = 40e6, 460800
BYTE_NS = 10 * 1_000_000_000 // BAUD
FRAME = 1 << 28 | 3 << 2 | 1 << 4
"""UART_CONF0: 8N1, and the clock of the memory that is the FIFOs."""
CLOCKS = 3 << 20 | 1 << 22 | 1 << 24 | 1 << 25
"""UART_CLK_CONF: from the crystal, for both directions."""


class Uart:
    """`sent`: by the firmware; `coming`: towards it; `stop`: told a mistake of the firmware's."""

    def __init__(self, sent: bytearray, coming: bytearray, stop: Callable[[str], None]) -> None:
        self._sent, self._coming, self._stop = sent, coming, stop
        self.reset()

    def reset(self) -> None:
        """As after any reset, and the ROM's words: 115200 baud."""
        self._reg = {INT_ENA: 0, CLKDIV: 347, CONF0: FRAME, CONF1: 0x60, CLK_CONF: CLOCKS}
        self._taken_over = dict(self._reg)
        self._came: deque[int] = deque()
        self._raw = 0
        self._byte_ns: int | None = None
        """When the last byte came."""

    @property
    def interrupts(self) -> bool:
        """Whether it asks for its interrupt."""
        return self._raw & self._reg[INT_ENA] != 0

    def next_ns(self, now_ns: int) -> int | None:
        """When it will ask for its interrupt, if nobody takes a byte before; None: never."""
        wanted = (self._taken_over[CONF1] & 0x1FF) + 1 - len(self._came)
        if self._coming:
            last = now_ns if self._byte_ns is None else self._byte_ns
            return last + BYTE_NS * max(1, min(wanted, len(self._coming)))
        return now_ns if self._came and not self._raw & RX_TIMEOUT else None

    def run(self, now_ns: int) -> None:
        """What has come until then."""
        if self._coming:
            last = now_ns - BYTE_NS if self._byte_ns is None else self._byte_ns
            some = bytes(self._coming[: max(0, (now_ns - last) // BYTE_NS)])
            del self._coming[: len(some)]
            self._byte_ns = last + BYTE_NS * len(some)
            self._take(some)
        if not self._coming:
            self._byte_ns = None
            if self._came and self._taken_over[CONF1] & RX_TIMEOUT_EN:
                self._raw |= RX_TIMEOUT
        if len(self._came) > self._taken_over[CONF1] & 0x1FF:
            self._raw |= RX_FULL

    def read(self, offset: int) -> int | None:
        """None: not modelled."""
        if offset == FIFO:
            if not self._came:
                self._stop("UART0's FIFO is read, and empty")
                return 0
            return self._came.popleft()
        if offset == INT_ST:
            return self._raw & self._reg[INT_ENA]
        if offset == STATUS:
            return len(self._came)
        if offset in (FSM_STATUS, ID):  # a byte takes no time, nor does an update
            return 0
        return self._reg.get(offset)

    def write(self, offset: int, value: int) -> bool:
        """False: not modelled."""
        if offset == FIFO:
            self._send(value & 0xFF)
        elif offset == INT_CLR:
            self._raw &= ~value
        elif offset == ID and value & UPDATE:
            self._taken_over = dict(self._reg)
            if self._reg[CONF0] & RX_RESET:
                self._came.clear()
        elif offset in self._reg:
            self._reg[offset] = value
        else:
            return False
        return True

    def _good(self) -> bool:
        now = self._taken_over
        divider = (now[CLKDIV] & 0xFFF) + (now[CLKDIV] >> 20 & 15) / 16
        fits = abs(XTAL_HZ / divider / BAUD - 1) < 0.02
        return fits and now[CONF0] == FRAME and now[CLK_CONF] & CLOCKS == CLOCKS

    def _send(self, byte: int) -> None:
        if not self._good():
            settings = ", ".join(f"{k:#x}: {v:#x}" for k, v in self._taken_over.items())
            self._stop(f"a byte is sent, and UART0 is set up otherwise: {settings}")
        self._sent.append(byte)

    def _take(self, some: bytes) -> None:
        if not self._good():
            self._stop("a byte comes, and UART0 is not set up for it")
        for byte in some:
            if len(self._came) < FIFO_BYTES:
                self._came.append(byte)
            else:
                self._raw |= RX_OVERFLOW
