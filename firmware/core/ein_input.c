#include "ein_input.h"

#define UV_Q20_PER_MV (1000u << 20) /* half of 32 bits: no 64-bit division, which is 0.7 KB */

ein_status_t ein_input_init(ein_input_t *in, uint16_t gain_lsb_per_mv, int16_t rail_lo,
                            int16_t rail_hi)
{
    if (gain_lsb_per_mv == 0 || gain_lsb_per_mv > INT16_MAX || rail_lo >= rail_hi)
        return EIN_ERR_CONFIG;
    *in = (ein_input_t){
        .gain_q12 = (int32_t)((UV_Q20_PER_MV + gain_lsb_per_mv / 2u) / gain_lsb_per_mv),
        .inside_from = (int16_t)(rail_lo + 1),
        .inside = (uint16_t)(rail_hi - rail_lo - 1),
    };
    return EIN_OK;
}

/* Microvolts (Q8) of a count, up to 2^30: far beyond what clipping leaves of it. */
static int32_t to_q8(const ein_input_t *in, int16_t count)
{
    int64_t q20 = (int64_t)count * in->gain_q12 + 2048;
    int32_t high = (int32_t)(q20 >> 32);
    if (high >= 1 << 10)
        return 1 << 30;
    if (high < -(1 << 10))
        return -(1 << 30);
    return (int32_t)(q20 >> 12);
}

static int32_t clip(int32_t q8)
{
    return q8 > EIN_FILTER_INPUT_MAX_Q8    ? EIN_FILTER_INPUT_MAX_Q8
           : q8 < -EIN_FILTER_INPUT_MAX_Q8 ? -EIN_FILTER_INPUT_MAX_Q8
                                           : q8;
}

static void watch_flat(ein_input_t *in, int16_t count)
{
    if (!ein_input_is_flat(in, count)) {
        in->flat_count = count;
        in->flat_run = 0;
        in->flags &= (uint16_t)~EIN_FLAG_FLAT;
    } else if (in->flat_run < EIN_INPUT_FLAT_SAMPLES) {
        in->flat_run++;
        if (in->flat_run == EIN_INPUT_FLAT_SAMPLES)
            in->flags |= EIN_FLAG_FLAT;
    }
}

static ein_input_state_t bad_sample(ein_input_t *in, bool lost)
{
    in->good_run = 0;
    in->flat_run = 0;
    in->flags &= (uint16_t)~EIN_FLAG_FLAT;
    if (in->bad_run < EIN_INPUT_OFF_SAMPLES)
        in->bad_run++;
    if (lost) {
        in->flags |= EIN_FLAG_GAP;
    } else {
        in->flags |= EIN_FLAG_SATURATED;
        in->clipped_run = EIN_INPUT_CLIPPED_SAMPLES;
    }
    if (in->bad_run == EIN_INPUT_OFF_SAMPLES) {
        if (!lost)
            in->flags |= EIN_FLAG_LEAD_OFF;
        in->started = false;
    }
    return in->started ? EIN_INPUT_VALID : EIN_INPUT_LOST;
}

static ein_input_state_t good_sample(ein_input_t *in, int16_t count)
{
    in->bad_run = 0;
    if (in->clipped_run > 0 && --in->clipped_run == 0)
        in->flags &= (uint16_t)~EIN_FLAG_SATURATED;
    watch_flat(in, count);
    int32_t q8 = to_q8(in, count);
    if (in->started) {
        in->flags &= (uint16_t)~EIN_FLAG_GAP;
        in->held_q8 = clip(q8 - in->level_q8);
        return EIN_INPUT_VALID;
    }
    if (in->flags & (EIN_FLAG_LEAD_OFF | EIN_FLAG_GAP)) {
        in->good_run++;
        if (in->good_run < EIN_INPUT_BACK_SAMPLES)
            return EIN_INPUT_LOST;
    }
    in->flags &= (uint16_t) ~(EIN_FLAG_LEAD_OFF | EIN_FLAG_GAP);
    in->good_run = 0;
    in->started = true;
    in->level_q8 = clip(q8);
    in->held_q8 = 0;
    return EIN_INPUT_START;
}

ein_input_state_t ein_input_step_odd(ein_input_t *in, int16_t count, bool lost)
{
    const bool bad = lost || (uint32_t)(count - in->inside_from) >= in->inside;
    ein_input_state_t state = bad ? bad_sample(in, lost) : good_sample(in, count);
    const bool plain = in->started && in->flags == 0 && in->gain_q12 <= EIN_INPUT_PLAIN_GAIN_Q12;
    in->plain = plain ? in->inside : (uint16_t)0;
    return state;
}
