/* Alarms: what the rhythm stage tells becomes one, lasts, is silenced, and is let go.
 *
 * An alarm is raised when one of its kinds of rhythm has lasted `delay_s`, or when an episode that
 * is told only once it is over has. It ends when none has been there for `release_s` (hysteresis:
 * what comes back before that is the same alarm), and, of one that latches, not before somebody has
 * silenced it. Silenced, it makes no sound for `silence_s`; if it is still there then, it sounds
 * again. Which alarms are on, and their times: codegen/spec/device.toml. Times in ms, which may
 * wrap. RAM: 170 B. No errors.
 */
#ifndef EIN_DEVICE_ALARM_H
#define EIN_DEVICE_ALARM_H

#include <stdbool.h>
#include <stdint.h>

#include "ein_device_spec.h"
#include "ein_rhythm_types.h"

typedef struct {
    uint32_t since_ms;  /* when the rhythm began; once it is over, when it ended */
    uint32_t silent_ms; /* until when it makes no sound */
} ein_device_alarm_times_t;

/* Masks: bits ein_device_alarm_t. */
typedef struct {
    ein_device_alarm_times_t times[EIN_DEVICE_ALARMS];
    uint16_t kinds;   /* bits ein_rhythm_kind_t: episodes that last */
    uint16_t on;      /* those that may be raised */
    uint16_t present; /* the rhythm is there */
    uint16_t raised;
    uint16_t seen;   /* somebody has silenced it since it was raised */
    uint16_t silent; /* makes no sound, until its silent_ms */
} ein_device_alarms_t;

typedef struct {
    uint16_t raised, ended; /* by this call */
} ein_device_alarm_change_t;

/* None is raised; `on`: which may be. */
void ein_device_alarm_init(ein_device_alarms_t *alarms, uint16_t on);

/* Other ones may be raised from now on; what is raised and no longer on ends. */
ein_device_alarm_change_t ein_device_alarm_set(ein_device_alarms_t *alarms, uint16_t on);

/* Which may be raised, as a word to be kept without power; and back. A word of another table of
   alarms, or none, changes nothing. */
uint32_t ein_device_alarm_settings(const ein_device_alarms_t *alarms);
void ein_device_alarm_restore(ein_device_alarms_t *alarms, uint32_t settings);

/* An episode as the rhythm stage tells it; `age_ms`: how long ago it began. */
ein_device_alarm_change_t ein_device_alarm_rhythm(ein_device_alarms_t *alarms, uint8_t kind,
                                                  uint8_t phase, uint32_t age_ms, uint32_t now_ms);

/* The recording has ended: no rhythm lasts. Latched alarms stay. */
void ein_device_alarm_stop(ein_device_alarms_t *alarms, uint32_t now_ms);

/* The time is now_ms. */
ein_device_alarm_change_t ein_device_alarm_step(ein_device_alarms_t *alarms, uint32_t now_ms);

/* Somebody has seen all that is raised; returns which of them sounded. */
uint16_t ein_device_alarm_silence(ein_device_alarms_t *alarms, uint32_t now_ms);

/* The kind of rhythm that is there and raises this alarm, or the first that may. */
uint8_t ein_device_alarm_kind(const ein_device_alarms_t *alarms, uint8_t alarm);

/* The pattern for what is raised; EIN_DEVICE_PATTERN_NONE: nothing is. */
uint8_t ein_device_alarm_pattern(const ein_device_alarms_t *alarms);

#endif
