/* Host-only face of firmware/rhythm for cffi: a record in one call. */
#include "ein_core.h"
#include "ein_rhythm.h"

#include <stddef.h>
#include <string.h>

#define CERTAIN 255u /* as beats are whose class a person gave */

typedef struct {
    uint32_t kind, phase, begin_samples, end_samples, t_emitted;
} ein_host_rhythm_event_t;

size_t ein_host_rhythm_bytes(void)
{
    return sizeof(ein_rhythm_t);
}

static size_t take(ein_rhythm_t *rhythm, uint32_t now, ein_host_rhythm_event_t *events,
                   size_t count, size_t room)
{
    ein_rhythm_event_t event;
    while (ein_rhythm_next(rhythm, &event)) {
        if (count < room) {
            events[count] = (ein_host_rhythm_event_t){event.kind, event.phase, event.begin_samples,
                                                      event.end_samples, now};
        }
        count++;
    }
    return count;
}

/* Beats of a whole record; `signal`: their windows [n][EIN_WINDOW_SAMPLES][EIN_CHANNELS], or NULL.
   Returns how many events there were, of which at most `room` were written; `t_emitted` is the R of
   the beat that told it, or the end. */
size_t ein_host_rhythm_run(const uint32_t *t_samples, const uint8_t *labels, const uint16_t *flags,
                           const int8_t *signal, size_t n, uint32_t end_samples,
                           ein_host_rhythm_event_t *events, size_t room)
{
    static ein_tensor_t tensor;
    ein_rhythm_t rhythm;
    size_t count = 0;
    ein_rhythm_init(&rhythm);
    for (size_t i = 0; i < n; i++) {
        ein_rhythm_beat_t beat = {t_samples[i], flags[i], labels[i], CERTAIN, NULL};
        if (signal != NULL) {
            memcpy(tensor.signal, signal + i * sizeof tensor.signal, sizeof tensor.signal);
            beat.tensor = &tensor;
        }
        ein_rhythm_beat(&rhythm, &beat);
        count = take(&rhythm, t_samples[i], events, count, room);
    }
    ein_rhythm_finish(&rhythm, end_samples);
    return take(&rhythm, end_samples, events, count, room);
}

/* A whole record as the firmware runs it: samples through the core, its beats with the labels that
   they were given, n_labels of them in order, and how certain these are, in 1/255; gaps: first
   sample and number of those that never came, n_gaps pairs in order. Returns as ein_host_rhythm_run
   does; `t_emitted` is the sample at which the event was told. 0 also for a gain or rails that the
   core refuses. */
size_t ein_host_rhythm_record(const int16_t *samples, size_t n, uint16_t gain_lsb_per_mv,
                              int16_t rail_lo, int16_t rail_hi, const uint8_t *labels,
                              const uint8_t *confidence, size_t n_labels, const uint32_t *gaps,
                              size_t n_gaps, ein_host_rhythm_event_t *events, size_t room)
{
    static ein_core_t core;
    ein_rhythm_t rhythm;
    ein_event_t event;
    const ein_core_config_t config = {gain_lsb_per_mv, rail_lo, rail_hi};
    size_t count = 0;
    size_t beats = 0;
    if (ein_core_init(&core, &config) != EIN_OK) {
        return 0;
    }
    ein_rhythm_init(&rhythm);
    for (size_t i = 0; i <= n; i++) {
        if (i < n && n_gaps > 0 && i == gaps[0]) {
            ein_core_gap(&core, gaps[1]);
            i += gaps[1] - (gaps[1] > 0);
            gaps += 2;
            n_gaps--;
        } else if (i < n) {
            ein_core_push(&core, samples + i, 1);
            ein_rhythm_sample(&rhythm, &core.ring);
        } else {
            ein_core_finish(&core);
        }
        while (ein_core_next(&core, &event)) {
            if (event.kind == EIN_EVENT_SIGNAL) {
                ein_rhythm_signal(&rhythm, event.flags);
            } else if (beats < n_labels) {
                const ein_rhythm_beat_t beat = {event.t_samples, event.flags, labels[beats],
                                                confidence[beats], event.tensor};
                ein_rhythm_beat(&rhythm, &beat);
                beats++;
            }
            count = take(&rhythm, event.t_emitted, events, count, room);
        }
        count = take(&rhythm, (uint32_t)i, events, count, room);
    }
    ein_rhythm_finish(&rhythm, (uint32_t)n);
    return take(&rhythm, (uint32_t)n, events, count, room);
}
