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
#include "ein_fixed.h"
#include "ein_pipeline.h"
#include "ein_types.h"

typedef struct {
    int32_t gain_q12;     /* Q8 microvolts per count, Q12 */
    int32_t level_q8;     /* what counts as zero since the last start */
    int32_t held_q8;      /* the last valid value */
    int16_t inside_from;  /* the lowest count between the rails, */
    uint16_t inside;      /* and how many there are */
    uint16_t plain;       /* as many; 0 while no sample is plain: see ein_input_step */
    int16_t flat_count;   /* the value the flat run began with */
    uint16_t flat_run;    /* samples within EIN_INPUT_FLAT_LSB of it */
    uint16_t bad_run;     /* bad samples in a row */
    uint16_t good_run;    /* good samples in a row, while the lead is off */
    uint16_t clipped_run; /* samples for which EIN_FLAG_SATURATED still stands */
    uint16_t flags;       /* EIN_FLAG_SATURATED, _FLAT, _LEAD_OFF, _GAP */
    bool started;
} ein_input_t;

/* What has come of a sample. */
typedef enum {
    EIN_INPUT_LOST = 0,  /* nothing to filter: the lead is off */
    EIN_INPUT_VALID = 1, /* held_q8 */
    EIN_INPUT_START = 2, /* held_q8, and the signal begins (anew): reset what has memory */
    EIN_INPUT_PLAIN = 3, /* held_q8, and the flags are 0 as they were */
} ein_input_state_t;

/* gain_lsb_per_mv 1..32767, rail_lo < rail_hi; EIN_ERR_CONFIG otherwise. */
ein_status_t ein_input_init(ein_input_t *in, uint16_t gain_lsb_per_mv, int16_t rail_lo,
                            int16_t rail_hi);

/* With this gain (62.5 LSB/mV) and below, no int16 lies so far from another that it is clipped. */
#define EIN_INPUT_PLAIN_GAIN_Q12 (1 << 24)

/* For ein_input_step, whatever is not plain: bad samples, starts, flags that stand, coarse ADCs. */
ein_input_state_t ein_input_step_odd(ein_input_t *in, int16_t count, bool lost);

static inline bool ein_input_is_flat(const ein_input_t *in, int16_t count)
{
    return (uint32_t)(count - in->flat_count + EIN_INPUT_FLAT_LSB) <= 2u * EIN_INPUT_FLAT_LSB;
}

/* Microvolts of a count for a gain up to EIN_INPUT_PLAIN_GAIN_Q12. */
static inline int32_t ein_input_plain_q8(const ein_input_t *in, int16_t count)
{
    return ein_high_product((int32_t)((uint32_t)count << 16), in->gain_q12 << 4);
}

/* One sample. Inline, because a good one after good ones needs little. */
static inline ein_input_state_t ein_input_step(ein_input_t *in, int16_t count)
{
    if ((uint32_t)(count - in->inside_from) >= in->plain)
        return ein_input_step_odd(in, count, false);
    if (!ein_input_is_flat(in, count)) {
        in->flat_count = count;
        in->flat_run = 0;
    } else if (in->flat_run < EIN_INPUT_FLAT_SAMPLES - 1) {
        in->flat_run++;
    } else {
        return ein_input_step_odd(in, count, false);
    }
    in->held_q8 = ein_input_plain_q8(in, count) - in->level_q8;
    return EIN_INPUT_PLAIN;
}

/* One sample that never came. */
static inline ein_input_state_t ein_input_lost(ein_input_t *in)
{
    return ein_input_step_odd(in, 0, true);
}

#endif
