#include "ein_diary_strip.h"

static void count(ein_diary_t *diary, ein_log_status_t status)
{
    if (status != EIN_LOG_OK) {
        diary->failures++;
    }
}

void ein_diary_strip_begin(ein_diary_strip_t *strip, uint16_t gain_lsb_per_mv)
{
    strip->gain_lsb_per_mv = gain_lsb_per_mv;
    ein_log_ecg_begin(&strip->ecg, strip->number);
}

void ein_diary_strip_sample(ein_diary_strip_t *strip, ein_diary_t *diary, int16_t sample,
                            uint32_t now_ms)
{
    if (diary->has_log) {
        count(diary, ein_log_ecg_sample(&strip->ecg, &diary->log, sample, now_ms));
    }
}

void ein_diary_strip_lost(ein_diary_strip_t *strip, ein_diary_t *diary, uint32_t samples,
                          uint32_t now_ms)
{
    if (diary->has_log) {
        count(diary, ein_log_ecg_skip(&strip->ecg, &diary->log, samples, now_ms));
    }
}

void ein_diary_strip_end(ein_diary_strip_t *strip, ein_diary_t *diary,
                         const ein_strip_verdict_t *verdict, uint32_t now_ms)
{
    if (diary->has_log) {
        count(diary, ein_log_ecg_end(&strip->ecg, &diary->log, now_ms));
    }
    const ein_log_strip_t record = {
        .number = strip->number,
        .verdict = verdict != NULL ? verdict->verdict : EIN_STRIP_VERDICT_NONE,
        .probability = verdict != NULL ? verdict->probability : 0u,
        .begin_s = diary->begin.s,
        .begin_ms = diary->begin.ms,
        .rate_bpm = verdict != NULL ? verdict->rate_bpm : 0u,
        .samples = diary->samples,
        .reasons = verdict != NULL ? verdict->reasons : 0u,
        .longest_ms = verdict != NULL ? verdict->longest_ms : 0u,
        .gain_lsb_per_mv = strip->gain_lsb_per_mv,
        .ventricular = verdict != NULL ? verdict->ventricular : 0u,
        .supraventricular = verdict != NULL ? verdict->supraventricular : 0u,
        .lost_samples = diary->lost,
    };
    ein_diary_append(diary, EIN_LOG_STRIP, &record, now_ms);
    strip->number++;
}
