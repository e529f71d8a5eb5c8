/* Small integer mathematics: saturation, logarithm, square root.
 * Logarithms are base 2 in Q8: 256 = one octave, 1 = 0.27 %.
 */
#ifndef EIN_FIXED_H
#define EIN_FIXED_H

#include <stdint.h>

static inline uint32_t ein_magnitude(int32_t x)
{
    return x < 0 ? 0u - (uint32_t)x : (uint32_t)x;
}

#if defined(__ARM_FEATURE_SAT) && !defined(EIN_CORE_PORTABLE)

static inline int8_t ein_sat8(int32_t x)
{
    int32_t saturated;
    __asm__("ssat %0, #8, %1" : "=r"(saturated) : "r"(x));
    return (int8_t)saturated;
}

static inline int16_t ein_sat16(int32_t x)
{
    int32_t saturated;
    __asm__("ssat %0, #16, %1" : "=r"(saturated) : "r"(x));
    return (int16_t)saturated;
}

/* x / 2^8, rounded down. */
static inline int16_t ein_sat16_q8(int32_t x_q8)
{
    int32_t saturated;
    __asm__("ssat %0, #16, %1, asr #8" : "=r"(saturated) : "r"(x_q8));
    return (int16_t)saturated;
}

/* |x| / 2^6, rounded down, at most UINT16_MAX; x > INT32_MIN. */
static inline uint32_t ein_magnitude_q6(int32_t x_q6)
{
    uint32_t saturated;
    __asm__("usat %0, #16, %1, asr #6" : "=r"(saturated) : "r"(ein_magnitude(x_q6)));
    return saturated;
}

#else

static inline int8_t ein_sat8(int32_t x)
{
    return (int8_t)(x > 127 ? 127 : x < -128 ? -128 : x);
}

static inline int16_t ein_sat16(int32_t x)
{
    return (int16_t)(x > 32767 ? 32767 : x < -32768 ? -32768 : x);
}

static inline int16_t ein_sat16_q8(int32_t x_q8)
{
    return ein_sat16(x_q8 >> 8);
}

static inline uint32_t ein_magnitude_q6(int32_t x_q6)
{
    const uint32_t whole = ein_magnitude(x_q6) >> 6;
    return whole > UINT16_MAX ? UINT16_MAX : whole;
}

#endif

#if defined(__ARM_FEATURE_DSP) && !defined(EIN_CORE_PORTABLE)

/* a x b / 2^32, rounded half up. */
static inline int32_t ein_high_product(int32_t a, int32_t b)
{
    int32_t high;
    __asm__("smmulr %0, %1, %2" : "=r"(high) : "r"(a), "r"(b));
    return high;
}

#else

static inline int32_t ein_high_product(int32_t a, int32_t b)
{
    return (int32_t)(((int64_t)a * b + ((int64_t)1 << 31)) >> 32);
}

#endif

/* log2(x) in Q8, |error| <= 3 LSB; 0 counts as 1. Range 0..16383. */
int16_t ein_log2_q8(uint64_t x);

/* floor(sqrt(x)) up to 2^32 - 1; beyond, low by up to 2^-15 of it. */
uint32_t ein_sqrt(uint64_t x);

/* round(2^15 * num / den) for |num| <= den, den > 0; saturates at +-32767. */
int16_t ein_ratio_q15(int64_t num, uint64_t den);

#endif
