#include "ein_app.h"

#include <assert.h>
#include <string.h>

#include "ein_crc32.h"
#include "ein_frame.h"
#include "ein_model.h"
#include "ein_port.h"
#include "ein_samples.h"
#include "ein_session.h"
#include "ein_tx.h"

/* What ein_port.h asks of a receive buffer: a frame, and room for a request beside it. */
#define RX_MIN_BYTES 512u
/* Room in the receive buffer for a request beside the samples under way. */
#define RX_RESERVE_BYTES 64u
/* More credit would only let more events wait than the outbox holds. */
#define CREDIT_MAX_BYTES 1024u
/* Samples of one turn in stream mode: after a stall, the host gets a word in between. */
#define STREAM_BURST_SAMPLES 64u

typedef char
    ein_check_units[(int)EIN_COUNT_INSTRUCTIONS == (int)EIN_WIRE_COUNT_UNIT_INSTRUCTIONS &&
                            (int)EIN_COUNT_CYCLES == (int)EIN_WIRE_COUNT_UNIT_CYCLES &&
                            (int)EIN_COUNT_NANOSECONDS == (int)EIN_WIRE_COUNT_UNIT_NANOSECONDS
                        ? 1
                        : -1];
typedef char ein_check_reasons[(int)EIN_RESET_WATCHDOG == (int)EIN_WIRE_RESET_REASON_WATCHDOG &&
                                       (int)EIN_RESET_FAULT == (int)EIN_WIRE_RESET_REASON_FAULT
                                   ? 1
                                   : -1];

static struct {
    ein_frame_decoder_t decoder;
    ein_tx_t tx;
    uint32_t events_resent;
    uint32_t rejected_seen; /* of decoder.rejected_frames, already answered */
    uint16_t credit_bytes;
    bool model_fits;
    ein_tensor_t bench;
    ein_session_t session;
} app;

static void send(uint8_t type, uint8_t sequence, size_t payload_size)
{
    ein_tx_send(&app.tx, type, sequence, payload_size);
}

static uint8_t *tx_payload(void)
{
    return ein_tx_payload(&app.tx);
}

static void send_error(uint8_t sequence, uint8_t code, const char *text)
{
    ein_wire_error_t error = {code, (const uint8_t *)text, (uint8_t)strlen(text)};
    send(EIN_WIRE_ERROR, sequence, ein_wire_put_error(tx_payload(), &error));
}

static void send_status(uint8_t sequence, uint8_t flags)
{
    const ein_session_t *session = &app.session;
    ein_wire_status_t status = {
        .session = session->id,
        .next_sample = session->next_sample,
        .next_event = session->outbox.next,
        .credit_bytes = app.credit_bytes,
        .waiting_events = (uint8_t)(session->outbox.next - session->outbox.first),
        .flags = flags,
    };
    status.flags |= (uint8_t)(session->id != 0 ? EIN_WIRE_STATUS_FLAG_RUNNING : 0u);
    status.flags |= (uint8_t)(session->finished ? EIN_WIRE_STATUS_FLAG_FINISHED : 0u);
    send(EIN_WIRE_STATUS, sequence, ein_wire_put_status(tx_payload(), &status));
}

static void send_event(const ein_outbox_event_t *event)
{
    const ein_wire_beat_t *beat = &event->beat;
    if (event->is_beat) {
        send(EIN_WIRE_BEAT, 0, ein_wire_put_beat(tx_payload(), beat));
        return;
    }
    ein_wire_signal_t signal = {beat->number, beat->t_samples, beat->t_emitted, beat->flags};
    send(EIN_WIRE_SIGNAL, 0, ein_wire_put_signal(tx_payload(), &signal));
}

static void acknowledge_and_resend(uint32_t events_acked)
{
    ein_outbox_t *outbox = &app.session.outbox;
    ein_outbox_acknowledge(outbox, events_acked);
    for (uint32_t n = outbox->first; n != outbox->next; n++) {
        send_event(ein_outbox_at(outbox, n));
        app.events_resent++;
        ein_port_poll(false); /* each may wait for a transmitter that nobody empties */
    }
}

static bool on_hello(const ein_frame_t *frame)
{
    ein_wire_hello_t hello;
    if (!ein_wire_get_hello(&hello, frame->payload, frame->size)) {
        return false;
    }
    static const uint8_t model_sha256[32] = EIN_MODEL_SHA256_BYTES;
    static const uint8_t pipeline_sha256[32] = EIN_PIPELINE_SHA256_BYTES;
    ein_port_info_t port;
    ein_port_info(&port);
    ein_wire_hello_reply_t reply = {
        .protocol = EIN_WIRE_VERSION,
        .reset_reason = (uint8_t)port.reset_reason,
        .count_unit = (uint8_t)port.count_unit,
        .adc_bits = port.adc_bits,
        .gain_lsb_per_mv = port.adc_gain_lsb_per_mv,
        .rail_lo = port.adc_rail_lo,
        .rail_hi = port.adc_rail_hi,
        .rate_hz = EIN_PIPELINE_RATE_HZ,
        .window_samples = EIN_WINDOW_SAMPLES,
        .channels = EIN_CHANNELS,
        .features = EIN_FEATURES,
        .arena_bytes = EIN_MODEL_ARENA_BYTES,
        .board = port.board,
        .model = EIN_MODEL_NAME,
        .build = port.build,
        .serial = port.serial,
        .classes = EIN_CLASS_NAMES,
    };
    memcpy(reply.model_sha256, model_sha256, sizeof(model_sha256));
    memcpy(reply.pipeline_sha256, pipeline_sha256, sizeof(pipeline_sha256));
    send(EIN_WIRE_HELLO_REPLY, frame->sequence, ein_wire_put_hello_reply(tx_payload(), &reply));
    return true;
}

static bool on_info(const ein_frame_t *frame)
{
    if (frame->size != EIN_WIRE_INFO_SIZE) {
        return false;
    }
    const ein_session_t *session = &app.session;
    const ein_stats_t *sample = &session->per_sample;
    const ein_stats_t *inference = &session->per_inference;
    ein_port_info_t port;
    ein_port_info(&port);
    ein_wire_info_reply_t reply = {
        .stack_bytes = port.stack_bytes,
        .stack_used_bytes = port.stack_used_bytes,
        .arena_bytes = EIN_MODEL_ARENA_BYTES,
        .static_bytes = (uint32_t)(sizeof(app) + EIN_MODEL_ARENA_BYTES),
        .samples = sample->n,
        .sample_count_min = sample->min,
        .sample_count_max = sample->max,
        .sample_count_sum = sample->sum,
        .inferences = inference->n,
        .inference_count_min = inference->min,
        .inference_count_max = inference->max,
        .inference_count_sum = inference->sum,
        .event_count_max = session->event_count_max,
        .rejected_frames = app.decoder.rejected_frames,
        .rejected_bytes = app.decoder.rejected_bytes,
        .rx_overruns = port.rx_overruns,
        .tx_dropped_frames = app.tx.dropped_frames,
        .events_resent = app.events_resent,
        .events_lost = session->events_lost,
    };
    send(EIN_WIRE_INFO_REPLY, frame->sequence, ein_wire_put_info_reply(tx_payload(), &reply));
    return true;
}

static bool on_start(const ein_frame_t *frame)
{
    ein_wire_start_t start;
    if (!ein_wire_get_start(&start, frame->payload, frame->size)) {
        return false;
    }
    if (!app.model_fits) {
        send_error(frame->sequence, EIN_WIRE_ERROR_WRONG_MODEL,
                   "the model was made for another pipeline");
    } else if (start.session == 0 || start.mode > EIN_WIRE_MODE_STREAM) {
        send_error(frame->sequence, EIN_WIRE_ERROR_BAD_CONFIG, "session 0 or unknown mode");
    } else if (start.session != app.session.id &&
               ein_session_start(&app.session, &start) != EIN_OK) {
        send_error(frame->sequence, EIN_WIRE_ERROR_BAD_CONFIG, "gain or rails out of range");
    } else {
        send_status(frame->sequence, 0);
    }
    return true;
}

/* Runs the samples of a message through the session; returns the status flags that say whether it
   took all of them. */
static uint8_t take_samples(const ein_wire_samples_t *message)
{
    ein_samples_t samples;
    ein_samples_init(&samples, message->code, message->code_size);
    for (uint16_t i = 0; i < message->count; i++) {
        int16_t value;
        if (!ein_session_drain(&app.session, send_event)) {
            return EIN_WIRE_STATUS_FLAG_RESEND | EIN_WIRE_STATUS_FLAG_FULL;
        }
        if (!ein_samples_next(&samples, &value)) {
            send_error(0, EIN_WIRE_ERROR_BAD_SAMPLES, "the code of the samples is cut off");
            return EIN_WIRE_STATUS_FLAG_RESEND;
        }
        ein_session_push(&app.session, value);
    }
    if (!ein_samples_ended(&samples)) {
        send_error(0, EIN_WIRE_ERROR_BAD_SAMPLES, "there are bits after the last sample");
    }
    ein_session_drain(&app.session, send_event);
    return 0;
}

static bool on_samples(const ein_frame_t *frame)
{
    ein_wire_samples_t message;
    if (!ein_wire_get_samples(&message, frame->payload, frame->size) ||
        message.count > EIN_WIRE_MAX_SAMPLES) {
        return false;
    }
    ein_session_t *session = &app.session;
    if (session->id == 0) {
        send_status(0, 0);
        return true;
    }
    ein_outbox_acknowledge(&session->outbox, message.events_acked);
    uint8_t flags = EIN_WIRE_STATUS_FLAG_RESEND;
    if (session->mode == EIN_WIRE_MODE_REPLAY && !session->finishing &&
        message.start == session->next_sample) {
        flags = take_samples(&message);
    }
    send_status(0, flags);
    return true;
}

static bool on_poll(const ein_frame_t *frame)
{
    ein_wire_poll_t poll;
    if (!ein_wire_get_poll(&poll, frame->payload, frame->size)) {
        return false;
    }
    if (app.session.id != 0) {
        acknowledge_and_resend(poll.events_acked);
        if (app.session.finishing) {
            ein_session_finish(&app.session, send_event);
        } else {
            ein_session_drain(&app.session, send_event);
        }
    }
    send_status(frame->sequence, 0);
    return true;
}

static bool on_finish(const ein_frame_t *frame)
{
    ein_wire_finish_t finish;
    if (!ein_wire_get_finish(&finish, frame->payload, frame->size)) {
        return false;
    }
    ein_session_t *session = &app.session;
    bool complete = session->id != 0 && (session->mode == EIN_WIRE_MODE_STREAM ||
                                         finish.samples == session->next_sample);
    if (session->id != 0) {
        acknowledge_and_resend(finish.events_acked);
    }
    if (complete) {
        ein_session_finish(session, send_event);
    }
    send_status(frame->sequence, complete ? 0 : EIN_WIRE_STATUS_FLAG_RESEND);
    return true;
}

static bool on_tensor(const ein_frame_t *frame)
{
    ein_wire_tensor_t piece;
    if (!ein_wire_get_tensor(&piece, frame->payload, frame->size)) {
        return false;
    }
    if ((size_t)piece.offset + piece.bytes_size > sizeof(app.bench)) {
        send_error(frame->sequence, EIN_WIRE_ERROR_BAD_TENSOR, "piece beyond the tensor's end");
        return true;
    }
    memcpy((uint8_t *)&app.bench + piece.offset, piece.bytes, piece.bytes_size);
    return true;
}

static bool on_bench(const ein_frame_t *frame)
{
    ein_wire_bench_t bench;
    if (!ein_wire_get_bench(&bench, frame->payload, frame->size)) {
        return false;
    }
    ein_wire_bench_reply_t reply;
    reply.tensor_crc = ein_crc32(0, &app.bench, sizeof(app.bench));
    if (reply.tensor_crc != bench.tensor_crc) {
        send_error(frame->sequence, EIN_WIRE_ERROR_BAD_TENSOR, "the tensor's CRC-32 differs");
        return true;
    }
    reply.count = ein_session_infer(&app.bench, reply.logits);
    send(EIN_WIRE_BENCH_REPLY, frame->sequence, ein_wire_put_bench_reply(tx_payload(), &reply));
    return true;
}

static bool on_reset(const ein_frame_t *frame)
{
    if (frame->size != EIN_WIRE_RESET_SIZE) {
        return false;
    }
    ein_port_reset();
    return true;
}

static bool handle(const ein_frame_t *frame)
{
    switch (frame->type) {
    case EIN_WIRE_HELLO:
        return on_hello(frame);
    case EIN_WIRE_INFO:
        return on_info(frame);
    case EIN_WIRE_START:
        return on_start(frame);
    case EIN_WIRE_SAMPLES:
        return on_samples(frame);
    case EIN_WIRE_POLL:
        return on_poll(frame);
    case EIN_WIRE_FINISH:
        return on_finish(frame);
    case EIN_WIRE_TENSOR:
        return on_tensor(frame);
    case EIN_WIRE_BENCH:
        return on_bench(frame);
    case EIN_WIRE_RESET:
        return on_reset(frame);
    default:
        return false;
    }
}

static bool receive(void)
{
    uint8_t bytes[64];
    size_t n = ein_port_read(bytes, sizeof(bytes));
    for (size_t i = 0; i < n; i++) {
        ein_frame_t frame;
        if (!ein_frame_decoder_push(&app.decoder, bytes[i], &frame)) {
            continue;
        }
        ein_port_poll(false);
        if (!handle(&frame)) {
            send_error(frame.sequence, EIN_WIRE_ERROR_UNKNOWN_MESSAGE,
                       "unknown message or wrong size");
        }
    }
    if (app.decoder.rejected_frames != app.rejected_seen) {
        app.rejected_seen = app.decoder.rejected_frames;
        if (app.session.id != 0) { /* the host need not wait for its time-out */
            send_status(0, EIN_WIRE_STATUS_FLAG_RESEND);
        }
    }
    return n > 0;
}

static bool stream(void)
{
    ein_session_t *session = &app.session;
    if (session->id == 0 || session->mode != EIN_WIRE_MODE_STREAM || session->finishing) {
        return false;
    }
    int16_t sample;
    uint32_t lost = 0;
    uint32_t n = 0;
    while (n < STREAM_BURST_SAMPLES && ein_port_adc(&sample, &lost)) {
        if (lost > 0) {
            ein_session_gap(session, lost);
            ein_session_drain(session, send_event);
        }
        ein_session_push(session, sample);
        ein_session_drain(session, send_event);
        n++;
    }
    return n > 0;
}

static void print_banner(const ein_port_info_t *port)
{
    const char *const texts[] = {
        "Einthoven on ",
        port->board,
        ", model ",
        EIN_MODEL_NAME,
        app.model_fits ? "" : " (made for another pipeline: refused)",
        ". Not a medical device.\r\n",
        NULL,
    };
    ein_tx_print(texts);
}

void ein_app_init(void)
{
    memset(&app, 0, sizeof(app));
    ein_frame_decoder_init(&app.decoder);
    ein_port_init();
    app.model_fits = strcmp(EIN_MODEL_PIPELINE_SHA256, EIN_PIPELINE_SHA256) == 0;

    ein_port_info_t port;
    ein_port_info(&port);
    assert(port.rx_buffer_bytes >= RX_MIN_BYTES);
    uint32_t credit = port.rx_buffer_bytes - RX_RESERVE_BYTES;
    app.credit_bytes = (uint16_t)(credit < CREDIT_MAX_BYTES ? credit : CREDIT_MAX_BYTES);
    print_banner(&port);
}

void ein_app_step(void)
{
    bool busy = receive();
    busy = stream() || busy;
    ein_port_poll(!busy);
}
