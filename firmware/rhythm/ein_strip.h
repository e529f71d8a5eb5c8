/* The verdict on a strip of some seconds: regular, atrial fibrillation, other, or too noisy to say.
 *
 *     ein_strip_init(&strip);
 *     for each beat, after vote, confidence and ein_quality: ein_strip_beat(&strip, &beat);
 *     at the end: ein_strip_verdict(&strip, &core.beat.templates, samples, &verdict);
 *
 * Boosted trees of depth EIN_STRIP_DEPTH on int8 features (ein_strip_features.h); their scores
 * become a probability by a softmax whose temperature was chosen on held-out strips. Nothing of the
 * signal is kept: RAM about 0.5 KB, stack 0.5 KB at the end. Causal; the verdict depends on the
 * beats, not on how the samples came in. Not for a diagnosis: docs/verdict.md says on whom it was
 * fitted, and where it is blind. No errors.
 */
#ifndef EIN_STRIP_H
#define EIN_STRIP_H

#include "ein_strip_features.h"

#define EIN_STRIP_VERDICT_NONE 0xFFu /* the recording is too long to be a strip */

typedef struct {
    ein_strip_sums_t sums;
} ein_strip_t;

typedef struct {
    uint8_t verdict;                       /* EIN_STRIP_VERDICT_* */
    uint8_t probability;                   /* that it is right, in 1/255 */
    uint8_t ventricular, supraventricular; /* beats called V and F, and S; saturating */
    uint16_t reasons;                      /* EIN_STRIP_REASON_* */
    uint16_t rate_bpm;                     /* mean; 0: unknown */
    uint16_t longest_ms;                   /* RR interval; saturating */
} ein_strip_verdict_t;

void ein_strip_init(ein_strip_t *strip);

/* A beat, in the order of the events. */
void ein_strip_beat(ein_strip_t *strip, const ein_strip_beat_t *beat);

/* May be asked more than once. templates: of the core, as the strip left them; samples: its length.
   features: NULL, or room for EIN_STRIP_FEATURES values, what the trees saw. */
void ein_strip_verdict(const ein_strip_t *strip, const ein_templates_t *templates, uint32_t samples,
                       ein_strip_verdict_t *verdict, int8_t *features);

#endif
