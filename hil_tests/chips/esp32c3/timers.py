"""The ESP32-C3's system timer and watchdogs (technical reference manual, 10 and 12).

Of the timer unit 0 and its targets in periods; of the watchdogs timer group 0's, and that those
which the ROM leaves running are ended.
"""

from collections.abc import Callable

from einthoven.hil_tests.chips import NS_PER_S

TICK_HZ, XTAL_HZ, APB_HZ = 16_000_000, 40_000_000, 80_000_000
CONF, TARGET_CONF, COMP_LOAD, INT_ENA, INT_CLR = 0x00, 0x34, 0x50, 0x64, 0x6C
TARGETS = 3
PERIODIC = 1 << 30


class SystemTimer:
    """`stop`: told a mistake of the firmware's."""

    def __init__(self, stop: Callable[[str], None]) -> None:
        self._stop = stop
        self.reset()

    def reset(self) -> None:
        """As after any reset: unit 0 counts, no target is compared."""
        self._reg = {CONF: 1 << 30, INT_ENA: 0}
        self._reg |= {TARGET_CONF + 4 * n: 0 for n in range(TARGETS)}
        self._loaded = [0] * TARGETS
        self._began_ns: list[int | None] = [None] * TARGETS
        self._told = [0] * TARGETS
        self._raw = 0
        self.missed = 0
        """Ends of a period at which the interrupt before was still waiting."""

    def interrupts(self, target: int) -> bool:
        """Whether a target asks for its interrupt."""
        return bool((self._raw & self._reg[INT_ENA]) >> target & 1)

    def hz(self, target: int) -> float:
        """Of a target's interrupts."""
        return TICK_HZ / self._loaded[target] if self._loaded[target] else 0.0

    def next_ns(self) -> int | None:
        """When the next target will ask; None: never."""
        wanted = [t for t in range(TARGETS) if self._reg[INT_ENA] >> t & 1]
        due = [self._due(t) for t in wanted]
        return min((ns for ns in due if ns is not None), default=None)

    def run(self, now_ns: int) -> None:
        """What has ended until then."""
        for target in range(TARGETS):
            while (due := self._due(target)) is not None and due <= now_ns:
                self._told[target] += 1
                self.missed += self._raw >> target & 1
                self._raw |= 1 << target

    def read(self, offset: int) -> int | None:
        """None: not modelled."""
        return self._reg.get(offset)

    def write(self, offset: int, value: int, now_ns: int) -> bool:
        """False: not modelled."""
        if offset == INT_CLR:
            self._raw &= ~value
        elif offset in range(COMP_LOAD, COMP_LOAD + 4 * TARGETS, 4):
            target = (offset - COMP_LOAD) // 4
            self._loaded[target] = self._reg[TARGET_CONF + 4 * target] & 0x3FFFFFF
        elif offset in self._reg:
            before, self._reg[offset] = self._reg[offset], value
            if offset == CONF:
                self._start(value & ~before, now_ns)
        else:
            return False
        return True

    def _start(self, risen: int, now_ns: int) -> None:
        for target in range(TARGETS):
            setting = self._reg[TARGET_CONF + 4 * target]
            if not risen >> 24 - target & 1:
                continue
            if setting != self._loaded[target] | PERIODIC or not self._loaded[target]:
                self._stop(
                    f"target {target} begins as {setting:#x}: no period of unit 0's is loaded"
                )
            self._began_ns[target] = now_ns
            self._told[target] = 0

    def _due(self, target: int) -> int | None:
        began = self._began_ns[target]
        if began is None:
            return None
        ticks = self._loaded[target] * (self._told[target] + 1)
        return began + ticks * NS_PER_S // TICK_HZ


CONFIG0, PRESCALE, STAGE0, FEED, PROTECT = 0x48, 0x4C, 0x50, 0x60, 0x64
ENABLE, UPDATE, USE_XTAL, FLASHBOOT = 1 << 31, 1 << 22, 1 << 21, 1 << 14
RESET_SYSTEM = 3
KEY, SWD_KEY = 0x50D83AA1, 0x8F1D312A
RTC_CONFIG0, RTC_PROTECT, SWD_CONF, SWD_PROTECT = 0x90, 0xA8, 0xAC, 0xB0
FEEDS_ITSELF = 1 << 31


class Watchdogs:
    """`stop`: told a mistake of the firmware's."""

    def __init__(self, stop: Callable[[str], None]) -> None:
        self._stop = stop
        self.reset(0)

    def reset(self, now_ns: int) -> None:
        """As the ROM leaves them: two run, and the super watchdog wants to be fed."""
        self._reg = {CONFIG0: FLASHBOOT, PRESCALE: 1 << 16, STAGE0: 26_000_000, PROTECT: KEY}
        self._taken_over = dict(self._reg)
        self._rtc = {RTC_CONFIG0: ENABLE, RTC_PROTECT: 0, SWD_CONF: 0, SWD_PROTECT: 0}
        self._fed_ns = now_ns

    @property
    def left(self) -> list[str]:
        """Watchdogs of the ROM's that would end the program."""
        found = {
            "the RTC's": self._rtc[RTC_CONFIG0] & (ENABLE | 1 << 12),
            "the flash boot's": self._taken_over[CONFIG0] & FLASHBOOT,
            "the super watchdog": not self._rtc[SWD_CONF] & FEEDS_ITSELF,
        }
        return [name for name, runs in found.items() if runs]

    @property
    def seconds(self) -> float:
        """Without food until it resets the system; 0: never."""
        now = self._taken_over
        if not now[CONFIG0] & ENABLE or now[CONFIG0] >> 29 & 3 != RESET_SYSTEM:
            return 0.0
        hz = XTAL_HZ if now[CONFIG0] & USE_XTAL else APB_HZ
        return now[STAGE0] * (now[PRESCALE] >> 16) / hz

    def bites(self, now_ns: int) -> bool:
        """Whether it was not fed in time."""
        return self.seconds > 0 and now_ns - self._fed_ns > self.seconds * NS_PER_S

    def write(self, offset: int, value: int, now_ns: int) -> bool:
        """Timer group 0's. False: not modelled."""
        if offset == PROTECT:
            self._reg[PROTECT] = value
        elif offset in (*self._reg, FEED):
            if self._reg[PROTECT] != KEY:
                self._stop(f"{offset:#x} of the watchdog is written while that is locked")
            elif offset == FEED:
                self._fed_ns = now_ns
            else:
                self._reg[offset] = value
                if offset == CONFIG0 and value & UPDATE:
                    self._taken_over = dict(self._reg)
                    self._fed_ns = now_ns
        else:
            return False
        return True

    def read_rtc(self, offset: int) -> int | None:
        """None: not modelled."""
        return self._rtc.get(offset)

    def write_rtc(self, offset: int, value: int) -> bool:
        """The RTC's and the super watchdog. False: not modelled."""
        lock = {RTC_CONFIG0: (RTC_PROTECT, KEY), SWD_CONF: (SWD_PROTECT, SWD_KEY)}.get(offset)
        if offset not in self._rtc:
            return False
        if lock is not None and self._rtc[lock[0]] != lock[1]:
            self._stop(f"{offset:#x} of the RTC's watchdogs is written while they are locked")
        self._rtc[offset] = value
        return True
