/* Whether a beat may be told as ectopic: the stage after vote and confidence.
 *
 * A hand-held recording is all beginning: the electrodes settle, hands move, the templates know
 * ten beats and not a thousand, and the last beat is cut off. There the model calls beats S or V
 * that it would not call so a minute later, and its confidence, which was calibrated on half-hour
 * records, says too much. So until EIN_QUALITY_YOUNG_BEATS beats are known, a beat is called S or V
 * at a higher confidence only, is sure at a yet higher one, and never when the record's end cuts
 * its window off; else it is Q, unsure: it cannot be told. Beats of other classes stay as they are.
 * Thresholds, and what they were chosen on: codegen/spec/strip.toml. No errors. RAM: 2 B.
 */
#ifndef EIN_QUALITY_H
#define EIN_QUALITY_H

#include <stdbool.h>
#include <stdint.h>

#include "ein_types.h"

typedef struct {
    uint16_t beats; /* seen since the start, at most EIN_QUALITY_YOUNG_BEATS */
} ein_quality_t;

void ein_quality_init(ein_quality_t *quality);

/* One beat, in the order of the events: may change its label and whether it is unsure.
   end_samples: of the record, once it has ended and the beat left because of that; else 0. */
void ein_quality_beat(ein_quality_t *quality, const ein_event_t *event, uint32_t end_samples,
                      uint8_t confidence, uint8_t *label, bool *unsure);

#endif
