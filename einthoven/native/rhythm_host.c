/* Host-only face of firmware/rhythm for cffi: a record's beats in one call. */
#include "ein_rhythm.h"

#include <stddef.h>
#include <string.h>

typedef struct {
    uint32_t kind, phase, begin_samples, end_samples, beat;
} ein_host_rhythm_event_t;

size_t ein_host_rhythm_bytes(void)
{
    return sizeof(ein_rhythm_t);
}

static size_t take(ein_rhythm_t *rhythm, size_t beat, ein_host_rhythm_event_t *events, size_t count,
                   size_t room)
{
    ein_rhythm_event_t event;
    while (ein_rhythm_next(rhythm, &event)) {
        if (count < room) {
            events[count] = (ein_host_rhythm_event_t){event.kind, event.phase, event.begin_samples,
                                                      event.end_samples, (uint32_t)beat};
        }
        count++;
    }
    return count;
}

/* Beats of a whole record; `signal`: their windows [n][EIN_WINDOW_SAMPLES][EIN_CHANNELS], or NULL.
   Returns how many events there were, of which at most `room` were written; `beat` of an event is
   the number of the beat that told it, n at the end. */
size_t ein_host_rhythm_run(const uint32_t *t_samples, const uint8_t *labels, const uint16_t *flags,
                           const int8_t *signal, size_t n, uint32_t end_samples,
                           ein_host_rhythm_event_t *events, size_t room)
{
    static ein_tensor_t tensor;
    ein_rhythm_t rhythm;
    size_t count = 0;
    ein_rhythm_init(&rhythm);
    for (size_t i = 0; i < n; i++) {
        ein_rhythm_beat_t beat = {t_samples[i], flags[i], labels[i], NULL};
        if (signal != NULL) {
            memcpy(tensor.signal, signal + i * sizeof tensor.signal, sizeof tensor.signal);
            beat.tensor = &tensor;
        }
        ein_rhythm_beat(&rhythm, &beat);
        count = take(&rhythm, i, events, count, room);
    }
    ein_rhythm_finish(&rhythm, end_samples);
    return take(&rhythm, n, events, count, room);
}
