/* Host-only face of firmware/core for cffi: runs a block of samples in one call and copies the
 * events out, because a Python call per event would cost more than the signal path does.
 */
#include "ein_core.h"

#include <string.h>

typedef struct {
    uint32_t kind;
    uint32_t flags;
    uint32_t t_samples;
    uint32_t t_emitted;
    uint32_t rr_prev_samples;
    uint32_t rr_next_samples;
    uint32_t slot;
    uint32_t slot_beats;
} ein_host_event_t;

/* Bytes of an ein_core_t, then of its tensors: signal samples, channels, features. */
void ein_host_sizes(uint32_t sizes[4])
{
    sizes[0] = (uint32_t)sizeof(ein_core_t);
    sizes[1] = EIN_WINDOW_SAMPLES;
    sizes[2] = EIN_CHANNELS;
    sizes[3] = EIN_FEATURES;
}

const char *ein_host_pipeline_sha256(void)
{
    return EIN_PIPELINE_SHA256;
}

uint32_t ein_host_rate_hz(void)
{
    return EIN_PIPELINE_RATE_HZ;
}

int ein_host_init(void *core, uint16_t gain_lsb_per_mv, int16_t rail_lo, int16_t rail_hi)
{
    ein_core_config_t config = {gain_lsb_per_mv, rail_lo, rail_hi};
    return ein_core_init(core, &config);
}

void ein_host_gap(void *core, uint32_t lost_samples)
{
    ein_core_gap(core, lost_samples);
}

void ein_host_finish(void *core)
{
    ein_core_finish(core);
}

/* What the core knows of the patient's kinds of beats: its size, and a copy. */
uint32_t ein_host_templates_bytes(void)
{
    return (uint32_t)sizeof(ein_templates_t);
}

void ein_host_templates(const void *core, void *templates)
{
    memcpy(templates, &((const ein_core_t *)core)->beat.templates, sizeof(ein_templates_t));
}

/* Pushes samples until all are used or `room` events were written; returns the number of events.
   tensors: row i belongs to event i, zero for events without one. Call again until *used == n and
   fewer than `room` events came. */
size_t ein_host_run(void *core, const int16_t *samples, size_t n, size_t *used,
                    ein_host_event_t *events, int8_t *signal, int8_t *features, size_t room)
{
    const size_t signal_bytes = EIN_WINDOW_SAMPLES * EIN_CHANNELS;
    size_t count = 0;
    ein_event_t event;
    *used = 0;
    while (count < room) {
        if (!ein_core_next(core, &event)) {
            size_t taken = ein_core_push(core, samples + *used, n - *used);
            if (taken == 0)
                break; /* all used, or the core has finished */
            *used += taken;
            continue;
        }
        events[count] = (ein_host_event_t){
            event.kind,      event.flags,           event.t_samples,
            event.t_emitted, event.rr_prev_samples, event.rr_next_samples,
            event.slot,      event.slot_beats,
        };
        if (event.tensor != NULL) {
            memcpy(signal + count * signal_bytes, event.tensor->signal, signal_bytes);
            memcpy(features + count * EIN_FEATURES, event.tensor->features, EIN_FEATURES);
        }
        count++;
    }
    return count;
}
