/* What disturbs the signal, told apart: mains hum, and motion of electrode or body.
 *
 * The core says that the signal is noisy, at a rail, flat or gone; this says why, from the ADC's
 * counts, before the low pass that hides 50 and 60 Hz from everything else. Once a second:
 *
 *   hum     the amplitude at 50 or at 60 Hz reaches EIN_RHYTHM_DISTURBANCE_HUM_UV and is
 *           EIN_RHYTHM_DISTURBANCE_TONE times what 40 and 70 Hz have: muscles and electrodes have
 *           no tone; two seconds in a row
 *   motion  the second's mean lies EIN_RHYTHM_DISTURBANCE_MOTION_UV from that of the second before
 *
 * Either ends at half its limit. 18 samples are five periods of 50 Hz and six of 60 Hz at 180 Hz,
 * so a sample is added to one of 18 sums and no more; a second is a whole number of all periods.
 * Seconds with samples at a rail or lost ones are not judged: they have states of their own.
 * Integer only; no errors. RAM: 100 B.
 */
#ifndef EIN_DISTURBANCE_H
#define EIN_DISTURBANCE_H

#include "ein_rhythm_spec.h"
#include "ein_types.h"

#define EIN_DISTURBANCE_PHASES 18u
#define EIN_DISTURBANCE_SAMPLES 180u /* a second */

typedef struct {
    int32_t before;   /* sum of all in the second before */
    uint32_t tone_uv; /* of the second before, if it was one */
    uint16_t gain_lsb_per_mv;
    int16_t rail_lo, rail_hi;
    uint16_t flags; /* EIN_FLAG_HUM, EIN_FLAG_MOTION */
    uint8_t phase, left;
    bool spoilt;                          /* the second: by a rail */
    bool known;                           /* `before` */
    int32_t sums[EIN_DISTURBANCE_PHASES]; /* of counts, by the time modulo 18 samples */
} ein_disturbance_t;

/* Gain and rails as ein_core_config_t has them, and valid as there. */
void ein_disturbance_init(ein_disturbance_t *disturbance, uint16_t gain_lsb_per_mv, int16_t rail_lo,
                          int16_t rail_hi);

/* Samples were lost: the second begins anew. */
void ein_disturbance_gap(ein_disturbance_t *disturbance);

/* Private: a second is over. */
void ein_disturbance_judge(ein_disturbance_t *disturbance);

/* One sample in counts. Inline, because it is asked at every sample. */
static inline void ein_disturbance_push(ein_disturbance_t *d, int16_t count)
{
    d->sums[d->phase] += count;
    d->phase = d->phase + 1u < EIN_DISTURBANCE_PHASES ? (uint8_t)(d->phase + 1u) : 0u;
    d->spoilt |= count <= d->rail_lo || count >= d->rail_hi;
    if (--d->left == 0) {
        ein_disturbance_judge(d);
    }
}

#endif
