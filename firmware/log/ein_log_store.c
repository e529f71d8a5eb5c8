#include "ein_log_store.h"

#include <string.h>

#include "ein_log_place.h"

/* Places that are tried for a record before its sector is closed. */
#define ATTEMPTS 3u
/* What a cut left half written may read as erased, twice in a row at the same place, and then no
   longer: each such bit escapes so many looks before and after a write once in 4096 times. */
#define READS 6u

/* Whether the bytes read so, each time; expected NULL: as erased. */
static bool reads_as(uint16_t sector, uint32_t offset, const uint8_t *expected, uint32_t n)
{
    for (unsigned k = 0; k < READS; k++) {
        for (uint32_t at = 0; at < n;) {
            uint8_t bytes[32];
            const uint32_t part = n - at < sizeof(bytes) ? n - at : (uint32_t)sizeof(bytes);
            if (!ein_log_port_read(sector, offset + at, bytes, part)) {
                return false;
            }
            const bool same = expected == NULL ? ein_log_is_blank(bytes, part)
                                               : memcmp(bytes, expected + at, part) == 0;
            if (!same) {
                return false;
            }
            at += part;
        }
    }
    return true;
}

static bool write_at(uint16_t sector, uint32_t offset, const uint8_t *bytes, uint32_t n)
{
    return reads_as(sector, offset, NULL, n) && ein_log_port_write(sector, offset, bytes, n) &&
           reads_as(sector, offset, bytes, n);
}

bool ein_log_store(ein_log_t *log, ein_log_kind_t kind, const void *fields, const uint8_t *rest,
                   size_t n, bool is_own)
{
    const uint32_t bytes = ein_log_port_sector_bytes(log->current);
    const uint32_t end = bytes - (is_own ? 0u : ein_log_eighth(bytes, EIN_LOG_GIVE_UP_ROOM));
    uint8_t *const buffer = log->buffer;
    uint8_t version = 0;
    uint32_t size = (uint32_t)ein_log_pack((uint8_t)kind, fields, buffer + 4, &version);
    for (; rest == NULL && size > 0 && ein_get_u32(buffer + size) == 0; size -= 4u) {
    }
    if (rest != NULL) {
        memcpy(buffer + 4u + size, rest, n);
        size += (uint32_t)n;
        for (; size % 4u != 0; size++) {
            buffer[4u + size] = 0;
        }
    }
    buffer[0] = (uint8_t)kind;
    buffer[1] = (uint8_t)((uint32_t)version << EIN_LOG_VERSION_SHIFT | size / 4u);
    ein_put_u16(buffer + 2, (uint16_t)log->seconds);
    const uint32_t total = ein_log_record_size(size, log->unit);
    memset(buffer + 8u + size, 0xFF, total - size - 8u);
    for (unsigned i = 0; i < ATTEMPTS; i++) {
        if (log->offset + total > end) {
            return false;
        }
        const uint32_t at = log->offset;
        const uint32_t crc = ein_log_crc(log->sequence[log->current], at, buffer, 4u + size);
        ein_put_u32(buffer + 4u + size, crc);
        log->offset += total;
        if (write_at(log->current, at, buffer, total)) {
            log->records++;
            return true;
        }
    }
    log->offset = bytes;
    return false;
}

bool ein_log_store_open(ein_log_t *log, uint16_t sector, uint32_t erases)
{
    uint8_t raw[EIN_LOG_HEADER_BYTES];
    uint8_t *at = ein_put_u32(raw, EIN_LOG_MAGIC);
    at = ein_put_u32(at, log->next_sequence);
    at = ein_put_u32(at, erases);
    at = ein_put_u32(at, log->records);
    at = ein_put_u32(at, log->given_up);
    at = ein_put_u32(at, log->seconds);
    at = ein_put_u16(at, log->boot);
    at = ein_put_u16(at, log->unit);
    ein_put_u32(at, ein_log_crc(0, 0, raw, sizeof(raw) - 4u));
    if (!write_at(sector, 0, raw, sizeof(raw))) {
        return false;
    }
    log->sequence[sector] = log->next_sequence++;
    log->current = sector;
    log->offset = EIN_LOG_HEADER_BYTES;
    log->anchored = true; /* by the header */
    log->anchor_s = log->seconds;
    const ein_log_opened_t opened = {.given_up = log->given_up};
    const ein_log_cleared_t cleared = {.sequence = log->cleared};
    return ein_log_store(log, EIN_LOG_OPENED, &opened, NULL, 0, true) &&
           (log->sequence[sector] > log->cleared ||
            ein_log_store(log, EIN_LOG_CLEARED, &cleared, NULL, 0, true));
}
