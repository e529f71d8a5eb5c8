/* The signal path: ADC counts in, beats with the model's input tensors out.
 *
 *   counts -> ein_input (microvolts, rails, gaps) -> band-pass -> ein_ring (2.8 s)
 *          -> ein_qrs (R peaks) -> ein_beat (segment, template, features, int8) -> events
 *
 * Integer only, no heap, no stdio; the caller owns all state. Streaming and causal: the only
 * look-ahead is the RR interval that follows a beat. The events do not depend on how the samples
 * are cut into calls.
 *
 *     ein_core_init(&core, &config);
 *     while (n > 0) {
 *         size_t used = ein_core_push(&core, samples, n);
 *         samples += used, n -= used;
 *         while (ein_core_next(&core, &event))
 *             handle(&event);
 *     }
 *     ein_core_finish(&core);
 *     while (ein_core_next(&core, &event))
 *         handle(&event);
 *
 * Not reentrant for one ein_core_t; instances do not share anything.
 */
#ifndef EIN_CORE_H
#define EIN_CORE_H

#include "ein_beat.h"
#include "ein_filter.h"
#include "ein_input.h"
#include "ein_qrs.h"
#include "ein_ring.h"
#include "ein_types.h"

typedef struct {
    uint16_t gain_lsb_per_mv; /* 1..32767 */
    /* Counts at and beyond which the input is saturated or the lead is off; lo < hi. */
    int16_t rail_lo, rail_hi;
} ein_core_config_t;

/* Private: use the functions. What every sample needs stands first, within a short offset. */
typedef struct {
    ein_input_t input;
    ein_filter_t bandpass;
    uint32_t wake_samples; /* the ring's time from which on something may be due */
    uint32_t lost_left;    /* of a gap: samples still to be stepped over */
    uint32_t lost_stepped; /* of that gap: samples stepped over */
    uint32_t padding_left; /* after the end: samples still to be made up */
    uint32_t end_samples;  /* length of the record, once finished */
    uint16_t state;        /* signal flags as last reported */
    uint16_t since_beat;   /* signal flags that were up since the last R */
    bool has_event;
    bool idle; /* not finished, and nothing is due before wake_samples, the next gap or the end */
    bool finished;
    ein_qrs_t qrs;
    ein_ring_t ring;
    ein_beat_t beat;
    ein_event_t event;
} ein_core_t;

/* EIN_ERR_ARG for a null pointer, EIN_ERR_CONFIG for a gain or rails out of range. */
ein_status_t ein_core_init(ein_core_t *core, const ein_core_config_t *config);

/* Time of the sample that comes next: samples so far, and those of gaps. */
static inline uint32_t ein_core_samples(const ein_core_t *core)
{
    return core->ring.end_samples + EIN_FILTER_BANDPASS_DELAY_SAMPLES;
}

/* Consumes samples until n are used or an event is ready, whichever comes first; returns how many
   were consumed: 0 while events are pending (drain them with ein_core_next) and after
   ein_core_finish. Ends the life of the tensor of the event before. */
size_t ein_core_push(ein_core_t *core, const int16_t *samples, size_t n);

/* true and fills *event while events are pending. Ends the life of the event before's tensor. */
bool ein_core_next(ein_core_t *core, ein_event_t *event);

/* Samples that never came, any number: time goes on without them. Up to EIN_INPUT_OFF_SAMPLES are
   bridged; after more the detector learns anew. Drain with ein_core_next. Nothing after
   ein_core_finish. */
void ein_core_gap(ein_core_t *core, uint32_t lost_samples);

/* End of the record: ein_core_next then gives what is still pending. Their t_emitted may lie up to
   EIN_CORE_PADDING_SAMPLES behind the end. */
void ein_core_finish(ein_core_t *core);

/* Long enough to end learning and to emit the last beat. */
#define EIN_CORE_PADDING_SAMPLES (EIN_QRS_LEARN_SAMPLES + EIN_RR_MAX_SAMPLES + 64)

#endif
