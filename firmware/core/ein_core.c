#include "ein_core.h"

#include <assert.h>
#include <string.h>

#include "ein_fixed.h"
#include "ein_time.h"

static const int32_t BANDPASS_Q30[EIN_FILTER_BANDPASS_SECTIONS][5] = EIN_FILTER_BANDPASS_Q30;

ein_status_t ein_core_init(ein_core_t *core, const ein_core_config_t *config)
{
    if (core == NULL || config == NULL)
        return EIN_ERR_ARG;
    memset(core, 0, sizeof *core);
    ein_status_t status =
        ein_input_init(&core->input, config->gain_lsb_per_mv, config->rail_lo, config->rail_hi);
    if (status != EIN_OK)
        return status;
    core->ring.end_samples = (uint32_t)-EIN_FILTER_BANDPASS_DELAY_SAMPLES;
    ein_qrs_init(&core->qrs);
    ein_beat_init(&core->beat);
    return EIN_OK;
}

/* One sample of the signal at uv_q8, through filters and detector. */
static inline void filter_sample(ein_core_t *core, int32_t uv_q8)
{
    int32_t band_q8 =
        ein_filter_step(core->bandpass, BANDPASS_Q30, EIN_FILTER_BANDPASS_SECTIONS, uv_q8);
    ein_ring_push(&core->ring, ein_sat16((band_q8 + 128) >> 8));
    ein_qrs_push(&core->qrs, &core->ring, band_q8);
}

/* One sample of time: what the input made of it. */
static inline void step(ein_core_t *core, ein_input_state_t input, int32_t uv_q8)
{
    core->t_samples++;
    if (input == EIN_INPUT_LOST) {
        ein_ring_push(&core->ring, 0);
        ein_qrs_lost(&core->qrs);
        return;
    }
    if (input == EIN_INPUT_START)
        memset(core->bandpass, 0, sizeof core->bandpass);
    filter_sample(core, uv_q8);
}

/* A lost sample, or one after the end. Out of line: seldom needed, and large. */
__attribute__((noinline)) static void step_without(ein_core_t *core, bool lost)
{
    int32_t uv_q8 = core->input.held_q8;
    ein_input_state_t input = EIN_INPUT_VALID;
    if (lost)
        input = ein_input_lost(&core->input, &uv_q8);
    step(core, input, uv_q8);
}

static uint16_t signal_state(const ein_core_t *core)
{
    return (uint16_t)(core->input.flags | ein_qrs_state(&core->qrs));
}

/* The event that is due at this sample, in core->event; false if there is none. */
static bool next_event(ein_core_t *core)
{
    uint16_t state = signal_state(core);
    uint32_t now = core->t_samples - 1u;
    if (!core->ring.full) {
        if (core->t_samples == 0) /* nothing has come yet; later, the clock has come round */
            return false;
        core->ring.full = core->t_samples >= EIN_RING_SAMPLES + EIN_FILTER_BANDPASS_DELAY_SAMPLES;
    }
    const bool changed = state != core->state;
    core->state = state;
    core->since_beat |= state;
    if (changed && !core->finished) {
        core->event = (ein_event_t){
            .kind = EIN_EVENT_SIGNAL,
            .flags = state,
            .t_samples = now,
            .t_emitted = now,
        };
        return true;
    }
    /* The end of learning confirms several R at once: each may make the beat before it due. */
    for (;;) {
        uint32_t r_samples;
        uint16_t flags;
        if (ein_beat_poll(&core->beat, &core->ring, now, &core->event))
            return true;
        if (!ein_qrs_next(&core->qrs, &r_samples, &flags))
            return false;
        if (core->finished && !ein_time_before(r_samples, core->end_samples))
            continue;
        ein_beat_on_r(&core->beat, r_samples, flags | core->since_beat);
        core->since_beat = state;
    }
}

/* Called after each sample, and nearly always there is nothing to do. */
static inline bool poll(ein_core_t *core)
{
    if (signal_state(core) == core->state && !ein_qrs_has_next(&core->qrs) &&
        !ein_beat_is_due(&core->beat, &core->ring, core->t_samples - 1u))
        return false;
    return next_event(core);
}

/* Samples that the core makes up itself, in a gap and after the end, until an event is due. */
static bool step_made_up(ein_core_t *core)
{
    while (core->lost_left > 0) {
        if (core->lost_stepped >= EIN_RING_SAMPLES + EIN_RR_MAX_SAMPLES) {
            /* Nothing is left that could become an event: the rest is a jump. */
            core->t_samples += core->lost_left;
            core->ring.end_samples += core->lost_left;
            core->lost_left = 0;
            break;
        }
        core->lost_left--;
        core->lost_stepped++;
        step_without(core, true);
        if (next_event(core))
            return true;
    }
    while (core->padding_left > 0) {
        core->padding_left--;
        step_without(core, false);
        if (next_event(core))
            return true;
    }
    if (core->finished) {
        ein_beat_finish(&core->beat);
        return next_event(core);
    }
    return false;
}

static bool look_for_event(ein_core_t *core)
{
    core->has_event = next_event(core) || step_made_up(core);
    core->idle = !core->has_event;
    return core->has_event;
}

/* Asked before and after every sample, when there is nearly always nothing to look for. */
static inline bool pending(ein_core_t *core)
{
    return core->has_event || (!core->idle && look_for_event(core));
}

size_t ein_core_push(ein_core_t *core, const int16_t *samples, size_t n)
{
    if (pending(core) || core->finished)
        return 0;
    for (size_t i = 0; i < n; i++) {
        int32_t uv_q8;
        ein_input_state_t input = ein_input_step(&core->input, samples[i], &uv_q8);
        step(core, input, uv_q8);
        if (poll(core)) {
            core->has_event = true;
            core->idle = false;
            return i + 1;
        }
    }
    return n;
}

bool ein_core_next(ein_core_t *core, ein_event_t *event)
{
    assert(event != NULL);
    if (!pending(core))
        return false;
    *event = core->event;
    core->has_event = false;
    return true;
}

void ein_core_gap(ein_core_t *core, uint32_t lost_samples)
{
    if (core->finished)
        return;
    if (core->lost_left == 0)
        core->lost_stepped = 0;
    core->idle = false;
    uint32_t room = UINT32_MAX - core->lost_left;
    core->lost_left += lost_samples < room ? lost_samples : room;
}

void ein_core_finish(ein_core_t *core)
{
    if (core->finished)
        return;
    core->finished = true;
    core->idle = false;
    core->end_samples = core->t_samples + core->lost_left;
    core->padding_left = EIN_CORE_PADDING_SAMPLES;
}
