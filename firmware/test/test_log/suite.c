/* The log on the board, over RAM that behaves as flash: it survives a cut in each word of a record,
   and gives a strip back to the sample. The log's C is taken in here: only a device has it. */
#include <string.h>

#include "../../log/ein_log.c"
#include "../../log/ein_log_ecg.c"
#include "../../log/ein_log_ecg_read.c"
#include "../../log/ein_log_scan.c"
#include "../../log/ein_log_store.c"
#include "harness.h"

#define RAM_SECTORS 3u
#define RAM_BYTES 2048u
#define RAM_UNIT 4u
#define STRIP_SAMPLES 900u
#define LOG_IMAGE_CRC 2280917297u /* as the host makes it */

static uint8_t ram[RAM_SECTORS][RAM_BYTES];
static uint32_t words_left = UINT32_MAX; /* until the power goes */

void ein_log_port_info(ein_log_port_info_t *info)
{
    *info = (ein_log_port_info_t){.sectors = RAM_SECTORS, .unit_bytes = RAM_UNIT};
}

uint32_t ein_log_port_sector_bytes(uint16_t sector)
{
    (void)sector;
    return RAM_BYTES;
}

bool ein_log_port_read(uint16_t sector, uint32_t offset, void *bytes, size_t n)
{
    memcpy(bytes, ram[sector] + offset, n);
    return true;
}

bool ein_log_port_write(uint16_t sector, uint32_t offset, const void *bytes, size_t n)
{
    for (size_t i = 0; i < n; i += RAM_UNIT) {
        if (words_left == 0) {
            return false;
        }
        words_left--;
        memcpy(ram[sector] + offset + i, (const uint8_t *)bytes + i, RAM_UNIT);
    }
    return true;
}

bool ein_log_port_erase(uint16_t sector)
{
    memset(ram[sector], 0xFF, RAM_BYTES);
    return true;
}

ein_log_erase_t ein_log_port_erase_poll(void)
{
    return EIN_LOG_ERASE_DONE;
}

static ein_log_t log_under_test;
static uint8_t buffer[EIN_LOG_RECORD_BYTES];

static void settle(void)
{
    for (unsigned i = 0; i < 8u && ein_log_step(&log_under_test, 0, true); i++) {
    }
}

static void begin_empty(void)
{
    memset(ram, 0xFF, sizeof(ram));
    words_left = UINT32_MAX;
    ein_log_mount(&log_under_test);
    settle();
}

/* Events with values 0, 1, 2 …: how many there are in order; UINT32_MAX: out of order. */
static uint32_t events(void)
{
    uint32_t n = 0;
    ein_log_cursor_t cursor;
    ein_log_record_t record;
    ein_log_scan_open(&cursor, log_under_test.current, RAM_UNIT, RAM_BYTES);
    while (ein_log_scan_next(&cursor, buffer, &record)) {
        if (record.kind == EIN_LOG_EVENT) {
            ein_log_event_t event;
            ein_log_unpack(record.kind, record.payload, record.size, &event);
            if (event.value != n + 1u) {
                return UINT32_MAX;
            }
            n++;
        }
    }
    return n;
}

static void test_cuts(void)
{
    bool good = true;
    for (uint32_t cut = 0; cut < 24u; cut++) {
        begin_empty();
        uint32_t acknowledged = 0;
        words_left = cut;
        while (acknowledged < 12u && ein_log_event(&log_under_test, EIN_LOG_EVENT_BOOT, 0,
                                                   acknowledged + 1u, 0, 1000) == EIN_LOG_OK) {
            acknowledged++;
        }
        words_left = UINT32_MAX;
        ein_log_mount(&log_under_test);
        good = good && events() == acknowledged;
        good = good && ein_log_event(&log_under_test, EIN_LOG_EVENT_BOOT, 0, acknowledged + 1u, 0,
                                     1000) == EIN_LOG_OK;
        good = good && events() == acknowledged + 1u;
    }
    ein_test_check(good, "a cut at each word loses the record that is written");
}

static void test_strip(void)
{
    static int16_t samples[STRIP_SAMPLES], back[STRIP_SAMPLES];
    static ein_log_ecg_coder_t coder;
    uint32_t random = 1, n = 0;
    begin_empty();
    ein_log_ecg_begin(&coder, 1);
    for (uint32_t i = 0; i < STRIP_SAMPLES; i++) {
        random = random * 1664525u + 1013904223u;
        const int32_t noise = (int32_t)(random >> 28);
        samples[i] = (int16_t)(i % 150u < 8u ? 200 + noise : noise - 8);
        ein_log_ecg_sample(&coder, &log_under_test, samples[i], 0);
    }
    ein_test_equal((uint32_t)ein_log_ecg_end(&coder, &log_under_test, 0), EIN_LOG_OK,
                   "a strip is kept");
    ein_log_cursor_t cursor;
    ein_log_record_t record;
    ein_log_scan_open(&cursor, log_under_test.current, RAM_UNIT, RAM_BYTES);
    while (ein_log_scan_next(&cursor, buffer, &record)) {
        if (record.kind == EIN_LOG_ECG) {
            ein_log_ecg_t piece;
            ein_log_unpack(record.kind, record.payload, record.size, &piece);
            if (n + piece.samples <= STRIP_SAMPLES) {
                n += (uint32_t)ein_log_ecg_read(&piece, record.payload + 12, record.size - 12u,
                                                back + n);
            }
        }
    }
    ein_test_equal(n, STRIP_SAMPLES, "samples of a strip");
    ein_test_check(memcmp(samples, back, sizeof(samples)) == 0, "come back as they were");
    ein_test_equal(ein_crc32(0, ram[log_under_test.current], log_under_test.offset), LOG_IMAGE_CRC,
                   "the image is the host's, to the bit");
}

void ein_test_suite(void)
{
    test_cuts();
    test_strip();
}
