"""The models of chips' boot loaders, held to what ST's AN3155 and Espressif's pages say, by bytes.

Two tools by others for the one, and Espressif's own for the other, speak to them in
`test_flashers.py`.
"""

import hashlib
import struct
import zlib

from serial import Serial

from einthoven.fleet.testing.esp_rom import EspRom
from einthoven.fleet.testing.stm32_rom import ACK, FLASH, NACK, Stm32Rom


def _summed(data: bytes) -> bytes:
    total = 0
    for byte in data:
        total ^= byte
    return data + bytes((total,))


def _command(line: Serial, code: int) -> bytes:
    line.write(bytes((code, code ^ 0xFF)))
    return bytes(line.read(1))


ADDRESS = _summed(FLASH.to_bytes(4, "big"))


def test_an3155() -> None:
    with Stm32Rom(device_id=0x431) as chip, Serial(chip.port, timeout=20) as line:
        line.write(b"\x7f")
        assert line.read(1) == ACK
        # Get: N, the version, N commands.
        assert _command(line, 0x00) == ACK
        (number,) = line.read(1)
        told = line.read(number + 2)
        assert told[:1] == b"\x31" and told[-1:] == ACK and {0x11, 0x21, 0x31, 0x44} <= set(told)
        assert _command(line, 0x02) == ACK and line.read(4) == b"\x01\x04\x31" + ACK
        # Extended erase of all, write, read back.
        assert _command(line, 0x44) == ACK
        line.write(b"\xff\xff\x00")
        assert line.read(1) == ACK
        assert _command(line, 0x31) == ACK
        line.write(ADDRESS)
        assert line.read(1) == ACK
        line.write(_summed(b"\x03ABCD"))
        assert line.read(1) == ACK
        assert _command(line, 0x11) == ACK
        line.write(ADDRESS)
        assert line.read(1) == ACK
        line.write(b"\x07\xf8")
        assert line.read(9) == ACK + b"ABCD\xff\xff\xff\xff"
        # Complement and checksums that are wrong.
        line.write(b"\x11\xef")
        assert line.read(1) == NACK
        assert _command(line, 0x31) == ACK
        line.write(ADDRESS[:4] + b"\x00")
        assert line.read(1) == NACK
        assert _command(line, 0x31) == ACK
        line.write(ADDRESS)
        assert line.read(1) == ACK
        line.write(b"\x03ABCD\x00")
        assert line.read(1) == NACK
        # A bit that was written is cleared by an erase only.
        assert bytes(chip.flash[:4]) == b"ABCD"


def test_an3155_with_read_out_protection() -> None:
    with Stm32Rom(locked=True) as chip, Serial(chip.port, timeout=20) as line:
        line.write(b"\x7f")
        assert line.read(1) == ACK
        assert _command(line, 0x02) == ACK and len(line.read(4)) == 4
        for code in (0x11, 0x21, 0x31, 0x44):
            assert _command(line, code) == NACK


def _request(line: Serial, op: int, data: bytes, check: int = 0) -> tuple[int, bytes]:
    """Value and data of the answer to a request, unstuffed."""
    packet = struct.pack("<BBHI", 0, op, len(data), check) + data
    stuffed = packet.replace(b"\xdb", b"\xdb\xdd").replace(b"\xc0", b"\xdb\xdc")
    line.write(b"\xc0" + stuffed + b"\xc0")
    return _answer(line, op)


def _answer(line: Serial, op: int) -> tuple[int, bytes]:
    assert line.read(1) == b"\xc0"
    body = line.read_until(b"\xc0")[:-1].replace(b"\xdb\xdc", b"\xc0").replace(b"\xdb\xdd", b"\xdb")
    direction, command, size, value = struct.unpack_from("<BBHI", body)
    assert (direction, command, size) == (1, op, len(body) - 8)
    return value, body[8:]


def _checksum(data: bytes) -> int:
    total = 0xEF
    for byte in data:
        total ^= byte
    return total


def test_espressif_s_rom() -> None:
    image = bytes(range(256)) * 2 + b"\xc0\xdb"
    packed = zlib.compress(image)
    with EspRom() as chip, Serial(chip.port, timeout=20) as line:
        _request(line, 0x08, b"\x07\x07\x12\x20" + 32 * b"\x55")
        for _ in range(7):  # it answers eight times
            _answer(line, 0x08)
        begin = struct.pack("<IIIII", len(image), 1, 1024, 0x1000, 0)
        assert _request(line, 0x10, begin)[1] == bytes(4)
        block = struct.pack("<IIII", len(packed), 0, 0, 0) + packed
        assert _request(line, 0x11, block, 1)[1][:2] == b"\x01\x07", "a wrong checksum"
        assert _request(line, 0x11, block, _checksum(packed))[1] == bytes(4)
        assert bytes(chip.flash[0x1000 : 0x1000 + len(image)]) == image
        md5 = _request(line, 0x13, struct.pack("<IIII", 0x1000, len(image), 0, 0))[1]
        assert md5[:32].decode() == hashlib.md5(image).hexdigest()
        mac = [_request(line, 0x0A, struct.pack("<I", at))[0] for at in (0x60008844, 0x60008848)]
        assert f"{mac[1]:04x}{mac[0]:08x}" == "7cdfa1000001"
        beyond = struct.pack("<IIIII", 1 << 20, 1, 1024, (4 << 20) - 1, 0)
        assert _request(line, 0x10, beyond)[1][:2] == b"\x01\x09"
