#include "ein_fixed.h"

int16_t ein_log2_q8(uint64_t x)
{
    int32_t octaves = 0;
    if (x == 0) {
        x = 1;
    }
    while (x > UINT32_MAX) {
        x >>= 8;
        octaves += 8;
    }
    uint32_t m = (uint32_t)x;
    while (m >= 1u << 16) {
        m >>= 1;
        octaves++;
    }
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
    uint32_t halvings = 0;
    while (x > UINT32_MAX) { /* what is cut off is below the result's sixteenth bit */
        x >>= 2;
        halvings++;
    }
    uint32_t rest = (uint32_t)x;
    uint32_t root = 0;
    for (uint32_t bit = 1u << 30; bit != 0; bit >>= 2) {
        if (rest >= root + bit) {
            rest -= root + bit;
            root = (root >> 1) + bit;
        } else {
            root >>= 1;
        }
    }
    return root << halvings;
}

int16_t ein_ratio_q15(int64_t num, uint64_t den)
{
    const uint32_t negative = num < 0;
    uint64_t n = negative ? (uint64_t)0 - (uint64_t)num : (uint64_t)num;
    while (den >> 24 != 0 || n >> 24 != 0) { /* to 16 bits: 32-bit division is far cheaper */
        den >>= 8;
        n >>= 8;
    }
    while (den >> 16 != 0 || n >> 16 != 0) {
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
