"""An RP2350 with an unchanged image: an emulated core, its data sheet's registers around it.

unicorn runs the instructions; what they read and write of the peripherals goes to a block each
(`rp/`), what they call of the boot ROM to `rom`. A register that is not modelled ends the run with
its address, as does one whose peripheral is still held in reset. Time passes while the core sleeps
or spins, while the flash lets it wait, eight cycles with each register that is read, and not while
it works: what a computation takes is not in it.
"""

import ctypes
from pathlib import Path

from unicorn import (
    UC_ARCH_ARM,
    UC_ARCH_RISCV,
    UC_HOOK_CODE,
    UC_MODE_MCLASS,
    UC_MODE_RISCV32,
    UC_MODE_THUMB,
    UC_PROT_ALL,
    UC_PROT_EXEC,
    UC_PROT_READ,
    Uc,
)
from unicorn.arm_const import UC_ARM_REG_R0, UC_CPU_ARM_CORTEX_M33
from unicorn.riscv_const import UC_RISCV_REG_X0

from einthoven.hil_tests.chips import NS_PER_S
from einthoven.hil_tests.chips.rp import clocks, uart, watchdog
from einthoven.hil_tests.chips.rp.block import Block
from einthoven.hil_tests.chips.rp.cortex_m import CortexM
from einthoven.hil_tests.chips.rp.flash import WINDOW, Flash
from einthoven.hil_tests.chips.rp.program import Program
from einthoven.hil_tests.chips.rp.sampling import Adc, Timer
from einthoven.hil_tests.chips.rp2350 import rom
from einthoven.hil_tests.chips.rp2350.blocks import BY_EBH, Qmi, Ticks
from einthoven.hil_tests.chips.rp2350.hazard3 import Hazard3
from einthoven.hil_tests.chips.rp2350.layout import LAYOUT, POWMAN, QMI, TICKS

RAM, RAM_BYTES = 0x20000000, 520 * 1024
FLASH_BYTES = 4 * 1024 * 1024
PSM_WDSEL, CHIP_RESET = 0x8, 0x2C
IDENTITY, PACKAGE = 0x0E66_1C43_8B5A_F729, 1
"""Of this chip: what its image must tell as its serial number."""
POWER_ON, RUN_PIN, BY_WATCHDOG = 1 << 16, 1 << 18, 1 << 28
"""CHIP_RESET [6.4]: the last reset's cause."""
UART_LINE, ALARM_LINES = 33, (0, 1)
WAITS = ("ein_micros", "ein_cycles")
"""Functions that the firmware asks again and again while it waits."""
READ_CYCLES = 8
PRIVATE = 0xE0000000
"""Arm's own registers."""
FLASH, ALL_RAM = range(WINDOW, WINDOW + FLASH_BYTES), range(RAM, RAM + RAM_BYTES)
BEHIND = {FLASH: 0x0FFF0000, ALL_RAM: 0x20090000}
"""Where nothing of the chip's is that a program may touch: for the emulator (`hazard3`)."""


class Chip:
    """The chip, its flash and what is on its line. `crystal`: whether it starts."""

    def __init__(self, program: Path, crystal: bool = True) -> None:
        image = Program(program)
        self._riscv = image.riscv
        if image.riscv:
            self.uc = Uc(UC_ARCH_RISCV, UC_MODE_RISCV32)
        else:
            self.uc = Uc(UC_ARCH_ARM, UC_MODE_THUMB | UC_MODE_MCLASS)
            self.uc.ctl_set_cpu_model(UC_CPU_ARM_CORTEX_M33)
        self.ns = 0
        self.sent, self.coming = bytearray(), bytearray()
        self.trouble = ""
        self._restart: int | None = None
        ram = ctypes.create_string_buffer(RAM_BYTES)
        self._ram = memoryview(ram).cast("B")
        self.uc.mem_map_ptr(RAM, RAM_BYTES, UC_PROT_ALL, ctypes.addressof(ram))
        self.uc.mem_map(0, rom.SIZE, UC_PROT_READ | UC_PROT_EXEC)
        for base in (0x40000000,) if image.riscv else (0x40000000, PRIVATE):
            self.uc.mmio_map(base, 0x200000, self._read, base, self._write, base)
        self._build(crystal)
        for place, loaded in image.loaded:
            self.flash.put(place - WINDOW, loaded)
        content, places = rom.content(image.riscv)
        self.uc.mem_write(0, content)
        about = rom.sys_info(IDENTITY, PACKAGE)
        self._functions = rom.Functions(self.uc, content, about, self.flash, self.qmi, self._stop)
        for at, name in places.items():
            self.uc.hook_add(UC_HOOK_CODE, self._rom_call, name, at, at)
        self.core: CortexM | Hazard3
        if image.riscv:
            memory = {FLASH: self.flash.window, ALL_RAM: self._ram}
            self.core = Hazard3(
                self.uc, self, self._stop, image.functions, image.waits(WAITS), BEHIND, memory
            )
            self._arguments = range(UC_RISCV_REG_X0 + 10, UC_RISCV_REG_X0 + 14)
        else:
            self.core = CortexM(self.uc, self, self._stop, image.code, image.waits(WAITS), True)
            self._arguments = range(UC_ARM_REG_R0, UC_ARM_REG_R0 + 4)
        self.power_on()

    def _build(self, crystal: bool) -> None:
        stop, at = self._stop, LAYOUT
        self.resets = clocks.Resets(stop, 0x1FFFFFFF)
        self.crystal = clocks.Crystal(stop)
        self.crystal.there = crystal
        system, usb = clocks.Pll(stop, self.crystal), clocks.Pll(stop, self.crystal)
        self.clocks = clocks.Clocks(stop, at, self.crystal, system, usb)
        self.ticks = Ticks(stop)
        self.psm, self.qmi = Block(stop, {PSM_WDSEL: 0}), Qmi(stop)
        self.power = Block(stop, {CHIP_RESET: POWER_ON})
        self.watchdog = watchdog.Watchdog(stop, 1, self._fire)
        pins = uart.Pins(stop)
        self.pads = uart.Pads(stop, at.pad_isolated, at.pad_reset)
        line = (self.sent, self.coming)
        self.uart = uart.Uart(stop, self.clocks.peri_hz, pins, self.pads, line)
        self.timer = Timer(stop, at.alarm_interrupts)
        self.sampling = Adc(stop, self.clocks.adc_hz, pins, self.pads)
        self.flash = Flash(self.uc, FLASH_BYTES, self.pass_time, stop)
        self._blocks: dict[int, Block] = {
            at.resets: self.resets,
            at.clocks: self.clocks,
            at.xosc: self.crystal,
            at.pll_sys: system,
            at.pll_usb: usb,
            at.psm: self.psm,
            at.watchdog: self.watchdog,
            at.io_bank0: pins,
            at.pads_bank0: self.pads,
            at.uart0: self.uart,
            at.timer: self.timer,
            at.adc: self.sampling,
            TICKS: self.ticks,
            POWMAN: self.power,
            QMI: self.qmi,
        }
        self._clocking = (self.resets, self.clocks, self.crystal, system, usb, self.ticks)
        self.resets.held = [(bit, self._blocks[base]) for base, bit in at.reset_bits.items()]

    def _set_clocks(self) -> None:
        """What hangs on the clocks' registers."""
        self._core_hz = self.clocks.sys_hz(self.ns)
        self._read_ns = round(READ_CYCLES * NS_PER_S / max(self._core_hz, 1.0))
        ref_hz = self.clocks.ref_hz(self.ns)
        self.watchdog.tick_hz = self.ticks.hz(Ticks.WATCHDOG, ref_hz)
        self.timer.count_at(self.ticks.hz(Ticks.TIMER0, ref_hz), self.ns)

    def power_on(self) -> None:
        """After a cut, too: RAM holds anything, the flash what it held, nothing is on the line."""
        self.coming.clear()
        self.sent.clear()
        self.uc.mem_write(RAM, bytes(range(1, 256)) * (RAM_BYTES // 255))
        self.crystal.reset()
        self.watchdog.reset()
        self.power.reg[CHIP_RESET] = POWER_ON
        self.on_riscv = False
        """ARCHSEL: Arm until told otherwise; no reset by the watchdog changes it."""
        self._reset()

    def press_run(self) -> None:
        """Pull RUN low: all but the RAM begins anew [7.3]."""
        self.crystal.reset()
        self.watchdog.reset()
        self.power.reg[CHIP_RESET] = RUN_PIN
        self.on_riscv = False
        self._reset()

    def _reset(self) -> None:
        """As after any reset: the ROM looks for an image, and enters it."""
        keeps = (self.crystal, self.watchdog, self.power)
        for block in self._blocks.values():
            if block not in keeps:
                block.reset()
        self._restart = None
        self._set_clocks()
        self.core.reset()
        self.flash.reset()
        image = rom.find_image(bytes(self.flash.content[: rom.SEARCHED]))
        if image is None or image.riscv != self._riscv:
            raise AssertionError("the boot ROM finds no image that it would start on these cores")
        if image.riscv != self.on_riscv:  # reboot(), by the watchdog's timer [5.1.20]
            self.on_riscv = image.riscv
            self.watchdog.restarted(watchdog.TIMER)
            self.power.reg[CHIP_RESET] = BY_WATCHDOG
        self.qmi.by(BY_EBH)
        if isinstance(self.core, Hazard3):
            self.core.start(WINDOW)
            return
        begin = bytes(self.flash.content[:8])
        stack, entry = int.from_bytes(begin[:4], "little"), int.from_bytes(begin[4:], "little")
        self.core.start(stack, entry, WINDOW)

    def flashed(self) -> bytes:
        """What its flash holds, image included."""
        return bytes(self.flash.content)

    def flash_anew(self, content: bytes) -> None:
        """Put that into its flash, and the power on."""
        self.flash.put(0, content[:FLASH_BYTES])
        self.power_on()

    def core_hz(self) -> float:
        """Of the core, now."""
        return self._core_hz

    def lines(self) -> list[int]:
        """Interrupts that are asked for, the first first."""
        found = [n for n in ALARM_LINES if self.timer.raised(n, self.ns)]
        return found + ([UART_LINE] if self.uart.raised(self.ns) else [])

    def forbidden(self, address: int) -> str:
        """Why nothing may be there just now; empty: it is a fault of the core's."""
        if not WINDOW <= address < WINDOW + FLASH_BYTES:
            return ""
        return f"{address:#x} of the flash is touched " + (
            "while it takes commands" if self.flash.out else "by a write"
        )

    def ends(self) -> bool:
        """Whether this run of the core is over: a restart, a mistake."""
        return bool(self.trouble) or self._restart is not None

    def sleep(self) -> None:
        """Run until the core sleeps, through restarts of its own.

        Raises AssertionError for what the firmware must not do.
        """
        while True:
            self.core.run()
            if self.trouble:
                raise AssertionError(self.trouble)
            if self._restart is None:
                break
            self._begin_again(self._restart)
        if self.core.pending() is None:  # what is in the transmitter leaves meanwhile
            empty = self.uart.free_ns(self.ns, uart.BUSY)
            self.pass_time(max(min([empty, *self._events()]) - self.ns, 0))

    def _events(self) -> list[int]:
        """When what may end a sleep comes next."""
        events = [
            self.watchdog.due_ns(self.ns),
            None if self._hangs() else self.timer.event_ns(self.ns),
            None if self._hangs() else self.uart.event_ns(self.ns),
            None if self._hangs() else self.core.event_ns(),
        ]
        return [event for event in events if event is not None]

    def wake(self) -> None:
        """Time goes on until something ends the sleep."""
        while self._restart is None and (self.core.pending() is None or self._hangs()):
            events = self._events()
            if not events:
                raise AssertionError("the core sleeps, and nothing wakes it")
            self.pass_time(max(min(events) - self.ns, 1))
        if self._restart is not None:
            self._begin_again(self._restart)

    def _hangs(self) -> bool:
        return self.core.spins and self.core.masked

    def run(self, seconds: float) -> None:
        """Live for so long on its own time."""
        until = self.ns + round(seconds * NS_PER_S)
        while self.ns < until:
            self.sleep()
            self.wake()

    def pass_time(self, ns: int) -> None:
        """Time goes on."""
        self.ns += ns
        self.uart.run(self.ns)
        self.timer.run(self.ns)
        due = self.watchdog.due_ns(self.ns)
        if due is not None and self.ns >= due:
            self._fire(watchdog.TIMER)

    def _fire(self, reason: int) -> None:
        if self.psm.reg[PSM_WDSEL] & LAYOUT.watchdog_selects != LAYOUT.watchdog_selects:
            self._stop(f"a watchdog's reset takes only {self.psm.reg[PSM_WDSEL]:#x} along [7.4.4]")
        self._restart = reason
        self.uc.emu_stop()

    def _begin_again(self, reason: int) -> None:
        self.watchdog.restarted(reason)
        self.power.reg[CHIP_RESET] = BY_WATCHDOG
        self._reset()

    def _stop(self, trouble: str) -> None:
        """End the run: the firmware's mistake."""
        self.trouble = self.trouble or trouble
        self.uc.emu_stop()

    def _block(self, address: int) -> Block | None:
        base = address & ~0x3FFF
        block = self._blocks.get(base)
        bit = LAYOUT.reset_bits.get(base)
        if block is not None and bit is not None and self.resets.reg[0] >> bit & 1:
            self._stop(f"{address:#x} is touched, and its peripheral is held in reset")
        return block

    def _read(self, uc: Uc, offset: int, size: int, base: int) -> int:
        address = base + offset
        self.ns += self._read_ns
        if isinstance(self.core, CortexM) and base == PRIVATE:
            found = self.core.read(offset) if size == 4 else None
        else:
            block = self._block(address)
            plain = size == 4 and address & 0x3000 == 0
            if plain and block is self.uart and address & 0xFFF == uart.FR:
                found = self._flags()
            else:
                found = block.read(address & 0xFFF, self.ns) if block and plain else None
        if found is None:
            self._stop(f"{address:#x} is read, and not modelled")
        return found or 0

    def _flags(self) -> int:
        """The UART's. While the transmitter is full time goes on, to what comes first: room
        or bytes that the receiver asks the core to take. The firmware, told that it is full, asks
        for the time, and lets them come (`WAITS`).
        """
        flags = self.uart.read(uart.FR, self.ns) or 0
        if flags & uart.TX_FULL:
            room, asks = self.uart.free_ns(self.ns, uart.TX_FULL), self.uart.event_ns(self.ns)
            self.pass_time(max(min(room, room if asks is None else asks) - self.ns, 0))
        return flags

    def _write(self, uc: Uc, offset: int, size: int, value: int, base: int) -> None:
        address = base + offset
        if isinstance(self.core, CortexM) and base == PRIVATE:
            known = size == 4 and self.core.write(offset, value)
        else:
            block = self._block(address)
            known = size == 4 and block is not None and self._change(block, address, value)
        if not known:
            self._stop(f"{address:#x} is written, and not modelled")

    def _change(self, block: Block, address: int, value: int) -> bool:
        """By one of a register's four addresses: plain, or those that change bits [2.1.3]."""
        offset, kind = address & 0xFFF, address >> 12 & 3
        if kind:
            before = block.peek(offset)
            if before is None:
                return False
            value = (before ^ value, before | value, before & ~value)[kind - 1]
        known = block.write(offset, value, self.ns)
        if block in self._clocking:
            self._set_clocks()
        return known

    def _rom_call(self, uc: Uc, address: int, size: int, name: str) -> None:
        values = [uc.reg_read(register) for register in self._arguments]
        result = self._functions.call(name, values)
        if result is not None:
            uc.reg_write(self._arguments[0], result & 0xFFFFFFFF)
