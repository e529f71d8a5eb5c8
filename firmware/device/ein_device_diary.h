/* What the device writes into its log: minutes, episodes, strips with their ECG, events.
 *
 * Told what happens; what to keep and how is decided here, the layouts are codegen/spec/log.toml's.
 * A record that the log cannot keep is counted in `failures`. RAM: about 1.1 KB, most of it the
 * log's. Times: now_ms is the port's clock, uptime_ms the device's, which does not wrap.
 */
#ifndef EIN_DEVICE_DIARY_H
#define EIN_DEVICE_DIARY_H

#include <stdbool.h>
#include <stdint.h>

#include "ein_log.h"
#include "ein_log_ecg.h"
#include "ein_strip.h"
#include "ein_wire_gen.h"

/* Of the minute under way. */
typedef struct {
    uint32_t samples, lost, good, lead_off;
    uint32_t called[5]; /* beats by class */
    uint32_t intervals, rr_sum;
    uint64_t rr_squares;
    uint8_t worst; /* kind of the highest alarm, plus 1; 0: none */
    uint8_t worst_alarm;
} ein_device_minute_t;

typedef struct {
    ein_log_t log;
    ein_log_ecg_coder_t ecg;
    bool has_log;
    bool is_strip; /* the recording is */
    uint32_t failures;
    uint64_t begin_ms; /* of the recording, uptime */
    uint32_t samples;  /* of it, lost ones included */
    uint32_t lost;
    uint16_t strips; /* number of the next one */
    uint16_t gain_lsb_per_mv;
    ein_device_minute_t minute;
} ein_device_diary_t;

/* Power on: mounts the log. False: the board has none. */
bool ein_device_diary_open(ein_device_diary_t *diary);

/* Once a turn. `idle`: no sample is being taken, so that a sector may be erased ahead. */
void ein_device_diary_step(ein_device_diary_t *diary, uint32_t now_ms, bool idle);

void ein_device_diary_event(ein_device_diary_t *diary, ein_log_event_code_t event, uint8_t detail,
                            uint32_t value, uint16_t battery_mv, uint32_t now_ms);

/* The time was told. */
void ein_device_diary_time(ein_device_diary_t *diary, uint64_t unix_ms, uint32_t now_ms);

/* A recording begins with the next sample. */
void ein_device_diary_begin(ein_device_diary_t *diary, bool is_strip, uint16_t gain_lsb_per_mv,
                            uint64_t uptime_ms);

/* The next sample; whether there was contact, and whether the signal can be judged. */
void ein_device_diary_sample(ein_device_diary_t *diary, int16_t sample, bool contact, bool good,
                             uint32_t now_ms);

/* Samples that never came: a gap in a strip's ECG, where it was. */
void ein_device_diary_lost(ein_device_diary_t *diary, uint32_t samples, uint32_t now_ms);

void ein_device_diary_beat(ein_device_diary_t *diary, const ein_wire_beat_t *beat);

/* Of the rhythm stage, as ein_outbox_event_t has it. */
void ein_device_diary_rhythm(ein_device_diary_t *diary, const ein_wire_beat_t *told,
                             uint32_t now_ms);

/* An alarm has been raised: which one, and the kind of rhythm behind it. */
void ein_device_diary_alarm(ein_device_diary_t *diary, uint8_t alarm, uint8_t kind);

/* The recording has ended; verdict: of a strip, NULL if it was given up. */
void ein_device_diary_end(ein_device_diary_t *diary, const ein_strip_verdict_t *verdict,
                          uint32_t now_ms);

#endif
