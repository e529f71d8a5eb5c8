"""An SSD1306 with 128 x 64 pixels, as the bytes on its I2C bus make it (data sheet rev. 1.1).

Control byte 8.1.5.2, commands table 9-1, horizontal addressing 10.1.3, reset 8.5. Not modelled:
scrolling, other addressing modes, contrast, timing. A command that it does not know fails.
"""

import numpy as np
from numpy.typing import NDArray

# Commands by their first byte, and how many bytes follow.
_OPERANDS = {0x20: 1, 0x21: 2, 0x22: 2, 0x81: 1, 0x8D: 1, 0xA8: 1, 0xD3: 1, 0xDA: 1}
_ALONE = frozenset({0x40, 0xA0, 0xA1, 0xA4, 0xA6, 0xAE, 0xAF, 0xC0, 0xC8})


class Ssd1306:
    """`seed`: of what its memory holds after power on."""

    def __init__(self, seed: int = 1) -> None:
        random = np.random.default_rng(seed)
        self.memory = random.integers(0, 256, (8, 128), dtype=np.uint8)
        self.is_on = self.pumps = self.mirrored = self.flipped = False
        self.horizontal = False
        self.columns, self.pages = (0, 127), (0, 7)
        self.at = (0, 0)

    def write(self, data: bytes) -> None:
        """A transfer, without the address."""
        if data[0] == 0x40:
            for byte in data[1:]:
                self._store(byte)
            return
        assert data[0] == 0x00, "control byte"
        rest = list(data[1:])
        while rest:
            command = rest.pop(0)
            operands = [rest.pop(0) for _ in range(_OPERANDS.get(command, 0))]
            assert command in _OPERANDS or command in _ALONE, hex(command)
            self._do(command, operands)

    def _do(self, command: int, operands: list[int]) -> None:
        if command in (0xAE, 0xAF):
            self.is_on = command == 0xAF
        elif command in (0xA0, 0xA1):
            self.mirrored = command == 0xA1
        elif command in (0xC0, 0xC8):
            self.flipped = command == 0xC8
        elif command == 0x8D:
            self.pumps = operands == [0x14]
        elif command == 0x20:
            self.horizontal = operands == [0]
        elif command == 0x21:
            self.columns = (operands[0], operands[1])
            self.at = (self.at[0], operands[0])
        elif command == 0x22:
            self.pages = (operands[0], operands[1])
            self.at = (operands[0], self.at[1])

    def _store(self, byte: int) -> None:
        assert self.horizontal
        page, column = self.at
        self.memory[page, column] = byte
        column += 1
        if column > self.columns[1]:
            column = self.columns[0]
            page = page + 1 if page < self.pages[1] else self.pages[0]
        self.at = (page, column)

    def bitmap(self) -> NDArray[np.bool_]:
        """(64, 128), true where a pixel shines, as a module is held: its mirrored rows and columns
        are so mounted that A1 and C8 make them right."""
        if not (self.is_on and self.pumps):
            return np.zeros((64, 128), bool)
        bits = np.unpackbits(self.memory[:, None, :], axis=1, bitorder="little")
        picture = bits.reshape(64, 128).astype(bool)
        picture = picture if self.mirrored else picture[:, ::-1]
        return picture if self.flipped else picture[::-1]
