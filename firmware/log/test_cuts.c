/* Power cuts at every operation of long random histories of the log.
 *
 *     cuts CUTS SEED [forgets|pages]
 *
 * A history appends, erases, clears and reboots on a flash of a random geometry (test_flash.h), one
 * in eight, or with `pages` each, on an STM32F103's: few sectors of 1 KB, which is the least, or of
 * 2 KB that are erased in two pages, and words written by halves.
 * Before each word and each erase the power goes once, on a copy: the copy is mounted and read,
 * every record that an append has answered for must be there with its boot, its time and its bytes,
 * in order, and nothing else; then the copy lives on for a while, and is cut again. One cut in
 * twenty is the history's own. Ends with "N cuts, M records lost"; exit code 1 when anything was
 * not as it must be.
 */
#include <inttypes.h>
#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ein_log.h"
#include "test_flash.h"

#define IDS 8192u /* of records in a history */
#define MOST_CUTS 2500u
#define ADOPTED 20u
#define ROUNDS 4u

/* GIVING_UP: a record says that its sector is erased next; from then on it need not be there. */
enum { NEVER, MAYBE, ACKED, GIVING_UP, GIVEN_UP };

typedef struct {
    uint8_t state;
    uint16_t sector, boot;
    uint32_t t_s;
    uint32_t seen; /* in this reading */
} expected_t;

static expected_t expected[IDS], kept[IDS];
static uint32_t first_id, next_id, reading;
static ein_log_t live, probe;
static uint32_t now_ms;
static jmp_buf reboot, again;
static unsigned depth;
static uint32_t countdown;

static struct {
    uint64_t cuts, wanted, lost, wrong, histories, records, mounts, erases, cleared;
    uint64_t most_read_percent;       /* of a mount, of the bytes of the two largest sectors */
    uint32_t erases_low, erases_high; /* what a header is off by, if erases were cut off */
    uint64_t seed;
} told;

/* ---- records that can be told from their number ---- */

typedef struct {
    ein_log_kind_t kind;
    uint32_t fields[16];
    uint8_t rest[240];
    size_t n;
} made_t;

static uint32_t mix(uint32_t x)
{
    x = (x ^ x >> 16) * 0x45D9F3Bu;
    x = (x ^ x >> 16) * 0x45D9F3Bu;
    return x ^ x >> 16;
}

static void make(uint32_t id, made_t *made)
{
    const uint32_t r = mix(id);
    memset(made, 0, sizeof(*made));
    switch (r % 8u) {
    case 0:
        made->kind = EIN_LOG_EPISODE;
        memcpy(made->fields,
               &(ein_log_episode_t){.kind = r >> 8 & 15u, .phase = 2, .begin_s = id, .end_s = r},
               sizeof(ein_log_episode_t));
        break;
    case 1:
        made->kind = EIN_LOG_ECG;
        memcpy(made->fields, &(ein_log_ecg_t){.number = id, .first = r >> 8 & 0xFFFFu, .start = -5},
               sizeof(ein_log_ecg_t));
        made->n = mix(r) % (sizeof(made->rest) + 1u);
        for (size_t i = 0; i < made->n; i++) {
            made->rest[i] = (uint8_t)mix(r + (uint32_t)i);
        }
        break;
    case 2:
        made->kind = EIN_LOG_EVENT;
        memcpy(made->fields, &(ein_log_event_t){.event = 1, .value = id}, sizeof(ein_log_event_t));
        break;
    default: /* a minute; its number where a quiet one has zeros, which are not stored */
        made->kind = EIN_LOG_MINUTE;
        memcpy(made->fields,
               &(ein_log_minute_t){.normal = r >> 8 & 0xFFu,
                                   .rr_mean_4ms = r >> 16 & 0x3FFu,
                                   .supraventricular = id & 0xFFu,
                                   .ventricular = id >> 8},
               sizeof(ein_log_minute_t));
    }
}

static bool number_of(const ein_log_record_t *record, uint32_t *id)
{
    uint32_t fields[16] = {0};
    ein_log_unpack(record->kind, record->payload, record->size, fields);
    switch (record->kind) {
    case EIN_LOG_EPISODE:
        *id = ((const ein_log_episode_t *)(const void *)fields)->begin_s;
        return true;
    case EIN_LOG_ECG:
        *id = ((const ein_log_ecg_t *)(const void *)fields)->number;
        return true;
    case EIN_LOG_EVENT:
        *id = ((const ein_log_event_t *)(const void *)fields)->value;
        return true;
    case EIN_LOG_MINUTE:
        *id = ((const ein_log_minute_t *)(const void *)fields)->supraventricular |
              ((const ein_log_minute_t *)(const void *)fields)->ventricular << 8;
        return true;
    default:
        return false;
    }
}

static bool is_as_made(uint32_t id, const ein_log_record_t *record)
{
    made_t made;
    uint8_t payload[EIN_LOG_RECORD_BYTES] = {0}, version;
    make(id, &made);
    size_t size = (size_t)ein_log_pack((uint8_t)made.kind, made.fields, payload, &version);
    memcpy(payload + size, made.rest, made.n);
    size += made.n;
    for (size_t i = record->size; i < size; i++) {
        if (payload[i] != 0) {
            return false;
        }
    }
    return record->kind == made.kind && record->version == version && record->size <= size + 3u &&
           memcmp(payload, record->payload, record->size) == 0;
}

/* ---- checks ---- */

static void fault(uint64_t *count, const char *what, uint32_t id)
{
    if ((*count)++ < 5) {
        fprintf(stderr, "seed %" PRIu64 ", cut %" PRIu64 ", record %" PRIu32 ": %s\n", told.seed,
                told.cuts, id, what);
    }
}

static void see(const ein_log_record_t *record, uint32_t *last)
{
    uint32_t id;
    if (!number_of(record, &id)) {
        return;
    }
    if (id >= next_id || expected[id].state == NEVER || !is_as_made(id, record)) {
        fault(&told.wrong, "was never written so", id);
        return;
    }
    expected_t *const e = &expected[id];
    if (id <= *last) {
        fault(&told.wrong, "is out of order", id);
    }
    if (e->state == GIVEN_UP) {
        fault(&told.wrong, "had been given up", id);
    }
    if (record->t_s != e->t_s || record->boot != e->boot) {
        fault(&told.wrong, "has another time", id);
    }
    *last = id;
    e->seen = reading;
}

static uint16_t sector_after(const ein_log_t *log, uint32_t sequence)
{
    uint16_t best = log->sectors;
    for (uint16_t i = 0; i < log->sectors; i++) {
        if (log->sequence[i] > sequence &&
            (best == log->sectors || log->sequence[i] < log->sequence[best])) {
            best = i;
        }
    }
    return best;
}

static void check_erases(const ein_log_t *log)
{
    for (uint16_t i = 0; i < log->sectors; i++) {
        ein_log_header_t header;
        if (log->sequence[i] == 0 || flash.config.wear_limit != 0 ||
            !ein_log_scan_header(i, log->unit, &header)) {
            continue;
        }
        const uint32_t real = flash.state.erases[i];
        const uint32_t low = header.erases < real ? real - header.erases : 0u;
        const uint32_t high = header.erases > real ? header.erases - real : 0u;
        told.erases_low = low > told.erases_low ? low : told.erases_low;
        told.erases_high = high > told.erases_high ? high : told.erases_high;
    }
}

/* The boot's first look at the flash, and all that must hold then. */
static void mount(ein_log_t *log)
{
    static uint8_t buffer[EIN_LOG_RECORD_BYTES];
    const uint64_t before = flash.bytes_read;
    const uint64_t words = flash.words_written;
    told.mounts++;
    now_ms = 0;
    ein_log_mount(log);
    uint32_t largest = 0, second = 0;
    for (uint16_t i = 0; i < flash.config.sectors; i++) {
        const uint32_t bytes = flash.config.bytes[i];
        second = bytes > largest ? largest : bytes > second ? bytes : second;
        largest = bytes > largest ? bytes : largest;
    }
    const uint64_t percent =
        (flash.bytes_read - before - 32u * flash.config.sectors) * 100u / (largest + second);
    told.most_read_percent = percent > told.most_read_percent ? percent : told.most_read_percent;
    if (flash.words_written != words) {
        fault(&told.wrong, "mounting writes", 0);
    }
    reading++;
    uint32_t sequence = 0, last = 0;
    for (;;) {
        const uint16_t sector = sector_after(log, sequence);
        ein_log_cursor_t cursor;
        ein_log_record_t record;
        if (sector == log->sectors) {
            break;
        }
        sequence = log->sequence[sector];
        const uint32_t bytes = flash.config.bytes[sector];
        const uint32_t end = sector == log->current && log->offset < bytes ? log->offset : bytes;
        if (!ein_log_scan_open(&cursor, sector, log->unit, end)) {
            fault(&told.wrong, "in front of it a sector lost its header", last);
            continue;
        }
        while (ein_log_scan_next(&cursor, buffer, &record)) {
            see(&record, &last);
        }
    }
    for (uint32_t id = first_id; id < next_id; id++) {
        if (expected[id].state == ACKED && expected[id].seen != reading) {
            fault(&told.lost, "is lost", id);
            expected[id].state = MAYBE;
        }
    }
    check_erases(log);
}

/* ---- a history ---- */

static void append(ein_log_t *log)
{
    made_t made;
    if (next_id == IDS) {
        return;
    }
    const uint32_t id = next_id++;
    make(id, &made);
    expected[id] = (expected_t){.state = MAYBE, .boot = log->boot, .t_s = now_ms / 1000u};
    const uint64_t words = flash.words_written;
    const ein_log_status_t status =
        made.n > 0 ? ein_log_append_rest(log, made.kind, made.fields, made.rest, made.n, now_ms)
                   : ein_log_append(log, made.kind, made.fields, now_ms);
    const bool good = flash.config.wear_limit == 0 && !flash.state.any_marginal[log->current];
    if (flash.words_written - words > (good ? 1u : 3u) * EIN_LOG_APPEND_WORDS) {
        fault(&told.wrong, "took too many words", id);
    }
    if (status == EIN_LOG_OK) {
        expected[id].state = ACKED;
        expected[id].sector = log->current;
        told.records++;
    }
}

static void clear(ein_log_t *log)
{
    for (uint32_t id = first_id; id < next_id; id++) {
        expected[id].state = expected[id].state == ACKED ? MAYBE : expected[id].state;
    }
    if (ein_log_clear(log) == EIN_LOG_OK) {
        told.cleared++;
    }
}

static void live_on(ein_log_t *log)
{
    const uint32_t what = flash_draw(64);
    now_ms += flash_draw(200) == 0 ? 40000000u : flash_draw(60000);
    if (what == 0) {
        ein_log_time_set(log, (ein_log_moment_t){1700000000u + now_ms / 1000u, now_ms % 1000u},
                         now_ms);
    } else if (what == 1 && flash_draw(16) == 0) {
        clear(log);
    } else if (what < 40) {
        append(log);
    }
    ein_log_step(log, now_ms, flash_draw(2) == 0);
}

static void give_up(uint16_t sector, uint8_t state)
{
    for (uint32_t id = first_id; id < next_id; id++) {
        if ((expected[id].state == ACKED || expected[id].state == GIVING_UP) &&
            expected[id].sector == sector) {
            expected[id].state = state;
        }
    }
    while (first_id < next_id && expected[first_id].state == GIVEN_UP) {
        first_id++;
    }
}

/* The power goes here, on a copy. */
static void cut_copy(void)
{
    static flash_state_t state;
    static volatile uint32_t rounds; /* lives through longjmp() */
    const uint32_t ids = next_id, first = first_id, ms = now_ms;
    const uint64_t words = flash.words_written;
    flash_save(&state);
    memcpy(kept + first, expected + first, (ids - first) * sizeof(kept[0]));
    flash_tear();
    told.cuts++;
    depth = 1;
    rounds = flash_draw(ROUNDS);
    mount(&probe);
    while (rounds > 0 && told.cuts < told.wanted) {
        rounds--;
        if (setjmp(again) == 0) {
            countdown = flash_draw(flash_draw(2) == 0 ? 8 : 80);
            for (unsigned i = 0; i < 20; i++) {
                live_on(&probe);
            }
        } else {
            told.cuts++;
        }
        mount(&probe);
    }
    depth = 0;
    flash_restore(&state);
    next_id = ids;
    first_id = first;
    now_ms = ms;
    flash.words_written = words;
    memcpy(expected + first, kept + first, (ids - first) * sizeof(kept[0]));
}

static void before_operation(void)
{
    const bool erase = flash.next.erase;
    const uint16_t sector = flash.next.sector;
    const uint32_t offset = flash.next.offset;
    uint8_t unit[8] = {0};
    const ein_log_t *const log = depth == 0 ? &live : &probe;
    if (!erase) {
        memcpy(unit, flash.next.unit, flash.config.unit);
    }
    if (erase) {
        give_up(sector, GIVEN_UP);
        told.erases++;
    } else if (log->buffer[0] == EIN_LOG_GIVE_UP && sector == log->current) {
        ein_log_give_up_t record;
        ein_log_unpack(EIN_LOG_GIVE_UP, log->buffer + 4, EIN_LOG_MAX_PAYLOAD, &record);
        give_up((uint16_t)record.sector, GIVING_UP);
    }
    if (depth == 0) {
        if (told.cuts < told.wanted) {
            cut_copy();
        }
        flash.next.erase = erase; /* the copy went on */
        flash.next.sector = sector;
        flash.next.offset = offset;
        flash.next.unit = unit;
        if (flash_draw(ADOPTED) == 0) {
            flash_tear();
            told.cuts++;
            longjmp(reboot, 1);
        }
    } else if (countdown-- == 0) {
        flash_tear();
        longjmp(again, 1);
    }
}

/* Of the STM32F103. */
static void of_pages(flash_config_t *config)
{
    config->sectors = (uint16_t)(2u + flash_draw(3));
    config->unit = 4;
    config->write_bytes = 2;
    config->page_bytes = 1024;
    const uint32_t bytes = config->page_bytes * (1u + flash_draw(2));
    for (uint16_t i = 0; i < config->sectors; i++) {
        config->bytes[i] = bytes;
    }
}

static void history(uint64_t seed, bool forgets, bool pages)
{
    flash_config_t config = {.forgets = forgets};
    flash.random = seed * 0x9E3779B97F4A7C15u + 1u;
    for (unsigned i = 0; i < 8; i++) {
        flash_draw(2);
    }
    config.sectors = (uint16_t)(3 + flash_draw(4));
    config.unit = flash_draw(3) == 0 ? 8 : 4;
    config.erase_polls = flash_draw(4);
    config.wear_limit = flash_draw(8) == 0 ? 3 + flash_draw(20) : 0;
    for (uint16_t i = 0; i < config.sectors; i++) {
        config.bytes[i] = EIN_LOG_SECTOR_LEAST_BYTES + 64u * flash_draw(16);
    }
    if (pages || flash_draw(8) == 0) {
        of_pages(&config);
    }
    flash_make(&config, seed, flash_draw(2) == 0);
    flash.before = before_operation;
    memset(expected, 0, sizeof(expected));
    first_id = next_id = 1;
    depth = 0;
    told.seed = seed;
    told.histories++;
    const uint64_t begun = told.cuts;
    setjmp(reboot);
    mount(&live);
    while (next_id < IDS / 4u && told.cuts < told.wanted && told.cuts - begun < MOST_CUTS) {
        live_on(&live);
    }
    if (flash.rewritten != 0) {
        fault(&told.wrong, "a unit was written twice", 0);
    }
}

int main(int argc, char **argv)
{
    if (argc < 3) {
        fprintf(stderr, "usage: cuts CUTS SEED [forgets|pages]\n");
        return 2;
    }
    told.wanted = strtoull(argv[1], NULL, 10);
    const bool forgets = argc > 3 && strcmp(argv[3], "forgets") == 0;
    const bool pages = argc > 3 && strcmp(argv[3], "pages") == 0;
    for (uint64_t seed = strtoull(argv[2], NULL, 10); told.cuts < told.wanted; seed++) {
        history(seed, forgets, pages);
        if (told.lost + told.wrong > 1000) {
            break;
        }
    }
    printf("%" PRIu64 " histories, %" PRIu64 " records, %" PRIu64 " erases, %" PRIu64
           " clears, %" PRIu64 " mounts\n",
           told.histories, told.records, told.erases, told.cleared, told.mounts);
    printf("a mount read at most %" PRIu64
           " %% of two sectors; a sector's count of erases was at most %" PRIu32 " low, %" PRIu32
           " high\n",
           told.most_read_percent, told.erases_low, told.erases_high);
    if (told.wrong > 0) {
        printf("%" PRIu64 " other faults\n", told.wrong);
    }
    printf("%" PRIu64 " cuts, %" PRIu64 " records lost\n", told.cuts, told.lost);
    return told.lost + told.wrong > 0 ? 1 : 0;
}
