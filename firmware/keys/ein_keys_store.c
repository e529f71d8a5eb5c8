#include "ein_keys_store.h"

#include <string.h>

#include "ein_crc32.h"
#include "ein_keys_port.h"

#define MAGIC 0x4B6E6945u /* "EinK" */
#define PLACES (EIN_KEYS_PAGE_BYTES / EIN_KEYS_STORE_RECORD_BYTES)

typedef char ein_check_record[sizeof(ein_keys_record_t) == EIN_KEYS_STORE_RECORD_BYTES ? 1 : -1];

static struct {
    unsigned page;
    uint32_t place; /* the next one of the page; PLACES: it is full */
} next;

static bool read_place(unsigned page, uint32_t place, ein_keys_record_t *record)
{
    return ein_keys_port_read(page, place * EIN_KEYS_STORE_RECORD_BYTES, record, sizeof(*record));
}

static bool is_blank(const ein_keys_record_t *record)
{
    const uint8_t *bytes = (const uint8_t *)record;
    uint8_t all = 0xFF;
    for (size_t i = 0; i < sizeof(*record); i++) {
        all &= bytes[i];
    }
    return all == 0xFF;
}

static uint32_t crc_of(const ein_keys_record_t *record)
{
    return ein_crc32(0, (const uint8_t *)record, offsetof(ein_keys_record_t, crc));
}

ein_keys_store_found_t ein_keys_store_mount(ein_keys_record_t *record)
{
    ein_keys_store_found_t found = EIN_KEYS_STORE_EMPTY;
    memset(record, 0, sizeof(*record));
    next.page = 0;
    next.place = PLACES; /* the first record erases the other page, and goes there */
    for (unsigned page = 0; page < EIN_KEYS_PAGES; page++) {
        uint32_t used = 0;
        bool newest = false;
        for (uint32_t place = 0; place < PLACES; place++) {
            ein_keys_record_t seen;
            if (!read_place(page, place, &seen) || is_blank(&seen)) {
                continue;
            }
            used = place + 1;
            if (seen.magic != MAGIC) {
                continue; /* a write that was cut, or what was on this chip before */
            }
            if (seen.crc != crc_of(&seen)) {
                found = found == EIN_KEYS_STORE_FOUND ? found : EIN_KEYS_STORE_DAMAGED;
            } else if (found != EIN_KEYS_STORE_FOUND ||
                       (int32_t)(seen.number - record->number) > 0) {
                found = EIN_KEYS_STORE_FOUND;
                *record = seen;
                newest = true;
            }
        }
        if (newest) {
            next.page = page;
            next.place = used;
        }
    }
    return found;
}

/* The magic number comes last: a record that was cut has none, and counts as nothing. */
static bool write_here(const ein_keys_record_t *record)
{
    ein_keys_record_t seen;
    const uint32_t at = next.place * EIN_KEYS_STORE_RECORD_BYTES;
    const uint32_t behind = (uint32_t)sizeof(record->magic);
    return read_place(next.page, next.place, &seen) && is_blank(&seen) &&
           ein_keys_port_write(next.page, at + behind, (const uint8_t *)record + behind,
                               sizeof(*record) - behind) &&
           ein_keys_port_write(next.page, at, record, behind) &&
           read_place(next.page, next.place, &seen) && memcmp(record, &seen, sizeof(seen)) == 0;
}

/* Not even a new page takes it after this many places: it is worn out. */
#define TRIES (2u * PLACES)

bool ein_keys_store_append(ein_keys_record_t *record)
{
    record->magic = MAGIC;
    record->number++;
    record->reserved = 0;
    record->crc = crc_of(record);
    for (uint32_t tries = 0; tries < TRIES; tries++) {
        if (next.place == PLACES) {
            /* The page that was full keeps the newest record until the other has one. */
            if (tries > PLACES || !ein_keys_port_erase(1 - next.page)) {
                return false;
            }
            next.page = 1 - next.page;
            next.place = 0;
        }
        const bool kept = write_here(record);
        next.place++;
        if (kept) {
            return true;
        }
    }
    return false;
}

bool ein_keys_store_renew(ein_keys_record_t *record)
{
    const unsigned old = next.page;
    next.place = PLACES;
    if (!ein_keys_store_append(record)) {
        return false;
    }
    if (old != next.page) {
        (void)ein_keys_port_erase(old); /* if that is cut, it is done when the new page is full */
    }
    return true;
}
