"""The ESP32-C3's ADC1 and PLL: what lies behind the bus that only the ROM drives, and before it.

ADC1 by the technical reference manual, 34, a conversion at a time; the analogue parts' registers by
ESP-IDF's soc/regi2c_*.h and hal/esp32c3/{adc,clk_tree}_ll.h. What is set up in another way than the
firmware means it to be is a mistake that ends the run. How long the start bit is held is not looked
at: while the core works no time passes.
"""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

CTRL, ONETIME, DATA1, INT_RAW, INT_CLR, CLKM = 0x00, 0x20, 0x2C, 0x44, 0x4C, 0x54
START, DONE = 1 << 29, 1 << 31
ADC1_CHANNEL_0_11DB = 1 << 31 | 0 << 25 | 3 << 23
FULL, MIDDLE = 4095, 2048
OVERSAMPLING, RATE_HZ = 8, 180
"""Of the firmware: conversions of a sample, samples a second."""
CONVERSION_NS = 20_000
PLL, SAR = 0x66, 0x69
INIT_CODE = 1234
"""The factory's, of this chip at 11 dB."""
PLL_480MHZ = {
    2: (0xFF, 0x50),
    3: (0xFF, 8),
    4: (0xFF, 0x6B),
    5: (0x77, 0),
    6: (0xFF, 0x63),
    9: (3, 2),
}
"""Of a 40 MHz crystal: register to bits and their value."""
CALIBRATED = {0: (0xFF, INIT_CODE & 0xFF), 1: (0x0F, INIT_CODE >> 8), 2: (0x70, 1 << 4)}
CONF0, CONFIG, CONFIG2 = 0x40, 0x44, 0x48
PLL_STOPS, PLL_CALIBRATES, PLL_BUS_OFF = 1 << 2, 1 << 3, 1 << 17
SAR_OFF, SAR_ON = 1 << 18, 1 << 16


class Bus:
    """The analogue parts' registers, as anything else may have left them; and their switches."""

    def __init__(self) -> None:
        self.reset()

    def reset(self) -> None:
        """As after any reset; the ROM has the PLL running, which is not counted on."""
        self._parts = {PLL: [0xA5] * 16, SAR: [0xA5] * 16}
        self._reg = {CONF0: PLL_STOPS, CONFIG: PLL_BUS_OFF | SAR_OFF, CONFIG2: 0}

    def read(self, offset: int) -> int | None:
        """None: not modelled."""
        return self._reg.get(offset)

    def write(self, offset: int, value: int) -> bool:
        """False: not modelled."""
        if offset not in self._reg:
            return False
        self._reg[offset] = value
        return True

    def put(self, part: int, host: int, at: int, high: int, low: int, value: int) -> str:
        """Bits of a part's register, as the ROM writes them; what is wrong with it, or ""."""
        is_off = self._reg[CONFIG] & (PLL_BUS_OFF if part == PLL else SAR_OFF)
        if part not in self._parts or host != 0 or at >= 16 or is_off:
            return f"register {at} of the analogue part {part:#x} on host {host} is not reached"
        mask = (1 << high - low + 1) - 1
        if value & ~mask:
            return f"{value:#x} is more than bits {high} to {low} hold"
        self._parts[part][at] = self._parts[part][at] & ~(mask << low) | value << low
        return ""

    def _is(self, part: int, wanted: dict[int, tuple[int, int]]) -> bool:
        return all(self._parts[part][at] & bits == value for at, (bits, value) in wanted.items())

    @property
    def pll_is_good(self) -> bool:
        """Set up for 480 MHz, and its calibration was let run."""
        mode = self._reg[CONF0] & (PLL_STOPS | PLL_CALIBRATES)
        return self._is(PLL, PLL_480MHZ) and mode == PLL_CALIBRATES

    @property
    def adc_is_calibrated(self) -> bool:
        """With the chip's own code."""
        return self._is(SAR, CALIBRATED) and bool(self._reg[CONFIG2] & SAR_ON)


class Adc:
    """What GPIO0 sees is `samples` at 180 Hz, signed 12-bit counts, from the first conversion on;
    behind its end, or without any, no electrode: the upper rail.

    `good`: what must be so when a conversion starts, by what it is; `stop`: told a mistake.
    """

    def __init__(self, good: Callable[[], dict[str, bool]], stop: Callable[[str], None]) -> None:
        self._good, self._stop = good, stop
        self.samples: NDArray[np.int16] = np.zeros(0, np.int16)
        self.reset()

    def reset(self) -> None:
        """As after any reset, of the module alone, too: nothing converts."""
        self._reg = {CTRL: 0, ONETIME: 13 << 25, CLKM: 4}
        self.conversions = 0
        self._data, self._raw = 0, 0
        self._ends_ns: int | None = None

    @property
    def taken(self) -> int:
        """Samples whose last conversion has been."""
        return self.conversions // OVERSAMPLING

    def run(self, now_ns: int) -> None:
        """Whether a conversion has ended until then."""
        if self._ends_ns is not None and now_ns >= self._ends_ns:
            at = self.conversions // OVERSAMPLING
            there = at < len(self.samples)
            self._data = min(max(int(self.samples[at]) + MIDDLE, 0), FULL) if there else FULL
            self.conversions += 1
            self._raw |= DONE
            self._ends_ns = None

    def read(self, offset: int) -> int | None:
        """None: not modelled."""
        if offset == DATA1:
            if self._ends_ns is not None:
                self._stop("a conversion is read that has not ended")
            return self._data
        return self._raw if offset == INT_RAW else self._reg.get(offset)

    def write(self, offset: int, value: int, now_ns: int) -> bool:
        """False: not modelled."""
        if offset == INT_CLR:
            self._raw &= ~value
        elif offset in self._reg:
            before, self._reg[offset] = self._reg[offset], value
            if offset == ONETIME and value & ~before & START:
                self._start(now_ns)
        else:
            return False
        return True

    def _start(self, now_ns: int) -> None:
        if self._ends_ns is not None:
            self._stop("a conversion is started before the last one has ended")
        clock = self._reg[CLKM]
        wanted = self._good() | {
            "ADC1, channel 0, 11 dB": self._reg[ONETIME] & ~START == ADC1_CHANNEL_0_11DB,
            "the converter is powered and has its clock": self._reg[CTRL] & 3 << 27 == 3 << 27
            and bool(self._reg[CTRL] & 1 << 6),
            "10 MHz or more for its controller, from the APB's clock": clock >> 20 & 7 == 5
            and clock & 0xFF < 8,
            "5 MHz at most for the converter": 80e6 / ((clock & 0xFF) + 1)
            <= 5e6 * max(self._reg[CTRL] >> 7 & 0xFF, 1),
        }
        for what, good in wanted.items():
            if not good:
                self._stop(f"a conversion starts, and this is not so: {what}")
        self._ends_ns = now_ns + CONVERSION_NS
