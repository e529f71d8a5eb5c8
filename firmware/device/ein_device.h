/* What a device does alone: its modes, as a machine that is told what happens and says what it
 * wants.
 *
 *     check -> ready -> strip:      waits for contact, records 30 s, shows the verdict -> ready
 *                    -> continuous: records until it is ended, with alarms             -> ready
 *     check -> fault                records nothing
 *
 * In `ready` a short press begins a strip, a long one a continuous recording. A strip is given up
 * by any press. In `continuous` a short press silences alarms or, where there are none, sets a
 * mark; a long one ends it. An empty battery ends what is recorded.
 *
 * Knows no port, no log and no wire: ein_device_app.c makes true what `listens` and `records` say,
 * shows `patterns`, and tells everything that happens. Times in ms, which may wrap; the length of a
 * strip is counted in samples. RAM: 290 B. No errors.
 */
#ifndef EIN_DEVICE_H
#define EIN_DEVICE_H

#include <stdbool.h>
#include <stdint.h>

#include "ein_device_alarm.h"
#include "ein_device_battery.h"
#include "ein_device_button.h"
#include "ein_device_pattern.h"
#include "ein_device_spec.h"

/* What has happened in a call, beside alarms: bits. */
#define EIN_DEVICE_MARKED 1u       /* somebody has set a mark */
#define EIN_DEVICE_SILENCED 2u     /* somebody has silenced an alarm */
#define EIN_DEVICE_BATTERY_NEWS 4u /* low or empty begins or ends */

typedef struct {
    uint8_t mode;    /* EIN_DEVICE_MODE_* */
    uint8_t faults;  /* bits EIN_DEVICE_CHECK_*: what the check has found */
    bool listens;    /* the front end is wanted */
    bool records;    /* a recording is wanted: of strip or continuous, as `mode` says */
    bool cancelled;  /* the strip was given up: no verdict is wanted of it */
    bool contact;    /* as the last sample said */
    bool noisy;      /* as the core says */
    uint8_t verdict; /* pattern that tells the last one, while it is shown; else _NONE */
    uint32_t now_ms; /* of the last step */
    uint32_t mode_ms, contact_ms, noisy_ms, verdict_ms, low_ms; /* when each began */
    uint32_t strip_samples;                                     /* still to be recorded */
    ein_device_button_t button;
    ein_device_battery_t battery;
    ein_device_alarms_t alarms;
    ein_device_patterns_t patterns;
} ein_device_t;

/* Power on: mode check. */
void ein_device_init(ein_device_t *device, bool button, uint32_t now_ms);

/* The check is done: ready, or fault where something is bad that a recording needs. */
void ein_device_checked(ein_device_t *device, uint8_t faults);

/* Somebody asks for ready (ends what is recorded), strip or continuous. False: not now, because
   another recording is under way, after a failed check, with an empty battery, or no such mode. */
bool ein_device_request(ein_device_t *device, uint8_t mode);

/* n samples have been taken, or were lost, with contact or not; only while `listens`. */
void ein_device_samples(ein_device_t *device, bool contact, uint32_t n);

/* The core's signal flags have changed. */
void ein_device_signal(ein_device_t *device, uint16_t flags);

void ein_device_beat(ein_device_t *device);

/* The strip has been recorded: its verdict, EIN_STRIP_VERDICT_*. */
void ein_device_verdict(ein_device_t *device, uint8_t verdict);

/* A reading of the battery. Returns what has happened. */
unsigned ein_device_battery(ein_device_t *device, uint16_t mv);

/* Somebody presses, or the host asks: silences what is raised. Returns which alarms sounded. */
uint16_t ein_device_silence(ein_device_t *device);

/* The time is now_ms and the button's contact as given. Returns what has happened; alarms go to
 *change. Call it every 10 ms or so: LED and buzzer follow in `patterns`, whose change it tells. */
unsigned ein_device_step(ein_device_t *device, bool button, uint32_t now_ms,
                         ein_device_alarm_change_t *change, bool *shows);

#endif
