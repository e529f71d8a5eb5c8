#include "ein_disturbance.h"

#include <string.h>

#include "ein_fixed.h"

#define PHASES EIN_DISTURBANCE_PHASES
#define TURN 36u /* steps of 10 degrees */

typedef char ein_check_second[EIN_DISTURBANCE_SAMPLES == EIN_PIPELINE_RATE_HZ ? 1 : -1];

/* 127 cos of ten degrees each. */
static const int8_t COS_Q7[TURN] = {
    127,  125,  119,  110,  97,  82,  64,  43,  22,  0, -22, -43, -64, -82, -97, -110, -119, -125,
    -127, -125, -119, -110, -97, -82, -64, -43, -22, 0, 22,  43,  64,  82,  97,  110,  119,  125};

static void begin_second(ein_disturbance_t *d)
{
    memset(d->sums, 0, sizeof d->sums);
    d->phase = 0;
    d->left = EIN_DISTURBANCE_SAMPLES;
    d->spoilt = false;
}

void ein_disturbance_init(ein_disturbance_t *disturbance, uint16_t gain_lsb_per_mv, int16_t rail_lo,
                          int16_t rail_hi)
{
    *disturbance = (ein_disturbance_t){
        .gain_lsb_per_mv = gain_lsb_per_mv, .rail_lo = rail_lo, .rail_hi = rail_hi};
    begin_second(disturbance);
}

void ein_disturbance_gap(ein_disturbance_t *disturbance)
{
    begin_second(disturbance);
    disturbance->known = false;
}

/* Amplitude at `periods` in 18 samples, in microvolts. Sums lie within 2^19: products below 2^31.
   A cosine is even and a sine odd about the middle, so two sums share a product. */
static uint32_t amplitude_uv(const ein_disturbance_t *d, int32_t mean, uint32_t periods)
{
    int32_t re = (d->sums[0] - mean) * COS_Q7[0] +
                 (d->sums[PHASES / 2u] - mean) * COS_Q7[periods % 2u * TURN / 2u];
    int32_t im = 0;
    uint32_t angle = 0;
    for (uint32_t i = 1; i < PHASES / 2u; i++) {
        angle += 2u * periods;
        angle -= angle >= TURN ? TURN : 0u;
        const int32_t left = d->sums[i], right = d->sums[PHASES - i];
        re += (left + right - 2 * mean) * COS_Q7[angle];
        im += (left - right) * COS_Q7[angle >= TURN / 4u ? angle - TURN / 4u : angle + 27u];
    }
    const uint32_t size = ein_sqrt((uint64_t)((int64_t)re * re) + (uint64_t)((int64_t)im * im));
    /* size = counts * 127 * 90; 1000 / (127 * 90) = 25 / 286 */
    return size / 286u * 25u / d->gain_lsb_per_mv;
}

/* Of the mains, if there is no more than a part of it beside them; else 0. */
static uint32_t tone_uv(const ein_disturbance_t *d, int32_t mean)
{
    const uint32_t at_50 = amplitude_uv(d, mean, 5), at_60 = amplitude_uv(d, mean, 6);
    const uint32_t tone = at_50 > at_60 ? at_50 : at_60;
    if (tone < EIN_RHYTHM_DISTURBANCE_HUM_UV / 2u) {
        return 0; /* mostly so: no need to know more */
    }
    const uint32_t low = amplitude_uv(d, mean, 4), high = amplitude_uv(d, mean, 7);
    return tone < EIN_RHYTHM_DISTURBANCE_TONE * (low > high ? low : high) ? 0u : tone;
}

static void tell(ein_disturbance_t *d, uint16_t flag, uint32_t found, uint32_t limit)
{
    if (found >= limit) {
        d->flags |= flag;
    } else if (found < limit / 2u) {
        d->flags &= (uint16_t)~flag;
    }
}

void ein_disturbance_judge(ein_disturbance_t *disturbance)
{
    ein_disturbance_t *const d = disturbance;
    int32_t sum = 0;
    for (uint32_t i = 0; i < PHASES; i++) {
        sum += d->sums[i];
    }
    if (!d->spoilt) {
        const int32_t mean = sum / (int32_t)PHASES;
        const uint32_t tone = tone_uv(d, mean);
        const uint32_t lasting = tone < d->tone_uv ? tone : d->tone_uv;
        d->tone_uv = tone;
        tell(d, EIN_FLAG_HUM, lasting, EIN_RHYTHM_DISTURBANCE_HUM_UV);
        if (d->known) { /* |sum - before| < 2^24 */
            const uint32_t moved = ein_magnitude(sum - d->before) * 50u / 9u / d->gain_lsb_per_mv;
            tell(d, EIN_FLAG_MOTION, moved, EIN_RHYTHM_DISTURBANCE_MOTION_UV);
        }
    }
    d->before = sum;
    d->known = !d->spoilt;
    begin_second(d);
}
