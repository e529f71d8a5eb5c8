/* The patient's kinds of beats: a few running templates, one of them dominant.
 *
 * A beat is compared with every template on its QRS, aligned within +-EIN_TEMPLATE_SHIFT_SAMPLES,
 * by the correlation of their deviations from the mean. It joins the best one that is similar
 * enough, or starts a new one in the place of the rarest. The dominant template is the patient's
 * normal beat as far as a machine can tell: each beat scores for its template, beats in time more
 * than premature ones, scores leak over about 32 beats, and narrow QRS count for more than wide
 * ones. So bigeminy from the first beat on, or a run of ectopic beats, does not make the ectopic
 * beat the reference, while a lasting change of morphology is followed after some 20 beats.
 * RAM: 2.4 KB.
 */
#ifndef EIN_TEMPLATE_H
#define EIN_TEMPLATE_H

#include <stdbool.h>
#include <stdint.h>

#include "ein_pipeline.h"

/* A beat as it is compared: the window around R with a margin on either side for alignment.
   Sample `i` of the window is uv[i + EIN_TEMPLATE_SHIFT_SAMPLES]. */
#define EIN_SEGMENT_SAMPLES                                                                        \
    (EIN_WINDOW_BEFORE_SAMPLES + EIN_WINDOW_AFTER_SAMPLES + 2 * EIN_TEMPLATE_SHIFT_SAMPLES)

typedef struct {
    int16_t uv[EIN_SEGMENT_SAMPLES];
} ein_segment_t;

/* Measures of a QRS; logarithms base 2 in Q8. */
typedef struct {
    uint16_t peak_to_peak_uv;
    int16_t amplitude_q8; /* log2 of the above */
    int16_t slope_q8;     /* log2 of the steepest slope in uV per two samples */
    int16_t width_q8;     /* log2 of 16 x mean duration: sum of |slope| / steepest slope */
    int16_t area_q8;      /* log2 of 16 x sum of |deviation from the ends| / peak to peak */
} ein_shape_t;

/* What correlating samples takes of either side alone. */
typedef struct {
    uint64_t uv2;   /* sum of squared deviations from the mean */
    uint32_t root;  /* of that */
    int32_t sum_uv; /* of the samples */
} ein_deviation_t;

typedef struct {
    ein_deviation_t qrs;
    ein_shape_t shape;
    uint16_t beats;         /* averaged so far, saturating; 0 = the slot is free */
    uint16_t score;         /* leaky count, beats in time weigh EIN_TEMPLATE_WEIGHT_IN_TIME */
    uint16_t share_q15;     /* leaky share among all beats */
    int16_t prematurity_q8; /* mean of log2 RR before / rhythm of its beats */
    int16_t pause_q8;       /* mean of log2 RR after / rhythm of its beats */
    int16_t uv[EIN_WINDOW_BEFORE_SAMPLES + EIN_WINDOW_AFTER_SAMPLES];
} ein_template_t;

typedef struct {
    uint8_t dominant;
    ein_template_t slots[EIN_TEMPLATE_SLOTS];
} ein_templates_t;

/* How a beat's window [from, to) fits a template's. Energies in uV^2, means removed. */
typedef struct {
    int16_t correlation_q15;      /* |error| < 0.001; 0.01 for a QRS of less than 100 uV */
    int8_t shift;                 /* of the beat against the template, samples */
    uint64_t residual, reference; /* energy of the difference and of the template */
} ein_match_t;

void ein_templates_init(ein_templates_t *templates);

void ein_shape_measure(ein_shape_t *shape, const int16_t *window_uv);

/* Compares window samples from..to-1 at a given alignment. */
ein_match_t ein_template_compare(const ein_template_t *slot, const ein_segment_t *beat,
                                 int8_t shift, uint32_t from, uint32_t to);

/* Compares the beat's QRS with every template's at the best alignment. Returns the slot with the
   best match that is similar enough, or -1; `matches` gets one per slot (correlation -32768 for a
   free one). */
int32_t ein_templates_find(const ein_templates_t *templates, const ein_segment_t *beat,
                           const ein_shape_t *shape, ein_match_t matches[EIN_TEMPLATE_SLOTS]);

/* Takes the beat into slot `found` (-1: into a new one) and judges anew which one is dominant.
   premature_q8, pause_q8: log2 of the RR before and after against the rhythm. Returns the slot. */
uint8_t ein_templates_learn(ein_templates_t *templates, int32_t found, const ein_segment_t *beat,
                            int8_t shift, int16_t premature_q8, int16_t pause_q8);

#endif
