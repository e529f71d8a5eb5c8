/* What the application's parts share: its state, its way to answer, a handler per request.
 *
 * Private to firmware/app and, in a device build, to what stands on it (ein_app_extension.h). A
 * handler gets the state from the loop, knows nothing else of it, and returns false for a message
 * whose size is wrong.
 */
#ifndef EIN_APP_STATE_H
#define EIN_APP_STATE_H

#include "ein_frame.h"
#include "ein_session.h"
#include "ein_trace.h"
#include "ein_tx.h"

typedef struct {
    uint32_t events_resent;
    uint32_t rejected_seen; /* of decoder.rejected_frames, already answered */
    uint16_t credit_bytes;
    bool model_fits;
    ein_frame_decoder_t decoder;
    ein_tx_t tx;
    ein_tensor_t bench;
    ein_session_t session;
    ein_trace_t trace;
} ein_app_t;

/* Where the payload of the next message goes. */
static inline uint8_t *ein_app_payload(ein_app_t *app)
{
    return ein_tx_payload(&app->tx);
}

/* Sends what has been put there. */
static inline void ein_app_send(ein_app_t *app, uint8_t type, uint8_t sequence, size_t payload_size)
{
    ein_tx_send(&app->tx, type, sequence, payload_size);
}

/* ein_app_error.c */
void ein_app_send_error(ein_app_t *app, uint8_t sequence, uint8_t code, const char *text);

/* ein_app_about.c */
bool ein_app_on_hello(ein_app_t *app, const ein_frame_t *frame);
bool ein_app_on_info(ein_app_t *app, const ein_frame_t *frame);

/* ein_app_replay.c */
void ein_app_send_status(ein_app_t *app, uint8_t sequence, uint8_t flags);
void ein_app_send_event(ein_app_t *app, const ein_outbox_event_t *event);
bool ein_app_on_start(ein_app_t *app, const ein_frame_t *frame);
bool ein_app_on_samples(ein_app_t *app, const ein_frame_t *frame);
bool ein_app_on_poll(ein_app_t *app, const ein_frame_t *frame);
bool ein_app_on_gap(ein_app_t *app, const ein_frame_t *frame);
bool ein_app_on_finish(ein_app_t *app, const ein_frame_t *frame);
bool ein_app_on_verdict(ein_app_t *app, const ein_frame_t *frame);
/* Events below `events_acked` have arrived; the others that are kept are sent again. */
void ein_app_resend_events(ein_app_t *app, uint32_t events_acked);

/* ein_app_watch.c */
/* A sample that does not wait, through the session that is open, and to whoever watches. */
void ein_app_take(ein_app_t *app, int16_t sample);
/* So many of them were lost before the next one. */
void ein_app_lose(ein_app_t *app, uint32_t lost);
bool ein_app_on_watch(ein_app_t *app, const ein_frame_t *frame);

/* ein_app_head.c */
bool ein_app_on_head_piece(ein_app_t *app, const ein_frame_t *frame);
bool ein_app_on_head_store(ein_app_t *app, const ein_frame_t *frame);
bool ein_app_on_head_remove(ein_app_t *app, const ein_frame_t *frame);

/* ein_app_bench.c */
bool ein_app_on_tensor(ein_app_t *app, const ein_frame_t *frame);
bool ein_app_on_bench(ein_app_t *app, const ein_frame_t *frame);
#ifdef EIN_NETWORK
bool ein_app_on_network(ein_app_t *app, const ein_frame_t *frame);
#endif

/* ein_app_check.c */
#ifdef EIN_MEMORY
bool ein_app_on_memory(ein_app_t *app, const ein_frame_t *frame);
#endif
bool ein_app_on_hang(const ein_frame_t *frame);

#endif
