/* x86's AVX2 as the kernels use it on a host; empty elsewhere.
 *
 * Eight 32-bit lanes are eight output channels of a convolution, or eight neighbouring values. The
 * integers are those of every other build, to the bit; a host only gets them sooner.
 */
#ifndef EIN_NN_AVX2_H
#define EIN_NN_AVX2_H

#include "ein_nn_fixed.h"

#if EIN_NN_AVX2
#include <immintrin.h>

#define EIN_NN_AVX2_LANES 8

/* (x * y + 2^31) >> 32, lane by lane: ein_nn_high_mul. */
static inline __m256i ein_nn_avx2_high_mul(__m256i x, __m256i y)
{
    const __m256i half = _mm256_set1_epi64x((int64_t)1 << 31);
    const __m256i even = _mm256_add_epi64(_mm256_mul_epi32(x, y), half);
    const __m256i odd = _mm256_add_epi64(
        _mm256_mul_epi32(_mm256_srli_epi64(x, 32), _mm256_srli_epi64(y, 32)), half);

    return _mm256_blend_epi32(_mm256_srli_epi64(even, 32), odd, 0xAA);
}

/* Values with the sign's settling of a tie and the rounding, shifted: as in ein_nn_conv_finish.h.
 */
static inline __m256i ein_nn_avx2_round(__m256i high, __m256i rounding, __m256i right)
{
    const __m256i sign = _mm256_srai_epi32(high, 31);

    return _mm256_srav_epi32(_mm256_add_epi32(_mm256_add_epi32(high, sign), rounding), right);
}

/* Eight int8 to eight int32. */
static inline __m256i ein_nn_avx2_widen(const int8_t *from)
{
    return _mm256_cvtepi8_epi32(_mm_loadl_epi64((const __m128i *)from));
}

/* Eight int32 saturated to int8, in the low half. */
static inline __m128i ein_nn_avx2_narrow(__m256i values)
{
    const __m128i halves =
        _mm_packs_epi32(_mm256_castsi256_si128(values), _mm256_extracti128_si256(values, 1));

    return _mm_packs_epi16(halves, halves);
}

/* The first n, 1 to 8, of eight bytes. */
static inline void ein_nn_avx2_store(int8_t *to, __m128i bytes, int32_t n)
{
    if (n == EIN_NN_AVX2_LANES)
        _mm_storel_epi64((__m128i *)to, bytes);
    else
        __builtin_memcpy(to, &bytes, (uint32_t)n);
}

#endif
#endif
