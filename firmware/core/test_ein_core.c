/* Compiled and run by einthoven/native/tests/test_core_modules.py: the whole signal path, and
   hostile input under the sanitizers. What the beats are is tested on records
   (test_core_records.py). */
#include "ein_core.h"

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

#define LENGTH 36000u /* 200 s */

static const ein_core_config_t CONFIG = {200, -2048, 2047};
static ein_core_t core;
static int16_t samples[LENGTH];
static uint32_t n_beats, n_changes, last_r, digest;
static uint16_t last_state, beat_flags;
static uint32_t random_state;

static uint32_t next_random(void)
{
    random_state = random_state * 1664525u + 1013904223u;
    return random_state >> 8;
}

/* 72 beats a minute, QRS and T, as counts. */
static void make_ecg(void)
{
    memset(samples, 0, sizeof samples);
    for (uint32_t t = 100; t + 80 < LENGTH; t += 150) {
        for (uint32_t d = 0; d < 6; d++) {
            samples[t + d] = (int16_t)(samples[t + d] + 200 - 33 * (int32_t)d);
            samples[t - d] = samples[t + d];
        }
        for (uint32_t d = 0; d < 40; d++)
            samples[t + 40 + d] = (int16_t)(d < 20 ? d : 40 - d);
    }
}

static void mix(uint32_t value)
{
    digest = (digest ^ value) * 16777619u;
}

static void take(const ein_event_t *event)
{
    check((int32_t)(event->t_emitted - event->t_samples) >= 0, "no event before its time");
    mix(event->t_samples);
    mix(event->t_emitted);
    mix(event->flags);
    if (event->kind == EIN_EVENT_SIGNAL) {
        check(event->tensor == NULL, "no tensor");
        check(event->flags != last_state, "a change");
        last_state = event->flags;
        n_changes++;
        return;
    }
    check(event->kind == EIN_EVENT_BEAT && event->tensor != NULL, "a beat has a tensor");
    check(n_beats == 0 || (int32_t)(event->t_samples - last_r) > 0, "beats in order");
    check((int32_t)(ein_core_samples(&core) - event->t_samples) > 0, "R lies behind");
    for (uint32_t i = 0; i < EIN_WINDOW_SAMPLES; i++)
        mix((uint8_t)event->tensor->signal[i][0] + 256u * (uint8_t)event->tensor->signal[i][1]);
    for (uint32_t i = 0; i < EIN_FEATURES; i++)
        mix((uint8_t)event->tensor->features[i]);
    last_r = event->t_samples;
    beat_flags = event->flags;
    n_beats++;
}

static void drain(void)
{
    ein_event_t event;
    while (ein_core_next(&core, &event))
        take(&event);
}

static void start(void)
{
    check(ein_core_init(&core, &CONFIG) == EIN_OK, "init");
    n_beats = n_changes = last_r = 0;
    last_state = 0;
    digest = 2166136261u;
}

static void push(uint32_t from, uint32_t to, uint32_t most)
{
    while (from < to) {
        uint32_t n = 1 + (most > 1 ? next_random() % most : 0);
        if (n > to - from)
            n = to - from;
        size_t used = ein_core_push(&core, samples + from, n);
        check(used <= n, "not more than given");
        from += (uint32_t)used;
        drain();
    }
}

static void finish(void)
{
    ein_core_finish(&core);
    drain();
    check(ein_core_push(&core, samples, 10) == 0, "nothing after the end");
    drain();
}

static void test_arguments(void)
{
    ein_core_config_t bad = {0, -2048, 2047};
    check(ein_core_init(NULL, &CONFIG) == EIN_ERR_ARG, "no core");
    check(ein_core_init(&core, NULL) == EIN_ERR_ARG, "no configuration");
    check(ein_core_init(&core, &bad) == EIN_ERR_CONFIG, "gain 0");
}

static void test_finds_all(void)
{
    make_ecg();
    start();
    push(0, LENGTH, LENGTH);
    finish();
    check(n_beats == (LENGTH - 80 - 100 + 149) / 150, "every beat, the last ones too");
    check(last_state == 0 && n_changes == 2, "learned, then a good signal");
}

static void test_pending_events_stop_the_push(void)
{
    start();
    size_t used = ein_core_push(&core, samples, LENGTH);
    check(used == 1, "the first sample reports the learning phase");
    check(ein_core_push(&core, samples + 1, 100) == 0, "not drained: nothing is lost");
    drain();
    check(ein_core_push(&core, samples + 1, 100) == 100, "goes on");
}

static void test_any_split(void)
{
    make_ecg();
    for (uint32_t t = 20000; t < 20100; t++)
        samples[t] = 2047;
    start();
    push(0, LENGTH, LENGTH);
    finish();
    uint32_t whole = digest;
    static const uint32_t most[] = {1, 2, 17, 1000};
    for (uint32_t i = 0; i < sizeof most / sizeof most[0]; i++) {
        random_state = i;
        start();
        push(0, LENGTH, most[i]);
        finish();
        check(digest == whole, "the same events for any split");
    }
}

static void test_gaps(void)
{
    make_ecg();
    start();
    push(0, 10000, 500);
    uint32_t before = n_beats;
    ein_core_gap(&core, 3);
    drain();
    check(ein_core_samples(&core) == 10003, "time goes on in a gap");
    push(10003, 11000, 500);
    check(n_beats >= before + 6, "a short one is bridged");
    check((beat_flags & EIN_FLAG_BREAK) == 0, "and breaks no rhythm");

    ein_core_gap(&core, 100000);
    drain();
    check(last_state & EIN_FLAG_GAP, "a long one is reported");
    check(ein_core_samples(&core) == 111000, "time");
    before = n_beats;
    push(11000, 11000 + 540, 500);
    check(last_state == 0, "3 s later it has learned again");
    push(11540, 12500, 500);
    check(n_beats >= before + 7, "and finds beats");

    ein_core_gap(&core, UINT32_MAX);
    drain();
    check(ein_core_samples(&core) == 112500u - 1u, "time wraps");
    push(12500, 14000, 500);
    check((last_state & EIN_FLAG_GAP) == 0, "goes on behind the longest gap");
    finish();
}

/* Half a year and more of samples: time wraps, differences stay right. */
static void test_long_times(void)
{
    static const uint32_t before[] = {0x7FFFFF00u, 0x80000100u, 0xFFFFF000u};
    make_ecg();
    for (uint32_t i = 0; i < sizeof before / sizeof before[0]; i++) {
        start();
        ein_core_gap(&core, before[i]);
        drain();
        n_beats = 0;
        push(0, 15000, 300);
        check(n_beats >= 98 && n_beats <= 100, "finds beats at any time");
        check(last_state == 0, "in a good signal");
    }
}

static void test_lead_off_and_back(void)
{
    make_ecg();
    for (uint32_t t = 15000; t < 16000; t++)
        samples[t] = -2048;
    for (uint32_t t = 16000; t < LENGTH; t++)
        samples[t] = (int16_t)(samples[t] + 700);
    start();
    push(0, 15900, 300);
    check(last_state == (EIN_FLAG_LEAD_OFF | EIN_FLAG_SATURATED | EIN_FLAG_LEARNING), "off");
    uint32_t before = n_beats;
    push(15900, 16000 + 540, 300);
    check(last_state == 0, "back within 3 s");
    push(16540, 17500, 300);
    check(n_beats >= before + 8, "no beat lost but those in it");
}

static void test_flat(void)
{
    make_ecg();
    memset(samples + 20000, 0, 1000 * sizeof samples[0]);
    start();
    push(0, 20900, 300);
    check(last_state == EIN_FLAG_FLAT, "flat");
    push(20900, LENGTH, 300);
    check(last_state == 0, "moves again");
}

static void test_end_in_the_learning_phase(void)
{
    make_ecg();
    start();
    push(0, 300, 300);
    finish();
    check(n_beats == 2 && last_r > 240, "a record of 1.7 s has its two beats");
    start();
    finish();
    check(n_beats == 0, "an empty one has none");
}

/* Anything may come: the sanitizers, the checks in take() and the bound on the rate must hold. */
static void test_hostile_input(void)
{
    static const ein_core_config_t configs[] = {
        {200, -2048, 2047}, {1, INT16_MIN, INT16_MAX}, {32767, INT16_MIN, INT16_MAX}, {1, -1, 1}};
    for (uint32_t kind = 0; kind < 7; kind++) {
        random_state = kind;
        for (uint32_t t = 0; t < LENGTH; t++) {
            uint32_t r = next_random();
            int32_t value = (int16_t)r;
            if (kind == 1) /* rails and between */
                value = t / 100 % 2 ? 2047 : t / 50 % 2 ? -2048 : 0;
            else if (kind == 2) /* full swing at the QRS band */
                value = t / 6 % 2 ? 32766 : -32767;
            else if (kind == 3) /* rare spikes */
                value = r % 97 ? 0 : (int16_t)next_random();
            else if (kind == 4) /* full swing at the baseline's band */
                value = t / 225 % 2 ? 32766 : -32767;
            else if (kind == 5) /* small noise */
                value = (int32_t)(r % 5) - 2;
            else if (kind == 6) /* a ramp */
                value = (int16_t)(t * 7u);
            samples[t] = (int16_t)value;
        }
        for (uint32_t c = 0; c < sizeof configs / sizeof configs[0]; c++) {
            start();
            check(ein_core_init(&core, &configs[c]) == EIN_OK, "init");
            push(0, LENGTH / 2, 700);
            ein_core_gap(&core, next_random() % 2000);
            drain();
            push(LENGTH / 2, LENGTH, 700);
            finish();
            check(n_beats <= LENGTH / EIN_QRS_REFRACTORY_SAMPLES + 1, "never above 270 a minute");
        }
    }
}

int main(void)
{
    test_arguments();
    test_finds_all();
    test_pending_events_stop_the_push();
    test_any_split();
    test_gaps();
    test_long_times();
    test_lead_off_and_back();
    test_flat();
    test_end_in_the_learning_phase();
    test_hostile_input();
    return 0;
}
