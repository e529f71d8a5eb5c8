/* A patient's head over the wire: pieces, then store; remove. All of them end the session, since a
   head is active from a session's first sample to its last, or not at all. */
#include "ein_app_state.h"

#include "ein_head.h"
#include "ein_port.h"

typedef char
    ein_check_states[(int)EIN_HEAD_ACTIVE == (int)EIN_WIRE_HEAD_STATE_ACTIVE &&
                             (int)EIN_HEAD_FOREIGN == (int)EIN_WIRE_HEAD_STATE_FOREIGN &&
                             (int)EIN_HEAD_UNSUPPORTED == (int)EIN_WIRE_HEAD_STATE_UNSUPPORTED
                         ? 1
                         : -1];

static void send_state(ein_app_t *app, uint8_t sequence)
{
    ein_wire_head_reply_t reply = {(uint8_t)ein_head_state(), ein_head_crc()};
    ein_app_send(app, EIN_WIRE_HEAD_REPLY, sequence,
                 ein_wire_put_head_reply(ein_app_payload(app), &reply));
}

bool ein_app_on_head_piece(ein_app_t *app, const ein_frame_t *frame)
{
    ein_wire_head_piece_t piece;
    if (!ein_wire_get_head_piece(&piece, frame->payload, frame->size)) {
        return false;
    }
    app->session.id = 0;
    if (!ein_head_stage(piece.offset, piece.bytes, piece.bytes_size)) {
        ein_app_send_error(app, frame->sequence, EIN_WIRE_ERROR_BAD_HEAD,
                           "piece beyond the head's end");
    }
    return true;
}

bool ein_app_on_head_store(ein_app_t *app, const ein_frame_t *frame)
{
    ein_wire_head_store_t store;
    if (!ein_wire_get_head_store(&store, frame->payload, frame->size)) {
        return false;
    }
    app->session.id = 0;
    switch (ein_head_store(store.head_crc, store.model_sha256)) {
    case EIN_HEAD_OK:
        send_state(app, frame->sequence);
        break;
    case EIN_HEAD_ERR_MODEL:
        ein_app_send_error(app, frame->sequence, EIN_WIRE_ERROR_WRONG_MODEL,
                           "the head was made for another model");
        break;
    case EIN_HEAD_ERR_CRC:
        ein_app_send_error(app, frame->sequence, EIN_WIRE_ERROR_BAD_HEAD,
                           "the head's CRC-32 differs");
        break;
    case EIN_HEAD_ERR_UNFIT:
        ein_app_send_error(app, frame->sequence, EIN_WIRE_ERROR_UNFIT_HEAD,
                           "the head's parameters do not fit");
        break;
    case EIN_HEAD_ERR_SLOT:
        ein_app_send_error(app, frame->sequence, EIN_WIRE_ERROR_NO_SLOT,
                           "no slot that keeps a head");
        break;
    }
    return true;
}

bool ein_app_on_head_remove(ein_app_t *app, const ein_frame_t *frame)
{
    if (frame->size != EIN_WIRE_HEAD_REMOVE_SIZE) {
        return false;
    }
    app->session.id = 0;
    if (ein_head_remove()) {
        send_state(app, frame->sequence);
    } else {
        ein_app_send_error(app, frame->sequence, EIN_WIRE_ERROR_NO_SLOT,
                           "no slot that can be erased");
    }
    return true;
}
