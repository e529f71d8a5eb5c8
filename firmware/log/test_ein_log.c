/* Compiled and run by einthoven/native/tests/test_log.py, on a flash that is good (test_flash.h).
 */
#include "ein_log.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ein_log_ecg.h"
#include "test_flash.h"

#define KB 1024u
#define MINUTE_MS 60000u
#define DAY_MINUTES 1440u

static ein_log_t log_;
static uint8_t buffer[EIN_LOG_RECORD_BYTES];

static void check(int good, const char *what)
{
    if (!good) {
        printf("failed: %s\n", what);
        exit(1);
    }
}

static void settle(uint32_t now_ms)
{
    for (unsigned i = 0; i < 200 && ein_log_step(&log_, now_ms, true); i++) {
    }
}

static void make(uint16_t sectors, uint32_t bytes, uint8_t unit)
{
    flash_config_t config = {.sectors = sectors, .unit = unit, .erase_polls = 2};
    for (uint16_t i = 0; i < sectors; i++) {
        config.bytes[i] = bytes;
    }
    flash_make(&config, 1, true);
    check(ein_log_mount(&log_) == EIN_LOG_OK, "an erased flash mounts");
    settle(0);
}

static ein_log_status_t minute(uint32_t normal, uint32_t now_ms)
{
    const ein_log_minute_t fields = {
        .normal = normal, .rr_mean_4ms = 208, .rr_spread_4ms = 9, .good_s = 60};
    return ein_log_append(&log_, EIN_LOG_MINUTE, &fields, now_ms);
}

/* The records of a kind in all of the log, and the last of them. */
static uint32_t count(uint8_t kind, ein_log_record_t *last, void *fields)
{
    uint32_t n = 0, sequence = 0;
    for (;;) {
        uint16_t best = log_.sectors;
        for (uint16_t i = 0; i < log_.sectors; i++) {
            if (log_.sequence[i] > sequence &&
                (best == log_.sectors || log_.sequence[i] < log_.sequence[best])) {
                best = i;
            }
        }
        ein_log_cursor_t cursor;
        ein_log_record_t record;
        if (best == log_.sectors) {
            return n;
        }
        sequence = log_.sequence[best];
        check(ein_log_scan_open(&cursor, best, log_.unit, ein_log_port_sector_bytes(best)),
              "a sector opens");
        while (ein_log_scan_next(&cursor, buffer, &record)) {
            if (record.kind == kind) {
                n++;
                *last = record;
                ein_log_unpack(kind, record.payload, record.size, fields);
            }
        }
    }
}

static void test_fields(void)
{
    ein_log_record_t record;
    make(3, 4 * KB, 4);
    const ein_log_time_set_t time = {
        .unix_s = 4000000000u, .unix_ms = 999, .device_s = 7, .drift_ppb = -123456, .span_s = 1};
    check(ein_log_append(&log_, EIN_LOG_TIME_SET, &time, 7000) == EIN_LOG_OK, "appends");
    ein_log_time_set_t back;
    check(count(EIN_LOG_TIME_SET, &record, &back) == 1 && memcmp(&time, &back, sizeof(time)) == 0,
          "fields come back, negative ones too");
    check(record.t_s == 7 && record.boot == 1, "with their time");

    const ein_log_minute_t much = {
        .normal = 300, .rr_mean_4ms = 5000, .good_s = 99, .lost_samples = 70000};
    ein_log_minute_t told;
    check(ein_log_append(&log_, EIN_LOG_MINUTE, &much, 60000) == EIN_LOG_OK, "appends");
    check(count(EIN_LOG_MINUTE, &record, &told) == 1 && told.normal == 255 &&
              told.rr_mean_4ms == 1023 && told.good_s == 63 && told.lost_samples == 65535 &&
              told.rr_spread_4ms == 0 && told.ventricular == 0,
          "what does not fit is told as the largest");

    const uint32_t before = log_.offset;
    check(minute(72, 120000) == EIN_LOG_OK && log_.offset - before == 12,
          "a quiet minute takes 12 bytes");
    check(ein_log_append(&log_, (ein_log_kind_t)99, &much, 0) == EIN_LOG_ERR_KIND,
          "no kind that is not known");
    const uint8_t rest[240] = {0};
    const ein_log_ecg_t piece = {.number = 1};
    check(ein_log_append_rest(&log_, EIN_LOG_ECG, &piece, rest, 241, 0) == EIN_LOG_ERR_KIND,
          "and none that is too long");
    check(ein_log_append_rest(&log_, EIN_LOG_ECG, &piece, rest, 240, 0) == EIN_LOG_OK,
          "the longest fits");
}

/* It is unix_ms. */
static void tell(uint64_t unix_ms, uint32_t now_ms)
{
    const ein_log_moment_t utc = {(uint32_t)(unix_ms / 1000u), (uint32_t)(unix_ms % 1000u)};
    ein_log_time_set(&log_, utc, now_ms);
}

static void test_times(void)
{
    ein_log_record_t record;
    ein_log_minute_t fields;
    make(3, 4 * KB, 8);
    uint32_t now = 0;
    for (unsigned i = 0; i < 40; i++) { /* 40 times 20 hours: past the wrap of 2^16 seconds */
        now += 72000000u;
        ein_log_step(&log_, now, false);
        check(minute(i, now) == EIN_LOG_OK, "appends");
        count(EIN_LOG_MINUTE, &record, &fields);
        check(fields.normal == i && record.t_s == 72000u * (i + 1u), "seconds beyond 16 bits");
    }
    ein_log_mount(&log_);
    check(minute(99, 5000) == EIN_LOG_OK, "appends after a boot");
    count(EIN_LOG_MINUTE, &record, &fields);
    check(fields.normal == 99 && record.t_s == 5 && record.boot == 2, "boots are counted");

    ein_log_time_set_t time;
    tell(1700000000000u, 10000);
    tell(1700000000000u + 3600072u, 10000 + 3600000);
    check(count(EIN_LOG_TIME_SET, &record, &time) == 2 && time.drift_ppb == 20000 &&
              time.span_s == 3600,
          "a clock that is 20 ppm slow");
    tell(1800000000000u, 20000 + 3600000);
    count(EIN_LOG_TIME_SET, &record, &time);
    check(time.span_s == 0 && time.drift_ppb == 0, "a host's clock that was set is no drift");
    tell(1800000000000u + 1000000u, 20000 + 4600000);
    count(EIN_LOG_TIME_SET, &record, &time);
    check(time.span_s == 1000 && time.drift_ppb == 0, "and it is measured anew from there");
    tell(1800000000000u + 1990000u, 20500 + 5600000);
    count(EIN_LOG_TIME_SET, &record, &time);
    check(time.span_s == 2000 && time.drift_ppb == -5248687, "one that is fast: -10.5 s of 2000.5");
    const ein_log_moment_t later = ein_log_now(&log_, 20500 + 5600999);
    check(later.s == time.device_s + 1u && later.ms == 499, "moments go on from there");
}

static void test_full(void)
{
    make(3, 2 * KB, 4);
    ein_log_record_t record;
    ein_log_lost_t lost;
    uint32_t kept = 0, refused = 0;
    for (uint32_t i = 0; i < 400; i++) { /* nobody steps */
        const ein_log_status_t status = minute(i, i * MINUTE_MS);
        check(status == EIN_LOG_OK || (status == EIN_LOG_ERR_BUSY && i > 100), "then busy");
        kept += status == EIN_LOG_OK ? 1 : 0;
        refused += status == EIN_LOG_OK ? 0 : 1;
    }
    settle(400 * MINUTE_MS);
    check(minute(1, 400 * MINUTE_MS) == EIN_LOG_OK, "after steps there is room");
    check(count(EIN_LOG_LOST, &record, &lost) == 1 && lost.records == refused && kept > 100,
          "and what was lost is told");
}

/* What a host would have fetched piece by piece while the log goes on. */
static void test_read(void)
{
    static uint8_t copy[256 * KB];
    make(4, 2 * KB, 4);
    ein_log_position_t at = {0, 0};
    uint32_t size = 0, sequence = 0, begins = 0, minutes = 0;
    for (uint32_t i = 0; i < 2000; i++) {
        minute(i, i * MINUTE_MS);
        settle(i * MINUTE_MS);
        uint8_t piece[200];
        const size_t n = ein_log_read(&log_, &at, piece, i % 2 == 0 ? 200 : 17);
        if (n == 0) {
            continue;
        }
        if (at.sequence != sequence) {
            check(at.offset == 0, "a sector is read from its beginning");
            sequence = at.sequence;
            begins++;
        }
        size = (at.sequence - 1u) * 2u * KB + at.offset + (uint32_t)n;
        check(size <= sizeof(copy), "fewer bytes");
        memcpy(copy + size - n, piece, n);
        at.offset += (uint32_t)n;
    }
    check(begins > 10, "reading follows the log");
    for (uint32_t i = 0; i + 4 < size; i += 4) {
        minutes += copy[i] == EIN_LOG_MINUTE && copy[i + 1] == (1u << 6 | 1u) ? 1 : 0;
    }
    check(minutes >= 1990, "and has all of its records");
    at.sequence = 1;
    at.offset = 100;
    uint8_t byte;
    check(ein_log_read(&log_, &at, &byte, 1) == 1 && at.sequence > 1 && at.offset == 0,
          "what was given up is passed over");
}

static void test_clear(void)
{
    make(5, 2 * KB, 4);
    ein_log_record_t record;
    ein_log_minute_t fields;
    for (uint32_t i = 0; i < 600; i++) {
        minute(i, i * MINUTE_MS);
        settle(i * MINUTE_MS);
    }
    check(ein_log_clear(&log_) == EIN_LOG_OK, "clears");
    check(minute(7, 600 * MINUTE_MS) == EIN_LOG_ERR_BUSY, "nothing is kept meanwhile");
    ein_log_step(&log_, 600 * MINUTE_MS, true);
    ein_log_mount(&log_); /* the power went */
    settle(0);
    ein_log_about_t about;
    ein_log_about(&log_, &about);
    check(about.ready && count(EIN_LOG_MINUTE, &record, &fields) == 0, "the log is empty");
    for (uint32_t i = 0; i < flash_bytes(); i += 4) {
        check(flash.state.value[i] != EIN_LOG_MINUTE || flash.state.value[i + 1] != (1u << 6 | 1u),
              "and so is the flash");
    }
    check(minute(8, MINUTE_MS) == EIN_LOG_OK && count(EIN_LOG_MINUTE, &record, &fields) == 1,
          "what comes then is kept");
    ein_log_mount(&log_);
    check(count(EIN_LOG_MINUTE, &record, &fields) == 1 && fields.normal == 8, "and stays");
}

static void test_ecg(void)
{
    enum { SAMPLES = 5400 };
    static int16_t samples[SAMPLES], back[SAMPLES];
    static ein_log_ecg_coder_t coder;
    uint32_t random = 1;
    for (unsigned kind = 0; kind < 4; kind++) {
        make(3, 32 * KB, 4);
        for (int i = 0; i < SAMPLES; i++) {
            random = random * 1664525u + 1013904223u;
            const int noise = (int)(random >> 24) - 128;
            const int beat = i % 150 < 8 ? 200 - 50 * abs(i % 150 - 4) : 0;
            samples[i] = (int16_t)(kind == 0   ? beat + noise / 32
                                   : kind == 1 ? (i % 2 == 0 ? INT16_MIN : INT16_MAX)
                                   : kind == 2 ? (int)(random >> 16) - 32768
                                               : 0);
        }
        ein_log_ecg_begin(&coder, 5);
        for (int i = 0; i < SAMPLES; i++) {
            check(ein_log_ecg_sample(&coder, &log_, samples[i], 1000) == EIN_LOG_OK, "takes it");
        }
        check(ein_log_ecg_end(&coder, &log_, 1000) == EIN_LOG_OK, "ends");
        memset(back, 0x55, sizeof(back));
        ein_log_cursor_t cursor;
        ein_log_record_t record;
        uint32_t n = 0;
        ein_log_scan_open(&cursor, log_.current, 4, 32 * KB);
        while (ein_log_scan_next(&cursor, buffer, &record)) {
            ein_log_ecg_t piece;
            if (record.kind != EIN_LOG_ECG) {
                continue;
            }
            ein_log_unpack(record.kind, record.payload, record.size, &piece);
            check(piece.first == n && piece.number == 5, "pieces follow each other");
            n += (uint32_t)ein_log_ecg_read(&piece, record.payload + 12, record.size - 12u,
                                            back + n);
        }
        check(n == SAMPLES && memcmp(samples, back, sizeof(samples)) == 0, "all samples come back");
    }
}

/* A year on an STM32F405's sectors: a minute each minute, ten strips and two boots a day. */
static void test_year(void)
{
    static const uint32_t sizes[] = {16, 64, 128, 128, 128, 128};
    flash_config_t config = {.sectors = 6, .unit = 4};
    for (uint16_t i = 0; i < 6; i++) {
        config.bytes[i] = sizes[i] * KB;
    }
    flash_make(&config, 1, true);
    ein_log_mount(&log_);
    uint32_t minutes = 0, most_mount = 0;
    for (uint32_t day = 0; day < 365; day++) {
        for (uint32_t i = 0; i < DAY_MINUTES; i++) {
            if (i % (DAY_MINUTES / 2) == 0) {
                const uint64_t before = flash.bytes_read;
                ein_log_mount(&log_);
                const uint32_t read = (uint32_t)(flash.bytes_read - before);
                most_mount = read > most_mount ? read : most_mount;
            }
            const uint32_t now = i % (DAY_MINUTES / 2) * MINUTE_MS;
            settle(now);
            if (i % 144 == 100) {
                static const uint8_t code[240];
                for (uint32_t k = 0; k < 9; k++) {
                    const ein_log_ecg_t piece = {.number = day, .first = k};
                    check(ein_log_append_rest(&log_, EIN_LOG_ECG, &piece, code, 240, now) ==
                              EIN_LOG_OK,
                          "a strip is kept");
                }
            }
            check(minute(minutes++ & 0xFFu, now) == EIN_LOG_OK, "a minute is kept");
        }
    }
    uint32_t least = UINT32_MAX, most = 0;
    for (uint16_t i = 0; i < 6; i++) {
        least = flash.state.erases[i] < least ? flash.state.erases[i] : least;
        most = flash.state.erases[i] > most ? flash.state.erases[i] : most;
    }
    ein_log_record_t record;
    ein_log_minute_t fields;
    const uint32_t held = count(EIN_LOG_MINUTE, &record, &fields);
    ein_log_about_t about;
    ein_log_about(&log_, &about);
    check(most - least <= 1, "sectors wear evenly");
    check(most_mount <= 2u * 128u * KB, "mounting reads little");
    check(about.least_erases == least && about.most_erases == most, "and say so");
    printf("a year: %" PRIu32 " minutes and 3650 strips kept, each sector erased %" PRIu32
           " or %" PRIu32 " times, the last %" PRIu32 " minutes there, %" PRIu32
           " bytes read to mount\n",
           minutes, least, most, held, most_mount);
}

/* How many samples wait at most while the main loop appends and erases. An STM32F4's worst (data
   sheet, 32 bits at a time): a word 100 us, 128 KB 2 s; samples are taken meanwhile, 180 a second.
 */
enum { WORD_US = 100, ERASE_US = 2000000, SAMPLE_US = 5556 };
static uint64_t spent_us;

static void spend(void)
{
    spent_us += flash.next.erase ? ERASE_US : WORD_US;
}

static void test_waiting(void)
{
    static ein_log_ecg_coder_t coder;
    make(4, 32 * KB, 4);
    flash.config.erase_polls = 0;
    flash.before = spend;
    uint64_t now_us = 0, taken = 0, next_us = SAMPLE_US;
    uint32_t most = 0, most_append = 0, erases = 0, random = 1;
    ein_log_ecg_begin(&coder, 1);
    while (erases < 20) {
        uint32_t waiting = 0;
        for (; next_us <= now_us; next_us += SAMPLE_US) {
            waiting++;
        }
        most = waiting > most ? waiting : most;
        for (; waiting > 0; waiting--) {
            spent_us = 0;
            random = random * 1664525u + 1013904223u;
            check(ein_log_ecg_sample(&coder, &log_, (int16_t)(random >> 24),
                                     (uint32_t)(now_us / 1000u)) == EIN_LOG_OK,
                  "there is room before it is needed");
            if (++taken % 5400u == 0) {
                ein_log_ecg_begin(&coder, (uint16_t)(taken / 5400u));
            }
            now_us += spent_us + 10u;
            most_append = spent_us > most_append ? (uint32_t)spent_us : most_append;
        }
        spent_us = 0;
        ein_log_step(&log_, (uint32_t)(now_us / 1000u), false);
        erases += spent_us >= ERASE_US ? 1u : 0u;
        now_us += spent_us + 100u;
    }
    printf("waiting: at most %" PRIu32
           " samples while a sector is erased in 2 s; an append takes at "
           "most %" PRIu32 " us of a flash that writes a word in 100 us\n",
           most, most_append);
    check(most <= 363, "as many as docs/log.md says");
    check(most_append <= EIN_LOG_APPEND_WORDS * WORD_US, "and an append as long");
}

/* ---- what boards hold: python -m einthoven.native.log_cuts --sizes ---- */

static void strip(uint32_t number, uint32_t pieces)
{
    static const uint8_t code[EIN_LOG_ECG_CODE_BYTES];
    const ein_log_strip_t fields = {.number = number, .lost_samples = 1};
    for (uint32_t k = 0; k < pieces; k++) {
        const ein_log_ecg_t piece = {.number = number, .first = k};
        ein_log_append_rest(&log_, EIN_LOG_ECG, &piece, code, sizeof(code), 0);
    }
    ein_log_append(&log_, EIN_LOG_STRIP, &fields, 0);
}

/* Minutes, or strips of so many pieces, that are there at least and at most when the oldest are
   given up for the newest. */
static void hold(uint32_t pieces, uint32_t *least, uint32_t *most)
{
    const uint32_t bytes = flash_bytes();
    const uint32_t each = pieces == 0 ? 12u : pieces * 264u + 36u;
    *least = UINT32_MAX;
    *most = 0;
    ein_log_mount(&log_);
    for (uint32_t i = 0; i < 4u * bytes / each; i++) {
        const uint32_t now = i * (pieces == 0 ? MINUTE_MS : 0u);
        for (unsigned k = 0; k < 8 && ein_log_step(&log_, now, pieces > 0); k++) {
        }
        if (pieces == 0) {
            minute(i & 0xFFu, now);
        } else {
            strip(i, pieces);
        }
        const uint32_t held = (log_.records - log_.given_up) / (pieces + 1u);
        if (i > 2u * bytes / each) {
            *least = held < *least ? held : *least;
            *most = held > *most ? held : *most;
        }
    }
}

static void print_sizes(void)
{
    static const struct {
        const char *name;
        uint32_t kb[13];
    } boards[] = {
        {"STM32F405 without a boot stage", {128, 128, 128, 128, 128, 128}},
        {"STM32F405 with boot stage and second image", {64, 128, 128, 128, 128, 128}},
        {"STM32F411xE, STM32F446 with a boot stage", {64, 128, 128}},
        {"STM32F411xE, STM32F446 without", {128, 128}},
        {"QEMU", {4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4}},
        {"STM32F103x8", {1, 1, 1}},
    };
    for (unsigned b = 0; b < sizeof(boards) / sizeof(boards[0]); b++) {
        uint32_t held[6];
        flash_config_t config = {.unit = 4};
        for (; boards[b].kb[config.sectors] != 0; config.sectors++) {
            config.bytes[config.sectors] = boards[b].kb[config.sectors] * KB;
        }
        for (unsigned k = 0; k < 3; k++) {
            static const uint32_t pieces[] = {0, 9, 13};
            flash_make(&config, 1, true);
            hold(pieces[k], &held[2 * k], &held[2 * k + 1]);
        }
        printf("%s: %" PRIu32 " KB; quiet minutes %" PRIu32 " to %" PRIu32 " (%.1f to %.1f days); "
               "strips of 2.4 KB %" PRIu32 " to %" PRIu32 ", of 3.5 KB %" PRIu32 " to %" PRIu32
               "\n",
               boards[b].name, flash_bytes() / KB, held[0], held[1], held[0] / 1440.0,
               held[1] / 1440.0, held[2], held[3], held[4], held[5]);
    }
}

int main(int argc, char **argv)
{
    if (argc > 1 && strcmp(argv[1], "sizes") == 0) {
        print_sizes();
        return 0;
    }
    test_fields();
    test_times();
    test_full();
    test_read();
    test_clear();
    test_ecg();
    test_waiting();
    test_year();
    printf("log: good\n");
    return 0;
}
