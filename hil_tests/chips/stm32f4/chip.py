"""An STM32F405, F411 or F446 with an unchanged image: a Cortex-M4, the manuals' registers around.

What the image reads and writes of its peripherals goes through here (`_map` has them all), and a
register that no model has ends the run with its address, as does what the firmware must not do.
Bytes leave only over a transmitter that has its clock, its pin and its baud rate.

Time passes by a cycle an instruction, in pieces of `armv7m.SLICE` (what is left of one when the
core falls asleep is not counted), by `ACCESS_CYCLES` an access to a peripheral, while the core
sleeps and while the flash lets it wait. Wait states, caches and pipeline are not modelled: cycles
wait for silicon. Nor are: the alias of the flash at 0, imprecise faults, low-power modes but WFI.
"""

import random
import struct
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from elftools.elf.elffile import ELFFile
from numpy.typing import NDArray
from unicorn import UC_HOOK_MEM_WRITE_PROT, UC_PROT_EXEC, UC_PROT_READ, UC_PROT_WRITE, Uc
from unicorn.arm_const import UC_ARM_REG_PC, UC_CPU_ARM_CORTEX_M4

from einthoven.hil_tests.chips import NS_PER_S
from einthoven.hil_tests.chips.armv7m import Core, MistakeError, ResetError
from einthoven.hil_tests.chips.stm32f4 import clock as rcc
from einthoven.hil_tests.chips.stm32f4 import serial
from einthoven.hil_tests.chips.stm32f4.adc import ADC1, DR, Adc, Electrodes, Steady
from einthoven.hil_tests.chips.stm32f4.clock import PWR, RCC, Clock
from einthoven.hil_tests.chips.stm32f4.dma import DMA2, Stream
from einthoven.hil_tests.chips.stm32f4.edges import EXTI, SYSCFG, Edges
from einthoven.hil_tests.chips.stm32f4.flash import FLASH, Controller
from einthoven.hil_tests.chips.stm32f4.kinds import Kind
from einthoven.hil_tests.chips.stm32f4.pins import ANALOGUE, GPIO, PORTS, Pins
from einthoven.hil_tests.chips.stm32f4.plain import I2C1, I2C_SET_UP, RNG, Plain, Rng
from einthoven.hil_tests.chips.stm32f4.serial import Usart
from einthoven.hil_tests.chips.stm32f4.spi import FUNCTION, PINS, SPI2, Spi
from einthoven.hil_tests.chips.stm32f4.timers import TIM2, TIM3, TIM5, Timer
from einthoven.hil_tests.chips.stm32f4.watchdog import Watchdog

RAM, RAM_BYTES = 0x20000000, 128 << 10
SYSTEM_MEMORY, UNIQUE_ID, FLASH_KB = 0x1FFF7000, 0x1FFF7A10, 0x1FFF7A22
CCM, CCM_BYTES = 0x10000000, 64 << 10
FLASH_CONTROLLER, IWDG, PRIVATE = 0x40023C00, 0x40003000, 0xE0000000
IDENTITY = (0x00350041, 0x32385105, 0x31393435)
"""Of this chip: what its image must tell as its serial number."""
PRIORITY_BITS = 4
IRQS = {0x40011000: 37, 0x40004400: 38, 0x40004800: 39}
"""Of the USARTs."""
SERIAL_FUNCTION = 7
BATTERY_COUNTS = 2420
"""3.9 V behind a divider of two, at a reference of 3.3 V."""
ACCESS_CYCLES = 6
PIECE_NS = 10_000_000
"""What `wake` lets pass at least: a host is asked so often, which may take longer."""
AWAKE_NS = 4_000_000_000
CAUSES = {"power": rcc.POWER, "pin": 0, "software": rcc.SOFTWARE, "watchdog": rcc.WATCHDOG}


@dataclass(frozen=True)
class Block:
    """Registers of a peripheral: 1 KB at an address. `status`: offsets whose reading changes
    nothing, where a core that polls may be interrupted.
    """

    read: Callable[[int], int | None]
    write: Callable[[int, int], bool]
    status: frozenset[int] = frozenset()


class Chip:
    """The chip, its flash and what is on its line. `crystal`, `pll`: whether they start."""

    def __init__(self, kind: Kind, program: Path, crystal: bool = True, pll: bool = True) -> None:
        self.kind, self.program = kind, program
        self.ns = 0
        """Time."""
        self._quiet_until_ns = 0
        """Nothing happens before, as far as has been looked."""
        self.random = random.Random(1)
        ram = [range(RAM, RAM + RAM_BYTES)]
        self.core = Core(
            UC_CPU_ARM_CORTEX_M4, ram, lambda: self.ns, lambda: self.clock.core_hz, PRIORITY_BITS
        )
        self.uc = self.core.uc
        self.uc.mem_map(FLASH, kind.flash_bytes, UC_PROT_READ | UC_PROT_EXEC)
        self.uc.mem_map(RAM, RAM_BYTES)
        if kind.ccm:
            self.uc.mem_map(CCM, CCM_BYTES, UC_PROT_READ | UC_PROT_WRITE)
        self.uc.mem_map(SYSTEM_MEMORY, 0x1000, UC_PROT_READ)
        for base, size in ((0x40000000, 0x80000), (0x50000000, 0x61000), (PRIVATE, 0x100000)):
            self.uc.mmio_map(base, size, self._read, base, self._write, base)
        self.uc.hook_add(UC_HOOK_MEM_WRITE_PROT, self._write_flash)
        self.uc.mem_write(FLASH, b"\xff" * kind.flash_bytes)
        self.uc.mem_write(UNIQUE_ID, struct.pack("<3I", *IDENTITY))
        self.uc.mem_write(FLASH_KB, struct.pack("<H", kind.flash_bytes >> 10))
        with program.open("rb") as file:
            for segment in ELFFile(file).iter_segments("PT_LOAD"):
                if segment["p_filesz"]:
                    self.uc.mem_write(segment["p_paddr"], segment.data())
        self.flash = Controller(self.uc, kind.flash_bytes, self.spend)
        self.clock = Clock(kind, crystal, pll, lambda: self.ns, lambda: self.flash.wait_states)
        self.pins = Pins()
        self.watchdog = Watchdog(lambda: self.ns)
        on_apb2 = kind.usart == 0x40011000
        self.usart = Usart(
            kind.baud,
            lambda: self.ns,
            lambda: self.clock.bus_hz(2 if on_apb2 else 1),
            self._require_line,
        )
        self.sent, self.coming = self.usart.sent, self.usart.coming
        self.electrodes = Electrodes(kind.rate_hz, kind.conversions)
        self.battery = Steady(BATTERY_COUNTS)
        self.dma = Stream(self.uc, ADC1 + DR, ram[0])
        now = lambda: self.ns  # noqa: E731
        on_apb1 = lambda: self.clock.timers_hz(1)  # noqa: E731
        self.trigger = Timer(32, now, on_apb1, lambda: self.adc.triggered())
        self.piezo, self.us = Timer(16, now, on_apb1), Timer(32, now, on_apb1)
        inputs = {kind.electrodes: self.electrodes}
        self.adc = Adc(
            inputs if kind.battery is None else inputs | {kind.battery: self.battery},
            now,
            lambda: self.clock.bus_hz(2),
            lambda channel: self.pins.mode(channel) == ANALOGUE,
            self.trigger,
            self.dma,
        )
        self.spi = Spi(now, lambda: self.clock.bus_hz(1), self._require_bus)
        self.edges = Edges()
        self.i2c = Plain(I2C_SET_UP)
        self.rng = Rng(now, self.clock.usb_hz)
        self.core.levels[IRQS[kind.usart]] = self.usart.asks
        self.blocks = self._map()
        self.restarts: list[str] = []
        """Why it began again, since the power came."""
        self.power_on()

    @property
    def sampling(self) -> "Chip":
        """What its ADC sees, as a model's user knows it."""
        return self

    @property
    def samples(self) -> NDArray[np.int16]:
        """At the electrodes."""
        return self.electrodes.samples

    @samples.setter
    def samples(self, samples: NDArray[np.int16]) -> None:
        self.electrodes.samples = samples

    @property
    def taken(self) -> int:
        """Samples whose last conversion may have been, by the time."""
        begun = self.electrodes.begun_ns
        return 0 if begun is None else (self.ns - begun) * self.kind.rate_hz // NS_PER_S

    def _map(self) -> dict[int, Block]:
        ports = {
            GPIO + 0x400 * n: Block(
                lambda offset, at=GPIO + 0x400 * n: self.pins.read(at + offset),  # type: ignore[misc]
                lambda offset, value, at=GPIO + 0x400 * n: self.pins.write(at + offset, value),  # type: ignore[misc]
            )
            for n in range(PORTS)
        }
        return ports | {
            RCC: Block(
                self.clock.read,
                lambda offset, value: self.clock.write(offset, value, self._pc()),
                frozenset((rcc.CR, rcc.CFGR)),
            ),
            PWR: Block(self.clock.read_power, self.clock.write_power),
            FLASH_CONTROLLER: Block(self.flash.read, self.flash.write, frozenset((0x0C,))),
            self.kind.usart: Block(self.usart.read, self.usart.write, frozenset((serial.SR,))),
            ADC1: Block(self.adc.read, self.adc.write, frozenset((0x00,))),
            DMA2: Block(self.dma.read, self.dma.write),
            TIM2: Block(self.trigger.read, self.trigger.write),
            TIM3: Block(self.piezo.read, self.piezo.write),
            TIM5: Block(self.us.read, self.us.write),
            SPI2: Block(self.spi.read, self.spi.write, frozenset((0x08,))),
            EXTI: Block(self.edges.read, self.edges.write),
            SYSCFG: Block(self.edges.read_choice, self.edges.write_choice),
            I2C1: Block(self.i2c.read, self.i2c.write),
            RNG: Block(self.rng.read, self.rng.write),
            IWDG: Block(self.watchdog.read, self.watchdog.write, frozenset((0x0C,))),
        }

    def power_on(self) -> None:
        """After a cut, too: RAM holds anything, the flash what it held, nothing is on the line."""
        self.coming.clear()
        self.sent.clear()
        self.uc.mem_write(RAM, self.random.randbytes(RAM_BYTES))
        self.clock.flags = 0
        self.restarts = []
        self.reset("power")

    def flashed(self) -> bytes:
        """What its flash holds, image included."""
        return bytes(self.uc.mem_read(FLASH, self.kind.flash_bytes))

    def flash_anew(self, content: bytes) -> None:
        """Put that into its flash, and the power on."""
        self.uc.mem_write(FLASH, content[: self.kind.flash_bytes])
        self.power_on()

    def reset(self, why: str) -> None:
        """RAM keeps what it has, and RCC_CSR the flags that nobody cleared [6.1.1]."""
        self.clock.reset()
        self.clock.flags |= CAUSES[why] | rcc.PIN
        for peripheral in (
            *(self.flash, self.pins, self.watchdog, self.usart, self.adc, self.dma, self.trigger),
            *(self.piezo, self.us, self.spi, self.edges, self.i2c, self.rng),
        ):
            peripheral.reset()
        self.electrodes.begun_ns = None
        self.core.watch_sleeps(FLASH, self.flashed())  # a program may be new
        stack, entry = struct.unpack("<2I", self.uc.mem_read(FLASH, 8))
        self.core.reset(stack, entry)
        self.core.reg[0xE000ED08] = FLASH  # where its alias at 0 leads

    def sleep(self) -> None:
        """Run until the core sleeps and nothing comes, through restarts of its own; or for a while,
        if it never does.

        Raises AssertionError for what the firmware must not do.
        """
        until = self.ns + AWAKE_NS
        while self.coming or not (self.core.sleeping or self.ns > until):
            if self.core.sleeping:
                self._doze()
            else:
                self._run()

    def wake(self) -> None:
        """Time goes on until something ends the sleep, and for a while, or until it is told."""
        until = self.ns + PIECE_NS
        while self.ns < until:
            if self.core.sleeping:
                self._doze()
            self.sleep()
            if self.sent:
                return

    def run(self, seconds: float) -> None:
        """Live for so long on its own time."""
        until = self.ns + round(seconds * NS_PER_S)
        while self.ns < until:
            if self.core.sleeping:
                self._doze()
            else:
                self._run()

    def spend(self, ns: int) -> None:
        """Time goes on, by what must happen on the way. Raises ResetError."""
        until = self.ns + ns
        while self._quiet_until_ns <= until:
            due = self._due_ns()
            self._quiet_until_ns = until + 1 if due is None else due
            if due is not None and due <= until:
                self._reach(due)
                self._quiet_until_ns = 0
        self.ns = until

    def _reach(self, ns: int) -> None:
        self.ns = max(self.ns, ns)
        self.usart.tick()
        self.core.tick()
        bites = self.watchdog.bites_ns
        if bites is not None and self.ns >= bites:
            raise ResetError("watchdog")

    def _due_ns(self) -> int | None:
        """When the next thing happens that the core may notice."""
        dues = (self.usart.due_ns, self.core.systick_due_ns(), self.watchdog.bites_ns)
        return min((due for due in dues if due is not None), default=None)

    def _until_due_ns(self) -> int:
        due = self._due_ns()
        if due is None:
            raise MistakeError(f"the core waits at {self.core.pc:#x}, and nothing will end that")
        return max(due - self.ns, 0)

    def _run(self) -> None:
        began, self._quiet_until_ns = self.ns, 0
        try:
            cycles = self.core.run()
            if cycles and self.core.spins():  # until it is interrupted
                cycles = 0
                self.spend(self._until_due_ns())
            left = began + cycles * NS_PER_S // self.clock.core_hz - self.ns
            if left > 0:
                self.spend(left)
        except ResetError as error:
            self.restarts.append(error.why)
            self.reset(error.why)

    def _doze(self) -> None:
        """To the next thing that happens."""
        before, self._quiet_until_ns = self.ns, 0
        try:
            self.spend(self._until_due_ns())
        except ResetError as error:
            self.restarts.append(error.why)
            self.reset(error.why)
            return
        self.core.slept_ns += self.ns - before
        self.core.sleeping = not self.core.wakes()

    def _pc(self) -> int:
        return int(self.uc.reg_read(UC_ARM_REG_PC))

    def _require_line(self) -> None:
        for pin in (self.kind.tx, self.kind.rx):
            if self.pins.function(pin) != SERIAL_FUNCTION:
                raise MistakeError(f"a byte, and pin {pin:#x} is not the USART's")

    def _require_bus(self) -> None:
        for pin in PINS:
            if self.pins.function(pin) != FUNCTION:
                raise MistakeError(f"a byte, and pin {pin:#x} is not SPI2's")

    def _access(self, address: int) -> Block | None:
        """Time for it, and its peripheral; None: the core's own."""
        self.spend(ACCESS_CYCLES * NS_PER_S // self.clock.core_hz)
        if address >= PRIVATE:
            return None
        block = self.blocks.get(address & ~0x3FF)
        if block is None:
            raise MistakeError(f"{address:#x} is touched at {self._pc():#x}, and not modelled")
        self.clock.require_on(address & ~0x3FF, self._pc)
        return block

    def _read(self, uc: Uc, offset: int, size: int, base: int) -> int:
        address = base + offset
        try:
            block = self._access(address)
            if block is None:
                found = self.core.read(address)
            else:
                self._poll(address, block)
                found = block.read(address & 0x3FF)
            if found is None:
                raise MistakeError(f"{address:#x} is read at {self._pc():#x}, and not modelled")
        except (MistakeError, ResetError) as error:
            self.core.end(error)
            return 0
        return found

    def _poll(self, address: int, block: Block) -> None:
        """Whoever polls a status waits for it: to the next thing that happens, or until a byte
        leaves. An interrupt comes before the reading, which happens again behind it.
        """
        if address & 0x3FF not in block.status:
            return
        if self.core.interruptible():
            self.uc.emu_stop()
        elif address == self.kind.usart and self.usart.empty_ns > self.ns:
            due = self._due_ns()
            until = min(self.usart.empty_ns, self.usart.empty_ns if due is None else due)
            self.spend(max(until - self.ns, 0))

    def _write(self, uc: Uc, offset: int, size: int, value: int, base: int) -> None:
        address = base + offset
        try:
            block = self._access(address)
            self._quiet_until_ns = 0
            if not (
                self.core.write(address, size, value)
                if block is None
                else block.write(address & 0x3FF, value)
            ):
                raise MistakeError(f"{address:#x} is written at {self._pc():#x}, and not modelled")
        except (MistakeError, ResetError) as error:
            self.core.end(error)

    def _write_flash(
        self, uc: Uc, access: int, address: int, size: int, value: int, data: Any
    ) -> bool:
        try:
            self.flash.program(address, size, value)
        except (MistakeError, ResetError) as error:
            self.core.end(error)
        return True
