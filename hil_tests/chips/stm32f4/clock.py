"""The STM32F4's clocks: RCC, and what of PWR goes with it.

RM0383 6.3, RM0390 6.3, RM0090 7.3. An oscillator takes its time: the crystal 2 ms, the PLL 0.3 ms
(the data sheets' longest). The core changes to the PLL only as the data sheet lets it: wait states,
voltage scale, VCO, buses. A peripheral's clock is there a few cycles after it was switched on, so
its registers are not to be touched by the next instructions ("Delay after an RCC peripheral clock
enabling" of the errata sheets ES0182, ES0287, ES0298): a read of RCC lies between.
"""

from collections.abc import Callable

from einthoven.hil_tests.chips.armv7m import MistakeError
from einthoven.hil_tests.chips.stm32f4.kinds import MHZ, Kind

RCC, PWR = 0x40023800, 0x40007000
CR, PLLCFGR, CFGR = 0x00, 0x04, 0x08
AHB1ENR, AHB2ENR, APB1ENR, APB2ENR, CSR = 0x30, 0x34, 0x40, 0x44, 0x74
HSEON, HSEBYP, PLLON = 1 << 16, 1 << 18, 1 << 24
BY_PLL = 2
HSI_HZ = 16 * MHZ
CRYSTAL_NS, PLL_NS = 2_000_000, 300_000
VCO_HZ, PLL_INPUT_HZ = (100 * MHZ, 432 * MHZ), (0.95 * MHZ, 2.1 * MHZ)
POWER, PIN, SOFTWARE, WATCHDOG = 1 << 27 | 1 << 25, 1 << 26, 1 << 28, 1 << 29
"""Flags of RCC_CSR [6.3.21]; each reset but the pin's brings the pin's, too."""
NEAR_BYTES = 16
"""Of instructions: a few cycles."""
SWITCHES = {
    **{0x40020000 + 0x400 * port: (AHB1ENR, port) for port in range(5)},
    **{0x40026400: (AHB1ENR, 22), 0x50060800: (AHB2ENR, 6), 0x40000000: (APB1ENR, 0)},
    **{0x40000400: (APB1ENR, 1), 0x40000C00: (APB1ENR, 3), 0x40003800: (APB1ENR, 14)},
    **{0x40004400: (APB1ENR, 17), 0x40004800: (APB1ENR, 18), 0x40005400: (APB1ENR, 21)},
    **{PWR: (APB1ENR, 28), 0x40011000: (APB2ENR, 4), 0x40012000: (APB2ENR, 8)},
    0x40013800: (APB2ENR, 14),
}
"""By a peripheral's address: the bit that gives it its clock."""


class Clock:
    """`crystal`, `pll`: whether they start; `now_ns`: time; `wait_states`: the flash's."""

    def __init__(
        self,
        kind: Kind,
        crystal: bool,
        pll: bool,
        now_ns: Callable[[], int],
        wait_states: Callable[[], int],
    ) -> None:
        self._kind, self._crystal, self._pll = kind, crystal, pll
        self._now_ns, self._wait_states = now_ns, wait_states
        self.flags = 0
        """Of RCC_CSR."""
        self.reset()

    def reset(self) -> None:
        """As after any reset, but the flags."""
        self._reg = {
            CR: 0x83,
            PLLCFGR: 0x24003010,
            CFGR: 0,
            AHB1ENR: 1 << 20 if self._kind.ccm else 0,
            **dict.fromkeys((AHB2ENR, APB1ENR, APB2ENR), 0),
        }
        self._scale = 1 << 14 if self._kind.scale == 1 << 14 else 2 << 14
        self._since: dict[int, int] = {}
        self._fresh: dict[tuple[int, int], int] = {}
        self.core_hz = HSI_HZ
        """What instructions run at."""

    def bus_hz(self, number: int) -> int:
        """APB1 or APB2."""
        field = self._reg[CFGR] >> (10 if number == 1 else 13) & 7
        return self.core_hz >> max(field - 3, 0)

    def timers_hz(self, number: int) -> int:
        """Of a bus's timers: twice its clock where that is divided [6.2]."""
        return min(self.core_hz, 2 * self.bus_hz(number))

    def usb_hz(self) -> float:
        """PLL48CLK, which the random number generator runs on."""
        return self._vco_hz() / max(self._reg[PLLCFGR] >> 24 & 15, 1)

    def require_on(self, block: int, pc: Callable[[], int]) -> None:
        """Raises MistakeError where a peripheral is touched without its clock."""
        switch = SWITCHES.get(block)
        if switch is None:
            return
        register, bit = switch
        if not self._reg[register] >> bit & 1:
            raise MistakeError(f"{block:#x} is touched, and has no clock: RCC + {register:#x}")
        since = self._fresh.get(switch)
        if since is not None and 0 <= pc() - since <= NEAR_BYTES:
            raise MistakeError(
                f"{block:#x} is touched at {pc():#x}, cycles after its clock was switched on: "
                "a read of RCC has to lie between"
            )

    def read(self, offset: int) -> int | None:
        """None: not modelled."""
        self._fresh.clear()
        if offset == CR:
            value = self._reg[CR] & ~(1 << 17 | 1 << 25) | 2
            return value | self._ready(HSEON) << 17 | self._ready(PLLON) << 25
        if offset == CFGR:
            return self._reg[CFGR] & ~12 | (self._reg[CFGR] & 3) << 2
        if offset == CSR:
            return self.flags
        return self._reg.get(offset)

    def write(self, offset: int, value: int, pc: int) -> bool:
        """False: not modelled. Raises MistakeError."""
        self._fresh.clear()
        if offset == CSR:
            self.flags = 0 if value >> 24 & 1 else self.flags
            return True
        if offset not in self._reg:
            return False
        before, self._reg[offset] = self._reg[offset], value
        self.core_hz = self._pll_hz() if self._reg[CFGR] & 3 == BY_PLL else HSI_HZ
        if offset == CR:
            for bit in (HSEON, PLLON):
                if value & bit and not before & bit:
                    self._since[bit] = self._now_ns()
        elif offset == PLLCFGR and self._reg[CR] & PLLON:
            raise MistakeError("RCC_PLLCFGR is written while the PLL runs [6.3.2]")
        elif offset == CFGR and value & 3 == BY_PLL:
            self._require_limits()
        elif offset in (AHB1ENR, AHB2ENR, APB1ENR, APB2ENR):
            on = value & ~before
            self._fresh = {(offset, bit): pc for bit in range(32) if on >> bit & 1}
        return True

    def read_power(self, offset: int) -> int | None:
        """PWR. None: not modelled."""
        return self._scale if offset == 0 else None

    def write_power(self, offset: int, value: int) -> bool:
        """PWR. False: not modelled."""
        if offset != 0 or value & ~(3 << 14):
            return False
        if value != self._scale and self._reg[CR] & PLLON:
            raise MistakeError("the voltage scale is changed while the PLL runs [5.1.4]")
        self._scale = value
        return True

    def _ready(self, bit: int) -> bool:
        if not self._reg[CR] & bit:
            return False
        elapsed = self._now_ns() - self._since[bit]
        if bit == PLLON:
            return self._pll and elapsed >= PLL_NS
        as_wired = bool(self._reg[CR] & HSEBYP) == self._kind.bypass
        return self._crystal and as_wired and elapsed >= CRYSTAL_NS

    def _source_hz(self) -> int:
        return self._kind.crystal_hz if self._reg[PLLCFGR] >> 22 & 1 else HSI_HZ

    def _vco_hz(self) -> int:
        tree = self._reg[PLLCFGR]
        return self._source_hz() * (tree >> 6 & 511) // max(tree & 63, 1)

    def _pll_hz(self) -> int:
        return self._vco_hz() // (2 * (self._reg[PLLCFGR] >> 16 & 3) + 2)

    def _require_limits(self) -> None:
        kind, tree, core = self._kind, self._reg[PLLCFGR], self._pll_hz()
        allowed = kind.wait_states[: self._wait_states() + 1][-1]
        slow, fast = PLL_INPUT_HZ
        wanted = {
            "the PLL is ready [6.3.1]": self._ready(PLLON),
            "its source is, too": self._ready(HSEON) or not tree >> 22 & 1,
            "it gets 1 to 2 MHz [6.3.2]": slow <= self._source_hz() / max(tree & 63, 1) <= fast,
            "its oscillator runs at 100 to 432 MHz [6.3.2]": (
                VCO_HZ[0] <= self._vco_hz() <= VCO_HZ[1]
            ),
            "the flash has its wait states [3.4.1]": core <= allowed,
            "the voltage scale is the highest [5.4.1]": self._scale == kind.scale,
            "APB1 and APB2 are slow enough [6.3.3]": (
                self.bus_hz(1) <= kind.apb1_hz and self.bus_hz(2) <= kind.apb2_hz
            ),
        }
        for what, good in wanted.items():
            if not good:
                raise MistakeError(f"the core changes to the PLL, and this is not so: {what}")
