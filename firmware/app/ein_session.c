#include "ein_session.h"

#include <assert.h>
#include <string.h>

#include "ein_confidence.h"
#include "ein_crc32.h"
#include "ein_head.h"
#include "ein_model.h"
#include "ein_port.h"

/* Wire and model must agree with the pipeline on what a beat is. */
typedef char ein_check_logits[sizeof(((ein_wire_beat_t *)0)->logits) == EIN_CLASSES ? 1 : -1];
typedef char ein_check_outputs[EIN_MODEL_OUTPUTS == EIN_CLASSES ? 1 : -1];
typedef char ein_check_tensor[sizeof(ein_tensor_t) == sizeof(((ein_tensor_t *)0)->signal) +
                                                          sizeof(((ein_tensor_t *)0)->features)
                                  ? 1
                                  : -1];

#if EIN_MODEL_HEAD_BYTES
typedef char ein_check_embedding[EIN_MODEL_EMBEDDING == EIN_STRIP_EMBEDDING ? 1 : -1];
#endif

static uint32_t arena[(EIN_MODEL_ARENA_BYTES + 3u) / 4u];

void ein_session_init(ein_session_t *session, ein_session_on_event_t on_event, void *context)
{
    memset(session, 0, sizeof(*session));
    session->on_event = on_event;
    session->context = context;
}

ein_status_t ein_session_start(ein_session_t *session, const ein_wire_start_t *start)
{
    session->id = 0;
    const ein_core_config_t config = {start->gain_lsb_per_mv, start->rail_lo, start->rail_hi};
    ein_status_t status = ein_core_init(&session->core, &config);
    if (status != EIN_OK) {
        return status;
    }
    ein_head_load();
    ein_gate_init(&session->gate);
    memset(&session->vote, 0, sizeof session->vote);
    memset(&session->vote_unadapted, 0, sizeof session->vote_unadapted);
    ein_quality_init(&session->quality);
    ein_disturbance_init(&session->disturbance, start->gain_lsb_per_mv, start->rail_lo,
                         start->rail_hi);
    session->disturbed = session->signal_state = 0;
    ein_strip_init(&session->strip);
    session->id = start->session;
    session->mode = start->mode;
    session->finishing = false;
    session->finished = false;
    session->next_sample = 0;
    session->started_at = 0;
    session->event_count_max = 0;
    session->events_lost = 0;
    ein_stats_init(&session->per_sample);
    ein_stats_init(&session->per_inference);
    ein_outbox_init(&session->outbox);
    ein_rhythm_init(&session->rhythm);
    session->rhythm_finished = false;
    return EIN_OK;
}

uint32_t ein_session_infer(const ein_tensor_t *tensor, int8_t logits[EIN_CLASSES],
                           int8_t unadapted[EIN_CLASSES], int8_t embedding[EIN_STRIP_EMBEDDING])
{
    uint32_t before = ein_port_count();
#if EIN_MODEL_HEAD_BYTES
    ein_model_embed(arena, &tensor->signal[0][0], tensor->features, embedding);
    ein_model_head(arena, NULL, embedding, unadapted);
    if (ein_head_parameters() != NULL) {
        ein_model_head(arena, ein_head_parameters(), embedding, logits);
    } else {
        memcpy(logits, unadapted, EIN_CLASSES);
    }
#else
    ein_model_infer(arena, &tensor->signal[0][0], tensor->features, unadapted);
    memcpy(logits, unadapted, EIN_CLASSES);
    memset(embedding, 0, EIN_STRIP_EMBEDDING);
#endif
    return ein_port_count() - before;
}

/* Index of the largest, the lowest one on a tie. */
static uint8_t argmax(const int8_t logits[EIN_CLASSES])
{
    uint8_t best = 0;
    for (uint8_t i = 1; i < EIN_CLASSES; i++) {
        if (logits[i] > logits[best]) {
            best = i;
        }
    }
    return best;
}

/* Logits of a beat: of the gate if it passes, else of the network. */
static void classify(ein_session_t *session, const ein_event_t *event, ein_wire_beat_t *beat,
                     int8_t embedding[EIN_STRIP_EMBEDDING])
{
    const uint32_t before = ein_port_count();
    const bool open = ein_gate_open(&session->gate, event) && ein_head_parameters() == NULL;
    if (open && ein_gate_passes(event->tensor->features, beat->logits)) {
        memcpy(beat->unadapted, beat->logits, EIN_CLASSES);
        memset(embedding, 0, EIN_STRIP_EMBEDDING); /* the strip that reads it is over */
        beat->flags |= EIN_FLAG_PASSED;
        beat->count = ein_port_count() - before;
        return;
    }
    ein_session_infer(event->tensor, beat->logits, beat->unadapted, embedding);
    beat->count = ein_port_count() - before;
    ein_stats_add(&session->per_inference, beat->count);
}

/* Class, confidence and what the strip learns of a beat whose logits are there. */
static void judge(ein_session_t *session, const ein_event_t *event, ein_wire_beat_t *beat,
                  const int8_t embedding[EIN_STRIP_EMBEDDING])
{
    beat->label = argmax(beat->logits);
    beat->confidence = ein_confidence(beat->logits);
    bool unsure = ein_confidence_unsure(beat->confidence, beat->flags);
    const uint32_t end_samples = session->finishing ? session->next_sample : 0u;
    ein_quality_beat(&session->quality, event, end_samples, beat->confidence, &beat->label,
                     &unsure);
    beat->unsure = unsure ? 1u : 0u;
    const ein_strip_beat_t of_strip = {
        .event = event,
        .logits = beat->logits,
        .embedding = embedding,
        .label = beat->label,
        .unsure = unsure,
    };
    ein_strip_beat(&session->strip, &of_strip);
}

static void take_event(ein_session_t *session, const ein_event_t *event)
{
    ein_outbox_event_t *out = ein_outbox_add(&session->outbox);
    ein_wire_beat_t *beat = &out->beat;
    out->type = event->kind == EIN_EVENT_BEAT ? EIN_WIRE_BEAT : EIN_WIRE_SIGNAL;
    beat->t_samples = event->t_samples;
    beat->t_emitted = event->t_emitted;
    beat->flags = event->flags;
    session->rhythm_samples = event->t_emitted;
    if (event->kind == EIN_EVENT_SIGNAL) {
        ein_rhythm_signal(&session->rhythm, event->flags);
        session->signal_state = event->flags;
        session->disturbed = session->disturbance.flags;
        beat->flags = (uint16_t)(event->flags | session->disturbed);
    } else {
        beat->rr_prev_samples = event->rr_prev_samples;
        beat->rr_next_samples = event->rr_next_samples;
        beat->tensor_crc = ein_crc32(0, event->tensor, sizeof(*event->tensor));
        int8_t embedding[EIN_STRIP_EMBEDDING];
        classify(session, event, beat, embedding);
        ein_vote(&session->vote, event->slot, event->slot_beats, beat->logits);
        ein_vote(&session->vote_unadapted, event->slot, event->slot_beats, beat->unadapted);
        judge(session, event, beat, embedding);
        const ein_rhythm_beat_t seen = {event->t_samples, event->flags, beat->label,
                                        beat->confidence, event->tensor};
        ein_rhythm_beat(&session->rhythm, &seen);
    }
    uint32_t since_sample = ein_port_count() - session->started_at;
    if (!session->finishing && since_sample > session->event_count_max) {
        session->event_count_max = since_sample;
    }
    ein_port_poll(false); /* many events in a row must not look like a hang */
    session->on_event(session->context, out);
}

static void take_rhythm(ein_session_t *session, const ein_rhythm_event_t *event)
{
    ein_outbox_event_t *out = ein_outbox_add(&session->outbox);
    out->type = EIN_WIRE_RHYTHM;
    out->beat.label = event->kind;
    out->beat.flags = event->phase;
    out->beat.t_samples = event->begin_samples;
    out->beat.rr_next_samples = event->end_samples;
    out->beat.t_emitted = session->rhythm_samples;
    session->on_event(session->context, out);
}

/* The core's state has not changed, but what disturbs the signal has. */
static void take_disturbance(ein_session_t *session)
{
    const ein_event_t event = {
        .kind = EIN_EVENT_SIGNAL,
        .flags = session->signal_state,
        .t_samples = session->next_sample - 1u,
        .t_emitted = session->next_sample - 1u,
    };
    take_event(session, &event);
}

bool ein_session_drain(ein_session_t *session)
{
    ein_event_t event;
    ein_rhythm_event_t told;
    for (;;) {
        if (ein_outbox_full(&session->outbox)) {
            if (session->mode == EIN_WIRE_MODE_REPLAY) {
                return false;
            }
            ein_outbox_drop(&session->outbox);
            session->events_lost++;
        }
        if (ein_rhythm_has_next(&session->rhythm) && ein_rhythm_next(&session->rhythm, &told)) {
            take_rhythm(session, &told);
            continue;
        }
        if (ein_core_next(&session->core, &event)) {
            take_event(session, &event);
        } else if (session->disturbed != session->disturbance.flags) {
            take_disturbance(session);
        } else {
            return true;
        }
    }
}

void ein_session_push(ein_session_t *session, int16_t sample)
{
    session->started_at = ein_port_count();
    size_t used = ein_core_push(&session->core, &sample, 1);
    ein_rhythm_sample(&session->rhythm, &session->core.ring);
    ein_disturbance_push(&session->disturbance, sample);
    ein_stats_add(&session->per_sample, ein_port_count() - session->started_at);
    assert(used == 1);
    (void)used;
    session->rhythm_samples = session->next_sample;
    session->next_sample++;
}

void ein_session_gap(ein_session_t *session, uint32_t lost)
{
    ein_core_gap(&session->core, lost);
    ein_disturbance_gap(&session->disturbance);
    session->next_sample += lost;
}

bool ein_session_finish(ein_session_t *session)
{
    if (!session->finishing) {
        if (!ein_session_drain(session)) {
            return false;
        }
        ein_core_finish(&session->core);
        session->finishing = true;
    }
    if (!session->rhythm_finished) {
        if (!ein_session_drain(session)) {
            return false;
        }
        ein_rhythm_finish(&session->rhythm, session->next_sample);
        session->rhythm_samples = session->next_sample;
        session->rhythm_finished = true;
    }
    if (!session->finished) {
        session->finished = ein_session_drain(session);
        if (session->finished) {
            ein_strip_verdict(&session->strip, &session->core.beat.templates, session->next_sample,
                              &session->verdict, NULL);
        }
    }
    return session->finished;
}
