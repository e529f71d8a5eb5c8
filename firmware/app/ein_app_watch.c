/* Whoever watches a stream: its samples beside its events, kept until they are acknowledged. */
#include "ein_app_state.h"

#include "ein_port.h"

/* A session that begins has samples of its own. */
static void follow(ein_app_t *app)
{
    const ein_session_t *session = &app->session;
    if (session->id != 0 && session->mode != EIN_WIRE_MODE_REPLAY &&
        session->id != app->trace.session) {
        ein_trace_start(&app->trace, session->id);
    }
}

static void send(ein_app_t *app, uint32_t number)
{
    const ein_trace_block_t *block = ein_trace_at(&app->trace, number);
    const ein_wire_trace_t message = {
        .session = app->trace.session,
        .start = block->start,
        .lost = block->lost,
        .count = block->count,
        .code = block->code,
        .code_size = block->size,
    };
    ein_app_send(app, EIN_WIRE_TRACE, 0, ein_wire_put_trace(ein_app_payload(app), &message));
}

static void send_newest(ein_app_t *app, bool completed)
{
    if (completed && app->trace.sending) {
        send(app, app->trace.next - 1u);
    }
}

void ein_app_take(ein_app_t *app, int16_t sample)
{
    follow(app);
    send_newest(app, ein_trace_push(&app->trace, sample));
    ein_session_push(&app->session, sample);
    ein_session_drain(&app->session);
}

void ein_app_lose(ein_app_t *app, uint32_t lost)
{
    follow(app);
    send_newest(app, ein_trace_gap(&app->trace, lost));
    ein_session_gap(&app->session, lost);
    ein_session_drain(&app->session);
}

bool ein_app_on_watch(ein_app_t *app, const ein_frame_t *frame)
{
    ein_wire_watch_t watch;
    if (!ein_wire_get_watch(&watch, frame->payload, frame->size)) {
        return false;
    }
    follow(app);
    ein_session_t *session = &app->session;
    ein_trace_t *trace = &app->trace;
    const bool runs = session->id != 0 && session->id == trace->session && !session->finishing;
    if (!runs && trace->session != 0) {
        ein_trace_close(trace);
    }
    if (watch.session == trace->session) {
        ein_trace_acknowledge(trace, watch.samples_acked);
    }
    trace->sending = watch.on != 0;
    for (uint32_t n = trace->first; trace->sending && n != trace->next; n++) {
        send(app, n);
        ein_port_poll(false); /* each may wait for a transmitter that nobody empties */
    }
    if (session->id != 0 && session->id == trace->session) {
        const bool knows = watch.session == session->id;
        ein_app_resend_events(app, knows ? watch.events_acked : session->outbox.first);
    }
    const ein_wire_watch_reply_t reply = {
        .session = trace->session,
        .runs = runs ? 1u : 0u,
        .first_sample = ein_trace_first_sample(trace),
        .next_sample = trace->next_sample,
        .first_event = session->outbox.first,
        .next_event = session->outbox.next,
    };
    ein_app_send(app, EIN_WIRE_WATCH_REPLY, frame->sequence,
                 ein_wire_put_watch_reply(ein_app_payload(app), &reply));
    return true;
}
