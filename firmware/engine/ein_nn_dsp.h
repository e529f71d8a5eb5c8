/* The DSP instructions of Cortex-M4 and later that the kernels use, as functions; empty elsewhere.
 *
 * Inline assembly, because ACLE has no SMMULR and GCC does not fold a rotation into SXTB16.
 */
#ifndef EIN_NN_DSP_H
#define EIN_NN_DSP_H

#include "ein_nn_fixed.h"

#if EIN_NN_DSP

/* Four bytes from any address. */
static inline uint32_t ein_nn_dsp_read(const void *from)
{
    uint32_t word;

    __builtin_memcpy(&word, from, sizeof word); /* a load, also in freestanding builds */
    return word;
}

/* Bytes 0 and 2 of a word, sign-extended to halfwords. */
static inline uint32_t ein_nn_dsp_even(uint32_t word)
{
    uint32_t pair;

    __asm__("sxtb16 %0, %1" : "=r"(pair) : "r"(word));
    return pair;
}

/* Bytes 1 and 3. */
static inline uint32_t ein_nn_dsp_odd(uint32_t word)
{
    uint32_t pair;

    __asm__("sxtb16 %0, %1, ror #8" : "=r"(pair) : "r"(word));
    return pair;
}

/* Both halfwords doubled. */
static inline uint32_t ein_nn_dsp_twice(uint32_t pair)
{
    uint32_t doubled;

    __asm__("sadd16 %0, %1, %1" : "=r"(doubled) : "r"(pair));
    return doubled;
}

/* sum + a.low * b.low + a.high * b.high, modulo 2^32. */
static inline int32_t ein_nn_dsp_mac2(uint32_t a, uint32_t b, int32_t sum)
{
    __asm__("smlad %0, %1, %2, %0" : "+r"(sum) : "r"(a), "r"(b));
    return sum;
}

/* Four int8 to four int16 in the same order. `to` is 2-byte aligned. */
static inline void ein_nn_dsp_widen4(int16_t *to, const int8_t *from)
{
    const uint32_t word = ein_nn_dsp_read(from);
    const uint32_t even = ein_nn_dsp_even(word), odd = ein_nn_dsp_odd(word);
    uint32_t low, high;

    __asm__("pkhbt %0, %1, %2, lsl #16" : "=r"(low) : "r"(even), "r"(odd));
    __asm__("pkhtb %0, %1, %2, asr #16" : "=r"(high) : "r"(odd), "r"(even));
    __builtin_memcpy(to, &low, sizeof low); /* one by one: an array would pass through the stack */
    __builtin_memcpy(to + 2, &high, sizeof high);
}

/* Byte by byte the larger of two. */
static inline uint32_t ein_nn_dsp_max4(uint32_t a, uint32_t b)
{
    uint32_t max;

    __asm__("ssub8 %0, %1, %2\n"
            "sel %0, %1, %2"
            : "=&r"(max)
            : "r"(a), "r"(b)
            : "cc");
    return max;
}

#endif
#endif
