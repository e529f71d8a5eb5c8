/* Compiled and run by einthoven/native/tests/test_core_modules.py: pairs against plain arithmetic.
 */
#include "ein_pair.h"

#include <stdio.h>
#include <stdlib.h>

static void check(int good, const char *what)
{
    if (!good) {
        printf("failed: %s\n", what);
        exit(1);
    }
}

static int32_t clip(int64_t x, int32_t low, int32_t high)
{
    return (int32_t)(x < low ? low : x > high ? high : x);
}

static void test(const int16_t a[2], const int16_t b[2])
{
    const ein_pair_t x = ein_pair_load(a), y = ein_pair_load(b);
    const int64_t dot = (int64_t)a[0] * b[0] + (int64_t)a[1] * b[1];
    const int64_t large = INT64_C(1) << 40;
    check(ein_pair_dot(large, x, y) == large + dot, "dot product");
    check(ein_pair_dot(-large, x, y) == dot - large, "dot product, negative");
    check(ein_pair_sum(1000000, x) == 1000000 + a[0] + a[1], "sum");
    int16_t difference[2];
    const ein_pair_t d = ein_pair_sub(x, y);
    for (int i = 0; i < 2; i++)
        difference[i] = (int16_t)clip((int64_t)a[i] - b[i], INT16_MIN, INT16_MAX);
    check(d == ein_pair_load(difference), "difference");
    const ein_pair_t low = ein_pair_min(x, y), high = ein_pair_max(x, y);
    check(ein_pair_first(low) == (a[0] < b[0] ? a[0] : b[0]) &&
              ein_pair_second(low) == (a[1] < b[1] ? a[1] : b[1]),
          "lower");
    check(ein_pair_first(high) == (a[0] > b[0] ? a[0] : b[0]) &&
              ein_pair_second(high) == (a[1] > b[1] ? a[1] : b[1]),
          "higher");
    const int16_t gain_q15 = b[0];
    for (int i = 0; i < 2; i++) {
        const int64_t product = (int64_t)a[i] * gain_q15 + (1 << 14);
        const int64_t rounded = (product - (product & 32767)) / 32768;
        const int8_t scaled =
            i == 0 ? ein_pair_scale_first(x, gain_q15) : ein_pair_scale_second(x, gain_q15);
        check(scaled == clip(rounded, -128, 127), "scaled");
    }
}

int main(void)
{
    static const int16_t extremes[] = {INT16_MIN, INT16_MIN + 1, -1,       0,
                                       1,         INT16_MAX - 1, INT16_MAX};
    const uint32_t n = sizeof extremes / sizeof extremes[0];
    for (uint32_t i = 0; i < n * n * n * n; i++) {
        const int16_t a[2] = {extremes[i % n], extremes[i / n % n]};
        const int16_t b[2] = {extremes[i / n / n % n], extremes[i / n / n / n]};
        test(a, b);
    }
    uint32_t state = 1;
    for (uint32_t i = 0; i < 20000; i++) {
        int16_t x[4];
        for (int k = 0; k < 4; k++) {
            state = state * 1664525u + 1013904223u;
            x[k] = (int16_t)((int32_t)state >> (16 + state % 12));
        }
        test(x, x + 2);
    }
    return 0;
}
