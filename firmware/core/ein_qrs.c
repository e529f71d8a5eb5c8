#include "ein_qrs.h"
#include "ein_time.h"

#include <string.h>

/* Of is_fast_rhythm; here and not in pipeline.toml, because no record that a model was trained on
   has such a place, and the hash would ask for another model. */
#define EIN_QRS_FAST_BEATS 4u
#define EIN_QRS_FAST_ENERGY_Q4 12u /* 3/4 of the level */
#define EIN_QRS_FAST_SAMPLES 72u   /* 0.4 s: 150 a minute */

static ein_peak_t *candidate(ein_qrs_t *qrs, uint32_t index)
{
    return &qrs->candidates[index % EIN_QRS_CANDIDATES];
}

static bool is_learning(const ein_qrs_t *qrs)
{
    return (qrs->state & EIN_FLAG_LEARNING) != 0;
}

static uint32_t part_q8(uint32_t value, uint32_t q8)
{
    return (value * q8) >> 8; /* values are below 2^21 */
}

void ein_qrs_init(ein_qrs_t *qrs)
{
    memset(qrs, 0, sizeof *qrs);
    qrs->state = EIN_FLAG_LEARNING;
    qrs->learned_samples = EIN_QRS_LEARN_SAMPLES;
    qrs->broken = true;
}

void ein_qrs_lost(ein_qrs_t *qrs)
{
    if (!qrs->running)
        return;
    qrs->running = false;
    memset(&qrs->energy, 0, sizeof qrs->energy);
    qrs->top_energy = 0;
    qrs->since_candidate = qrs->candidate_count;
    qrs->has_last = false;
    qrs->state = EIN_FLAG_LEARNING;
    qrs->learned_samples = EIN_QRS_LEARN_SAMPLES;
    qrs->broken = true;
}

bool ein_qrs_next(ein_qrs_t *qrs, uint32_t *r_samples, uint16_t *flags)
{
    if (qrs->confirmed_count == 0)
        return false;
    *r_samples = qrs->confirmed[qrs->confirmed_first].r_samples;
    *flags = qrs->confirmed[qrs->confirmed_first].flags;
    qrs->confirmed_first = (uint8_t)((qrs->confirmed_first + 1u) % EIN_QRS_CANDIDATES);
    qrs->confirmed_count--;
    return true;
}

static uint32_t threshold(const ein_qrs_levels_t *levels)
{
    uint32_t noise = levels->noise.median;
    uint32_t signal = levels->signal.median > noise ? levels->signal.median : noise;
    return noise + part_q8(signal - noise, EIN_QRS_THRESHOLD_Q8);
}

static void levels_clear(ein_qrs_levels_t *levels)
{
    ein_level_clear(&levels->signal);
    ein_level_clear(&levels->noise);
}

static bool is_noisy(const ein_qrs_t *qrs)
{
    return (qrs->state & EIN_FLAG_NOISY) != 0;
}

/* The upper quartile, because the noise that matters is what could pass for a beat; hysteresis, so
   that the flag does not flicker. */
static void judge_noise(ein_qrs_t *qrs)
{
    uint32_t limit = is_noisy(qrs) ? EIN_QRS_QUIET_Q8 : EIN_QRS_NOISY_Q8;
    const ein_qrs_levels_t *levels = &qrs->energy_levels;
    if (levels->noise.high > part_q8(levels->signal.median, limit))
        qrs->state |= EIN_FLAG_NOISY;
    else
        qrs->state &= (uint16_t)~EIN_FLAG_NOISY;
}

static void reject(ein_qrs_t *qrs, const ein_peak_t *peak)
{
    ein_level_add(&qrs->energy_levels.noise, peak->energy);
    ein_level_add(&qrs->slope_levels.noise, peak->slope);
    judge_noise(qrs);
}

static void accept(ein_qrs_t *qrs, uint32_t index, uint16_t flags)
{
    ein_peak_t *peak = candidate(qrs, index);
    if (qrs->has_last && !qrs->rr_void)
        ein_level_add(&qrs->rr, peak->r_samples - qrs->last_r_samples);
    if (qrs->broken)
        flags |= EIN_FLAG_BREAK;
    uint32_t rr = qrs->rr.count > 0 ? qrs->rr.median : EIN_PIPELINE_RATE_HZ;
    peak->is_beat = true;
    qrs->rr_void = false;
    qrs->since_candidate = index + 1;
    qrs->broken = false;
    qrs->has_last = true;
    qrs->last_r_samples = peak->r_samples;
    qrs->last_slope = peak->slope;
    uint32_t patience_q4 = is_noisy(qrs) ? EIN_QRS_SEARCH_NOISY_RR_Q4 : EIN_QRS_SEARCH_RR_Q4;
    qrs->search_samples = peak->r_samples + rr * patience_q4 / 16 + EIN_QRS_DECIDE_SAMPLES;
    qrs->searched = false;
    ein_level_add(&qrs->energy_levels.signal, peak->energy);
    ein_level_add(&qrs->slope_levels.signal, peak->slope);
    judge_noise(qrs);

    if (qrs->confirmed_count == EIN_QRS_CANDIDATES)
        return; /* cannot happen when polled after each sample */
    uint32_t slot = (uint32_t)(qrs->confirmed_first + qrs->confirmed_count) % EIN_QRS_CANDIDATES;
    qrs->confirmed[slot] = (ein_qrs_r_t){peak->r_samples, flags};
    qrs->confirmed_count++;
}

static bool in_refractory(const ein_qrs_t *qrs, const ein_peak_t *peak)
{
    return qrs->has_last &&
           (int32_t)(peak->r_samples - qrs->last_r_samples) < EIN_QRS_REFRACTORY_SAMPLES;
}

static bool is_t_wave(const ein_qrs_t *qrs, const ein_peak_t *peak)
{
    return qrs->has_last && peak->r_samples - qrs->last_r_samples < EIN_QRS_T_WAVE_SAMPLES &&
           peak->slope * 16u < (uint32_t)qrs->last_slope * EIN_QRS_T_WAVE_SLOPE_Q4;
}

static bool is_early(const ein_qrs_t *qrs, const ein_peak_t *peak)
{
    uint32_t rr = peak->r_samples - qrs->last_r_samples;
    return qrs->has_last && rr * 16u < qrs->rr.median * EIN_QRS_EARLY_Q4;
}

/* Where the rhythm is regular and the signal noisy, artefacts come more often than early beats. */
static bool is_unlikely(const ein_qrs_t *qrs, const ein_peak_t *peak)
{
    return is_noisy(qrs) && is_early(qrs, peak) &&
           (qrs->rr.high - qrs->rr.low) * 16u < qrs->rr.median * EIN_QRS_REGULAR_Q4;
}

/* Energy and slope must both lie above the noise: electrodes make large slow waves, muscles small
   steep ones. */
static bool stands_out(const ein_qrs_t *qrs, const ein_peak_t *peak)
{
    uint32_t energy = threshold(&qrs->energy_levels);
    if (is_unlikely(qrs, peak))
        energy = part_q8(energy, EIN_QRS_UNLIKELY_Q8);
    if (energy < EIN_QRS_FLOOR)
        energy = EIN_QRS_FLOOR;
    return peak->energy > energy && peak->slope > threshold(&qrs->slope_levels);
}

static bool is_p_wave(const ein_qrs_t *qrs, const ein_peak_t *peak)
{
    bool early = is_early(qrs, peak);
    uint32_t rival = early ? EIN_QRS_P_WAVE_EARLY_Q8 : EIN_QRS_P_WAVE_Q8;
    if (early && peak->energy >= qrs->energy_levels.signal.median)
        return false;
    return peak->after * 256u > peak->own * rival;
}

static void classify(ein_qrs_t *qrs, uint32_t index, uint16_t flags)
{
    const ein_peak_t *peak = candidate(qrs, index);
    if (in_refractory(qrs, peak))
        return;
    if (!stands_out(qrs, peak) || is_t_wave(qrs, peak) || is_p_wave(qrs, peak))
        reject(qrs, peak);
    else
        accept(qrs, index, flags);
}

/* What is left when the beats stop may be P waves of a standstill, or beats after a bout of
   artefacts. The longer it lasts, the lower a level is believed: 1/8 of the last one at first. */
static bool is_too_quiet(const ein_qrs_t *qrs, uint32_t level, uint32_t now)
{
    if (!qrs->has_last)
        return false;
    uint32_t waited = now - qrs->last_r_samples;
    if (waited > 100u * EIN_QRS_RELEARN_SAMPLES)
        waited = 100u * EIN_QRS_RELEARN_SAMPLES;
    return level * 8u / EIN_QRS_RELEARN_SAMPLES * waited < qrs->energy_levels.signal.median;
}

/* Candidates of nearly that energy that follow one another as the beats of a tachycardia do: it
   began while the levels were those of a slower rhythm, and all its beats were rejected. The RR
   interval to the first of them is then no rhythm, or all others would be early against it, and
   taken for P waves of the beats after them. */
static bool is_fast_rhythm(ein_qrs_t *qrs, uint32_t first, uint32_t level)
{
    uint32_t alike = 0, first_r = 0, last_r = 0;
    for (uint32_t i = first; i != qrs->candidate_count; i++) {
        const ein_peak_t *peak = candidate(qrs, i);
        if (peak->energy * 16u <= level * EIN_QRS_FAST_ENERGY_Q4)
            continue;
        if (alike == 0)
            first_r = peak->r_samples;
        last_r = peak->r_samples;
        alike++;
    }
    return alike >= EIN_QRS_FAST_BEATS && last_r - first_r < EIN_QRS_FAST_SAMPLES * (alike - 1u);
}

/* Levels from the candidates since the last beat or start, which are then judged by them. */
static void learn(ein_qrs_t *qrs, uint32_t now)
{
    uint32_t largest = 0, second = 0;
    uint32_t first = qrs->since_candidate;
    if (qrs->candidate_count - first > EIN_QRS_CANDIDATES)
        first = qrs->candidate_count - EIN_QRS_CANDIDATES;
    for (uint32_t i = first; i != qrs->candidate_count; i++) {
        uint32_t energy = candidate(qrs, i)->energy;
        if (energy > largest) {
            second = largest;
            largest = energy;
        } else if (energy > second) {
            second = energy;
        }
    }
    /* The second largest, because the largest may be an artefact; but a slow heart may have beaten
       only once. */
    uint32_t level = second > largest / 4 ? second : largest;
    if (is_learning(qrs) && level <= EIN_QRS_FLOOR) {
        qrs->learned_samples += EIN_QRS_LEARN_SAMPLES; /* nothing to learn from yet */
        return;
    }
    if (!is_learning(qrs) && is_too_quiet(qrs, level, now))
        return;
    levels_clear(&qrs->energy_levels);
    levels_clear(&qrs->slope_levels);
    ein_level_clear(&qrs->rr);
    qrs->rr_void = is_fast_rhythm(qrs, first, level);
    ein_level_add(&qrs->energy_levels.signal, level);
    ein_level_add(&qrs->energy_levels.noise, level / 8);
    qrs->state &= (uint16_t)~EIN_FLAG_LEARNING;
    qrs->search_samples = now + EIN_QRS_RELEARN_SAMPLES; /* should all be rejected */
    for (uint32_t i = first; i != qrs->candidate_count; i++)
        classify(qrs, i, EIN_FLAG_LEARNING);
}

static void search_back(ein_qrs_t *qrs)
{
    uint32_t limit = part_q8(threshold(&qrs->energy_levels), EIN_QRS_SEARCH_Q8);
    if (limit < EIN_QRS_FLOOR)
        limit = EIN_QRS_FLOOR;
    uint32_t slope = part_q8(threshold(&qrs->slope_levels), EIN_QRS_SEARCH_Q8);
    uint32_t first = qrs->since_candidate;
    if (qrs->candidate_count - first > EIN_QRS_CANDIDATES)
        first = qrs->candidate_count - EIN_QRS_CANDIDATES;
    uint32_t best = qrs->candidate_count;
    for (uint32_t i = first; i != qrs->candidate_count; i++) {
        const ein_peak_t *peak = candidate(qrs, i);
        if (peak->energy <= limit || peak->slope <= slope || in_refractory(qrs, peak) ||
            is_t_wave(qrs, peak))
            continue;
        limit = peak->energy;
        best = i;
    }
    if (best != qrs->candidate_count)
        accept(qrs, best, EIN_FLAG_SEARCH_BACK);
    else
        qrs->searched = true;
}

static void decide(ein_qrs_t *qrs, const ein_ring_t *ring)
{
    uint32_t index = qrs->candidate_count++;
    *candidate(qrs, index) =
        ein_peak_measure(&qrs->energy, ring, qrs->top_r_samples, qrs->top_energy, qrs->top_samples);
    qrs->top_energy = 0;
    qrs->searched = false;
    if (!is_learning(qrs))
        classify(qrs, index, 0);
}

static void attend_candidate(ein_qrs_t *qrs, const ein_ring_t *ring, uint32_t now)
{
    const uint32_t age = now - qrs->top_samples;
    if (age == EIN_QRS_SETTLE_SAMPLES)
        qrs->top_r_samples = ein_peak_r(ring, qrs->top_samples, qrs->start_samples);
    if (age >= EIN_QRS_SETTLE_SAMPLES &&
        !ein_time_before(now, qrs->top_r_samples + EIN_QRS_DECIDE_SAMPLES))
        decide(qrs, ring);
}

void ein_qrs_attend(ein_qrs_t *qrs, const ein_ring_t *ring)
{
    const uint32_t now = ring->end_samples - 1u;
    if (!qrs->running) {
        qrs->running = true;
        /* The ring's time begins below 0, and nothing is there yet. */
        qrs->start_samples = !ring->full && now >= 0u - EIN_FILTER_BANDPASS_DELAY_SAMPLES ? 0 : now;
        if (qrs->top_energy == 0)
            qrs->top_samples = now - EIN_QRS_SETTLE_SAMPLES;
    }
    if (qrs->top_energy > 0)
        attend_candidate(qrs, ring, now);
    if (is_learning(qrs)) {
        if (!ein_time_before(now, qrs->start_samples + qrs->learned_samples))
            learn(qrs, now);
    } else if (!qrs->searched && !ein_time_before(now, qrs->search_samples)) {
        search_back(qrs);
        bool stuck = !qrs->has_last || now - qrs->last_r_samples >= EIN_QRS_RELEARN_SAMPLES;
        if (qrs->searched && stuck)
            learn(qrs, now);
    }
}

uint32_t ein_qrs_wake_samples(const ein_qrs_t *qrs, uint32_t now)
{
    if (!qrs->running)
        return now;
    uint32_t wake = qrs->search_samples;
    if (is_learning(qrs))
        wake = qrs->start_samples + qrs->learned_samples;
    else if (qrs->searched)
        wake = now + EIN_TIME_FAR_SAMPLES;
    if (qrs->top_energy == 0)
        return wake;
    const bool settled = now - qrs->top_samples >= EIN_QRS_SETTLE_SAMPLES;
    return ein_time_earlier(wake, settled ? qrs->top_r_samples + EIN_QRS_DECIDE_SAMPLES
                                          : qrs->top_samples + EIN_QRS_SETTLE_SAMPLES);
}
