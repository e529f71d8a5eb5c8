#include "ein_quality.h"

#include "ein_strip_table.h"

void ein_quality_init(ein_quality_t *quality)
{
    quality->beats = 0;
}

void ein_quality_beat(ein_quality_t *quality, const ein_event_t *event, uint32_t end_samples,
                      uint8_t confidence, uint8_t *label, bool *unsure)
{
    const bool young = quality->beats < EIN_QUALITY_YOUNG_BEATS;
    quality->beats = (uint16_t)(quality->beats + (young ? 1u : 0u));
    if (*label != EIN_CLASS_S && *label != EIN_CLASS_V) {
        return;
    }
    const bool cut =
        end_samples != 0 && end_samples - event->t_samples < (uint32_t)EIN_WINDOW_AFTER_SAMPLES;
    const uint8_t told_from = *label == EIN_CLASS_S ? EIN_QUALITY_TOLD_S : EIN_QUALITY_TOLD_V;
    if (cut || (young && confidence < told_from)) {
        *label = EIN_CLASS_Q;
        *unsure = true;
    } else if (young && confidence < EIN_QUALITY_SURE) {
        *unsure = true;
    }
}
