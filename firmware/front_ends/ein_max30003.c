/* MAX30003 (Maxim, 19-8558), its FIFO read eight words at a time.
 *
 * Names are those of 19-8558's register map; each register's table bears its name. A word is 18
 * bits of sample, 3 of ETAG, 3 of PTAG ("ECG FIFO memory"). SPI mode 0, a command byte and 24 bits;
 * a burst goes on ("SPI burst mode read sequence"). 32.768 kHz at FCLK, of which the PLL makes 32
 * kHz (CNFG_GEN, FMSTR = 01): 500 samples a second.
 *
 * The FIFO keeps 32 samples (64 ms): until it overflows an interrupt may come late and nothing is
 * lost. When it has overflowed, or what came cannot be, the FIFO is reset, and the number of
 * samples lost follows from the time at which the next ones are there. Words carry no checksum and
 * can be read once only: a flipped bit shows if it falls into ETAG or the fixed bits of STATUS, and
 * not if it falls into the sample. docs/front_ends.md says so.
 *
 * 1 V / 2^17 / 20 = 0.381 uV a bit, taken in steps of four: 655 a millivolt, +-50 mV.
 */
#include <string.h>

#include "ein_bus.h"
#include "ein_driver.h"

#define SPI_MODE 0u
#define READ 1u
#define BURST_WORDS 8u
#define WORD 3u
/* The FIFO's 32, and what comes while they are read. */
#define WORDS_MAX 36u

#define STATUS 0x01u
#define EN_INT 0x02u
#define MNGR_INT 0x04u
#define SW_RST 0x08u
#define SYNCH 0x09u
#define FIFO_RST 0x0Au
#define INFO 0x0Fu
#define CNFG_GEN 0x10u
#define CNFG_CAL 0x12u
#define CNFG_EMUX 0x14u
#define CNFG_ECG 0x15u
#define ECG_FIFO_BURST 0x20u

#define STATUS_EOVF (1u << 22)
#define STATUS_ZERO 0x0FF0F0u /* bits that are not used */
#define INFO_MASK 0xF03000u   /* 0101 at the top, and 01 for the MAX30003 */
#define INFO_MAX30003 0x501000u

#define ETAG_LAST 2u /* with bit 0: fast recovery mode */
#define ETAG_EMPTY 6u
#define ETAG_OVERFLOW 7u

#define RAIL 32700

typedef struct {
    uint8_t address;
    uint32_t value[3]; /* by ein_front_end_input_t */
} setting_t;

static const setting_t settings[] = {
    /* FMSTR 01, EN_ECG, EN_DCLOFF 01, IMAG 10 nA, VTH 300 mV, RBIAS 100 MOhm on both; with
       the inputs open, neither current nor bias */
    {CNFG_GEN, {0x181217, 0x180004, 0x180004}},
    /* EN_VCAL, bipolar, 0.5 mV, FMSTR / 2^13 = 3.9 Hz, half the time */
    {CNFG_CAL, {0x004800, 0x004800, 0x703800}},
    /* both inputs open, and joined to VMID or VCALP and VCALN */
    {CNFG_EMUX, {0x000000, 0x350000, 0x3B0000}},
    /* 500 a second, 20 V/V, high-pass 0.5 Hz, low-pass 100 Hz */
    {CNFG_ECG, {0x006000, 0x006000, 0x006000}},
    /* EFIT: at eight samples; CLR_SAMP as after a reset */
    {MNGR_INT, {0x380004, 0x380004, 0x380004}},
    /* EINT and EOVF on INTB, open drain with pull-up */
    {EN_INT, {0xC00003, 0xC00003, 0xC00003}},
};
#define SETTINGS (sizeof(settings) / sizeof(settings[0]))

/* Samples are lost since the last one, and only time tells how many. */
static bool behind_gap;

static bool write_register(uint8_t address, uint32_t value)
{
    const uint8_t out[1 + WORD] = {
        (uint8_t)(address << 1),
        (uint8_t)(value >> 16),
        (uint8_t)(value >> 8),
        (uint8_t)value,
    };
    uint8_t in[1 + WORD];
    return ein_bus_spi(SPI_MODE, out, in, sizeof(out));
}

static uint32_t word_of(const uint8_t *bytes)
{
    return (uint32_t)bytes[0] << 16 | (uint32_t)bytes[1] << 8 | bytes[2];
}

static bool read_register(uint8_t address, uint32_t *value)
{
    const uint8_t out[1 + WORD] = {(uint8_t)((uint32_t)address << 1 | READ)};
    uint8_t in[1 + WORD];
    if (!ein_bus_spi(SPI_MODE, out, in, sizeof(out))) {
        return false;
    }
    *value = word_of(in + 1);
    return true;
}

static bool compare(const ein_front_end_t *fe)
{
    for (size_t i = 0; i < SETTINGS; i++) {
        uint32_t found;
        if (!read_register(settings[i].address, &found) || found != settings[i].value[fe->input]) {
            return false;
        }
    }
    return true;
}

/* What cannot be trusted goes, and the next samples are numbered by their time. */
static void drop(bool *corrupt, ein_front_end_t *fe)
{
    fe->feed.stats.corrupt += *corrupt ? 1u : 0u;
    behind_gap = true;
    write_register(FIFO_RST, 0);
}

static int16_t count_of(const uint8_t *bytes)
{
    const uint32_t left =
        (uint32_t)bytes[0] << 24 | (uint32_t)bytes[1] << 16 | (uint32_t)(bytes[2] & 0xC0u) << 8;
    const int32_t count = (int32_t)left / (1 << 16); /* 18 bits at the top, in steps of four */
    return (int16_t)(count > RAIL ? RAIL : count < -RAIL ? -RAIL : count);
}

/* Reads until the last word: number of samples, or -1 if they cannot be what the part has. */
static int32_t read_fifo(int16_t counts[WORDS_MAX], bool *overflow)
{
    static const uint8_t out[1 + BURST_WORDS * WORD] = {ECG_FIFO_BURST << 1 | READ};
    uint8_t in[1 + BURST_WORDS * WORD];
    uint32_t n = 0;
    for (;;) {
        if (!ein_bus_spi(SPI_MODE, out, in, sizeof(out))) {
            return -1;
        }
        for (const uint8_t *word = in + 1; word < in + sizeof(in); word += WORD) {
            const uint32_t etag = word[2] >> 3 & 7u;
            if (etag == ETAG_EMPTY) {
                return (int32_t)n;
            }
            if (etag == ETAG_OVERFLOW) {
                *overflow = true;
                return (int32_t)n;
            }
            if (etag > 3u || n == WORDS_MAX) {
                return -1;
            }
            counts[n++] = count_of(word);
            if ((etag & ETAG_LAST) != 0) {
                return (int32_t)n;
            }
        }
    }
}

static void on_edge(void *context, uint32_t us)
{
    ein_front_end_t *fe = context;
    int16_t counts[WORDS_MAX];
    uint32_t status;
    bool corrupt = !read_register(STATUS, &status) || (status & STATUS_ZERO) != 0;
    bool overflow = !corrupt && (status & STATUS_EOVF) != 0;
    const int32_t n = corrupt || overflow ? 0 : read_fifo(counts, &overflow);
    corrupt = corrupt || n < 0;
    if (corrupt || overflow) {
        fe->feed.stats.late += overflow ? 1u : 0u;
        drop(&corrupt, fe);
        return;
    }
    if (n == 0) {
        fe->feed.stats.spurious++;
        return;
    }
    if (!behind_gap) {
        ein_feed_follow(&fe->feed, us, (uint32_t)n);
    } else if (!ein_feed_edges(&fe->feed, us, (uint32_t)n)) {
        return;
    }
    behind_gap = false;
    uint8_t leads = 0;
    if (fe->input == EIN_FRONT_END_ELECTRODES) {
        leads = (uint8_t)((status & 0xCu ? EIN_LEAD_P : 0u) | (status & 3u ? EIN_LEAD_N : 0u));
    }
    for (int32_t i = 0; i < n; i++) {
        ein_feed_push(&fe->feed, counts[i], leads);
    }
}

static bool part_start(ein_front_end_t *fe)
{
    uint32_t info = 0;
    if (!write_register(SW_RST, 0)) {
        return false;
    }
    ein_bus_wait_us(1000);
    if (!read_register(INFO, &info) || (info & INFO_MASK) != INFO_MAX30003) {
        return false;
    }
    for (size_t i = 0; i < SETTINGS; i++) {
        if (!write_register(settings[i].address, settings[i].value[fe->input])) {
            return false;
        }
    }
    if (!compare(fe)) {
        return false;
    }
    for (int i = 0; i < 10; i++) {
        ein_bus_wait_us(10000); /* the PLL locks (STATUS, PLLINT) */
    }
    behind_gap = true;
    ein_bus_listen(on_edge, fe);
    return write_register(SYNCH, 0);
}

static void part_stop(void)
{
    write_register(SW_RST, 0); /* EN_ECG off: 0.7 uA typ. ("Electrical characteristics") */
}

static bool part_check(ein_front_end_t *fe)
{
    return compare(fe) || compare(fe);
}

const ein_front_end_driver_t ein_max30003 = {
    .info =
        {
            .name = "MAX30003",
            .rate_hz = 500,
            .gain_lsb_per_mv = 655, /* 2^17 * 20 / 1000 mV / 4 */
            .rail_lo = -RAIL,
            .rail_hi = RAIL,
            .bits = 16,
            .delay_us = EIN_DECIMATOR_500_DELAY_US,
            .test_uv = 1000, /* +-0.5 mV */
        },
    .decimator = &ein_decimator_500,
    .start = part_start,
    .stop = part_stop,
    .check = part_check,
};
