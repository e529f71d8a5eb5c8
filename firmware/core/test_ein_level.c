/* Compiled and run by einthoven/native/tests/test_core_modules.py: the running median and
 * quartiles. */
#include "ein_level.h"

#include <stdio.h>
#include <stdlib.h>

static void check(int good, const char *what)
{
    if (!good) {
        printf("failed: %s\n", what);
        exit(1);
    }
}

/* How many of the last n values lie below and above x. */
static void count(const uint32_t *values, uint32_t n, uint32_t x, uint32_t *below, uint32_t *above)
{
    *below = *above = 0;
    for (uint32_t i = 0; i < n; i++) {
        *below += values[i] < x;
        *above += values[i] > x;
    }
}

int main(void)
{
    static uint32_t values[500];
    ein_level_t level;
    ein_level_clear(&level);
    check(level.median == 0 && level.count == 0, "empty");
    uint32_t state = 1;
    for (uint32_t i = 0; i < 500; i++) {
        state = state * 1664525u + 1013904223u;
        values[i] = i % 7 == 0 ? 0x7FFFFFFFu : state >> 12;
        ein_level_add(&level, values[i]);
        uint32_t n = i + 1 < EIN_LEVEL_VALUES ? i + 1 : EIN_LEVEL_VALUES;
        uint32_t below, above;
        count(&values[i + 1 - n], n, level.median, &below, &above);
        check(below <= n / 2 && above <= n / 2, "half below, half above");
        count(&values[i + 1 - n], n, level.low, &below, &above);
        check(below <= n / 4 && above < n - n / 4, "a quarter below");
        count(&values[i + 1 - n], n, level.high, &below, &above);
        check(above <= n / 4 && below < n - n / 4, "a quarter above");
    }
    ein_level_clear(&level);
    ein_level_add(&level, 10);
    check(level.median == 10, "one");
    ein_level_add(&level, 20);
    check(level.median == 15, "mean of the middle two");
    ein_level_add(&level, 1000000);
    check(level.median == 20, "an outlier does not move it");
    return 0;
}
