/* Compiled and run by einthoven/native/tests/test_strip.py. */
#include "ein_quality.h"

#include <stdio.h>
#include <stdlib.h>

#include "ein_strip_table.h"

static void check(int good, const char *what)
{
    if (!good) {
        printf("failed: %s\n", what);
        exit(1);
    }
}

typedef struct {
    uint8_t label;
    bool unsure;
} told_t;

static told_t tell(ein_quality_t *quality, uint32_t t_samples, uint32_t end_samples,
                   uint8_t confidence, uint8_t label)
{
    const ein_event_t event = {.kind = EIN_EVENT_BEAT, .t_samples = t_samples};
    told_t told = {label, false};
    ein_quality_beat(quality, &event, end_samples, confidence, &told.label, &told.unsure);
    return told;
}

static void test_beginning(void)
{
    ein_quality_t quality;
    ein_quality_init(&quality);
    told_t told = tell(&quality, 500, 0, EIN_QUALITY_TOLD_S - 1, EIN_CLASS_S);
    check(told.label == EIN_CLASS_Q && told.unsure, "an S below its limit is Q");
    told = tell(&quality, 600, 0, EIN_QUALITY_TOLD_S, EIN_CLASS_S);
    check(told.label == EIN_CLASS_S && told.unsure, "at the limit it is told, and unsure");
    told = tell(&quality, 700, 0, EIN_QUALITY_TOLD_V - 1, EIN_CLASS_V);
    check(told.label == EIN_CLASS_Q && told.unsure, "a V below its limit is Q");
    told = tell(&quality, 800, 0, EIN_QUALITY_SURE, EIN_CLASS_V);
    check(told.label == EIN_CLASS_V && !told.unsure, "a V that is sure stays so");
    told = tell(&quality, 900, 0, 0, EIN_CLASS_N);
    check(told.label == EIN_CLASS_N && !told.unsure, "other classes stay as they are");
    told = tell(&quality, 950, 0, 0, EIN_CLASS_F);
    check(told.label == EIN_CLASS_F && !told.unsure, "F, too");
}

static void test_later(void)
{
    ein_quality_t quality;
    ein_quality_init(&quality);
    for (uint32_t i = 0; i < EIN_QUALITY_YOUNG_BEATS; i++) {
        tell(&quality, i, 0, 255, EIN_CLASS_N);
    }
    const told_t told = tell(&quality, 40000, 0, 60, EIN_CLASS_S);
    check(told.label == EIN_CLASS_S && !told.unsure, "a known patient's beats are as they were");
}

static void test_end(void)
{
    const uint32_t wraps = UINT32_MAX - 50u; /* the end lies behind the wrap of time */
    ein_quality_t quality;
    ein_quality_init(&quality);
    told_t told = tell(&quality, 5000, 5000 + EIN_WINDOW_AFTER_SAMPLES - 1, 255, EIN_CLASS_S);
    check(told.label == EIN_CLASS_Q && told.unsure, "a beat that the end cuts off is Q");
    told = tell(&quality, 5000, 5000 + EIN_WINDOW_AFTER_SAMPLES, 255, EIN_CLASS_S);
    check(told.label == EIN_CLASS_S && !told.unsure, "a whole one is not");
    told = tell(&quality, wraps, wraps + 100u, 255, EIN_CLASS_V);
    check(told.label == EIN_CLASS_Q, "across the wrap of time");
}

int main(void)
{
    test_beginning();
    test_later();
    test_end();
    printf("quality: good\n");
    return 0;
}
