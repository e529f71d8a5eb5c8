/* Records through the board: start, samples, poll, finish; status and events back. */
#include "ein_app_state.h"

#include "ein_port.h"
#include "ein_samples.h"

void ein_app_send_status(ein_app_t *app, uint8_t sequence, uint8_t flags)
{
    const ein_session_t *session = &app->session;
    ein_wire_status_t status = {
        .session = session->id,
        .next_sample = session->next_sample,
        .next_event = session->outbox.next,
        .credit_bytes = app->credit_bytes,
        .waiting_events = (uint8_t)(session->outbox.next - session->outbox.first),
        .flags = flags,
    };
    status.flags |= (uint8_t)(session->id != 0 ? EIN_WIRE_STATUS_FLAG_RUNNING : 0u);
    status.flags |= (uint8_t)(session->finished ? EIN_WIRE_STATUS_FLAG_FINISHED : 0u);
    ein_app_send(app, EIN_WIRE_STATUS, sequence,
                 ein_wire_put_status(ein_app_payload(app), &status));
}

void ein_app_send_event(ein_app_t *app, const ein_outbox_event_t *event)
{
    const ein_wire_beat_t *beat = &event->beat;
    if (event->type == EIN_WIRE_BEAT) {
        ein_app_send(app, EIN_WIRE_BEAT, 0, ein_wire_put_beat(ein_app_payload(app), beat));
        return;
    }
    if (event->type == EIN_WIRE_RHYTHM) {
        ein_wire_rhythm_t rhythm = {
            .number = beat->number,
            .kind = beat->label,
            .phase = (uint8_t)beat->flags,
            .begin_samples = beat->t_samples,
            .end_samples = beat->rr_next_samples,
            .t_emitted = beat->t_emitted,
        };
        ein_app_send(app, EIN_WIRE_RHYTHM, 0, ein_wire_put_rhythm(ein_app_payload(app), &rhythm));
        return;
    }
    ein_wire_signal_t signal = {beat->number, beat->t_samples, beat->t_emitted, beat->flags};
    ein_app_send(app, EIN_WIRE_SIGNAL, 0, ein_wire_put_signal(ein_app_payload(app), &signal));
}

void ein_app_resend_events(ein_app_t *app, uint32_t events_acked)
{
    ein_outbox_t *outbox = &app->session.outbox;
    ein_outbox_acknowledge(outbox, events_acked);
    for (uint32_t n = outbox->first; n != outbox->next; n++) {
        ein_app_send_event(app, ein_outbox_at(outbox, n));
        app->events_resent++;
        ein_port_poll(false); /* each may wait for a transmitter that nobody empties */
    }
}

bool ein_app_on_start(ein_app_t *app, const ein_frame_t *frame)
{
    ein_wire_start_t start;
    if (!ein_wire_get_start(&start, frame->payload, frame->size)) {
        return false;
    }
    if (!app->model_fits) {
        ein_app_send_error(app, frame->sequence, EIN_WIRE_ERROR_WRONG_MODEL,
                           "the model was made for another pipeline");
    } else if (start.session == 0 || start.mode > EIN_WIRE_MODE_STREAM) {
        ein_app_send_error(app, frame->sequence, EIN_WIRE_ERROR_BAD_CONFIG,
                           "session 0 or unknown mode");
    } else if (start.session != app->session.id &&
               ein_session_start(&app->session, &start) != EIN_OK) {
        ein_app_send_error(app, frame->sequence, EIN_WIRE_ERROR_BAD_CONFIG,
                           "gain or rails out of range");
    } else {
        ein_app_send_status(app, frame->sequence, 0);
    }
    return true;
}

/* Runs the samples of a message through the session; returns the status flags that say whether it
   took all of them. */
static uint8_t take_samples(ein_app_t *app, const ein_wire_samples_t *message)
{
    ein_samples_t samples;
    ein_samples_init(&samples, message->code, message->code_size);
    for (uint16_t i = 0; i < message->count; i++) {
        int16_t value;
        if (!ein_session_drain(&app->session)) {
            return EIN_WIRE_STATUS_FLAG_RESEND | EIN_WIRE_STATUS_FLAG_FULL;
        }
        if (!ein_samples_next(&samples, &value)) {
            ein_app_send_error(app, 0, EIN_WIRE_ERROR_BAD_SAMPLES,
                               "the code of the samples is cut off");
            return EIN_WIRE_STATUS_FLAG_RESEND;
        }
        ein_session_push(&app->session, value);
    }
    if (!ein_samples_ended(&samples)) {
        ein_app_send_error(app, 0, EIN_WIRE_ERROR_BAD_SAMPLES,
                           "there are bits after the last sample");
    }
    ein_session_drain(&app->session);
    return 0;
}

/* Whether a message about samples from `start` on is the one that the session waits for. */
static bool is_next(const ein_session_t *session, uint32_t start)
{
    return session->mode == EIN_WIRE_MODE_REPLAY && !session->finishing &&
           start == session->next_sample;
}

bool ein_app_on_samples(ein_app_t *app, const ein_frame_t *frame)
{
    ein_wire_samples_t message;
    if (!ein_wire_get_samples(&message, frame->payload, frame->size) ||
        message.count > EIN_WIRE_MAX_SAMPLES) {
        return false;
    }
    ein_session_t *session = &app->session;
    if (session->id == 0) {
        ein_app_send_status(app, 0, 0);
        return true;
    }
    ein_outbox_acknowledge(&session->outbox, message.events_acked);
    uint8_t flags = EIN_WIRE_STATUS_FLAG_RESEND;
    if (is_next(session, message.start)) {
        flags = take_samples(app, &message);
    }
    ein_app_send_status(app, 0, flags);
    return true;
}

bool ein_app_on_gap(ein_app_t *app, const ein_frame_t *frame)
{
    ein_wire_gap_t gap;
    if (!ein_wire_get_gap(&gap, frame->payload, frame->size)) {
        return false;
    }
    ein_session_t *session = &app->session;
    if (session->id == 0) {
        ein_app_send_status(app, 0, 0);
        return true;
    }
    ein_outbox_acknowledge(&session->outbox, gap.events_acked);
    uint8_t flags = EIN_WIRE_STATUS_FLAG_RESEND;
    if (is_next(session, gap.start)) {
        if (ein_session_drain(session)) {
            ein_session_gap(session, gap.lost);
            ein_session_drain(session);
            flags = 0;
        } else {
            flags |= EIN_WIRE_STATUS_FLAG_FULL;
        }
    }
    ein_app_send_status(app, 0, flags);
    return true;
}

bool ein_app_on_poll(ein_app_t *app, const ein_frame_t *frame)
{
    ein_wire_poll_t poll;
    if (!ein_wire_get_poll(&poll, frame->payload, frame->size)) {
        return false;
    }
    if (app->session.id != 0) {
        ein_app_resend_events(app, poll.events_acked);
        if (app->session.finishing) {
            ein_session_finish(&app->session);
        } else {
            ein_session_drain(&app->session);
        }
    }
    ein_app_send_status(app, frame->sequence, 0);
    return true;
}

bool ein_app_on_finish(ein_app_t *app, const ein_frame_t *frame)
{
    ein_wire_finish_t finish;
    if (!ein_wire_get_finish(&finish, frame->payload, frame->size)) {
        return false;
    }
    ein_session_t *session = &app->session;
    bool complete = session->id != 0 && (session->mode == EIN_WIRE_MODE_STREAM ||
                                         finish.samples == session->next_sample);
    if (session->id != 0) {
        ein_app_resend_events(app, finish.events_acked);
    }
    if (complete) {
        ein_session_finish(session);
    }
    ein_app_send_status(app, frame->sequence, complete ? 0 : EIN_WIRE_STATUS_FLAG_RESEND);
    return true;
}

bool ein_app_on_verdict(ein_app_t *app, const ein_frame_t *frame)
{
    if (frame->size != EIN_WIRE_VERDICT_SIZE) {
        return false;
    }
    const ein_session_t *session = &app->session;
    const ein_strip_verdict_t *v = &session->verdict;
    ein_wire_verdict_reply_t reply = {
        .session = session->finished ? session->id : 0u,
        .verdict = v->verdict,
        .probability = v->probability,
        .reasons = v->reasons,
        .ventricular = v->ventricular,
        .supraventricular = v->supraventricular,
        .rate_bpm = v->rate_bpm,
        .longest_ms = v->longest_ms,
    };
    ein_app_send(app, EIN_WIRE_VERDICT_REPLY, frame->sequence,
                 ein_wire_put_verdict_reply(ein_app_payload(app), &reply));
    return true;
}
