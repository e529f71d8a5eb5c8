"""Oscillators, PLLs and clock generators; what is in reset.

RP2350's data sheet: 8.1 clocks, 8.2 crystal oscillator, 8.6 PLL, 7.5 resets; RP2040's 2.15 to 2.18,
2.14. A clock is what its registers make of 12 MHz; a core that is put on a clock that does not run
stands still, which ends the run.
"""

from einthoven.hil_tests.chips import NS_PER_S
from einthoven.hil_tests.chips.rp.block import Block, Layout, Stop

CRYSTAL_HZ, RING_HZ = 12e6, 11e6
VCO_HZ = (750e6, 1600e6)
XOSC_ENABLE = 0xFABAA0
PLL_LOCK_NS = 100_000
CS, PWR, FBDIV, PRIM = 0x0, 0x4, 0x8, 0xC
PD, POSTDIVPD, VCOPD = 1 << 0, 1 << 3, 1 << 5
ENABLE = 1 << 11


class Resets(Block):
    """RESETS: everything is held until it is let go."""

    def __init__(self, stop: Stop, all_of_them: int) -> None:
        super().__init__(stop, {0x0: all_of_them, 0x4: 0})
        self.held: list[tuple[int, Block]] = []
        """Bit, and the block that it resets."""

    def peek(self, offset: int) -> int | None:
        """DONE is what is not held."""
        return ~self.reg[0] & self._first[0] if offset == 8 else super().peek(offset)

    def write(self, offset: int, value: int, now_ns: int) -> bool:
        """False: not modelled."""
        if offset == 0:
            for bit, block in self.held:
                if value >> bit & 1:
                    block.reset()
        return super().write(offset, value, now_ns)


class Crystal(Block):
    """XOSC, stable so many times 256 periods after it is switched on. `there`: on the board."""

    def __init__(self, stop: Stop) -> None:
        super().__init__(stop, {0x0: 0, 0xC: 0xC4})
        self.there = True
        self.since_ns: int | None = None

    def reset(self) -> None:
        """As at power on."""
        super().reset()
        self.since_ns = None

    def stable(self, now_ns: int) -> bool:
        """Whether its output is let through."""
        if self.since_ns is None or not self.there:
            return False
        return now_ns - self.since_ns >= self.reg[0xC] * 256 * NS_PER_S / CRYSTAL_HZ

    def read(self, offset: int, now_ns: int) -> int | None:
        """None: not modelled."""
        return self.stable(now_ns) << 31 if offset == 4 else super().read(offset, now_ns)

    def write(self, offset: int, value: int, now_ns: int) -> bool:
        """False: not modelled."""
        if offset == 0 and value == XOSC_ENABLE and self.since_ns is None:
            self.since_ns = now_ns
        return super().write(offset, value, now_ns)


class Pll(Block):
    """Of the crystal."""

    def __init__(self, stop: Stop, crystal: Crystal) -> None:
        off = PD | 1 << 2 | POSTDIVPD | VCOPD
        super().__init__(stop, {CS: 1, PWR: off, FBDIV: 0, PRIM: 0x77000})
        self._crystal = crystal
        self.on_ns: int | None = None

    def reset(self) -> None:
        """As after a reset of this peripheral."""
        super().reset()
        self.on_ns = None

    def locked(self, now_ns: int) -> bool:
        """Whether the VCO runs at what it should."""
        return self.on_ns is not None and now_ns - self.on_ns >= PLL_LOCK_NS

    def hz(self, now_ns: int) -> float:
        """0: none."""
        if not self.locked(now_ns) or self.reg[PWR] & POSTDIVPD:
            return 0.0
        first, second = self.reg[PRIM] >> 16 & 7, self.reg[PRIM] >> 12 & 7
        return self._vco_hz() / (first * second) if first and second else 0.0

    def _vco_hz(self) -> float:
        return CRYSTAL_HZ / max(self.reg[CS] & 63, 1) * self.reg[FBDIV]

    def read(self, offset: int, now_ns: int) -> int | None:
        """None: not modelled."""
        value = super().read(offset, now_ns)
        if offset == CS and value is not None:
            return value | self.locked(now_ns) << 31
        return value

    def write(self, offset: int, value: int, now_ns: int) -> bool:
        """False: not modelled."""
        known = super().write(offset, value, now_ns)
        if self.reg[PWR] & (PD | VCOPD):
            self.on_ns = None
        elif self.on_ns is None:
            if not self._crystal.stable(now_ns):
                self._stop("a PLL is switched on before its crystal is stable")
            elif not VCO_HZ[0] <= self._vco_hz() <= VCO_HZ[1]:
                self._stop(f"a PLL's VCO is to run at {self._vco_hz() / 1e6:.0f} MHz [8.6]")
            self.on_ns = now_ns
        return known


class Clocks(Block):
    """CLOCKS: clk_ref, clk_sys, clk_peri, clk_adc."""

    def __init__(self, stop: Stop, layout: Layout, crystal: Crystal, system: Pll, usb: Pll) -> None:
        self._ref, self._adc = layout.clock_ref, layout.clock_adc
        self._sys, self._peri = self._ref + 0xC, self._ref + 0x18
        super().__init__(stop, dict.fromkeys((self._ref, self._sys, self._peri, self._adc), 0))
        self._crystal, self._system, self._usb = crystal, system, usb

    def ref_hz(self, now_ns: int) -> float:
        """Of clk_ref: from the ring or the crystal."""
        if self.reg[self._ref] & 3 != 2:
            return RING_HZ
        return CRYSTAL_HZ if self._crystal.stable(now_ns) else 0.0

    def sys_hz(self, now_ns: int) -> float:
        """Of clk_sys: the core's."""
        if not self.reg[self._sys] & 1:
            return self.ref_hz(now_ns)
        return self._system.hz(now_ns) if self.reg[self._sys] >> 5 & 7 == 0 else 0.0

    def peri_hz(self, now_ns: int) -> float:
        """Of clk_peri: the UART's; 0 while it is off."""
        on = self.reg[self._peri] & (ENABLE | 7 << 5) == ENABLE
        return self.sys_hz(now_ns) if on else 0.0

    def adc_hz(self, now_ns: int) -> float:
        """Of clk_adc; 0 while it is off."""
        on = self.reg[self._adc] & (ENABLE | 7 << 5) == ENABLE
        return self._usb.hz(now_ns) if on else 0.0

    def peek(self, offset: int) -> int | None:
        """SELECTED is one bit of several."""
        if offset == self._ref + 8:
            return 1 << (self.reg[self._ref] & 3)
        if offset == self._sys + 8:
            return 1 << (self.reg[self._sys] & 1)
        return super().peek(offset)

    def write(self, offset: int, value: int, now_ns: int) -> bool:
        """False: not modelled."""
        known = super().write(offset, value, now_ns)
        if known and self.sys_hz(now_ns) == 0.0:
            self._stop("the core is put on a clock that does not run")
        return known
