#include "ein_log.h"

#include <string.h>

#include "ein_log_place.h"
#include "ein_log_store.h"

enum { IDLE, ERASING, WORN };

#define MS_PER_S 1000u
/* What an estimate of the drift must stand on, and what no clock drifts by: then the host's was set
   anew. */
#define DRIFT_SPAN_MS 600000
#define DRIFT_MOST_PART 50u

static void count_seconds(ein_log_t *log, uint32_t now_ms)
{
    const uint32_t passed = (now_ms - log->seconds_ms) / MS_PER_S;
    log->seconds += passed;
    log->seconds_ms += passed * MS_PER_S;
}

static bool is_open(const ein_log_t *log)
{
    return log->current < log->sectors;
}

static bool clearing(const ein_log_t *log)
{
    return log->cleared != 0 && (!is_open(log) || log->sequence[log->current] < log->cleared);
}

/* The readable sector whose sequence is the next from `least` on; sectors: none. */
static uint16_t sector_from(const ein_log_t *log, uint32_t least)
{
    uint16_t best = log->sectors;
    for (uint16_t i = 0; i < log->sectors; i++) {
        if (log->sequence[i] >= least && log->sequence[i] != 0 &&
            (best == log->sectors || log->sequence[i] < log->sequence[best])) {
            best = i;
        }
    }
    return best;
}

/* ---- mounting ---- */

typedef struct {
    bool opened;   /* the sector's first record is there */
    bool used;     /* and others */
    bool given_up; /* one says that the sector which was asked for is given up */
} found_t;

static void note_give_up(ein_log_t *log, const ein_log_give_up_t *told)
{
    if (told->sector >= log->sectors) {
        return;
    }
    if (told->sequence == log->sequence[told->sector]) {
        log->sequence[told->sector] = 0;
    }
    log->erases_of = (uint16_t)told->sector;
    log->erases = told->erases;
}

/* Goes through a sector's records, and makes what they say the log's state. */
static found_t look(ein_log_t *log, uint16_t sector, uint32_t against)
{
    found_t found = {0};
    ein_log_header_t header;
    ein_log_cursor_t cursor;
    ein_log_record_t record;
    uint32_t last = 0;
    if (!ein_log_scan_header(sector, log->unit, &header) ||
        !ein_log_scan_open(&cursor, sector, log->unit, ein_log_port_sector_bytes(sector))) {
        return found;
    }
    log->current = sector;
    log->records = header.records;
    log->given_up = header.given_up;
    while (ein_log_scan_next(&cursor, log->buffer, &record)) {
        log->records++;
        if (record.kind == EIN_LOG_OPENED) {
            found.opened = true;
            continue;
        }
        found.used = true;
        if (record.kind == EIN_LOG_CLEARED) {
            ein_log_cleared_t cleared;
            ein_log_unpack(record.kind, record.payload, record.size, &cleared);
            /* Another one than ein_log_clear() writes would erase for ever. */
            const bool sane = cleared.sequence <= header.sequence + 2u * EIN_LOG_SECTORS_MAX;
            log->cleared = sane ? cleared.sequence : 0u;
        } else if (record.kind == EIN_LOG_GIVE_UP) {
            ein_log_give_up_t told;
            ein_log_unpack(record.kind, record.payload, record.size, &told);
            found.given_up = found.given_up || told.sequence == against;
            log->given_up += told.sequence == last ? 0u : told.records;
            last = told.sequence;
            note_give_up(log, &told);
        } else if (log->cleared > header.sequence) {
            log->cleared = 0; /* an earlier boot could not read that record, and went on */
        }
    }
    /* A unit that was being written when the power went may read as erased: it is left out. */
    log->offset = cursor.written + log->unit;
    log->boot = (uint16_t)(cursor.boot + 1u);
    return found;
}

static uint16_t newest(const ein_log_t *log)
{
    uint16_t best = log->sectors;
    for (uint16_t i = 0; i < log->sectors; i++) {
        if (log->sequence[i] != 0 &&
            (best == log->sectors || log->sequence[i] > log->sequence[best])) {
            best = i;
        }
    }
    return best;
}

/* The sector to go on in is the newest. But one that holds nothing yet is only then whole when its
   first record is there, and the sector before does not say that it is erased again. */
static void choose(ein_log_t *log)
{
    const uint16_t last = newest(log);
    if (last == log->sectors) {
        return;
    }
    const uint32_t sequence = log->sequence[last];
    log->next_sequence = sequence + 1u;
    const found_t found = look(log, last, 0);
    if (found.used) {
        return;
    }
    log->sequence[last] = 0;
    log->current = log->sectors;
    const uint16_t before = newest(log);
    const bool given_up = before < log->sectors && look(log, before, sequence).given_up;
    if (found.opened && !given_up) {
        log->sequence[last] = sequence;
        look(log, last, 0);
    }
}

ein_log_status_t ein_log_mount(ein_log_t *log)
{
    ein_log_port_info_t port;
    ein_log_port_info(&port);
    *log = (ein_log_t){.next_sequence = 1, .unit = port.unit_bytes, .boot = 1};
    if (port.sectors < 2u || port.sectors > EIN_LOG_SECTORS_MAX) {
        return EIN_LOG_ERR_NONE;
    }
    log->sectors = port.sectors;
    log->current = port.sectors;
    log->erases_of = port.sectors;
    for (uint16_t i = 0; i < log->sectors; i++) {
        ein_log_header_t header;
        log->sequence[i] = ein_log_scan_header(i, log->unit, &header) ? header.sequence : 0u;
    }
    choose(log);
    for (uint16_t i = 0; i < log->sectors; i++) {
        if (log->sequence[i] < log->cleared && i != log->current) {
            log->sequence[i] = 0;
        }
    }
    return EIN_LOG_OK;
}

/* ---- the next sector ---- */

static uint32_t free_bytes(const ein_log_t *log)
{
    const uint32_t bytes = ein_log_port_sector_bytes(log->current);
    return log->offset < bytes ? bytes - log->offset : 0u;
}

static bool wants_sector(const ein_log_t *log, bool idle)
{
    if (!is_open(log) || clearing(log)) {
        return true;
    }
    const uint32_t bytes = ein_log_port_sector_bytes(log->current);
    const uint32_t reserve = ein_log_eighth(bytes, EIN_LOG_RESERVE_BYTES);
    return free_bytes(log) <
           (idle ? 2u * reserve : reserve) + ein_log_eighth(bytes, EIN_LOG_GIVE_UP_ROOM);
}

/* How often the sector was erased, as far as that is known: by its header, or by the record before
   an erase that was cut off; else once less than
   the others, as all whose turn it is. */
static uint32_t erases_of(const ein_log_t *log, uint16_t sector)
{
    ein_log_header_t header;
    uint32_t told = ein_log_scan_header(sector, log->unit, &header) ? header.erases : 0u;
    if (sector == log->erases_of && log->erases > told) {
        told = log->erases;
    }
    uint32_t most = 0;
    for (uint16_t i = 0; told == 0 && i < log->sectors; i++) {
        if (ein_log_scan_header(i, log->unit, &header) && header.erases > most) {
            most = header.erases;
        }
    }
    return told == 0 && most > 0 ? most - 1u : told;
}

/* Records in a sector that is given up: as many as were counted before the next one, less before
 * it. */
static uint32_t records_of(const ein_log_t *log, uint16_t sector)
{
    ein_log_header_t own, after;
    const uint16_t next = sector_from(log, log->sequence[sector] + 1u);
    if (log->sequence[sector] == 0 || next == log->sectors ||
        !ein_log_scan_header(sector, log->unit, &own) ||
        !ein_log_scan_header(next, log->unit, &after) || after.records < own.records) {
        return 0;
    }
    return after.records - own.records;
}

static void begin(ein_log_t *log)
{
    uint16_t sector = log->failed;
    if (is_open(log)) {
        sector = (uint16_t)((log->current + 1u + log->failed) % log->sectors);
    }
    ein_log_header_t header;
    const uint32_t erases = erases_of(log, sector) + 1u;
    const uint32_t records = records_of(log, sector);
    const ein_log_give_up_t told = {
        .sector = sector,
        .failed = log->failed,
        .sequence = ein_log_scan_header(sector, log->unit, &header) ? header.sequence : 0u,
        .erases = erases,
        .records = records,
    };
    if (is_open(log)) {
        ein_log_store(log, EIN_LOG_GIVE_UP, &told, NULL, 0, true);
    }
    log->given_up += records;
    log->sequence[sector] = 0;
    log->erases_of = sector;
    log->erases = erases;
    log->erasing = sector;
    log->state = ein_log_port_erase(sector) ? ERASING : IDLE;
    if (log->state == IDLE) {
        log->failed++;
    }
}

static void end(ein_log_t *log, bool erased)
{
    log->state = IDLE;
    const uint16_t before = log->current;
    const uint32_t offset = log->offset;
    if (clearing(log)) {
        log->records = log->given_up = 0;
    }
    if (erased && ein_log_store_open(log, log->erasing, log->erases)) {
        log->failed = 0;
        return;
    }
    /* A sector that is worn: the next one. It is tried again when its turn comes. */
    log->sequence[log->erasing] = 0;
    log->current = before;
    log->offset = offset;
    log->failed++;
}

bool ein_log_step(ein_log_t *log, uint32_t now_ms, bool idle)
{
    count_seconds(log, now_ms);
    if (log->state == ERASING) {
        const ein_log_erase_t erased = ein_log_port_erase_poll();
        if (erased != EIN_LOG_ERASE_BUSY) {
            end(log, erased == EIN_LOG_ERASE_DONE);
        }
        return true;
    }
    if (log->sectors == 0 || log->state == WORN || !wants_sector(log, idle)) {
        return false;
    }
    if (log->failed + (is_open(log) ? 1u : 0u) >= log->sectors) {
        log->state = WORN;
        return false;
    }
    begin(log);
    return true;
}

/* ---- records ---- */

static bool anchor(ein_log_t *log)
{
    if (log->anchored && log->seconds - log->anchor_s < EIN_LOG_ANCHOR_S) {
        return true;
    }
    const ein_log_anchor_t fields = {.t_s = log->seconds, .boot = log->boot};
    if (!ein_log_store(log, EIN_LOG_ANCHOR, &fields, NULL, 0, false)) {
        return false;
    }
    log->anchored = true;
    log->anchor_s = log->seconds;
    return true;
}

static bool tell_lost(ein_log_t *log)
{
    if (log->lost == 0) {
        return true;
    }
    const ein_log_lost_t fields = {.records = log->lost};
    if (!ein_log_store(log, EIN_LOG_LOST, &fields, NULL, 0, false)) {
        return false;
    }
    log->lost = 0;
    return true;
}

ein_log_status_t ein_log_append_rest(ein_log_t *log, ein_log_kind_t kind, const void *fields,
                                     const uint8_t *rest, size_t n, uint32_t now_ms)
{
    count_seconds(log, now_ms);
    uint8_t version;
    const int size = ein_log_pack((uint8_t)kind, fields, log->buffer, &version);
    if (size < 0 || n > EIN_LOG_MAX_PAYLOAD - (size_t)size) {
        return EIN_LOG_ERR_KIND;
    }
    if (log->sectors == 0) {
        return EIN_LOG_ERR_NONE;
    }
    if (is_open(log) && !clearing(log) && anchor(log) && tell_lost(log) &&
        ein_log_store(log, kind, fields, rest, n, false)) {
        return EIN_LOG_OK;
    }
    log->lost++;
    return log->state == WORN ? EIN_LOG_ERR_NONE : EIN_LOG_ERR_BUSY;
}

ein_log_status_t ein_log_append(ein_log_t *log, ein_log_kind_t kind, const void *fields,
                                uint32_t now_ms)
{
    return ein_log_append_rest(log, kind, fields, NULL, 0, now_ms);
}

ein_log_status_t ein_log_event(ein_log_t *log, ein_log_event_code_t event, uint8_t detail,
                               uint32_t value, uint16_t battery_mv, uint32_t now_ms)
{
    const ein_log_event_t fields = {
        .event = event, .detail = detail, .battery_mv = battery_mv, .value = value};
    return ein_log_append(log, EIN_LOG_EVENT, &fields, now_ms);
}

ein_log_moment_t ein_log_now(ein_log_t *log, uint32_t now_ms)
{
    count_seconds(log, now_ms);
    return (ein_log_moment_t){.s = log->seconds, .ms = now_ms - log->seconds_ms};
}

#if EIN_LOG_DRIFT
/* A quotient below 2^25. The library's division of 64 bits takes ten times the flash. */
static uint32_t divide(uint64_t dividend, uint64_t divisor)
{
    uint32_t quotient = 0;
    for (uint32_t bit = 1u << 24; bit != 0; bit >>= 1) {
        if (dividend >= divisor * bit) {
            dividend -= divisor * bit;
            quotient |= bit;
        }
    }
    return quotient;
}

static int64_t ms_between(ein_log_moment_t from, ein_log_moment_t to)
{
    return (int64_t)((uint64_t)(to.s - from.s) * MS_PER_S) + (int32_t)(to.ms - from.ms);
}

/* By how much the device's clock is slow since the boot's first time_set. */
static void tell_drift(ein_log_t *log, ein_log_moment_t utc, ein_log_moment_t now,
                       ein_log_time_set_t *fields)
{
    if (log->first_time.known) {
        const int64_t span = ms_between(log->first_time.device, now);
        const int64_t slow = ms_between(log->first_time.utc, utc) - span;
        const uint64_t size = (uint64_t)(slow < 0 ? -slow : slow);
        if (span < DRIFT_SPAN_MS) {
            return;
        }
        log->first_time.known = size * DRIFT_MOST_PART <= (uint64_t)span;
        if (log->first_time.known) {
            const int32_t ppb = (int32_t)divide(size * 1000000000u, (uint64_t)span);
            fields->drift_ppb = slow < 0 ? -ppb : ppb;
            fields->span_s = now.s - log->first_time.device.s;
            fields->span_s -= now.ms < log->first_time.device.ms ? 1u : 0u;
            return;
        }
    }
    log->first_time.known = true;
    log->first_time.utc = utc;
    log->first_time.device = now;
}
#endif

ein_log_status_t ein_log_time_set(ein_log_t *log, ein_log_moment_t utc, uint32_t now_ms)
{
    const ein_log_moment_t now = ein_log_now(log, now_ms);
    ein_log_time_set_t fields = {
        .unix_s = utc.s,
        .unix_ms = utc.ms,
        .device_ms = now.ms,
        .device_s = now.s,
    };
#if EIN_LOG_DRIFT
    tell_drift(log, utc, now, &fields);
#endif
    return ein_log_append(log, EIN_LOG_TIME_SET, &fields, now_ms);
}

/* ---- reading, and what there is ---- */

size_t ein_log_read(ein_log_t *log, ein_log_position_t *from, uint8_t *bytes, size_t n)
{
    for (;;) {
        const uint16_t sector = sector_from(log, from->sequence);
        if (sector == log->sectors || clearing(log)) {
            return 0;
        }
        if (log->sequence[sector] != from->sequence) {
            from->sequence = log->sequence[sector];
            from->offset = 0;
        }
        const bool newest = sector == log->current;
        const uint32_t written = ein_log_port_sector_bytes(sector);
        const uint32_t end_at = newest && log->offset < written ? log->offset : written;
        if (from->offset < end_at) {
            const size_t left = end_at - from->offset;
            const size_t now = left < n ? left : n;
            if (!ein_log_port_read(sector, from->offset, bytes, now)) {
                memset(bytes, 0, now);
            }
            /* No record is so long that it could hide a piece of that length. */
            const bool rest = now == left || now >= 128u;
            if (newest || !rest || !ein_log_is_blank(bytes, (uint32_t)now)) {
                return now;
            }
        }
        if (newest) {
            return 0;
        }
        from->sequence++;
        from->offset = 0;
    }
}

ein_log_status_t ein_log_clear(ein_log_t *log)
{
    if (log->sectors == 0 || log->state == WORN) {
        return EIN_LOG_ERR_NONE;
    }
    if (!is_open(log)) {
        return EIN_LOG_OK;
    }
    const ein_log_cleared_t fields = {.sequence = log->next_sequence + log->sectors - 1u};
    if (!ein_log_store(log, EIN_LOG_CLEARED, &fields, NULL, 0, true)) {
        return EIN_LOG_ERR_BUSY;
    }
    log->cleared = fields.sequence;
    for (uint16_t i = 0; i < log->sectors; i++) {
        log->sequence[i] = i == log->current ? log->sequence[i] : 0u;
    }
    return EIN_LOG_OK;
}

void ein_log_about(const ein_log_t *log, ein_log_about_t *about)
{
    *about = (ein_log_about_t){
        .ready = is_open(log) && !clearing(log) && log->state != WORN,
        .sectors = log->sectors,
        .boot = log->boot,
        .records = log->records,
        .given_up = log->given_up,
        .lost = log->lost,
        .seconds = log->seconds,
        .least_erases = UINT32_MAX,
    };
    for (uint16_t i = 0; i < log->sectors; i++) {
        ein_log_header_t header;
        about->bytes += ein_log_port_sector_bytes(i);
        if (log->sequence[i] != 0 && ein_log_scan_header(i, log->unit, &header)) {
            about->least_erases =
                header.erases < about->least_erases ? header.erases : about->least_erases;
            about->most_erases =
                header.erases > about->most_erases ? header.erases : about->most_erases;
        }
    }
    const uint16_t oldest = sector_from(log, 1);
    if (oldest < log->sectors) {
        about->oldest.sequence = log->sequence[oldest];
    }
    if (is_open(log)) {
        about->next.sequence = log->sequence[log->current];
        about->next.offset = log->offset;
    }
}
