#include "ein_self_test.h"

#include <string.h>

#include "ein_bus.h"

#define SETTLE_SAMPLES 90u
#define NOISE_SAMPLES 180u
#define SIGNAL_SAMPLES 360u /* two periods of the slower test signal */
#define PATIENCE_US 4000000u

enum { NOISE, SIGNAL, DONE };

static bool done(ein_self_test_t *test, ein_front_end_t *fe, ein_self_test_verdict_t verdict)
{
    ein_front_end_stop(fe);
    test->result.verdict = (uint8_t)verdict;
    test->phase = DONE;
    return true;
}

static bool start(ein_self_test_t *test, ein_front_end_t *fe, ein_front_end_input_t input)
{
    test->samples = 0;
    test->lowest = INT16_MAX;
    test->highest = INT16_MIN;
    test->step = test->edge = 0;
    const bool good = ein_front_end_start(fe, input);
    test->since_us = ein_bus_us();
    return good;
}

void ein_self_test_begin(ein_self_test_t *test, ein_front_end_t *fe)
{
    *test = (ein_self_test_t){.phase = NOISE};
    const bool testable = ein_front_end_info(fe)->test_uv != 0;
    if (!start(test, fe, testable ? EIN_FRONT_END_SHORTED : EIN_FRONT_END_ELECTRODES)) {
        done(test, fe, EIN_SELF_TEST_SILENT);
    } else if (!testable) {
        done(test, fe, EIN_SELF_TEST_NONE);
    }
}

static int32_t size(int32_t x)
{
    return x < 0 ? -x : x;
}

static void watch_edges(ein_self_test_t *test, int16_t count)
{
    const uint32_t middle = EIN_SELF_TEST_SPAN / 2u;
    memmove(test->last + 1, test->last, sizeof(test->last) - sizeof(test->last[0]));
    test->last[0] = count;
    const int32_t edge = size(test->last[middle] - test->last[middle + 1u]);
    if (test->samples > SETTLE_SAMPLES + EIN_SELF_TEST_SPAN && edge > test->edge) {
        test->edge = edge;
        test->step = test->last[0] - test->last[EIN_SELF_TEST_SPAN - 1u];
    }
}

/* True when so many samples have come behind those in which the part settles. */
static bool collect(ein_self_test_t *test, ein_front_end_t *fe, uint32_t n)
{
    ein_front_end_sample_t sample;
    while (test->samples < SETTLE_SAMPLES + n && ein_front_end_take(fe, &sample)) {
        if (!sample.present || ++test->samples <= SETTLE_SAMPLES) {
            continue;
        }
        test->lowest = sample.count < test->lowest ? sample.count : test->lowest;
        test->highest = sample.count > test->highest ? sample.count : test->highest;
        watch_edges(test, sample.count);
    }
    return test->samples >= SETTLE_SAMPLES + n;
}

/* Counts as thousandths of full_uv. */
static uint16_t permille(uint32_t counts, const ein_front_end_t *fe, uint32_t full_uv)
{
    const uint32_t full = full_uv * ein_front_end_info(fe)->gain_lsb_per_mv / 1000u;
    const uint32_t value = counts * 1000u / (full == 0 ? 1u : full);
    return (uint16_t)(value > UINT16_MAX ? UINT16_MAX : value);
}

bool ein_self_test_step(ein_self_test_t *test, ein_front_end_t *fe)
{
    if (test->phase == DONE) {
        return true;
    }
    ein_front_end_step(fe);
    if (!collect(test, fe, test->phase == NOISE ? NOISE_SAMPLES : SIGNAL_SAMPLES)) {
        return ein_bus_us() - test->since_us > PATIENCE_US && done(test, fe, EIN_SELF_TEST_SILENT);
    }
    if (test->phase == NOISE) {
        test->result.noise_uv = permille((uint32_t)(test->highest - test->lowest), fe, 1000u);
        if (test->result.noise_uv > EIN_SELF_TEST_NOISE_UV) {
            return done(test, fe, EIN_SELF_TEST_NOISY);
        }
        test->phase = SIGNAL;
        return !start(test, fe, EIN_FRONT_END_TEST) && done(test, fe, EIN_SELF_TEST_SILENT);
    }
    test->result.gain_permille =
        permille((uint32_t)size(test->step), fe, ein_front_end_info(fe)->test_uv);
    const int32_t off = (int32_t)test->result.gain_permille - 1000;
    const bool good =
        off <= (int32_t)EIN_SELF_TEST_GAIN_PERMILLE && off >= -(int32_t)EIN_SELF_TEST_GAIN_PERMILLE;
    return done(test, fe, good ? EIN_SELF_TEST_GOOD : EIN_SELF_TEST_GAIN);
}
