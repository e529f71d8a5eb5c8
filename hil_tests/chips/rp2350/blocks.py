"""Peripherals that the RP2040 has not, or has otherwise. RP2350's data sheet, 8.5 and 12.14."""

from einthoven.hil_tests.chips.rp.block import Block, Stop

BY_EBH = (0x60007203, 0x000492A8, 0xEB)
BY_03H = (0x6000720C, 0x00001000, 0x03)
"""M0_TIMING, M0_RFMT and M0_RCMD for reading by EBh and by 03h [12.14.6]."""


class Ticks(Block):
    """TICKS: control and cycles for each of its users [8.5.2]."""

    TIMER0, WATCHDOG = 0x18, 0x30

    def __init__(self, stop: Stop) -> None:
        super().__init__(stop, {12 * user + at: 0 for user in range(6) for at in (0, 4)})

    def hz(self, user: int, ref_hz: float) -> int:
        """Ticks a second, 0 while they are off."""
        on, cycles = self.reg[user] & 1, self.reg[user + 4]
        return round(ref_hz / cycles) if on and cycles else 0


class Qmi(Block):
    """How the window reads the flash: timing, format, command."""

    def __init__(self, stop: Stop) -> None:
        super().__init__(stop, dict.fromkeys((0xC, 0x10, 0x14), 0))

    def by(self, how: tuple[int, int, int]) -> None:
        """As one of the ROM's modes."""
        self.reg = dict(zip((0xC, 0x10, 0x14), how, strict=True))
