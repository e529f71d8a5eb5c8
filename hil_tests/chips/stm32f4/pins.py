"""The STM32F4's ports of pins. RM0383 8.4, RM0390 7.4, RM0090 8.4."""

from collections.abc import Callable

from einthoven.hil_tests.chips.armv7m import MistakeError

GPIO = 0x40020000
PORTS = 5
MODER, OTYPER, OSPEEDR, PUPDR, IDR, ODR, BSRR, LCKR, AFRL, AFRH = range(0, 40, 4)
FUNCTION, ANALOGUE = 2, 3
RESET = {(0, MODER): 0xA8000000, (0, OSPEEDR): 0x0C000000, (0, PUPDR): 0x64000000} | {
    (1, MODER): 0x280,
    (1, OSPEEDR): 0xC0,
    (1, PUPDR): 0x100,
}
SWD = 0x3C000000
"""PA13 and PA14 in GPIOA_MODER: a probe's."""


class Pins:
    """Ports A to E. `level`: what a pin sees from outside; one that is not in it its pull holds.

    `changed` is told a pin and its level when one of the chip's outputs changes.
    """

    def __init__(self) -> None:
        self.level: dict[int, int] = {}
        self.changed: Callable[[int, int], None] = lambda pin, high: None
        self.reset()

    def reset(self) -> None:
        """As after any reset: all but the probe's are inputs."""
        self._reg = [
            {offset: RESET.get((port, offset), 0) for offset in range(0, 40, 4)}
            for port in range(PORTS)
        ]

    def mode(self, pin: int) -> int:
        """Input, output, function, analogue."""
        return self._reg[pin >> 4][MODER] >> 2 * (pin & 15) & 3

    def function(self, pin: int) -> int | None:
        """Its alternate function; None: it has another mode."""
        if self.mode(pin) != FUNCTION:
            return None
        return self._reg[pin >> 4][AFRL + 4 * ((pin & 15) // 8)] >> 4 * (pin & 7) & 15

    def pull(self, pin: int) -> int:
        """0, 1: up, 2: down."""
        return self._reg[pin >> 4][PUPDR] >> 2 * (pin & 15) & 3

    def output(self, pin: int) -> int | None:
        """What the chip drives it to; None: it is no output."""
        driven = self._reg[pin >> 4][ODR] >> (pin & 15) & 1
        return driven if self.mode(pin) == 1 else None

    def seen(self, pin: int) -> int:
        """What the chip reads there."""
        driven = self.output(pin)
        if driven is not None:
            return driven
        return self.level.get(pin, 1 if self.pull(pin) == 1 else 0)

    def read(self, address: int) -> int | None:
        """None: not modelled."""
        port, offset = (address - GPIO) // 0x400, address & 0x3FF
        if offset == IDR:
            return sum(self.seen(port << 4 | n) << n for n in range(16))
        return self._reg[port].get(offset)

    def write(self, address: int, value: int) -> bool:
        """False: not modelled. Raises MistakeError."""
        port, offset = (address - GPIO) // 0x400, address & 0x3FF
        registers = self._reg[port]
        before = [self.output(port << 4 | n) for n in range(16)]
        if offset == BSRR:
            registers[ODR] = registers[ODR] & ~(value >> 16) | value & 0xFFFF
        elif offset in (IDR, LCKR) or offset not in registers:
            return False
        else:
            registers[offset] = value
        if port == 0 and registers[MODER] & SWD != 0x28000000:
            raise MistakeError(f"GPIOA_MODER {value:#x}: a probe finds its pins no more")
        for n in range(16):
            now = self.output(port << 4 | n)
            if now is not None and now != before[n]:
                self.changed(port << 4 | n, now)
        return True
