/* What a recording leaves in the log: minutes, episodes, events.
 *
 * Told what happens; what to keep and how is decided here, the layouts are codegen/spec/log.toml's.
 * A record that the log cannot keep is counted in `failures`. A strip's own records are
 * ein_diary_strip.h's. RAM: about 0.6 KB, most of it the log's. Times: now_ms is the port's clock
 * since the start, modulo 2^32.
 */
#ifndef EIN_DIARY_H
#define EIN_DIARY_H

#include <stdbool.h>
#include <stdint.h>

#include "ein_log.h"
#include "ein_wire_gen.h"

/* Of the minute under way. */
typedef struct {
    uint32_t samples, lost, good, lead_off;
    uint32_t called[5]; /* beats by class */
    uint32_t intervals, rr_sum;
    uint64_t rr_squares;
    uint8_t worst; /* kind of the highest alarm, plus 1; 0: none */
    uint8_t worst_alarm;
} ein_diary_minute_t;

typedef struct {
    bool has_log;
    bool skips;    /* minutes without 3 s of contact: an event says so instead of their records */
    bool is_strip; /* the recording is one, and has no minutes */
    uint16_t skipped; /* minutes in a row, saturating */
    uint32_t failures;
    ein_log_moment_t begin; /* of the recording */
    uint32_t samples;       /* of it, lost ones included */
    uint32_t lost;
    ein_diary_minute_t minute;
    ein_log_t log;
} ein_diary_t;

/* Power on: mounts the log. False: the board has none. */
bool ein_diary_open(ein_diary_t *diary);

/* Once a turn. `idle`: no sample is being taken, so that a sector may be erased ahead. */
void ein_diary_step(ein_diary_t *diary, uint32_t now_ms, bool idle);

/* A record of any kind, as ein_log_append has it. */
void ein_diary_append(ein_diary_t *diary, ein_log_kind_t kind, const void *fields, uint32_t now_ms);

void ein_diary_event(ein_diary_t *diary, ein_log_event_code_t event, uint8_t detail, uint32_t value,
                     uint16_t battery_mv, uint32_t now_ms);

/* The time was told: since 1970, UTC. */
void ein_diary_time(ein_diary_t *diary, ein_log_moment_t utc, uint32_t now_ms);

/* A recording begins with the next sample. */
void ein_diary_begin(ein_diary_t *diary, bool is_strip, uint32_t now_ms);

/* A sample was taken; whether there was contact, and whether the signal can be judged. */
void ein_diary_sample(ein_diary_t *diary, bool contact, bool good, uint32_t now_ms);

/* Samples that never came. */
void ein_diary_lost(ein_diary_t *diary, uint32_t samples, uint32_t now_ms);

void ein_diary_beat(ein_diary_t *diary, const ein_wire_beat_t *beat);

/* Of the rhythm stage, as ein_outbox_event_t has it. */
void ein_diary_rhythm(ein_diary_t *diary, const ein_wire_beat_t *told, uint32_t now_ms);

/* An alarm has been raised: which one, and the kind of rhythm behind it. */
void ein_diary_alarm(ein_diary_t *diary, uint8_t alarm, uint8_t kind);

/* The recording has ended: the minute that it ended in. */
void ein_diary_end(ein_diary_t *diary, uint32_t now_ms);

#endif
