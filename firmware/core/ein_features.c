#include "ein_features.h"

#include "ein_fixed.h"

#define R EIN_WINDOW_BEFORE_SAMPLES

/* Logarithms of ratios in Q8 become steps of 1/64 octave: +-2 octaves in int8. */
static int8_t octaves(int32_t log_q8)
{
    return ein_sat8((log_q8 + 2) >> 2);
}

static int8_t correlation(int32_t corr_q15)
{
    return ein_sat8((corr_q15 + 128) >> 8);
}

/* Energy of the difference against that of the template, in steps of 1/8 octave. */
static int8_t residual(const ein_match_t *match)
{
    return ein_sat8((ein_log2_q8(match->residual) - ein_log2_q8(match->reference) + 16) >> 5);
}

static int32_t span_uv(const int16_t *uv, uint32_t from, uint32_t to)
{
    int32_t low = INT16_MAX;
    int32_t high = INT16_MIN;
    for (uint32_t i = from; i < to; i++) {
        low = uv[i] < low ? uv[i] : low;
        high = uv[i] > high ? uv[i] : high;
    }
    return high - low;
}

/* Atrial fibrillation, 0..127: irregular over one and over two beats (bigeminy is not), and no P
   wave in the average beat. */
static int32_t fibrillation(const ein_rr_t *rr, int32_t p_16th)
{
    const int32_t step1 = ein_order_quantile(&rr->step1, 16, 0);
    const int32_t step2 = ein_order_quantile(&rr->step2, 16, 0);
    const int32_t irregular = (step1 < step2 ? step1 : step2) - EIN_RR_FIBRILLATING_Q8;
    const int32_t absent_16th = EIN_TEMPLATE_P_ABSENT_16TH - p_16th;
    return irregular > 0 && absent_16th > 0 ? ein_sat8(irregular * absent_16th / 8) : 0;
}

/* The dominant beat's P wave against its QRS, in steps of 1/16 octave from 1/8 on. */
static int32_t p_wave_16th(const ein_template_t *dominant)
{
    const int32_t p_uv =
        span_uv(dominant->uv, R - EIN_TEMPLATE_P_BEFORE_SAMPLES, R - EIN_TEMPLATE_P_END_SAMPLES);
    return (ein_log2_q8((uint64_t)p_uv) - dominant->shape.amplitude_q8 + 3 * 256 + 8) >> 4;
}

/* An early beat is evidence of an ectopic one, but not in fibrillation, where all RR intervals
   differ: `sinus` (127 = sinus rhythm .. 0 = surely fibrillation) weighs it. */
static void rhythm(const ein_beat_view_t *beat, const ein_rr_t *rr, int32_t sinus, int8_t *features)
{
    const int16_t mean = ein_rr_mean_q8(rr);
    const int16_t quartile = ein_order_quantile(&rr->rr, 8, mean);
    const int16_t upper = ein_order_quantile(&rr->rr, 24, mean);
    features[EIN_FEATURE_RR_PREV_MEAN] = octaves((beat->rr_prev_q8 - mean) * sinus / 127);
    features[EIN_FEATURE_RR_NEXT_MEAN] = octaves(beat->rr_next_q8 - mean);
    features[EIN_FEATURE_RR_BEFORE_MEAN] = octaves(beat->rr_before_q8 - mean);
    features[EIN_FEATURE_RR_PREV_SLOW] =
        octaves((beat->rr_prev_q8 - ein_rr_slow_q8(rr)) * sinus / 127);
    features[EIN_FEATURE_RATE] = octaves(mean - ein_rr_log_q8(EIN_RR_TYPICAL_SAMPLES));
    /* Irregularity: typical change from beat to beat, and to the beat after the next, and the
       quartiles' distance; in steps of 1/256 octave. */
    features[EIN_FEATURE_RR_STEP1] = ein_sat8(ein_order_quantile(&rr->step1, 16, 0));
    features[EIN_FEATURE_RR_STEP2] = ein_sat8(ein_order_quantile(&rr->step2, 16, 0));
    features[EIN_FEATURE_RR_SPREAD] = ein_sat8(upper - quartile);
    /* Against the longest intervals and not the median: that calls premature beats normal in a
       patient in whom they are the majority. */
    const int16_t top = ein_order_quantile(&rr->rr, 30, mean);
    features[EIN_FEATURE_RR_PREV_TOP] = octaves((beat->rr_prev_q8 - top) * sinus / 127);
}

void ein_features_compute(const ein_beat_view_t *beat, const ein_rr_t *rr,
                          const ein_templates_t *templates, int8_t *features)
{
    const ein_template_t *const dominant = &templates->slots[templates->dominant];
    const ein_match_t *const match = &beat->matches[templates->dominant];
    const ein_shape_t *const shape = &beat->shape;

    const int32_t p_16th = p_wave_16th(dominant);
    const int32_t fibrillates = fibrillation(rr, p_16th);
    features[EIN_FEATURE_P_AMPLITUDE] = ein_sat8(p_16th);
    features[EIN_FEATURE_FIBRILLATION] = (int8_t)fibrillates;
    rhythm(beat, rr, 127 - fibrillates, features);

    features[EIN_FEATURE_QRS_CORR] = correlation(match->correlation_q15);
    features[EIN_FEATURE_QRS_RESIDUAL] = residual(match);

    /* The kind that the beat belongs to: how common, how premature, how wide. */
    if (beat->found >= 0) {
        const ein_template_t *const own = &templates->slots[beat->found];
        features[EIN_FEATURE_BEST_CORR] = correlation(beat->matches[beat->found].correlation_q15);
        features[EIN_FEATURE_BEST_SHARE] = ein_sat8(own->share_q15 >> 8);
        features[EIN_FEATURE_BEST_PREMATURE] = octaves(own->prematurity_q8);
        features[EIN_FEATURE_BEST_PAUSE] = octaves(own->pause_q8);
        features[EIN_FEATURE_BEST_WIDTH] = octaves(own->shape.width_q8 - dominant->shape.width_q8);
    } else {
        int16_t best = 0;
        for (uint32_t i = 0; i < EIN_TEMPLATE_SLOTS; i++) {
            const int16_t c = beat->matches[i].correlation_q15;
            best = c > best ? c : best;
        }
        features[EIN_FEATURE_BEST_CORR] = correlation(best);
        features[EIN_FEATURE_BEST_SHARE] = 0;
        features[EIN_FEATURE_BEST_PREMATURE] = 0;
        features[EIN_FEATURE_BEST_PAUSE] = 0;
        features[EIN_FEATURE_BEST_WIDTH] = octaves(shape->width_q8 - dominant->shape.width_q8);
    }

    features[EIN_FEATURE_WIDTH] = octaves(shape->width_q8 - dominant->shape.width_q8);
    features[EIN_FEATURE_WIDTH_ABS] = octaves(dominant->shape.width_q8 - EIN_TEMPLATE_WIDTH_Q8);
    features[EIN_FEATURE_AMPLITUDE] = octaves(shape->amplitude_q8 - dominant->shape.amplitude_q8);
    features[EIN_FEATURE_SLOPE] = octaves(shape->slope_q8 - dominant->shape.slope_q8);
    features[EIN_FEATURE_AREA] = octaves(shape->area_q8 - dominant->shape.area_q8);

    const ein_match_t p =
        ein_template_compare(dominant, beat->segment, match->shift,
                             R - EIN_TEMPLATE_P_BEFORE_SAMPLES, R - EIN_TEMPLATE_P_END_SAMPLES);
    const ein_match_t t =
        ein_template_compare(dominant, beat->segment, match->shift, R + EIN_TEMPLATE_T_FROM_SAMPLES,
                             R + EIN_TEMPLATE_T_TO_SAMPLES);
    features[EIN_FEATURE_P_CORR] = correlation(p.correlation_q15);
    features[EIN_FEATURE_P_RESIDUAL] = residual(&p);
    features[EIN_FEATURE_T_CORR] = correlation(t.correlation_q15);
    features[EIN_FEATURE_BEFORE_CORR] = correlation(beat->before_corr_q15);
    features[EIN_FEATURE_MATURITY] =
        ein_sat8((ein_log2_q8(dominant->beats) - 4 * 256) >> 3); /* 1/32 octave around 16 beats */
}
