#include "ein_app.h"

#include <assert.h>
#include <string.h>

#ifdef EIN_EXTENSION
#include "ein_app_extension.h"
#endif
#include "ein_app_state.h"
#include "ein_head.h"
#include "ein_model.h"
#include "ein_port.h"

/* What ein_port.h asks of a receive buffer: a frame, and room for a request beside it. */
#define RX_MIN_BYTES 512u
/* Room in the receive buffer for a request beside the samples under way. */
#define RX_RESERVE_BYTES 64u
/* More credit would only let more events wait than the outbox holds. */
#define CREDIT_MAX_BYTES 1024u
/* Samples of one turn in stream mode: after a stall, the host gets a word in between. */
#define STREAM_BURST_SAMPLES 64u

static ein_app_t app;

/* The session's: a new event. */
static void ein_app_on_event(void *context, const ein_outbox_event_t *event)
{
#ifdef EIN_EXTENSION
    if (!ein_extension_event(context, event)) {
        return;
    }
#endif
    ein_app_send_event(context, event);
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
#ifdef EIN_EXTENSION
    const ein_extension_answer_t answer = ein_extension_message(&app, frame);
    if (answer != EIN_EXTENSION_PASS) {
        return answer == EIN_EXTENSION_TAKEN;
    }
#endif
    switch (frame->type) {
    case EIN_WIRE_HELLO:
        return ein_app_on_hello(&app, frame);
    case EIN_WIRE_INFO:
        return ein_app_on_info(&app, frame);
    case EIN_WIRE_START:
        return ein_app_on_start(&app, frame);
    case EIN_WIRE_SAMPLES:
        return ein_app_on_samples(&app, frame);
    case EIN_WIRE_GAP:
        return ein_app_on_gap(&app, frame);
    case EIN_WIRE_POLL:
        return ein_app_on_poll(&app, frame);
    case EIN_WIRE_FINISH:
        return ein_app_on_finish(&app, frame);
    case EIN_WIRE_WATCH:
        return ein_app_on_watch(&app, frame);
    case EIN_WIRE_VERDICT:
        return ein_app_on_verdict(&app, frame);
    case EIN_WIRE_TENSOR:
        return ein_app_on_tensor(&app, frame);
    case EIN_WIRE_BENCH:
        return ein_app_on_bench(&app, frame);
#ifdef EIN_NETWORK
    case EIN_WIRE_NETWORK:
        return ein_app_on_network(&app, frame);
#endif
    case EIN_WIRE_HEAD_PIECE:
        return ein_app_on_head_piece(&app, frame);
    case EIN_WIRE_HEAD_STORE:
        return ein_app_on_head_store(&app, frame);
    case EIN_WIRE_HEAD_REMOVE:
        return ein_app_on_head_remove(&app, frame);
    case EIN_WIRE_RESET:
        return on_reset(frame);
#ifdef EIN_MEMORY
    case EIN_WIRE_MEMORY:
        return ein_app_on_memory(&app, frame);
#endif
    case EIN_WIRE_HANG:
        return ein_app_on_hang(frame);
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
            ein_app_send_error(&app, frame.sequence, EIN_WIRE_ERROR_UNKNOWN_MESSAGE,
                               "unknown message or wrong size");
        }
    }
    if (app.decoder.rejected_frames != app.rejected_seen) {
        app.rejected_seen = app.decoder.rejected_frames;
        if (app.session.id != 0) { /* the host need not wait for its time-out */
            ein_app_send_status(&app, 0, EIN_WIRE_STATUS_FLAG_RESEND);
        }
    }
    return n > 0;
}

static bool stream(void)
{
    const ein_session_t *session = &app.session;
    if (session->id == 0 || session->mode != EIN_WIRE_MODE_STREAM || session->finishing) {
        return false;
    }
    int16_t sample;
    uint32_t lost = 0;
    uint32_t n = 0;
    while (n < STREAM_BURST_SAMPLES && ein_port_adc(&sample, &lost)) {
        if (lost > 0) {
            ein_app_lose(&app, lost);
        }
        ein_app_take(&app, sample);
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
    ein_session_init(&app.session, ein_app_on_event, &app);
    ein_port_init();
    ein_head_load();
    app.model_fits = strcmp(EIN_MODEL_PIPELINE_SHA256, EIN_PIPELINE_SHA256) == 0;

    ein_port_info_t port;
    ein_port_info(&port);
    assert(port.rx_buffer_bytes >= RX_MIN_BYTES);
    uint32_t credit = port.rx_buffer_bytes - RX_RESERVE_BYTES;
    app.credit_bytes = (uint16_t)(credit < CREDIT_MAX_BYTES ? credit : CREDIT_MAX_BYTES);
    print_banner(&port);
#ifdef EIN_EXTENSION
    ein_extension_init(&app);
#endif
}

void ein_app_step(void)
{
    bool busy = receive();
    busy = stream() || busy;
#ifdef EIN_EXTENSION
    busy = ein_extension_step(&app) || busy;
#endif
    ein_port_poll(!busy);
}
