"""An ESP32-C3 with an unchanged image of direct boot: an emulated rv32imc, its registers around it.

unicorn runs the instructions; what the chip has beyond the privileged specification, traps, the
ROM's functions and every register go through here and the modules beside. A register that is not
modelled ends the run with its address. Time passes while the core sleeps, stands still in an
endless loop, or waits for the ROM to write the flash, and not while it works. Interrupts are taken
where time passes, of the lines that the matrix lets through, by their vector. An exception's mepc
is the begin of a run of instructions without a branch: unicorn knows no better. Left out: the
cache's time, the pins but GPIO0's pad, priorities beyond on and off, what the ROM itself needs of
RAM above 0x3FCC0000.
"""

import ctypes
import random
import struct
from functools import partial
from pathlib import Path
from typing import Any

from unicorn import (
    UC_ARCH_RISCV,
    UC_HOOK_CODE,
    UC_HOOK_INTR,
    UC_HOOK_MEM_INVALID,
    UC_MEM_FETCH,
    UC_MEM_FETCH_PROT,
    UC_MEM_FETCH_UNMAPPED,
    UC_MEM_WRITE,
    UC_MEM_WRITE_PROT,
    UC_MEM_WRITE_UNMAPPED,
    UC_MODE_RISCV32,
    UC_PROT_ALL,
    UC_PROT_EXEC,
    UC_PROT_NONE,
    UC_PROT_READ,
    UC_PROT_WRITE,
    Uc,
    UcError,
)
from unicorn import riscv_const as riscv

from einthoven.hil_tests.chips import NS_PER_S
from einthoven.hil_tests.chips.esp32c3 import analogue, image, rom, uart
from einthoven.hil_tests.chips.esp32c3.analogue import Adc, Bus
from einthoven.hil_tests.chips.esp32c3.counter import Counter
from einthoven.hil_tests.chips.esp32c3.matrix import Matrix
from einthoven.hil_tests.chips.esp32c3.rom import FLASH_BYTES, Rom
from einthoven.hil_tests.chips.esp32c3.timers import TARGETS, SystemTimer, Watchdogs
from einthoven.hil_tests.chips.esp32c3.uart import Uart

CODE, DATA, DRAM, IRAM, ROM = image.CODE, rom.SEEN_AT, 0x3FC80000, 0x40380000, 0x40000000
RAM_BYTES, ROM_BYTES = 0x40000, 0x60000
"""Of RAM, what the ROM leaves to a program."""
ENTRY, MAGIC = CODE + 8, struct.pack("<2I", 0xAEDB041D, 0xAEDB041D)
PERIPHERALS, PERIPHERALS_BYTES = 0x60000000, 0xD1000
UART0, GPIO, RTC, EFUSE, IO_MUX = 0x60000000, 0x60004000, 0x60008000, 0x60008800, 0x60009000
ANALOGUE, TIMG0, SYSTIMER, SARADC = 0x6000E000, 0x6001F000, 0x60023000, 0x60040000
SYSTEM, INTERRUPTS = 0x600C0000, 0x600C2000
RTC_OPTIONS0, RTC_RESET_STATE, RTC_STORE0 = RTC + 0x00, RTC + 0x38, RTC + 0x50
PER_CONF, CLK_EN0, RST_EN0, SYSCLK = SYSTEM + 0x08, SYSTEM + 0x10, SYSTEM + 0x18, SYSTEM + 0x58
MAC = "7cdfa10b0c0d"
"""Of this chip: what its image must tell as its serial number."""
EFUSES = {
    **{0x44: int(MAC[4:], 16), 0x48: int(MAC[:4], 16)},
    **{0x6C: 1, 0x70: analogue.INIT_CODE - 1000 << 18},
}
SARADC_BIT = 1 << 28
POWER, SOFTWARE, WATCHDOG = 0x01, 0x03, 0x07
"""Reset causes [2.1.3]."""
MIE, MPIE, MPP = 1 << 3, 1 << 7, 3 << 11
INTERRUPT = 1 << 31
UART_SOURCE, TIMER_SOURCE = 21, 37
"""Numbers of the matrix's sources, the system timer's first one [8.3.1]."""
FETCH_FAULT, LOAD_FAULT, STORE_FAULT = 1, 5, 7
MOST_PASSED_OVER = 1000
"""Sleeps at once that a waiting interrupt does not let begin."""
PLAIN = {
    *(GPIO + 0x28, IO_MUX + 4, RTC_STORE0, RTC_STORE0 + 4, PER_CONF, CLK_EN0, SYSCLK),
}
"""Registers that only keep what was written."""
_FETCHES = (UC_MEM_FETCH, UC_MEM_FETCH_PROT, UC_MEM_FETCH_UNMAPPED)
_WRITES = (UC_MEM_WRITE, UC_MEM_WRITE_PROT, UC_MEM_WRITE_UNMAPPED)


class Chip:
    """The chip, its flash and what is on its line."""

    def __init__(self, program: Path) -> None:
        self._flash, self._ram = bytearray(FLASH_BYTES), bytearray(RAM_BYTES)
        self.uc = Uc(UC_ARCH_RISCV, UC_MODE_RISCV32)
        # Either appears at two addresses, and stays where it is.
        self._held = [
            (ctypes.c_char * len(content)).from_buffer(content)
            for content in (self._flash, self._ram)
        ]
        flash, ram = map(ctypes.addressof, self._held)
        self.uc.mem_map_ptr(CODE, FLASH_BYTES, UC_PROT_READ | UC_PROT_EXEC, flash)
        self.uc.mem_map_ptr(DATA, FLASH_BYTES, UC_PROT_READ, flash)
        self.uc.mem_map_ptr(DRAM, RAM_BYTES, UC_PROT_READ | UC_PROT_WRITE, ram)
        self.uc.mem_map_ptr(IRAM, RAM_BYTES, UC_PROT_ALL, ram)
        self.uc.mem_map(ROM, ROM_BYTES, UC_PROT_READ | UC_PROT_EXEC)
        self.uc.mmio_map(PERIPHERALS, PERIPHERALS_BYTES, self._read, None, self._write, None)
        self.counter = Counter(self._stop)
        self.uc.hook_add(UC_HOOK_INTR, self.counter.instruction)
        self.uc.hook_add(UC_HOOK_MEM_INVALID, self._fault)
        self.uc.hook_add(UC_HOOK_CODE, self._rom_call, begin=ROM, end=ROM + ROM_BYTES - 1)
        for function in rom.FUNCTIONS:
            self.uc.mem_write(function, b"\x82\x80")  # ret
        self.random = random.Random(1)
        self.trouble = ""
        self.ns = 0
        """Time."""
        self.sent = bytearray()
        """By the firmware, since somebody looked."""
        self.coming = bytearray()
        """Towards its receiver."""
        self.uart = Uart(self.sent, self.coming, self._stop)
        self.timer = SystemTimer(self._stop)
        timers = {TIMER_SOURCE + n: partial(self.timer.interrupts, n) for n in range(TARGETS)}
        self.matrix = Matrix({UART_SOURCE: lambda: self.uart.interrupts, **timers})
        self.watchdogs = Watchdogs(self._stop)
        self.bus = Bus()
        self.sampling = Adc(self._adc_ready, self._stop)
        self.rom = Rom(self._flash, self.bus.put, self._of_ram, self._show_flash, self._stop)
        self._watched: list[int] = []
        self.flash_anew(image.loaded(program))

    def flashed(self) -> bytes:
        """What its flash holds, image included."""
        return bytes(self._flash)

    def flash_anew(self, content: bytes) -> None:
        """Put that into its flash, and the power on."""
        self._flash[:] = content[:FLASH_BYTES].ljust(FLASH_BYTES, b"\xff")
        self.uc.ctl_remove_cache(CODE, CODE + FLASH_BYTES)
        for hook in self._watched:
            self.uc.hook_del(hook)
        self._watched = [
            self.uc.hook_add(UC_HOOK_CODE, self._watch, why, begin=CODE + at, end=CODE + at)
            for at, why in image.watched(content[:FLASH_BYTES].rstrip(b"\xff"))
        ]
        self.power_on()

    def power_on(self) -> None:
        """RAM holds anything, the flash what it held, nothing is on the line."""
        self.coming.clear()
        self.sent.clear()
        self._ram[:] = self.random.randbytes(RAM_BYTES)
        self.reg = dict.fromkeys(PLAIN, 0)
        self._reset(POWER)

    def _reset(self, cause: int) -> None:
        """As after a reset of the digital system: RAM and the RTC's stores keep what they have. The
        ROM then starts what begins with its magic, and nothing else is here.
        """
        kept = {at: self.reg[at] for at in (RTC_STORE0, RTC_STORE0 + 4)}
        self.reg = dict.fromkeys(PLAIN, 0) | kept
        self.reg |= {PER_CONF: 0xC, CLK_EN0: 1 << 29 | 1 << 28 | 1 << 24 | 1 << 2, RST_EN0: 0}
        self.reg |= {SYSCLK: 1, RTC_OPTIONS0: 0x1C00A000, RTC_RESET_STATE: cause, IO_MUX + 4: 0xB00}
        parts = (
            self.uart,
            self.timer,
            self.bus,
            self.sampling,
            self.rom,
            self.matrix,
            self.counter,
        )
        for part in parts:
            part.reset()
        self.watchdogs.reset(self.ns)
        if self._flash[: len(MAGIC)] != MAGIC:
            self._stop("the flash does not begin with the magic of direct boot")
        self._why = ""
        self.uc.reg_write(riscv.UC_RISCV_REG_MSTATUS, 0)
        self.uc.reg_write(riscv.UC_RISCV_REG_MTVEC, ROM | 1)
        self.uc.reg_write(riscv.UC_RISCV_REG_SP, DRAM + RAM_BYTES)
        self.pc = ENTRY

    def core_hz(self) -> float:
        """By SYSTEM_SYSCLK_CONF and SYSTEM_CPU_PER_CONF [6.2.4]."""
        source = self.reg[SYSCLK] >> 10 & 3
        if source == 0:
            return uart.XTAL_HZ / ((self.reg[SYSCLK] & 0x3FF) + 1)
        is_on = not self.reg[RTC_OPTIONS0] & (1 << 6 | 1 << 8 | 1 << 10)
        if source != 1 or self.reg[PER_CONF] & 4 == 0 or not (is_on and self.bus.pll_is_good):
            return 0.0
        return 160e6 if self.reg[PER_CONF] & 3 == 1 else 80e6

    def sleep(self) -> None:
        """Run until the core sleeps and nothing is coming, through restarts of its own.

        Raises AssertionError for what the firmware must not do.
        """
        passed_over = 0
        while True:
            line = self.matrix.waiting()
            if line is not None and self._status() & MIE:
                self._trap(INTERRUPT | line, 0)
            self._run()
            waits = self.matrix.waiting() is not None
            if self._why == "exception":
                self._trap(*self._exception)
            elif self._why == "reset":
                self._reset(SOFTWARE)
            elif self._why in ("rom", "stands") and not (waits and self._status() & MIE):
                self._pass_to_next()
            elif not self._why and not waits:
                if not self.coming:
                    return
                self._wake()
            elif not self._why and (passed_over := passed_over + 1) > MOST_PASSED_OVER:
                raise AssertionError(f"at {self.pc:#x} an interrupt ends the sleep, and is masked")

    def wake(self) -> None:
        """Time goes on until it has something to say, 10 ms at most."""
        until = self.ns + NS_PER_S // 100
        self._wake()
        while self.ns < until and not self.sent:
            self.sleep()
            self._wake()

    def _wake(self) -> None:
        """Time goes on until something ends the sleep."""
        if left := self.watchdogs.left:
            raise AssertionError(f"the core sleeps, and the ROM's watchdogs run: {left}")
        hz, told = self.core_hz(), self.rom.cpu_mhz
        if hz != told * 1e6:
            raise AssertionError(f"the core runs at {hz:.0f} Hz, and the ROM is told {told} MHz")
        if self.rom.stale:
            raise AssertionError(f"the cache still shows what was at {self.rom.stale} of the flash")
        if self.timer.next_ns() is None:
            raise AssertionError("the core sleeps, and no timer wakes it")
        self._pass_to_next()

    def run(self, seconds: float) -> None:
        """Live for so long on its own time."""
        until = self.ns + round(seconds * NS_PER_S)
        while self.ns < until:
            self.sleep()
            self.wake()

    def _pass_to_next(self) -> None:
        """Time goes on to the next interrupt, or, where none comes, by a millisecond."""
        ends = (self.timer.next_ns(), self.uart.next_ns(self.ns), self.ns + NS_PER_S // 1000)
        step = min(ns for ns in ends[: 2 if ends[0] is not None else 3] if ns is not None)
        self.ns = max(self.ns, step)
        self.counter.cycles += 1000
        self.sampling.run(self.ns)
        self.timer.run(self.ns)
        self.uart.run(self.ns)
        if self.watchdogs.bites(self.ns):
            self._reset(WATCHDOG)

    def _run(self) -> None:
        self._why = ""
        try:
            self.uc.emu_start(self.pc, 0)
        except UcError as error:
            if not self._why:
                self._stop(f"{error} at {self.uc.reg_read(riscv.UC_RISCV_REG_PC):#x}")
        if self.trouble:
            raise AssertionError(self.trouble)
        self.pc = self.uc.reg_read(riscv.UC_RISCV_REG_PC)

    def _status(self) -> int:
        return int(self.uc.reg_read(riscv.UC_RISCV_REG_MSTATUS))

    def _trap(self, cause: int, value: int) -> None:
        status = self._status()
        pending = MPIE if status & MIE else 0
        self.uc.reg_write(riscv.UC_RISCV_REG_MSTATUS, status & ~(MIE | MPIE) | MPP | pending)
        self.uc.reg_write(riscv.UC_RISCV_REG_MEPC, self.pc)
        self.uc.reg_write(riscv.UC_RISCV_REG_MCAUSE, cause)
        self.uc.reg_write(riscv.UC_RISCV_REG_MTVAL, value)
        vectors = self.uc.reg_read(riscv.UC_RISCV_REG_MTVEC)
        self.pc = (vectors & ~0xFF) + (4 * (cause & 31) if cause & INTERRUPT else 0)

    def _fault(self, uc: Uc, access: int, at: int, size: int, value: int, data: Any) -> bool:
        if any(begin <= at < begin + FLASH_BYTES for begin in (CODE, DATA)):
            self._stop(f"{at:#x} of the flash is read or written while it is not there")
        kind = (
            FETCH_FAULT if access in _FETCHES else STORE_FAULT if access in _WRITES else LOAD_FAULT
        )
        self._exception = (kind, at)
        self._why = "exception"
        uc.emu_stop()
        return False

    def _rom_call(self, uc: Uc, at: int, size: int, data: Any) -> None:
        if at not in rom.FUNCTIONS:
            self._stop(f"{at:#x} of the ROM is run, and not modelled")
            return
        arguments = [uc.reg_read(riscv.UC_RISCV_REG_A0 + n) for n in range(8)]
        result = self.rom.call(at, arguments, self.ns)
        if result is None:
            self._why = "rom"
            uc.emu_stop()
        else:
            uc.reg_write(riscv.UC_RISCV_REG_A0, result)

    def _watch(self, uc: Uc, at: int, size: int, why: str) -> None:
        """The core is where something is to be done before it goes on."""
        if why != "unmasked" or (self.matrix.waiting() is not None and self._status() & MIE):
            self._why = why
            uc.emu_stop()

    def _show_flash(self, there: bool) -> None:
        code = UC_PROT_READ | UC_PROT_EXEC if there else UC_PROT_NONE
        self.uc.mem_protect(CODE, FLASH_BYTES, code)
        self.uc.mem_protect(DATA, FLASH_BYTES, UC_PROT_READ if there else UC_PROT_NONE)

    def _of_ram(self, at: int, n: int) -> bytes | None:
        if not DRAM <= at <= DRAM + RAM_BYTES - n:
            return None
        return bytes(self._ram[at - DRAM : at - DRAM + n])

    def _adc_ready(self) -> dict[str, bool]:
        return {
            "the converter has its bus clock, and is out of reset": (
                bool(self.reg[CLK_EN0] & SARADC_BIT) and not self.reg[RST_EN0] & SARADC_BIT
            ),
            "GPIO0's pad is analogue": self.reg[IO_MUX + 4] & 0x380 == 0,
            "the chip's calibration": self.bus.adc_is_calibrated,
            "1440 a second, once they come in a row": (
                self.sampling.conversions == 0 or abs(self.timer.hz(0) / 1440 - 1) < 1e-4
            ),
            "80 MHz on its bus": self.core_hz() == 160e6,
        }

    def _stop(self, trouble: str) -> None:
        self.trouble = self.trouble or trouble
        self.uc.emu_stop()

    def _read(self, uc: Uc, offset: int, size: int, data: Any) -> int:
        address = PERIPHERALS + offset
        found = self._part_read(address)
        if found is None:
            self._stop(f"{address:#x} is read, and not modelled")
        return (found or 0) & 0xFFFFFFFF

    def _part_read(self, address: int) -> int | None:
        if address < UART0 + 0x1000:
            return self.uart.read(address - UART0)
        if address in self.reg:
            return self.reg[address]
        if EFUSE <= address < EFUSE + 0x400:
            return EFUSES.get(address - EFUSE)
        for begin, read in (
            (RTC, self.watchdogs.read_rtc),
            (ANALOGUE, self.bus.read),
            (SYSTIMER, self.timer.read),
            (SARADC, self.sampling.read),
            (INTERRUPTS, self.matrix.read),
        ):
            if begin <= address < begin + 0x800:
                return read(address - begin)
        return None

    def _write(self, uc: Uc, offset: int, size: int, value: int, data: Any) -> None:
        address = PERIPHERALS + offset
        if size != 4 or not self._part_write(address, value):
            self._stop(f"{address:#x} is written, and not modelled")

    def _part_write(self, address: int, value: int) -> bool:
        if address < UART0 + 0x1000:
            return self.uart.write(address - UART0, value)
        if address == RTC_OPTIONS0 and value & 1 << 31:
            self._why = "reset"
            self.uc.emu_stop()
        if address == RST_EN0 and value & ~self.reg[RST_EN0] & SARADC_BIT:
            self.sampling.reset()
        if address in PLAIN or address in (RST_EN0, RTC_OPTIONS0):
            self.reg[address] = value
            if address == SYSCLK and self.core_hz() == 0:
                self._stop("the core is switched to a PLL that is not set up, and stands still")
            return True
        if RTC <= address < RTC + 0x800:
            return self.watchdogs.write_rtc(address - RTC, value)
        if INTERRUPTS <= address < INTERRUPTS + 0x800:
            return self.matrix.write(address - INTERRUPTS, value)
        if ANALOGUE <= address < ANALOGUE + 0x1000:
            return self.bus.write(address - ANALOGUE, value)
        for begin, write in (
            (TIMG0, self.watchdogs.write),
            (SYSTIMER, self.timer.write),
            (SARADC, self.sampling.write),
        ):
            if begin <= address < begin + 0x1000:
                return write(address - begin, value, self.ns)
        return False
