/* Biquad cascades in integers: direct form I, int32 samples in Q8 microvolts, Q30 coefficients, an
 * int64 accumulator.
 *
 * The bits that the shift drops are added to the next accumulation (first-order error feedback).
 * A plain recursion would stall microvolts off when poles lie as near to 1 as those of a 0.4 Hz
 * high-pass; with the feedback the error stays below 0.1 uV for inputs of +-20 mV
 * (codegen/tests/test_filters.py measures it).
 *
 * Overflow: there is none while |input| <= EIN_FILTER_INPUT_MAX_Q8 (1.05 V), because the sum of the
 * absolute impulse response of every prefix of the cascades is below 8 (same test).
 * Cost: five multiply-accumulates (SMLAL) a section and sample. RAM: 20 B a section.
 */
#ifndef EIN_FILTER_H
#define EIN_FILTER_H

#include <stdint.h>

#define EIN_FILTER_SHIFT 30
#define EIN_FILTER_INPUT_MAX_Q8 (1 << 28)

typedef struct {
    int32_t x1, x2, y1, y2; /* Q8 */
    uint32_t dropped;       /* Q38 remainder of the last output, 0 .. 2^30 - 1 */
} ein_biquad_t;

/* One sample through `sections` biquads, b0 b1 b2 a1 a2 each; zeroed states start at rest. */
static inline int32_t ein_filter_step(ein_biquad_t *state, const int32_t (*sos_q30)[5],
                                      uint32_t sections, int32_t x_q8)
{
    int32_t x = x_q8;
#pragma GCC unroll 4
    for (uint32_t i = 0; i < sections; i++) {
        ein_biquad_t *s = &state[i];
        const int32_t *c = sos_q30[i];
        int64_t acc = (int64_t)s->dropped + (int64_t)c[0] * x;
        acc += (int64_t)c[1] * s->x1;
        acc += (int64_t)c[2] * s->x2;
        acc += (int64_t)-c[3] * s->y1;
        acc += (int64_t)-c[4] * s->y2;
        s->dropped = (uint32_t)acc & ((1u << EIN_FILTER_SHIFT) - 1u);
        s->x2 = s->x1;
        s->x1 = x;
        s->y2 = s->y1;
        s->y1 = (int32_t)(acc >> EIN_FILTER_SHIFT);
        x = s->y1;
    }
    return x;
}

#endif
