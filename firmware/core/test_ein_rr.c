/* Compiled and run by einthoven/native/tests/test_beat_stage.py. Oracle: sorting, and arithmetic by
 * hand.
 */
#include "ein_rr.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void check(int good, const char *what)
{
    if (!good) {
        printf("failed: %s\n", what);
        exit(1);
    }
}

static int by_value(const void *a, const void *b)
{
    return *(const int16_t *)a - *(const int16_t *)b;
}

static void test_quantiles(void)
{
    static ein_rr_t rr;
    int16_t history[500];
    ein_rr_init(&rr);
    check(ein_order_quantile(&rr.rr, 16, -7) == -7, "no value yet");
    uint32_t seed = 1;
    for (size_t i = 0; i < 500; i++) {
        seed = seed * 1664525u + 1013904223u;
        const uint32_t samples = 60u + (seed >> 24); /* with repetitions */
        ein_rr_push(&rr, samples);
        history[i] = ein_rr_log_q8(samples);
        const size_t n = i + 1 < EIN_ORDER_LENGTH ? i + 1 : EIN_ORDER_LENGTH;
        int16_t sorted[EIN_ORDER_LENGTH];
        memcpy(sorted, history + i + 1 - n, n * sizeof sorted[0]);
        qsort(sorted, n, sizeof sorted[0], by_value);
        check(ein_order_quantile(&rr.rr, 0, 0) == sorted[0], "smallest");
        check(ein_order_quantile(&rr.rr, 32, 0) == sorted[n - 1], "largest");
        check(ein_order_quantile(&rr.rr, 16, 0) == sorted[(n - 1 + 1) / 2], "median");
    }
}

static void test_means(void)
{
    static ein_rr_t rr;
    ein_rr_init(&rr);
    check(ein_rr_mean_q8(&rr) == ein_rr_log_q8(EIN_RR_TYPICAL_SAMPLES), "before the first");
    ein_rr_push(&rr, 200);
    check(ein_rr_mean_q8(&rr) == ein_rr_log_q8(200), "the first interval is the mean");
    ein_rr_push(&rr, 100);
    const int both = (ein_rr_log_q8(200) + ein_rr_log_q8(100)) / 2;
    check(abs(ein_rr_mean_q8(&rr) - both) <= 1, "mean of two");
    for (int i = 0; i < 100; i++) {
        ein_rr_push(&rr, 150);
    }
    check(abs(ein_rr_mean_q8(&rr) - ein_rr_log_q8(150)) <= 1, "follows");
    check(ein_rr_log_q8(UINT32_MAX) == ein_rr_log_q8(EIN_RR_MAX_SAMPLES), "cut");
}

/* Bigeminy is irregular from beat to beat but not over two beats; AF is in either. */
static void test_irregularity(void)
{
    static ein_rr_t rr;
    ein_rr_init(&rr);
    for (int i = 0; i < 64; i++) {
        ein_rr_push(&rr, i % 2 ? 100 : 200);
    }
    check(ein_order_quantile(&rr.step1, 16, 0) == 256, "one octave between the intervals");
    check(ein_order_quantile(&rr.step2, 16, 0) == 0, "none over two");
    ein_rr_break(&rr);
    ein_rr_push(&rr, 50);
    check(ein_order_quantile(&rr.step1, 32, 0) == 256, "no step over a break");
}

int main(void)
{
    test_quantiles();
    test_means();
    test_irregularity();
    return 0;
}
