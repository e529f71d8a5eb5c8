/* ADS1292R (Texas Instruments, SBAS502C), ECG on channel 2, channel 1 and respiration off.
 *
 * Sections and tables are those of SBAS502C, section 8.6 "Register maps", table 16; commands table
 * 15. Wiring: START low (conversions by the START command), CLKSEL high (its own oscillator, 512
 * kHz), PWDN/RESET on a pin. SPI mode 1. At 1 MHz a byte takes 8 us, longer than the 4 tCLK (7.8
 * us) that decoding a byte takes (8.5.1.4), so multi-byte commands need no pauses.
 *
 * What comes over SPI has no checksum, so every frame is read twice, as 8.5.1.8 ("multiple
 * readback") allows, and compared; its 17 fixed status bits and the powered-down channel's 24
 * zeros must be right, too. One that fails is a lost sample. Registers are read back and compared
 * at start and once a second.
 *
 * 24 bits of 2.42 V / 6 / 2^23 = 48.08 nV; taken in steps of 32 of them behind a high-pass of 0.04
 * Hz, because electrodes may be 300 mV apart: int16 spans 50 mV of what changes. After 0.25 s at a
 * rail the level is taken anew.
 */
#include <string.h>

#include "ein_bus.h"
#include "ein_driver.h"

#define SPI_MODE 1u
#define FRAME 9u /* 24 bits of status and of two channels (8.5.1.7) */
#define FIRST_REGISTER 1u
#define REGISTERS 11u
#define ID_ADS1292R 0x73u /* table 17 */

#define CMD_START 0x08u
#define CMD_RDATAC 0x10u
#define CMD_SDATAC 0x11u
#define CMD_RREG 0x20u
#define CMD_WREG 0x40u

#define CONFIG2 1u
#define CH2SET 4u
#define LOFF_STAT 7u /* read only */
#define GPIO 10u

#define DIVISOR 32
#define LEVEL_SHIFT 11u    /* 500 Hz / (2 pi 2^11) = 0.04 Hz */
#define STUCK_AT_RAIL 125u /* 0.25 s */
#define RAIL 32000

/* From CONFIG1 on, for electrodes. */
static const uint8_t setup[REGISTERS] = {
    0x02, /* CONFIG1: continuous, 500 samples a second (table 18) */
    0xE0, /* CONFIG2: lead-off comparators and reference buffer on, 2.42 V (table 19) */
    0x10, /* LOFF: 95 % and 5 %, 6 nA, DC (table 20; bit 4 must be 1) */
    0x81, /* CH1SET: off, inputs shorted (table 21) */
    0x00, /* CH2SET: on, gain 6, electrodes (table 22) */
    0x2C, /* RLD_SENS: amplifier on, derived from channel 2 (table 23) */
    0x0C, /* LOFF_SENS: both inputs of channel 2 (table 24) */
    0x00, /* LOFF_STAT (table 25) */
    0x02, /* RESP1: off (table 26; bit 1 must be 1) */
    0x03, /* RESP2: reference of the right leg inside (table 27; bit 0 must be 1) */
    0x0C, /* GPIO: inputs (table 28) */
};

static struct {
    int32_t level; /* Q11, in steps of DIVISOR */
    uint16_t at_rail;
    bool fresh; /* the level is yet to be taken */
} filter;

static void registers_of(const ein_front_end_t *fe, uint8_t out[REGISTERS])
{
    memcpy(out, setup, REGISTERS);
    if (fe->input == EIN_FRONT_END_SHORTED) {
        out[CH2SET] = 0x01;
    } else if (fe->input == EIN_FRONT_END_TEST) {
        out[CONFIG2] |= 0x03; /* internal, square, 1 Hz */
        out[CH2SET] = 0x05;
    }
}

static bool command(uint8_t code)
{
    uint8_t in;
    const bool good = ein_bus_spi(SPI_MODE, &code, &in, 1);
    ein_bus_wait_us(10); /* 4 tCLK, and CS high for 2 (6.6, tSDECODE and tCSH) */
    return good;
}

static bool read_registers(uint8_t first, uint8_t *values, uint8_t n)
{
    uint8_t out[2 + REGISTERS] = {(uint8_t)(CMD_RREG | first), (uint8_t)(n - 1u)};
    uint8_t in[2 + REGISTERS];
    const bool good = ein_bus_spi(SPI_MODE, out, in, 2u + n);
    memcpy(values, in + 2, n);
    return good;
}

static bool compare(const ein_front_end_t *fe)
{
    uint8_t want[REGISTERS], found[REGISTERS];
    registers_of(fe, want);
    if (!read_registers(FIRST_REGISTER, found, REGISTERS)) {
        return false;
    }
    found[LOFF_STAT] = want[LOFF_STAT];
    found[GPIO] = want[GPIO] | (found[GPIO] & 0xFCu & ~want[GPIO]); /* levels are what they are */
    return memcmp(want, found, REGISTERS) == 0;
}

static int16_t count_of(const uint8_t *bytes, uint8_t leads)
{
    const uint32_t raw =
        (uint32_t)bytes[0] << 24 | (uint32_t)bytes[1] << 16 | (uint32_t)bytes[2] << 8;
    const int32_t x = (int32_t)raw / (256 * DIVISOR);
    if (leads != 0) {
        filter.fresh = true;
        return RAIL;
    }
    if (filter.fresh) {
        filter.fresh = false;
        filter.at_rail = 0;
        filter.level = x * (1 << LEVEL_SHIFT);
    }
    int32_t y = x - (filter.level >> LEVEL_SHIFT);
    if (y >= RAIL || y <= -RAIL) {
        y = y > 0 ? RAIL : -RAIL;
        filter.fresh = ++filter.at_rail >= STUCK_AT_RAIL;
    } else {
        filter.at_rail = 0;
        filter.level += y;
    }
    return (int16_t)y;
}

static void on_edge(void *context, uint32_t us)
{
    static const uint8_t zeros[2 * FRAME];
    ein_front_end_t *fe = context;
    uint8_t in[2 * FRAME];
    if (!ein_feed_edge(&fe->feed, us)) {
        return;
    }
    const bool came = ein_bus_spi(SPI_MODE, zeros, in, sizeof(in));
    const bool whole = came && (in[0] & 0xF0u) == 0xC0u && (in[1] & 0x1Fu) == 0 && in[2] == 0 &&
                       (in[3] | in[4] | in[5]) == 0 && memcmp(in, in + FRAME, FRAME) == 0;
    if (!whole) {
        fe->feed.stats.corrupt++;
        ein_feed_bad(&fe->feed, 1);
        return;
    }
    /* Status: 1100, RLD_STAT, IN2N, IN2P, IN1N | IN1P, GPIO (8.5.1.7). */
    uint8_t leads = 0;
    if (fe->input == EIN_FRONT_END_ELECTRODES) {
        leads = (uint8_t)((in[0] & 2u ? EIN_LEAD_P : 0u) | (in[0] & 4u ? EIN_LEAD_N : 0u));
    }
    ein_feed_push(&fe->feed, count_of(in + 6, leads), leads);
}

static bool part_start(ein_front_end_t *fe)
{
    uint8_t out[2 + REGISTERS] = {CMD_WREG | FIRST_REGISTER, REGISTERS - 1u};
    uint8_t in[2 + REGISTERS];
    uint8_t id = 0;
    ein_bus_set(EIN_BUS_RESET, false);
    ein_bus_wait_us(100); /* one tMOD and more (9.3, power-up sequencing) */
    ein_bus_set(EIN_BUS_RESET, true);
    for (int i = 0; i < 4; i++) {
        ein_bus_wait_us(10000); /* 2^12 tMOD of 128 kHz: 32 ms (9.3) */
    }
    registers_of(fe, out + 2);
    if (!command(CMD_SDATAC) || !read_registers(0, &id, 1) || id != ID_ADS1292R ||
        !ein_bus_spi(SPI_MODE, out, in, sizeof(out))) {
        return false;
    }
    ein_bus_wait_us(20);
    if (!compare(fe)) {
        return false;
    }
    for (int i = 0; i < 15; i++) {
        ein_bus_wait_us(10000); /* the reference comes up within 150 ms (6.5, start-up time) */
    }
    filter.fresh = true;
    ein_bus_listen(on_edge, fe);
    return command(CMD_START) && command(CMD_RDATAC);
}

static void part_stop(void)
{
    ein_bus_set(EIN_BUS_RESET, false); /* held low it is PWDN (7.5) */
}

/* In RDATAC a register cannot be read (table 15, note 2). */
static bool part_check(ein_front_end_t *fe)
{
    const bool good = command(CMD_SDATAC) && (compare(fe) || compare(fe));
    return command(CMD_RDATAC) && good;
}

const ein_front_end_driver_t ein_ads1292r = {
    .info =
        {
            .name = "ADS1292R",
            .rate_hz = 500,
            .gain_lsb_per_mv = 650, /* 1 mV / (32 * 48.08 nV) */
            .rail_lo = -RAIL,
            .rail_hi = RAIL,
            .bits = 16,
            /* sinc3 of the part: 1.5 of its samples (7.3.5) */
            .delay_us = EIN_DECIMATOR_500_DELAY_US + 3000,
            .test_uv = 2017, /* +-2.42 V / 2400 (7.3.1.2) */
        },
    .decimator = &ein_decimator_500,
    .start = part_start,
    .stop = part_stop,
    .check = part_check,
};
