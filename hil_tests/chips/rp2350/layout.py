"""Where the RP2350's peripherals lie, and what else differs from the RP2040's. Data sheet, 2.2."""

from einthoven.hil_tests.chips.rp.block import Layout

LAYOUT = Layout(
    resets=0x40020000,
    clocks=0x40010000,
    xosc=0x40048000,
    pll_sys=0x40050000,
    pll_usb=0x40058000,
    psm=0x40018000,
    watchdog=0x400D8000,
    io_bank0=0x40028000,
    pads_bank0=0x40038000,
    uart0=0x40070000,
    timer=0x400B0000,
    adc=0x400A0000,
    reset_bits={
        0x400A0000: 0,
        0x40028000: 6,
        0x40038000: 9,
        0x40050000: 14,
        0x40058000: 15,
        0x400B0000: 23,
        0x40070000: 26,
    },
    clock_ref=0x30,
    clock_adc=0x6C,
    core_hz=150e6,
    watchdog_selects=0x01FFFFF3,
    pad_isolated=1 << 8,
    pad_reset=0x116,
    alarm_interrupts=0x3C,
)
TICKS, POWMAN, QMI = 0x40108000, 0x40100000, 0x400D0000
