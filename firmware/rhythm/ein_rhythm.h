/* The rhythm stage: beats in, episodes and alarms out. docs/rhythm.md has definitions and figures.
 *
 *     ein_rhythm_init(&rhythm);
 *     ein_rhythm_beat(&rhythm, &beat);
 *     while (ein_rhythm_next(&rhythm, &event))
 *         handle(&event);
 *     ...
 *     ein_rhythm_finish(&rhythm, end_samples);
 *     while (ein_rhythm_next(&rhythm, &event))
 *         handle(&event);
 *
 * Integer only, no heap; the caller owns all state; causal. Beats come in order of time, as the
 * core emits them. Times wrap. Not reentrant for one ein_rhythm_t; instances share nothing.
 */
#ifndef EIN_RHYTHM_H
#define EIN_RHYTHM_H

#include "ein_rhythm_af.h"
#include "ein_rhythm_pattern.h"
#include "ein_rhythm_types.h"

/* Private: use the functions. */
typedef struct {
    uint32_t last_samples; /* of the beat before */
    bool any;              /* there was one */
    ein_rhythm_pattern_t pattern;
    ein_rhythm_af_t af;
    ein_rhythm_queue_t queue;
} ein_rhythm_t;

void ein_rhythm_init(ein_rhythm_t *rhythm);

/* The next beat; take the events out before the one after it. */
void ein_rhythm_beat(ein_rhythm_t *rhythm, const ein_rhythm_beat_t *beat);

/* The record has ended at that time: ends all that lasts. */
void ein_rhythm_finish(ein_rhythm_t *rhythm, uint32_t end_samples);

/* Events in the order in which they became known; false when there is none left. */
bool ein_rhythm_next(ein_rhythm_t *rhythm, ein_rhythm_event_t *event);

#endif
