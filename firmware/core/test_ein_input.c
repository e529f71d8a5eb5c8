/* Compiled and run by einthoven/native/tests/test_core_modules.py: counts to microvolts, rails,
 * gaps. */
#include "ein_input.h"

#include "ein_filter.h"

#include <stdio.h>
#include <stdlib.h>

static void check(int good, const char *what)
{
    if (!good) {
        printf("failed: %s\n", what);
        exit(1);
    }
}

static ein_input_t in;
static int32_t uv_q8;

static ein_input_state_t feed(int16_t count, uint32_t times)
{
    ein_input_state_t state = EIN_INPUT_LOST;
    for (uint32_t i = 0; i < times; i++)
        state = ein_input_step(&in, count);
    uv_q8 = in.held_q8;
    return state;
}

static void start(void)
{
    check(ein_input_init(&in, 200, -2048, 2047) == EIN_OK, "init");
    check(feed(100, 1) == EIN_INPUT_START && uv_q8 == 0, "first sample is the level");
}

static void test_config(void)
{
    check(ein_input_init(&in, 0, -1, 1) == EIN_ERR_CONFIG, "gain 0");
    check(ein_input_init(&in, 32768, -1, 1) == EIN_ERR_CONFIG, "gain above int16");
    check(ein_input_init(&in, 200, 5, 5) == EIN_ERR_CONFIG, "rails at one value");
    check(ein_input_init(&in, 1, INT16_MIN, INT16_MAX) == EIN_OK, "smallest gain");
    check(ein_input_init(&in, 32767, INT16_MIN, INT16_MAX) == EIN_OK, "largest gain");
}

static void test_scale(void)
{
    start();
    feed(101, 1);
    check(uv_q8 == 5 * 256, "1 LSB of 200 per mV is 5 uV");
    feed(-700, 1);
    check(uv_q8 == -4000 * 256, "exact below the level too");

    ein_input_init(&in, 1, INT16_MIN, INT16_MAX);
    feed(0, 1);
    feed(32766, 1);
    check(uv_q8 == EIN_FILTER_INPUT_MAX_Q8, "clipped at 1.05 V");
    feed(-32767, 1);
    check(uv_q8 == -EIN_FILTER_INPUT_MAX_Q8, "clipped at -1.05 V");
}

/* The short way of a plain sample, at every gain that takes it, against 64 bits and clipping. */
static void test_plain_is_exact(void)
{
    static const int16_t counts[] = {INT16_MIN + 1, -20001, -3, 0, 1, 2, 777, INT16_MAX - 1};
    const uint32_t n = sizeof counts / sizeof counts[0];
    for (uint16_t gain = 1; gain < 2000; gain++) {
        for (uint32_t level = 0; level < n; level++) {
            ein_input_init(&in, gain, INT16_MIN, INT16_MAX);
            feed(counts[level], 1);
            for (uint32_t i = 0; i < n; i++) {
                const int64_t q8 = ((int64_t)counts[i] * in.gain_q12 + 2048) >> 12;
                const int64_t most = EIN_FILTER_INPUT_MAX_Q8;
                const int64_t above = (q8 > most ? most : q8 < -most ? -most : q8) - in.level_q8;
                const bool plain = feed(counts[i], 1) == EIN_INPUT_PLAIN;
                check(plain == (gain >= 63), "plain where nothing can be clipped");
                check(!plain || uv_q8 == above, "the same value");
            }
        }
    }
}

static void test_rail_holds_and_lead_off(void)
{
    start();
    feed(300, 1);
    int32_t before = uv_q8;
    check(feed(2047, EIN_INPUT_OFF_SAMPLES - 1) == EIN_INPUT_VALID, "a clipped peak is bridged");
    check(uv_q8 == before, "by the last good value");
    check(in.flags == EIN_FLAG_SATURATED, "and flagged");
    check(feed(2047, 1) == EIN_INPUT_LOST, "a long one is an open lead");
    check(in.flags == (EIN_FLAG_SATURATED | EIN_FLAG_LEAD_OFF), "flagged so");
    check(feed(500, EIN_INPUT_BACK_SAMPLES - 1) == EIN_INPUT_LOST, "not back at once");
    check(feed(2047, 1) == EIN_INPUT_LOST, "a bounce");
    check(feed(500, EIN_INPUT_BACK_SAMPLES - 1) == EIN_INPUT_LOST, "counts from the start again");
    check(feed(500, 1) == EIN_INPUT_START && uv_q8 == 0, "back, at a level of its own");
    check((in.flags & EIN_FLAG_LEAD_OFF) == 0, "flag gone");
    feed(501, 1);
    check(uv_q8 == 5 * 256, "scale as before");
    for (int16_t i = 0; i < EIN_INPUT_CLIPPED_SAMPLES; i++)
        feed((int16_t)(500 + 2 * (i % 2)), 1);
    check(in.flags == 0, "saturation is over");
}

static void test_starts_at_a_rail(void)
{
    ein_input_init(&in, 200, -2048, 2047);
    check(feed(-2048, 1) == EIN_INPUT_LOST, "nothing to hold yet");
    check(feed(7, 1) == EIN_INPUT_START, "starts with the first good sample");
}

static void test_gap(void)
{
    start();
    feed(140, 1);
    int32_t before = uv_q8;
    check(ein_input_lost(&in) == EIN_INPUT_VALID && in.held_q8 == before, "bridged");
    check(in.flags == EIN_FLAG_GAP, "flagged");
    check(feed(141, 1) == EIN_INPUT_VALID && in.flags == 0, "over");
    check(feed(143, 1) == EIN_INPUT_PLAIN, "and nothing stands any more");
    ein_input_state_t state = EIN_INPUT_VALID;
    for (uint32_t i = 0; i < EIN_INPUT_OFF_SAMPLES; i++)
        state = ein_input_lost(&in);
    check(state == EIN_INPUT_LOST && in.flags == EIN_FLAG_GAP, "a long gap ends the signal");
    check(feed(141, EIN_INPUT_BACK_SAMPLES) == EIN_INPUT_START && in.flags == 0, "starts anew");
}

static void test_flat(void)
{
    start();
    feed(100, EIN_INPUT_FLAT_SAMPLES - 1);
    check(in.flags == 0, "short");
    feed(101, 1);
    check(in.flags == EIN_FLAG_FLAT, "1 s within 1 LSB");
    feed(103, 1);
    check(in.flags == 0, "moves");
}

int main(void)
{
    test_config();
    test_scale();
    test_plain_is_exact();
    test_rail_holds_and_lead_off();
    test_starts_at_a_rail();
    test_gap();
    test_flat();
    return 0;
}
