/* The rhythm stage: beats in, episodes and alarms out. docs/rhythm.md has definitions and figures.
 *
 *     ein_rhythm_init(&rhythm);
 *     after each sample that the core took:
 *         ein_rhythm_sample(&rhythm, &core.ring);
 *     for each event of the core, in order:
 *         ein_rhythm_beat(&rhythm, &beat);     or ein_rhythm_signal(&rhythm, flags);
 *     while (ein_rhythm_next(&rhythm, &event))
 *         handle(&event);
 *     at the end:
 *     ein_rhythm_finish(&rhythm, end_samples);
 *     while (ein_rhythm_next(&rhythm, &event))
 *         handle(&event);
 *
 * Integer only, no heap; the caller owns all state; causal. Beats come in order of time, as the
 * core emits them; without ein_rhythm_sample nothing is known of flutter and asystole. Times wrap.
 * Not reentrant for one ein_rhythm_t; instances share nothing.
 */
#ifndef EIN_RHYTHM_H
#define EIN_RHYTHM_H

#include "ein_rhythm_af.h"
#include "ein_rhythm_pattern.h"
#include "ein_rhythm_types.h"
#include "ein_rhythm_wave.h"

/* Private: use the functions. */
typedef struct {
    uint32_t last_samples; /* of the beat before */
    uint16_t state;        /* the signal's flags */
    bool any;              /* there was one */
    ein_rhythm_pattern_t pattern;
    ein_rhythm_af_t af;
    ein_rhythm_wave_t wave;
    ein_rhythm_queue_t queue;
} ein_rhythm_t;

void ein_rhythm_init(ein_rhythm_t *rhythm);

/* The next beat; take the events out before the one after it. */
void ein_rhythm_beat(ein_rhythm_t *rhythm, const ein_rhythm_beat_t *beat);

/* The signal's state has changed: EIN_FLAG_* as they stand. */
void ein_rhythm_signal(ein_rhythm_t *rhythm, uint16_t flags);

/* Private: the signal is due to be looked at. */
void ein_rhythm_look(ein_rhythm_t *rhythm, const ein_ring_t *ring);

/* One sample more in the core's ring; before the events that it caused. */
static inline void ein_rhythm_sample(ein_rhythm_t *rhythm, const ein_ring_t *ring)
{
    if (ein_rhythm_wave_is_due(&rhythm->wave)) {
        ein_rhythm_look(rhythm, ring);
    }
}

/* The record has ended at that time: ends all that lasts. */
void ein_rhythm_finish(ein_rhythm_t *rhythm, uint32_t end_samples);

/* Whether there are events: inline, because it is asked at every sample. */
static inline bool ein_rhythm_has_next(const ein_rhythm_t *rhythm)
{
    return rhythm->queue.count > 0;
}

/* Events in the order in which they became known; false when there is none left. */
bool ein_rhythm_next(ein_rhythm_t *rhythm, ein_rhythm_event_t *event);

#endif
