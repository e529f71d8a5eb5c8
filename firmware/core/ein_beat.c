#include "ein_beat.h"

#include <string.h>

#include "ein_features.h"
#include "ein_fixed.h"
#include "ein_pair.h"
#include "ein_time.h"

/* A beat of a disturbed signal is judged, but nothing is learnt from it. */
#define UNFIT (EIN_FLAG_SATURATED | EIN_FLAG_FLAT | EIN_FLAG_LEAD_OFF | EIN_FLAG_GAP)

/* From R on, until the ring holds the window and what it may be shifted by. */
#define WHOLE_SAMPLES (EIN_WINDOW_AFTER_SAMPLES + EIN_TEMPLATE_SHIFT_SAMPLES)

void ein_beat_init(ein_beat_t *beat)
{
    memset(beat, 0, sizeof *beat);
    ein_rr_init(&beat->rr);
    ein_templates_init(&beat->templates);
}

void ein_beat_on_r(ein_beat_t *beat, uint32_t r_samples, uint16_t flags)
{
    if (beat->count < EIN_BEAT_PENDING) {
        beat->pending[beat->count].r_samples = r_samples;
        beat->pending[beat->count].flags = flags;
        beat->count++;
    }
}

void ein_beat_finish(ein_beat_t *beat)
{
    beat->finished = true;
}

/* By words, which the C library of small images does not do. */
static void copy(int16_t *to, const int16_t *from, uint32_t n)
{
    uint32_t i = 0;
#pragma GCC unroll 4
    for (; i + 1u < n; i += 2) {
        memcpy(to + i, from + i, 2 * sizeof *to);
    }
    if (i < n) {
        to[i] = from[i];
    }
}

/* Copies the window out of the ring; what the ring does not hold reads as the nearest sample. */
static void cut(ein_segment_t *segment, const ein_ring_t *ring, uint32_t r_samples)
{
    const uint32_t end = ring->end_samples;
    const uint32_t held = ring->full || end >= EIN_RING_SAMPLES ? EIN_RING_SAMPLES : end;
    const uint32_t from = r_samples - (EIN_WINDOW_BEFORE_SAMPLES + EIN_TEMPLATE_SHIFT_SAMPLES);
    if (end - from <= held && end - from >= EIN_SEGMENT_SAMPLES) { /* nearly always */
        const uint32_t at = from % EIN_RING_SAMPLES;
        const uint32_t to_end = EIN_RING_SAMPLES - at;
        const uint32_t n = EIN_SEGMENT_SAMPLES < to_end ? EIN_SEGMENT_SAMPLES : to_end;
        copy(segment->uv, ring->uv + at, n);
        copy(segment->uv + n, ring->uv, EIN_SEGMENT_SAMPLES - n);
        return;
    }
    int32_t age = (int32_t)(end - from); /* of a sample: 1 = the newest */
    for (uint32_t i = 0; i < EIN_SEGMENT_SAMPLES; i++, age--) {
        const int32_t most = (int32_t)held;
        const int32_t nearest = age > most ? most : age < 1 ? 1 : age;
        segment->uv[i] = most == 0 ? (int16_t)0 : ein_ring_at(ring, end - (uint32_t)nearest);
    }
}

/* `kind`: the average of the beats like this one, which has less noise than it; or itself. */
static void quantize(ein_tensor_t *tensor, const ein_segment_t *segment,
                     const ein_template_t *dominant, int8_t shift, const int16_t *kind)
{
    /* LSB per uV, below 1: in Q15 a product with an int16 fits int32. A QRS smaller than
       EIN_TENSOR_QUIET_UV is not blown up to the normal size. */
    const int32_t normal_uv = dominant->shape.peak_to_peak_uv > EIN_TENSOR_QUIET_UV
                                  ? dominant->shape.peak_to_peak_uv
                                  : EIN_TENSOR_QUIET_UV;
    const int16_t gain_q15 = (int16_t)(EIN_TENSOR_NORMAL_LSB * 32768 / normal_uv);
    const int16_t *uv = segment->uv + EIN_TEMPLATE_SHIFT_SAMPLES;
    const int16_t *aligned = uv + shift;
    for (uint32_t i = 0; i < EIN_WINDOW_SAMPLES; i += 2) {
        const ein_pair_t own = ein_pair_load(uv + i);
        const ein_pair_t rest =
            ein_pair_sub(ein_pair_load(aligned + i), ein_pair_load(dominant->uv + i));
        const ein_pair_t average = ein_pair_load(kind + i);
        int8_t *const lsb = tensor->signal[i];
        lsb[0] = ein_pair_scale_first(own, gain_q15);
        lsb[1] = ein_pair_scale_first(rest, gain_q15);
        lsb[2] = ein_pair_scale_first(average, gain_q15);
        lsb[3] = ein_pair_scale_second(own, gain_q15);
        lsb[4] = ein_pair_scale_second(rest, gain_q15);
        lsb[5] = ein_pair_scale_second(average, gain_q15);
    }
}

/* log2 of an RR in Q8, or the rhythm's when it is unknown (0). */
static int16_t rr_log_q8(const ein_rr_t *rr, uint32_t rr_samples)
{
    return rr_samples != 0 ? ein_rr_log_q8(rr_samples) : ein_rr_mean_q8(rr);
}

/* Fills the tensor; returns the slot of the template that the beat joined, or EIN_SLOT_NONE. */
static uint8_t describe(ein_beat_t *beat, const ein_ring_t *ring, const ein_event_t *event,
                        uint32_t rr_next_samples)
{
    ein_templates_t *const templates = &beat->templates;
    ein_beat_view_t view;
    view.segment = &beat->segment;
    cut(&beat->segment, ring, event->t_samples);
    const int16_t *window_uv = beat->segment.uv + EIN_TEMPLATE_SHIFT_SAMPLES;
    ein_shape_measure(&view.shape, window_uv);
    uint8_t slot = EIN_SLOT_NONE;
    const bool first = templates->slots[templates->dominant].beats == 0;
    if (first) { /* it is its own measure */
        slot = ein_templates_learn(templates, -1, &beat->segment, 0, 0, 0);
    }
    view.found = ein_templates_find(templates, &beat->segment, &view.shape, view.matches);
    view.rr_prev_q8 = rr_log_q8(&beat->rr, event->rr_prev_samples);
    view.rr_next_q8 = rr_log_q8(&beat->rr, rr_next_samples);
    view.rr_before_q8 = rr_log_q8(&beat->rr, beat->last_rr_samples);
    const uint32_t dominant = templates->dominant;
    view.before_corr_q15 = beat->any ? beat->last_corr_q15 : INT16_MAX;
    ein_features_compute(&view, &beat->rr, templates, beat->tensor.features);
    quantize(&beat->tensor, &beat->segment, &templates->slots[dominant],
             view.matches[dominant].shift,
             view.found >= 0 ? templates->slots[view.found].uv : window_uv);

    if (!first && (event->flags & UNFIT) == 0) {
        const int16_t mean = ein_rr_mean_q8(&beat->rr);
        const int16_t upper = ein_order_quantile(&beat->rr.rr, 24, mean);
        slot = ein_templates_learn(templates, view.found, &beat->segment,
                                   view.found >= 0 ? view.matches[view.found].shift : (int8_t)0,
                                   (int16_t)(view.rr_prev_q8 - upper),
                                   (int16_t)(view.rr_next_q8 - mean));
    }
    if (event->rr_prev_samples != 0) {
        ein_rr_push(&beat->rr, event->rr_prev_samples);
    } else {
        ein_rr_break(&beat->rr);
    }
    beat->last_corr_q15 = view.matches[dominant].correlation_q15;
    return slot;
}

static bool is_due(const ein_beat_t *beat, const ein_ring_t *ring, uint32_t now_samples)
{
    if (beat->count == 0) {
        return false;
    }
    if (beat->finished) {
        return true;
    }
    const uint32_t r = beat->pending[0].r_samples;
    /* Counted as a signed difference: R may lie a little ahead of the delayed ring's end. */
    const int32_t held = (int32_t)(ring->end_samples - r);
    if (held < WHOLE_SAMPLES) {
        return false;
    }
    return beat->count > 1 || now_samples - r >= EIN_RR_MAX_SAMPLES;
}

uint32_t ein_beat_wake_samples(const ein_beat_t *beat, uint32_t now)
{
    if (beat->count == 0) {
        return now + EIN_TIME_FAR_SAMPLES;
    }
    const uint32_t wait_samples = beat->count > 1
                                      ? WHOLE_SAMPLES - 1u
                                      : EIN_RR_MAX_SAMPLES - EIN_FILTER_BANDPASS_DELAY_SAMPLES;
    return beat->finished ? now : beat->pending[0].r_samples + wait_samples;
}

bool ein_beat_poll(ein_beat_t *beat, const ein_ring_t *ring, uint32_t now_samples,
                   ein_event_t *event)
{
    if (!is_due(beat, ring, now_samples)) {
        return false;
    }
    const ein_pending_t own = beat->pending[0];
    const bool next_known = beat->count > 1;
    const ein_pending_t next = beat->pending[1];
    event->kind = EIN_EVENT_BEAT;
    event->flags = own.flags;
    event->t_samples = own.r_samples;
    event->t_emitted = now_samples;
    event->rr_prev_samples = beat->any ? own.r_samples - beat->last_r_samples : 0u;
    event->rr_next_samples = next_known ? next.r_samples - own.r_samples : 0u;
    event->tensor = &beat->tensor;

    ein_event_t rhythm = *event; /* as the model is told: an interval over a break is unknown */
    if ((own.flags & EIN_FLAG_BREAK) != 0) {
        rhythm.rr_prev_samples = 0;
    }
    uint32_t rr_next_samples = event->rr_next_samples;
    if (next_known && (next.flags & EIN_FLAG_BREAK) != 0) {
        rr_next_samples = 0;
    } else if (!next_known && !beat->finished) {
        rr_next_samples = EIN_RR_MAX_SAMPLES; /* a pause */
    }
    event->slot = describe(beat, ring, &rhythm, rr_next_samples);
    event->slot_beats =
        event->slot == EIN_SLOT_NONE ? (uint16_t)0 : beat->templates.slots[event->slot].beats;

    beat->any = true;
    beat->last_r_samples = own.r_samples;
    beat->last_rr_samples = rhythm.rr_prev_samples;
    beat->count--;
    memmove(beat->pending, beat->pending + 1, beat->count * sizeof beat->pending[0]);
    return true;
}
