/* From ADC counts to microvolts (int32, Q8), and the state of the lead.
 *
 * A sample at or beyond a rail, and a sample that was lost, is bad: the last good value is held in
 * its place, so that neither a clipped peak nor an open lead sends a step through the filters.
 * After EIN_INPUT_OFF_SAMPLES bad ones in a row the lead counts as off (or the signal as gone); it
 * is back after EIN_INPUT_BACK_SAMPLES good ones, and the filters then start anew at that level.
 *
 * Output: input minus the level at the last start, clipped to +-1.05 V. Exact to 2^-9 uV for gains
 * that divide 256000 * 4096, else within 16 ppm. RAM: 32 B.
 */
#ifndef EIN_INPUT_H
#define EIN_INPUT_H

#include "ein_filter.h"
#include "ein_pipeline.h"
#include "ein_types.h"

typedef struct {
    int32_t gain_q12; /* Q8 microvolts per count, Q12 */
    int32_t level_q8; /* what counts as zero since the last start */
    int32_t held_q8;
    int16_t rail_lo, rail_hi;
    int16_t flat_count;   /* the value the flat run began with */
    uint16_t flat_run;    /* samples within EIN_INPUT_FLAT_LSB of it */
    uint16_t bad_run;     /* bad samples in a row */
    uint16_t good_run;    /* good samples in a row, while the lead is off */
    uint16_t clipped_run; /* samples for which EIN_FLAG_SATURATED still stands */
    uint16_t flags;       /* EIN_FLAG_SATURATED, _FLAT, _LEAD_OFF, _GAP */
    bool started;
} ein_input_t;

typedef enum {
    EIN_INPUT_LOST = 0,  /* nothing to filter: the lead is off */
    EIN_INPUT_VALID = 1, /* *uv_q8 is set */
    EIN_INPUT_START = 2, /* *uv_q8 is set, and the signal begins (anew): reset what has memory */
} ein_input_state_t;

/* gain_lsb_per_mv 1..32767, rail_lo < rail_hi; EIN_ERR_CONFIG otherwise. */
ein_status_t ein_input_init(ein_input_t *in, uint16_t gain_lsb_per_mv, int16_t rail_lo,
                            int16_t rail_hi);

/* Microvolts (Q8) of a count, up to 2^30: far beyond what clipping leaves of it. */
static inline int32_t ein_input_q8(const ein_input_t *in, int16_t count)
{
    int64_t q20 = (int64_t)count * in->gain_q12 + 2048;
    int32_t high = (int32_t)(q20 >> 32);
    if (high >= 1 << 10)
        return 1 << 30;
    if (high < -(1 << 10))
        return -(1 << 30);
    return (int32_t)(q20 >> 12);
}

static inline int32_t ein_input_clip(int32_t q8)
{
    return q8 > EIN_FILTER_INPUT_MAX_Q8    ? EIN_FILTER_INPUT_MAX_Q8
           : q8 < -EIN_FILTER_INPUT_MAX_Q8 ? -EIN_FILTER_INPUT_MAX_Q8
                                           : q8;
}

static inline void ein_input_watch_flat(ein_input_t *in, int16_t count)
{
    uint32_t moved = (uint32_t)(count - in->flat_count + EIN_INPUT_FLAT_LSB);
    if (moved > 2u * EIN_INPUT_FLAT_LSB) {
        in->flat_count = count;
        in->flat_run = 0;
        in->flags &= (uint16_t)~EIN_FLAG_FLAT;
    } else if (in->flat_run < EIN_INPUT_FLAT_SAMPLES) {
        in->flat_run++;
        if (in->flat_run == EIN_INPUT_FLAT_SAMPLES)
            in->flags |= EIN_FLAG_FLAT;
    }
}

/* For ein_input_step, whatever is not plain: bad samples, starts, flags that stand. */
ein_input_state_t ein_input_step_odd(ein_input_t *in, int16_t count, bool lost, int32_t *uv_q8);

/* One sample. Inline, because a good one after good ones needs little. */
static inline ein_input_state_t ein_input_step(ein_input_t *in, int16_t count, int32_t *uv_q8)
{
    if (!in->started || in->flags != 0 || count <= in->rail_lo || count >= in->rail_hi)
        return ein_input_step_odd(in, count, false, uv_q8);
    ein_input_watch_flat(in, count);
    in->held_q8 = ein_input_clip(ein_input_q8(in, count) - in->level_q8);
    *uv_q8 = in->held_q8;
    return EIN_INPUT_VALID;
}

/* One sample that never came. */
static inline ein_input_state_t ein_input_lost(ein_input_t *in, int32_t *uv_q8)
{
    return ein_input_step_odd(in, 0, true, uv_q8);
}

#endif
