/* What the RR intervals of a whole strip say of its rhythm, once the strip has ended.
 *
 * Intervals are kept as log2 in Q8, one word a beat, so that a ratio is a difference. Shares are
 * in 1/127. No errors: too few intervals give zeros. RAM: 2 B a beat; stack: as much again.
 */
#ifndef EIN_STRIP_RR_H
#define EIN_STRIP_RR_H

#include <stdbool.h>
#include <stdint.h>

#include "ein_strip_table.h"

typedef struct {
    uint8_t count;
    /* log2 of the RR before the beat in Q8 (12 bits) and EIN_STRIP_RR_*; oldest first */
    uint16_t word[EIN_STRIP_BEATS];
} ein_strip_rr_t;

#define EIN_STRIP_RR_LOG_Q8 0x0FFFu
#define EIN_STRIP_RR_UNKNOWN 0x1000u /* no beat before it, or lost signal in between */
#define EIN_STRIP_RR_PLAIN 0x2000u   /* the beat is called N */

/* One beat. rr_samples: 0 = unknown; plain: called N. Beats beyond EIN_STRIP_BEATS are let go. */
void ein_strip_rr_push(ein_strip_rr_t *rr, uint32_t rr_samples, bool plain);

/* Fills features[EIN_STRIP_RR_FEATURES]. */
void ein_strip_rr_features(const ein_strip_rr_t *rr, int8_t *features);

#endif
