#include "ein_strip_features.h"

#include <string.h>

#include "ein_fixed.h"
#include "ein_strip_math.h"

#define R EIN_WINDOW_BEFORE_SAMPLES
#define UNREST_TO 72 /* of the window: before the QRS begins */

static const uint8_t WAVE_AT[] = EIN_STRIP_WAVE_AT;
static const uint8_t SUM_OF[] = EIN_STRIP_SUM_OF;
static const uint8_t SPREAD_OF[] = EIN_STRIP_SPREAD_OF; /* indices into SUM_OF */
static const uint8_t LAST_OF[] = EIN_STRIP_LAST_OF;
static const uint8_t TOP_OF[] = EIN_STRIP_TOP_OF;

typedef char ein_check_inputs[EIN_STRIP_INPUT_EMBEDDING == EIN_FEATURES ? 1 : -1];
typedef char ein_check_sums[EIN_STRIP_BEATS * 128 <= 32768 ? 1 : -1];

void ein_strip_sums_init(ein_strip_sums_t *sums)
{
    memset(sums, 0, sizeof *sums);
    memset(sums->top, -128, sizeof sums->top);
}

static uint8_t one_more(uint8_t count)
{
    return (uint8_t)(count + (count < UINT8_MAX ? 1u : 0u));
}

/* Roughness of the signal before the QRS: the mean second difference, in 1/8 LSB of the tensor. */
static int8_t unrest(const ein_tensor_t *tensor)
{
    uint32_t sum = 0;
    int32_t x0 = tensor->signal[0][0], x1 = tensor->signal[1][0];
    for (uint32_t i = 2; i < UNREST_TO; i++) {
        const int32_t x2 = tensor->signal[i][0];
        sum += ein_magnitude(x2 - 2 * x1 + x0);
        x0 = x1;
        x1 = x2;
    }
    return ein_sat8((int32_t)(sum * 8u / (UNREST_TO - 2u)));
}

static void inputs_of(const ein_strip_beat_t *beat, int8_t inputs[EIN_STRIP_INPUTS])
{
    memcpy(inputs, beat->event->tensor->features, EIN_FEATURES);
    memcpy(inputs + EIN_STRIP_INPUT_EMBEDDING, beat->embedding, EIN_STRIP_EMBEDDING);
    for (uint32_t c = 1; c < EIN_CLASSES; c++) {
        inputs[EIN_STRIP_INPUT_MARGIN_S + c - 1u] =
            ein_sat8((beat->logits[c] - beat->logits[0]) / 2);
    }
    inputs[EIN_STRIP_INPUT_UNREST] = unrest(beat->event->tensor);
}

static void keep_largest(int8_t top[EIN_STRIP_TOP], int8_t value)
{
    for (uint32_t k = 0; k < EIN_STRIP_TOP; k++) {
        if (value > top[k]) {
            const int8_t pushed = top[k];
            top[k] = value;
            value = pushed;
        }
    }
}

void ein_strip_sums_beat(ein_strip_sums_t *sums, const ein_strip_beat_t *beat)
{
    const ein_event_t *const event = beat->event;
    if (sums->rr.count >= EIN_STRIP_BEATS) {
        return;
    }
    const bool broken = (event->flags & (EIN_FLAG_GAP | EIN_FLAG_BREAK)) != 0;
    const uint32_t rr_samples = broken ? 0u : event->rr_prev_samples;
    ein_strip_rr_push(&sums->rr, rr_samples, beat->label == EIN_CLASS_N);
    if (rr_samples != 0) {
        sums->rr_sum_samples += rr_samples;
        sums->rr_known = one_more(sums->rr_known);
        if (rr_samples > sums->rr_longest_samples) {
            sums->rr_longest_samples = rr_samples;
        }
    }
    int8_t inputs[EIN_STRIP_INPUTS];
    inputs_of(beat, inputs);
    for (uint32_t i = 0; i < EIN_STRIP_SUMS; i++) {
        sums->sums[i] = (int16_t)(sums->sums[i] + inputs[SUM_OF[i]]);
    }
    for (uint32_t i = 0; i < EIN_STRIP_SPREADS; i++) {
        const int32_t x = inputs[SUM_OF[SPREAD_OF[i]]];
        sums->squares[i] += x * x;
    }
    for (uint32_t i = 0; i < EIN_STRIP_LASTS; i++) {
        sums->last[i] = inputs[LAST_OF[i]];
    }
    for (uint32_t i = 0; i < EIN_STRIP_TOPS; i++) {
        keep_largest(sums->top[i], inputs[TOP_OF[i]]);
    }
    sums->p_absent = event->tensor->features[EIN_FEATURE_P_AMPLITUDE] < EIN_TEMPLATE_P_ABSENT_16TH;
    sums->called[beat->label] = one_more(sums->called[beat->label]);
    if (beat->unsure) {
        sums->doubtful = one_more(sums->doubtful);
    } else if (beat->label == EIN_CLASS_S) {
        sums->surely_s = one_more(sums->surely_s);
    }
}

/* The dominant beat, scaled as the tensor scales it: means of EIN_STRIP_WAVE_STEP samples, where
   and how large the largest deflection before the QRS is, how long the QRS is steep. */
static void wave_features(const ein_template_t *dominant, int8_t *f)
{
    const int32_t span = dominant->shape.peak_to_peak_uv > EIN_TENSOR_QUIET_UV
                             ? dominant->shape.peak_to_peak_uv
                             : EIN_TENSOR_QUIET_UV;
    const int32_t gain_q15 = EIN_TENSOR_NORMAL_LSB * 32768 / span;
    for (uint32_t k = 0; k < EIN_STRIP_WAVES; k++) {
        int32_t sum = 0;
        for (uint32_t i = 0; i < EIN_STRIP_WAVE_STEP; i++) {
            sum += dominant->uv[WAVE_AT[k] * EIN_STRIP_WAVE_STEP + i];
        }
        f[EIN_STRIP_WAVE_FIRST + k] = ein_sat8(
            (int32_t)(ein_strip_divide((int64_t)sum * gain_q15, EIN_STRIP_WAVE_STEP) >> 15));
    }
    const int32_t from = R - EIN_TEMPLATE_P_BEFORE_SAMPLES - 9, to = R - EIN_TEMPLATE_P_END_SAMPLES;
    int32_t sum = 0, low = INT16_MAX, high = INT16_MIN;
    for (int32_t i = from; i < to; i++) {
        const int32_t uv = dominant->uv[i];
        sum += uv;
        low = uv < low ? uv : low;
        high = uv > high ? uv : high;
    }
    const int32_t mean = sum / (to - from);
    uint32_t largest = 0;
    int32_t at = from;
    for (int32_t i = from; i < to; i++) {
        const uint32_t off = ein_magnitude(dominant->uv[i] - mean);
        if (off > largest) {
            largest = off;
            at = i;
        }
    }
    f[EIN_STRIP_P_AT] = ein_sat8(R - at);
    f[EIN_STRIP_P_SPAN] = ein_sat8((int32_t)(((int64_t)(high - low) * gain_q15) >> 15));
    uint32_t steepest = 0, steep8 = 0, steep4 = 0;
    for (uint32_t pass = 0; pass < 2; pass++) {
        for (uint32_t i = R - 24; i < R + 36; i++) {
            const uint32_t slope = ein_magnitude(dominant->uv[i + 1u] - dominant->uv[i]);
            if (pass == 0) {
                steepest = slope > steepest ? slope : steepest;
            } else {
                steep8 += slope * 8u > steepest;
                steep4 += slope * 4u > steepest;
            }
        }
    }
    f[EIN_STRIP_QRS_STEEP8] = ein_sat8((int32_t)steep8);
    f[EIN_STRIP_QRS_STEEP4] = ein_sat8((int32_t)steep4);
    f[EIN_STRIP_QRS_SPAN] =
        ein_sat8((ein_log2_q8(dominant->shape.peak_to_peak_uv) - 10 * 256) >> 3);
}

void ein_strip_features(const ein_strip_sums_t *sums, const ein_templates_t *templates, int8_t *f)
{
    const uint32_t n = sums->rr.count;
    ein_strip_rr_features(&sums->rr, f);
    f[EIN_STRIP_BEATS_SEEN] = ein_sat8((int32_t)n);
    f[EIN_STRIP_CALLED_S] = ein_sat8(sums->called[EIN_CLASS_S]);
    f[EIN_STRIP_CALLED_V] = ein_sat8(sums->called[EIN_CLASS_V]);
    f[EIN_STRIP_SURELY_S] = ein_sat8(sums->surely_s);
    f[EIN_STRIP_DOUBTFUL] = (int8_t)(n == 0 ? 0u : 127u * sums->doubtful / n);
    wave_features(&templates->slots[templates->dominant], f);
    const int32_t beats = n > 0 ? (int32_t)n : 1;
    for (uint32_t i = 0; i < EIN_STRIP_MEANS; i++) {
        f[EIN_STRIP_MEAN_FIRST + i] = (int8_t)(sums->sums[i] / beats);
    }
    for (uint32_t i = 0; i < EIN_STRIP_SPREADS; i++) {
        const int32_t sum = sums->sums[SPREAD_OF[i]];
        const int64_t about_mean = (int64_t)sums->squares[i] * beats - sum * sum;
        const int64_t variance_q4 =
            ein_strip_divide(about_mean * 16, (uint32_t)beats * (uint32_t)beats);
        f[EIN_STRIP_SPREAD_FIRST + i] = ein_sat8((int32_t)ein_sqrt((uint64_t)variance_q4) >> 1);
    }
    memcpy(f + EIN_STRIP_LAST_FIRST, sums->last, sizeof sums->last);
    memcpy(f + EIN_STRIP_TOP_FIRST, sums->top, sizeof sums->top);
}
