#include "ein_rhythm_pattern.h"

#define MINUTE_SAMPLES (60u * EIN_PIPELINE_RATE_HZ)
/* Longer than any rate that is asked for: keeps the products below 2^32. */
#define LONGEST_SAMPLES (20u * MINUTE_SAMPLES)

static const struct {
    ein_rhythm_kind_t kind;
    uint8_t intervals;
    uint8_t bpm;
    bool fast;
} RATES[EIN_RHYTHM_RATES] = {
    {EIN_RHYTHM_BRADYCARDIA, EIN_RHYTHM_RATE_INTERVALS, EIN_RHYTHM_RATE_SLOW_BPM, false},
    {EIN_RHYTHM_TACHYCARDIA, EIN_RHYTHM_RATE_INTERVALS, EIN_RHYTHM_RATE_FAST_BPM, true},
    {EIN_RHYTHM_ALARM_BRADYCARDIA, EIN_RHYTHM_RATE_ALARM_SLOW_INTERVALS,
     EIN_RHYTHM_RATE_ALARM_SLOW_BPM, false},
    {EIN_RHYTHM_ALARM_TACHYCARDIA, EIN_RHYTHM_RATE_ALARM_FAST_INTERVALS,
     EIN_RHYTHM_RATE_ALARM_FAST_BPM, true},
};

static const ein_rhythm_kind_t CYCLES[EIN_RHYTHM_CYCLES] = {EIN_RHYTHM_BIGEMINY,
                                                            EIN_RHYTHM_TRIGEMINY};

/* Whether so many intervals in so many samples are faster than `bpm` (or slower). */
static bool is_beyond(uint32_t intervals, uint32_t samples, uint32_t bpm, bool fast)
{
    const uint32_t limited = samples > LONGEST_SAMPLES ? LONGEST_SAMPLES : samples;
    const uint32_t beats = intervals * MINUTE_SAMPLES;
    return fast ? beats > bpm * limited : beats < bpm * limited;
}

static uint32_t time_of(const ein_rhythm_pattern_t *pattern, uint32_t number)
{
    return pattern->times[number % EIN_RHYTHM_TIMES];
}

/* Beats in a row */

static bool run_is_fast(const ein_rhythm_pattern_t *pattern)
{
    return is_beyond(pattern->run_beats - 1u,
                     pattern->run_last_samples - pattern->run_begin_samples,
                     EIN_RHYTHM_RUN_FAST_BPM, true);
}

static void end_run(ein_rhythm_pattern_t *pattern, ein_rhythm_queue_t *queue)
{
    const uint32_t begin = pattern->run_begin_samples;
    const uint32_t end = pattern->run_last_samples;
    const bool ventricular = pattern->run_class == EIN_CLASS_V;
    const bool is_run = pattern->run_class != EIN_CLASS_N && pattern->run_beats >= 2;
    pattern->run_class = EIN_CLASS_N;
    if (!is_run) {
        return;
    }
    if (ventricular && pattern->run_beats < EIN_RHYTHM_RUN_BEATS) {
        ein_rhythm_put(queue, EIN_RHYTHM_COUPLET, EIN_RHYTHM_END, begin, end);
    } else if (ventricular) {
        const ein_rhythm_kind_t kind = run_is_fast(pattern) ? EIN_RHYTHM_VT : EIN_RHYTHM_SLOW_RUN;
        ein_rhythm_put(queue, kind, EIN_RHYTHM_END, begin, end);
    } else if (pattern->run_beats >= EIN_RHYTHM_RUN_BEATS && run_is_fast(pattern)) {
        ein_rhythm_put(queue, EIN_RHYTHM_SV_RUN, EIN_RHYTHM_END, begin, end);
    }
}

static void on_run(ein_rhythm_pattern_t *pattern, const ein_rhythm_beat_t *beat, uint8_t kind,
                   bool broken, ein_rhythm_queue_t *queue)
{
    if (broken || kind != pattern->run_class) {
        end_run(pattern, queue);
        pattern->run_class = kind;
        pattern->run_beats = 0;
        pattern->run_begin_samples = beat->t_samples;
    }
    pattern->run_beats++;
    pattern->run_last_samples = beat->t_samples;
}

/* The alarm */

static void end_alarm(ein_rhythm_pattern_t *pattern, ein_rhythm_queue_t *queue)
{
    if (pattern->alarm) {
        ein_rhythm_put(queue, EIN_RHYTHM_ALARM_VT, EIN_RHYTHM_END, pattern->alarm_begin_samples,
                       pattern->alarm_last_samples);
    }
    pattern->alarm = false;
}

/* Beats in a row that may be ventricular, whatever they are called. */
static void on_suspect(ein_rhythm_pattern_t *pattern, const ein_rhythm_beat_t *beat,
                       bool ventricular, bool broken, ein_rhythm_queue_t *queue)
{
    const bool suspect =
        ventricular || beat->label == EIN_CLASS_Q || beat->confidence < EIN_RHYTHM_VT_CERTAIN;
    if (broken || !suspect) {
        end_alarm(pattern, queue);
        pattern->suspects = pattern->told_v = 0;
    }
    if (!suspect) {
        return;
    }
    pattern->suspects = pattern->suspects << 1 | 1u;
    pattern->told_v = pattern->told_v << 1 | (ventricular ? 1u : 0u);
    pattern->alarm_last_samples = beat->t_samples;
    uint32_t evidence = 0;
    for (uint32_t back = 0; back < EIN_RHYTHM_VT_BEATS && !pattern->alarm; back++) {
        if ((pattern->suspects >> back & 1u) == 0) {
            return;
        }
        const bool told = (pattern->told_v >> back & 1u) != 0;
        evidence += told ? EIN_RHYTHM_VT_TOLD : EIN_RHYTHM_VT_DOUBTFUL;
        const uint32_t since = time_of(pattern, pattern->beats - back);
        if (evidence >= EIN_RHYTHM_VT_DECIDE &&
            is_beyond(back, beat->t_samples - since, EIN_RHYTHM_VT_FAST_BPM, true)) {
            pattern->alarm = true;
            pattern->alarm_begin_samples = since;
            ein_rhythm_put(queue, EIN_RHYTHM_ALARM_VT, EIN_RHYTHM_BEGIN, since, 0);
        }
    }
}

/* Every second or third beat */

static void end_cycle(ein_rhythm_cycle_t *cycle, ein_rhythm_kind_t kind, ein_rhythm_queue_t *queue)
{
    if (cycle->count >= EIN_RHYTHM_CYCLE_CYCLES) {
        ein_rhythm_put(queue, kind, EIN_RHYTHM_END, cycle->begin_samples, cycle->last_samples);
    }
    cycle->count = 0;
}

/* The beat with that number was a ventricular one between others. */
static void on_single(ein_rhythm_pattern_t *pattern, uint32_t number, ein_rhythm_queue_t *queue)
{
    const uint32_t t = time_of(pattern, number);
    for (uint32_t i = 0; i < EIN_RHYTHM_CYCLES; i++) {
        ein_rhythm_cycle_t *const cycle = &pattern->cycles[i];
        const uint32_t period = i + 2u;
        const bool goes_on = cycle->count > 0 && number - cycle->last_beat == period &&
                             pattern->before_v == cycle->last_beat + 1u &&
                             (int32_t)(pattern->whole_from - cycle->last_beat) <= 0;
        if (!goes_on) {
            end_cycle(cycle, CYCLES[i], queue);
            cycle->begin_samples = t;
        }
        cycle->count = (uint8_t)(cycle->count < UINT8_MAX ? cycle->count + 1u : UINT8_MAX);
        cycle->last_beat = number;
        cycle->last_samples = t;
    }
}

/* What has waited too long for its next beat. */
static void end_cycles(ein_rhythm_pattern_t *pattern, ein_rhythm_queue_t *queue)
{
    for (uint32_t i = 0; i < EIN_RHYTHM_CYCLES; i++) {
        ein_rhythm_cycle_t *const cycle = &pattern->cycles[i];
        if (cycle->count > 0 && pattern->beats - cycle->last_beat > i + 2u) {
            end_cycle(cycle, CYCLES[i], queue);
        }
    }
}

/* Rates */

static void end_rate(ein_rhythm_rate_t *rate, ein_rhythm_kind_t kind, ein_rhythm_queue_t *queue)
{
    if (rate->active) {
        ein_rhythm_put(queue, kind, EIN_RHYTHM_END, rate->begin_samples, rate->last_samples);
    }
    rate->active = false;
}

static void on_rate(ein_rhythm_pattern_t *pattern, uint32_t index, uint32_t t_samples, bool broken,
                    ein_rhythm_queue_t *queue)
{
    ein_rhythm_rate_t *const rate = &pattern->rates[index];
    const ein_rhythm_kind_t kind = RATES[index].kind;
    const uint32_t n = RATES[index].intervals;
    const uint32_t now = pattern->beats;
    if (rate->active && (broken || now - rate->last_beat > n + 1u)) {
        end_rate(rate, kind, queue);
    }
    if (now - pattern->whole_from < n) {
        return;
    }
    const uint32_t begin = time_of(pattern, now - n);
    if (!is_beyond(n, t_samples - begin, RATES[index].bpm, RATES[index].fast)) {
        return;
    }
    if (!rate->active) {
        rate->active = true;
        rate->begin_samples = begin;
        ein_rhythm_put(queue, kind, EIN_RHYTHM_BEGIN, begin, 0);
    }
    rate->last_beat = now;
    rate->last_samples = t_samples;
}

void ein_rhythm_pattern_beat(ein_rhythm_pattern_t *pattern, const ein_rhythm_beat_t *beat,
                             ein_rhythm_queue_t *queue)
{
    const uint32_t now = pattern->beats;
    const bool broken = now == 0 || (beat->flags & EIN_FLAG_BREAK) != 0;
    const bool ventricular = beat->label == EIN_CLASS_V || beat->label == EIN_CLASS_F;
    const uint8_t kind = ventricular                  ? EIN_CLASS_V
                         : beat->label == EIN_CLASS_S ? EIN_CLASS_S
                                                      : EIN_CLASS_N;
    if (!broken) {
        const uint32_t last = time_of(pattern, now - 1u);
        if (beat->t_samples - last >= EIN_RHYTHM_PAUSE_SAMPLES) {
            ein_rhythm_put(queue, EIN_RHYTHM_PAUSE, EIN_RHYTHM_END, last, beat->t_samples);
        }
    }
    /* The beat before is now known to be single. */
    if (pattern->run_class == EIN_CLASS_V && pattern->run_beats == 1 &&
        (broken || kind != EIN_CLASS_V)) {
        on_single(pattern, now - 1u, queue);
    }
    end_cycles(pattern, queue);
    if (broken) {
        pattern->whole_from = now;
    }
    pattern->times[now % EIN_RHYTHM_TIMES] = beat->t_samples;
    on_run(pattern, beat, kind, broken, queue);
    on_suspect(pattern, beat, ventricular, broken, queue);
    if (ventricular) {
        pattern->before_v = pattern->last_v;
        pattern->last_v = now + 1u;
    }
    for (uint32_t i = 0; i < EIN_RHYTHM_RATES; i++) {
        on_rate(pattern, i, beat->t_samples, broken, queue);
    }
    pattern->beats++;
}

void ein_rhythm_pattern_finish(ein_rhythm_pattern_t *pattern, ein_rhythm_queue_t *queue)
{
    if (pattern->run_class == EIN_CLASS_V && pattern->run_beats == 1) {
        on_single(pattern, pattern->beats - 1u, queue);
    }
    end_run(pattern, queue);
    end_alarm(pattern, queue);
    for (uint32_t i = 0; i < EIN_RHYTHM_CYCLES; i++) {
        end_cycle(&pattern->cycles[i], CYCLES[i], queue);
    }
    for (uint32_t i = 0; i < EIN_RHYTHM_RATES; i++) {
        end_rate(&pattern->rates[i], RATES[i].kind, queue);
    }
}
