/* The device's log: append-only, in flash, for what must be there when the power comes back.
 *
 *     ein_log_mount(&log);
 *     always:          ein_log_step(&log, now_ms, idle);
 *     when it happens: ein_log_append(&log, EIN_LOG_MINUTE, &minute, now_ms);
 *
 * What an append has answered with EIN_LOG_OK is there after any cut of the power; a cut loses the
 * record that is being written, and nothing else. Sectors are used in turn; the oldest is given up
 * for a new one, after a record that says how much it held. Kinds and layouts:
 * codegen/spec/log.toml; the format to the byte, and why it holds: docs/log.md.
 *
 * An append writes at most EIN_LOG_APPEND_WORDS words if the flash is good, three times as many if
 * it is worn, and never erases. ein_log_step() erases, ahead of the need; with `idle` (no sample is
 * being taken) earlier than without. Times are a monotonic clock's milliseconds since the reset,
 * modulo 2^32: step() or append() must be called once in 24 days.
 *
 * RAM: sizeof(ein_log_t), about 0.5 KB. Stack: at most 400 bytes. Main loop only.
 */
#ifndef EIN_LOG_H
#define EIN_LOG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "ein_log_port.h"
#include "ein_log_scan.h"
#include "ein_log_spec.h"

typedef enum {
    EIN_LOG_OK = 0,
    EIN_LOG_ERR_NONE = -1, /* the board has no log, or its flash is worn out */
    EIN_LOG_ERR_BUSY = -2, /* no room until ein_log_step() has made some; counted, and told later */
    EIN_LOG_ERR_KIND = -3, /* no such kind, or too many bytes */
} ein_log_status_t;

/* 0: a time_set tells no drift, 0.3 KB less; who reads two of a boot has it from them. */
#ifndef EIN_LOG_DRIFT
#define EIN_LOG_DRIFT 1
#endif

/* An anchor, a note of what was lost, the record: 4 + 3 + 65, each filled up to a unit. */
#define EIN_LOG_APPEND_WORDS 76u

/* A place in the log: of a sector's content, which is never used twice, and a byte in it. */
typedef struct {
    uint32_t sequence;
    uint32_t offset;
} ein_log_position_t;

typedef struct {
    uint32_t s;
    uint32_t ms; /* below 1000 */
} ein_log_moment_t;

typedef struct {
    uint16_t sectors; /* 0: there is no log */
    uint8_t unit;
    uint8_t state;
    uint16_t current;  /* sector that is written to; sectors: none yet */
    uint32_t offset;   /* in it, of the next record */
    uint32_t records;  /* since the log was made or cleared */
    uint32_t given_up; /* of them */
    uint16_t boot;
    bool anchored;       /* this boot's records have something to count from */
    uint32_t anchor_s;   /* when that was */
    uint32_t seconds;    /* since the reset */
    uint32_t seconds_ms; /* now_ms when they were counted */
    uint32_t lost;       /* records that could not be kept, and were not told yet */
    uint32_t cleared;    /* a clear goes on until the sector with this sequence is opened */
    uint32_t next_sequence;
    uint16_t erasing;   /* sector */
    uint16_t erases_of; /* sector whose erases are known from a record; sectors: none */
    uint32_t erases;    /* and how many */
    uint16_t failed;    /* sectors in a row that could not be opened */
#if EIN_LOG_DRIFT
    struct { /* of the boot's first time_set */
        ein_log_moment_t utc, device;
        bool known;
    } first_time;
#endif
    uint32_t sequence[EIN_LOG_SECTORS_MAX]; /* of the content of each; 0: nothing readable */
    uint8_t buffer[EIN_LOG_RECORD_BYTES];   /* the record that is written, or looked at */
} ein_log_t;

typedef struct {
    bool ready;                         /* an append would find room */
    uint16_t sectors;                   /* 0: no log */
    uint16_t boot;                      /* of this boot's records */
    uint32_t bytes;                     /* of all sectors */
    ein_log_position_t oldest;          /* the first byte that can be read */
    ein_log_position_t next;            /* where the next record goes */
    uint32_t records, given_up;         /* since the log was made or cleared */
    uint32_t lost;                      /* not kept, not told yet */
    uint32_t seconds;                   /* now, monotonic */
    uint32_t least_erases, most_erases; /* of the readable sectors */
} ein_log_about_t;

/* Once. Reads the sectors' headers, and at most three times the newest two sectors; writes nothing.
   A flash without a log, or with a foreign one, is taken for empty: ein_log_step() then makes a
   new one, sector by sector, as it is filled. EIN_LOG_ERR_NONE: the board has none. */
ein_log_status_t ein_log_mount(ein_log_t *log);

/* Once a turn of the main loop. True: an erase is under way, or about to be. */
bool ein_log_step(ein_log_t *log, uint32_t now_ms, bool idle);

/* Writes a record. fields: the ein_log_<kind>_t of that kind. */
ein_log_status_t ein_log_append(ein_log_t *log, ein_log_kind_t kind, const void *fields,
                                uint32_t now_ms);

/* The same with bytes behind the fields, for a kind that has a rest. */
ein_log_status_t ein_log_append_rest(ein_log_t *log, ein_log_kind_t kind, const void *fields,
                                     const uint8_t *rest, size_t n, uint32_t now_ms);

/* An EIN_LOG_EVENT. */
ein_log_status_t ein_log_event(ein_log_t *log, ein_log_event_code_t event, uint8_t detail,
                               uint32_t value, uint16_t battery_mv, uint32_t now_ms);

/* The time became known: since 1970, UTC, as it is now. Writes EIN_LOG_TIME_SET with the drift
   since the boot's first. */
ein_log_status_t ein_log_time_set(ein_log_t *log, ein_log_moment_t utc, uint32_t now_ms);

/* When it is now, as records tell it: monotonic seconds since the reset, and milliseconds of it. */
ein_log_moment_t ein_log_now(ein_log_t *log, uint32_t now_ms);

/* Bytes as they lie in flash from *from on, at most n; returns how many. Sets *from to where they
   begin: further on if what was asked for has been given up, and in the next sector behind the end
   of one. 0: there are no more now. Stays right while records are added. */
size_t ein_log_read(ein_log_t *log, ein_log_position_t *from, uint8_t *bytes, size_t n);

/* Deletes everything: steps do it, and go on with it after a cut of the power. What is logged from
   now on stays. */
ein_log_status_t ein_log_clear(ein_log_t *log);

void ein_log_about(const ein_log_t *log, ein_log_about_t *about);

#endif
