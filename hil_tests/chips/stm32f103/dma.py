"""What comes to the STM32F103's RAM without the core: conversions, and received bytes.

RM0008: 13.4 DMA, 15.4 timers, 11.12 ADC, 27.6 USART. TIM3 starts ADC1, DMA1's first channel stores,
TIM2 counts; USART1's bytes go through the fifth. What is set up in another way than the firmware
means it to be is a mistake that ends the run.
"""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray
from unicorn import Uc

from einthoven.hil_tests.chips import NS_PER_S

TIM2, TIM3, ADC1, USART1 = 0x40000000, 0x40000400, 0x40012400, 0x40013800
DMA1 = 0x40020000
CHANNEL, RX_CHANNEL = DMA1 + 0x08, DMA1 + 0x58
CR1, CR2, SMCR, CNT, PSC, ARR = 0x00, 0x04, 0x08, 0x24, 0x28, 0x2C
ADC_CR2, SMPR2, SQR1, SQR3, DR = 0x08, 0x10, 0x2C, 0x34, 0x4C
CCR, CNDTR, CPAR, CMAR = 0x00, 0x04, 0x08, 0x0C
RCC_AHBENR, RCC_APB2ENR, RCC_APB1ENR = 0x14, 0x18, 0x1C
FULL, MIDDLE = 4095, 2048
OVERSAMPLING, RATE_HZ = 8, 180
"""Of the firmware: conversions of a sample, samples a second."""
REGISTERS = {
    *(timer + offset for timer in (TIM2, TIM3) for offset in (CR1, CR2, SMCR, CNT, PSC, ARR)),
    *(ADC1 + offset for offset in (ADC_CR2, SMPR2, SQR1, SQR3)),
    *(CHANNEL + offset for offset in (CCR, CNDTR, CPAR, CMAR)),
}


class Sampling:
    """What PA1 sees is `samples` at 180 Hz, signed 12-bit counts, from the first conversion on;
    behind its end, or without any, no electrode: the upper rail.

    `timers_hz`: what APB1's timers run at; `rcc`: a register of the RCC by its offset, `pin`: CNF
    and MODE of PA1; `stop`: told a mistake of the firmware's.
    """

    def __init__(
        self,
        uc: Uc,
        timers_hz: Callable[[], float],
        rcc: Callable[[int], int],
        pin: Callable[[], int],
        stop: Callable[[str], None],
    ) -> None:
        self._uc, self._timers_hz, self._rcc, self._pin = uc, timers_hz, rcc, pin
        self._stop = stop
        self.samples: NDArray[np.int16] = np.zeros(0, np.int16)
        self.reset()

    def reset(self) -> None:
        """As after any reset: nothing runs."""
        self._reg = dict.fromkeys(REGISTERS, 0)
        self.conversions = 0
        self.most_waiting = 0
        """Conversions between two looks of the firmware's at their number."""
        self._looked_at = 0
        self._begun_ns: int | None = None
        self._counted_from = 0

    @property
    def taken(self) -> int:
        """Samples whose last conversion has been."""
        return self.conversions // OVERSAMPLING

    def read(self, address: int, now_ns: int) -> int | None:
        """None: not modelled."""
        if address == TIM2 + CNT:
            self.run(now_ns)
            self.most_waiting = max(self.most_waiting, self.conversions - self._looked_at)
            self._looked_at = self.conversions
            return (self.conversions - self._counted_from) & self._reg[TIM2 + ARR]
        if address == CHANNEL + CNDTR:
            ring = self._reg[address]
            return ring - self.conversions % ring if ring else 0
        if address == ADC1 + ADC_CR2:  # a calibration takes no time
            return self._reg[address] & ~0xC
        return self._reg.get(address)

    def write(self, address: int, value: int, now_ns: int) -> bool:
        """False: not modelled."""
        if address not in REGISTERS:
            return False
        self.run(now_ns)
        self._reg[address] = value
        if address == TIM3 + CR1 and value & 1 and self._begun_ns is None:
            self._begun_ns = now_ns
            self._require()
        elif address == TIM2 + CR1 and value & 1:
            self._counted_from = self.conversions
        elif self._begun_ns is not None and address != TIM3 + CR1:
            self._stop(f"{address:#x} is written while conversions come")
        return True

    def run(self, now_ns: int) -> None:
        """Conversions until then."""
        if self._begun_ns is None:
            return
        period = (self._reg[TIM3 + ARR] + 1) * (self._reg[TIM3 + PSC] + 1)
        count = (now_ns - self._begun_ns) * round(self._timers_hz()) // (period * NS_PER_S)
        if count > self.conversions:
            self._store(count)

    def _store(self, count: int) -> None:
        ring = self._reg[CHANNEL + CNDTR]
        first = max(self.conversions, count - ring)
        sample = np.arange(first, count) // OVERSAMPLING
        values = np.full(len(sample), FULL, "<u2")
        there = sample < len(self.samples)
        values[there] = self.samples[sample[there]].astype(np.int32) + MIDDLE
        at = first % ring
        end = min(ring - at, len(values))
        begin = self._reg[CHANNEL + CMAR]
        self._uc.mem_write(begin + 2 * at, values[:end].tobytes())
        if end < len(values):
            self._uc.mem_write(begin, values[end:].tobytes())
        self.conversions = count

    def _require(self) -> None:
        reg = self._reg
        rate = self._timers_hz() / ((reg[TIM3 + ARR] + 1) * (reg[TIM3 + PSC] + 1))
        wanted = {
            "clocks of DMA1, TIM2, TIM3 and ADC1 [7.3.6 to 7.3.8]": (
                self._rcc(RCC_AHBENR) & 1 == 1
                and self._rcc(RCC_APB1ENR) & 3 == 3
                and self._rcc(RCC_APB2ENR) & 0x204 == 0x204
            ),
            "PA1 is analogue [9.2.1]": self._pin() == 0,
            "TIM3 tells its periods [15.4.2]": reg[TIM3 + CR2] >> 4 & 7 == 2,
            "TIM2 counts them [15.4.3]": reg[TIM2 + SMCR] & 0x77 == 0x27 and reg[TIM2 + CR1] & 1,
            "ADC1 is on, for DMA, and waits for TIM3 [11.12.3]": (
                reg[ADC1 + ADC_CR2] & 0x1E0101 == 0x180101
            ),
            "channel 1 alone, for 239.5 cycles [11.12.5, 11.12.11]": (
                (reg[ADC1 + SQR1], reg[ADC1 + SQR3], reg[ADC1 + SMPR2] >> 3 & 7) == (0, 1, 7)
            ),
            "DMA1 goes round in half-words [13.4.3]": reg[CHANNEL + CCR] & 0xFFF == 0x5A1,
            "from the ADC's data": reg[CHANNEL + CPAR] == ADC1 + DR,
            "1440 a second": abs(rate / (OVERSAMPLING * RATE_HZ) - 1) < 1e-3,
        }
        for what, good in wanted.items():
            if not good:
                self._stop(f"conversions begin, and this is not so: {what}")


class Receiver:
    """USART1's bytes by DMA1's fifth channel. `waits`: whether CR3 lets them through; `stop`: told
    a mistake of the firmware's.
    """

    def __init__(self, uc: Uc, cr3: Callable[[], int], stop: Callable[[str], None]) -> None:
        self._uc, self._cr3, self._stop = uc, cr3, stop
        self.reset()

    def reset(self) -> None:
        """As after any reset."""
        self._reg = dict.fromkeys((RX_CHANNEL + o for o in (CCR, CNDTR, CPAR, CMAR)), 0)
        self._taken = 0
        self._round = False

    def read(self, address: int) -> int | None:
        """None: not modelled."""
        if address == DMA1:
            return self._round << 17
        if address == RX_CHANNEL + CNDTR:
            ring = self._reg[address]
            return ring - self._taken % ring if ring else 0
        return self._reg.get(address)

    def write(self, address: int, value: int) -> bool:
        """False: not modelled."""
        if address == DMA1 + 4:
            self._round = self._round and not value >> 17 & 1
        elif address in self._reg:
            self._reg[address] = value
        else:
            return False
        return True

    def take(self, content: bytes) -> None:
        """So many bytes have come one after the other."""
        ring, begin = self._reg[RX_CHANNEL + CNDTR], self._reg[RX_CHANNEL + CMAR]
        good = self._reg[RX_CHANNEL + CCR] & 0xFFF == 0x0A1 and self._cr3() & 0x40
        if not good or self._reg[RX_CHANNEL + CPAR] != USART1 + 4:
            self._stop("a byte comes, and DMA1's fifth channel does not fetch it [13.4.3, 27.6.6]")
            return
        for byte in content:
            self._uc.mem_write(begin + self._taken % ring, bytes([byte]))
            self._taken += 1
            self._round = self._round or self._taken % ring == 0
