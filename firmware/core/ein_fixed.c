#include "ein_fixed.h"

/* The place of the highest bit of x > 0. */
static int32_t highest_bit(uint64_t x)
{
    const uint32_t high = (uint32_t)(x >> 32);
    return high != 0 ? 63 - __builtin_clz(high) : 31 - __builtin_clz((uint32_t)x);
}

int16_t ein_log2_q8(uint64_t x)
{
    const int32_t octaves = highest_bit(x | (x == 0)); /* 0 counts as 1 */
    const uint32_t m =
        octaves > 15 ? (uint32_t)(x >> (octaves - 15)) : (uint32_t)(x | (x == 0)) << (15 - octaves);
    /* log2(1 + f) = f + 0.3437 f (1 - f) + e, |e| < 0.009 */
    const uint32_t f_q15 = m - (1u << 15);
    const uint32_t bow_q15 = (((f_q15 * ((1u << 15) - f_q15)) >> 15) * 11263u) >> 15;
    return (int16_t)(octaves * 256 + (int32_t)((f_q15 + bow_q15 + 64u) >> 7));
}

uint32_t ein_sqrt(uint64_t x)
{
    uint32_t halvings = 0;
    if (x > UINT32_MAX) { /* what is cut off is below the result's sixteenth bit */
        halvings = (uint32_t)(highest_bit(x) - 30) / 2u;
        x >>= 2u * halvings;
    }
    if (x == 0) {
        return 0;
    }
    /* Newton's steps from above the root: they fall until they are there. */
    const uint32_t n = (uint32_t)x;
    uint32_t root;
    uint32_t next = 1u << (highest_bit(n) / 2 + 1);
    do {
        root = next;
        next = (root + n / root) / 2u;
    } while (next < root);
    return root << halvings;
}

int16_t ein_ratio_q15(int64_t num, uint64_t den)
{
    const uint32_t negative = num < 0;
    uint64_t n = negative ? (uint64_t)0 - (uint64_t)num : (uint64_t)num;
    const int32_t bits = highest_bit(den | n | 1u) + 1;
    if (bits > 16) { /* to 16 bits: 32-bit division is far cheaper */
        den >>= bits - 16;
        n >>= bits - 16;
    }
    if (den == 0) {
        return 0;
    }
    uint32_t ratio = (((uint32_t)n << 15) + (uint32_t)(den >> 1)) / (uint32_t)den;
    if (ratio > 32767u) {
        ratio = 32767u;
    }
    return (int16_t)(negative ? -(int32_t)ratio : (int32_t)ratio);
}
