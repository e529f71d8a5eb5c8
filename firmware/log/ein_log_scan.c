#include "ein_log_scan.h"

#include <string.h>

#include "ein_bytes.h"
#include "ein_log_place.h"

typedef struct {
    uint8_t kind, version, first, count;
} layout_t;

static const layout_t layouts[EIN_LOG_KINDS] = {EIN_LOG_LAYOUTS};
static const uint8_t widths[EIN_LOG_WIDTHS_SIZE] = {EIN_LOG_WIDTHS};

#define SIGNED 0x80u

static const layout_t *layout_of(uint8_t kind)
{
    for (unsigned i = 0; i < EIN_LOG_KINDS; i++) {
        if (layouts[i].kind == kind) {
            return &layouts[i];
        }
    }
    return NULL;
}

/* Into so many bits: the nearest that they can tell. */
static uint32_t saturate(uint32_t value, unsigned bits, bool is_signed)
{
    const uint32_t all = UINT32_MAX >> (32u - bits);
    const uint32_t top = is_signed ? all >> 1 : all;
    const bool negative = is_signed && value > UINT32_MAX >> 1;
    const uint32_t magnitude = negative ? ~value : value;
    const uint32_t nearest = magnitude < top ? magnitude : top;
    return negative ? ~nearest : nearest;
}

/* Bit by bit: a record is seldom, and this is a third of the code. */
int ein_log_pack(uint8_t kind, const void *fields, uint8_t *payload, uint8_t *version)
{
    const layout_t *layout = layout_of(kind);
    if (layout == NULL) {
        return -1;
    }
    const uint32_t *values = fields;
    unsigned at = 0;
    for (unsigned i = 0; i < layout->count; i++) {
        const uint8_t width = widths[layout->first + i];
        const unsigned bits = width & (uint8_t)~SIGNED;
        uint32_t value = saturate(values[i], bits, (width & SIGNED) != 0);
        for (unsigned k = 0; k < bits; k++, at++, value >>= 1) {
            const unsigned before = at % 8u == 0 ? 0u : payload[at / 8u];
            payload[at / 8u] = (uint8_t)(before | (value & 1u) << (at % 8u));
        }
    }
    *version = layout->version;
    return (int)(at / 8u);
}

void ein_log_unpack(uint8_t kind, const uint8_t *payload, uint8_t size, void *fields)
{
    const layout_t *layout = layout_of(kind);
    uint32_t *values = fields;
    unsigned at = 0;
    for (unsigned i = 0; layout != NULL && i < layout->count; i++) {
        const uint8_t width = widths[layout->first + i];
        const unsigned bits = width & (uint8_t)~SIGNED;
        uint32_t value = 0, bit = 0;
        for (unsigned k = 0; k < bits; k++, at++) {
            bit = at / 8u < size ? (uint32_t)payload[at / 8u] >> (at % 8u) & 1u : 0u;
            value |= bit << k;
        }
        if ((width & SIGNED) != 0 && bit != 0 && bits < 32u) {
            value |= UINT32_MAX << bits;
        }
        values[i] = value;
    }
}

bool ein_log_scan_header(uint16_t sector, uint8_t unit, ein_log_header_t *header)
{
    uint8_t raw[EIN_LOG_HEADER_BYTES];
    if (!ein_log_port_read(sector, 0, raw, sizeof(raw)) || ein_get_u32(raw) != EIN_LOG_MAGIC ||
        ein_log_crc(0, 0, raw, sizeof(raw) - 4u) != ein_get_u32(raw + sizeof(raw) - 4u)) {
        return false;
    }
    header->sequence = ein_get_u32(raw + 4);
    header->erases = ein_get_u32(raw + 8);
    header->records = ein_get_u32(raw + 12);
    header->given_up = ein_get_u32(raw + 16);
    header->t_s = ein_get_u32(raw + 20);
    header->boot = ein_get_u16(raw + 24);
    header->unit = raw[26];
    const bool known = header->unit == 4u || header->unit == 8u;
    /* What no flash lives long enough for is a foreign header, which the log must not go on from.
     */
    return header->sequence != 0 && header->sequence <= INT32_MAX && known &&
           (unit == 0 || header->unit == unit);
}

bool ein_log_scan_open(ein_log_cursor_t *cursor, uint16_t sector, uint8_t unit, uint32_t end)
{
    ein_log_header_t header;
    if (!ein_log_scan_header(sector, unit, &header)) {
        return false;
    }
    *cursor = (ein_log_cursor_t){
        .sector = sector,
        .unit = header.unit,
        .sequence = header.sequence,
        .end = end,
        .offset = EIN_LOG_HEADER_BYTES,
        .written = EIN_LOG_HEADER_BYTES,
        .anchor_s = header.t_s,
        .boot = header.boot,
    };
    return true;
}

/* Whether a record stands at the cursor, whose head is in the buffer. */
static bool valid(const ein_log_cursor_t *cursor, uint8_t *buffer)
{
    const uint32_t size = 4u * (buffer[1] & EIN_LOG_WORDS_MASK);
    const uint32_t end = cursor->offset + ein_log_record_size(size, cursor->unit);
    if (buffer[0] == 0 || buffer[0] == 0xFFu || buffer[1] >> EIN_LOG_VERSION_SHIFT == 0 ||
        end > cursor->end ||
        !ein_log_port_read(cursor->sector, cursor->offset + 4u, buffer + 4, size + 4u)) {
        return false;
    }
    return ein_log_crc(cursor->sequence, cursor->offset, buffer, 4u + size) ==
           ein_get_u32(buffer + 4u + size);
}

static void tell(ein_log_cursor_t *cursor, const uint8_t *buffer, ein_log_record_t *record)
{
    *record = (ein_log_record_t){
        .offset = cursor->offset,
        .kind = buffer[0],
        .version = (uint8_t)(buffer[1] >> EIN_LOG_VERSION_SHIFT),
        .payload = buffer + 4,
        .size = (uint8_t)(4u * (buffer[1] & EIN_LOG_WORDS_MASK)),
    };
    if (record->kind == EIN_LOG_ANCHOR) {
        ein_log_anchor_t anchor;
        ein_log_unpack(record->kind, record->payload, record->size, &anchor);
        cursor->anchor_s = anchor.t_s;
        cursor->boot = (uint16_t)anchor.boot;
    }
    const uint16_t since = (uint16_t)(ein_get_u16(buffer + 2) - (uint16_t)cursor->anchor_s);
    record->t_s = cursor->anchor_s + since;
    record->boot = cursor->boot;
}

bool ein_log_scan_next(ein_log_cursor_t *cursor, uint8_t buffer[EIN_LOG_RECORD_BYTES],
                       ein_log_record_t *record)
{
    while (cursor->offset + 8u <= cursor->end) {
        if (!ein_log_port_read(cursor->sector, cursor->offset, buffer, cursor->unit)) {
            memset(buffer, 0, cursor->unit);
        }
        const bool blank = ein_log_is_blank(buffer, cursor->unit); /* a record would overwrite it */
        if (valid(cursor, buffer)) {
            tell(cursor, buffer, record);
            cursor->offset += ein_log_record_size(record->size, cursor->unit);
            cursor->written = cursor->offset;
            return true;
        }
        if (!blank) {
            cursor->written = cursor->offset + cursor->unit;
        }
        cursor->offset += cursor->unit;
    }
    return false;
}
