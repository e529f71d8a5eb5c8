"""A USART of the STM32F4, byte by byte in its time. RM0383 19.6, RM0390 25.6, RM0090 30.6.

Bytes leave over a shift register behind DR, and come one after the other; one that comes before the
last was read is lost, and both flags ask for the interrupt. Left out: parity, noise, framing, DMA.
"""

from collections.abc import Callable

from einthoven.hil_tests.chips import NS_PER_S
from einthoven.hil_tests.chips.armv7m import MistakeError

SR, DR, BRR, CR1, CR2, CR3, GTPR = range(0, 28, 4)
ORE, RXNE, TC, TXE = 1 << 3, 1 << 5, 1 << 6, 1 << 7
RE, TE, RXNEIE, UE = 1 << 2, 1 << 3, 1 << 5, 1 << 13
TOLERANCE = 0.02
"""Of the rate, to either side."""


class Usart:
    """`baud`: of who is at the other end; `require`: raises MistakeError where pins or clock do not
    let a byte through; `bus_hz`: what it runs on.
    """

    def __init__(
        self,
        baud: int,
        now_ns: Callable[[], int],
        bus_hz: Callable[[], int],
        require: Callable[[], None],
    ) -> None:
        self.baud, self.byte_ns = baud, 10 * NS_PER_S // baud
        self._now_ns, self._bus_hz, self._require = now_ns, bus_hz, require
        self.sent = bytearray()
        self.coming = bytearray()
        self.reset()

    def reset(self) -> None:
        """As after any reset; what comes goes on coming."""
        self._reg = dict.fromkeys((BRR, CR1, CR2, CR3, GTPR), 0)
        self._data = self._flags = 0
        self._status_read = 0
        self._shifts_until_ns = self._empty_from_ns = 0
        self.lost = 0
        """Bytes that came and were not taken in time."""
        self._next_ns: int | None = None

    @property
    def due_ns(self) -> int | None:
        """When the next byte will have come; None: none comes."""
        if not self.coming:
            return None
        if self._next_ns is None:
            self._next_ns = self._now_ns() + self.byte_ns
        return self._next_ns

    @property
    def empty_ns(self) -> int:
        """When its data register takes the next byte to be sent."""
        return self._empty_from_ns

    def asks(self) -> bool:
        """For its interrupt."""
        return bool(self._reg[CR1] & RXNEIE and self._flags & (RXNE | ORE))

    def tick(self) -> None:
        """Bytes have come by now."""
        while (due := self.due_ns) is not None and due <= self._now_ns():
            byte = self.coming.pop(0)
            self._next_ns = due + self.byte_ns if self.coming else None
            if self._reg[CR1] & (UE | RE) != UE | RE:
                self.lost += 1
                continue
            self._require_rate()
            if self._flags & RXNE:
                self._flags |= ORE
                self.lost += 1
            else:
                self._data = byte
                self._flags |= RXNE

    def read(self, offset: int) -> int | None:
        """None: not modelled."""
        if offset == SR:
            now = self._now_ns()
            sends = (TXE if now >= self._empty_from_ns else 0) | (
                TC if now >= self._shifts_until_ns else 0
            )
            self._status_read = self._flags
            return self._flags | sends
        if offset == DR:
            self._flags &= ~(RXNE | self._status_read & ORE)
            return self._data
        return self._reg.get(offset)

    def write(self, offset: int, value: int) -> bool:
        """False: not modelled. Raises MistakeError."""
        if offset == DR:
            self._send(value & 0xFF)
        elif offset in self._reg:
            self._reg[offset] = value
        else:
            return False
        return True

    def _send(self, byte: int) -> None:
        now = self._now_ns()
        if self._reg[CR1] & (UE | TE) != UE | TE:
            raise MistakeError("a byte is sent, and the transmitter is off")
        if now < self._empty_from_ns:
            raise MistakeError("a byte is sent before the one before it was taken [TXE]")
        self._require_rate()
        self._empty_from_ns = max(now, self._shifts_until_ns)
        self._shifts_until_ns = self._empty_from_ns + self.byte_ns
        self.sent.append(byte)

    def _require_rate(self) -> None:
        self._require()
        rate = self._bus_hz() / max(self._reg[BRR], 1)
        if abs(rate / self.baud - 1) > TOLERANCE or self._reg[CR1] >> 12 & 9:
            raise MistakeError(f"a byte at {rate:.0f} baud, where {self.baud} are expected")
