/* Every driver on the model of its part, through every fault. Run by
 * einthoven/front_ends/tests/test_drivers.py, with ASan and UBSan.
 *
 * The signal is a sine of 5 Hz. Numbering is right if all samples, given and lost, are as many as
 * true time says, and if the phase of what is given after a fault is that of its numbers.
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ein_driver.h"
#include "ein_sim.h"
#include "ein_self_test.h"

#define PS_PER_S 1000000000000ull
#define STEP_PS 5000000000ull
#define CORE_HZ 180.0
#define SIGNAL_HZ 5.0
#define WINDOW 36 /* a period of the signal */
#define PI 3.14159265358979323846

static const ein_front_end_driver_t *const drivers[] = {&ein_ad8232, &ein_ads1292r, &ein_max30003};

static ein_front_end_t fe;
static struct {
    unsigned long long total; /* samples, given and lost, since the first */
    unsigned long long given, lost, at_rail, reports;
    unsigned leads;
    double x[WINDOW];
    unsigned run; /* given in a row, none at a rail */
    double phase; /* of the newest window, in samples, against its numbers */
    bool known;
} seen;
static const char *what = "";
static const char *part = "";

static void check_at(int good, const char *text, int line)
{
    if (!good) {
        ein_feed_stats_t s;
        ein_front_end_stats(&fe, &s);
        printf("%s, %s: failed in line %d: %s (given %llu, lost %llu, overruns %u, late %u, stuck "
               "%u, corrupt %u, resets %u, spurious %u, ppm %d, phase %.2f)\n",
               part, what, line, text, seen.given, seen.lost, s.overruns, s.late, s.stuck,
               s.corrupt, s.resets, s.spurious, s.clock_ppm, seen.phase);
        exit(1);
    }
}
#define check(good, text) check_at(good, text, __LINE__)

static int32_t sine(void *context, uint64_t t_ps)
{
    (void)context;
    const double t = (double)(t_ps % PS_PER_S) / (double)PS_PER_S;
    return (int32_t)(1e6 * sin(2 * PI * SIGNAL_HZ * t));
}

static void window_phase(void)
{
    double re = 0, im = 0;
    for (unsigned i = 0; i < WINDOW; i++) {
        const double at = (double)(seen.total - WINDOW + i) / CORE_HZ * 2 * PI * SIGNAL_HZ;
        re += seen.x[i] * sin(at);
        im += seen.x[i] * cos(at);
    }
    seen.phase = atan2(im, re) / (2 * PI * SIGNAL_HZ) * CORE_HZ;
    seen.known = true;
}

static void take_all(void)
{
    ein_front_end_sample_t sample;
    while (ein_front_end_take(&fe, &sample)) {
        seen.total += sample.lost;
        seen.lost += sample.lost;
        seen.reports += !sample.present;
        seen.run = sample.lost > 0 ? 0 : seen.run;
        if (!sample.present) {
            continue;
        }
        seen.total++;
        seen.given++;
        seen.leads |= sample.leads;
        if (sample.count >= fe.driver->info.rail_hi) {
            seen.at_rail++;
            seen.run = 0;
            continue;
        }
        memmove(seen.x, seen.x + 1, sizeof(seen.x) - sizeof(seen.x[0]));
        seen.x[WINDOW - 1] = sample.count;
        if (++seen.run >= WINDOW) {
            window_phase();
        }
    }
}

static void run_s(double seconds)
{
    const uint64_t end = ein_sim_now_ps() + (uint64_t)(seconds * (double)PS_PER_S);
    while (ein_sim_now_ps() < end) {
        ein_sim_run(ein_sim_now_ps() + STEP_PS);
        ein_front_end_step(&fe);
        take_all();
    }
}

static void begin(unsigned index, const ein_sim_config_t *config)
{
    ein_sim_config_t own = *config;
    own.part = (ein_sim_part_t)index;
    own.signal = sine;
    own.seed = 7;
    part = drivers[index]->info.name;
    memset(&seen, 0, sizeof(seen));
    ein_sim_init(&own);
    ein_front_end_init(&fe, drivers[index]);
    check(ein_front_end_start(&fe, EIN_FRONT_END_ELECTRODES), "starts");
}

/* Faults, each a few seconds into a stream. */
static void none(void)
{
}
static void late(void)
{
    ein_sim_deaf(7000000000ull);
} /* 7 ms */
static void stand_still(uint64_t for_ps) /* an erase of flash: nothing runs */
{
    ein_sim_deaf(for_ps);
    ein_sim_run(ein_sim_now_ps() + for_ps);
}
static void overflow(void)
{
    stand_still(7 * PS_PER_S / 10);
}
static void erase(void)
{
    stand_still(22 * PS_PER_S / 10);
}
static void long_erase(void)
{
    stand_still(3 * PS_PER_S);
}
static void stuck(void)
{
    ein_sim_faults.stuck = true;
}
static void flip(void)
{
    ein_sim_faults.flip_bits = 1;
}
static void flips(void)
{
    ein_sim_faults.flip_bits = 200;
}
static void reset(void)
{
    ein_sim_reset_part();
}
static void glitch(void)
{
    ein_sim_faults.glitches = 5;
}
static void off_p(void)
{
    ein_sim_faults.lead_p_off = true;
}
static void off_n(void)
{
    ein_sim_faults.lead_n_off = true;
}
static void dead(void)
{
    ein_sim_faults.spi_dead = true;
}

static void unread(void) /* the main loop is away for a second: the ring is too short */
{
    ein_sim_run(ein_sim_now_ps() + PS_PER_S);
}

enum { NO = 0, ADS = 2, MAX = 4, AD = 1, SPI = 6, ALL = 7 };
enum {
    LOST = 1,
    LATE = 2,
    STUCK = 4,
    CORRUPT = 8,
    RESETS = 16,
    SPURIOUS = 32,
    OVERRUN = 64,
    RAIL = 128
};

static const struct {
    const char *name;
    void (*go)(void);
    unsigned parts;
    double lasts_s; /* then all is as before */
    unsigned shows; /* counters that must have moved; others must not */
} cases[] = {
    {"none", none, ALL, 1, 0},
    {"interrupts late by 7 ms", late, AD | MAX, 1, 0},
    {"interrupts late by 7 ms ", late, ADS, 1, LOST | LATE},
    {"no interrupt for 0.7 s", overflow, SPI, 1, LOST | LATE},
    {"the core stands still for 2.2 s, and DMA does not", erase, AD, 1, 0},
    {"longer than DMA's ring", long_erase, AD, 1, LOST | LATE},
    {"data-ready stuck", stuck, SPI, 2, LOST | STUCK},
    {"conversions stop", stuck, AD, 2, LOST | STUCK},
    {"a flipped bit", flip, ADS, 1, LOST | CORRUPT},
    {"flipped bits", flips, ADS, 2, LOST | CORRUPT},
    {"the part resets", reset, SPI, 2, LOST | STUCK},
    {"glitches on data-ready", glitch, ADS, 1, SPURIOUS},
    {"glitches on INTB, which the FIFO answers", glitch, MAX, 1, 0},
    {"electrode off, positive", off_p, ALL, 2, RAIL},
    {"electrode off, negative", off_n, ALL, 2, RAIL},
    {"SPI dead", dead, SPI, 2, LOST | STUCK | CORRUPT},
    {"main loop away for 1 s", unread, SPI, 1, LOST | OVERRUN},
    {"main loop away for 1 s, and DMA not", unread, AD, 1, 0},
};

static void fault(unsigned index, unsigned i)
{
    const ein_sim_config_t config = {.board_ppb = 20000, .jitter_ns = 1000};
    what = cases[i].name;
    begin(index, &config);
    run_s(5);
    check(seen.known, "a first window");
    const double phase = seen.phase;
    const unsigned long long before = seen.total;
    const uint64_t before_ps = ein_sim_now_ps();
    check(seen.lost == 0 && seen.at_rail == 0, "good at first");

    cases[i].go();
    run_s(cases[i].lasts_s);
    memset(&ein_sim_faults, 0, sizeof(ein_sim_faults));
    run_s(5);

    ein_feed_stats_t s;
    ein_front_end_stats(&fe, &s);
    const unsigned shown = (seen.lost ? LOST : 0u) | (s.late ? LATE : 0u) | (s.stuck ? STUCK : 0u) |
                           (s.corrupt ? CORRUPT : 0u) | (s.resets ? RESETS : 0u) |
                           (s.spurious ? SPURIOUS : 0u) | (s.overruns ? OVERRUN : 0u) |
                           (seen.at_rail ? RAIL : 0u);
    check((cases[i].shows & ~shown) == 0, "what must be counted is");
    check((shown & ~(cases[i].shows | RESETS | SPURIOUS)) == 0, "nothing else is counted");
    if ((cases[i].shows & RAIL) != 0) {
        check(seen.leads == (cases[i].go == off_p ? EIN_LEAD_P : EIN_LEAD_N), "which electrode");
    }
    check(ein_front_end_state(&fe) == EIN_FRONT_END_RUNNING && seen.run > 300, "it has recovered");
    const double due = (double)(ein_sim_now_ps() - before_ps) / (double)PS_PER_S * CORE_HZ;
    check(fabs((double)(seen.total - before) - due) < 4, "as many as true time says");
    double moved = fmod(seen.phase - phase, WINDOW);
    moved -= WINDOW * round(moved / WINDOW);
    check(fabs(moved) < 0.5, "at the time that their numbers say");
}

/* Hours of drift, with jitter: none lost, none invented. */
static void drift(unsigned index)
{
    const ein_sim_config_t config = {
        .board_ppb = -30000, .part_ppb = 150000, .drift_ppb_per_hour = 20000, .jitter_ns = 5000};
    what = "three hours of drift";
    begin(index, &config);
    run_s(2);
    const uint32_t from = ein_sim_conversions();
    const unsigned long long total = seen.total;
    for (unsigned i = 0; i < 3 * 60; i++) {
        run_s(60);
        if (index != 0 && i % 7 == 0) {
            ein_sim_deaf(20000000000ull + i * 1000000000ull);
        }
    }
    run_s(2);
    const double due = (ein_sim_conversions() - from) * 9.0 / 25.0;
    check(fabs((double)(seen.total - total) - due) < 4, "as many as the part has converted");
    ein_feed_stats_t s;
    ein_front_end_stats(&fe, &s);
    check(s.spurious <= s.late && s.stuck == 0 && s.corrupt == 0, "nothing was wrong");
    if (index != 0) { /* the board's ADC runs by the board's own clock */
        /* 150 ppm and 3 hours of 20, and the board's 30 the other way */
        check(abs(s.clock_ppm - (150 + 60 + 30)) <= 3, "the clocks' difference, to 3 ppm");
    } else {
        check(seen.lost == 0, "none is lost");
    }
}

static void self_test(unsigned index)
{
    const ein_sim_config_t config = {0};
    what = "self-test";
    begin(index, &config);
    ein_self_test_t test;
    ein_self_test_begin(&test, &fe);
    int steps = 0;
    while (!ein_self_test_step(&test, &fe)) {
        ein_sim_run(ein_sim_now_ps() + STEP_PS);
        check(++steps < 2000, "it ends");
    }
    const ein_self_test_result_t *r = &test.result;
    if (drivers[index]->info.test_uv == 0) {
        check(r->verdict == EIN_SELF_TEST_NONE, "it has none");
        return;
    }
    check(r->verdict == EIN_SELF_TEST_GOOD, "good");
    check(r->noise_uv <= 10, "noise");
    check(abs((int)r->gain_permille - 1000) <= 20, "gain");

    ein_sim_faults.spi_dead = true;
    ein_self_test_begin(&test, &fe);
    for (steps = 0; !ein_self_test_step(&test, &fe); steps++) {
        ein_sim_run(ein_sim_now_ps() + STEP_PS);
        check(steps < 4000, "it ends");
    }
    check(test.result.verdict == EIN_SELF_TEST_SILENT, "a dead bus is told");
}

int main(void)
{
    for (unsigned index = 0; index < 3; index++) {
        for (unsigned i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
            if ((cases[i].parts >> index & 1u) != 0) {
                fault(index, i);
            }
        }
        drift(index);
        self_test(index);
    }
    printf("ok\n");
    return 0;
}
