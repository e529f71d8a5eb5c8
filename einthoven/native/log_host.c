/* Host-only face of firmware/log for cffi: the device's own reader and writer over bytes in memory.
   The flash is as good as RAM: what a real one does to a log is firmware/log's test. */
#include "ein_log.h"
#include "ein_log_ecg.h"

#include <string.h>

typedef struct {
    uint32_t offset, size, t_s, boot;
    uint8_t kind, version, unused[2];
} told_t;

static struct {
    uint8_t *bytes;
    uint32_t sector_bytes;
    uint16_t sectors;
    uint8_t unit;
} flash;

void ein_log_port_info(ein_log_port_info_t *info)
{
    *info = (ein_log_port_info_t){flash.sectors, flash.unit};
}

uint32_t ein_log_port_sector_bytes(uint16_t sector)
{
    (void)sector;
    return flash.sector_bytes;
}

static uint8_t *place(uint16_t sector, uint32_t offset, size_t n)
{
    const uint32_t bytes = flash.sector_bytes;
    const bool inside = sector < flash.sectors && offset <= bytes && n <= bytes - offset;
    return inside ? flash.bytes + (size_t)sector * bytes + offset : NULL;
}

bool ein_log_port_read(uint16_t sector, uint32_t offset, void *bytes, size_t n)
{
    const uint8_t *from = place(sector, offset, n);
    if (from != NULL) {
        memcpy(bytes, from, n);
    }
    return from != NULL;
}

bool ein_log_port_write(uint16_t sector, uint32_t offset, const void *bytes, size_t n)
{
    uint8_t *to = place(sector, offset, n);
    for (size_t i = 0; to != NULL && i < n; i++) {
        to[i] = (uint8_t)(to[i] & ((const uint8_t *)bytes)[i]);
    }
    return to != NULL;
}

bool ein_log_port_erase(uint16_t sector)
{
    uint8_t *at = place(sector, 0, flash.sector_bytes);
    if (at != NULL) {
        memset(at, 0xFF, flash.sector_bytes);
    }
    return at != NULL;
}

ein_log_erase_t ein_log_port_erase_poll(void)
{
    return EIN_LOG_ERASE_DONE;
}

/* What all that follows works on. */
void ein_host_log_use(uint8_t *bytes, uint16_t sectors, uint32_t sector_bytes, uint8_t unit)
{
    flash.bytes = bytes;
    flash.sectors = sectors;
    flash.sector_bytes = sector_bytes;
    flash.unit = unit;
}

/* The records of the first sector; header: sequence, erases, records before, given up, seconds,
   boot, unit. Returns how many there are, of which at most `room` were written; -1: no sector of a
   log. */
int ein_host_log_scan(uint32_t *header, void *records, int room)
{
    static uint8_t buffer[EIN_LOG_RECORD_BYTES];
    told_t *told = records;
    ein_log_header_t found;
    ein_log_cursor_t cursor;
    ein_log_record_t record;
    int count = 0;
    if (!ein_log_scan_header(0, 0, &found) ||
        !ein_log_scan_open(&cursor, 0, found.unit, flash.sector_bytes)) {
        return -1;
    }
    const uint32_t values[] = {found.sequence, found.erases, found.records, found.given_up,
                               found.t_s,      found.boot,   found.unit};
    memcpy(header, values, sizeof values);
    while (ein_log_scan_next(&cursor, buffer, &record)) {
        if (count < room) {
            told[count] = (told_t){record.offset, record.size,    record.t_s, record.boot,
                                   record.kind,   record.version, {0, 0}};
        }
        count++;
    }
    return count;
}

size_t ein_host_log_ecg_read(const uint32_t *fields, const uint8_t *code, size_t n,
                             int16_t *samples)
{
    ein_log_ecg_t piece;
    memcpy(&piece, fields, sizeof piece);
    return ein_log_ecg_read(&piece, code, n, samples);
}

size_t ein_host_log_bytes(void)
{
    return sizeof(ein_log_t);
}

int ein_host_log_mount(void *log)
{
    return ein_log_mount(log);
}

/* What the main loop does meanwhile: erases and opens sectors. */
static void settle(ein_log_t *log, uint32_t now_ms)
{
    for (unsigned i = 0; i < 8u && ein_log_step(log, now_ms, true); i++) {
    }
}

int ein_host_log_append(void *log, uint8_t kind, const uint32_t *fields, uint32_t now_ms)
{
    settle(log, now_ms);
    return ein_log_append(log, (ein_log_kind_t)kind, fields, now_ms);
}

int ein_host_log_time_set(void *log, uint64_t unix_ms, uint32_t now_ms)
{
    settle(log, now_ms);
    const ein_log_moment_t utc = {(uint32_t)(unix_ms / 1000u), (uint32_t)(unix_ms % 1000u)};
    return ein_log_time_set(log, utc, now_ms);
}

int ein_host_log_ecg(void *log, uint16_t number, const int16_t *samples, size_t n, uint32_t now_ms)
{
    static ein_log_ecg_coder_t coder;
    int status = EIN_LOG_OK;
    ein_log_ecg_begin(&coder, number);
    for (size_t i = 0; i < n && status == EIN_LOG_OK; i++) {
        settle(log, now_ms);
        status = ein_log_ecg_sample(&coder, log, samples[i], now_ms);
    }
    return status == EIN_LOG_OK ? ein_log_ecg_end(&coder, log, now_ms) : status;
}

/* The next bytes from a place on, which moves to where they begin: sequence, offset. */
size_t ein_host_log_read(void *log, uint32_t *from, uint8_t *bytes, size_t n)
{
    ein_log_position_t position = {from[0], from[1]};
    const size_t count = ein_log_read(log, &position, bytes, n);
    from[0] = position.sequence;
    from[1] = position.offset;
    return count;
}

int ein_host_log_clear(void *log, uint32_t now_ms)
{
    const int status = ein_log_clear(log);
    for (unsigned i = 0; i < EIN_LOG_SECTORS_MAX; i++) {
        settle(log, now_ms);
    }
    return status;
}

/* oldest sequence and offset, next sequence and offset, records, given up */
void ein_host_log_about(const void *log, uint32_t *values)
{
    ein_log_about_t about;
    ein_log_about(log, &about);
    const uint32_t told[] = {about.oldest.sequence, about.oldest.offset, about.next.sequence,
                             about.next.offset,     about.records,       about.given_up};
    memcpy(values, told, sizeof told);
}
