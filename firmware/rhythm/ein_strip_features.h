/* A strip as numbers: what its beats were, one by one, and what is left of them at its end.
 *
 * Every beat is a row of int8 inputs: the core's features, what the model's last layers read of it
 * (its embedding), the margins of the classes over N, and the unrest before its QRS. Of chosen
 * inputs the mean, the spread, the last and the extreme values become the strip's features, beside
 * those of its RR intervals (ein_strip_rr.h), its classes and its dominant beat. Which ones:
 * codegen/spec/strip.toml. No errors; after EIN_STRIP_BEATS beats the rest of a strip adds nothing.
 */
#ifndef EIN_STRIP_FEATURES_H
#define EIN_STRIP_FEATURES_H

#include "ein_strip_rr.h"
#include "ein_template.h"
#include "ein_types.h"

/* A beat as the strip is told of it: after vote, confidence and ein_quality. */
typedef struct {
    const ein_event_t *event; /* of a beat, with its tensor */
    const int8_t *logits;     /* [EIN_CLASSES], voted */
    const int8_t *embedding;  /* [EIN_STRIP_EMBEDDING], of the model */
    uint8_t label;            /* index of its class */
    bool unsure;
} ein_strip_beat_t;

typedef struct {
    uint8_t called[EIN_CLASSES]; /* beats by class */
    uint8_t surely_s, doubtful;  /* sure ones called S; unsure ones */
    bool p_absent;               /* of the dominant beat, as the latest beat's features say */
    uint8_t rr_known;            /* RR intervals, and what they are together */
    uint32_t rr_sum_samples, rr_longest_samples;
    int32_t squares[EIN_STRIP_SPREADS];
    int16_t sums[EIN_STRIP_SUMS];
    int8_t last[EIN_STRIP_LASTS];
    int8_t top[EIN_STRIP_TOPS][EIN_STRIP_TOP]; /* the largest ones, descending */
    ein_strip_rr_t rr;
} ein_strip_sums_t;

void ein_strip_sums_init(ein_strip_sums_t *sums);

void ein_strip_sums_beat(ein_strip_sums_t *sums, const ein_strip_beat_t *beat);

/* Fills features[EIN_STRIP_FEATURES]. templates: of the core, as the strip left them. */
void ein_strip_features(const ein_strip_sums_t *sums, const ein_templates_t *templates,
                        int8_t *features);

#endif
