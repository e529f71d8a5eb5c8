"""What differs between the chips, and between the boards that have them."""

from dataclasses import dataclass

MHZ = 1_000_000


@dataclass(frozen=True)
class Kind:
    """A chip on a board. Frequencies in Hz, at 2.7 V to 3.6 V."""

    flash_bytes: int
    crystal_hz: int
    bypass: bool
    """A clock comes in where a crystal would be."""
    core_hz: int
    """Of its image."""
    wait_states: tuple[int, ...]
    """What the core may run at with 0, 1 and so on."""
    apb1_hz: int
    """At most, as the next one."""
    apb2_hz: int
    scale: int
    """PWR_CR, VOS: what lets the core run so fast."""
    usart: int
    tx: int
    rx: int
    """Pins: 0x1A is PB10."""
    baud: int
    electrodes: int = 1
    """ADC channel that the amplifier is on: PA1."""
    rate_hz: int = 180
    conversions: int = 8
    """Of the amplifier's samples, and how many conversions the firmware makes one of."""
    battery: int | None = None
    """ADC channel."""
    ccm: bool = False
    """It has core-coupled memory, and a random number generator."""


BLACKPILL_F411CE = Kind(
    flash_bytes=512 << 10,
    crystal_hz=25 * MHZ,
    bypass=False,
    core_hz=96 * MHZ,
    wait_states=(30 * MHZ, 64 * MHZ, 90 * MHZ, 100 * MHZ),
    apb1_hz=50 * MHZ,
    apb2_hz=100 * MHZ,
    scale=3 << 14,
    usart=0x40011000,
    tx=0x09,
    rx=0x0A,
    baud=460800,
)
"""RM0383: table 5, 6.3.3; PWR_CR 5.4.1."""
NUCLEO_F446RE = Kind(
    flash_bytes=512 << 10,
    crystal_hz=8 * MHZ,
    bypass=True,
    core_hz=168 * MHZ,
    wait_states=tuple(30 * MHZ * (n + 1) for n in range(6)),
    apb1_hz=45 * MHZ,
    apb2_hz=90 * MHZ,
    scale=3 << 14,
    usart=0x40004400,
    tx=0x02,
    rx=0x03,
    baud=460800,
)
"""RM0390: table 5, 6.3.3; PWR_CR 5.4.1: 168 MHz without over-drive."""
FEATHER_F405 = Kind(
    flash_bytes=1 << 20,
    crystal_hz=12 * MHZ,
    bypass=False,
    core_hz=168 * MHZ,
    wait_states=tuple(30 * MHZ * (n + 1) for n in range(6)),
    apb1_hz=42 * MHZ,
    apb2_hz=84 * MHZ,
    scale=1 << 14,
    usart=0x40004800,
    tx=0x1A,
    rx=0x1B,
    baud=115200,
    electrodes=4,
    rate_hz=500,
    conversions=1,
    battery=3,
    ccm=True,
)
"""RM0090: table 10, 7.3.3; PWR_CR 5.4.1. A device, whose AD8232 has 1365 counts a millivolt."""
