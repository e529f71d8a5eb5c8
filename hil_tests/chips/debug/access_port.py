"""Arm's debug port and its memory access port: ADIv5 (IHI 0031), as a Cortex-M3 or M4 has them.

A tool writes and reads eight registers; behind one of them lies the chip's memory. Left out: access
that has to wait, packed transfers, other access ports, the ROM table, pushed compare and verify.
"""

from typing import Protocol

# Debug port [2.3]: addresses.
DP_ID, CTRL_STAT, SELECT, RDBUFF = 0x0, 0x4, 0x8, 0xC
STICKY_ERROR = 1 << 5
_POWER_UP = 1 << 30 | 1 << 28
_STICKY = 1 << 7 | 1 << 5 | 1 << 4 | 1 << 1
# Memory access port [7.6].
CSW, TAR, DRW, BANKED, BASE, AP_ID = 0x00, 0x04, 0x0C, 0x10, 0xF8, 0xFC
AHB_AP = 0x24770011
_INCREMENT_WITHIN = 0x1000
"""TAR counts on within 4 KB: by ten bits at least [7.2.2], and by twelve in a Cortex-M3 or M4."""


class BusFaultError(Exception):
    """Nothing answers at an address, or it may not be reached."""


class Bus(Protocol):
    """What an access port reaches."""

    def load(self, address: int, size: int) -> int:
        """`size` bytes, 1, 2 or 4. Raises BusFaultError."""

    def store(self, address: int, size: int, value: int) -> None:
        """Likewise."""


class DebugPort:
    """The registers, in one go each: what is asked of an access port is answered at once."""

    def __init__(self, bus: Bus, identity: int) -> None:
        self._bus, self._identity = bus, identity
        self.accesses = 0
        """Of the memory access port's data registers, so far."""
        self.power_on()

    def power_on(self) -> None:
        """As after its power-on reset."""
        self._control = self._select = self._tar = 0
        self._csw = 2

    def read(self, access_port: bool, address: int) -> int:
        """A register; 0 from an access port while an error is sticky, or if there is none."""
        if access_port:
            return self._transfer(self._select & 0xF0 | address, None)
        if address == CTRL_STAT:
            return self._control
        return self._identity if address == DP_ID else 0

    def write(self, access_port: bool, address: int, value: int) -> None:
        """Likewise."""
        if access_port:
            self._transfer(self._select & 0xF0 | address, value)
        elif address == CTRL_STAT:
            # What is asked for is granted; a 1 clears a sticky flag [JTAG-DP, 2.3.2].
            sticky = self._control & _STICKY & ~value
            self._control = value & ~_STICKY & 0x5FFFFFFF | sticky | (value & _POWER_UP) << 1
        elif address == SELECT:
            self._select = value

    def _transfer(self, address: int, value: int | None) -> int:
        if self._select >> 24 or self._control & STICKY_ERROR:
            return 0
        if address == DRW or address & 0xF0 == BANKED:
            try:
                return self._data(address, value)
            except BusFaultError:
                self._control |= STICKY_ERROR
                return 0
        if value is None:
            # The device is enabled, and takes sizes of less than a word [7.6.4].
            fixed = {CSW: self._csw | 1 << 6, TAR: self._tar, BASE: 0xE00FF003, AP_ID: AHB_AP}
            return fixed.get(address, 0)
        if address == CSW:
            self._csw = value & 0xFF0000FF if value & 7 <= 2 else value & 0xFF0000F8 | 2
            self._csw &= ~(1 << 5)  # no packed transfers
        elif address == TAR:
            self._tar = value
        return 0

    def _data(self, address: int, value: int | None) -> int:
        self.accesses += 1
        if address != DRW:
            at, size = self._tar & ~15 | address & 12, 4
        else:
            at, size = self._tar, 1 << (self._csw & 7)
        lane = 8 * (at & 3)
        mask = (1 << 8 * size) - 1
        found = 0
        if value is None:
            found = self._bus.load(at, size) << lane
        else:
            self._bus.store(at, size, value >> lane & mask)
        if address == DRW and self._csw >> 4 & 3:
            page = at & ~(_INCREMENT_WITHIN - 1)
            self._tar = page | at + size & _INCREMENT_WITHIN - 1
        return found
