/* Compiled and run by einthoven/native/tests/test_beat_stage.py. Oracle: correlation in doubles. */
#include "ein_template.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define QRS_FROM (EIN_WINDOW_BEFORE_SAMPLES - EIN_TEMPLATE_QRS_BEFORE_SAMPLES)
#define QRS_TO (EIN_WINDOW_BEFORE_SAMPLES + EIN_TEMPLATE_QRS_AFTER_SAMPLES)

static uint32_t seed = 1;

static void check(int good, const char *what, double value)
{
    if (!good) {
        printf("failed: %s (%g)\n", what, value);
        exit(1);
    }
}

/* A smooth random beat of about the given amplitude, up to the limits of int16. */
static void make_beat(ein_segment_t *beat, double amplitude_uv)
{
    double level = 0;
    for (size_t i = 0; i < EIN_SEGMENT_SAMPLES; i++) {
        seed = seed * 1664525u + 1013904223u;
        level = 0.7 * level + amplitude_uv * ((double)(seed >> 8) / (1 << 24) - 0.5);
        beat->uv[i] = (int16_t)fmax(-32768, fmin(32767, level));
    }
}

static double correlation(const int16_t *t, const int16_t *x, uint32_t n)
{
    double st = 0, sx = 0, tt = 0, xx = 0, tx = 0;
    for (uint32_t i = 0; i < n; i++) {
        st += t[i];
        sx += x[i];
    }
    for (uint32_t i = 0; i < n; i++) {
        tt += (t[i] - st / n) * (t[i] - st / n);
        xx += (x[i] - sx / n) * (x[i] - sx / n);
        tx += (t[i] - st / n) * (x[i] - sx / n);
    }
    return tt > 0 && xx > 0 ? tx / sqrt(tt * xx) : 0;
}

static void test_match_against_doubles(void)
{
    static ein_templates_t templates;
    static ein_segment_t beat;
    ein_match_t matches[EIN_TEMPLATE_SLOTS];
    for (int round = 0; round < 300; round++) {
        const double amplitude_uv = round % 3 == 0 ? 60 : round % 3 == 1 ? 2000 : 60000;
        ein_templates_init(&templates);
        make_beat(&beat, amplitude_uv);
        ein_templates_learn(&templates, -1, &beat, 0, 0, 0);
        const ein_template_t *slot = &templates.slots[0];
        if (round % 2) {
            make_beat(&beat, amplitude_uv);
        } else { /* the same beat, later */
            memmove(beat.uv + 2, beat.uv, sizeof beat.uv - 2 * sizeof beat.uv[0]);
        }
        double best = -1e30;
        int shift = 0;
        for (int s = -EIN_TEMPLATE_SHIFT_SAMPLES; s <= EIN_TEMPLATE_SHIFT_SAMPLES; s++) {
            double product = 0;
            for (int i = QRS_FROM; i < QRS_TO; i++) {
                product += (double)slot->uv[i] * beat.uv[i + EIN_TEMPLATE_SHIFT_SAMPLES + s];
            }
            if (product > best) {
                best = product;
                shift = s;
            }
        }
        ein_templates_find(&templates, &beat, &slot->shape, matches);
        const ein_match_t match = matches[0];
        check(match.shift == shift, "alignment", match.shift - shift);
        check(round % 2 || match.shift == 2, "of a delayed beat", match.shift);
        const double expected =
            correlation(slot->uv + QRS_FROM,
                        beat.uv + QRS_FROM + EIN_TEMPLATE_SHIFT_SAMPLES + shift, QRS_TO - QRS_FROM);
        const double error = match.correlation_q15 / 32768.0 - expected;
        check(fabs(error) < (amplitude_uv < 100 ? 0.01 : 0.001), "correlation", error);
    }
}

static void test_slots(void)
{
    static ein_templates_t templates;
    static ein_segment_t normal;
    static ein_segment_t beat;
    ein_match_t matches[EIN_TEMPLATE_SLOTS];
    ein_shape_t shape;
    ein_templates_init(&templates);
    make_beat(&normal, 3000);
    ein_shape_measure(&shape, normal.uv + EIN_TEMPLATE_SHIFT_SAMPLES);
    check(ein_templates_find(&templates, &normal, &shape, matches) == -1, "nothing is known", 0);
    for (int i = 0; i < 20; i++) {
        const int32_t found = ein_templates_find(&templates, &normal, &shape, matches);
        check(found == (i ? 0 : -1), "the same beat again", found);
        ein_templates_learn(&templates, found, &normal, 0, 0, 0);
    }
    check(templates.slots[0].beats == 20, "one template of them", templates.slots[0].beats);

    beat = normal;
    for (size_t i = 0; i < EIN_SEGMENT_SAMPLES; i++) {
        beat.uv[i] = (int16_t)(beat.uv[i] / 4);
    }
    ein_shape_measure(&shape, beat.uv + EIN_TEMPLATE_SHIFT_SAMPLES);
    check(ein_templates_find(&templates, &beat, &shape, matches) == -1, "a quarter is another", 0);

    for (int i = 0; i < 40; i++) { /* ever new beats never push the dominant one out */
        make_beat(&beat, 3000);
        ein_templates_learn(&templates, -1, &beat, 0, -100, 0);
        check(templates.dominant == 0 && templates.slots[0].beats == 20, "dominant stays", i);
    }
    check(templates.slots[EIN_TEMPLATE_SLOTS - 1].prematurity_q8 == -100, "its prematurity", 0);
}

int main(void)
{
    test_match_against_doubles();
    test_slots();
    return 0;
}
