/* Compiled and run by einthoven/native/tests/test_rhythm_stage.py. Oracle: rhythms by hand. */
#include "ein_rhythm.h"

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

#define MOST 64u

static ein_rhythm_t rhythm;
static ein_rhythm_event_t told[MOST];
static uint32_t count;
static uint32_t now;
static uint32_t seed;

static void drain(void)
{
    ein_rhythm_event_t event;
    while (ein_rhythm_next(&rhythm, &event)) {
        check(count < MOST, "room for the test's events");
        told[count++] = event;
    }
}

static void start(uint32_t at)
{
    ein_rhythm_init(&rhythm);
    count = 0;
    seed = 1;
    now = at;
}

static uint32_t noise(uint32_t below)
{
    seed = seed * 1664525u + 1013904223u;
    return (seed >> 8) % below;
}

static void beat(uint32_t rr, uint8_t label, const ein_tensor_t *tensor)
{
    now += rr;
    const ein_rhythm_beat_t next = {now, 0, label, 255, tensor};
    ein_rhythm_beat(&rhythm, &next);
    drain();
}

static const ein_rhythm_event_t *find(ein_rhythm_kind_t kind, ein_rhythm_phase_t phase)
{
    for (uint32_t i = 0; i < count; i++) {
        if (told[i].kind == kind && told[i].phase == phase) {
            return &told[i];
        }
    }
    return NULL;
}

static uint32_t how_many(ein_rhythm_kind_t kind)
{
    uint32_t n = 0;
    for (uint32_t i = 0; i < count; i++) {
        n += told[i].kind == kind;
    }
    return n;
}

/* A window with a P wave, or with other waves in its place in every beat. */
static const ein_tensor_t *with_p(bool p_wave)
{
    static ein_tensor_t tensor;
    for (uint32_t i = 0; i < EIN_WINDOW_SAMPLES; i++) {
        const int32_t from_p = (int32_t)i - (EIN_WINDOW_BEFORE_SAMPLES - 32);
        const int32_t hump = from_p * from_p < 64 ? 24 - from_p * from_p * 3 / 8 : 0;
        tensor.signal[i][0] =
            (int8_t)(p_wave ? hump + (int32_t)noise(3) - 1 : (int32_t)noise(24) - 12);
    }
    return &tensor;
}

/* Sinus rhythm, fibrillation from a known beat to a known beat, sinus rhythm. */
static void test_fibrillation(uint32_t origin)
{
    start(origin);
    for (int i = 0; i < 60; i++) {
        beat(145u + noise(6), EIN_CLASS_N, with_p(true));
    }
    check(count == 0, "sinus rhythm is no event");
    const uint32_t begins = now;
    for (int i = 0; i < 80; i++) {
        beat(80u + noise(100), EIN_CLASS_N, with_p(false));
    }
    const uint32_t ends = now;
    const ein_rhythm_event_t *begin = find(EIN_RHYTHM_AF, EIN_RHYTHM_BEGIN);
    check(begin != NULL, "fibrillation is told while it lasts");
    check(begin->begin_samples - begins + 2000u < 4000u, "and where it began");
    for (int i = 0; i < 60; i++) {
        beat(145u + noise(6), EIN_CLASS_N, with_p(true));
    }
    const ein_rhythm_event_t *end = find(EIN_RHYTHM_AF, EIN_RHYTHM_END);
    check(end != NULL && end->begin_samples == begin->begin_samples, "its end says where it began");
    check(end->end_samples - ends + 2000u < 4000u, "and where it ended");
    check(how_many(EIN_RHYTHM_AF) == 2, "once");
}

/* Irregular, but with P waves; regular, without: neither is fibrillation. */
static void test_no_fibrillation(void)
{
    start(0);
    for (int i = 0; i < 200; i++) {
        beat(140u + noise(40), EIN_CLASS_N, with_p(true));
    }
    for (int i = 0; i < 200; i++) {
        beat(150u + noise(4), EIN_CLASS_N, with_p(false));
    }
    for (int i = 0; i < 200; i++) { /* bigeminy of atrial beats that are not called S */
        beat(i % 2 ? 100u : 180u, EIN_CLASS_N, with_p(false));
    }
    check(how_many(EIN_RHYTHM_AF) == 0, "no fibrillation");
    ein_rhythm_finish(&rhythm, now);
    drain();
    check(how_many(EIN_RHYTHM_AF) == 0, "nor at the end");
}

static void test_without_windows(void)
{
    start(0);
    for (int i = 0; i < 200; i++) {
        beat(80u + noise(120), EIN_CLASS_N, NULL);
    }
    check(how_many(EIN_RHYTHM_AF) == 0, "nothing is known of P waves");
}

/* Times wrap in the middle of a run; definitions themselves are tested through Python. */
static void test_runs(uint32_t origin)
{
    start(origin);
    beat(150, EIN_CLASS_N, NULL);
    const uint32_t first = now + 80u;
    for (int i = 0; i < 4; i++) {
        beat(80, EIN_CLASS_V, NULL);
    }
    const ein_rhythm_event_t *alarm = find(EIN_RHYTHM_ALARM_VT, EIN_RHYTHM_BEGIN);
    check(alarm != NULL && alarm->begin_samples == first, "the alarm does not wait for the end");
    check(find(EIN_RHYTHM_VT, EIN_RHYTHM_END) == NULL, "the run does");
    const uint32_t last = now;
    beat(150, EIN_CLASS_N, NULL);
    const ein_rhythm_event_t *run = find(EIN_RHYTHM_VT, EIN_RHYTHM_END);
    check(run != NULL && run->begin_samples == first && run->end_samples == last, "a run");
    check(find(EIN_RHYTHM_ALARM_VT, EIN_RHYTHM_END) != NULL, "and its alarm ends");
    beat(400, EIN_CLASS_N, NULL);
    const ein_rhythm_event_t *pause = find(EIN_RHYTHM_PAUSE, EIN_RHYTHM_END);
    check(pause != NULL && pause->end_samples - pause->begin_samples == 400, "a pause");
}

/* One beat called V among beats that nobody is sure of, fast: an alarm, and no run. */
static void test_doubtful_run(uint32_t rr)
{
    start(0);
    beat(150, EIN_CLASS_N, NULL);
    for (int i = 0; i < 5; i++) {
        now += rr;
        const uint8_t label = i == 2 ? EIN_CLASS_V : EIN_CLASS_N;
        const ein_rhythm_beat_t next = {now, 0, label, EIN_RHYTHM_VT_CERTAIN - 1, NULL};
        ein_rhythm_beat(&rhythm, &next);
        drain();
    }
    const bool fast = rr * EIN_RHYTHM_VT_FAST_BPM < 60u * EIN_PIPELINE_RATE_HZ;
    check((find(EIN_RHYTHM_ALARM_VT, EIN_RHYTHM_BEGIN) != NULL) == fast, "an alarm if fast");
    beat(150, EIN_CLASS_N, NULL);
    const ein_rhythm_event_t *end = find(EIN_RHYTHM_ALARM_VT, EIN_RHYTHM_END);
    check((end != NULL) == fast, "a sure beat ends it");
    check(end == NULL || end->end_samples == now - 150u, "where the doubt was last");
    check(find(EIN_RHYTHM_VT, EIN_RHYTHM_END) == NULL, "nothing was called a run");
}

/* 250 a minute, nearly a sine: told within 10 s; then QRS complexes, then silence. */
static void test_signal(uint32_t origin)
{
    static const int16_t sine[43] = {
        0,    146,  289,  426,  552,  665,  763,  843,  903,  942,  959,  954,  926,  877,  808,
        720,  615,  497,  369,  231,  88,   -58,  -204, -345, -478, -599, -706, -797, -868, -919,
        -949, -957, -942, -905, -847, -769, -673, -561, -437, -303, -161, -16,  58,
    };
    static ein_ring_t ring;
    memset(&ring, 0, sizeof ring);
    ring.end_samples = origin;
    start(origin);
    beat(0, EIN_CLASS_N, NULL);
    for (uint32_t i = 0; i < 20u * EIN_PIPELINE_RATE_HZ; i++) {
        ein_ring_push(&ring, sine[i % 43u]);
        ein_rhythm_sample(&rhythm, &ring);
        drain();
        if (i == 10u * EIN_PIPELINE_RATE_HZ) {
            const ein_rhythm_event_t *begin = find(EIN_RHYTHM_VF, EIN_RHYTHM_BEGIN);
            check(begin != NULL, "flutter is told within 10 s");
            check(begin->begin_samples - origin < 4u * EIN_PIPELINE_RATE_HZ, "from its beginning");
        }
    }
    for (uint32_t i = 0; i < 30u * EIN_PIPELINE_RATE_HZ; i++) {
        const uint32_t phase = i % 150u;
        ein_ring_push(&ring, (int16_t)(phase < 8u ? 1000 : 10));
        now = ring.end_samples;
        if (phase == 8u) {
            beat(0, EIN_CLASS_N, NULL);
        }
        ein_rhythm_sample(&rhythm, &ring);
        drain();
    }
    check(find(EIN_RHYTHM_VF, EIN_RHYTHM_END) != NULL, "QRS complexes end it");
    check(how_many(EIN_RHYTHM_ASYSTOLE) == 0, "there are beats");
    const uint32_t last = rhythm.last_samples;
    for (uint32_t i = 0; i < 6u * EIN_PIPELINE_RATE_HZ; i++) {
        ein_ring_push(&ring, 10);
        ein_rhythm_sample(&rhythm, &ring);
        drain();
    }
    const ein_rhythm_event_t *begin = find(EIN_RHYTHM_ASYSTOLE, EIN_RHYTHM_BEGIN);
    check(begin != NULL && begin->begin_samples == last, "silence since the last beat");
    now = ring.end_samples;
    beat(0, EIN_CLASS_N, NULL);
    check(find(EIN_RHYTHM_ASYSTOLE, EIN_RHYTHM_END) != NULL, "a beat ends it");
}

/* The lead is off: nothing is said of the heart. */
static void test_lead_off(void)
{
    static ein_ring_t ring;
    memset(&ring, 0, sizeof ring);
    start(0);
    beat(1, EIN_CLASS_N, NULL);
    ein_rhythm_signal(&rhythm, EIN_FLAG_LEAD_OFF);
    for (uint32_t i = 0; i < 30u * EIN_PIPELINE_RATE_HZ; i++) {
        ein_ring_push(&ring, 0);
        ein_rhythm_sample(&rhythm, &ring);
        drain();
    }
    check(count == 0, "no alarm from an open lead");
}

int main(void)
{
    test_fibrillation(0);
    test_fibrillation(0u - 12000u);
    test_no_fibrillation();
    test_without_windows();
    test_runs(1000);
    test_runs(0u - 200u);
    test_doubtful_run(70);
    test_doubtful_run(110);
    test_signal(0);
    test_signal(0u - 2000u);
    test_lead_off();
    check(sizeof(ein_rhythm_t) <= 640, "the state is as small as promised");
    return 0;
}
