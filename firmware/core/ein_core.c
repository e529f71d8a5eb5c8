#include "ein_core.h"

#include <assert.h>
#include <string.h>

#include "ein_fixed.h"
#include "ein_time.h"

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
    core->wake_samples = core->ring.end_samples;
    ein_qrs_init(&core->qrs);
    ein_beat_init(&core->beat);
    return EIN_OK;
}

/* The sample that the input holds, through filters and detector; true if something may be due.
   Out of line, because it is long and needs all registers. */
__attribute__((noinline)) static bool filter_sample(ein_core_t *core)
{
    const uint32_t now = core->ring.end_samples;
    const int32_t band_q8 = ein_filter_bandpass(&core->bandpass, core->input.held_q8);
    ein_ring_push(&core->ring, ein_sat16_q8(band_q8 + 128));
    return ein_qrs_push(&core->qrs, now, band_q8) || !ein_time_before(now, core->wake_samples);
}

/* A sample for which there is nothing to filter. */
static void lose_sample(ein_core_t *core)
{
    ein_ring_push(&core->ring, 0);
    ein_qrs_lost(&core->qrs);
}

static uint16_t signal_state(const ein_core_t *core)
{
    return (uint16_t)(core->input.flags | ein_qrs_state(&core->qrs));
}

/* The event that is due at this sample, in core->event; false if there is none. */
static bool next_event(ein_core_t *core)
{
    uint16_t state = signal_state(core);
    const uint32_t samples = ein_core_samples(core);
    const uint32_t now = samples - 1u;
    if (!core->ring.full) {
        if (samples == 0) /* nothing has come yet; later, the clock has come round */
            return false;
        core->ring.full = samples >= EIN_RING_SAMPLES + EIN_FILTER_BANDPASS_DELAY_SAMPLES;
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

/* After a sample: true if an event is due at it. Else says when to ask again. */
static bool look(ein_core_t *core)
{
    const uint32_t now = core->ring.end_samples - 1u;
    if (next_event(core))
        return true;
    core->wake_samples = ein_time_earlier(ein_qrs_wake_samples(&core->qrs, now),
                                          ein_beat_wake_samples(&core->beat, now));
    return false;
}

/* The same after a sample of the signal, which the detector has to judge first. */
__attribute__((noinline)) static bool attend(ein_core_t *core)
{
    ein_qrs_attend(&core->qrs, &core->ring);
    return look(core);
}

/* A sample that is not plain; true if an event is due at it. Out of line: seldom needed. */
__attribute__((noinline)) static bool step_odd(ein_core_t *core, ein_input_state_t input)
{
    if (input == EIN_INPUT_LOST) {
        lose_sample(core);
        return look(core);
    }
    if (input == EIN_INPUT_START)
        memset(&core->bandpass, 0, sizeof core->bandpass);
    filter_sample(core);
    return attend(core);
}

/* A lost sample, or one after the end; true if an event is due at it. */
static bool step_without(ein_core_t *core, bool lost)
{
    return step_odd(core, lost ? ein_input_lost(&core->input) : EIN_INPUT_VALID);
}

/* Samples that the core makes up itself, in a gap and after the end, until an event is due. */
static bool step_made_up(ein_core_t *core)
{
    while (core->lost_left > 0) {
        if (core->lost_stepped >= EIN_RING_SAMPLES + EIN_RR_MAX_SAMPLES) {
            /* Nothing is left that could become an event: the rest is a jump. */
            core->ring.end_samples += core->lost_left;
            core->lost_left = 0;
            break;
        }
        core->lost_left--;
        core->lost_stepped++;
        if (step_without(core, true))
            return true;
    }
    while (core->padding_left > 0) {
        core->padding_left--;
        if (step_without(core, false))
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
    core->has_event = look(core) || step_made_up(core);
    core->idle = !core->has_event && !core->finished;
    return core->has_event;
}

/* True if there is an event, in core->event. */
static bool pending(ein_core_t *core)
{
    return core->has_event || look_for_event(core);
}

size_t ein_core_push(ein_core_t *core, const int16_t *samples, size_t n)
{
    if (!core->idle && (pending(core) || core->finished))
        return 0;
    const int16_t *const end = samples + n;
    for (const int16_t *next = samples; next != end;) {
        const ein_input_state_t input = ein_input_step(&core->input, *next++);
        const bool event =
            input == EIN_INPUT_PLAIN ? filter_sample(core) && attend(core) : step_odd(core, input);
        if (event) {
            core->has_event = true;
            core->idle = false;
            return (size_t)(next - samples);
        }
    }
    return n;
}

bool ein_core_next(ein_core_t *core, ein_event_t *event)
{
    assert(event != NULL);
    if (core->idle || !pending(core))
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
    core->end_samples = ein_core_samples(core) + core->lost_left;
    core->padding_left = EIN_CORE_PADDING_SAMPLES;
}
