#include "ein_device_diary.h"

#include <string.h>

#include "ein_fixed.h"
#include "ein_types.h"

#define MS_PER_S 1000u
#define MINUTE_SAMPLES (60u * EIN_PIPELINE_RATE_HZ)
#define RR_UNIT_MS 4u
#define NO_ALARM 0xFFu

typedef char ein_check_classes
    [sizeof(((ein_device_minute_t *)0)->called) / sizeof(uint32_t) == EIN_CLASSES ? 1 : -1];

static void count(ein_device_diary_t *diary, ein_log_status_t status)
{
    if (status != EIN_LOG_OK) {
        diary->failures++;
    }
}

static void append(ein_device_diary_t *diary, ein_log_kind_t kind, const void *fields,
                   uint32_t now_ms)
{
    if (diary->has_log) {
        count(diary, ein_log_append(&diary->log, kind, fields, now_ms));
    }
}

bool ein_device_diary_open(ein_device_diary_t *diary)
{
    memset(diary, 0, sizeof(*diary));
    diary->has_log = ein_log_mount(&diary->log) == EIN_LOG_OK;
    return diary->has_log;
}

void ein_device_diary_step(ein_device_diary_t *diary, uint32_t now_ms, bool idle)
{
    if (diary->has_log) {
        ein_log_step(&diary->log, now_ms, idle);
    }
}

void ein_device_diary_event(ein_device_diary_t *diary, ein_log_event_code_t event, uint8_t detail,
                            uint32_t value, uint16_t battery_mv, uint32_t now_ms)
{
    if (diary->has_log) {
        count(diary, ein_log_event(&diary->log, event, detail, value, battery_mv, now_ms));
    }
}

void ein_device_diary_time(ein_device_diary_t *diary, uint64_t unix_ms, uint32_t now_ms)
{
    if (diary->has_log) {
        const ein_log_moment_t utc = {(uint32_t)(unix_ms / MS_PER_S),
                                      (uint32_t)(unix_ms % MS_PER_S)};
        count(diary, ein_log_time_set(&diary->log, utc, now_ms));
    }
}

static void begin_minute(ein_device_minute_t *minute)
{
    memset(minute, 0, sizeof(*minute));
    minute->worst_alarm = NO_ALARM;
}

void ein_device_diary_begin(ein_device_diary_t *diary, bool is_strip, uint16_t gain_lsb_per_mv,
                            uint64_t uptime_ms)
{
    diary->is_strip = is_strip;
    diary->gain_lsb_per_mv = gain_lsb_per_mv;
    diary->begin_ms = uptime_ms;
    diary->samples = 0;
    diary->lost = 0;
    begin_minute(&diary->minute);
    if (is_strip) {
        ein_log_ecg_begin(&diary->ecg, diary->strips);
    }
}

static void end_minute(ein_device_diary_t *diary, uint32_t now_ms)
{
    const ein_device_minute_t *minute = &diary->minute;
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
        const uint64_t unit = MS_PER_S / RR_UNIT_MS; /* of the record, per second */
        const uint64_t spread = ein_sqrt((n * minute->rr_squares - sum * sum) * unit * unit);
        record.rr_mean_4ms = (uint32_t)(sum * unit / (n * EIN_PIPELINE_RATE_HZ));
        record.rr_spread_4ms = (uint32_t)(spread / (n * EIN_PIPELINE_RATE_HZ));
    }
    append(diary, EIN_LOG_MINUTE, &record, now_ms);
    begin_minute(&diary->minute);
}

/* Time goes on by n samples. */
static void advance(ein_device_diary_t *diary, uint32_t n, uint32_t now_ms)
{
    diary->samples += n;
    diary->minute.samples += n;
    while (!diary->is_strip && diary->minute.samples >= MINUTE_SAMPLES) {
        const uint32_t beyond = diary->minute.samples - MINUTE_SAMPLES;
        end_minute(diary, now_ms);
        diary->minute.samples = beyond;
    }
}

void ein_device_diary_sample(ein_device_diary_t *diary, int16_t sample, bool contact, bool good,
                             uint32_t now_ms)
{
    diary->minute.good += good ? 1u : 0u;
    diary->minute.lead_off += contact ? 0u : 1u;
    if (diary->is_strip && diary->has_log) {
        count(diary, ein_log_ecg_sample(&diary->ecg, &diary->log, sample, now_ms));
    }
    advance(diary, 1, now_ms);
}

void ein_device_diary_lost(ein_device_diary_t *diary, uint32_t samples, uint32_t now_ms)
{
    diary->lost += samples;
    diary->minute.lost += samples;
    ein_device_diary_event(diary, EIN_LOG_EVENT_SAMPLES_LOST, 0, samples, 0, now_ms);
    if (diary->is_strip && diary->has_log) {
        count(diary, ein_log_ecg_skip(&diary->ecg, &diary->log, samples, now_ms));
    }
    advance(diary, samples, now_ms);
}

void ein_device_diary_beat(ein_device_diary_t *diary, const ein_wire_beat_t *beat)
{
    ein_device_minute_t *minute = &diary->minute;
    if (beat->label < EIN_CLASSES) {
        minute->called[beat->label]++;
    }
    if (beat->rr_prev_samples > 0 && (beat->flags & EIN_FLAG_BREAK) == 0) {
        minute->intervals++;
        minute->rr_sum += beat->rr_prev_samples;
        minute->rr_squares += (uint64_t)beat->rr_prev_samples * beat->rr_prev_samples;
    }
}

static uint64_t time_of(const ein_device_diary_t *diary, uint32_t t_samples)
{
    return diary->begin_ms + (uint64_t)t_samples * MS_PER_S / EIN_PIPELINE_RATE_HZ;
}

void ein_device_diary_rhythm(ein_device_diary_t *diary, const ein_wire_beat_t *told,
                             uint32_t now_ms)
{
    const uint64_t begin_ms = time_of(diary, told->t_samples);
    ein_log_episode_t record = {
        .kind = told->label,
        .phase = told->flags,
        .begin_s = (uint32_t)(begin_ms / MS_PER_S),
        .begin_ms = (uint32_t)(begin_ms % MS_PER_S),
    };
    if (told->flags == EIN_WIRE_RHYTHM_PHASE_END) {
        const uint64_t end_ms = time_of(diary, told->rr_next_samples);
        record.end_s = (uint32_t)(end_ms / MS_PER_S);
        record.end_ms = (uint32_t)(end_ms % MS_PER_S);
    }
    append(diary, EIN_LOG_EPISODE, &record, now_ms);
}

void ein_device_diary_alarm(ein_device_diary_t *diary, uint8_t alarm, uint8_t kind)
{
    if (alarm < diary->minute.worst_alarm) {
        diary->minute.worst_alarm = alarm;
        diary->minute.worst = (uint8_t)(kind + 1u);
    }
}

void ein_device_diary_end(ein_device_diary_t *diary, const ein_strip_verdict_t *verdict,
                          uint32_t now_ms)
{
    if (!diary->is_strip) {
        if (diary->minute.samples > 0) {
            end_minute(diary, now_ms);
        }
        return;
    }
    if (diary->has_log) {
        count(diary, ein_log_ecg_end(&diary->ecg, &diary->log, now_ms));
    }
    const ein_log_strip_t record = {
        .number = diary->strips,
        .verdict = verdict != NULL ? verdict->verdict : EIN_STRIP_VERDICT_NONE,
        .probability = verdict != NULL ? verdict->probability : 0u,
        .begin_s = (uint32_t)(diary->begin_ms / MS_PER_S),
        .begin_ms = (uint32_t)(diary->begin_ms % MS_PER_S),
        .rate_bpm = verdict != NULL ? verdict->rate_bpm : 0u,
        .samples = diary->samples,
        .reasons = verdict != NULL ? verdict->reasons : 0u,
        .longest_ms = verdict != NULL ? verdict->longest_ms : 0u,
        .gain_lsb_per_mv = diary->gain_lsb_per_mv,
        .ventricular = verdict != NULL ? verdict->ventricular : 0u,
        .supraventricular = verdict != NULL ? verdict->supraventricular : 0u,
        .lost_samples = diary->lost,
    };
    append(diary, EIN_LOG_STRIP, &record, now_ms);
    diary->strips++;
}
