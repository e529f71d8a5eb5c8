"""The STM32F4's registers that a front end's bus uses, as RM0090 describes them, on unicorn.

The image's own functions run, on an emulated Cortex-M4; what they read and write of SPI2, the ADC,
TIM2, DMA2, EXTI, GPIO and NVIC goes through here. Time passes when somebody looks at TIM5. Not
modelled: analogue, bus matrix, how long a clock takes to start, errors but the ADC's overrun.
"""

import struct
from collections.abc import Callable
from pathlib import Path
from typing import Any

from elftools.elf.elffile import ELFFile
from unicorn import UC_ARCH_ARM, UC_HOOK_CODE, UC_MODE_MCLASS, UC_MODE_THUMB, Uc
from unicorn.arm_const import (
    UC_ARM_REG_LR,
    UC_ARM_REG_R0,
    UC_ARM_REG_SP,
    UC_CPU_ARM_CORTEX_M4,
)

TIM2, TIM5, SPI2, ADC1 = 0x40000000, 0x40000C00, 0x40003800, 0x40012000
SYSCFG, EXTI, GPIO, RCC, DMA2 = 0x40013800, 0x40013C00, 0x40020000, 0x40023800, 0x40026400
CYCCNT, NVIC_ISER, NVIC_ICER, NVIC_IPR = 0xE0001004, 0xE000E100, 0xE000E180, 0xE000E400
AHB1ENR, APB1ENR, CFGR = RCC + 0x30, RCC + 0x40, RCC + 0x08
ADC_CR2, ADC_DR = ADC1 + 0x08, ADC1 + 0x4C
STREAM, NDTR, PAR, M0AR = DMA2 + 0x10, DMA2 + 0x14, DMA2 + 0x18, DMA2 + 0x1C
BY_PLL = 2 << 2
"""RCC_CFGR, SWS: the core runs from the PLL."""
HALVES_ROUND = 1 | 1 << 8 | 1 << 10 | 1 << 11 | 1 << 13
"""DMA_SxCR: EN, CIRC, MINC, half-words to half-words, channel 0."""
RETURN, CALLBACK, SCRATCH, STACK = 0x2001F000, 0x2001F100, 0x2001E000, 0x2001DF00


class Chip:
    """An image of the F405, its functions, and the registers around it."""

    def __init__(self, program: Path) -> None:
        self.uc = Uc(UC_ARCH_ARM, UC_MODE_THUMB | UC_MODE_MCLASS)
        self.uc.ctl_set_cpu_model(UC_CPU_ARM_CORTEX_M4)
        self.uc.mem_map(0x08000000, 0x100000)
        self.uc.mem_map(0x20000000, 0x20000)
        for base, size in ((0x40000000, 0x80000), (0xE0000000, 0x100000)):
            self.uc.mmio_map(base, size, self._read, base, self._write, base)
        with program.open("rb") as file:
            elf = ELFFile(file)
            for segment in elf.iter_segments("PT_LOAD"):
                if segment["p_filesz"]:
                    self.uc.mem_write(segment["p_paddr"], segment.data())
            symbols: Any = elf.get_section_by_name(".symtab")
            self.address = {s.name: s["st_value"] for s in symbols.iter_symbols()}
        self.uc.mem_write(RETURN, b"\xfe\xe7")  # b .
        self.uc.mem_write(CALLBACK, b"\x70\x47")  # bx lr
        self.uc.hook_add(UC_HOOK_CODE, self._called, begin=CALLBACK, end=CALLBACK + 1)
        self.reg: dict[int, int] = {CFGR: BY_PLL}
        self.now_us = 0.0
        self.wire: list[tuple[str, int, int]] = []
        """What was seen outside: (`pin`, its number, level), (`spi`, byte, time)."""
        self.rose_us: dict[int, float] = {}
        self.slave: Callable[[int], int] = lambda byte: byte
        self.calls: list[tuple[int, ...]] = []
        """Arguments of each call to CALLBACK: four registers and a word of the stack."""
        self.given: list[int] = []
        """Halves that the second argument points to, as many as the third says."""
        self.conversions = 0
        self.written = 0
        self.next_us = 0.0
        self.call("ein_count_init")

    def start(self) -> None:
        """From the reset vector to main()."""
        stack, entry = struct.unpack("<2I", self.uc.mem_read(0x08000000, 8))
        self.uc.reg_write(UC_ARM_REG_SP, stack)
        self.uc.emu_start(entry, self.address["main"] & ~1, count=50_000_000)

    def call(self, name: str, *arguments: int) -> int:
        """A function of the image, to its end; at most four arguments."""
        for i, value in enumerate(arguments):
            self.uc.reg_write(UC_ARM_REG_R0 + i, value)
        self.uc.reg_write(UC_ARM_REG_SP, STACK)
        self.uc.reg_write(UC_ARM_REG_LR, RETURN | 1)
        self.uc.emu_start(self.address[name] | 1, RETURN, count=50_000_000)
        return int(self.uc.reg_read(UC_ARM_REG_R0))

    def pass_us(self, us: float) -> None:
        """Time passes, and with it conversions; the core stands still."""
        self.now_us += us
        while (period := self.trigger_us()) and self.next_us <= self.now_us:
            self.next_us += period
            self._convert()

    def trigger_us(self) -> float:
        """Period of the ADC's triggers by TIM2's update at 84 MHz; 0: there are none."""
        r = self.reg.get
        runs = r(TIM2, 0) & 1 and r(TIM2 + 4, 0) >> 4 & 7 == 2  # CEN, MMS: update
        control = r(ADC_CR2, 0)
        armed = control & 1 and control >> 28 & 3 == 1 and control >> 24 & 15 == 6
        return (r(TIM2 + 0x28, 0) + 1) * (r(TIM2 + 0x2C, 0) + 1) / 84 if runs and armed else 0.0

    def _convert(self) -> None:
        value = self.conversions & 0xFFF
        self.conversions += 1
        self.reg[ADC_DR] = value
        if self.reg.get(ADC1, 0) >> 5 & 1:
            return  # after an overrun none is requested
        asks = self.reg[ADC_CR2] >> 8 & 3 == 3  # DMA, DDS
        takes = self.reg.get(STREAM, 0) & 0x0E007D01 == HALVES_ROUND
        if not (asks and takes and self.reg[PAR] == ADC_DR and self.reg[AHB1ENR] >> 22 & 1):
            self.reg[ADC1] = self.reg.get(ADC1, 0) | 1 << 5
            return
        self.uc.mem_write(self.reg[M0AR] + 2 * self.written, struct.pack("<H", value))
        self.written += 1
        self.reg[NDTR] -= 1
        if self.reg[NDTR] == 0:
            self.reg[NDTR], self.written = self.written, 0

    def _read(self, uc: Uc, offset: int, size: int, base: int) -> int:
        address = base + offset
        if address == CYCCNT:
            self.reg[CYCCNT] = self.reg.get(CYCCNT, 0) + 8
        elif address == TIM5 + 0x24:
            self.pass_us(1.0)
            return int(self.now_us)
        elif address == SPI2 + 8:
            return 2 | self.reg.get(address, 0)  # TXE, and RXNE as it is
        elif address == SPI2 + 12:
            self.reg[SPI2 + 8] = 0
        return self.reg.get(address, 0)

    def _write(self, uc: Uc, offset: int, size: int, value: int, base: int) -> None:
        address = base + offset
        if address == SPI2 + 12:
            self._transfer(value & 0xFF)
            return
        if GPIO <= address < GPIO + 0xC00 and address & 0x3FF == 0x18:
            self._pins((address - GPIO) // 0x400, value)
        elif address == NVIC_ICER:
            self.reg[NVIC_ISER] = self.reg.get(NVIC_ISER, 0) & ~value
            return
        elif address == NVIC_ISER:
            value |= self.reg.get(NVIC_ISER, 0)
        elif address == EXTI + 0x14:
            value = self.reg.get(address, 0) & ~value
        elif address == TIM2 and value & 1:
            self.next_us = self.now_us
        elif address == STREAM and value & 1:
            self.written = 0
        self.reg[address] = value

    def _pins(self, port: int, value: int) -> None:
        for n in range(16):
            if (value | value >> 16) >> n & 1:
                pin, level = port << 4 | n, value >> n & 1
                self.wire.append(("pin", pin, level))
                self.rose_us[pin] = self.now_us

    def _transfer(self, byte: int) -> None:
        assert self.reg[SPI2] >> 6 & 1 and self.reg[SPI2] >> 2 & 1, "SPE and MSTR"
        assert self.reg[APB1ENR] >> 14 & 1, "SPI2's clock"
        self.wire.append(("spi", byte, int(self.now_us)))
        self.reg[SPI2 + 12] = self.slave(byte)
        self.reg[SPI2 + 8] = 1

    def _called(self, uc: Uc, address: int, size: int, data: object) -> None:
        r = [int(uc.reg_read(UC_ARM_REG_R0 + i)) for i in range(4)]
        (fifth,) = struct.unpack("<I", uc.mem_read(uc.reg_read(UC_ARM_REG_SP), 4))
        self.calls.append((*r, fifth))
        if 0x20000000 <= r[1] < 0x20020000:
            self.given += struct.unpack(f"<{r[2]}H", uc.mem_read(r[1], 2 * r[2]))
