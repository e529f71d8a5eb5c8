#include "ein_confidence.h"

#include "ein_confidence_table.h"

#define BAD_SIGNAL                                                                                 \
    (EIN_FLAG_SATURATED | EIN_FLAG_FLAT | EIN_FLAG_LEAD_OFF | EIN_FLAG_GAP | EIN_FLAG_NOISY)

static const uint16_t weights_q15[EIN_CONFIDENCE_WEIGHTS] = EIN_CONFIDENCE_WEIGHTS_Q15;
static const uint8_t unsure_below = EIN_CONFIDENCE_UNSURE_BELOW;

uint8_t ein_confidence(const int8_t logits[EIN_CLASSES])
{
    if (unsure_below == 0) { /* never calibrated: a softmax would only look like a probability */
        return 0;
    }
    int32_t largest = logits[0];
    for (uint32_t i = 1; i < EIN_CLASSES; i++) {
        largest = logits[i] > largest ? logits[i] : largest;
    }
    uint32_t sum = 0;
    for (uint32_t i = 0; i < EIN_CLASSES; i++) {
        uint32_t distance = (uint32_t)(largest - logits[i]);
        sum += distance < EIN_CONFIDENCE_WEIGHTS ? weights_q15[distance] : 0u;
    }
    return (uint8_t)((255u * weights_q15[0] + sum / 2u) / sum);
}

bool ein_confidence_unsure(uint8_t confidence, uint16_t flags)
{
    return unsure_below == 0 || confidence < unsure_below || (flags & BAD_SIGNAL) != 0;
}
