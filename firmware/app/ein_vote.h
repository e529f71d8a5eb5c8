/* What the model said of a kind of beat, as evidence for the next beat of that kind.
 *
 * Beats that share one of the core's templates look alike and are nearly always of one class, but
 * the model judges each alone, and one in noise may be taken for another. So the margin by which
 * it called them V or not is averaged by template, and added to the V logit of the next one. The
 * model's own answers are averaged, not the voted ones: a kind cannot talk itself into a class.
 * Causal; no labels. Chosen on held-out patients (docs/accuracy.md). No errors.
 */
#ifndef EIN_VOTE_H
#define EIN_VOTE_H

#include "ein_types.h"

#define EIN_VOTE_BEATS 32 /* beats of a kind that its average goes back, once there are so many */
#define EIN_VOTE_DOUBT 2  /* undecided beats that every average begins with */

typedef struct {
    int32_t margin; /* mean of V against the best other class, in the caller's unit */
    int32_t beats;
} ein_vote_kind_t;

typedef struct {
    ein_vote_kind_t kinds[EIN_TEMPLATE_SLOTS];
} ein_vote_t;

/* Adds to the V logit of a beat what its kind has been called before, and takes note of its own
   margin, at most +-limit. Logits and limit are in a unit of the caller's, fine enough for a mean
   of integers, below 2^24. `slot`, `slot_beats`: of the beat's event, in order of the events. */
void ein_vote_weigh(ein_vote_t *vote, uint8_t slot, uint16_t slot_beats, int32_t limit,
                    int32_t logits[EIN_CLASSES]);

/* The same with the model's int8 logits and its limit; saturating. */
void ein_vote(ein_vote_t *vote, uint8_t slot, uint16_t slot_beats, int8_t logits[EIN_CLASSES]);

#endif
