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
 * Cost: five multiply-accumulates (SMLAL) a section and sample. RAM: 12 B a section.
 */
#ifndef EIN_FILTER_H
#define EIN_FILTER_H

#include <stdint.h>

#define EIN_FILTER_SHIFT 30
#define EIN_FILTER_INPUT_MAX_Q8 (1 << 28)

/* One section's output, or in a cascade's first entry its input: what it needs of the past. */
typedef struct {
    int32_t past1, past2; /* Q8: one and two samples ago */
    uint32_t dropped;     /* Q38 remainder of the last output, 0 .. 2^30 - 1 */
} ein_filter_state_t;

/* One sample through `sections` biquads, b0 b1 b2 a1 a2 each. `state` has sections + 1 entries;
   zeroed ones start at rest. */
static inline int32_t ein_filter_step(ein_filter_state_t *state, const int32_t (*sos_q30)[5],
                                      uint32_t sections, int32_t x_q8)
{
    int32_t x = x_q8;
    int32_t x1 = state[0].past1, x2 = state[0].past2;
    state[0].past1 = x;
    state[0].past2 = x1;
#pragma GCC unroll 4
    for (uint32_t i = 0; i < sections; i++) {
        ein_filter_state_t *out = &state[i + 1u];
        const int32_t *c = sos_q30[i];
        int32_t y1 = out->past1, y2 = out->past2;
        int64_t acc = (int64_t)out->dropped + (int64_t)c[0] * x;
        acc += (int64_t)c[1] * x1;
        acc += (int64_t)c[2] * x2;
        acc += (int64_t)-c[3] * y1; /* negated ones: a constant, and SMLAL has no subtraction */
        acc += (int64_t)-c[4] * y2;
        int32_t y = (int32_t)(acc >> EIN_FILTER_SHIFT);
        out->dropped = (uint32_t)acc & ((1u << EIN_FILTER_SHIFT) - 1u);
        out->past1 = y;
        out->past2 = y1;
        x = y;
        x1 = y1;
        x2 = y2;
    }
    return x;
}

#endif
