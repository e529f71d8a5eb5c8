#include "ein_diary.h"

#include <string.h>

#include "ein_fixed.h"
#include "ein_types.h"

#define MS_PER_S 1000u
#define MINUTE_S 60u
#define MINUTE_SAMPLES (MINUTE_S * EIN_PIPELINE_RATE_HZ)
#define RR_UNIT_MS 4u
#define NO_ALARM 0xFFu
#define CONTACT_LEAST_S 3u /* a lost one is known when it has been lost for a while */

typedef char ein_check_classes
    [sizeof(((ein_diary_minute_t *)0)->called) / sizeof(uint32_t) == EIN_CLASSES ? 1 : -1];

static void count(ein_diary_t *diary, ein_log_status_t status)
{
    if (status != EIN_LOG_OK) {
        diary->failures++;
    }
}

void ein_diary_append(ein_diary_t *diary, ein_log_kind_t kind, const void *fields, uint32_t now_ms)
{
    if (diary->has_log) {
        count(diary, ein_log_append(&diary->log, kind, fields, now_ms));
    }
}

bool ein_diary_open(ein_diary_t *diary)
{
    memset(diary, 0, sizeof(*diary));
    diary->has_log = ein_log_mount(&diary->log) == EIN_LOG_OK;
    return diary->has_log;
}

void ein_diary_step(ein_diary_t *diary, uint32_t now_ms, bool idle)
{
    if (diary->has_log) {
        ein_log_step(&diary->log, now_ms, idle);
    }
}

void ein_diary_event(ein_diary_t *diary, ein_log_event_code_t event, uint8_t detail, uint32_t value,
                     uint16_t battery_mv, uint32_t now_ms)
{
    if (diary->has_log) {
        count(diary, ein_log_event(&diary->log, event, detail, value, battery_mv, now_ms));
    }
}

void ein_diary_time(ein_diary_t *diary, ein_log_moment_t utc, uint32_t now_ms)
{
    if (diary->has_log) {
        count(diary, ein_log_time_set(&diary->log, utc, now_ms));
    }
}

static void begin_minute(ein_diary_minute_t *minute)
{
    memset(minute, 0, sizeof(*minute));
    minute->worst_alarm = NO_ALARM;
}

void ein_diary_begin(ein_diary_t *diary, bool is_strip, uint32_t now_ms)
{
    diary->is_strip = is_strip;
    diary->begin = ein_log_now(&diary->log, now_ms);
    diary->samples = 0;
    diary->lost = 0;
    diary->skipped = 0;
    begin_minute(&diary->minute);
}

/* Whether the minute is told by an event, or by none: nobody touched the electrodes. */
static bool skip(ein_diary_t *diary, uint32_t now_ms)
{
    const ein_diary_minute_t *minute = &diary->minute;
    const uint32_t without = minute->lead_off + minute->lost;
    if (diary->skips && without + CONTACT_LEAST_S * EIN_PIPELINE_RATE_HZ > minute->samples) {
        if (diary->skipped == 0) {
            ein_diary_event(diary, EIN_LOG_EVENT_CONTACT_LOST, 0, 0, 0, now_ms);
        }
        if (diary->skipped < UINT16_MAX) {
            diary->skipped++;
        }
        return true;
    }
    if (diary->skipped > 0) {
        ein_diary_event(diary, EIN_LOG_EVENT_CONTACT, 0, MINUTE_S * diary->skipped, 0, now_ms);
        diary->skipped = 0;
    }
    return false;
}

static void keep_minute(ein_diary_t *diary, uint32_t now_ms)
{
    const ein_diary_minute_t *minute = &diary->minute;
    ein_log_minute_t record = {
        .normal = minute->called[EIN_CLASS_N],
        .supraventricular = minute->called[EIN_CLASS_S],
        .ventricular = minute->called[EIN_CLASS_V],
        .fusion = minute->called[EIN_CLASS_F],
        .unknown = minute->called[EIN_CLASS_Q],
        .good_s = minute->good / EIN_PIPELINE_RATE_HZ,
        .lead_off_s = minute->lead_off / EIN_PIPELINE_RATE_HZ,
        .alarm = minute->worst,
        .lost_samples = minute->lost,
    };
    if (minute->intervals > 0) {
        const uint64_t n = minute->intervals, sum = minute->rr_sum;
        const uint32_t unit = MS_PER_S / RR_UNIT_MS; /* of the record, per second */
        const uint32_t spread = ein_sqrt((n * minute->rr_squares - sum * sum) * unit * unit);
        record.rr_mean_4ms = minute->rr_sum * unit / (minute->intervals * EIN_PIPELINE_RATE_HZ);
        record.rr_spread_4ms = spread / (minute->intervals * EIN_PIPELINE_RATE_HZ);
    }
    ein_diary_append(diary, EIN_LOG_MINUTE, &record, now_ms);
}

static void end_minute(ein_diary_t *diary, uint32_t now_ms)
{
    if (!skip(diary, now_ms)) {
        keep_minute(diary, now_ms);
    }
    begin_minute(&diary->minute);
}

/* Time goes on by n samples. */
static void advance(ein_diary_t *diary, uint32_t n, uint32_t now_ms)
{
    diary->samples += n;
    diary->minute.samples += n;
    while (!diary->is_strip && diary->minute.samples >= MINUTE_SAMPLES) {
        const uint32_t beyond = diary->minute.samples - MINUTE_SAMPLES;
        end_minute(diary, now_ms);
        diary->minute.samples = beyond;
    }
}

void ein_diary_sample(ein_diary_t *diary, bool contact, bool good, uint32_t now_ms)
{
    diary->minute.good += good ? 1u : 0u;
    diary->minute.lead_off += contact ? 0u : 1u;
    advance(diary, 1, now_ms);
}

void ein_diary_lost(ein_diary_t *diary, uint32_t samples, uint32_t now_ms)
{
    diary->lost += samples;
    diary->minute.lost += samples;
    ein_diary_event(diary, EIN_LOG_EVENT_SAMPLES_LOST, 0, samples, 0, now_ms);
    advance(diary, samples, now_ms);
}

void ein_diary_beat(ein_diary_t *diary, const ein_wire_beat_t *beat)
{
    ein_diary_minute_t *minute = &diary->minute;
    if (beat->label < EIN_CLASSES) {
        minute->called[beat->label]++;
    }
    if (beat->rr_prev_samples > 0 && (beat->flags & EIN_FLAG_BREAK) == 0) {
        minute->intervals++;
        minute->rr_sum += beat->rr_prev_samples;
        minute->rr_squares += (uint64_t)beat->rr_prev_samples * beat->rr_prev_samples;
    }
}

static ein_log_moment_t moment_of(const ein_diary_t *diary, uint32_t t_samples)
{
    const uint32_t ms =
        diary->begin.ms + t_samples % EIN_PIPELINE_RATE_HZ * MS_PER_S / EIN_PIPELINE_RATE_HZ;
    return (ein_log_moment_t){
        .s = diary->begin.s + t_samples / EIN_PIPELINE_RATE_HZ + ms / MS_PER_S,
        .ms = ms % MS_PER_S,
    };
}

void ein_diary_rhythm(ein_diary_t *diary, const ein_wire_beat_t *told, uint32_t now_ms)
{
    const ein_log_moment_t begin = moment_of(diary, told->t_samples);
    ein_log_episode_t record = {
        .kind = told->label,
        .phase = told->flags,
        .begin_s = begin.s,
        .begin_ms = begin.ms,
    };
    if (told->flags == EIN_WIRE_RHYTHM_PHASE_END) {
        const ein_log_moment_t end = moment_of(diary, told->rr_next_samples);
        record.end_s = end.s;
        record.end_ms = end.ms;
    }
    ein_diary_append(diary, EIN_LOG_EPISODE, &record, now_ms);
}

void ein_diary_alarm(ein_diary_t *diary, uint8_t alarm, uint8_t kind)
{
    if (alarm < diary->minute.worst_alarm) {
        diary->minute.worst_alarm = alarm;
        diary->minute.worst = (uint8_t)(kind + 1u);
    }
}

void ein_diary_end(ein_diary_t *diary, uint32_t now_ms)
{
    if (!diary->is_strip && diary->minute.samples > 0) {
        end_minute(diary, now_ms);
    }
}
