"""UART0, a PL011 with FIFOs of 32 bytes, and its pins: bytes take their time both ways.

RP2350's data sheet: 12.1, 9.11 for pads and functions; RP2040's 4.2, 2.19. Bytes leave only over a
transmitter with clock, rate and pin; they come only if the receiver has the same. What is in the
transmitter when the chip is reset is lost.
"""

from collections.abc import Callable

from einthoven.hil_tests.chips import NS_PER_S
from einthoven.hil_tests.chips.rp.block import Block, Stop

DR, FR, IBRD, FBRD, LCR, CR, IMSC = 0x0, 0x18, 0x24, 0x28, 0x2C, 0x30, 0x38
RX_EMPTY, TX_FULL, BUSY, OVERRUN = 1 << 4, 1 << 5, 1 << 3, 1 << 11
LEVEL, TIMEOUT = 1 << 4, 1 << 6
DEPTH, HALF, IDLE_BITS = 32, 16, 32
TX_PIN, RX_PIN, FUNCTION, PAD_IN, PAD_OFF = 0, 1, 2, 1 << 6, 1 << 7
BAUD = 460800
BYTE_NS = 10 * NS_PER_S // BAUD


class Pins(Block):
    """IO_BANK0: the function of each pin."""

    def __init__(self, stop: Stop) -> None:
        super().__init__(stop, {8 * pin + 4: 31 for pin in range(30)})

    def function(self, pin: int) -> int:
        """Its FUNCSEL."""
        return self.reg[8 * pin + 4] & 31


class Pads(Block):
    """PADS_BANK0. `isolated`: the bit that holds a pad as it was, `value`: a pad's after reset."""

    def __init__(self, stop: Stop, isolated: int, value: int) -> None:
        super().__init__(stop, {4 * pin + 4: value for pin in range(30)})
        self._isolated = isolated

    def pad(self, pin: int) -> int:
        """Its register."""
        return self.reg[4 * pin + 4]

    def lets_through(self, pin: int) -> bool:
        """Whether it is not isolated [9.7]."""
        return not self.pad(pin) & self._isolated


class Uart(Block):
    """`clock_hz`: of clk_peri; `sent` gets what has left, `coming` has what comes."""

    def __init__(
        self,
        stop: Stop,
        clock_hz: Callable[[int], float],
        pins: Pins,
        pads: Pads,
        line: tuple[bytearray, bytearray],
    ) -> None:
        super().__init__(stop, {IBRD: 0, FBRD: 0, LCR: 0, CR: 0x300, IMSC: 0})
        self._clock_hz, self._pins, self._pads = clock_hz, pins, pads
        self.sent, self.coming = line
        self._out: list[tuple[int, int]] = []
        self._in = bytearray()
        self._next_ns: int | None = None
        self._last_ns = 0
        self._lost = False
        self.lost = 0
        """Bytes for which the receiver had no room, ever."""

    def reset(self) -> None:
        """As after a reset of this peripheral: what it held is lost."""
        super().reset()
        self._out.clear()
        self._in.clear()
        self._lost = False

    def _trouble(self, pin: int, now_ns: int) -> str:
        """Why no byte passes there, in words; empty: one does."""
        divider = self.reg[IBRD] + self.reg[FBRD] / 64
        rate = self._clock_hz(now_ns) / 16 / divider if divider else 0.0
        if abs(rate / BAUD - 1) > 0.02:
            return f"the UART is at {rate:.0f} baud"
        if self.reg[LCR] & 0x7F != 0x70:
            return f"the UART's line control is {self.reg[LCR]:#x}"
        if self.reg[CR] & 0x301 != 0x301:
            return "the UART is off"
        if self._pins.function(pin) != FUNCTION:
            return f"pin {pin} is not the UART's"
        if not self._pads.lets_through(pin):
            return f"the pad of pin {pin} is isolated"
        wanted = PAD_IN if pin == RX_PIN else 0
        if self._pads.pad(pin) & (PAD_OFF | wanted) != wanted:
            return f"the pad of pin {pin} is {self._pads.pad(pin):#x}"
        return ""

    def run(self, now_ns: int) -> None:
        """Bytes leave and come until then."""
        while self._out and self._out[0][0] <= now_ns:
            self.sent.append(self._out.pop(0)[1])
        if not self.coming:
            self._next_ns = None
            return
        if self._next_ns is None:
            self._next_ns = now_ns + BYTE_NS
        while self.coming and self._next_ns <= now_ns:
            self._take(self.coming.pop(0), self._next_ns)
            self._next_ns += BYTE_NS

    def _take(self, byte: int, at_ns: int) -> None:
        if self._trouble(RX_PIN, at_ns):
            return  # nobody listens
        self._last_ns = at_ns
        if len(self._in) >= DEPTH:
            self._lost = True
            self.lost += 1
        else:
            self._in.append(byte)

    def raised(self, now_ns: int) -> bool:
        """Whether it asks for an interrupt."""
        self.run(now_ns)
        ris = LEVEL if len(self._in) >= HALF else 0
        if self._in and now_ns >= self._last_ns + IDLE_BITS * NS_PER_S // BAUD:
            ris |= TIMEOUT
        return bool(ris & self.reg[IMSC])

    def event_ns(self, now_ns: int) -> int | None:
        """When it will ask for one, by what is on the line. None: not."""
        self.run(now_ns)
        idle = IDLE_BITS * NS_PER_S // BAUD
        if self._next_ns is not None:
            more = max(min(HALF - len(self._in), len(self.coming)), 1)
            at = self._next_ns + (more - 1) * BYTE_NS
            return at if len(self._in) + more >= HALF else at + idle
        return self._last_ns + idle if self._in else None

    def free_ns(self, now_ns: int, flag: int) -> int:
        """When the flag of a full or a busy transmitter falls."""
        if flag == TX_FULL and len(self._out) >= DEPTH:
            return self._out[-DEPTH][0]
        return self._out[-1][0] if flag == BUSY and self._out else now_ns

    def read(self, offset: int, now_ns: int) -> int | None:
        """None: not modelled."""
        self.run(now_ns)
        if offset == DR:
            return self._fetch()
        if offset == FR:
            full = TX_FULL if len(self._out) >= DEPTH else 0
            return full | (BUSY if self._out else 0) | (0 if self._in else RX_EMPTY)
        return super().read(offset, now_ns)

    def _fetch(self) -> int:
        if not self._in:
            self._stop("a byte is fetched from an empty receiver")
            return 0
        lost, self._lost = self._lost, False
        return self._in.pop(0) | (OVERRUN if lost else 0)

    def write(self, offset: int, value: int, now_ns: int) -> bool:
        """False: not modelled."""
        self.run(now_ns)
        if offset != DR:
            return super().write(offset, value, now_ns)
        if trouble := self._trouble(TX_PIN, now_ns):
            self._stop(f"a byte is sent, and {trouble}")
        if len(self._out) >= DEPTH:
            self._stop("a byte is sent to a full transmitter")
        begin = self._out[-1][0] if self._out else now_ns
        self._out.append((begin + BYTE_NS, value & 0xFF))
        return True
