#include "ein_vote.h"

#include "ein_confidence_table.h"

#define STEPS 128 /* of a mean, per step of a logit */

void ein_vote_weigh(ein_vote_t *vote, uint8_t slot, uint16_t slot_beats, int32_t limit,
                    int32_t logits[EIN_CLASSES])
{
    if (slot >= EIN_TEMPLATE_SLOTS) {
        return;
    }
    ein_vote_kind_t *const kind = &vote->kinds[slot];
    if (slot_beats <= 1) { /* the template was given to another kind */
        kind->margin = 0;
        kind->beats = EIN_VOTE_DOUBT;
    }
    int32_t other = INT32_MIN;
    for (uint32_t i = 0; i < EIN_CLASSES; i++) {
        if (i != EIN_CLASS_V && logits[i] > other) {
            other = logits[i];
        }
    }
    int32_t margin = logits[EIN_CLASS_V] - other;
    margin = margin > limit ? limit : margin < -limit ? -limit : margin;
    logits[EIN_CLASS_V] += kind->margin;
    if (kind->beats < EIN_VOTE_BEATS) {
        kind->beats++;
    }
    kind->margin += (margin - kind->margin) / kind->beats;
}

void ein_vote(ein_vote_t *vote, uint8_t slot, uint16_t slot_beats, int8_t logits[EIN_CLASSES])
{
    int32_t fine[EIN_CLASSES];
    for (uint32_t i = 0; i < EIN_CLASSES; i++) {
        fine[i] = logits[i] * STEPS;
    }
    ein_vote_weigh(vote, slot, slot_beats, EIN_VOTE_LIMIT * STEPS, fine);
    const int32_t voted = (fine[EIN_CLASS_V] + STEPS / 2) >> 7;
    logits[EIN_CLASS_V] = (int8_t)(voted > INT8_MAX   ? INT8_MAX
                                   : voted < INT8_MIN ? INT8_MIN
                                                      : voted);
}
