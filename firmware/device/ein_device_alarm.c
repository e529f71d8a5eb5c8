#include "ein_device_alarm.h"

#include <assert.h>

#include "ein_device_pattern.h"
#include "ein_device_table.h"

#define MS_PER_S 1000u

typedef char ein_check_alarms[EIN_DEVICE_ALARMS <= 16u ? 1 : -1];
typedef char ein_check_kinds[EIN_RHYTHM_KINDS <= 16 ? 1 : -1];

static uint16_t bit(uint32_t i)
{
    return (uint16_t)(1u << i);
}

void ein_device_alarm_init(ein_device_alarms_t *alarms, uint16_t on)
{
    *alarms = (ein_device_alarms_t){.on = (uint16_t)(on & (bit(EIN_DEVICE_ALARMS) - 1u))};
}

static void drop(ein_device_alarms_t *alarms, uint16_t which)
{
    alarms->raised &= (uint16_t)~which;
    alarms->seen &= (uint16_t)~which;
    alarms->silent &= (uint16_t)~which;
}

ein_device_alarm_change_t ein_device_alarm_set(ein_device_alarms_t *alarms, uint16_t on)
{
    ein_device_alarm_change_t change = {0, (uint16_t)(alarms->raised & ~on)};
    alarms->on = (uint16_t)(on & (bit(EIN_DEVICE_ALARMS) - 1u));
    drop(alarms, change.ended);
    return change;
}

/* The table's length tells one from another: alarms are only ever added. */
#define SETTINGS_OF_TABLE (1u << 31 | (uint32_t)EIN_DEVICE_ALARMS << 16)

uint32_t ein_device_alarm_settings(const ein_device_alarms_t *alarms)
{
    return SETTINGS_OF_TABLE | alarms->on;
}

void ein_device_alarm_restore(ein_device_alarms_t *alarms, uint32_t settings)
{
    if ((settings & 0xFFFF0000u) == SETTINGS_OF_TABLE) {
        ein_device_alarm_set(alarms, (uint16_t)settings);
    }
}

static void raise(ein_device_alarms_t *alarms, uint16_t which, ein_device_alarm_change_t *change)
{
    which &= (uint16_t)(alarms->on & ~alarms->raised);
    alarms->raised |= which;
    change->raised |= which;
}

/* One alarm whose rhythm is there or not; since_ms has been set. */
static void look(ein_device_alarms_t *alarms, uint32_t i, uint32_t now_ms,
                 ein_device_alarm_change_t *change)
{
    const ein_device_alarm_row_t *row = &ein_device_alarms[i];
    const uint32_t for_ms = now_ms - alarms->times[i].since_ms;
    if ((alarms->present & bit(i)) != 0) {
        if (for_ms >= row->delay_s * MS_PER_S) {
            raise(alarms, bit(i), change);
        }
    } else if ((alarms->raised & bit(i)) != 0 && for_ms >= row->release_s * MS_PER_S &&
               (!row->latch || (alarms->seen & bit(i)) != 0)) {
        change->ended |= bit(i);
        drop(alarms, bit(i));
    }
}

ein_device_alarm_change_t ein_device_alarm_rhythm(ein_device_alarms_t *alarms, uint8_t kind,
                                                  uint8_t phase, uint32_t age_ms, uint32_t now_ms)
{
    assert(kind < EIN_RHYTHM_KINDS);
    ein_device_alarm_change_t change = {0, 0};
    const bool lasted = (alarms->kinds & bit(kind)) != 0;
    if (phase == EIN_RHYTHM_BEGIN) {
        alarms->kinds |= bit(kind);
    } else {
        alarms->kinds &= (uint16_t)~bit(kind);
    }
    for (uint32_t i = 0; i < EIN_DEVICE_ALARMS; i++) {
        const ein_device_alarm_row_t *row = &ein_device_alarms[i];
        if ((row->kinds & bit(kind)) == 0) {
            continue;
        }
        const bool was = (alarms->present & bit(i)) != 0;
        const bool is = (alarms->kinds & row->kinds) != 0;
        if (phase == EIN_RHYTHM_END && !lasted && age_ms >= row->delay_s * MS_PER_S) {
            raise(alarms, bit(i), &change); /* told only when it was over */
        }
        if (is && !was) {
            alarms->present |= bit(i);
            alarms->times[i].since_ms = now_ms - age_ms;
        } else if (!is) {
            alarms->present &= (uint16_t)~bit(i);
            alarms->times[i].since_ms = now_ms;
        }
        look(alarms, i, now_ms, &change);
    }
    return change;
}

void ein_device_alarm_stop(ein_device_alarms_t *alarms, uint32_t now_ms)
{
    for (uint32_t i = 0; i < EIN_DEVICE_ALARMS; i++) {
        if ((alarms->present & bit(i)) != 0) {
            alarms->times[i].since_ms = now_ms;
        }
    }
    alarms->present = 0;
    alarms->kinds = 0;
}

ein_device_alarm_change_t ein_device_alarm_step(ein_device_alarms_t *alarms, uint32_t now_ms)
{
    ein_device_alarm_change_t change = {0, 0};
    for (uint32_t i = 0; i < EIN_DEVICE_ALARMS; i++) {
        if ((alarms->silent & bit(i)) != 0 && (int32_t)(now_ms - alarms->times[i].silent_ms) >= 0) {
            alarms->silent &= (uint16_t)~bit(i);
        }
        look(alarms, i, now_ms, &change);
    }
    return change;
}

uint16_t ein_device_alarm_silence(ein_device_alarms_t *alarms, uint32_t now_ms)
{
    const uint16_t sounded = (uint16_t)(alarms->raised & ~alarms->silent);
    alarms->seen |= alarms->raised;
    alarms->silent |= alarms->raised;
    for (uint32_t i = 0; i < EIN_DEVICE_ALARMS; i++) {
        if ((sounded & bit(i)) != 0) {
            alarms->times[i].silent_ms = now_ms + ein_device_alarms[i].silence_s * MS_PER_S;
        }
    }
    return sounded;
}

uint8_t ein_device_alarm_kind(const ein_device_alarms_t *alarms, uint8_t alarm)
{
    const uint32_t may = ein_device_alarms[alarm].kinds, is = may & alarms->kinds;
    const uint32_t kinds = is != 0 ? is : may;
    uint8_t kind = 0;
    while ((kinds >> kind & 1u) == 0) {
        kind++;
    }
    return kind;
}

uint8_t ein_device_alarm_pattern(const ein_device_alarms_t *alarms)
{
    /* What was latched, has been seen and is over, is only waiting for its release. */
    const uint16_t sounds =
        (uint16_t)(alarms->raised & ~alarms->silent & ~(alarms->seen & ~alarms->present));
    uint8_t pattern =
        alarms->raised != 0 ? EIN_DEVICE_PATTERN_ALARM_SILENCED : EIN_DEVICE_PATTERN_NONE;
    for (uint32_t i = 0; i < EIN_DEVICE_ALARMS; i++) {
        if ((sounds & bit(i)) != 0) {
            if (ein_device_alarms[i].urgent) {
                return EIN_DEVICE_PATTERN_ALARM_URGENT;
            }
            pattern = EIN_DEVICE_PATTERN_ALARM;
        }
    }
    return pattern;
}
