"""A scan chain (IEEE 1149.1) of an STM32: boundary scan and the core's JTAG-DP, on OpenOCD's
`remote_bitbang`: a letter a change of the pins, on a socket.

Modelled: IDCODE, BYPASS, DPACC, APACC, ABORT; of boundary scan the identity and bypass alone. The
protocol: OpenOCD's manual, "remote_bitbang"; the scan chain of ADIv5, chapter 3.
"""

import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from einthoven.hil_tests.chips.debug.access_port import RDBUFF, DebugPort

# Instructions of the JTAG-DP [ADIv5 3.3.1] and of the boundary scan.
ABORT, DPACC, APACC, IDCODE = 0b1000, 0b1010, 0b1011, 0b1110
_BS_BITS, _BS_IDCODE = 5, 0b00001
_OK = 0b010
"""OK or a fault: which one, CTRL/STAT tells [3.4.3]."""

(
    _RESET, _IDLE, _SELECT_DR, _CAPTURE_DR, _SHIFT_DR, _EXIT1_DR, _PAUSE_DR, _EXIT2_DR, _UPDATE_DR,
    _SELECT_IR, _CAPTURE_IR, _SHIFT_IR, _EXIT1_IR, _PAUSE_IR, _EXIT2_IR, _UPDATE_IR,
) = range(16)  # fmt: skip
_NEXT = (
    (_IDLE, _RESET), (_IDLE, _SELECT_DR),
    (_CAPTURE_DR, _SELECT_IR), (_SHIFT_DR, _EXIT1_DR), (_SHIFT_DR, _EXIT1_DR),
    (_PAUSE_DR, _UPDATE_DR), (_PAUSE_DR, _EXIT2_DR), (_SHIFT_DR, _UPDATE_DR), (_IDLE, _SELECT_DR),
    (_CAPTURE_IR, _RESET), (_SHIFT_IR, _EXIT1_IR), (_SHIFT_IR, _EXIT1_IR),
    (_PAUSE_IR, _UPDATE_IR), (_PAUSE_IR, _EXIT2_IR), (_SHIFT_IR, _UPDATE_IR), (_IDLE, _SELECT_DR),
)  # fmt: skip
"""IEEE 1149.1, figure 6-1: where TMS = 0 and 1 lead."""


class Chain:
    """Both TAPs; the core's lies nearer to TDO.

    `reset`: told when the tool pulls the reset line (True) and lets go of it (False).
    """

    def __init__(
        self, port: DebugPort, cpu: int, boundary: int, reset: Callable[[bool], None]
    ) -> None:
        self._port, self._cpu, self._boundary, self._reset = port, cpu, boundary, reset
        self.pulled: Callable[[], bool] = lambda: False
        """Whether the cable is: nobody drives TDO, its pull-up keeps it high."""
        self.lock = threading.Lock()
        """Held while a tool has the chip."""
        self._state, self._bits, self._length = _RESET, 0, 1
        self._tck = False
        self._answer = 0
        self._idle()

    def take(self, letters: bytes) -> bytes:
        """What OpenOCD sends, and what it gets for it."""
        out = bytearray()
        for letter in letters:
            if 0x30 <= letter <= 0x37:  # 0..7: TCK, TMS, TDI
                if letter & 4 and not self._tck:
                    self._rise(letter >> 1 & 1, letter & 1)
                self._tck = bool(letter & 4)
            elif letter == 0x52:  # R
                out += b"1" if self._bits & 1 or self.pulled() else b"0"
            elif 0x72 <= letter <= 0x75:  # r..u: TRST, SRST
                if letter - 0x72 & 2:
                    self._state = _RESET
                    self._idle()
                self._reset(bool(letter - 0x72 & 1))
        return bytes(out)

    def _idle(self) -> None:
        """Test-Logic-Reset: both identify themselves."""
        self._cpu_does, self._boundary_does = IDCODE, _BS_IDCODE

    def _rise(self, tms: int, tdi: int) -> None:
        if self.pulled():
            return
        state = self._state
        if state in (_SHIFT_DR, _SHIFT_IR):
            self._bits = self._bits >> 1 | tdi << self._length - 1
        elif state == _CAPTURE_DR:
            low, bits = self._cpu_captures()
            if self._boundary_does == _BS_IDCODE:
                self._bits, self._length = low | self._boundary << bits, bits + 32
            else:
                self._bits, self._length = low, bits + 1
        elif state == _CAPTURE_IR:
            self._bits, self._length = 0b00001_0001, 4 + _BS_BITS
        self._state = _NEXT[state][tms]
        if self._state == _UPDATE_IR:
            self._cpu_does, self._boundary_does = self._bits & 15, self._bits >> 4
        elif self._state == _UPDATE_DR:
            self._update()
        elif self._state == _RESET:
            self._idle()

    def _cpu_captures(self) -> tuple[int, int]:
        """What its data register holds, and its length."""
        if self._cpu_does in (DPACC, APACC):
            return self._answer << 3 | _OK, 35
        if self._cpu_does == ABORT:
            return 0, 35
        return (self._cpu, 32) if self._cpu_does == IDCODE else (0, 1)

    def _update(self) -> None:
        if self._cpu_does not in (DPACC, APACC):
            return
        value, address = self._bits >> 3 & 0xFFFFFFFF, (self._bits >> 1 & 3) << 2
        access_port = self._cpu_does == APACC
        if not self._bits & 1:
            self._port.write(access_port, address, value)
        elif access_port or address != RDBUFF:
            self._answer = self._port.read(access_port, address)
        else:
            self._answer = 0


@contextmanager
def on_a_socket(chain: Chain) -> Iterator[int]:
    """A TCP port for the block, at which OpenOCD finds the chain; one tool after the other."""
    listener = socket.create_server(("127.0.0.1", 0))

    def run() -> None:
        while True:
            try:
                link = listener.accept()[0]
            except OSError:  # closed: the block has ended
                return
            with link:
                while letters := link.recv(65536):
                    with chain.lock:
                        answer = chain.take(letters)
                    if answer:
                        link.sendall(answer)
                    if letters.endswith(b"Q"):
                        break

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    try:
        yield listener.getsockname()[1]
    finally:
        listener.shutdown(socket.SHUT_RDWR)
        listener.close()
        thread.join(10.0)
