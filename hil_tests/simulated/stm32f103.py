"""An STM32F103C8 with an unchanged image: an emulated Cortex-M3, RM0008's registers around it.

unicorn runs the instructions; what they read and write of RCC, GPIO, USART1, IWDG, the flash's
controller, SysTick and NVIC goes through here. A register that is not modelled ends the run with
its address. Bytes leave only over a transmitter that has its clock, its pin and its baud rate.
Interrupts come while the core sleeps, and no time passes while it works: the cycle counter counts
its own readings, the watchdog is only looked at, and the ADC converts nothing.
"""

import socket
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
    UC_ARM_REG_LR,
    UC_ARM_REG_PC,
    UC_ARM_REG_PRIMASK,
    UC_ARM_REG_R0,
    UC_ARM_REG_R1,
    UC_ARM_REG_R2,
    UC_ARM_REG_R3,
    UC_ARM_REG_R12,
    UC_ARM_REG_SP,
    UC_CPU_ARM_CORTEX_M3,
)

FLASH, FLASH_BYTES, PAGE_BYTES = 0x08000000, 0x10000, 1024
RAM, RAM_BYTES = 0x20000000, 0x5000
IWDG, GPIOA, USART1, RCC, CONTROLLER = (
    *(0x40003000, 0x40010800, 0x40013800),
    *(0x40021000, 0x40022000),
)
DWT, SYSTICK, NVIC_ISER, SCB, DEMCR = 0xE0001000, 0xE000E010, 0xE000E100, 0xE000ED00, 0xE000EDFC
UNIQUE_ID = 0x1FFFF7E8
IDENTITY = (0x00350041, 0x32385105, 0x31393435)
"""Of this chip: what its image must tell as its serial number."""
CRYSTAL_HZ, RC_HZ, BAUD = 8e6, 8e6, 460800
SYSTICK_EXCEPTION, USART1_EXCEPTION = 15, 16 + 37
RETURN = 0xFFFFFFF9
"""EXC_RETURN: to thread mode and the main stack."""
RETURNS = 8
"""What unicorn calls a branch there."""
PLAIN = {
    *(RCC + 0x04, RCC + 0x18, GPIOA, GPIOA + 4, USART1 + 8, USART1 + 12, IWDG + 4, IWDG + 8),
    *(CONTROLLER, CONTROLLER + 0x14, DWT, DEMCR, SCB + 8),
    *(SYSTICK, SYSTICK + 4, SYSTICK + 8, NVIC_ISER, NVIC_ISER + 4),
}
"""Registers that only keep what was written."""
STACKED = (UC_ARM_REG_R0, UC_ARM_REG_R1, UC_ARM_REG_R2, UC_ARM_REG_R3, UC_ARM_REG_R12)


class Chip:
    """The chip, its flash and what is on its line. `crystal`: whether it starts."""

    def __init__(self, program: Path, crystal: bool = True) -> None:
        self.crystal = crystal
        self.uc = Uc(UC_ARCH_ARM, UC_MODE_THUMB | UC_MODE_MCLASS)
        self.uc.ctl_set_cpu_model(UC_CPU_ARM_CORTEX_M3)
        self.uc.mem_map(FLASH, FLASH_BYTES, UC_PROT_READ | UC_PROT_EXEC)
        self.uc.mem_map(RAM, RAM_BYTES)
        self.uc.mem_map(UNIQUE_ID & ~0xFFF, 0x1000, UC_PROT_READ)
        self.uc.mmio_map(0x40000000, 0x30000, self._read, 0x40000000, self._write, 0x40000000)
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
        self.sent = bytearray()
        self.coming = bytearray()
        """Towards the receiver."""
        self.flags = 1 << 27 | 1 << 26
        """RCC_CSR [7.3.10]: power on, and the pin with it."""
        self.fed = self.erased = self.programmed = 0
        self.trouble = ""
        self.reset()

    def reset(self) -> None:
        """As after the reset pin: RAM keeps what it has."""
        self.reg = dict.fromkeys(PLAIN, 0) | {CONTROLLER + 0x10: 1 << 7}
        self.keys = 0
        self.received = -1
        self.restart = False
        stack, entry = struct.unpack("<2I", self.uc.mem_read(FLASH, 8))
        self.uc.reg_write(UC_ARM_REG_SP, stack)
        self.uc.reg_write(UC_ARM_REG_PRIMASK, 0)
        self.pc = entry & ~1

    def core_hz(self) -> float:
        """By RCC_CFGR [7.3.2]."""
        tree = self.reg[RCC + 4]
        if tree & 3 != 2:
            return RC_HZ
        source = CRYSTAL_HZ if tree >> 16 & 1 else RC_HZ / 2
        return source * min((tree >> 18 & 15) + 2, 16)

    def sleep(self) -> None:
        """Run until the core sleeps, or begins anew."""
        self._start(self.pc)
        if self.trouble:
            raise AssertionError(self.trouble)
        if self.restart:
            self.flags |= 1 << 28 | 1 << 26
            self.reset()
            return
        self.pc = self.uc.reg_read(UC_ARM_REG_PC)

    def wake(self) -> None:
        """What has come ends the sleep; else SysTick does."""
        self.uc.reg_write(UC_ARM_REG_PRIMASK, 0)  # the next that the program does, in any case
        for byte in self.coming:
            self.received = byte
            if self.reg[USART1 + 12] & 0x2024 == 0x2024 and self.reg[NVIC_ISER + 4] >> 5 & 1:
                self._interrupt(USART1_EXCEPTION)
        if not self.coming and self.reg[SYSTICK] & 3 == 3:
            self._interrupt(SYSTICK_EXCEPTION)
        self.coming.clear()

    def serve(self, listener: socket.socket) -> None:
        """Be the board at the other end of `listener`'s connections, until it is closed."""
        listener.settimeout(0.01)
        link: socket.socket | None = None
        while listener.fileno() >= 0:
            self.sleep()
            try:
                if link is None:
                    link = listener.accept()[0]
                    link.settimeout(0.005)
                link.sendall(self.sent)
                self.sent.clear()
                self.coming += link.recv(512)
            except TimeoutError:
                pass
            except OSError:
                link = None
            self.wake()

    def _start(self, at: int) -> None:
        self.uc.emu_start(at | 1, RETURN & ~1)

    def _interrupt(self, exception: int) -> None:
        """Arm DDI 0403, B1.5.6: what the core stacks, and takes back."""
        kept = [self.uc.reg_read(r) for r in STACKED]
        link, stack = self.uc.reg_read(UC_ARM_REG_LR), self.uc.reg_read(UC_ARM_REG_SP)
        frame = struct.pack("<8I", *kept, link, self.pc, 1 << 24)
        here = (stack - len(frame)) & ~7
        self.uc.mem_write(here, frame)
        self.uc.reg_write(UC_ARM_REG_SP, here)
        self.uc.reg_write(UC_ARM_REG_LR, RETURN)
        (vector,) = struct.unpack("<I", self.uc.mem_read(self.reg[SCB + 8] + 4 * exception, 4))
        self._start(vector & ~1)
        words = struct.unpack("<8I", self.uc.mem_read(here, 32))
        for register, value in zip(STACKED, words[:5], strict=True):
            self.uc.reg_write(register, value)
        self.uc.reg_write(UC_ARM_REG_LR, words[5])
        self.uc.reg_write(UC_ARM_REG_SP, stack)

    def _exception(self, uc: Uc, number: int, data: Any) -> None:
        self._stop("" if number == RETURNS else f"exception {number} of unicorn's")

    def _stop(self, trouble: str = "") -> None:
        self.trouble = self.trouble or trouble
        self.uc.emu_stop()

    def _read(self, uc: Uc, offset: int, size: int, base: int) -> int:
        address = base + offset
        if address == RCC:  # what is switched on is ready [7.3.1]
            on = self.reg.get(RCC, 0)
            return 3 | on | (on & 1 << 24) << 1 | ((on & 1 << 16) << 1 if self.crystal else 0)
        if address == RCC + 4:  # SWS follows SW
            return self.reg[address] & ~12 | (self.reg[address] & 3) << 2
        if address == RCC + 0x24:
            return self.flags
        if address == USART1:  # TXE and TC: a byte takes no time; RXNE [27.6.1]
            return 0xC0 | (self.received >= 0) << 5
        if address == USART1 + 4:
            byte, self.received = max(self.received, 0), -1
            return byte
        if address == DWT + 4:
            self.reg[address] = self.reg.get(address, 0) + 1
            return self.reg[address] & 0xFFFFFFFF
        if address in (IWDG + 12, CONTROLLER + 12, CONTROLLER + 16):
            return self.reg.get(address, 0)
        if address not in PLAIN:
            self._stop(f"{address:#x} is read, and not modelled")
        return self.reg.get(address, 0)

    def _write(self, uc: Uc, offset: int, size: int, value: int, base: int) -> None:
        address = base + offset
        if address == USART1 + 4:
            self._send(value & 0xFF)
        elif address == IWDG:
            self.fed += value == 0xAAAA
        elif address == RCC + 0x24:
            self.flags = 0 if value >> 24 & 1 else self.flags
        elif address == GPIOA + 0x10:
            self.reg[GPIOA + 0x0C] = self.reg.get(GPIOA + 0x0C, 0) | value
        elif address == SCB + 0x0C and value == 0x05FA0004:
            self.restart = True
            self._stop()
        elif address == CONTROLLER + 4:  # [3.3.3], PM0075 2.3.1: the keys in their order
            self.keys = self.keys + 1 if value == (0x45670123, 0xCDEF89AB)[self.keys & 1] else 0
            if self.keys == 2:
                self.keys = self.reg[CONTROLLER + 0x10] = 0
        elif address == CONTROLLER + 12:
            self.reg[address] = self.reg.get(address, 0) & ~value
        elif address == CONTROLLER + 0x10:
            self._control(value)
        elif address in (DWT + 4, RCC) or address in PLAIN:
            self.reg[address] = value | (self.reg[address] if address & ~4 == NVIC_ISER else 0)
        else:
            self._stop(f"{address:#x} is written, and not modelled")

    def _send(self, byte: int) -> None:
        clocks, pins = self.reg[RCC + 0x18], self.reg[GPIOA + 4]
        ready = clocks & 0x4004 == 0x4004 and pins >> 4 & 15 == 0xB and pins >> 8 & 15 == 8
        rate = self.core_hz() / max(self.reg[USART1 + 8], 1)
        if not (ready and abs(rate / BAUD - 1) < 0.02 and self.reg[USART1 + 12] & 0x2008 == 0x2008):
            self._stop(f"a byte is sent at {rate:.0f} baud, by pins {pins:#x}, clocks {clocks:#x}")
        self.sent.append(byte)

    def _control(self, value: int) -> None:
        """FLASH_CR [PM0075 3.5]: a locked one takes nothing."""
        control = CONTROLLER + 0x10
        if self.reg[control] >> 7 & 1:
            return
        self.reg[control] = value & ~(1 << 6)
        if value & 0x42 == 0x42:
            page = self.reg[CONTROLLER + 0x14] & ~(PAGE_BYTES - 1)
            self.uc.mem_write(page, b"\xff" * PAGE_BYTES)
            self.erased += 1

    def _program(self, uc: Uc, access: int, address: int, size: int, value: int, data: Any) -> bool:
        """A half-word into erased flash, where the controller allows it; else a fault."""
        if self.reg[CONTROLLER + 0x10] & 0x81 != 1 or size != 2:
            return False
        if bytes(uc.mem_read(address, 2)) != b"\xff\xff":
            self._stop(f"{address:#x} is programmed twice")
        self.programmed += 1
        return True
