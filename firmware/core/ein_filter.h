/* Band-passes of two biquads in integers: direct form I, int32 samples in Q8 microvolts.
 *
 * A coefficient, Q30 as it was designed, stands here in two parts: whole ones, which are additions,
 * and what is left of it, -1/2 .. 1/2 in Q32. So the upper word of an int64 accumulator is the
 * output and the lower one what is dropped from it: nothing has to be shifted. In either biquad
 * b2 = b0, so that x and x2 are multiplied once, together.
 *
 * What is dropped is added to the next accumulation (first-order error feedback). A plain recursion
 * would stall microvolts off when poles lie as near to 1 as those of a 0.4 Hz high-pass; with the
 * feedback the error stays below 0.1 uV for inputs of +-20 mV (codegen/tests/test_filters.py
 * measures it).
 *
 * Overflow: there is none while |input| <= EIN_FILTER_INPUT_MAX_Q8 (1.05 V), because the sum of the
 * absolute impulse response of every prefix of the cascades, and of x + x2 behind it, is below 8
 * (same test). Partial sums may wrap, their total does not.
 * Cost: four multiply-accumulates (SMLAL) a biquad and sample. RAM: 32 B a band-pass.
 */
#ifndef EIN_FILTER_H
#define EIN_FILTER_H

#include <stdint.h>

#include "ein_pipeline.h"

#define EIN_FILTER_INPUT_MAX_Q8 (1 << 28)
#define EIN_FILTER_BIQUADS 2

typedef char ein_check_biquads[EIN_FILTER_BANDPASS_SECTIONS == EIN_FILTER_BIQUADS &&
                                       EIN_FILTER_QRS_SECTIONS == EIN_FILTER_BIQUADS
                                   ? 1
                                   : -1];

/* Of a biquad's x + x2, x1, y1 and y2, in this order. */
#define EIN_FILTER_TERMS 4

/* All zero: at rest. */
typedef struct {
    int32_t past[EIN_FILTER_BIQUADS + 1][2]; /* Q8: one and two samples ago, of the input and of
                                                each biquad's output */
    uint32_t dropped[EIN_FILTER_BIQUADS];    /* Q40: of the last outputs */
} ein_filter_t;

#if defined(__ARM_FEATURE_DSP) && !defined(EIN_CORE_PORTABLE)

/* high:low + the products of *rest_q32 and what they belong to; moves *rest_q32 behind them.
   Volatile and a barrier, or the compiler loads what comes later while this needs the registers. */
static inline void ein_filter_add(uint32_t *low, uint32_t *high, const int32_t **rest_q32,
                                  int32_t x_x2, int32_t x1, int32_t y1, int32_t y2)
{
    int32_t a, b;
    __asm__ volatile("ldrd %2, %3, [%4], #8\n\t"
                     "smlal %0, %1, %2, %5\n\t"
                     "smlal %0, %1, %3, %6\n\t"
                     "ldrd %2, %3, [%4], #8\n\t"
                     "smlal %0, %1, %2, %7\n\t"
                     "smlal %0, %1, %3, %8"
                     : "+&r"(*low), "+&r"(*high), "=&r"(a), "=&r"(b), "+&r"(*rest_q32)
                     : "r"(x_x2), "r"(x1), "r"(y1), "r"(y2)
                     : "memory");
}

#else

static inline void ein_filter_add(uint32_t *low, uint32_t *high, const int32_t **rest_q32,
                                  int32_t x_x2, int32_t x1, int32_t y1, int32_t y2)
{
    const int32_t *const c = *rest_q32;
    uint64_t sum = (uint64_t)*high << 32 | *low;
    sum += (uint64_t)((int64_t)c[0] * x_x2);
    sum += (uint64_t)((int64_t)c[1] * x1);
    sum += (uint64_t)((int64_t)c[2] * y1);
    sum += (uint64_t)((int64_t)c[3] * y2);
    *low = (uint32_t)sum;
    *high = (uint32_t)(sum >> 32);
    *rest_q32 += EIN_FILTER_TERMS;
}

#endif

/* x through biquad i, whose last two inputs are `past_x`; they become its last two outputs, the
   next one's inputs. Always inline: `whole` is a constant, and the compiler then adds, shifts or
   leaves out what it says. */
static inline __attribute__((always_inline)) int32_t
ein_filter_biquad(ein_filter_t *filter, uint32_t i, const int32_t *whole, const int32_t **rest_q32,
                  int32_t x, int32_t past_x[2])
{
    int32_t *const out = filter->past[i + 1u];
    const int32_t x1 = past_x[0], x_x2 = x + past_x[1], y1 = out[0], y2 = out[1];
    uint32_t low = filter->dropped[i];
    uint32_t high = (uint32_t)whole[0] * (uint32_t)x_x2 + (uint32_t)whole[1] * (uint32_t)x1 +
                    (uint32_t)whole[2] * (uint32_t)y1 + (uint32_t)whole[3] * (uint32_t)y2;
    ein_filter_add(&low, &high, rest_q32, x_x2, x1, y1, y2);
    filter->dropped[i] = low;
    out[0] = (int32_t)high;
    out[1] = y1;
    past_x[0] = y1;
    past_x[1] = y2;
    return (int32_t)high;
}

/* One sample through both biquads. */
static inline __attribute__((always_inline)) int32_t
ein_filter_step(ein_filter_t *filter, const int32_t (*whole)[EIN_FILTER_TERMS],
                const int32_t (*rest_q32)[EIN_FILTER_TERMS], int32_t x_q8)
{
    const int32_t *rest = rest_q32[0];
    int32_t past_x[2] = {filter->past[0][0], filter->past[0][1]};
    filter->past[0][0] = x_q8;
    filter->past[0][1] = past_x[0];
    const int32_t middle = ein_filter_biquad(filter, 0, whole[0], &rest, x_q8, past_x);
    return ein_filter_biquad(filter, 1, whole[1], &rest, middle, past_x);
}

static inline int32_t ein_filter_bandpass(ein_filter_t *filter, int32_t uv_q8)
{
    static const int32_t WHOLE[][EIN_FILTER_TERMS] = EIN_FILTER_BANDPASS_WHOLE;
    static const int32_t REST_Q32[][EIN_FILTER_TERMS] = EIN_FILTER_BANDPASS_REST_Q32;
    return ein_filter_step(filter, WHOLE, REST_Q32, uv_q8);
}

static inline int32_t ein_filter_qrs(ein_filter_t *filter, int32_t uv_q8)
{
    static const int32_t WHOLE[][EIN_FILTER_TERMS] = EIN_FILTER_QRS_WHOLE;
    static const int32_t REST_Q32[][EIN_FILTER_TERMS] = EIN_FILTER_QRS_REST_Q32;
    return ein_filter_step(filter, WHOLE, REST_Q32, uv_q8);
}

#endif
