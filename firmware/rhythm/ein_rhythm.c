#include "ein_rhythm.h"

#include <string.h>

void ein_rhythm_init(ein_rhythm_t *rhythm)
{
    memset(rhythm, 0, sizeof *rhythm);
    ein_rhythm_wave_init(&rhythm->wave);
}

void ein_rhythm_signal(ein_rhythm_t *rhythm, uint16_t flags)
{
    rhythm->state = flags;
    ein_rhythm_wave_signal(&rhythm->wave, flags);
}

void ein_rhythm_look(ein_rhythm_t *rhythm, const ein_ring_t *ring)
{
    ein_rhythm_wave_hop(&rhythm->wave, ring, rhythm->state, rhythm->last_samples, rhythm->any,
                        &rhythm->queue);
}

void ein_rhythm_beat(ein_rhythm_t *rhythm, const ein_rhythm_beat_t *beat)
{
    const bool broken = !rhythm->any || (beat->flags & EIN_FLAG_BREAK) != 0;
    const uint32_t rr_samples = broken ? 0 : beat->t_samples - rhythm->last_samples;
    rhythm->any = true;
    rhythm->last_samples = beat->t_samples;
    ein_rhythm_wave_beat(&rhythm->wave, beat->t_samples, &rhythm->queue);
    ein_rhythm_pattern_beat(&rhythm->pattern, beat, &rhythm->queue);
    ein_rhythm_af_beat(&rhythm->af, beat, rr_samples, rhythm->wave.fibrillates, &rhythm->queue);
}

void ein_rhythm_finish(ein_rhythm_t *rhythm, uint32_t end_samples)
{
    ein_rhythm_pattern_finish(&rhythm->pattern, &rhythm->queue);
    ein_rhythm_af_finish(&rhythm->af, end_samples, &rhythm->queue);
    ein_rhythm_wave_finish(&rhythm->wave, end_samples, &rhythm->queue);
}

bool ein_rhythm_next(ein_rhythm_t *rhythm, ein_rhythm_event_t *event)
{
    ein_rhythm_queue_t *const queue = &rhythm->queue;
    if (queue->count == 0) {
        return false;
    }
    *event = queue->events[queue->first];
    queue->first = (uint8_t)((queue->first + 1u) % EIN_RHYTHM_EVENTS);
    queue->count--;
    return true;
}
