/* Compiled and run by einthoven/native/tests/test_strip.py. Oracle: rhythms whose figures are known
   by hand. */
#include "ein_strip_rr.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int8_t f[EIN_STRIP_RR_FEATURES];

static void check(int good, const char *what)
{
    if (!good) {
        printf("failed: %s\n", what);
        exit(1);
    }
}

static void measure(const uint32_t *rr_samples, uint32_t n, bool plain)
{
    ein_strip_rr_t rr;
    memset(&rr, 0, sizeof rr);
    for (uint32_t i = 0; i < n; i++) {
        ein_strip_rr_push(&rr, rr_samples[i], plain);
    }
    ein_strip_rr_features(&rr, f);
}

static void test_nothing(void)
{
    const uint32_t one[] = {0, 144};
    measure(NULL, 0, true);
    for (uint32_t i = 0; i < EIN_STRIP_RR_FEATURES; i++) {
        check(f[i] == 0, "no beat: all is zero");
    }
    measure(one, 1, true);
    check(f[EIN_STRIP_RR_MEDIAN] == 0 && f[EIN_STRIP_RR_STEP_Q50] == 0, "no interval");
    measure(one, 2, true);
    check(f[EIN_STRIP_RR_MEDIAN] == 0 && f[EIN_STRIP_RR_STEP_Q50] == 0, "0.8 s is usual");
}

static void test_metronome(void)
{
    uint32_t rr[40];
    for (uint32_t i = 0; i < 40; i++) {
        rr[i] = i == 0 ? 0u : 288u; /* 1.6 s: an octave above usual, 64 steps of 1/64 */
    }
    measure(rr, 40, true);
    check(f[EIN_STRIP_RR_MEDIAN] == 64, "an octave");
    check(f[EIN_STRIP_RR_SHORTEST] == 0 && f[EIN_STRIP_RR_LONGEST] == 0, "no spread");
    check(f[EIN_STRIP_RR_STEP_Q90] == 0 && f[EIN_STRIP_RR_STEP_OVER1] == 0, "no change");
    check(f[EIN_STRIP_RR_ALIKE3_31] == 127, "all alike");
    check(f[EIN_STRIP_RR_TURNS] == 0, "turns nowhere");
    check(f[EIN_STRIP_RR_FASTEST] == 64 && f[EIN_STRIP_RR_SLOWEST] == 64, "rates");
}

static void test_bigeminy(void)
{
    uint32_t rr[41];
    for (uint32_t i = 0; i < 41; i++) {
        rr[i] = i % 2 == 1 ? 100u : 200u; /* an octave apart */
    }
    measure(rr, 41, false);
    check(f[EIN_STRIP_RR_LAG1] < -110, "every second one is the other");
    check(f[EIN_STRIP_RR_TURNS] == 127, "turns at each");
    check(f[EIN_STRIP_RR_STEP_OVER5] == 127, "all changes are large");
    check(f[EIN_STRIP_RR_COMPENSATED] >= 62 && f[EIN_STRIP_RR_COMPENSATED] <= 66, "half of them");
    check(f[EIN_STRIP_RR_PLAIN_Q50] == 0, "none between beats called N");
}

static void test_one_extra_beat(void)
{
    uint32_t rr[20];
    for (uint32_t i = 0; i < 20; i++) {
        rr[i] = 144u;
    }
    rr[10] = 102u; /* half an octave early, */
    rr[11] = 204u; /* and as much of a pause: 128 in Q8, 64 in steps of 1/128 */
    measure(rr, 20, true);
    check(f[EIN_STRIP_RR_EXTRA1] >= 62 && f[EIN_STRIP_RR_EXTRA1] <= 65, "early with a pause");
    check(f[EIN_STRIP_RR_EXTRA2] < 20, "only one");
    check(f[EIN_STRIP_RR_MEDIAN] == 0, "the median does not mind");
}

static void test_many(void)
{
    uint32_t rr[EIN_STRIP_BEATS + 60u];
    for (uint32_t i = 0; i < EIN_STRIP_BEATS + 60u; i++) {
        rr[i] = i < EIN_STRIP_BEATS ? 144u : 1u;
    }
    measure(rr, EIN_STRIP_BEATS + 60u, true);
    check(f[EIN_STRIP_RR_SHORTEST] == 0, "what comes after the last one kept adds nothing");
    rr[0] = 4000000000u; /* saturates, and does not spill into the flags */
    measure(rr, 3, true);
    check(f[EIN_STRIP_RR_LONGEST] == 127, "a huge interval");
}

int main(void)
{
    test_nothing();
    test_metronome();
    test_bigeminy();
    test_one_extra_beat();
    test_many();
    printf("strip_rr: good\n");
    return 0;
}
