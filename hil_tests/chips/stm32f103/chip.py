"""An STM32F103C8 with an unchanged image: an emulated Cortex-M3, RM0008's registers around it.

unicorn runs the instructions; what they read and write of RCC, GPIO, USART1, IWDG, SysTick, NVIC
and of the neighbours' registers (`flash`, `dma`) goes through here. A register
that is not modelled ends the run with its address. Bytes leave only over a transmitter that has its
clock, its pin and its baud rate. Time passes while the core sleeps and while the flash lets it
wait, and not while it works: the cycle counter counts its own readings. Interrupts are never taken,
as the firmware masks them; they end its sleep.
"""

import struct
from pathlib import Path
from typing import Any

from elftools.elf.elffile import ELFFile
from unicorn import (
    UC_ARCH_ARM,
    UC_HOOK_INTR,
    UC_HOOK_MEM_WRITE_PROT,
    UC_MODE_MCLASS,
    UC_MODE_THUMB,
    UC_PROT_EXEC,
    UC_PROT_READ,
    Uc,
)
from unicorn.arm_const import (
    UC_ARM_REG_PC,
    UC_ARM_REG_PRIMASK,
    UC_ARM_REG_SP,
    UC_ARM_REG_XPSR,
    UC_CPU_ARM_CORTEX_M3,
)

from einthoven.hil_tests.chips import NS_PER_S
from einthoven.hil_tests.chips.stm32f103.dma import USART1, Receiver, Sampling
from einthoven.hil_tests.chips.stm32f103.flash import (
    CONTROLLER,
    PAGE_BYTES,
    Controller,
    PowerCutError,
)

FLASH, FLASH_BYTES = 0x08000000, 0x10000
RAM, RAM_BYTES = 0x20000000, 0x5000
BUSES = 0x40000000
IWDG, GPIOA, RCC = 0x40003000, 0x40010800, 0x40021000
DWT, SYSTICK, SCB, DEMCR = 0xE0001000, 0xE000E010, 0xE000ED00, 0xE000EDFC
NVIC_ISER, NVIC_ICPR = 0xE000E100, 0xE000E280
UNIQUE_ID = 0x1FFFF7E8
IDENTITY = (0x00350041, 0x32385105, 0x31393435)
"""Of this chip: what its image must tell as its serial number."""
CRYSTAL_HZ, RC_HZ, BAUD = 8e6, 8e6, 460800
WATCHDOG_HZ = 60e3
"""Of its oscillator, at most [DS5319, table 27]."""
BYTE_NS = 10 * NS_PER_S // BAUD
CLOCKS = {RCC + offset for offset in (0x14, 0x18, 0x1C)}
PLAIN = {
    *(RCC + 0x04, *CLOCKS, GPIOA, GPIOA + 4),
    *(USART1 + 8, USART1 + 12, USART1 + 20, IWDG + 4, IWDG + 8, DWT, DEMCR, SCB + 4, SCB + 8),
    *(SYSTICK, SYSTICK + 4, SYSTICK + 8, NVIC_ISER + 4, NVIC_ICPR + 4),
}
"""Registers that only keep what was written."""
THUMB = 1 << 24


class Chip:
    """The chip, its flash and what is on its line. `crystal`: whether it starts."""

    def __init__(self, program: Path, crystal: bool = True) -> None:
        self.crystal = crystal
        self.uc = Uc(UC_ARCH_ARM, UC_MODE_THUMB | UC_MODE_MCLASS)
        self.uc.ctl_set_cpu_model(UC_CPU_ARM_CORTEX_M3)
        self.uc.mem_map(FLASH, FLASH_BYTES, UC_PROT_READ | UC_PROT_EXEC)
        self.uc.mem_map(RAM, RAM_BYTES)
        self.uc.mem_map(UNIQUE_ID & ~0xFFF, 0x1000, UC_PROT_READ)
        self.uc.mmio_map(BUSES, 0x30000, self._read, BUSES, self._write, BUSES)
        self.uc.mmio_map(0xE0000000, 0x100000, self._read, 0xE0000000, self._write, 0xE0000000)
        self.uc.hook_add(UC_HOOK_MEM_WRITE_PROT, self._program)
        self.uc.hook_add(UC_HOOK_INTR, self._exception)
        self.uc.mem_write(FLASH, b"\xff" * FLASH_BYTES)
        self.uc.mem_write(UNIQUE_ID, struct.pack("<3I", *IDENTITY))
        with program.open("rb") as file:
            for segment in ELFFile(file).iter_segments("PT_LOAD"):
                if segment["p_filesz"]:
                    self.uc.mem_write(segment["p_paddr"], segment.data())
        self.reg: dict[int, int] = {}
        self.flash = Controller(
            self.uc,
            range(FLASH, FLASH + FLASH_BYTES, PAGE_BYTES),
            self.pass_time,
            self._stop,
            self._power_off,
        )
        self.sampling = Sampling(
            self.uc,
            self.timers_hz,
            lambda offset: self.reg[RCC + offset],
            lambda: self.reg[GPIOA] >> 4 & 15,
            self._stop,
        )
        self.receiver = Receiver(self.uc, lambda: self.reg[USART1 + 20], self._stop)
        self.sent = bytearray()
        self.coming = bytearray()
        """Towards the receiver."""
        self.ns = 0
        """Time."""
        self.fed = 0
        self.trouble = ""
        self.power_on()

    def power_on(self) -> None:
        """After a cut, too: RAM holds anything, the flash what it held, nothing is on the line."""
        self.coming.clear()
        self.sent.clear()
        self.uc.mem_write(RAM, self.flash.random.randbytes(RAM_BYTES))
        self._cut: PowerCutError | None = None
        self.flash.power_on()
        self.flags = 1 << 27 | 1 << 26
        """RCC_CSR [7.3.10]: power on, and the pin with it."""
        self.reset()

    def flashed(self) -> bytes:
        """What its flash holds, image included."""
        return bytes(self.uc.mem_read(FLASH, FLASH_BYTES))

    def flash_anew(self, content: bytes) -> None:
        """Put that into its flash, and the power on."""
        self.uc.mem_write(FLASH, content[:FLASH_BYTES])
        self.power_on()

    def reset(self) -> None:
        """As after the reset pin: RAM keeps what it has."""
        self.reg = dict.fromkeys(PLAIN, 0) | {RCC + 0x14: 0x14}
        self.flash.reset()
        self.sampling.reset()
        self.receiver.reset()
        self.fed_ns: int | None = None
        self.restart = False
        self._switched = 0
        """Register of RCC that gave a clock, and was not read since."""
        stack, entry = struct.unpack("<2I", self.uc.mem_read(FLASH, 8))
        self.uc.reg_write(UC_ARM_REG_SP, stack)
        self.uc.reg_write(UC_ARM_REG_PRIMASK, 0)
        self.uc.reg_write(UC_ARM_REG_XPSR, THUMB)
        self.pc = entry & ~1

    def core_hz(self) -> float:
        """By RCC_CFGR [7.3.2]."""
        tree = self.reg[RCC + 4]
        if tree & 3 != 2:
            return RC_HZ
        source = CRYSTAL_HZ if tree >> 16 & 1 else RC_HZ / 2
        return source * min((tree >> 18 & 15) + 2, 16)

    def timers_hz(self) -> float:
        """Of APB1's timers, which run at twice its clock where that is divided [7.2]."""
        prescaler = self.reg[RCC + 4] >> 8 & 7
        return self.core_hz() if prescaler < 5 else self.core_hz() / (1 << prescaler - 4)

    def sleep(self) -> None:
        """Run until the core sleeps, through restarts of its own.

        Raises AssertionError for what the firmware must not do, PowerCutError.
        """
        while True:
            self.uc.emu_start(self.pc | 1, 0)
            if self.trouble:
                raise AssertionError(self.trouble)
            if self._cut is not None:
                raise self._cut
            if not self.restart:
                break
            self.flags |= 1 << 28 | 1 << 26
            self.reset()
        self.pc = self.uc.reg_read(UC_ARM_REG_PC)

    def wake(self) -> None:
        """What has come ends the sleep, when all of it is there; else SysTick does."""
        if not self.uc.reg_read(UC_ARM_REG_PRIMASK):
            raise AssertionError("the core sleeps with interrupts unmasked")
        if not self.reg[NVIC_ISER + 4] >> 5 & 1 or self.reg[SYSTICK] & 3 != 3:
            raise AssertionError("the core sleeps, and what comes does not wake it")
        if self.coming:
            self.pass_time(BYTE_NS * len(self.coming))
        else:
            self.pass_time(round((self.reg[SYSTICK + 4] + 1) * NS_PER_S / self.core_hz()))

    def run(self, seconds: float) -> None:
        """Live for so long on its own time."""
        until = self.ns + round(seconds * NS_PER_S)
        while self.ns < until:
            self.sleep()
            self.wake()

    def pass_time(self, ns: int) -> None:
        """Time goes on: conversions and bytes come."""
        self.ns += ns
        self.sampling.run(self.ns)
        if self.coming:
            came = bytes(self.coming[: ns // BYTE_NS])
            del self.coming[: len(came)]
            self.receiver.take(came)
        if self.fed_ns is not None:
            ticks = (self.reg[IWDG + 8] + 1) * (4 << self.reg[IWDG + 4])
            if (self.ns - self.fed_ns) * WATCHDOG_HZ > ticks * NS_PER_S:
                self._stop("the watchdog was not fed in time")

    def _exception(self, uc: Uc, number: int, data: Any) -> None:
        self._stop(f"exception {number} of unicorn's")

    def _power_off(self, cut: PowerCutError) -> None:
        self._cut = cut
        self.uc.emu_stop()

    def _stop(self, trouble: str = "") -> None:
        self.trouble = self.trouble or trouble
        self.uc.emu_stop()

    def _touch(self, address: int) -> None:
        """A peripheral whose clock has just been switched on is there some cycles later."""
        if self._switched and RCC != address & ~0x3FF < 0xE0000000:
            self._stop(f"{address:#x} is touched before {self._switched:#x} was read back")

    def _read(self, uc: Uc, offset: int, size: int, base: int) -> int:
        address = base + offset
        self._switched = 0 if address == self._switched else self._switched
        self._touch(address)
        if address == RCC:  # what is switched on is ready [7.3.1]
            on = self.reg.get(RCC, 0)
            return 3 | on | (on & 1 << 24) << 1 | ((on & 1 << 16) << 1 if self.crystal else 0)
        if address == RCC + 4:  # SWS follows SW
            return self.reg[address] & ~12 | (self.reg[address] & 3) << 2
        if address == RCC + 0x24:
            return self.flags
        if address == USART1:  # TXE and TC: a byte takes no time [27.6.1]
            return 0xC0
        if address == DWT + 4:
            self.reg[address] = self.reg.get(address, 0) + 1
            return self.reg[address] & 0xFFFFFFFF
        if address == IWDG + 12:
            return 0
        found = self.reg.get(address) if address in PLAIN else None
        if found is None:
            found = self.sampling.read(address, self.ns)
        if found is None:
            found = self.receiver.read(address)
        if found is None and base == CONTROLLER & ~0xFFFFFFF:
            found = self.flash.read(address - CONTROLLER)
        if found is None:
            self._stop(f"{address:#x} is read, and not modelled")
        return found or 0

    def _write(self, uc: Uc, offset: int, size: int, value: int, base: int) -> None:
        address = base + offset
        self._touch(address)
        if address in CLOCKS and value & ~self.reg[address]:
            self._switched = address
        if address == USART1 + 4:
            self._send(value & 0xFF)
        elif address == IWDG:
            self.fed += value == 0xAAAA
            if value in (0xAAAA, 0xCCCC) and (value == 0xCCCC or self.fed_ns is not None):
                self.fed_ns = self.ns
        elif address == RCC + 0x24:
            self.flags = 0 if value >> 24 & 1 else self.flags
        elif address == GPIOA + 0x10:
            self.reg[GPIOA + 0x0C] = self.reg.get(GPIOA + 0x0C, 0) | value
        elif address == SCB + 0x0C and value == 0x05FA0004:
            self.restart = True
            self._stop()
        elif address in (DWT + 4, RCC) or address in PLAIN:
            self.reg[address] = value | (self.reg[address] if address == NVIC_ISER + 4 else 0)
        elif not (
            self.sampling.write(address, value, self.ns)
            or self.receiver.write(address, value)
            or (address >= CONTROLLER and self.flash.write(address - CONTROLLER, value))
        ):
            self._stop(f"{address:#x} is written, and not modelled")

    def _send(self, byte: int) -> None:
        clocks, pins = self.reg[RCC + 0x18], self.reg[GPIOA + 4]
        ready = clocks & 0x4004 == 0x4004 and pins >> 4 & 15 == 0xB and pins >> 8 & 15 == 8
        rate = self.core_hz() / max(self.reg[USART1 + 8], 1)
        if not (ready and abs(rate / BAUD - 1) < 0.02 and self.reg[USART1 + 12] & 0x2008 == 0x2008):
            self._stop(f"a byte is sent at {rate:.0f} baud, by pins {pins:#x}, clocks {clocks:#x}")
        self.sent.append(byte)

    def _program(self, uc: Uc, access: int, address: int, size: int, value: int, data: Any) -> bool:
        return self.flash.program(address, size, value)
