#include "ein_fixed.h"

int16_t ein_log2_q8(uint64_t x)
{
    int32_t octaves = 0;
    if (x == 0) {
        x = 1;
    }
    while (x >= 1u << 16) {
        x >>= 1;
        octaves++;
    }
    uint32_t m = (uint32_t)x;
    octaves += 15;
    while (m < 1u << 15) {
        m <<= 1;
        octaves--;
    }
    /* log2(1 + f) = f + 0.3437 f (1 - f) + e, |e| < 0.009 */
    const uint32_t f_q15 = m - (1u << 15);
    const uint32_t bow_q15 = (((f_q15 * ((1u << 15) - f_q15)) >> 15) * 11263u) >> 15;
    return (int16_t)(octaves * 256 + (int32_t)((f_q15 + bow_q15 + 64u) >> 7));
}

uint32_t ein_sqrt(uint64_t x)
{
    uint64_t root = 0;
    uint64_t bit = (uint64_t)1 << 62;
    while (bit > x) {
        bit >>= 2;
    }
    for (; bit != 0; bit >>= 2) {
        if (x >= root + bit) {
            x -= root + bit;
            root = (root >> 1) + bit;
        } else {
            root >>= 1;
        }
    }
    return (uint32_t)root;
}

int16_t ein_ratio_q15(int64_t num, uint64_t den)
{
    const uint32_t negative = num < 0;
    uint64_t n = negative ? (uint64_t)0 - (uint64_t)num : (uint64_t)num;
    while (den > UINT32_MAX >> 16 || n > UINT32_MAX >> 16) { /* 32-bit division is far cheaper */
        den >>= 1;
        n >>= 1;
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
