/* From R peaks to the model's input: segmentation, kinds of beats, rhythm, quantization.
 *
 * A beat leaves when its window is complete and the R after it is known, or EIN_RR_MAX_SAMPLES
 * after its R. Signal channel 0 is the beat, channel 1 the beat minus the patient's dominant
 * template at their best alignment, both scaled so that the dominant template's QRS has
 * EIN_TENSOR_NORMAL_LSB peak to peak; saturating. All that a beat is compared with comes from the
 * beats before it. RAM: 3.6 KB. No errors: every input has a result.
 */
#ifndef EIN_BEAT_H
#define EIN_BEAT_H

#include <stdbool.h>
#include <stdint.h>

#include "ein_ring.h"
#include "ein_rr.h"
#include "ein_template.h"
#include "ein_types.h"

#define EIN_BEAT_PENDING 8u

typedef struct {
    uint32_t r_samples;
    uint16_t flags;
} ein_pending_t;

typedef struct {
    uint8_t count; /* of `pending` */
    bool finished;
    bool any; /* a beat has left: last_* are of the latest */
    uint32_t last_r_samples;
    uint32_t last_rr_samples; /* 0: unknown */
    int16_t last_corr_q15;
    ein_pending_t pending[EIN_BEAT_PENDING]; /* R peaks whose beat has not left yet, oldest first */
    ein_rr_t rr;
    ein_templates_t templates;
    ein_segment_t segment;
    ein_tensor_t tensor;
} ein_beat_t;

void ein_beat_init(ein_beat_t *beat);

/* An R peak is certain. Times must increase; EIN_BEAT_PENDING are held, further ones are dropped
   (they cannot come when R peaks are EIN_RR_MAX_SAMPLES / 8 apart or polled in time). */
void ein_beat_on_r(ein_beat_t *beat, uint32_t r_samples, uint16_t flags);

/* The ring's time of its newest sample when ein_beat_poll will have an event, if no R comes before
   that: no need to poll until then. `now`: of its newest sample now. */
uint32_t ein_beat_wake_samples(const ein_beat_t *beat, uint32_t now);

/* Fills *event with the oldest pending beat when it is due and returns true. Poll after each
   sample and after finishing until false: now_samples is the time of the newest sample.
   The tensor is the stage's own and valid until the next poll that returns true. */
bool ein_beat_poll(ein_beat_t *beat, const ein_ring_t *ring, uint32_t now_samples,
                   ein_event_t *event);

/* The record has ended: all pending beats are due. */
void ein_beat_finish(ein_beat_t *beat);

#endif
