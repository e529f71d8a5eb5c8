#include "ein_input.h"

#define UV_Q20_PER_MV (1000u << 20) /* half of 32 bits: no 64-bit division, which is 0.7 KB */

ein_status_t ein_input_init(ein_input_t *in, uint16_t gain_lsb_per_mv, int16_t rail_lo,
                            int16_t rail_hi)
{
    if (gain_lsb_per_mv == 0 || gain_lsb_per_mv > INT16_MAX || rail_lo >= rail_hi)
        return EIN_ERR_CONFIG;
    *in = (ein_input_t){
        .gain_q12 = (int32_t)((UV_Q20_PER_MV + gain_lsb_per_mv / 2u) / gain_lsb_per_mv),
        .rail_lo = rail_lo,
        .rail_hi = rail_hi,
    };
    return EIN_OK;
}

static ein_input_state_t bad_sample(ein_input_t *in, bool lost, int32_t *uv_q8)
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
    *uv_q8 = in->held_q8;
    return in->started ? EIN_INPUT_VALID : EIN_INPUT_LOST;
}

ein_input_state_t ein_input_step_odd(ein_input_t *in, int16_t count, bool lost, int32_t *uv_q8)
{
    if (lost || count <= in->rail_lo || count >= in->rail_hi)
        return bad_sample(in, lost, uv_q8);

    in->bad_run = 0;
    if (in->clipped_run > 0 && --in->clipped_run == 0)
        in->flags &= (uint16_t)~EIN_FLAG_SATURATED;
    ein_input_watch_flat(in, count);
    int32_t q8 = ein_input_q8(in, count);
    if (in->started) {
        in->flags &= (uint16_t)~EIN_FLAG_GAP;
        in->held_q8 = ein_input_clip(q8 - in->level_q8);
        *uv_q8 = in->held_q8;
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
    in->level_q8 = ein_input_clip(q8);
    in->held_q8 = 0;
    *uv_q8 = 0;
    return EIN_INPUT_START;
}
