/* Compiled and run by einthoven/native/tests/test_beat_stage.py: the beat stage on made-up beats.
 */
#include "ein_beat.h"

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

/* A beat's samples around R: narrow and upright with a P wave, or wide and inverted. */
static int32_t shape_uv(char kind, int32_t t)
{
    const int32_t u = t < 0 ? -t : t;
    if (kind == 'N') {
        const int32_t p = t + 30 < 0 ? -t - 30 : t + 30;
        return (u < 6 ? 1000 - 160 * u : 0) + (p < 8 ? 120 - 15 * p : 0);
    }
    if (kind == 'M') { /* another normal beat: negative first, then positive */
        return u < 8 ? (t < 0 ? -100 : 100) * (8 - u) : 0;
    }
    return u < 22 ? -1500 + 68 * u : 0;
}

typedef struct {
    char kind;
    uint32_t r_samples;
} plan_t;

#define MOST 400

static ein_beat_t stage;
static ein_ring_t ring;
static ein_event_t events[MOST];
static ein_tensor_t tensors[MOST];
static size_t n_events;

static void collect(uint32_t now_samples)
{
    ein_event_t event;
    while (ein_beat_poll(&stage, &ring, now_samples, &event)) {
        check(n_events < MOST, "room for events");
        events[n_events] = event;
        tensors[n_events] = *event.tensor;
        n_events++;
    }
}

/* Streams the planned beats through the stage; each R becomes known 40 samples late. */
static void run(const plan_t *plan, size_t n, uint32_t end_samples, int32_t gain)
{
    memset(&ring, 0, sizeof ring);
    ein_beat_init(&stage);
    n_events = 0;
    size_t known = 0;
    for (uint32_t t = 0; t < end_samples; t++) {
        int32_t uv = 0;
        for (size_t i = 0; i < n; i++) {
            const int32_t from_r = (int32_t)(t - plan[i].r_samples);
            if (from_r > -60 && from_r < 60) {
                uv += gain * shape_uv(plan[i].kind, from_r);
            }
        }
        ein_ring_push(&ring, (int16_t)uv);
        if (known < n && t == plan[known].r_samples + 40) {
            ein_beat_on_r(&stage, plan[known].r_samples, 0);
            known++;
        }
        collect(t + 1);
    }
    ein_beat_finish(&stage);
    collect(end_samples);
}

static char dominant(void)
{
    const ein_template_t *slot = &stage.templates.slots[stage.templates.dominant];
    const int16_t *uv = slot->uv + EIN_WINDOW_BEFORE_SAMPLES;
    return uv[0] < 0 ? 'V' : uv[-4] > 0 ? 'N' : 'M';
}

static int peak(const ein_tensor_t *tensor, int channel)
{
    int most = 0;
    for (int i = 0; i < EIN_WINDOW_SAMPLES; i++) {
        const int v = abs(tensor->signal[i][channel]);
        most = v > most ? v : most;
    }
    return most;
}

/* Largest difference of a tensor's own beat and the average of its kind. */
static int from_kind(const ein_tensor_t *tensor)
{
    int most = 0;
    for (int i = 0; i < EIN_WINDOW_SAMPLES; i++) {
        const int v = abs(tensor->signal[i][0] - tensor->signal[i][2]);
        most = v > most ? v : most;
    }
    return most;
}

static void test_regular(void)
{
    plan_t plan[20];
    for (uint32_t i = 0; i < 20; i++) {
        plan[i] = (plan_t){'N', 200 + 150 * i};
    }
    run(plan, 20, 200 + 150 * 20, 1);
    check(n_events == 20, "every beat leaves");
    for (size_t i = 0; i < 20; i++) {
        check(events[i].t_samples == plan[i].r_samples, "R");
        check(events[i].rr_prev_samples == (i ? 150u : 0u), "RR before");
        check(events[i].rr_next_samples == (i < 19 ? 150u : 0u), "RR after");
        check(i == 19 || events[i].t_emitted <= plan[i + 1].r_samples + 41, "no later than needed");
        check(events[i].slot == events[0].slot && events[i].slot_beats == i + 1, "one kind");
        check(abs(peak(&tensors[i], 0) - EIN_TENSOR_NORMAL_LSB) <= 1, "normalized amplitude");
        check(i == 19 || peak(&tensors[i], 1) <= 1, "nothing left beside the template");
        check(tensors[i].signal[EIN_WINDOW_BEFORE_SAMPLES][0] == peak(&tensors[i], 0), "R's place");
        check(tensors[i].features[EIN_FEATURE_QRS_CORR] == 127, "correlation");
        check(i < 2 || abs(tensors[i].features[EIN_FEATURE_RR_PREV_MEAN]) <= 1, "in time");
    }
    static ein_tensor_t before;
    before = tensors[10];
    run(plan, 20, 200 + 150 * 20, 4);
    check(memcmp(&before.signal, &tensors[10].signal, sizeof before.signal) == 0,
          "the amplitude of the patient does not matter");
}

/* MIT-BIH record 200 begins so. The ectopic beat comes first. */
static void test_bigeminy_from_the_start(void)
{
    plan_t plan[60];
    uint32_t t = 150;
    for (uint32_t i = 0; i < 60; i++) {
        plan[i] = (plan_t){i % 2 ? 'N' : 'V', t};
        t += i % 2 ? 100 : 200; /* the next ectopic beat is early, then there is a pause */
    }
    run(plan, 60, t + 100, 1);
    check(n_events == 60, "every beat leaves");
    check(dominant() == 'N', "the narrow beat in time is the normal one");
    for (size_t i = 8; i < 60; i++) {
        const int8_t corr = tensors[i].features[EIN_FEATURE_QRS_CORR];
        check(plan[i].kind == 'N' ? corr == 127 : corr < 64, "told apart after four pairs");
        check(i == 59 || from_kind(&tensors[i]) <= 2, "each beside the average of its own kind");
        check(events[i].slot == events[i - 2].slot && events[i].slot != events[i - 1].slot &&
                  events[i].slot_beats == events[i - 2].slot_beats + 1,
              "each joins its own kind");
    }
}

/* A run of ectopic beats does not become the reference, a lasting new morphology does. */
static void test_run_and_change(void)
{
    plan_t plan[100];
    uint32_t t = 150;
    for (uint32_t i = 0; i < 100; i++) {
        const int in_run = i >= 40 && i < 52;
        t += in_run ? 75 : 150;
        plan[i] = (plan_t){in_run ? 'V' : i < 70 ? 'N' : 'M', t};
    }
    run(plan, 60, plan[59].r_samples + 100, 1);
    check(dominant() == 'N', "a run of twelve is not the normal beat");
    run(plan, 100, t + 100, 1);
    check(dominant() == 'M', "the normal beat has changed");
    check(from_kind(&tensors[70]) == 0, "the first of a kind stands for it");
    check(from_kind(&tensors[40]) == 0 && peak(&tensors[40], 1) > 64, "as the first ectopic one");
    check(tensors[99].features[EIN_FEATURE_QRS_CORR] == 127, "and is the reference");
}

static void test_pause_break_and_crowd(void)
{
    const plan_t plan[2] = {{'N', 200}, {'N', 1000}};
    run(plan, 2, 1200, 1);
    check(n_events == 2 && events[0].t_emitted == 200 + EIN_RR_MAX_SAMPLES, "waits no longer");
    check(events[0].rr_next_samples == 0 && events[1].rr_prev_samples == 800, "intervals");
    check(tensors[0].features[EIN_FEATURE_RR_NEXT_MEAN] > 60, "a pause follows");

    ein_beat_init(&stage);
    memset(&ring, 0, sizeof ring);
    n_events = 0;
    for (uint32_t i = 0; i < 2 * EIN_BEAT_PENDING; i++) {
        ein_beat_on_r(&stage, 10 * i, EIN_FLAG_BREAK);
    }
    ein_beat_finish(&stage);
    collect(0); /* nothing was ever pushed */
    check(n_events == EIN_BEAT_PENDING, "a crowd is cut, not overrun");
    check(tensors[1].features[EIN_FEATURE_RR_PREV_MEAN] == 0, "no rhythm over a break");
}

int main(void)
{
    test_regular();
    test_bigeminy_from_the_start();
    test_run_and_change();
    test_pause_break_and_crowd();
    return 0;
}
