/* Compiled and run by einthoven/native/tests/test_beat_stage.py. Oracle: the C library's doubles.
 */
#include "ein_fixed.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

static void check(int good, const char *what, double value)
{
    if (!good) {
        printf("failed: %s (%g)\n", what, value);
        exit(1);
    }
}

int main(void)
{
    check(ein_log2_q8(0) == 0 && ein_log2_q8(1) == 0, "log2 of 0 and 1", 0);
    check(ein_log2_q8(UINT64_MAX) == 64 * 256, "log2 of the largest", 0);
    check(ein_sqrt(UINT64_MAX) == 0xFFFF0000u, "root of the largest", 0);
    uint64_t x = 1;
    for (int i = 0; i < 20000; i++) {
        x = x * 6364136223846793005u + 1442695040888963407u;
        const uint64_t v = (x >> (i % 64)) | 1u;
        const double log_error = ein_log2_q8(v) - 256.0 * log2((double)v);
        check(fabs(log_error) <= 3.0, "log2 error in LSB", log_error);
        const double root = ein_sqrt(v);
        const double true_root = sqrt((double)v);
        check(v > UINT32_MAX ? root <= true_root && root >= true_root * (1 - ldexp(1, -15))
                             : root == floor(true_root),
              "root", (double)v);
        const int64_t num = (int64_t)(x % (v | 1u)) >> 1;
        const double ratio_error = ein_ratio_q15(-num, v) + 32768.0 * (double)num / (double)v;
        check(fabs(ratio_error) <= 2.0, "ratio error in LSB", ratio_error);
    }
    check(ein_ratio_q15(7, 7) == 32767 && ein_ratio_q15(-7, 7) == -32767, "ratio saturates", 0);
    check(ein_sat8(128) == 127 && ein_sat8(-129) == -128, "sat8", 0);
    check(ein_sat16(40000) == 32767 && ein_sat16(-40000) == -32768, "sat16", 0);
    return 0;
}
