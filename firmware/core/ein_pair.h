/* Two neighbouring int16 samples in a word, the first one in its low half: what a Cortex-M4
 * multiplies and adds in one instruction, and portable C that gives the same bits.
 */
#ifndef EIN_PAIR_H
#define EIN_PAIR_H

#include <stdint.h>
#include <string.h>

#include "ein_fixed.h"

typedef uint32_t ein_pair_t;

static inline int16_t ein_pair_first(ein_pair_t pair)
{
    return (int16_t)(pair & 0xFFFFu);
}

static inline int16_t ein_pair_second(ein_pair_t pair)
{
    return (int16_t)(pair >> 16);
}

#if defined(__ARM_FEATURE_DSP) && !defined(EIN_CORE_PORTABLE)

static inline ein_pair_t ein_pair_load(const int16_t *samples)
{
    ein_pair_t pair;
    memcpy(&pair, samples, sizeof pair); /* the compiler makes it one load */
    return pair;
}

/* sum + first x first + second x second. */
static inline int64_t ein_pair_dot(int64_t sum, ein_pair_t a, ein_pair_t b)
{
    __asm__("smlald %Q0, %R0, %1, %2" : "+r"(sum) : "r"(a), "r"(b));
    return sum;
}

/* sum + first + second. */
static inline int32_t ein_pair_sum(int32_t sum, ein_pair_t a)
{
    __asm__("smlad %0, %1, %2, %0" : "+r"(sum) : "r"(a), "r"(0x00010001u));
    return sum;
}

/* The lower ones, of the first and of the second. */
static inline ein_pair_t ein_pair_min(ein_pair_t a, ein_pair_t b)
{
    ein_pair_t lower;
    __asm__("ssub16 %0, %1, %2\n\tsel %0, %2, %1" : "=&r"(lower) : "r"(a), "r"(b));
    return lower;
}

static inline ein_pair_t ein_pair_max(ein_pair_t a, ein_pair_t b)
{
    ein_pair_t higher;
    __asm__("ssub16 %0, %1, %2\n\tsel %0, %1, %2" : "=&r"(higher) : "r"(a), "r"(b));
    return higher;
}

/* Saturated differences. */
static inline ein_pair_t ein_pair_sub(ein_pair_t a, ein_pair_t b)
{
    ein_pair_t difference;
    __asm__("qsub16 %0, %1, %2" : "=r"(difference) : "r"(a), "r"(b));
    return difference;
}

/* first x gain, rounded half up and saturated. */
static inline int8_t ein_pair_scale_first(ein_pair_t a, int16_t gain_q15)
{
    int32_t q15;
    __asm__("smlabb %0, %1, %2, %3\n\tssat %0, #8, %0, asr #15"
            : "=r"(q15)
            : "r"(a), "r"(gain_q15), "r"(1 << 14));
    return (int8_t)q15;
}

/* second x gain. */
static inline int8_t ein_pair_scale_second(ein_pair_t a, int16_t gain_q15)
{
    int32_t q15;
    __asm__("smlatb %0, %1, %2, %3\n\tssat %0, #8, %0, asr #15"
            : "=r"(q15)
            : "r"(a), "r"(gain_q15), "r"(1 << 14));
    return (int8_t)q15;
}

#else

static inline ein_pair_t ein_pair_of(int16_t first, int16_t second)
{
    return (uint16_t)first | (uint32_t)(uint16_t)second << 16;
}

static inline ein_pair_t ein_pair_load(const int16_t *samples)
{
    return ein_pair_of(samples[0], samples[1]);
}

static inline int64_t ein_pair_dot(int64_t sum, ein_pair_t a, ein_pair_t b)
{
    sum += (int32_t)ein_pair_first(a) * ein_pair_first(b);
    return sum + (int32_t)ein_pair_second(a) * ein_pair_second(b);
}

static inline int32_t ein_pair_sum(int32_t sum, ein_pair_t a)
{
    return sum + ein_pair_first(a) + ein_pair_second(a);
}

static inline ein_pair_t ein_pair_min(ein_pair_t a, ein_pair_t b)
{
    const int16_t first = ein_pair_first(a), second = ein_pair_second(a);
    return ein_pair_of(first < ein_pair_first(b) ? first : ein_pair_first(b),
                       second < ein_pair_second(b) ? second : ein_pair_second(b));
}

static inline ein_pair_t ein_pair_max(ein_pair_t a, ein_pair_t b)
{
    const int16_t first = ein_pair_first(a), second = ein_pair_second(a);
    return ein_pair_of(first > ein_pair_first(b) ? first : ein_pair_first(b),
                       second > ein_pair_second(b) ? second : ein_pair_second(b));
}

static inline ein_pair_t ein_pair_sub(ein_pair_t a, ein_pair_t b)
{
    return ein_pair_of(ein_sat16(ein_pair_first(a) - ein_pair_first(b)),
                       ein_sat16(ein_pair_second(a) - ein_pair_second(b)));
}

static inline int8_t ein_pair_scale_first(ein_pair_t a, int16_t gain_q15)
{
    return ein_sat8((ein_pair_first(a) * gain_q15 + (1 << 14)) >> 15);
}

static inline int8_t ein_pair_scale_second(ein_pair_t a, int16_t gain_q15)
{
    return ein_sat8((ein_pair_second(a) * gain_q15 + (1 << 14)) >> 15);
}

#endif

#endif
