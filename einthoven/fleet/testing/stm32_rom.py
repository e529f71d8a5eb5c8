"""The boot loader in the ROM of an STM32, on its UART: ST's AN3155, protocol version 3.1.

What is modelled: every command that writes, reads, erases and starts, with their checksums; NACK to
reading, writing and starting while read-out protection is on; flash that is erased before it is
written, bits of which go from 1 to 0 only. Not modelled: parity and speed (a pseudo-terminal has
none), write protection of single sectors, how long an erase takes.
"""

from functools import reduce
from operator import xor

from einthoven.fleet.testing.line import Wire

ACK, NACK = b"\x79", b"\x1f"
_GET, _VERSION, _ID, _READ, _GO, _WRITE, _ERASE = 0x00, 0x01, 0x02, 0x11, 0x21, 0x31, 0x44
_COMMANDS = bytes((_GET, _VERSION, _ID, _READ, _GO, _WRITE, _ERASE, 0x63, 0x73, 0x82, 0x92))
FLASH = 0x08000000
_SYSTEM = 0x1FFF7A00
"""256 bytes with unique id (at 0x10) and flash size (at 0x22) of an STM32F4 (RM0383, 24)."""


class Stm32Rom(Wire):
    """An STM32 that waits for firmware.

    `unique_id`: 24 hexadecimal digits, as the firmware says it. Faults: `locked`, read-out
    protection is on; `worn`, addresses of flash that keep their bits; `cable`, bytes written after
    which it is pulled, as often as `pulls` says.
    """

    def __init__(
        self,
        device_id: int = 0x431,
        unique_id: str = "002f00213137510538333233",
        kbytes: int = 512,
        locked: bool = False,
        worn: frozenset[int] = frozenset(),
        cable: int | None = None,
    ) -> None:
        super().__init__()
        self.device_id, self.locked, self.worn, self.cable = device_id, locked, worn, cable
        self.flash = bytearray(b"\xa5" * (kbytes * 1024))
        words = b"".join(int(unique_id[i : i + 8], 16).to_bytes(4, "little") for i in (0, 8, 16))
        self._system = bytearray(256)
        self._system[0x10:0x1C] = words
        self._system[0x22:0x24] = kbytes.to_bytes(2, "little")
        self.written = 0
        self.started: int | None = None

    def talk(self) -> None:
        """Answer commands."""
        while self.take(1) != b"\x7f":
            pass
        self.give(ACK)
        answers = {
            _GET: self._get,
            _VERSION: lambda: self.give(ACK + b"\x31\x00\x00" + ACK),
            _ID: lambda: self.give(ACK + b"\x01" + self.device_id.to_bytes(2, "big") + ACK),
            _READ: self._read,
            _GO: self._go,
            _WRITE: self._write,
            _ERASE: self._erase,
        }
        while True:
            command, check = self.take(2)
            good = command ^ check == 0xFF and command in answers
            if not good or (self.locked and command in (_READ, _GO, _WRITE, _ERASE)):
                self.give(NACK)
            else:
                answers[command]()

    def _get(self) -> None:
        self.give(ACK + bytes((len(_COMMANDS), 0x31)) + _COMMANDS + ACK)

    def _address(self) -> int | None:
        """What follows a command that was acknowledged: an address and its checksum."""
        self.give(ACK)
        five = self.take(5)
        if reduce(xor, five) != 0:
            self.give(NACK)
            return None
        self.give(ACK)
        return int.from_bytes(five[:4], "big")

    def _memory(self, address: int) -> tuple[bytearray, int] | None:
        for memory, start in ((self.flash, FLASH), (self._system, _SYSTEM)):
            if start <= address < start + len(memory):
                return memory, address - start
        return None

    def _read(self) -> None:
        address = self._address()
        if address is None:
            return
        number, check = self.take(2)
        place = self._memory(address)
        if number ^ check != 0xFF or place is None:
            self.give(NACK)
            return
        memory, at = place
        self.give(ACK + bytes(memory[at : at + number + 1]))

    def _write(self) -> None:
        address = self._address()
        if address is None:
            return
        (number,) = self.take(1)
        data = self.take(number + 2)
        place = self._memory(address)
        if reduce(xor, data, number) != 0 or place is None or (number + 1) % 4:
            self.give(NACK)
            return
        memory, at = place
        for i, byte in enumerate(data[:-1]):
            if FLASH + at + i not in self.worn:
                memory[at + i] &= byte
            self.written += 1
            if self.cable is not None and self.written >= self.cable:
                self.unplug()
        self.give(ACK)

    def _erase(self) -> None:
        self.give(ACK)
        number = self.take(2)
        if number == b"\xff\xff":
            if self.take(1) != b"\x00":
                self.give(NACK)
                return
            self.flash[:] = b"\xff" * len(self.flash)
        else:
            # Pages of any size: sectors are erased whole, and firmware begins with the first.
            self.take(2 * (int.from_bytes(number, "big") + 1) + 1)
            self.flash[:] = b"\xff" * len(self.flash)
        self.give(ACK)

    def _go(self) -> None:
        address = self._address()
        if address is not None:
            self.started = address
