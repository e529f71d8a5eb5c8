/* Compiled and run by einthoven/native/tests/test_core_modules.py: the detector on made-up waves,
   which go through filters and ring as in ein_core. */
#include "ein_qrs.h"

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

#define LENGTH 18000u /* 100 s */
#define MOST 400u

static int32_t signal_uv[LENGTH];
static uint32_t found[MOST], found_at[MOST];
static uint16_t found_flags[MOST];
static uint32_t n_found;
static ein_qrs_t qrs;
static ein_ring_t ring;
static ein_filter_t bandpass;
static uint32_t wake;
static bool always; /* attend at every sample, not only when something is due */

static void quiet(void)
{
    memset(signal_uv, 0, sizeof signal_uv);
}

/* A triangle: half_width samples to either side of t. */
static void wave(uint32_t t, int32_t peak_uv, int32_t half_width)
{
    for (int32_t d = -half_width; d <= half_width; d++) {
        uint32_t i = t + (uint32_t)d;
        if (i < LENGTH)
            signal_uv[i] += peak_uv * (half_width - (d < 0 ? -d : d)) / half_width;
    }
}

static void beats(uint32_t from, uint32_t to, uint32_t rr, int32_t peak_uv)
{
    for (uint32_t t = from; t < to; t += rr)
        wave(t, peak_uv, 6);
}

static void start(void)
{
    memset(&ring, 0, sizeof ring);
    memset(&bandpass, 0, sizeof bandpass);
    ring.end_samples = (uint32_t)-EIN_FILTER_BANDPASS_DELAY_SAMPLES;
    ein_qrs_init(&qrs);
    wake = ring.end_samples;
    n_found = 0;
}

static void run(uint32_t from, uint32_t to)
{
    for (uint32_t t = from; t < to; t++) {
        const uint32_t now = ring.end_samples;
        int32_t q8 = ein_filter_bandpass(&bandpass, signal_uv[t] * 256);
        ein_ring_push(&ring, (int16_t)((q8 + 128) >> 8));
        if (ein_qrs_push(&qrs, now, q8) || always || (int32_t)(now - wake) >= 0) {
            ein_qrs_attend(&qrs, &ring);
            wake = ein_qrs_wake_samples(&qrs, now);
        }
        while (n_found < MOST && ein_qrs_next(&qrs, &found[n_found], &found_flags[n_found])) {
            check(n_found == 0 || (int32_t)(found[n_found] - found[n_found - 1]) > 0, "in order");
            found_at[n_found++] = t;
        }
    }
}

/* The index of the detection within 4 samples of t, or -1. */
static int32_t at(uint32_t t)
{
    for (uint32_t i = 0; i < n_found; i++)
        if (found[i] + 4 >= t && found[i] <= t + 4)
            return (int32_t)i;
    return -1;
}

static void test_finds_each_beat_at_its_peak(int32_t peak_uv, int32_t half_width)
{
    quiet();
    for (uint32_t t = 100; t < LENGTH - 200; t += 150)
        wave(t, peak_uv, half_width);
    start();
    run(0, LENGTH);
    check(n_found == (LENGTH - 200 - 100 + 149) / 150, "every beat, nothing else");
    int32_t offset = (int32_t)(found[1] - 250);
    check(offset >= -2 && offset <= 2, "at the peak");
    for (uint32_t i = 1; i < n_found; i++) {
        check((int32_t)(found[i] - (100 + 150 * i)) == offset, "always at the same place");
        if (i >= 3)
            check(found_at[i] - found[i] <= 46, "decided within 256 ms");
    }
    check(found_flags[0] & EIN_FLAG_LEARNING, "the first ones are judged in retrospect");
    check(found_flags[0] & EIN_FLAG_BREAK, "there is no rhythm before the first");
    check(found_flags[10] == 0, "later ones are plain");
}

static void test_waves_that_are_no_beats(void)
{
    quiet();
    beats(100, LENGTH - 200, 150, 1000);
    for (uint32_t t = 100; t < LENGTH - 200; t += 150) {
        wave(t + 55, 450, 20); /* T, as large as T waves get */
        wave(t - 30, 200, 8);  /* P */
    }
    start();
    run(0, LENGTH);
    check(n_found == 118, "T and P waves are passed over");
}

/* A low QRS with a tall P wave 210 ms before it, as in MIT-BIH's record 108. */
static void test_tall_p_wave(void)
{
    quiet();
    for (uint32_t t = 100; t < LENGTH - 200; t += 170) {
        wave(t, -600, 6);
        wave(t - 38, 420, 6);
    }
    start();
    run(0, LENGTH);
    for (uint32_t t = 100 + 170 * 4; t < LENGTH - 200; t += 170) {
        check(at(t) >= 0, "the QRS is found");
        check(at(t - 38) < 0, "its P wave is not");
    }
}

/* A broad peak whose trailing edge ends in a corner, as the ectopic beats of MIT-BIH's record 208.
 */
static void test_peak_and_not_the_corner(void)
{
    quiet();
    for (uint32_t t = 100; t < LENGTH - 200; t += 150) {
        wave(t, 1000, 12);
        wave(t + 9, -700, 3);
    }
    start();
    run(0, LENGTH);
    for (uint32_t t = 100 + 150 * 4; t < LENGTH - 200; t += 150)
        check(at(t) >= 0, "R is the peak");
}

/* In noise and a regular rhythm, what comes early must be large; in a clean signal it need not. */
static void test_early_waves(bool noisy)
{
    quiet();
    beats(100, LENGTH - 200, 150, 1000);
    if (noisy)
        for (uint32_t t = 140; t < LENGTH - 200; t += 150)
            wave(t, 460, 6);
    wave(100 + 150 * 40 + 80, 700, 6);
    start();
    run(0, LENGTH);
    check(ein_qrs_state(&qrs) == (noisy ? EIN_FLAG_NOISY : 0), "noisy or not");
    check((at(100 + 150 * 40 + 80) < 0) == noisy, "an early wave of the usual size");
}

static void test_search_back(void)
{
    quiet();
    beats(100, LENGTH - 200, 150, 1000);
    wave(100 + 150 * 20, -680, 6); /* leaves 320 uV of this beat */
    start();
    run(0, LENGTH);
    int32_t i = at(100 + 150 * 20);
    check(i >= 0 && (found_flags[i] & EIN_FLAG_SEARCH_BACK), "a weak beat is found late");
    check(n_found == 118, "and the others as ever");
}

static void test_amplitude_steps(int32_t factor_q2)
{
    quiet();
    beats(100, 9000, 150, 1200);
    beats(9100, LENGTH - 200, 150, 1200 * factor_q2 / 4);
    start();
    run(0, LENGTH);
    for (uint32_t t = 9100 + 540; t < LENGTH - 200; t += 150)
        check(at(9100 + (t - 9100) / 150 * 150) >= 0, "follows within 3 s");
    check(n_found >= 60 + 54 && n_found <= 60 + 60, "and invents nothing");
}

/* After half a minute of large artefacts the levels are far too high. */
static void test_learns_anew(void)
{
    quiet();
    beats(100, 5000, 150, 1000);
    beats(5000, 7000, 60, 12000);
    beats(7300, LENGTH - 200, 150, 1000);
    start();
    run(0, LENGTH);
    for (uint32_t t = 7300 + 150 * 4; t < LENGTH - 200; t += 150)
        check(at(t) >= 0, "finds its way back");
}

static void test_pause_is_not_filled(void)
{
    quiet();
    beats(100, 6000, 150, 1000);
    for (uint32_t t = 6200; t < 8000; t += 150)
        wave(t, 60, 10); /* P waves of a standstill */
    beats(8000, LENGTH - 200, 150, 1000);
    start();
    run(0, LENGTH);
    for (uint32_t i = 0; i < n_found; i++)
        check(found[i] < 6100 || found[i] > 7990, "P waves alone are no beats");
}

static void test_silence_then_signal(void)
{
    quiet();
    beats(4000, LENGTH - 200, 150, 1000);
    start();
    run(0, LENGTH);
    check(n_found == (LENGTH - 200 - 4000 + 149) / 150, "all beats after a silent start");
}

static void test_lost_and_back(void)
{
    quiet();
    beats(100, LENGTH - 200, 150, 1000);
    start();
    run(0, 5000);
    uint32_t before = n_found;
    for (uint32_t t = 5000; t < 6000; t++) {
        ein_ring_push(&ring, 0);
        ein_qrs_lost(&qrs);
    }
    wake = ein_qrs_wake_samples(&qrs, ring.end_samples - 1u);
    check(ein_qrs_state(&qrs) == EIN_FLAG_LEARNING, "learns");
    memset(&bandpass, 0, sizeof bandpass);
    run(6000, LENGTH);
    check(found[before] > 6000 && found[before] <= 6000 + 150, "the first beat after it");
    check(found_flags[before] & EIN_FLAG_BREAK, "starts a new rhythm");
    check(n_found - before == (LENGTH - 200 - 6000) / 150, "and all that follow");
}

static void test_says_when_it_is_noisy(void)
{
    uint32_t state = 5;
    quiet();
    beats(100, LENGTH - 200, 150, 1000);
    for (uint32_t t = 155; t < LENGTH - 200; t += 150)
        wave(t, 200, 20);
    for (uint32_t t = 6000; t < 10000; t++) {
        state = state * 1664525u + 1013904223u;
        signal_uv[t] += (int32_t)(state >> 20) - 2048;
    }
    start();
    run(0, 6000);
    check(ein_qrs_state(&qrs) == 0, "clean");
    run(6000, 10000);
    check(ein_qrs_state(&qrs) == EIN_FLAG_NOISY, "noisy");
    run(10000, LENGTH);
    check(ein_qrs_state(&qrs) == 0, "clean again");
}

/* Waves and noise of all sizes: whoever attends only when it is due finds the same at the same
 * time.
 */
static void test_wakes_when_something_is_due(void)
{
    static uint32_t all[MOST], all_at[MOST];
    for (uint32_t seed = 1; seed <= 8; seed++) {
        uint32_t state = seed;
        quiet();
        for (uint32_t t = 100; t < LENGTH - 200; t += 45 + (state >> 25)) {
            state = state * 1664525u + 1013904223u;
            wave(t, (int32_t)(state >> 20 & 2047u) - 1024, 4 + (int32_t)(state >> 10 & 15u));
        }
        for (uint32_t t = 6000; t < 12000; t++) {
            state = state * 1664525u + 1013904223u;
            signal_uv[t] += (int32_t)(state >> 24) - 128;
        }
        always = true;
        start();
        run(0, LENGTH);
        const uint32_t n = n_found;
        memcpy(all, found, sizeof all);
        memcpy(all_at, found_at, sizeof all_at);
        always = false;
        start();
        run(0, LENGTH);
        check(n > 20 && n < MOST && n_found == n, "as many");
        check(memcmp(all, found, n * sizeof all[0]) == 0, "at the same places");
        check(memcmp(all_at, found_at, n * sizeof all_at[0]) == 0, "and none later");
    }
}

int main(void)
{
    test_finds_each_beat_at_its_peak(1000, 6);
    test_finds_each_beat_at_its_peak(-1000, 6);
    test_finds_each_beat_at_its_peak(150, 5);
    test_finds_each_beat_at_its_peak(20000, 6);
    test_finds_each_beat_at_its_peak(1500, 12);
    test_waves_that_are_no_beats();
    test_tall_p_wave();
    test_peak_and_not_the_corner();
    test_early_waves(false);
    test_early_waves(true);
    test_search_back();
    test_amplitude_steps(1);
    test_amplitude_steps(16);
    test_learns_anew();
    test_pause_is_not_filled();
    test_silence_then_signal();
    test_lost_and_back();
    test_says_when_it_is_noisy();
    test_wakes_when_something_is_due();
    return 0;
}
