"""The boot loader in the ROM of an ESP32-C3, on its UART: Espressif's serial protocol.

After docs.espressif.com/projects/esptool, "Serial Protocol": SLIP frames, a checksum over what is
written, status bytes. What is modelled: what esptool asks of the ROM, and of the stub that it puts
into the chip's RAM, to write an image, compressed or not, and to compare its MD5; eFuses hold the
MAC address; the SPI controller answers the flash chip's identification. The stub is no program
here: once RAM holds the code that is jumped to, the answers are a stub's (two status bytes instead
of four, an MD5 in 16 bytes instead of 32 digits). Not modelled: speed, encrypted flash.
"""

import hashlib
import struct
import zlib
from functools import reduce
from operator import xor

from einthoven.fleet.testing.line import Wire

_SYNC, _WRITE_REG, _READ_REG, _SPI_PARAMS, _SPI_ATTACH, _BAUD = 0x08, 0x09, 0x0A, 0x0B, 0x0D, 0x0F
_BEGIN, _DATA, _END = 0x02, 0x03, 0x04
_MEM_BEGIN, _MEM_END, _MEM_DATA = 0x05, 0x06, 0x07
_DEFL_BEGIN, _DEFL_DATA, _DEFL_END = 0x10, 0x11, 0x12
_MD5, _SECURITY = 0x13, 0x14
_EFUSE_MAC = 0x60008844
_SPI_CMD, _SPI_USR2, _SPI_W0 = 0x60002000, 0x60002020, 0x60002058
_READ_ID, _FLASH_4_MB = 0x9F, 0x1640EF
_CHECKSUM_ERROR, _OUT_OF_RANGE, _DEFLATE_ERROR = 0x07, 0x09, 0x0B
CHIP_IDS = {"esp32c3": 5, "esp32s3": 9, "esp32c6": 13}
_SECURE_DOWNLOAD = 1 << 2


def _checksum(block: bytes) -> int:
    return reduce(xor, block, 0xEF)


class EspRom(Wire):
    """An ESP32-C3 that waits for firmware, with 4 MB of flash.

    `unique_id`: its MAC address, 12 hexadecimal digits. Faults: another `chip`; `locked`, secure
    download mode, in which memory is not read; `worn`, addresses of flash that keep their bits;
    `cable`, bytes written after which it is pulled.
    """

    def __init__(
        self,
        chip: str = "esp32c3",
        unique_id: str = "7cdfa1000001",
        locked: bool = False,
        worn: frozenset[int] = frozenset(),
        cable: int | None = None,
    ) -> None:
        super().__init__()
        self.chip, self.locked, self.worn, self.cable = chip, locked, worn, cable
        self.flash = bytearray(b"\xa5" * (4 << 20))
        mac = bytes.fromhex(unique_id)
        self._registers = {
            _EFUSE_MAC: int.from_bytes(mac[2:], "big"),
            _EFUSE_MAC + 4: int.from_bytes(mac[:2], "big"),
        }
        self._at, self._end, self._stream = 0, 0, zlib.decompressobj()
        self._ram: dict[int, bytes] = {}
        self._ram_at = 0
        self.stub = False
        self.written = 0

    def talk(self) -> None:
        """Answer requests."""
        while True:
            frame = self._frame()
            if len(frame) < 8 or frame[0] != 0:
                continue
            _, op, size, check = struct.unpack_from("<BBHI", frame)
            data = frame[8:]
            if len(data) == size:
                self._answer(op, data, check)

    def _frame(self) -> bytes:
        """What comes until the next end of a SLIP frame (RFC 1055); may be nothing."""
        found = bytearray()
        while (byte := self.take(1)) != b"\xc0":
            if byte == b"\xdb":
                byte = {b"\xdc": b"\xc0", b"\xdd": b"\xdb"}[self.take(1)]
            found += byte
        return bytes(found)

    def _say(self, op: int, value: int = 0, data: bytes = b"", error: int = 0) -> None:
        body = data + bytes((1 if error else 0, error)) + (b"" if self.stub else bytes(2))
        self._give_frame(struct.pack("<BBHI", 1, op, len(body), value) + body)

    def _give_frame(self, packet: bytes) -> None:
        self.give(
            b"\xc0" + packet.replace(b"\xdb", b"\xdb\xdd").replace(b"\xc0", b"\xdb\xdc") + b"\xc0"
        )

    def _answer(self, op: int, data: bytes, check: int) -> None:
        if op == _SYNC:
            for _ in range(8):
                self._say(op, 0x20120707)
        elif op == _SECURITY:
            flags = _SECURE_DOWNLOAD if self.locked else 0
            self._say(op, 0, struct.pack("<IB7BII", flags, 0, *bytes(7), CHIP_IDS[self.chip], 0))
        elif op == _READ_REG and not self.locked:
            self._say(op, self._registers.get(struct.unpack("<I", data)[0], 0))
        elif op == _WRITE_REG and not self.locked:
            address, value, _, _ = struct.unpack("<IIII", data)
            self._register(address, value)
            self._say(op)
        elif op in (_SPI_PARAMS, _SPI_ATTACH, _BAUD):
            self._say(op)
        elif op in (_MEM_BEGIN, _MEM_DATA, _MEM_END) and not self.locked:
            self._load(op, data, check)
        elif op in (_BEGIN, _DEFL_BEGIN):
            self._begin(op, data)
        elif op in (_DATA, _DEFL_DATA):
            self._write(op, data, check)
        elif op in (_END, _DEFL_END):
            self._say(op)
        elif op == _MD5 and not self.locked:
            at, size, _, _ = struct.unpack("<IIII", data)
            digest = hashlib.md5(self.flash[at : at + size])
            self._say(op, 0, digest.digest() if self.stub else digest.hexdigest().encode())
        else:
            self._say(op, 0, b"", 0x05)  # the message cannot be acted on

    def _register(self, address: int, value: int) -> None:
        self._registers[address] = value
        if address == _SPI_CMD:  # it runs, and is done at once
            self._registers[_SPI_CMD] = 0
            asked = self._registers.get(_SPI_USR2, 0) & 0xFF
            self._registers[_SPI_W0] = _FLASH_4_MB if asked == _READ_ID else 0

    def _load(self, op: int, data: bytes, check: int) -> None:
        """A program into RAM, and its start: the stub, which greets."""
        if op == _MEM_BEGIN:
            (self._ram_at,) = struct.unpack_from("<I", data, 12)
            self._ram[self._ram_at] = b""
        elif op == _MEM_DATA:
            (size,) = struct.unpack_from("<I", data)
            block = data[16 : 16 + size]
            if _checksum(block) != check:
                self._say(op, error=_CHECKSUM_ERROR)
                return
            self._ram[self._ram_at] += block
        else:
            _, entry = struct.unpack("<II", data)
            if not any(at <= entry < at + len(code) for at, code in self._ram.items()):
                self._say(op, error=_OUT_OF_RANGE)
                return
            self._say(op)
            self.stub = True
            self._give_frame(b"OHAI")
            return
        self._say(op)

    def _begin(self, op: int, data: bytes) -> None:
        size, _, _, at = struct.unpack_from("<IIII", data)
        if at + size > len(self.flash):
            self._say(op, error=_OUT_OF_RANGE)
            return
        erased = -(-size // 4096) * 4096
        self.flash[at : at + erased] = b"\xff" * erased
        self._at, self._end, self._stream = at, at + size, zlib.decompressobj()
        self._say(op)

    def _write(self, op: int, data: bytes, check: int) -> None:
        size, _, _, _ = struct.unpack_from("<IIII", data)
        block = data[16 : 16 + size]
        if _checksum(block) != check:
            self._say(op, error=_CHECKSUM_ERROR)
            return
        if op == _DEFL_DATA:
            try:
                block = self._stream.decompress(block)
            except zlib.error:
                self._say(op, error=_DEFLATE_ERROR)
                return
        for byte in block[: self._end - self._at]:
            if self._at not in self.worn:
                self.flash[self._at] &= byte
            self._at += 1
            self.written += 1
            if self.cable is not None and self.written >= self.cable:
                self.unplug()
        self._say(op)
