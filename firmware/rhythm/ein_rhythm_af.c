#include "ein_rhythm_af.h"

#include <string.h>

#include "ein_fixed.h"

#define P_SAMPLES ((int32_t)EIN_RHYTHM_AF_P_SAMPLES)
#define BAD_SIGNAL                                                                                 \
    (EIN_FLAG_SATURATED | EIN_FLAG_FLAT | EIN_FLAG_LEAD_OFF | EIN_FLAG_GAP | EIN_FLAG_NOISY)
#define FINE 8             /* steps of a P wave per step of the tensor */
#define SMALLEST_STEP_Q8 3 /* 0.8 %: more regular than this makes no difference */

/* Mean of the last correlations, Q7; 0 before the first. */
static int32_t p_alike_q7(const ein_rhythm_af_t *af)
{
    int32_t sum = 0;
    for (uint32_t i = 0; i < af->p_count; i++) {
        sum += af->p_q7[i];
    }
    return af->p_count == 0 ? 0 : sum / af->p_count;
}

static int32_t dot(const int16_t *a, const int16_t *b)
{
    int32_t sum = 0; /* |a|, |b| < 2^12: 36 products stay below 2^30 */
    for (int32_t i = 0; i < P_SAMPLES; i++) {
        sum += a[i] * b[i];
    }
    return sum;
}

/* What lies where a P wave would, less its mean and its slope, in 1/8 step. */
static void cut_p(int16_t *p, const ein_tensor_t *tensor)
{
    int32_t sum = 0;
    int32_t moment = 0;
    const uint32_t from = EIN_WINDOW_BEFORE_SAMPLES - EIN_RHYTHM_AF_P_FROM_SAMPLES;
    for (int32_t i = 0; i < P_SAMPLES; i++) {
        const int32_t value = tensor->signal[from + (uint32_t)i][0];
        sum += value;
        moment += value * (2 * i - (P_SAMPLES - 1));
    }
    const int32_t spread = P_SAMPLES * (P_SAMPLES * P_SAMPLES - 1) / 3; /* of the odd places */
    for (int32_t i = 0; i < P_SAMPLES; i++) {
        const int32_t value = tensor->signal[from + (uint32_t)i][0];
        const int32_t trend = FINE * sum / P_SAMPLES + FINE * moment / P_SAMPLES *
                                                           (2 * i - (P_SAMPLES - 1)) /
                                                           (spread / P_SAMPLES);
        p[i] = (int16_t)(FINE * value - trend);
    }
}

/* Takes in the P wave of a normal beat. */
static void on_p(ein_rhythm_af_t *af, const ein_tensor_t *tensor, bool counts)
{
    int16_t p[EIN_RHYTHM_AF_P_SAMPLES];
    cut_p(p, tensor);
    const uint32_t energy = (uint32_t)dot(p, p);
    const uint32_t size = ein_sqrt(energy);
    if (counts) {
        const int32_t sizes = (int32_t)(size * ein_sqrt((uint32_t)dot(af->p, af->p)));
        const int32_t q7 = sizes == 0 ? 0 : dot(p, af->p) / (sizes / 128 + 1);
        af->p_q7[af->p_next] = ein_sat8(q7);
        af->p_next = (uint8_t)((af->p_next + 1u) % EIN_RHYTHM_AF_INTERVALS);
        if (af->p_count < EIN_RHYTHM_AF_INTERVALS) {
            af->p_count++;
        }
    }
    /* An artefact counts as a wave of twice the usual size. */
    uint32_t part_q8 = 256;
    if (af->p_energy > 0 && energy / 4u > af->p_energy) {
        part_q8 = 512u * ein_sqrt(af->p_energy) / size;
    }
    for (int32_t i = 0; i < P_SAMPLES; i++) {
        const int32_t value = p[i] * (int32_t)part_q8 / 256;
        af->p[i] = (int16_t)(af->p[i] + (value - af->p[i]) / EIN_RHYTHM_AF_P_FOLLOW);
    }
    const uint32_t taken = part_q8 == 256 ? energy : 4u * af->p_energy;
    af->p_energy += taken / EIN_RHYTHM_AF_P_FOLLOW;
    af->p_energy -= af->p_energy / EIN_RHYTHM_AF_P_FOLLOW;
}

static void on_interval(ein_rhythm_af_t *af, uint32_t rr_samples)
{
    if (af->rr_count == EIN_RHYTHM_AF_RING) {
        af->rr_count--;
        memmove(af->rr_q8, af->rr_q8 + 1, af->rr_count * sizeof af->rr_q8[0]);
        memmove(af->rr_beat, af->rr_beat + 1, af->rr_count);
    }
    af->rr_q8[af->rr_count] = ein_log2_q8(rr_samples);
    af->rr_beat[af->rr_count] = af->beat;
    af->rr_count++;
}

/* The median change over `lag` intervals, Q8; at most one octave. */
static int32_t median_step(const ein_rhythm_af_t *af, uint32_t lag)
{
    int16_t sorted[EIN_RHYTHM_AF_INTERVALS];
    const uint32_t count = af->rr_count;
    uint32_t n = 0;
    uint32_t first = lag;
    if (count > EIN_RHYTHM_AF_INTERVALS + lag) {
        first = count - EIN_RHYTHM_AF_INTERVALS;
    }
    for (uint32_t i = first; i < count; i++) {
        int32_t step = af->rr_q8[i] - af->rr_q8[i - lag];
        step = step < 0 ? -step : step;
        step = step > 256 ? 256 : step;
        uint32_t at = n++;
        for (; at > 0 && sorted[at - 1u] > step; at--) {
            sorted[at] = sorted[at - 1u];
        }
        sorted[at] = (int16_t)step;
    }
    return (sorted[(n - 1u) / 2u] + sorted[n / 2u]) / 2;
}

static int32_t evidence_q8(const ein_rhythm_af_t *af)
{
    uint32_t n = af->rr_count;
    if (n > EIN_RHYTHM_AF_INTERVALS) {
        n = EIN_RHYTHM_AF_INTERVALS;
    }
    const uint8_t span = (uint8_t)(af->beat - af->rr_beat[af->rr_count - n]);
    if (n < EIN_RHYTHM_AF_LEAST_INTERVALS || span > EIN_RHYTHM_AF_SPAN_BEATS) {
        return EIN_RHYTHM_AF_IDLE_Q8;
    }
    int32_t step = 256;
    for (uint32_t lag = 1; lag <= EIN_RHYTHM_AF_LAGS; lag++) {
        const int32_t median = median_step(af, lag);
        step = median < step ? median : step;
    }
    step = step < SMALLEST_STEP_Q8 ? SMALLEST_STEP_Q8 : step;
    const int32_t octaves_q8 = ein_log2_q8((uint64_t)step) - 8 * 256;
    const int32_t steady_q8 =
        EIN_RHYTHM_AF_STEADY_SLOPE_Q8 * (octaves_q8 - EIN_RHYTHM_AF_STEADY_Q8) / 256;
    int32_t value = EIN_RHYTHM_AF_IRREGULAR_Q8 * octaves_q8 / 256 -
                    EIN_RHYTHM_AF_P_WAVE_Q8 * p_alike_q7(af) / 128 + EIN_RHYTHM_AF_BIAS_Q8;
    value = steady_q8 < value ? steady_q8 : value;
    return value > EIN_RHYTHM_AF_LIMIT_Q8    ? EIN_RHYTHM_AF_LIMIT_Q8
           : value < -EIN_RHYTHM_AF_LIMIT_Q8 ? -EIN_RHYTHM_AF_LIMIT_Q8
                                             : value;
}

static void remember(ein_rhythm_af_t *af, uint32_t t_samples)
{
    if (af->times_count == EIN_RHYTHM_AF_LAG_BEATS) {
        af->times_count--;
        memmove(af->times, af->times + 1, af->times_count * sizeof af->times[0]);
    }
    af->times[af->times_count++] = t_samples;
}

/* Sums what speaks for the other state, and changes over when it is enough. */
static void decide(ein_rhythm_af_t *af, int32_t value_q8, ein_rhythm_queue_t *queue)
{
    af->sum_q8 += af->active ? -value_q8 : value_q8;
    if (af->sum_q8 <= 0) {
        af->sum_q8 = 0;
        af->turn_samples = af->times[0];
    }
    if (af->sum_q8 <= EIN_RHYTHM_AF_DECIDE_Q8) {
        return;
    }
    af->sum_q8 = 0;
    if (!af->active) {
        af->active = true;
        af->begin_samples = af->turn_samples;
        ein_rhythm_put(queue, EIN_RHYTHM_AF, EIN_RHYTHM_BEGIN, af->begin_samples, 0);
    } else {
        af->active = false;
        ein_rhythm_put(queue, EIN_RHYTHM_AF, EIN_RHYTHM_END, af->begin_samples, af->turn_samples);
    }
    af->turn_samples = af->times[0];
}

void ein_rhythm_af_beat(ein_rhythm_af_t *af, const ein_rhythm_beat_t *beat, uint32_t rr_samples,
                        bool hidden, ein_rhythm_queue_t *queue)
{
    af->beat++;
    remember(af, beat->t_samples);
    if (af->times_count == 1) {
        af->turn_samples = beat->t_samples;
    }
    const bool known = beat->tensor != NULL && !hidden && (beat->flags & BAD_SIGNAL) == 0;
    const bool ventricular = beat->label == EIN_CLASS_V || beat->label == EIN_CLASS_F;
    const bool ectopic =
        ventricular || (beat->label == EIN_CLASS_S && p_alike_q7(af) > EIN_RHYTHM_AF_P_SURE_Q7);
    const bool normal = known && !ectopic;
    if (rr_samples == 0) {
        af->rr_count = 0;
    }
    int32_t value_q8 = EIN_RHYTHM_AF_IDLE_Q8;
    if (normal) {
        on_p(af, beat->tensor, beat->label != EIN_CLASS_S);
        if (af->before_normal && rr_samples != 0) {
            on_interval(af, rr_samples);
            value_q8 = evidence_q8(af);
        }
    }
    af->before_normal = normal;
    decide(af, value_q8, queue);
}

void ein_rhythm_af_finish(ein_rhythm_af_t *af, uint32_t end_samples, ein_rhythm_queue_t *queue)
{
    if (af->active) {
        ein_rhythm_put(queue, EIN_RHYTHM_AF, EIN_RHYTHM_END, af->begin_samples, end_samples);
        af->active = false;
    }
}
