/* The model's second input: what a beat is against the patient's rhythm and kinds of beats.
 *
 * int8, zero point 0, one value per name in pipeline.toml's [features]; every value saturates.
 */
#ifndef EIN_FEATURES_H
#define EIN_FEATURES_H

#include <stdint.h>

#include "ein_rr.h"
#include "ein_template.h"

/* The beat in question; logarithms base 2 in Q8. */
typedef struct {
    const ein_segment_t *segment;
    ein_shape_t shape;
    ein_match_t matches[EIN_TEMPLATE_SLOTS];
    int32_t found;      /* its template, -1: none is like it */
    int16_t rr_prev_q8; /* log2 of the RR before it; the rhythm's when unknown */
    int16_t rr_next_q8;
    int16_t rr_before_q8;    /* the RR before rr_prev */
    int16_t before_corr_q15; /* the last beat's correlation with the dominant template */
} ein_beat_view_t;

/* Fills features[EIN_FEATURES] from the beat and from what was known before it. */
void ein_features_compute(const ein_beat_view_t *beat, const ein_rr_t *rr,
                          const ein_templates_t *templates, int8_t *features);

#endif
